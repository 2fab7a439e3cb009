//! What is kept of precertificates.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::process::ProcessId;
use crate::store::StoreError;

/// A precertificate. It counts as an issued certificate from the moment at which it is signed, whether or not the
/// certificate is ever made (P-8): it is recorded before anybody else sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Precertificate {
    /// Serial number, big-endian; that of the certificate to be.
    pub serial: Vec<u8>,
    /// Who signed it.
    pub issuer: String,
    /// DER.
    pub der: Vec<u8>,
    /// When it was signed.
    pub created: Timestamp,
}

/// The part of [`crate::store::Store`] that is about precertificates.
#[async_trait]
pub trait TransparencyStore: Send + Sync + 'static {
    /// The newest precertificate of a process.
    async fn precertificate(
        &self,
        process: ProcessId,
    ) -> Result<Option<Precertificate>, StoreError>;
}
