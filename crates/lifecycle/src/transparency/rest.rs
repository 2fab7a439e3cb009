//! Who failed is left alone for a while, ever longer, so that a log that is down costs no process its time.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::LogError;

/// After the first failure; each further one doubles it.
const FIRST: Duration = Duration::from_secs(5);
/// The longest, unless the log asks for a longer one itself.
const LONGEST: Duration = Duration::from_mins(5);
/// What a log asks for is believed up to this.
const LONGEST_ASKED: Duration = Duration::from_hours(1);

/// The logs that rest, by what they are called.
#[derive(Default)]
pub(super) struct Rests(Mutex<HashMap<String, Rest>>);

#[derive(Clone, Copy)]
struct Rest {
    failures: u32,
    until: Timestamp,
}

impl Rests {
    /// Until when `log` is left alone, if it is at `now`.
    pub(super) fn until(&self, log: &str, now: Timestamp) -> Option<Timestamp> {
        let rest = self.lock().get(log).copied()?;
        (now < rest.until).then_some(rest.until)
    }

    /// It has given a promise.
    pub(super) fn end(&self, log: &str) {
        self.lock().remove(log);
    }

    /// It has failed at `now`.
    pub(super) fn begin(&self, log: &str, error: &LogError, now: Timestamp) {
        let mut all = self.lock();
        let failures = all.get(log).map_or(0, |rest| rest.failures);
        // Several processes ask at the same time: one failure of theirs counts.
        if all.get(log).is_some_and(|rest| now < rest.until) {
            return;
        }
        let until = SignedDuration::try_from(length(failures, error))
            .ok()
            .and_then(|length| now.checked_add(length).ok())
            .unwrap_or(now);
        let failures = failures.saturating_add(1);
        all.insert(log.to_owned(), Rest { failures, until });
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Rest>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long a log rests that has failed `failures` times before.
fn length(failures: u32, error: &LogError) -> Duration {
    let asked = match error {
        LogError::Unavailable { retry_after, .. } => *retry_after,
        LogError::Refused(_) | LogError::Wrong(_) => None,
    };
    let doubled = FIRST.saturating_mul(1 << failures.min(16)).min(LONGEST);
    asked.map_or(doubled, |asked| asked.min(LONGEST_ASKED).max(doubled))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn down(retry_after: Option<u64>) -> LogError {
        LogError::Unavailable {
            reason: "down".to_owned(),
            retry_after: retry_after.map(Duration::from_secs),
        }
    }

    fn after(seconds: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds)
    }

    #[test]
    fn nasty_138_a_log_that_fails_rests_ever_longer_and_as_long_as_it_asks_for() {
        let seconds = |failures, asked| length(failures, &down(asked)).as_secs();
        assert_eq!(seconds(0, None), 5);
        assert_eq!(seconds(1, None), 10);
        assert_eq!(seconds(5, None), 160);
        assert_eq!(seconds(6, None), 300);
        assert_eq!(seconds(u32::MAX, None), 300);
        assert_eq!(seconds(0, Some(1)), 5);
        assert_eq!(seconds(0, Some(77)), 77);
        assert_eq!(seconds(6, Some(900)), 900);
        assert_eq!(seconds(0, Some(1_000_000)), 3600);
        assert_eq!(length(0, &LogError::Wrong("x".to_owned())).as_secs(), 5);
    }

    #[test]
    fn a_rest_ends_by_time_or_by_a_promise_and_is_counted_once() {
        let rests = Rests::default();
        assert_eq!(rests.until("a", after(0)), None);
        rests.begin("a", &down(None), after(0));
        rests.begin("a", &down(None), after(1));
        assert_eq!(rests.until("a", after(4)), Some(after(5)));
        assert_eq!(rests.until("b", after(4)), None);
        assert_eq!(rests.until("a", after(5)), None);
        rests.begin("a", &down(None), after(5));
        assert_eq!(rests.until("a", after(6)), Some(after(15)));
        rests.end("a");
        assert_eq!(rests.until("a", after(6)), None);
        rests.begin("a", &down(None), after(6));
        assert_eq!(rests.until("a", after(6)), Some(after(11)));
    }
}
