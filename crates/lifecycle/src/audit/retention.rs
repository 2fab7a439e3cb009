//! How long entries are kept.

use jiff::{SignedDuration, Timestamp};
use reseal_pki::calendar;

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// Nothing may be removed earlier than this after the certificates that rest on it have expired (BR 5.4.3, 5.5.2).
pub const SHORTEST_RETENTION: SignedDuration = SignedDuration::from_hours(2 * 365 * 24);

/// Entries about the CA's keys, which are kept as long as the CA is and for two years after: a log that begins later
/// has them once more.
pub const KEPT_FOR_EVER: [&str; 3] = ["ca.key.create", "backup.create", "backup.restore"];

/// Everything recorded before the answer may be removed at `now`, when entries are kept for `retention` after the last
/// certificate that can rest on them has expired: evidence is relied on for as long as the calendar allows, and the
/// certificate then lives as long as it allows.
pub fn removable_before(now: Timestamp, retention: SignedDuration) -> Timestamp {
    let back =
        |from: Timestamp, span: SignedDuration| from.saturating_sub(span).unwrap_or(Timestamp::MIN);
    let kept = back(now, retention.max(SHORTEST_RETENTION));
    // Limits only ever shrink: what held long ago is never less than what held when an entry was written.
    let rules = calendar::rules_at(back(kept, DAY * (398 + 825)));
    back(
        kept,
        rules.maximum_validity + rules.organization_reuse.max(rules.evidence_reuse),
    )
}

/// A log without an entry for longer than this says that its clock may have jumped: a server at work signs revocation
/// lists every few hours.
pub const LONGEST_SILENCE: SignedDuration = SignedDuration::from_hours(60 * 24);

/// Whether `now` can be believed when it says that entries are old, which cannot be undone: it follows without a jump on
/// what was recorded, and did so for as long as a jump would be. `around` are the moments of the last entry that is older
/// than [`LONGEST_SILENCE`] and of the entry behind it ([`super::AuditStore::audit_around`]): a longer silence that ended
/// in that time lies between the two. A restart changes nothing about it.
pub fn is_steady(now: Timestamp, around: (Option<Timestamp>, Option<Timestamp>)) -> bool {
    match around {
        // All of it is younger: there is nothing to remove.
        (None, _) => true,
        (Some(before), after) => before.duration_until(after.unwrap_or(now)) <= LONGEST_SILENCE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_3_a_clock_that_jumped_is_not_believed_until_it_went_on_for_as_long() {
        let old = at("2026-11-29T00:00:00Z");
        let days = |days| old + DAY * days;
        assert!(is_steady(old, (None, Some(old))));
        assert!(is_steady(days(60), (Some(old), Some(days(1)))));
        assert!(is_steady(days(70), (Some(old), Some(days(60)))));
        // Nothing since, or the entries of the server that jumped only.
        assert!(!is_steady(days(61), (Some(old), None)));
        assert!(!is_steady(days(5000), (Some(old), Some(days(5000)))));
        assert!(!is_steady(days(5059), (Some(old), Some(days(5000)))));
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_3_an_entry_outlives_the_last_certificate_that_can_rest_on_it_by_two_years() {
        // Evidence of the first day of this calendar row: relied on for 398 days, for a certificate of 200 days.
        let recorded = at("2026-11-29T00:00:00Z");
        let end = recorded + DAY * (398 + 200 + 730);
        assert!(removable_before(end - DAY, SHORTEST_RETENTION) < recorded);
        let much_later = end + DAY * 1300;
        assert!(removable_before(much_later, SHORTEST_RETENTION) > recorded);
        // A shorter one is not believed.
        assert_eq!(
            removable_before(end, SignedDuration::ZERO),
            removable_before(end, SHORTEST_RETENTION)
        );
        assert!(
            removable_before(end, SHORTEST_RETENTION * 2)
                < removable_before(end, SHORTEST_RETENTION)
        );
    }

    #[test]
    fn a_3_time_never_makes_what_was_removable_not_removable() {
        let start = at("2026-11-29T00:00:00Z");
        let days = (0..4000).map(|days| removable_before(start + DAY * days, SHORTEST_RETENTION));
        assert!(days.is_sorted());
    }
}
