//! What lists need from the store. Entries come with [`crate::store::Change::revocation`].

use async_trait::async_trait;

use super::{Crl, CrlState, Publication, Revoked};
use crate::store::StoreError;

/// The part of [`crate::store::Store`] that is about revocation lists.
#[async_trait]
pub trait CrlStore: Send + Sync + 'static {
    /// The list called `name`.
    async fn crl(&self, name: &str) -> Result<Option<Crl>, StoreError>;
    /// All lists, without their bytes.
    async fn crl_states(&self) -> Result<Vec<CrlState>, StoreError>;
    /// Last bytes of the serial numbers of `issuer`'s certificates that are revoked and on no list yet.
    async fn unlisted_endings(&self, issuer: &str) -> Result<Vec<u8>, StoreError>;
    /// `issuer`'s revoked certificates whose serial number ends with this byte, ascending.
    async fn revoked(&self, issuer: &str, ending: u8) -> Result<Vec<Revoked>, StoreError>;
    /// Stores new lists of `issuer`, as `actor` wanted, all of them or none. [`StoreError::Stale`] when one was replaced by
    /// somebody else meanwhile.
    async fn publish_crls(
        &self,
        issuer: &str,
        publications: Vec<Publication>,
        actor: &str,
    ) -> Result<(), StoreError>;
}
