//! Answers about single certificates (OCSP, RFC 6960 and 5019, rules.md X-9).
//!
//! An answer is signed when it is asked for, and says what the store says at that moment: nothing is prepared, so
//! that nothing can be late. It is signed by a key that lives in this process alone, for which the authority makes
//! out a certificate that ends soon; each node has its own.
//!
//! - `answer`: from a request to what is sent back
//! - `desk`: the certificates of this process as a responder
//! - `schedule`: for how long an answer holds: pure
//! - `tally`: how many there were, for the audit log
//!
//! What survives a crash: nothing has to. Whoever comes back makes itself a new key and certificate.

mod answer;
mod desk;
mod schedule;
mod tally;

use async_trait::async_trait;
use jiff::Timestamp;
use reseal_pki::certificate::Certificate;
use reseal_pki::ocsp::AuthorityId;
use reseal_pki::profile::SignatureAlgorithm;

pub use answer::{Answer, Freshness};
pub(crate) use desk::Desk;
pub(crate) use tally::Tally;

use crate::certificate::RevocationReason;
use crate::issuer::IssuerError;
use crate::store::StoreError;

/// Who answers for the certificates of one authority. The key is this process's own.
#[async_trait]
pub trait Responder: Send + Sync + 'static {
    /// The authority, as requests name it.
    fn authority(&self) -> &AuthorityId;
    /// Has the authority certify the key from `now` on: linted and signed, not recorded yet.
    async fn certify(&self, now: Timestamp) -> Result<Certificate, IssuerError>;
    /// How the key signs.
    fn algorithm(&self) -> SignatureAlgorithm;
    /// Signs an answer with the key.
    async fn sign(&self, data: &[u8]) -> Result<Vec<u8>, IssuerError>;
}

/// What there is of a serial number that may have been signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signed {
    /// The certificate, DER.
    Certificate(Vec<u8>),
    /// A precertificate, DER, without its certificate: it counts as issued all the same (P-8).
    Precertificate(Vec<u8>),
    /// No certificate, but an entry for a list: it was signed, or may have been, and never left the server. What was
    /// to be signed, DER, if that is there.
    Lost(Option<Vec<u8>>),
}

impl Signed {
    /// Whether it is `authority` that signed. A lost one of which nothing is left is everybody's: it is revoked.
    fn is_by(&self, authority: &AuthorityId) -> bool {
        match self {
            Self::Certificate(der) | Self::Precertificate(der) => authority.issued(der),
            Self::Lost(tbs) => tbs.as_ref().is_none_or(|tbs| authority.is_issuer_of(tbs)),
        }
    }
}

/// What the store knows of a serial number. One that is reserved and not signed yet is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// What was signed.
    pub signed: Signed,
    /// Since when it is revoked and why, as its list says; always there when it is lost.
    pub revocation: Option<(Timestamp, Option<RevocationReason>)>,
}

/// The part of [`crate::store::Store`] that is about single certificates' status.
#[async_trait]
pub trait StatusStore: Send + Sync + 'static {
    /// What became of the serial number `serial` of `issuer`.
    async fn known(&self, issuer: &str, serial: &[u8]) -> Result<Option<Known>, StoreError>;
}
