//! For how long an answer holds (BR 4.9.10).

use jiff::{SignedDuration, Timestamp};

/// From thisUpdate to nextUpdate: a day, of 8 hours to 10 days that are allowed. Whoever staples an answer can be
/// without this server for most of it, and a stolen answer is worth nothing after it.
pub(super) const LIFETIME: SignedDuration = SignedDuration::from_hours(24);
/// thisUpdate is the last full five minutes: answers of one span are the same on every node.
const SPAN: i64 = 300;
/// Longest time that a copy is used without asking: a revocation is to be seen soon.
const LONGEST_CACHING: SignedDuration = SignedDuration::from_mins(5);

/// The thisUpdate of an answer that is given at `now`.
pub(super) fn this_update(now: Timestamp) -> Timestamp {
    let seconds = now.as_second();
    Timestamp::from_second(seconds - seconds.rem_euclid(SPAN)).unwrap_or(now)
}

/// The nextUpdate that belongs to it: no answer outlives `end`, when its responder's certificate ends.
pub(super) fn next_update(this_update: Timestamp, end: Timestamp) -> Timestamp {
    this_update
        .saturating_add(LIFETIME)
        .map_or(end, |next| next.min(end))
}

/// For how long a copy of an answer may be used without asking.
pub(super) fn freshness(now: Timestamp, next_update: Timestamp) -> SignedDuration {
    let left = now.duration_until(next_update);
    left.clamp(SignedDuration::ZERO, LONGEST_CACHING)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn x_9_an_answer_holds_for_a_day_from_the_last_full_five_minutes() {
        let end = moment("2027-01-01T00:00:00Z");
        for (now, this, next) in [
            (
                "2026-11-24T12:00:00Z",
                "2026-11-24T12:00:00Z",
                "2026-11-25T12:00:00Z",
            ),
            (
                "2026-11-24T12:04:59.9Z",
                "2026-11-24T12:00:00Z",
                "2026-11-25T12:00:00Z",
            ),
            (
                "2026-11-24T12:05:00Z",
                "2026-11-24T12:05:00Z",
                "2026-11-25T12:05:00Z",
            ),
            (
                "2026-12-31T18:00:01Z",
                "2026-12-31T18:00:00Z",
                "2027-01-01T00:00:00Z",
            ),
        ] {
            let this_update = this_update(moment(now));
            assert_eq!(this_update, moment(this), "{now}");
            assert_eq!(next_update(this_update, end), moment(next), "{now}");
        }
    }

    #[test]
    fn x_9_a_copy_is_used_for_minutes_and_never_after_the_next_update() {
        let next = moment("2026-11-24T12:00:00Z");
        for (now, seconds) in [
            ("2026-11-24T10:00:00Z", 300),
            ("2026-11-24T11:58:00Z", 120),
            ("2026-11-24T12:00:01Z", 0),
        ] {
            let lasts = freshness(moment(now), next);
            assert_eq!(lasts.as_secs(), seconds, "{now}");
        }
    }
}
