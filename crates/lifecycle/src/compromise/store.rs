//! What blocked keys need from the store.

use async_trait::async_trait;

use super::{
    Affected, Blocked, BlockedKey, DueRevocation, KeyBlock, RevocationOrder, StandingDuty,
};
use crate::certificate::CertificateId;
use crate::query::{BlockedKeyQuery, Page};
use crate::store::StoreError;

/// The part of [`crate::store::Store`] that is about compromised keys.
#[async_trait]
pub trait CompromiseStore: Send + Sync + 'static {
    /// Puts keys on the list, those that are not on it; records the duty to revoke the certificates with any of them,
    /// schedules their revocation unless it is scheduled earlier, and stores what their customers are told. Certificates
    /// that are revoked for another reason are revoked for this one from now on, and listed anew. What is only
    /// claimed goes on a list of the customer's own, and reaches no certificates but the customer's.
    async fn block_keys(&self, block: KeyBlock) -> Result<Blocked, StoreError>;
    /// Records the duty to revoke certificates, schedules it unless it is scheduled earlier, and stores what their
    /// customers are told. The answer has those for which something is new; those that cannot be revoked any more are
    /// left out.
    async fn order_revocations(&self, order: RevocationOrder) -> Result<Vec<Affected>, StoreError>;
    /// Keys on the list that match.
    async fn blocked_keys(&self, query: &BlockedKeyQuery) -> Result<Page<BlockedKey>, StoreError>;
    /// Everything whose revocation is scheduled, the soonest first.
    async fn scheduled_revocations(&self) -> Result<Vec<DueRevocation>, StoreError>;
    /// Why a certificate must be revoked.
    async fn revocation_duty(
        &self,
        certificate: CertificateId,
    ) -> Result<Option<StandingDuty>, StoreError>;
}
