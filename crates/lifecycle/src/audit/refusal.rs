//! Calls without a valid key (A-1: access attempts). Whoever guesses keys must not be able to fill the log: calls are
//! counted in memory, and what was counted is written every few seconds in a few entries.
//!
//! What survives a crash: all but the last seconds.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch::Receiver;

use super::AuditEntry;
use crate::services::Services;

/// Time between two writes.
const PAUSE: Duration = Duration::from_secs(10);
/// Addresses that get an entry of their own in one write; those with the most calls. The others share one.
const NAMED: usize = 4;
/// Addresses that are told apart between two writes.
const COUNTED: usize = 10_000;

/// Calls that were refused since the last write.
#[derive(Debug, Default)]
pub struct Refusals {
    counted: Mutex<Counted>,
}

#[derive(Debug, Default)]
struct Counted {
    by_address: HashMap<IpAddr, u64>,
    others: u64,
}

impl Refusals {
    /// Counts a call from `address`.
    pub fn count(&self, address: IpAddr) {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let address = address.to_canonical();
        if counted.by_address.len() < COUNTED || counted.by_address.contains_key(&address) {
            *counted.by_address.entry(address).or_default() += 1;
        } else {
            counted.others += 1;
        }
    }

    /// The entries of what was counted, which is forgotten.
    fn take(&self, now: Timestamp) -> Vec<AuditEntry> {
        let Counted {
            by_address,
            mut others,
        } = std::mem::take(&mut *self.counted.lock().unwrap_or_else(PoisonError::into_inner));
        let mut addresses: Vec<(IpAddr, u64)> = by_address.into_iter().collect();
        addresses.sort_by_key(|(address, calls)| (std::cmp::Reverse(*calls), *address));
        let rest = addresses.split_off(addresses.len().min(NAMED));
        others += rest.iter().map(|(_, calls)| calls).sum::<u64>();
        let entry = |actor: String, calls: u64| {
            AuditEntry::new(now, actor, "access.refused", "api").with("calls", calls)
        };
        let named = addresses
            .into_iter()
            .map(|(address, calls)| entry(format!("address/{address}"), calls));
        let rest = (others > 0).then(|| {
            let further = entry("address/others".to_owned(), others);
            further.with("addresses", rest.len())
        });
        named.chain(rest).collect()
    }
}

/// Writes what was counted until `shutdown` becomes true, and then once more.
pub(crate) async fn record_refusals(services: Arc<Services>, mut shutdown: Receiver<bool>) {
    loop {
        let stopped = tokio::select! {
            () = tokio::time::sleep(PAUSE) => false,
            changed = shutdown.changed() => changed.is_err() || *shutdown.borrow(),
        };
        let entries = services.refusals.take(services.clock.now());
        if !entries.is_empty()
            && let Err(error) = services.store.append_audit(entries).await
        {
            tracing::warn!(%error, "refused calls could not be written to the audit log");
        }
        if stopped {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_1_refused_calls_are_counted_and_written_in_few_entries() {
        let refusals = Refusals::default();
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(refusals.take(now), []);
        for last in 1..=6_u8 {
            for _ in 0..last {
                refusals.count(IpAddr::from([192, 0, 2, last]));
            }
        }
        refusals.count("::ffff:192.0.2.6".parse().unwrap());
        let entries = refusals.take(now);
        let told: Vec<_> = entries
            .iter()
            .map(|entry| {
                (
                    entry.actor.as_str(),
                    entry.detail["calls"].as_u64().unwrap(),
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                ("address/192.0.2.6", 7),
                ("address/192.0.2.5", 5),
                ("address/192.0.2.4", 4),
                ("address/192.0.2.3", 3),
                ("address/others", 3)
            ]
        );
        assert_eq!(entries[4].detail["addresses"], 2);
        assert_eq!(refusals.take(now), []);
    }

    #[test]
    fn a_1_many_addresses_take_bounded_room() {
        let refusals = Refusals::default();
        for number in 0..20_000_u32 {
            refusals.count(IpAddr::from(number.to_be_bytes()));
        }
        let entries = refusals.take(Timestamp::UNIX_EPOCH);
        assert_eq!(entries.len(), NAMED + 1);
        assert_eq!(entries[NAMED].detail["calls"], 20_000 - 4);
    }
}
