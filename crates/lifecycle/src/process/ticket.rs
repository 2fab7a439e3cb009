//! What a signature rests on, written down before it is made. A process gets a serial number only together with a
//! ticket, and there is no ticket while anything is missing in it.

use jiff::Timestamp;
use reseal_pki::calendar;
use reseal_pki::method::Method;
use serde::{Deserialize, Serialize};

use super::{Check, CheckState, Work};

/// The grounds of one signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ticket {
    /// SHA-256 of the bytes that the linter has passed and that will be signed, hex.
    pub tbs_sha256: String,
    /// SHA-256 of the SubjectPublicKeyInfo, hex: looked at a moment ago (C-24).
    pub key_sha256: String,
    /// Each name with what proves control of it.
    pub names: Vec<Ground>,
    /// Each check of the organization with the age of what it rests on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<(Check, Timestamp)>,
    /// Last second of the subscription; absent when it begins with the certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscription_end: Option<Timestamp>,
    /// The longest validity by the calendar of this moment, in days (V-1).
    pub longest_days: i64,
    /// The greatest age of evidence by it, in days (V-3).
    pub evidence_days: i64,
    /// Version of the program.
    pub program: String,
}

/// What one name rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ground {
    /// The name.
    pub name: String,
    /// Authorization Domain Name.
    pub adn: String,
    /// How control was proved.
    pub method: Method,
    /// When.
    pub obtained: Timestamp,
    /// When CAA was last seen to permit it.
    pub caa: Timestamp,
}

impl Ticket {
    /// The ticket for signing bytes of the hash `tbs_sha256` at `now`; `None` while something is missing: a proof that may
    /// be relied on, a permission by CAA, an approved check.
    pub(super) fn of(work: &Work, tbs_sha256: String, now: Timestamp) -> Option<Self> {
        let names = work.order.names.iter();
        let names = names
            .map(|name| Ground::of(work, name, now))
            .collect::<Option<_>>()?;
        let checks = work.checks().map(|(check, state)| match state {
            CheckState::Validated { obtained, .. } => Some((check, *obtained)),
            CheckState::Waiting | CheckState::Attention { .. } => None,
        });
        let rules = calendar::rules_at(now);
        let days = |span: jiff::SignedDuration| span.as_hours() / 24;
        Some(Self {
            tbs_sha256,
            key_sha256: work.order.spki_sha256.clone(),
            names,
            checks: checks.collect::<Option<_>>()?,
            subscription_end: work.order.subscription_end,
            longest_days: days(rules.maximum_validity),
            evidence_days: days(rules.evidence_reuse),
            program: env!("CARGO_PKG_VERSION").to_owned(),
        })
    }
}

impl Ground {
    fn of(work: &Work, name: &reseal_pki::name::DnsName, now: Timestamp) -> Option<Self> {
        let proof = work.proofs.iter().find(|proof| proof.name == *name)?;
        let evidence = proof.evidence()?;
        if !calendar::evidence_usable(evidence.method, evidence.obtained, now) {
            return None;
        }
        let caa = work.caa_of(name).filter(|caa| caa.permitted)?;
        Some(Self {
            name: name.as_str().to_owned(),
            adn: evidence.adn.to_owned(),
            method: evidence.method,
            obtained: evidence.obtained,
            caa: caa.checked,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::ProofState;
    use super::super::sample;
    use super::*;

    fn ticket(work: &Work) -> Option<Ticket> {
        Ticket::of(work, "ab".to_owned(), sample::now())
    }

    #[test]
    fn a_10_a_ticket_names_what_every_name_rests_on() {
        let work = sample::work(true);
        let ticket = ticket(&work).unwrap();
        assert_eq!(ticket.names.len(), work.order.names.len());
        assert_eq!(ticket.key_sha256, work.order.spki_sha256);
        assert_eq!(ticket.tbs_sha256, "ab");
        assert_eq!(ticket.checks, []);
    }

    #[test]
    fn a_10_there_is_no_ticket_while_anything_is_missing() {
        let whole = sample::work(true);
        assert_eq!(ticket(&sample::work(false)), None);
        let mut without_caa = whole.clone();
        without_caa.caa.pop();
        assert_eq!(ticket(&without_caa), None);
        let mut forbidden = whole.clone();
        forbidden.caa[0].permitted = false;
        assert_eq!(ticket(&forbidden), None);
        let mut unproved = whole.clone();
        unproved.proofs.pop();
        assert_eq!(ticket(&unproved), None);
        let mut old = whole.clone();
        if let ProofState::Proved { obtained, .. } = &mut old.proofs[0].state {
            *obtained -= jiff::SignedDuration::from_hours(400 * 24);
        }
        assert_eq!(ticket(&old), None);
        let mut organization = whole;
        organization.order.validation = reseal_pki::profile::ValidationType::Organization;
        assert_eq!(ticket(&organization), None);
    }
}
