//! How long writes wait, for whoever decides whether to begin with another.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A thread that has nothing to do.
const IDLE: u64 = u64::MAX;

/// For each writing thread, since when the oldest call of the batch in its hand waits.
pub(super) struct Backlog {
    start: Instant,
    /// Microseconds from `start`, or [`IDLE`].
    oldest: Vec<AtomicU64>,
}

impl Backlog {
    pub(super) fn of(threads: usize) -> Self {
        Self {
            start: Instant::now(),
            oldest: (0..threads).map(|_| AtomicU64::new(IDLE)).collect(),
        }
    }

    /// Thread `number` has a batch whose oldest call waits since `oldest`.
    pub(super) fn begin(&self, number: usize, oldest: Instant) {
        let waited = oldest.saturating_duration_since(self.start).as_micros();
        self.set(number, u64::try_from(waited).unwrap_or(IDLE));
    }

    /// Its batch is written and answered.
    pub(super) fn end(&self, number: usize) {
        self.set(number, IDLE);
    }

    fn set(&self, number: usize, value: u64) {
        if let Some(oldest) = self.oldest.get(number) {
            oldest.store(value, Ordering::Relaxed);
        }
    }

    /// The age of the oldest call in hand. Nothing while a thread is free: it takes what comes at once. When one of
    /// several is stuck, the other's.
    pub(super) fn now(&self) -> Duration {
        let ages = self
            .oldest
            .iter()
            .map(|oldest| match oldest.load(Ordering::Relaxed) {
                IDLE => Duration::ZERO,
                since => self
                    .start
                    .elapsed()
                    .saturating_sub(Duration::from_micros(since)),
            });
        ages.min().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_waits_as_long_as_the_least_busy_thread_is_behind() {
        let backlog = Backlog::of(2);
        assert_eq!(backlog.now(), Duration::ZERO);
        let since = Instant::now();
        std::thread::sleep(Duration::from_millis(20));
        backlog.begin(0, since);
        assert_eq!(backlog.now(), Duration::ZERO, "the other one is free");
        backlog.begin(1, Instant::now());
        let least = backlog.now();
        assert!(least < since.elapsed(), "{least:?}");
        backlog.begin(1, since);
        assert!(backlog.now() >= Duration::from_millis(20));
        backlog.end(0);
        assert_eq!(backlog.now(), Duration::ZERO);
    }
}
