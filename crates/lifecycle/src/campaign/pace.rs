//! How fast: each issuer and each customer has a place in time for every reissue, at the distance that the pace gives.
//! Pure.

use std::collections::HashMap;
use std::num::NonZeroU32;

use jiff::{SignedDuration, Timestamp};

use super::Pace;

/// What is due that soon is done at once: reissues come in handfuls, not one by one.
const SOON: SignedDuration = SignedDuration::from_secs(2);

/// The places that are taken.
#[derive(Debug, Default)]
pub(super) struct Places {
    issuers: HashMap<String, Timestamp>,
    customers: HashMap<String, Timestamp>,
}

impl Places {
    /// The places of a campaign that goes on: `taken` says up to when items of an issuer and a customer are put off.
    pub(super) fn resume(pace: Pace, taken: Vec<(String, String, Timestamp)>) -> Self {
        let mut places = Self::default();
        for (issuer, customer, at) in taken {
            let by_issuer = places.issuers.get(&issuer).copied();
            if by_issuer.is_none_or(|booked| booked <= at) {
                book(&mut places.issuers, &issuer, pace.per_issuer, at);
            }
            book(&mut places.customers, &customer, pace.per_customer, at);
        }
        places
    }

    /// Takes the next place for a reissue by `issuer` for `customer`: `None` when it is due now, else when it is.
    pub(super) fn take(
        &mut self,
        pace: Pace,
        issuer: &str,
        customer: &str,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let by_issuer = next(&self.issuers, issuer, pace.per_issuer, now);
        let by_customer = next(&self.customers, customer, pace.per_customer, now);
        let at = by_issuer.max(by_customer);
        book(&mut self.issuers, issuer, pace.per_issuer, at);
        book(&mut self.customers, customer, pace.per_customer, at);
        (at.duration_since(now) > SOON).then_some(at)
    }
}

fn next(
    places: &HashMap<String, Timestamp>,
    who: &str,
    pace: Option<NonZeroU32>,
    now: Timestamp,
) -> Timestamp {
    let booked = pace.and_then(|_| places.get(who)).copied();
    booked.map_or(now, |booked| booked.max(now))
}

fn book(
    places: &mut HashMap<String, Timestamp>,
    who: &str,
    pace: Option<NonZeroU32>,
    at: Timestamp,
) {
    let Some(pace) = pace else { return };
    let distance = SignedDuration::from_hours(1) / i32::try_from(pace.get()).unwrap_or(i32::MAX);
    let after = at.saturating_add(distance).unwrap_or(Timestamp::MAX);
    match places.get_mut(who) {
        Some(booked) => *booked = after,
        None => {
            places.insert(who.to_owned(), after);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count_due(pace: Pace, customers: &[&str], hours: i64) -> usize {
        let start = Timestamp::from_second(1_800_000_000).unwrap();
        let end = start + SignedDuration::from_hours(hours);
        let mut places = Places::default();
        (0..10_000)
            .map(|index| places.take(pace, "embedded", customers[index % customers.len()], start))
            .filter(|at| at.is_none_or(|at| at < end))
            .count()
    }

    #[test]
    fn no_more_are_due_in_an_hour_than_the_pace_allows() {
        let pace = |per_issuer, per_customer| Pace {
            per_issuer: NonZeroU32::new(per_issuer),
            per_customer: NonZeroU32::new(per_customer),
        };
        assert_eq!(count_due(pace(0, 0), &["a"], 1), 10_000);
        assert_eq!(count_due(pace(600, 0), &["a"], 1), 600);
        assert_eq!(count_due(pace(0, 60), &["a"], 2), 120);
        assert_eq!(count_due(pace(0, 60), &["a", "b"], 1), 120);
        assert_eq!(count_due(pace(90, 60), &["a", "b"], 1), 90);
    }

    #[test]
    fn a_campaign_that_goes_on_takes_no_place_twice() {
        let start = Timestamp::from_second(1_800_000_000).unwrap();
        let pace = Pace {
            per_issuer: NonZeroU32::new(60),
            per_customer: None,
        };
        let minutes = |count| start + SignedDuration::from_mins(count);
        let taken = [("a", "x", 7), ("a", "y", 9), ("a", "z", 3)];
        let taken = taken
            .map(|(issuer, customer, at)| (issuer.to_owned(), customer.to_owned(), minutes(at)));
        let mut places = Places::resume(pace, taken.to_vec());
        assert_eq!(places.take(pace, "a", "x", start), Some(minutes(10)));
        assert_eq!(places.take(pace, "b", "x", start), None);
    }

    #[test]
    fn a_pace_that_was_not_used_is_not_saved_up() {
        let start = Timestamp::from_second(1_800_000_000).unwrap();
        let pace = Pace {
            per_issuer: NonZeroU32::new(60),
            per_customer: None,
        };
        let mut places = Places::default();
        assert_eq!(places.take(pace, "a", "c", start), None);
        let later = start + SignedDuration::from_hours(5);
        assert_eq!(places.take(pace, "a", "c", later), None);
        let next = places.take(pace, "a", "c", later);
        assert_eq!(next, Some(later + SignedDuration::from_mins(1)));
    }
}
