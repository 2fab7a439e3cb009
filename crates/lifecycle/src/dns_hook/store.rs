//! What the store keeps of records that are published.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::process::ProcessId;
use crate::store::StoreError;

/// A record that is about to be published, and may be in the DNS from now on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Out {
    /// Name of the hook.
    pub hook: String,
    /// Owner name, with the root's dot.
    pub name: String,
    /// Its text.
    pub value: String,
}

/// A record that its process needs no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// The process that it was published for.
    pub process: ProcessId,
    /// What and where.
    pub record: Out,
    /// How often it could not be removed.
    pub attempts: u32,
    /// Whether another process, which is open, needs the very same record.
    pub needed: bool,
}

/// The part of [`crate::store::Store`] that is about published records.
#[async_trait]
pub trait HookStore: Send + Sync + 'static {
    /// Records to be removed at `now`, those longest overdue; nobody else takes them until `lease`.
    async fn take_left_records(
        &self,
        now: Timestamp,
        lease: Timestamp,
        limit: u32,
    ) -> Result<Vec<Left>, StoreError>;
    /// It is not in the DNS any more. One that somebody may have been about to publish when its process ended is removed
    /// once more at `again`.
    async fn record_removed(&self, left: &Left, again: Timestamp) -> Result<(), StoreError>;
    /// It could not be removed; it is tried again at `next`.
    async fn record_not_removed(
        &self,
        left: &Left,
        why: &str,
        next: Timestamp,
    ) -> Result<(), StoreError>;
}
