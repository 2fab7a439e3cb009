//! Whether the parts of the worker go on. Each says so after every round; one that has said nothing for long waits for what
//! never comes, or has died, and what it is there for is not done: `/readyz` says so.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Longer than any round takes, and what lies between two: the longest sign all revocation lists, or announce the ends of very many certificates.
const LONGEST: Duration = Duration::from_mins(15);

/// A part of the worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Processes that are due.
    Processes,
    /// Revocations that are due.
    Revocations,
    /// Revocation lists.
    Lists,
    /// Notices of what ends.
    Notices,
    /// Webhooks.
    Webhooks,
    /// Refused calls for the audit log.
    Refusals,
    /// Campaigns.
    Campaigns,
    /// Revocations that upstreams have to be told.
    Upstreams,
    /// When upstreams want certificates replaced.
    Advice,
    /// Published records that are to be removed.
    Records,
}

impl Part {
    const ALL: [Self; 10] = [
        Self::Processes,
        Self::Revocations,
        Self::Lists,
        Self::Notices,
        Self::Webhooks,
        Self::Refusals,
        Self::Campaigns,
        Self::Upstreams,
        Self::Advice,
        Self::Records,
    ];

    /// What stands still without it.
    fn in_words(self) -> &'static str {
        match self {
            Self::Processes => "processes that are due",
            Self::Revocations => "revocations that are due",
            Self::Lists => "revocation lists",
            Self::Notices => "notices of what ends",
            Self::Webhooks => "webhooks",
            Self::Refusals => "the log of refused calls",
            Self::Campaigns => "campaigns",
            Self::Upstreams => "revocations at upstreams",
            Self::Advice => "renewal advice of upstreams",
            Self::Records => "published records that are to be removed",
        }
    }
}

/// When each part ended its last round; a part that was not started is none that stands still.
#[derive(Debug, Default)]
pub(crate) struct Pulse {
    last: Mutex<[Option<Instant>; Part::ALL.len()]>,
}

impl Pulse {
    /// `part` begins, or has ended a round.
    pub(crate) fn beat(&self, part: Part) {
        self.last()[part as usize] = Some(Instant::now());
    }

    /// `part` ends in order.
    pub(crate) fn end(&self, part: Part) {
        self.last()[part as usize] = None;
    }

    /// What stands still at `now`, in words.
    pub(crate) fn standing_still(&self, now: Instant) -> Option<&'static str> {
        let last = *self.last();
        Part::ALL.into_iter().find_map(|part| {
            let since = now.saturating_duration_since(last[part as usize]?);
            (since > LONGEST).then(|| part.in_words())
        })
    }

    fn last(&self) -> MutexGuard<'_, [Option<Instant>; Part::ALL.len()]> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn x_1_a_part_that_says_nothing_for_long_stands_still() {
        let pulse = Pulse::default();
        let now = Instant::now();
        let later = now + LONGEST + Duration::from_mins(1);
        assert_eq!(pulse.standing_still(later), None);
        pulse.beat(Part::Processes);
        pulse.beat(Part::Revocations);
        assert_eq!(pulse.standing_still(now), None);
        assert_eq!(pulse.standing_still(later), Some("processes that are due"));
        pulse.end(Part::Processes);
        assert_eq!(
            pulse.standing_still(later),
            Some("revocations that are due")
        );
        pulse.end(Part::Revocations);
        assert_eq!(pulse.standing_still(later), None);
    }
}
