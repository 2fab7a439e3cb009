//! What a process is working on: the order as planned, and the proofs it has and lacks.

use jiff::Timestamp;
use reseal_pki::corroboration::Witness;
use reseal_pki::dn::OrganizationSubject;
use reseal_pki::method::Method;
use reseal_pki::name::DnsName;
use reseal_pki::profile::ValidationType;
use reseal_validation::caa::CaaStatus;
use reseal_validation::challenge::Challenge;
use reseal_validation::{ChallengeScheme, Contact, PersistentRecord};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::publication::Publication;
use super::upstream::UpstreamOrder;
use super::vetting::{Check, CheckState, Vetting};
use crate::language::Language;
use crate::price::{Allowance, Billable};
use crate::product::{CertificateType, DcvType};

/// The certificate to be made, fixed when the process was opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Order {
    /// Handle of the product.
    pub product: String,
    /// Validation level of the product at that time.
    pub validation: ValidationType,
    /// Shape of the name set.
    pub certificate_type: CertificateType,
    /// Name of the issuer.
    pub issuer: String,
    /// Common name; one of `names`.
    pub common_name: DnsName,
    /// Whether the subject carries it.
    pub common_name_in_subject: bool,
    /// Every name, the common name first.
    pub names: Vec<DnsName>,
    /// Names the predecessor had and this one will not have.
    #[serde(default)]
    pub removed: Vec<DnsName>,
    /// Names the predecessor did not have.
    #[serde(default)]
    pub added: Vec<DnsName>,
    /// Whether the common name differs from the predecessor's.
    #[serde(default)]
    pub common_name_moved: bool,
    /// The CSR, DER, base64 in the stored form.
    #[serde(with = "base64_bytes")]
    pub csr: Vec<u8>,
    /// What the CSR asks for and the certificate will not have, for people (C-7, C-9).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// SHA-256 of the key's SubjectPublicKeyInfo, hex.
    pub spki_sha256: String,
    /// Organization to be put into the subject once it is validated.
    pub subject: Option<OrganizationSubject>,
    /// Chamber of commerce number, for the record.
    pub coc: Option<String>,
    /// Who answers for an OV or EV request.
    pub approver: Option<Approver>,
    /// Language of mails and of the pages behind their links.
    #[serde(default, deserialize_with = "language_or_default")]
    pub language: Language,
    /// Months bought; `None` for a reissue, which inherits the subscription.
    pub months: Option<u32>,
    /// When the new subscription begins at the earliest: the end of the one that a renewal continues.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follows: Option<Timestamp>,
    /// End of the subscription; `None` while a new one starts only with issuance.
    pub subscription_end: Option<Timestamp>,
    /// What is charged for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub billables: Vec<Billable>,
    /// Names the subscription may carry once this is issued, when that is new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowance: Option<Allowance>,
}

/// Contact person of an OV or EV request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Approver {
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// Job title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_title: Option<String>,
    /// E-mail address.
    pub email: String,
    /// Telephone number, `+CC.NUMBER`.
    pub voice: String,
}

/// The state of one name's proof.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NameProof {
    /// The name to be proved.
    pub name: DnsName,
    /// How the customer chose to prove it.
    pub method: DcvType,
    /// Approver address, with [`DcvType::Email`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Where that address is published, unless it is a constructed one (D-14).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<Contact>,
    /// Which remote perspectives see that contact as well, as of the mail that asked it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contact_witnesses: Vec<Witness>,
    /// Authorization Domain Name where the proof is looked for (rules.md N-20).
    pub adn: String,
    /// What to publish, with DNS and FILE.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub challenge: Option<Challenge>,
    /// A record that proves it too, now and later, with DNS where the product takes it (D-33).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub persistent: Option<PersistentRecord>,
    /// How far it is.
    pub state: ProofState,
    /// What the last look at the challenge found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_look: Option<LastLook>,
}

/// A look as far as the next one is compared with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LastLook {
    /// As the timeline has it.
    pub verdict: String,
    /// What was expected.
    pub expected: String,
    /// What was seen.
    pub seen: String,
}

/// What a name was proved by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Evidence<'a> {
    /// By which method.
    pub method: Method,
    /// Which Authorization Domain Name.
    pub adn: &'a str,
    /// When it was obtained.
    pub obtained: Timestamp,
}

