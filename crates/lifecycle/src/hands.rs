//! What this server has in its hands: processes it works on, calls it answers. What stands in the store as taken by it and
//! is not in its hands was left behind: the answer to the commit that took it was lost, or nothing could be written when
//! the work failed. It is given back, so that nobody waits for the end of a lease.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::SignedDuration;

use crate::error::Error;
use crate::idempotency::ClaimId;
use crate::issuance::LEASE;
use crate::process::ProcessId;
use crate::services::Services;

/// Longest time between the commit that takes something and the moment when it is in the hands. What passes it is
/// given back too early, and the versions of processes keep two workers apart.
const REACH: SignedDuration = SignedDuration::from_secs(5);

/// Something that can be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Thing {
    Process(ProcessId),
    /// The mail with its subscriber agreement, which is on its way.
    Agreement(ProcessId),
    Call(ClaimId),
}

/// The hands. Cheap to share: clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Hands {
    /// How many hold each.
    held: Arc<Mutex<HashMap<Thing, usize>>>,
}

/// Holds something until it is dropped.
pub(crate) struct Held {
    hands: Hands,
    thing: Thing,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.hands.let_go(self.thing);
    }
}

impl Hands {
    fn held(&self) -> MutexGuard<'_, HashMap<Thing, usize>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes `thing` until the answer is dropped.
    pub(crate) fn hold(&self, thing: Thing) -> Held {
        self.take(thing);
        Held {
            hands: self.clone(),
            thing,
        }
    }

    /// Takes `thing` until [`Hands::let_go`].
    pub(crate) fn take(&self, thing: Thing) {
        *self.held().entry(thing).or_default() += 1;
    }

    pub(crate) fn let_go(&self, thing: Thing) {
        let mut held = self.held();
        if let Some(count) = held.get_mut(&thing) {
            *count -= 1;
            if *count == 0 {
                held.remove(&thing);
            }
        }
    }

    /// How many processes are held.
    pub(crate) fn processes(&self) -> usize {
        let held = self.held();
        let processes = held
            .keys()
            .filter(|thing| matches!(thing, Thing::Process(_)));
        processes.count()
    }

    pub(crate) fn has(&self, thing: Thing) -> bool {
        self.held().contains_key(&thing)
    }
}

/// Gives back what this server left behind.
///
/// # Errors
/// The store's: the rest is given back the next time.
pub(crate) async fn give_back(services: &Services) -> Result<(), Error> {
    let before = services
        .clock
        .now()
        .checked_sub(REACH)
        .map_err(Error::internal)?;
    let leased_before = before.checked_add(LEASE).map_err(Error::internal)?;
    let taken = services.store.taken(leased_before, before).await?;
    for process in taken.processes {
        if !services.hands.has(Thing::Process(process)) {
            tracing::info!(process, "left behind: it goes on");
            services.store.release_lease(process, leased_before).await?;
        }
    }
    for call in taken.calls {
        if !services.hands.has(Thing::Call(call)) {
            tracing::info!(call, "left behind: it may come again");
            services.store.free_key(call).await?;
        }
    }
    Ok(())
}

/// What a node has taken in the store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Processes that it has leased.
    pub processes: Vec<ProcessId>,
    /// Calls whose keys it has taken, and that led to nothing yet.
    pub calls: Vec<ClaimId>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_two_hold_is_held_until_both_let_go() {
        let hands = Hands::default();
        let (one, other) = (Thing::Process(7), Thing::Call(7));
        let first = hands.hold(one);
        let second = hands.hold(one);
        assert!(hands.has(one) && !hands.has(other));
        assert_eq!(hands.processes(), 1);
        drop(first);
        assert!(hands.has(one));
        drop(second);
        assert!(!hands.has(one));
        hands.take(other);
        assert!(hands.has(other));
        hands.let_go(other);
        hands.let_go(other);
        assert!(!hands.has(other));
    }
}
