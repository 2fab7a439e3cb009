//! `GET /v2/processes/{id}/info`, and the same object as the answer to request and reissue (contract.md
//! section 5.4).

use reseal_lifecycle::note::Note;
use reseal_lifecycle::process::{
    CaaState, Check, CheckState, NameProof, Process, ProofState, Work,
};
use reseal_validation::{CaaStatus, Challenge, PersistentRecord};
use schemars::JsonSchema;
use serde::Serialize;

use crate::auth::{Call, Outcome};
use crate::body::syntax::DCV_TYPES;
use crate::date::Date;
use crate::query;

/// Every field that it may have by the contract, the identifying one first.
pub(super) const FIELDS: &[&str] = &[
    "commonName",
    "requiresAttention",
    "certificateId",
    "oneTimeLink",
    "validations",
    "notes",
];

/// How far a certificate process is. Ended processes have an answer too.
pub(crate) async fn info(call: Call) -> Outcome {
    let process = call.services().process(&call.caller, call.id()).await?;
    let notes = call.services().notes(&process).await?;
    let mut body = InfoBody::of(&process);
    body.notes = notes.iter().map(NoteBody::of).collect();
    query::one(&call.query(), FIELDS, &body)
}

/// How far a certificate process is.
#[derive(JsonSchema, Serialize)]
#[schemars(rename = "ProcessInfo")]
#[serde(rename_all = "camelCase")]
pub(crate) struct InfoBody<'a> {
    common_name: &'a str,
    requires_attention: bool,
    /// The certificate, once it is issued.
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate_id: Option<i64>,
    validations: Validations<'a>,
    /// What customer and house wrote about it, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<NoteBody<'a>>,
}

/// A note, seen from the customer.
#[derive(JsonSchema, Serialize)]
#[schemars(rename = "Note")]
#[serde(rename_all = "camelCase")]
struct NoteBody<'a> {
    created_date: Date,
    #[schemars(extend("enum" = ["INCOMING", "OUTGOING"]))]
    r#type: &'static str,
    message: &'a str,
}

impl<'a> NoteBody<'a> {
    fn of(note: &'a Note) -> Self {
        Self {
            created_date: Date(note.at),
            r#type: if note.by_house {
                "INCOMING"
            } else {
                "OUTGOING"
            },
            message: &note.message,
        }
    }
}

/// How far each check is; those that the product does not need are absent.
#[derive(Default, JsonSchema, Serialize)]
struct Validations<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    organization: Option<Progress>,
    #[serde(skip_serializing_if = "Option::is_none")]
    docs: Option<Progress>,
    #[serde(skip_serializing_if = "Option::is_none")]
    voice: Option<Progress>,
    #[serde(skip_serializing_if = "Option::is_none")]
    whois: Option<Progress>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agreement: Option<Progress>,
    /// Always there: clients stumble without it.
    dcv: Vec<DcvBody<'a>>,
}

/// How far a check is.
#[derive(Clone, Copy, Debug, JsonSchema, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
enum Progress {
    /// Goes on by itself.
    Waiting,
    /// The customer has to do something.
    Attention,
    /// Done.
    Validated,
}

/// One name's proof. It keeps what was to be published after it was seen.
#[derive(JsonSchema, Serialize)]
#[schemars(rename = "Dcv")]
#[serde(rename_all = "camelCase")]
struct DcvBody<'a> {
    common_name: &'a str,
    #[schemars(extend("enum" = DCV_TYPES))]
    r#type: &'static str,
    status: Progress,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dns_record: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["CNAME", "TXT"]))]
    dns_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dns_contents: Option<&'a str>,
    /// Name of a TXT record that proves the name just as well, and at every reissue after this one without a look at
    /// this answer, for as long as it stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    persistent_dns_record: Option<String>,
    /// What that record says.
    #[serde(skip_serializing_if = "Option::is_none")]
    persistent_dns_contents: Option<String>,
    /// Without a scheme: one client always puts one in front.
    #[serde(skip_serializing_if = "Option::is_none")]
    file_location: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file_contents: Option<&'a str>,
    caa_record_status: CaaStatus,
    #[schemars(extend("enum" = ["PASSED", "WAITING", "FAILED"]))]
    risk_status: &'static str,
}

