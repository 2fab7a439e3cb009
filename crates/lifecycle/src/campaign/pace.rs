//! How fast: each issuer and each customer reissues at the distance that the pace gives. What a customer has to wait for is
//! put off until its place; what an issuer has to wait for stays where it is, and is not asked for until then. Pure.

use std::collections::HashMap;
use std::num::NonZeroU32;

use jiff::{SignedDuration, Timestamp};

use super::{Item, Pace};

/// What is due that soon is done at once: reissues come in handfuls, not one by one.
const SOON: SignedDuration = SignedDuration::from_secs(2);

/// What one round was too slow to begin the next one makes up for, up to this: not what a pause or an outage left.
const MADE_UP_FOR: SignedDuration = SignedDuration::from_secs(30);

/// Who may reissue when.
#[derive(Debug)]
pub(super) struct Places {
    issuers: HashMap<String, Timestamp>,
    customers: HashMap<String, Queue>,
    /// Places before it are not given any more.
    floor: Timestamp,
    /// When the round began.
    round: Timestamp,
}

/// A customer's reissues.
#[derive(Clone, Copy, Debug)]
struct Queue {
    /// When the next one may begin.
    free: Timestamp,
    /// Where the next one that is put off has its place,
    end: Timestamp,
    /// and where one that has waited for a place and missed it.
    again: Timestamp,
}

/// What the pace says to a reissue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// It may begin.
    Now,
    /// Its issuer has to wait, and with it all that the issuer has to sign.
    IssuerBusy,
    /// Its customer has to wait: its place is then.
    At(Timestamp),
}

impl Places {
    /// Nobody has one at `now`.
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            issuers: HashMap::new(),
            customers: HashMap::new(),
            floor: now,
            round: now,
        }
    }

    /// A round begins at `now`.
    pub(super) fn begin_round(&mut self, now: Timestamp) {
        let earliest = now.saturating_sub(MADE_UP_FOR).unwrap_or(now);
        self.floor = self.round.max(earliest).min(now);
        self.round = now;
    }

    /// Whether `issuer` has to wait at `now`.
    pub(super) fn is_busy(&self, pace: Pace, issuer: &str, now: Timestamp) -> bool {
        let free = self.issuers.get(issuer);
        pace.per_issuer.is_some() && free.is_some_and(|free| is_late(*free, now))
    }

    /// Takes the next place for `item`, if it may begin now.
    pub(super) fn take(&mut self, pace: Pace, item: &Item, now: Timestamp) -> Turn {
        // Who waits for its customer keeps no place of its issuer: others take it.
        if let Some(place) = self.later_place(pace, item, now) {
            return Turn::At(place);
        }
        if self.is_busy(pace, &item.issuer, now) {
            return Turn::IssuerBusy;
        }
        let floor = self.floor;
        if let Some(an_hour) = pace.per_issuer {
            let free = self.issuers.entry(item.issuer.clone()).or_insert(now);
            *free = after((*free).max(floor), an_hour);
        }
        if let Some(an_hour) = pace.per_customer {
            let queue = self.queue(&item.customer, now);
            queue.free = after(queue.free.max(floor), an_hour);
        }
        Turn::Now
    }

    /// The place that `item` has to wait for because of its customer.
    fn later_place(&mut self, pace: Pace, item: &Item, now: Timestamp) -> Option<Timestamp> {
        let an_hour = pace.per_customer?;
        let queue = self.queue(&item.customer, now);
        if !is_late(queue.free, now) {
            return None;
        }
        // Whoever has waited, for a place or to be tried again, waits for one of the next, not behind all others.
        let last = if item.has_place || item.due > Timestamp::UNIX_EPOCH {
            &mut queue.again
        } else {
            &mut queue.end
        };
        let place = (*last).max(queue.free);
        *last = after(place, an_hour);
        Some(place)
    }

    fn queue(&mut self, customer: &str, now: Timestamp) -> &mut Queue {
        let fresh = Queue {
            free: now,
            end: now,
            again: now,
        };
        self.customers.entry(customer.to_owned()).or_insert(fresh)
    }
}

fn is_late(free: Timestamp, now: Timestamp) -> bool {
    free.duration_since(now) > SOON
}

