//! When a waiting process is looked at again (rules.md D-12): often at first, when the customer is likely to
//! be at work on it, then ever more rarely.

use jiff::{SignedDuration, Timestamp};

/// Age of the process, in seconds, below which the wait beside it applies.
const STEPS: [(i64, i64); 6] = [
    (2 * 60, 5),
    (10 * 60, 20),
    (60 * 60, 2 * 60),
    (6 * 3600, 10 * 60),
    (24 * 3600, 30 * 60),
    (7 * 86_400, 3600),
];

/// Wait in seconds once the process is older than a week.
const LAST: i64 = 86_400;

/// The next check of a process whose challenges were made at `created`, seen from `now`.
pub fn next_check(created: Timestamp, now: Timestamp) -> Timestamp {
    let age = now.duration_since(created).as_secs();
    let wait = STEPS
        .iter()
        .find(|(below, _)| age < *below)
        .map_or(LAST, |(_, wait)| *wait);
    now.saturating_add(SignedDuration::from_secs(wait))
        .unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d_12_checks_become_rarer_with_age() {
        let created = Timestamp::from_second(1_800_000_000).unwrap();
        let wait = |age: i64| {
            let now = created + SignedDuration::from_secs(age);
            next_check(created, now).duration_since(now).as_secs()
        };
        let waits: Vec<_> = [0, 119, 120, 600, 3600, 6 * 3600, 86_400, 7 * 86_400]
            .into_iter()
            .map(wait)
            .collect();
        assert_eq!(waits, [5, 5, 20, 120, 600, 1800, 3600, 86_400]);
    }
}
