//! What the rules need from whatever signs.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use reseal_pki::dn::OrganizationSubject;
use reseal_pki::key::PublicKey;
use reseal_pki::lint::Linted;
use reseal_pki::name::DnsName;
use reseal_pki::profile::ValidationType;
use reseal_pki::serial::Serial;
use reseal_pki::transparency::Sct;

use crate::crl::{CrlOrder, CrlScope};
use crate::ocsp::Responder;

/// What is to be certified: every field decided, every name proved.
#[derive(Clone, Copy, Debug)]
pub struct CertificateOrder<'a> {
    /// The subject's key.
    pub public_key: &'a PublicKey,
    /// Names, the common name first.
    pub names: &'a [DnsName],
    /// Common name for the subject, when the product asks for one.
    pub common_name: Option<&'a str>,
    /// Verified organization, for OV and EV.
    pub subject: Option<&'a OrganizationSubject>,
    /// Validation level.
    pub validation: ValidationType,
    /// Last second that the subscription allows.
    pub not_after_limit: Timestamp,
    /// The moment of signing.
    pub now: Timestamp,
}

/// A linted certificate waiting for its signature: exists only through the linter, and can be signed once.
#[derive(Debug)]
pub struct Prepared {
    /// Its serial.
    pub serial: Serial,
    /// First second of validity.
    pub not_before: Timestamp,
    /// Last second of validity.
    pub not_after: Timestamp,
    /// What was verified.
    pub validation: ValidationType,
    /// The moment for which it was linted.
    pub signing_time: Timestamp,
    /// The linted bytes.
    pub linted: Linted,
}

/// Why nothing was signed.
#[derive(Debug, thiserror::Error)]
pub enum IssuerError {
    /// What was to be signed would break a rule: an incident, not the customer's fault.
    #[error("refused before signing: {0}")]
    Lint(String),
    /// The issuer is not allowed to sign now, and why; trying later makes sense.
    #[error("the issuer does not sign: {0}")]
    Refused(String),
    /// The key or the upstream cannot be reached now.
    #[error("the issuer is unavailable: {0}")]
    Unavailable(String),
}

/// An issuer.
#[async_trait]
pub trait Issuer: Send + Sync + 'static {
    /// Decides serial and validity, builds the certificate and lints it. Signs nothing.
    fn prepare(&self, order: &CertificateOrder<'_>) -> Result<Prepared, IssuerError>;
    /// The recorded certificate of an earlier [`Issuer::prepare`], after a crash: compared with what `order`
    /// asks for and linted again for signing at its `now`.
    fn resume(
        &self,
        serial: &[u8],
        tbs: Vec<u8>,
        order: &CertificateOrder<'_>,
    ) -> Result<Prepared, IssuerError>;
    /// Signs; the answer is the certificate, DER.
    async fn issue(&self, prepared: Prepared) -> Result<Vec<u8>, IssuerError>;
    /// Lints and signs the precertificate of `prepared`; the answer is it, DER (P-8).
    async fn precertify(&self, prepared: &Prepared) -> Result<Vec<u8>, IssuerError>;
    /// Lints and signs at `now` the certificate of `prepared` with the promises of logs, once it is proved to be
    /// `precertificate` in everything else (P-10); the answer is the certificate, DER.
    async fn issue_logged(
        &self,
        prepared: Prepared,
        precertificate: &[u8],
        scts: &[Sct],
        now: Timestamp,
    ) -> Result<Vec<u8>, IssuerError>;
    /// The revocation lists that this issuer signs; the names are its own and never change.
    fn crls(&self) -> Vec<CrlScope>;
    /// Lints and signs a list; the answer is the list, DER.
    async fn sign_crl(&self, order: CrlOrder) -> Result<Vec<u8>, IssuerError>;
    /// Certificates from the issuing one up to and including the root, DER.
    fn chain(&self) -> Vec<Vec<u8>>;
    /// Who answers by OCSP for the authorities of this issuer; nobody when it offers none.
    fn responders(&self) -> Vec<Arc<dyn Responder>>;
    /// SHA-256 of the SubjectPublicKeyInfo of every key of ours: never certified for anybody (C-22).
    fn own_keys(&self) -> Vec<[u8; 32]>;
    /// Whether its own key is at hand: one that issues no more may have had it taken away.
    fn holds_key(&self) -> bool {
        true
    }
}
