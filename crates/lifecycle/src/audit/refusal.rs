//! Calls that were refused for who makes them (A-1: access attempts): without a valid key, or with one that may not do
//! this. Whoever guesses must not be able to fill the log: the first call of each caller in an hour has an entry within
//! seconds, those that follow are counted in memory and have one entry together when the hour is over.
//!
//! What survives a crash: the first calls, but for the last seconds.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch::Receiver;

use super::AuditEntry;
use crate::pulse::Part;
use crate::services::Services;
use crate::worker::stops;

/// Time between two writes.
const PAUSE: Duration = Duration::from_secs(10);
/// How long calls of one caller are counted together.
const HOUR: SignedDuration = SignedDuration::from_hours(1);
/// Callers that have entries of their own in an hour: those that came first. The others share one.
const NAMED: usize = 50;

/// Calls that were refused since the last write.
#[derive(Debug, Default)]
pub struct Refusals {
    hour: Mutex<Hour>,
}

/// Why a call was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Cause {
    /// There is no such key.
    Unauthenticated,
    /// The key may not do this.
    Forbidden,
}

impl Cause {
    const ALL: [Self; 2] = [Self::Unauthenticated, Self::Forbidden];

    /// The status that the caller saw.
    fn status(self) -> u16 {
        match self {
            Self::Unauthenticated => 401,
            Self::Forbidden => 403,
        }
    }
}

/// What was counted since the first call of an hour.
#[derive(Debug, Default)]
struct Hour {
    began: Option<Timestamp>,
    by_caller: HashMap<(Cause, String), Calls>,
    others: HashMap<Cause, u64>,
}

#[derive(Debug, Default)]
struct Calls {
    told: bool,
    untold: u64,
}

impl Refusals {
    /// Counts a call without a valid key from `address`.
    pub fn unauthenticated(&self, address: IpAddr) {
        let actor = format!("address/{}", address.to_canonical());
        self.hour().count(Cause::Unauthenticated, actor);
    }

    /// Counts a call that `user` may not make.
    pub fn forbidden(&self, user: &str) {
        self.hour().count(Cause::Forbidden, user.to_owned());
    }

    fn hour(&self) -> MutexGuard<'_, Hour> {
        self.hour.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hour {
    fn count(&mut self, cause: Cause, actor: String) {
        let key = (cause, actor);
        if self.by_caller.len() < NAMED || self.by_caller.contains_key(&key) {
            self.by_caller.entry(key).or_default().untold += 1;
        } else {
            *self.others.entry(cause).or_default() += 1;
        }
    }

    /// The entries that are due at `now`: the first of each caller, and all that was counted when the hour is over or the
    /// server stops.
    fn take(&mut self, now: Timestamp, stops: bool) -> Vec<AuditEntry> {
        if self.by_caller.is_empty() {
            return Vec::new();
        }
        let began = *self.began.get_or_insert(now);
        let is_over = stops || began.duration_until(now).abs() >= HOUR;
        let mut due: Vec<_> = self
            .by_caller
            .iter_mut()
            .filter(|(_, calls)| calls.untold > 0 && (is_over || !calls.told))
            .map(|((cause, actor), calls)| {
                calls.told = true;
                (*cause, actor.clone(), std::mem::take(&mut calls.untold))
            })
            .collect();
        due.sort();
        if is_over {
            due.extend(Cause::ALL.into_iter().filter_map(|cause| {
                let calls = self.others.remove(&cause)?;
                Some((cause, "address/others".to_owned(), calls))
            }));
            *self = Self::default();
        }
        due.into_iter()
            .map(|(cause, actor, calls)| {
                AuditEntry::new(now, actor, "access.refused", "api")
                    .with("status", cause.status())
                    .with("calls", calls)
                    .with("since", format!("{began:.0}"))
            })
            .collect()
    }
}

/// Writes what was counted, OCSP answers among it, until `shutdown` becomes true, and then once more.
pub(crate) async fn record_refusals(services: Arc<Services>, mut shutdown: Receiver<bool>) {
    loop {
        services.pulse.beat(Part::Refusals);
        let stops = stops(&mut shutdown, PAUSE).await;
        let now = services.clock.now();
        let mut entries = services.refusals.hour().take(now, stops);
        entries.extend(services.answered.take(now, stops));
        if !entries.is_empty()
            && let Err(error) = services.store.append_audit(entries).await
        {
            tracing::warn!(%error, "what was counted could not be written to the audit log");
        }
        if stops {
            break;
        }
    }
    services.pulse.end(Part::Refusals);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(entries: &[AuditEntry]) -> Vec<(&str, u64, u64)> {
        let number = |entry: &AuditEntry, name: &str| entry.detail[name].as_u64().unwrap();
        entries
            .iter()
            .map(|entry| {
                let actor = entry.actor.as_str();
                (actor, number(entry, "status"), number(entry, "calls"))
            })
            .collect()
    }

    #[test]
    fn a_1_the_first_refused_call_is_told_at_once_and_the_others_when_the_hour_is_over() {
        let refusals = Refusals::default();
        let take = |minutes, stops| {
            let now = Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes);
            refusals.hour().take(now, stops)
        };
        assert_eq!(take(0, false), []);
        let address: IpAddr = "192.0.2.6".parse().unwrap();
        refusals.unauthenticated(address);
        refusals.unauthenticated("::ffff:192.0.2.6".parse().unwrap());
        refusals.forbidden("acme/api");
        let first = take(0, false);
        assert_eq!(
            told(&first),
            [("address/192.0.2.6", 401, 2), ("acme/api", 403, 1)]
        );
        // However often it is tried, and whatever else the caller tries.
        for minute in 1..60 {
            refusals.unauthenticated(address);
            assert_eq!(take(minute, false), []);
        }
        let sum = take(60, false);
        assert_eq!(told(&sum), [("address/192.0.2.6", 401, 59)]);
        assert_eq!(sum[0].detail["since"], "1970-01-01T00:00:00Z");
        // Another hour.
        refusals.unauthenticated(address);
        assert_eq!(told(&take(70, false)), [("address/192.0.2.6", 401, 1)]);
        refusals.unauthenticated(address);
        assert_eq!(told(&take(71, true)), [("address/192.0.2.6", 401, 1)]);
        assert_eq!(take(72, true), []);
    }

    #[test]
    fn a_1_many_addresses_take_bounded_room_in_memory_and_in_the_log() {
        let refusals = Refusals::default();
        let mut entries = 0;
        for second in 0..3600_u32 {
            for number in 0..100_u32 {
                let address = (second * 100 + number).to_be_bytes();
                refusals.unauthenticated(IpAddr::from(address));
            }
            let now = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(second.into());
            entries += refusals.hour().take(now, false).len();
        }
        assert_eq!(entries, NAMED);
        let now = Timestamp::UNIX_EPOCH + HOUR;
        let last = refusals.hour().take(now, false);
        let others = 360_000 - NAMED as u64;
        assert_eq!(told(&last), [("address/others", 401, others)]);
    }
}
