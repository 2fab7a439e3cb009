//! Load: what is more than can be done in time is refused at once, before it has cost anything.
//!
//! A call waits for processors and for its turn at the store. When there are too many, all become slow until none is
//! answered in time, and those whose clients gave up are carried out all the same. So a call that would wait too long
//! is answered 503 with `Retry-After`, with nothing done and its `Idempotency-Key` still free. Calls that only read have
//! places of their own and do not wait for writes: they are the last to be refused.

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::Failure;

/// What an operator may set about load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// `server.open_calls`: calls that change something, carried out at a time; as many that only read.
    pub open_calls: usize,
    /// `server.longest_wait`: while writes wait longer for the store, no other call that changes something is begun.
    pub longest_wait: Duration,
}

impl Default for Capacity {
    fn default() -> Self {
        Self {
            open_calls: 2_000,
            longest_wait: Duration::from_secs(5),
        }
    }
}

/// The places that calls take.
pub(crate) struct Load {
    changing: Arc<Semaphore>,
    reading: Arc<Semaphore>,
    capacity: Capacity,
}

/// Held by a call as long as it is carried out.
pub(crate) struct Place(
    #[expect(dead_code, reason = "dropping it frees the place")] OwnedSemaphorePermit,
);

impl Load {
    pub(crate) fn new(capacity: Capacity) -> Self {
        let places = || {
            Arc::new(Semaphore::new(
                capacity.open_calls.min(Semaphore::MAX_PERMITS),
            ))
        };
        Self {
            changing: places(),
            reading: places(),
            capacity,
        }
    }

    /// A place for a call by `method`, while writes wait for `backlog`.
    pub(crate) fn enter(&self, method: &Method, backlog: Duration) -> Result<Place, Failure> {
        let places = if method.is_safe() {
            &self.reading
        } else if backlog > self.capacity.longest_wait {
            return Err(Failure::overloaded(
                "The database is slow, and calls that change something wait for it",
                backlog,
            ));
        } else {
            &self.changing
        };
        let place = Arc::clone(places).try_acquire_owned();
        place
            .map(Place)
            .map_err(|_| Failure::overloaded("Too many calls are being carried out", backlog))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::RequestId;

    fn load(open_calls: usize) -> Load {
        Load::new(Capacity {
            open_calls,
            longest_wait: Duration::from_secs(2),
        })
    }

    fn refused(load: &Load, method: &Method, backlog: Duration) -> String {
        let Err(failure) = load.enter(method, backlog) else {
            panic!("{method} was let in");
        };
        let response = failure.respond(RequestId::default());
        assert_eq!(response.status(), 503);
        response.headers()["retry-after"]
            .to_str()
            .unwrap()
            .to_owned()
    }

    #[test]
    fn places_come_back_and_reads_have_their_own() {
        let load = load(1);
        let first = load.enter(&Method::POST, Duration::ZERO).ok().unwrap();
        assert_eq!(refused(&load, &Method::DELETE, Duration::ZERO), "1");
        let read = load.enter(&Method::GET, Duration::ZERO).ok().unwrap();
        assert_eq!(refused(&load, &Method::HEAD, Duration::ZERO), "1");
        drop((first, read));
        assert!(load.enter(&Method::POST, Duration::ZERO).is_ok());
        assert!(load.enter(&Method::GET, Duration::ZERO).is_ok());
    }

    #[test]
    fn while_writes_wait_too_long_only_reads_are_let_in() {
        let load = load(10);
        assert!(load.enter(&Method::POST, Duration::from_secs(2)).is_ok());
        assert_eq!(
            refused(&load, &Method::POST, Duration::from_millis(2_001)),
            "3"
        );
        assert_eq!(refused(&load, &Method::POST, Duration::from_mins(15)), "30");
        assert!(load.enter(&Method::GET, Duration::from_mins(15)).is_ok());
    }
}