impl NameProof {
    /// Whether nothing more is needed for this name.
    pub fn is_proved(&self) -> bool {
        self.evidence().is_some()
    }

    /// What it was proved by, if it was.
    pub fn evidence(&self) -> Option<Evidence<'_>> {
        match &self.state {
            ProofState::Proved {
                method,
                adn,
                obtained,
                ..
            } => Some(Evidence {
                method: *method,
                adn,
                obtained: *obtained,
            }),
            ProofState::Waiting | ProofState::Attention { .. } => None,
        }
    }
}

/// How far a proof is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "state",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum ProofState {
    /// Not seen yet.
    Waiting,
    /// Something was seen that cannot work: the customer must act.
    Attention {
        /// What was expected.
        expected: String,
        /// What was seen.
        seen: String,
        /// What to do.
        advice: String,
    },
    /// Proved.
    Proved {
        /// By which method.
        method: Method,
        /// Which Authorization Domain Name.
        adn: String,
        /// When the evidence was obtained.
        obtained: Timestamp,
        /// Whether the evidence is an earlier process's.
        reused: bool,
        /// What remote perspectives said about the same look.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        witnesses: Vec<Witness>,
    },
}

/// A mail that asks for approval of some names. Its token exists only in the mail: here is its hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MailChallenge {
    /// Recipient.
    pub address: String,
    /// Names that an approval proves.
    pub names: Vec<DnsName>,
    /// SHA-256 of the link's token, hex; `None` until a mail is about to be sent.
    pub token_sha256: Option<String>,
    /// Goes into the form of the page behind the link, and is nowhere else to be had (D-19).
    #[serde(default)]
    pub form_token: Option<String>,
    /// When the tokens were made.
    pub created: Option<Timestamp>,
    /// When the mail was handed over.
    pub sent: Option<Timestamp>,
    /// Whether it is not tried again until the customer asks for it.
    #[serde(default)]
    pub undeliverable: bool,
}

impl MailChallenge {
    /// Whether it has yet to be handed over.
    pub fn is_due(&self) -> bool {
        self.sent.is_none() && !self.undeliverable
    }

    /// Whether its answer decides about `proof`.
    pub fn asks_about(&self, proof: &NameProof) -> bool {
        proof.method == DcvType::Email
            && proof.email.as_ref() == Some(&self.address)
            && self.names.contains(&proof.name)
    }
}

/// What a mailbox was sent by a process and has answered. Outlives the mails to it, so that changing the
/// address to and fro neither sends more nor asks again who said no.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Mailbox {
    /// The address.
    pub address: String,
    /// How many mails it was sent.
    pub mails: u32,
    /// When the last one left.
    pub last: Option<Timestamp>,
    /// Whether the request was rejected there.
    pub rejected: bool,
}

impl Mailbox {
    /// The entry of `address` among `known`, made when there is none.
    pub(crate) fn of<'a>(known: &'a mut Vec<Self>, address: &str) -> &'a mut Self {
        let here = |mailbox: &Self| mailbox.address == address;
        let index = known.iter().position(here).unwrap_or_else(|| {
            known.push(Self {
                address: address.to_owned(),
                mails: 0,
                last: None,
                rejected: false,
            });
            known.len() - 1
        });
        &mut known[index]
    }
}

/// The last CAA check of a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CaaState {
    /// The name.
    pub name: DnsName,
    /// As the contract shows it.
    pub status: CaaStatus,
    /// Whether issuance is permitted.
    pub permitted: bool,
    /// In words.
    pub reason: String,
    /// When it was checked.
    pub checked: Timestamp,
    /// Which remote perspectives see a permission as well; empty when none was asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub witnesses: Vec<Witness>,
}

