//! What the checks of organizations need from the store. What a step of a process writes comes with
//! [`crate::store::Change`].

use async_trait::async_trait;
use jiff::Timestamp;

use super::VettedCheck;
use crate::process::{Check, Process};
use crate::query::{Page, ValidationQuery};
use crate::store::StoreError;

/// The part of [`crate::store::Store`] that is about organizations.
#[async_trait]
pub trait VettingStore: Send + Sync + 'static {
    /// Open processes with checks that nobody has approved.
    async fn validations(&self, query: &ValidationQuery) -> Result<Page<Process>, StoreError>;
    /// The customer's approved checks of the organization called so, obtained at `since` or later and not
    /// withdrawn, the newest first.
    async fn vetted_checks(
        &self,
        customer: &str,
        organization: &str,
        since: Timestamp,
    ) -> Result<Vec<VettedCheck>, StoreError>;
    /// The validated checks of a stored process whose approval was withdrawn.
    async fn withdrawn_checks(&self, process: &Process) -> Result<Vec<Check>, StoreError>;
}
