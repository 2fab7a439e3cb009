//! The answer to `dryRun=true`: what the request would lead to now. A shape of our own.

use reseal_lifecycle::event::Event;
use reseal_lifecycle::issuance::Rehearsal;
use reseal_lifecycle::process::{CaaState, NameProof, ProofState, Work};
use reseal_pki::name::DnsName;
use reseal_validation::challenge::Challenge;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::body::syntax::DCV_TYPES;
use crate::date::Date;
use crate::quote::QuoteBody;

/// The whole plan, and what was seen of the world it depends on.
#[derive(JsonSchema, Serialize)]
#[schemars(rename = "DryRun")]
#[serde(rename_all = "camelCase")]
pub(super) struct DryRunBody<'a> {
    #[serde(flatten)]
    price: QuoteBody<'a>,
    /// Whether the call without `dryRun` would be answered with a certificate.
    issued_at_once: bool,
    /// What stands in the way of that.
    obstacles: &'a [String],
    product: &'a str,
    common_name: &'a str,
    names: Vec<NameBody<'a>>,
    /// Names of the replaced certificate that the new one will not have.
    removed_names: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_date: Option<Date>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiry_date: Option<Date>,
    /// Each look, as the timeline of a real process would have it.
    #[schemars(with = "Vec<Map<String, Value>>")]
    evidence: &'a [Event],
}

/// One name of the certificate.
#[derive(JsonSchema, Serialize)]
#[schemars(rename = "DryRunName")]
#[serde(rename_all = "camelCase")]
struct NameBody<'a> {
    name: &'a str,
    #[schemars(extend("enum" = DCV_TYPES))]
    r#type: &'static str,
    /// Whether an earlier proof will be relied on, one was seen just now, or it is still to be given.
    #[schemars(extend("enum" = ["REUSED", "PROVED", "OPEN"]))]
    proof: &'static str,
    /// Which domain was or is to be proved.
    authorization_domain_name: &'a str,
    /// When the proof that will be relied on was obtained.
    #[serde(skip_serializing_if = "Option::is_none")]
    obtained: Option<Date>,
    /// Where something is to be published; its contents are made by the real call.
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<String>,
    /// What is there now.
    #[serde(skip_serializing_if = "Option::is_none")]
    seen: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    caa: Option<CaaBody<'a>>,
}

/// What CAA says.
#[derive(JsonSchema, Serialize)]
#[schemars(rename = "DryRunCaa")]
struct CaaBody<'a> {
    permitted: bool,
    reason: &'a str,
}

impl<'a> DryRunBody<'a> {
    pub(super) fn of(rehearsal: &'a Rehearsal) -> Self {
        let work = rehearsal.process.work();
        let order = work.map(|work| &work.order);
        Self {
            price: QuoteBody::of(&rehearsal.quote),
            issued_at_once: rehearsal.obstacles.is_empty(),
            obstacles: &rehearsal.obstacles,
            product: order.map_or("", |order| &order.product),
            common_name: &rehearsal.process.identifier,
            names: work.map(names).unwrap_or_default(),
            removed_names: order
                .iter()
                .flat_map(|order| &order.removed)
                .map(DnsName::as_str)
                .collect(),
            start_date: rehearsal.validity.map(|(start, _)| Date(start)),
            expiry_date: rehearsal.validity.map(|(_, end)| Date(end)),
            evidence: &rehearsal.events,
        }
    }
}

fn names(work: &Work) -> Vec<NameBody<'_>> {
    let of = |proof| NameBody::of(proof, work);
    work.proofs.iter().map(of).collect()
}

impl<'a> NameBody<'a> {
    fn of(proof: &'a NameProof, work: &'a Work) -> Self {
        let (word, obtained) = match &proof.state {
            ProofState::Proved {
                obtained, reused, ..
            } => (
                if *reused { "REUSED" } else { "PROVED" },
                Some(Date(*obtained)),
            ),
            ProofState::Waiting | ProofState::Attention { .. } => ("OPEN", None),
        };
        let location = match &proof.challenge {
            Some(Challenge::Dns { record, .. } | Challenge::Txt { record, .. }) => {
                Some(record.clone())
            }
            Some(Challenge::DnsRandom { adn, random, .. }) => Some(format!("_{random}.{adn}.")),
            Some(Challenge::File { host, path, .. }) => Some(format!("{host}{path}")),
            Some(Challenge::Persistent { record, .. }) => Some(record.name()),
            Some(Challenge::Contact(contact)) => Some(contact.address.clone()),
            None => proof.email.clone(),
        };
        Self {
            name: proof.name.as_str(),
            r#type: proof.method.as_str(),
            proof: word,
            authorization_domain_name: &proof.adn,
            obtained,
            location: location.filter(|_| word == "OPEN"),
            seen: proof.last_look.as_ref().map(|look| look.seen.as_str()),
            caa: work.caa_of(&proof.name).map(CaaBody::of),
        }
    }
}

impl<'a> CaaBody<'a> {
    fn of(state: &'a CaaState) -> Self {
        Self {
            permitted: state.permitted,
            reason: &state.reason,
        }
    }
}