fn after(at: Timestamp, an_hour: NonZeroU32) -> Timestamp {
    let distance = SignedDuration::from_hours(1) / i32::try_from(an_hour.get()).unwrap_or(i32::MAX);
    at.saturating_add(distance).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::Outcome;
    use super::*;

    fn pace(per_issuer: u32, per_customer: u32) -> Pace {
        Pace {
            per_issuer: NonZeroU32::new(per_issuer),
            per_customer: NonZeroU32::new(per_customer),
        }
    }

    fn start() -> Timestamp {
        Timestamp::from_second(1_800_000_000).unwrap()
    }

    fn item(certificate: i64, customer: &str) -> Item {
        Item {
            certificate,
            customer: customer.to_owned(),
            issuer: "embedded".to_owned(),
            urgent: start(),
            due: Timestamp::UNIX_EPOCH,
            has_place: false,
            outcome: Outcome::Waiting,
            process: None,
            successor: None,
            attempts: 0,
            detail: None,
            updated: start(),
        }
    }

    /// Which of `waiting` begin, in which second, looked at in their order `every` so many seconds; and how many were put off.
    fn course(
        pace: Pace,
        mut waiting: Vec<Item>,
        every: usize,
        hours: i64,
    ) -> (Vec<(i64, i64)>, u32) {
        let mut places = Places::new(start());
        let (mut begun, mut put_off) = (Vec::new(), 0);
        for second in (0..hours * 3600).step_by(every) {
            let now = start() + SignedDuration::from_secs(second);
            places.begin_round(now);
            waiting.retain_mut(|item| {
                if item.due > now || places.is_busy(pace, &item.issuer, now) {
                    return true;
                }
                match places.take(pace, item, now) {
                    Turn::Now => begun.push((item.certificate, second)),
                    Turn::IssuerBusy => return true,
                    Turn::At(place) => {
                        (item.due, item.has_place) = (place, true);
                        put_off += 1;
                        return true;
                    }
                }
                false
            });
        }
        (begun, put_off)
    }

    fn begun(pace: Pace, waiting: Vec<Item>, hours: i64) -> Vec<(i64, i64)> {
        course(pace, waiting, 1, hours).0
    }

    fn of(customers: &[&str], each: i64) -> Vec<Item> {
        let grouped = customers
            .iter()
            .flat_map(|customer| (0..each).map(move |_| customer));
        (0..)
            .zip(grouped)
            .map(|(number, customer)| item(number, customer))
            .collect()
    }

    #[test]
    fn no_more_begin_in_an_hour_than_the_pace_allows() {
        // What is due within two seconds begins with the first.
        for (pace, customers, hours, expected) in [
            (pace(0, 0), &["a"][..], 1, 2000),
            (pace(600, 0), &["a"], 1, 600),
            (pace(0, 60), &["a"], 2, 120),
            (pace(0, 60), &["a", "b"], 1, 120),
            (pace(90, 60), &["a", "b"], 1, 90),
        ] {
            let count = begun(pace, of(customers, 2000 / customers.len() as i64), hours).len();
            assert!(
                (expected..=expected + 1).contains(&count),
                "{pace:?}: {count}, not {expected}"
            );
        }
    }

    #[test]
    fn a_customer_who_has_to_wait_keeps_no_place_of_the_issuer() {
        // The issuer alone takes an hour for all, each customer two: five groups side by side.
        let begun = begun(pace(500, 50), of(&["a", "b", "c", "d", "e"], 100), 3);
        assert_eq!(begun.len(), 500);
        let last = begun.last().unwrap().1;
        assert!((7100..=7300).contains(&last), "{last}");
    }

    #[test]
    fn a_customers_certificates_begin_in_their_order() {
        let begun = begun(pace(0, 360), of(&["a"], 40), 1);
        let order: Vec<i64> = begun.iter().map(|(number, _)| *number).collect();
        assert_eq!(order, (0..40).collect::<Vec<_>>());
    }

    #[test]
    fn a_pace_that_was_not_used_is_not_saved_up() {
        let pace = pace(3600, 0);
        let mut places = Places::new(start());
        let begin = |places: &mut Places, now| {
            places.begin_round(now);
            let mut take = || places.take(pace, &item(1, "c"), now) == Turn::Now;
            (0..10_000).take_while(|_| take()).count()
        };
        // What is due within two seconds begins with the first.
        assert_eq!(begin(&mut places, start()), 3);
        let later = start() + SignedDuration::from_hours(5);
        let count = begin(&mut places, later);
        assert!(count <= 33, "{count}");
    }

    #[test]
    fn who_is_tried_again_does_not_wait_behind_all_others() {
        let mut waiting = of(&["a"], 100);
        waiting[0].due = start() + SignedDuration::from_secs(30);
        let begun = begun(pace(0, 60), waiting, 1);
        let again = begun.iter().find(|(number, _)| *number == 0).unwrap().1;
        assert!(again < 300, "{again}");
    }

    #[test]
    fn rounds_that_take_their_time_keep_the_pace() {
        let (begun, _) = course(pace(1200, 0), of(&["a"], 2000), 10, 1);
        assert!((1190..=1202).contains(&begun.len()), "{}", begun.len());
    }

    #[test]
    fn many_whose_places_have_passed_begin_at_the_pace_and_are_put_off_once() {
        let mut late = of(&["a"], 100);
        for item in &mut late {
            item.due = start() - SignedDuration::from_hours(5);
            item.has_place = true;
        }
        let (begun, put_off) = course(pace(0, 60), late, 1, 1);
        assert!((60..=61).contains(&begun.len()), "{}", begun.len());
        assert!(put_off < 110, "{put_off}");
    }
}
