//! The one source of the present moment.

use jiff::{SignedDuration, Timestamp};

/// The system's clock, or the same clock shifted by a fixed amount, so that a sandbox or a test can live
/// through a date in the future.
#[derive(Clone, Copy, Debug, Default)]
pub struct Clock {
    offset: SignedDuration,
}

impl Clock {
    /// The system's clock.
    pub const fn system() -> Self {
        Self {
            offset: SignedDuration::ZERO,
        }
    }

    /// The system's clock plus `offset`.
    pub const fn shifted(offset: SignedDuration) -> Self {
        Self { offset }
    }

    /// The present moment, to the millisecond: what is stored reads back equal.
    pub fn now(&self) -> Timestamp {
        let shifted = Timestamp::now()
            .checked_add(self.offset)
            .unwrap_or(Timestamp::MAX);
        Timestamp::from_millisecond(shifted.as_millisecond()).unwrap_or(shifted)
    }

    /// Whether this clock tells another time than the system's.
    pub fn is_shifted(&self) -> bool {
        !self.offset.is_zero()
    }
}
