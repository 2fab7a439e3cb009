//! How long a read may take that anybody may ask for.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// One of ten million rows that an index serves takes milliseconds: what takes so long reads all of them.
pub(crate) const LONGEST_LIST: Duration = Duration::from_secs(30);

/// Until when the read may take that a connection is at; shared by the connection and what SQLite asks meanwhile.
#[derive(Clone, Default)]
pub(crate) struct Deadline(Arc<Mutex<Option<Instant>>>);

impl Deadline {
    /// A read begins that may take as long as `patience`.
    pub(crate) fn begin(&self, patience: Duration) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) =
            Instant::now().checked_add(patience);
    }

    pub(crate) fn has_passed(&self) -> bool {
        let until = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        until.is_some_and(|until| Instant::now() > until)
    }
}
