//! An upstream that asks for it is left alone by everybody, not only by whom it told (RFC 8555 section 6.6).

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use http::StatusCode;
use reseal_lifecycle::upstream::UpstreamError;

use crate::https::Answer;

/// The longest that everybody heeds a limit: it may be one account's or one name's, which only the answer's words say.
const LONGEST_LIMIT: Duration = Duration::from_mins(1);
/// The longest that everybody heeds an overload.
const LONGEST_OVERLOAD: Duration = Duration::from_hours(1);

/// Until when nothing is sent.
#[derive(Default)]
pub(super) struct Rest(Mutex<Option<Instant>>);

impl Rest {
    /// Takes notice of what an answer asks for.
    pub(super) fn heed(&self, answer: &Answer) {
        let longest = match answer.status {
            StatusCode::TOO_MANY_REQUESTS => LONGEST_LIMIT,
            StatusCode::SERVICE_UNAVAILABLE => LONGEST_OVERLOAD,
            _ => return,
        };
        let Some(wait) = answer.retry_after() else {
            return;
        };
        let until = Some(Instant::now() + wait.min(longest));
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *known = until.max(*known);
    }

    /// Whether something may be sent.
    pub(super) fn check(&self) -> Result<(), UpstreamError> {
        let until = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let left = until.map_or(Duration::ZERO, |until| {
            until.saturating_duration_since(Instant::now())
        });
        if left.is_zero() {
            return Ok(());
        }
        Err(UpstreamError::Unavailable {
            reason: "it has asked to be left alone for a while".to_owned(),
            retry_after: Some(left),
            is_general: true,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r_13_what_one_is_told_everybody_heeds_for_a_while() {
        let left = |status, headers: &[(&'static str, &str)]| {
            let rest = Rest::default();
            rest.heed(&Answer::made(status, headers, ""));
            let error = rest.check().err()?;
            let UpstreamError::Unavailable { retry_after, .. } = error else {
                panic!("{error}");
            };
            Some(retry_after.unwrap().as_secs_f64().ceil())
        };
        let day = [("retry-after", "86400")];
        assert_eq!(left(429, &[("retry-after", "17")]), Some(17.0));
        assert_eq!(left(429, &day), Some(60.0));
        assert_eq!(left(503, &day), Some(3600.0));
        assert_eq!(left(503, &[]), None);
        assert_eq!(left(400, &day), None);
        assert_eq!(left(429, &[("retry-after", "0")]), None);
    }

    #[test]
    fn r_13_a_shorter_rest_does_not_end_a_longer_one() {
        let rest = Rest::default();
        rest.heed(&Answer::made(503, &[("retry-after", "600")], ""));
        rest.heed(&Answer::made(429, &[("retry-after", "0")], ""));
        assert!(rest.check().is_err());
    }
}