/// Everything a certificate process works with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Work {
    /// What is to be made.
    pub order: Order,
    /// One proof a name, in the order's order.
    pub proofs: Vec<NameProof>,
    /// Mails asking for approval.
    #[serde(default)]
    pub mails: Vec<MailChallenge>,
    /// Every mailbox that was ever written to.
    #[serde(default)]
    pub mailboxes: Vec<Mailbox>,
    /// Last CAA checks.
    #[serde(default)]
    pub caa: Vec<CaaState>,
    /// Checks of the organization (OV, EV).
    #[serde(default, skip_serializing_if = "Vetting::is_untouched")]
    pub vetting: Vetting,
    /// How challenges are made.
    #[serde(default)]
    pub scheme: ChallengeScheme,
    /// Random Value in every challenge of this process (BR 3.2.2.4.7, rules.md D-3).
    pub random: String,
    /// The customer's `uniqueValue`.
    pub unique_value: Option<String>,
    /// When the challenges were made: they die 30 days later (D-3, D-11).
    pub challenges_created: Timestamp,
    /// The order at the upstream that issues, once there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream: Option<UpstreamOrder>,
    /// Persistent records that the last round saw and could not use.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub persistent_looks: Vec<LastLook>,
    /// What hooks have published in the DNS, or are about to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub publications: Vec<Publication>,
    /// How many rounds of checks there were.
    #[serde(default)]
    pub rounds: u32,
}

impl Work {
    /// Whether every name is proved.
    pub fn all_proved(&self) -> bool {
        self.proofs.iter().all(NameProof::is_proved)
    }

    /// The checks of the organization that its level needs, and how far they are.
    pub fn checks(&self) -> impl Iterator<Item = (Check, &CheckState)> {
        Check::needed_for(self.order.validation)
            .iter()
            .map(|check| (*check, self.vetting.state(*check)))
    }

    /// Whether its level needs `check` and nobody has approved it.
    pub fn is_open(&self, check: Check) -> bool {
        self.open_checks().any(|open| open == check)
    }

    /// The checks that its level needs and that nobody has approved.
    pub fn open_checks(&self) -> impl Iterator<Item = Check> {
        self.checks()
            .filter(|(_, state)| !matches!(state, CheckState::Validated { .. }))
            .map(|(check, _)| check)
    }

    /// Whether the organization needs nothing more.
    pub fn organization_done(&self) -> bool {
        self.open_checks().next().is_none()
    }

    /// Whether the customer has to do something.
    pub fn requires_attention(&self) -> bool {
        !self.all_proved()
            || self.caa.iter().any(|caa| !caa.permitted)
            || self
                .checks()
                .any(|(_, state)| matches!(state, CheckState::Attention { .. }))
    }

    /// Whether there is something that the customer or an operator has been asked for. Records that cannot be had are the
    /// customer's to mend, as far as anybody can tell.
    pub fn waits_for_people(&self) -> bool {
        let is_asked_for = |proof: &NameProof| {
            let needs_something = matches!(proof.state, ProofState::Attention { .. })
                || proof.challenge.is_some()
                || proof.method == DcvType::Email;
            !proof.is_proved() && needs_something
        };
        self.proofs.iter().any(is_asked_for)
            || self.open_checks().next().is_some()
            || self.caa.iter().any(|caa| !caa.permitted)
    }

    /// The proof of `name`.
    pub fn proof(&self, name: &str) -> Option<&NameProof> {
        self.proofs.iter().find(|proof| proof.name.as_str() == name)
    }

    /// What is known of the mailbox `address`, if it was ever written to.
    pub fn mailbox(&self, address: &str) -> Option<&Mailbox> {
        self.mailboxes.iter().find(|known| known.address == address)
    }

    /// The entry of the mailbox `address`, made when there is none.
    pub fn mailbox_mut(&mut self, address: &str) -> &mut Mailbox {
        Mailbox::of(&mut self.mailboxes, address)
    }

    /// The last CAA check of `name`.
    pub fn caa_of(&self, name: &DnsName) -> Option<&CaaState> {
        self.caa.iter().find(|caa| caa.name == *name)
    }
}

/// Earlier versions stored `null` when no language was asked for.
fn language_or_default<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Language, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

mod base64_bytes {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD.decode(text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::sample::work;

    #[test]
    fn an_order_from_before_languages_were_decided_is_in_english() {
        let order = work(false).order;
        let stored = |language: serde_json::Value| {
            let mut stored = serde_json::to_value(&order).unwrap();
            stored["language"] = language;
            serde_json::from_value::<Order>(stored).unwrap().language
        };
        assert_eq!(stored(serde_json::Value::Null), Language::En);
        assert_eq!(stored("JP".into()), Language::Jp);
    }
}
