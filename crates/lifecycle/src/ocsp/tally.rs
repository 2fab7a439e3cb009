//! How many certificates were answered for. BR 5.4.1 wants the signing of answers on record; an entry for each would let
//! strangers fill the audit log, so that an hour's have one together.
//!
//! What survives a crash: what was counted before the hour.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use reseal_pki::ocsp::CertStatus;

use crate::audit::{AuditEntry, SERVER};

/// How long answers are counted together.
const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// What was signed since the last entry.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    by_issuer: Mutex<BTreeMap<String, Counts>>,
}

/// Certificates of one issuer that were answered for, by what was said.
#[derive(Debug)]
struct Counts {
    since: Timestamp,
    good: u64,
    revoked: u64,
    unknown: u64,
}

impl Tally {
    /// Counts an answer for certificates of `issuer` that was signed at `now`.
    pub(super) fn count(
        &self,
        issuer: &str,
        statuses: impl Iterator<Item = CertStatus>,
        now: Timestamp,
    ) {
        let mut by_issuer = self.by_issuer();
        if !by_issuer.contains_key(issuer) {
            let counts = Counts {
                since: now,
                good: 0,
                revoked: 0,
                unknown: 0,
            };
            by_issuer.insert(issuer.to_owned(), counts);
        }
        let Some(counts) = by_issuer.get_mut(issuer) else {
            return;
        };
        for status in statuses {
            *match status {
                CertStatus::Good => &mut counts.good,
                CertStatus::Revoked { .. } => &mut counts.revoked,
                CertStatus::Unknown => &mut counts.unknown,
            } += 1;
        }
    }

    /// The entries that are due at `now`: when the hour is over, or the server stops.
    pub(crate) fn take(&self, now: Timestamp, stops: bool) -> Vec<AuditEntry> {
        let mut due = Vec::new();
        self.by_issuer().retain(|issuer, counts| {
            let stays = !stops && counts.since.duration_until(now).abs() < HOUR;
            if !stays {
                let entry = AuditEntry::new(now, SERVER, "ocsp.sign", format!("ocsp/{issuer}"))
                    .with("good", counts.good)
                    .with("revoked", counts.revoked)
                    .with("unknown", counts.unknown)
                    .with("since", format!("{:.0}", counts.since));
                due.push(entry);
            }
            stays
        });
        due
    }

    fn by_issuer(&self) -> MutexGuard<'_, BTreeMap<String, Counts>> {
        self.by_issuer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_1_answers_of_an_hour_have_one_entry_together() {
        let tally = Tally::default();
        let begin: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
        assert!(tally.take(begin, true).is_empty());
        tally.count(
            "embedded",
            [CertStatus::Good, CertStatus::Unknown].into_iter(),
            begin,
        );
        let later = begin + SignedDuration::from_mins(59);
        tally.count("embedded", [CertStatus::Good].into_iter(), later);
        assert!(tally.take(later, false).is_empty());
        let entries = tally.take(begin + HOUR, false);
        assert_eq!(entries.len(), 1);
        assert_eq!(
            (entries[0].action.as_str(), entries[0].object.as_str()),
            ("ocsp.sign", "ocsp/embedded")
        );
        assert_eq!(entries[0].detail["good"], 2);
        assert_eq!(entries[0].detail["revoked"], 0);
        assert_eq!(entries[0].detail["unknown"], 1);
        assert_eq!(entries[0].detail["since"], "2026-11-24T12:00:00Z");
        assert!(tally.take(begin + HOUR * 2, false).is_empty());

        tally.count("embedded", [CertStatus::Good].into_iter(), begin + HOUR);
        assert_eq!(tally.take(begin + HOUR, true).len(), 1, "the server stops");
    }
}