impl<'a> InfoBody<'a> {
    pub(crate) fn of(process: &'a Process) -> Self {
        Self {
            common_name: &process.identifier,
            requires_attention: process.requires_attention(),
            certificate_id: process.certificate,
            validations: process.work().map(Validations::of).unwrap_or_default(),
            notes: Vec::new(),
        }
    }

    /// The same with the certificate that was issued within the call, or none.
    pub(crate) fn with_certificate(self, certificate_id: Option<i64>) -> Self {
        Self {
            certificate_id,
            ..self
        }
    }
}

impl<'a> Validations<'a> {
    fn of(work: &'a Work) -> Self {
        let progress = |wanted: Check| {
            let found = work.checks().find(|(check, _)| *check == wanted);
            found.map(|(_, state)| Progress::of_check(state))
        };
        Self {
            organization: progress(Check::Organization),
            docs: progress(Check::Docs),
            voice: progress(Check::Voice),
            whois: progress(Check::Whois),
            agreement: progress(Check::Agreement),
            dcv: work
                .proofs
                .iter()
                .map(|proof| DcvBody::of(proof, work.caa_of(&proof.name)))
                .collect(),
        }
    }
}

impl Progress {
    fn of_check(state: &CheckState) -> Self {
        match state {
            CheckState::Waiting => Self::Waiting,
            CheckState::Attention { .. } => Self::Attention,
            CheckState::Validated { .. } => Self::Validated,
        }
    }

    fn of_proof(state: &ProofState) -> Self {
        match state {
            ProofState::Waiting => Self::Waiting,
            ProofState::Attention { .. } => Self::Attention,
            ProofState::Proved { .. } => Self::Validated,
        }
    }
}

impl<'a> DcvBody<'a> {
    fn of(proof: &'a NameProof, caa: Option<&CaaState>) -> Self {
        let mut body = Self {
            common_name: proof.name.as_str(),
            r#type: proof.method.as_str(),
            status: Progress::of_proof(&proof.state),
            email: proof.email.as_deref(),
            dns_record: None,
            dns_type: None,
            dns_contents: None,
            persistent_dns_record: proof.persistent.as_ref().map(PersistentRecord::name),
            persistent_dns_contents: proof.persistent.as_ref().map(PersistentRecord::contents),
            file_location: None,
            file_contents: None,
            caa_record_status: caa.map_or(CaaStatus::Unknown, |caa| caa.status),
            risk_status: "PASSED",
        };
        match &proof.challenge {
            Some(Challenge::Dns { record, contents }) => {
                body.dns_record = Some(record.clone());
                // An auth key is a TXT record at the name itself, which can be no alias to it.
                body.dns_type = Some(if record.starts_with('_') {
                    "CNAME"
                } else {
                    "TXT"
                });
                body.dns_contents = Some(contents);
            }
            Some(Challenge::Txt { record, contents }) => {
                body.dns_record = Some(record.clone());
                body.dns_type = Some("TXT");
                body.dns_contents = Some(contents);
            }
            Some(Challenge::DnsRandom {
                adn,
                random,
                target,
            }) => {
                body.dns_record = Some(format!("_{random}.{adn}."));
                body.dns_type = Some("CNAME");
                body.dns_contents = Some(target);
            }
            Some(Challenge::File {
                host,
                path,
                contents,
            }) => {
                body.file_location = Some(format!("{host}{path}"));
                body.file_contents = Some(contents);
            }
            // Shown beside the challenge that a proof has, and never its own.
            Some(Challenge::Persistent { .. } | Challenge::Contact(_)) | None => {}
        }
        body
    }
}

#[cfg(test)]
pub(crate) mod tests;
