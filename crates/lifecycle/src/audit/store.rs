//! What the audit log needs from the store. What a step of a process writes comes with [`crate::store::Change`], and
//! the entries of customers, keys, webhooks and lists with their own writes.

use async_trait::async_trait;
use jiff::Timestamp;

use super::AuditEntry;
use super::chain::Hash;
use crate::store::StoreError;

/// The part of [`crate::store::Store`] that is about the audit log.
#[async_trait]
pub trait AuditStore: Send + Sync + 'static {
    /// Appends entries that tell of no other write, in one commit.
    async fn append_audit(&self, entries: Vec<AuditEntry>) -> Result<(), StoreError>;
    /// What was done to `object`, the oldest first, without the entries of steps.
    async fn audit_of(&self, object: &str) -> Result<Vec<AuditEntry>, StoreError>;
    /// The last that was done to `object`, likewise.
    async fn last_audit_of(&self, object: &str) -> Result<Option<AuditEntry>, StoreError>;
    /// Removes the first entries of the log, if they were recorded before `before`, with the events that they are
    /// about, and records that; how many there were. A few at a time: called again until there are none.
    async fn prune_audit(&self, before: Timestamp, now: Timestamp) -> Result<usize, StoreError>;
    /// The moments of the last entry that was recorded at `moment` or before, and of the entry behind it. Exact while
    /// entries are in the order of their moments; where a clock was set back, of one such pair.
    async fn audit_around(
        &self,
        moment: Timestamp,
    ) -> Result<(Option<Timestamp>, Option<Timestamp>), StoreError>;
    /// Number and hash of the last entry.
    async fn audit_head(&self) -> Result<Option<(i64, Hash)>, StoreError>;
}
