//! Certificates that stand, one after the other: for looks at everything that was issued.

use async_trait::async_trait;
use jiff::Timestamp;
use reseal_pki::profile::ValidationType;

use crate::certificate::CertificateId;
use crate::store::StoreError;

/// A certificate of this server's that is not expired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issued {
    /// Its number.
    pub certificate: CertificateId,
    /// Whose it is.
    pub customer: String,
    /// Common name.
    pub domain_name: String,
    /// Validation level.
    pub validation: ValidationType,
    /// Serial number, big-endian.
    pub serial: Vec<u8>,
    /// Last second of validity.
    pub not_after: Timestamp,
    /// Whether it is revoked.
    pub is_revoked: bool,
    /// When it was signed.
    pub signed: Timestamp,
    /// The certificate, DER.
    pub der: Vec<u8>,
}

/// The part of [`crate::store::Store`] that walks through what was issued.
#[async_trait]
pub trait IssuedStore: Send + Sync + 'static {
    /// Certificates by `issuer` that are not expired at `now`, from behind number `after` on, by their numbers: `limit` at
    /// most.
    async fn issued(
        &self,
        issuer: &str,
        after: CertificateId,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<Issued>, StoreError>;
}
