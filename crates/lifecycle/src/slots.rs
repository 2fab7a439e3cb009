//! Places for processes under way. A customer has a share of them, so that one whose servers never answer holds
//! up nobody else.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// Processes under way at the same time.
const AT_ONCE: usize = 128;
/// Of these, one customer's.
const OF_ONE_CUSTOMER: usize = 32;

/// The places. Cheap to share: clones count together.
#[derive(Clone, Default)]
pub(crate) struct Slots {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    /// How many places each customer holds; nobody who holds none.
    taken: Mutex<HashMap<String, usize>>,
    left: Notify,
}

impl Shared {
    fn taken(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place; dropping it gives it back.
pub(crate) struct Slot {
    shared: Arc<Shared>,
    customer: String,
}

/// What is free at a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// Processes that can be taken in all.
    pub total: usize,
    /// Of these, one customer's that holds none.
    pub share: usize,
    /// Processes that customers hold already.
    pub taken: HashMap<String, usize>,
}

impl Capacity {
    /// Takes a place for `customer`, if there is one.
    pub fn take(&mut self, customer: &str) -> bool {
        let taken = self.taken.get(customer).copied().unwrap_or(0);
        if self.total == 0 || taken >= self.share {
            return false;
        }
        self.total -= 1;
        self.taken.insert(customer.to_owned(), taken + 1);
        true
    }
}

impl Slots {
    /// A place for a process of `customer`, unless all are taken or its share is.
    pub(crate) fn take(&self, customer: &str) -> Option<Slot> {
        let mut taken = self.shared.taken();
        let own = taken.get(customer).copied().unwrap_or(0);
        if own >= OF_ONE_CUSTOMER || taken.values().sum::<usize>() >= AT_ONCE {
            return None;
        }
        taken.insert(customer.to_owned(), own + 1);
        Some(Slot {
            shared: Arc::clone(&self.shared),
            customer: customer.to_owned(),
        })
    }

    /// What is free now.
    pub(crate) fn capacity(&self) -> Capacity {
        let taken = self.shared.taken().clone();
        Capacity {
            total: AT_ONCE - taken.values().sum::<usize>(),
            share: OF_ONE_CUSTOMER,
            taken,
        }
    }

    /// Waits until nothing is under way.
    pub(crate) async fn all_free(&self) {
        loop {
            // Listening begins before the look, so that no place is given back between the two unheard.
            let left = self.shared.left.notified();
            if self.shared.taken().is_empty() {
                return;
            }
            left.await;
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut taken = self.shared.taken();
        if let Some(own) = taken.get_mut(&self.customer) {
            *own -= 1;
            if *own == 0 {
                taken.remove(&self.customer);
            }
        }
        drop(taken);
        self.shared.left.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_customer_has_a_share_and_gets_its_places_back() {
        let slots = Slots::default();
        let mut held: Vec<Slot> = (0..OF_ONE_CUSTOMER)
            .map(|_| slots.take("hog").unwrap())
            .collect();
        assert!(slots.take("hog").is_none());
        let other = slots.take("acme").unwrap();
        let mut free = slots.capacity();
        assert_eq!(free.total, AT_ONCE - OF_ONE_CUSTOMER - 1);
        assert!(!free.take("hog") && free.take("acme"));
        held.pop();
        assert!(slots.take("hog").is_some());
        let waiting = tokio::spawn({
            let slots = slots.clone();
            async move { slots.all_free().await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop((held, other));
        waiting.await.unwrap();
        assert_eq!(slots.capacity().total, AT_ONCE);
    }

    #[test]
    fn all_customers_together_have_a_limit() {
        let slots = Slots::default();
        let held: Vec<Option<Slot>> = (0..=AT_ONCE)
            .map(|number| slots.take(&format!("customer-{}", number % 8)))
            .collect();
        assert_eq!(held.iter().flatten().count(), AT_ONCE);
        assert!(!slots.capacity().take("another"));
    }
}
