//! Who answers by OCSP for an authority.
//!
//! The key is made when the process starts, stays in its memory and goes with it, also when the authority's own is in a
//! token: a token would have to sign every answer. It needs no protection at rest; what it can do ends with its
//! certificate, two weeks after the authority made that out.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use reseal_lifecycle::issuer::IssuerError;
use reseal_lifecycle::ocsp::Responder;
use reseal_pki::certificate::Certificate;
use reseal_pki::key::PublicKey;
use reseal_pki::lint::lint_responder;
use reseal_pki::ocsp::AuthorityId;
use reseal_pki::profile::{
    IssuingAuthority, RESPONDER_LIFETIME, SignatureAlgorithm, Validity, responder_tbs,
};
use reseal_pki::serial::Serial;

use super::issuer::{EmbeddedIssuer, refused};
use super::key::SigningKey;
use super::pointer::{PointerError, Pointers};
use super::signer::{KeyType, SignError, SoftwareKey};

/// Signs fast, and nothing is too old to verify it.
const KEY_TYPE: KeyType = KeyType::P256;
/// How it signs.
const ALGORITHM: SignatureAlgorithm = SignatureAlgorithm::EcdsaP256Sha256;
/// How far notBefore lies before the moment of signing: as far as an answer's thisUpdate may.
const BACKDATING: SignedDuration = SignedDuration::from_mins(10);
/// Bytes that tell the keys of one authority's responders apart.
const MARK: usize = 8;

/// Why nobody answers by OCSP.
#[derive(Debug, thiserror::Error)]
pub enum OcspError {
    /// `server.public_url`.
    #[error(transparent)]
    Pointer(#[from] PointerError),
    /// The key.
    #[error("there is no key for the OCSP responder: {0}")]
    Key(#[from] SignError),
}

/// How certificates of an intermediate are asked about.
#[derive(Debug)]
pub(super) struct Ocsp {
    responder: Arc<EmbeddedResponder>,
    /// What new certificates say, if anything.
    url: Option<String>,
}

impl Ocsp {
    pub(super) fn responder(&self) -> Arc<EmbeddedResponder> {
        Arc::clone(&self.responder)
    }

    pub(super) fn public_key(&self) -> &PublicKey {
        self.responder.key.public_key()
    }

    pub(super) fn url(&self) -> Option<&str> {
        self.url.as_deref()
    }
}

impl EmbeddedIssuer {
    /// Has somebody answer by OCSP for its certificates, with a key that is made now; `pointed_to` has new certificates say
    /// so. `public_url` is the server's.
    ///
    /// # Errors
    /// There is no key.
    pub fn with_ocsp(mut self, public_url: &str, pointed_to: bool) -> Result<Self, OcspError> {
        let url = Pointers::new(public_url)?.ocsp();
        let responder = EmbeddedResponder::new(self.issuing(), self.key().ok())?;
        self.ocsp = Some(Ocsp {
            responder: Arc::new(responder),
            url: pointed_to.then_some(url),
        });
        Ok(self)
    }
}

/// Answers for one authority.
pub(super) struct EmbeddedResponder {
    authority: IssuingAuthority,
    id: AuthorityId,
    /// The authority's, for certifying `key` and nothing else, if it is at hand.
    authority_key: Option<SigningKey>,
    key: SoftwareKey,
}

impl fmt::Debug for EmbeddedResponder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("EmbeddedResponder")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl EmbeddedResponder {
    /// Makes a key.
    fn new(
        authority: &IssuingAuthority,
        authority_key: Option<&SigningKey>,
    ) -> Result<Self, SignError> {
        Ok(Self {
            id: AuthorityId::new(authority),
            authority: authority.clone(),
            authority_key: authority_key.cloned(),
            key: SoftwareKey::generate(KEY_TYPE)?,
        })
    }
}

#[async_trait]
impl Responder for EmbeddedResponder {
    fn authority(&self) -> &AuthorityId {
        &self.id
    }

    async fn certify(&self, now: Timestamp) -> Result<Certificate, IssuerError> {
        let lint = |error: &dyn fmt::Display| IssuerError::Lint(error.to_string());
        let authority_key = self.authority_key.as_ref().ok_or_else(|| {
            IssuerError::Unavailable(
                "the intermediate's key, which has to certify the responder's, is not in the folder of the CA"
                    .to_owned(),
            )
        })?;
        let serial =
            Serial::random().map_err(|error| IssuerError::Unavailable(error.to_string()))?;
        let (first, last) = (self.authority.not_before(), self.authority.not_after());
        let begin = now
            .saturating_sub(BACKDATING)
            .map_or(first, |begin| begin.max(first));
        let validity = Validity::new(begin, RESPONDER_LIFETIME).ending_by(last);
        let mark = hex::encode(&self.key.public_key().spki_sha256()[..MARK]);
        let tbs = responder_tbs(
            &self.authority,
            self.key.public_key(),
            &mark,
            &serial,
            validity,
        )
        .map_err(|error| lint(&error))?;
        let linted = lint_responder(tbs, &self.authority, now).map_err(|found| refused(&found))?;
        let signature = authority_key
            .sign(linted.tbs())
            .await
            .map_err(|error| IssuerError::Unavailable(error.to_string()))?;
        Certificate::from_der(&linted.finish(&signature)).map_err(|error| lint(&error))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        ALGORITHM
    }

    async fn sign(&self, data: &[u8]) -> Result<Vec<u8>, IssuerError> {
        self.key
            .sign(data)
            .await
            .map_err(|error| IssuerError::Unavailable(error.to_string()))
    }
}
