//! Rates: how often a key, a customer, and somebody who fails to authenticate may call.
//!
//! What survives: nothing, a restart gives everybody a full measure. Several nodes tell each other ([`share`]), so that a
//! limit is one for all of them. Limits that must hold across restarts, as how often a certificate is reissued, are
//! decided in the store.

mod share;

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use reseal_lifecycle::customer::Caller;

use crate::error::Failure;

pub use share::share_calls;

/// How many seconds' or minutes' worth may be spent at once.
const BURST: u32 = 2;

/// Addresses and callers that are remembered; those with a full measure are forgotten beyond.
const REMEMBERED: usize = 10_000;

/// What an operator may set about rates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rates {
    /// Calls of one API key in a second.
    pub per_key: NonZeroU32,
    /// Calls of all keys of one customer in a second.
    pub per_customer: NonZeroU32,
    /// Failed authentications from one address in a minute; as many links that decide nothing.
    pub failures: NonZeroU32,
}

/// The measures of everybody.
pub(crate) struct RateLimits {
    keys: Measure<i64>,
    customers: Measure<String>,
    failures: Measure<IpAddr>,
    links: Measure<IpAddr>,
}

impl RateLimits {
    /// `is_shared` says whether other nodes will be told.
    pub(crate) fn new(rates: Rates, is_shared: bool) -> Self {
        Self {
            keys: Measure::new(rates.per_key, Quota::per_second, is_shared),
            customers: Measure::new(rates.per_customer, Quota::per_second, is_shared),
            failures: Measure::new(rates.failures, Quota::per_minute, is_shared),
            links: Measure::new(rates.failures, Quota::per_minute, is_shared),
        }
    }

    /// Counts a call.
    pub(crate) fn call(&self, caller: &Caller) -> Result<(), Failure> {
        self.keys
            .take(&caller.key)
            .and_then(|()| self.customers.take(&caller.customer))
            .map_err(|wait| {
                let message = "Too many calls: slow down, and repeat this one after the time in `Retry-After`";
                Failure::too_many(message, wait)
            })
    }

    /// Counts a failed authentication from `peer`. A key that is right is never refused for what others tried from
    /// behind the same address.
    pub(crate) fn failed(&self, peer: IpAddr) -> Result<(), Failure> {
        self.failures
            .take(&network(peer))
            .map_err(Failure::too_many_failures)
    }

    /// Counts a link that decides nothing, tried from `peer`; when there were too many, says how long to wait (D-19). A
    /// link that is good is never refused.
    pub(crate) fn dead_link(&self, peer: IpAddr) -> Result<(), Duration> {
        self.links.take(&network(peer))
    }
}

/// Whoever has one IPv6 address has the 64 bits that follow the network's, too.
fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

struct Measure<K: Hash + Eq + Clone> {
    limiter: DefaultKeyedRateLimiter<K>,
    clock: DefaultClock,
    /// What was taken since others were told, if there may be others.
    untold: Option<Mutex<HashMap<K, u32>>>,
}

impl<K: Hash + Eq + Clone> Measure<K> {
    fn new(rate: NonZeroU32, quota: fn(NonZeroU32) -> Quota, is_shared: bool) -> Self {
        let burst = rate.saturating_mul(NonZeroU32::MIN.saturating_add(BURST - 1));
        Self {
            limiter: RateLimiter::keyed(quota(rate).allow_burst(burst)),
            clock: DefaultClock::default(),
            untold: is_shared.then(Mutex::default),
        }
    }

    /// Takes one from the measure of `who`; when it is empty, says how long until there is one again.
    fn take(&self, who: &K) -> Result<(), Duration> {
        if self.limiter.len() > REMEMBERED {
            self.limiter.retain_recent();
        }
        self.limiter
            .check_key(who)
            .map_err(|refused| refused.wait_time_from(self.clock.now()))?;
        if let Some(mut untold) = self.untold() {
            *untold.entry(who.clone()).or_default() += 1;
        }
        Ok(())
    }

    fn untold(&self) -> Option<MutexGuard<'_, HashMap<K, u32>>> {
        let untold = self.untold.as_ref()?;
        Some(untold.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What was taken since this was asked last.
    fn news(&self) -> Vec<(K, u32)> {
        let taken = self.untold().map(|mut untold| std::mem::take(&mut *untold));
        taken.into_iter().flatten().collect()
    }

    /// `count` were taken from the measure of `who` elsewhere: as many as there are left go here.
    fn taken_elsewhere(&self, who: &K, count: u32) {
        let (mut left, mut step) = (count, count);
        while let Some(some) = NonZeroU32::new(step.min(left)) {
            if let Ok(Ok(())) = self.limiter.check_key_n(who, some) {
                left -= some.get();
            } else {
                step /= 2;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: NonZeroU32 = NonZeroU32::MIN;

    #[test]
    fn a_measure_is_full_at_first_and_belongs_to_one() {
        let measure = Measure::new(ONE, Quota::per_minute, false);
        for _ in 0..BURST {
            measure.take(&"a").unwrap();
        }
        let wait = measure.take(&"a").unwrap_err();
        assert!(
            wait > Duration::from_secs(50) && wait <= Duration::from_mins(1),
            "{wait:?}"
        );
        measure.take(&"b").unwrap();
    }

    #[test]
    fn an_ipv6_network_counts_as_one_and_a_mapped_address_as_ipv4() {
        let of = |text: &str| network(text.parse().unwrap()).to_string();
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(of("::ffff:192.0.2.1"), "192.0.2.1");
        assert_eq!(of("192.0.2.1"), "192.0.2.1");
    }
}
