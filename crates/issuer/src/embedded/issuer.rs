//! Issuing: from an order to a certificate, in the two steps that let the
//! certificate be recorded before it is signed.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use reseal_lifecycle::crl::{CrlOrder, CrlScope};
use reseal_lifecycle::issuer::{CertificateOrder, Issuer, IssuerError, Prepared};
use reseal_lifecycle::ocsp::Responder;
use reseal_pki::{
    calendar::rules_at,
    certificate::{Certificate, assemble},
    key::PublicKey,
    lint::{Finding, LintContext, Linted, lint_issued, lint_leaf},
    name::DnsName,
    profile::{IssuingAuthority, Leaf, PolicyArc, ValidationType, Validity, leaf_tbs},
    serial::Serial,
    transparency::Sct,
};

use super::{
    authority::{Authority, RootKey},
    certificates::Intermediate,
    key::{KeyPlace, SigningKey},
    pointer::{PointerError, Pointers},
    responder::Ocsp,
};

/// How far notBefore lies before the moment of signing: enough for clients whose
/// clocks are a little slow, well within the hour of V-10.
const BACKDATING: SignedDuration = SignedDuration::from_mins(5);

/// Oldest notBefore of a recorded certificate that is still signed (V-10, BR
/// 7.1.2.7).
const OLDEST_NOT_BEFORE: SignedDuration = SignedDuration::from_hours(48);

/// Number of CRLs that the certificates of one issuing authority are spread over.
/// Certificates carry the address of theirs, so it never changes.
pub const CRL_SHARDS: u8 = 128;

/// Name of the first intermediate as an issuer. Those made later have their identifier behind it.
const NAME: &str = "embedded";

/// An intermediate of the embedded authority as an issuer.
#[derive(Debug)]
pub struct EmbeddedIssuer {
    root: IssuingAuthority,
    issuing: IssuingAuthority,
    /// Not there when it issues no more and its key was taken away.
    key: Option<SigningKey>,
    policy: PolicyArc,
    name: String,
    /// Names its lists.
    id: String,
    /// Whether it issues, or another one has taken its place.
    is_current: bool,
    crl_prefix: String,
    ca_issuers_url: String,
    root_key: RootKey,
    pub(super) ocsp: Option<Ocsp>,
}

impl EmbeddedIssuer {
    /// The issuer that signs with `authority` now, asserts policies under `policy`
    /// ([`PolicyArc::Private`] unless the authority is publicly trusted), and
    /// points to the server at `public_url`.
    pub fn new(
        authority: Authority,
        policy: PolicyArc,
        public_url: &str,
    ) -> Result<Self, PointerError> {
        let (issuing, _) = Self::all(authority, policy, public_url)?;
        Ok(issuing)
    }

    /// The same, and those that issued before, the oldest first: they go on signing their revocation lists and what was
    /// recorded before they were replaced.
    pub fn all(
        authority: Authority,
        policy: PolicyArc,
        public_url: &str,
    ) -> Result<(Self, Vec<Self>), PointerError> {
        let pointers = Pointers::new(public_url)?;
        let (root, root_key) = (authority.root().clone(), authority.root_key());
        let issuer = |intermediate: Intermediate, key: Option<SigningKey>, is_current: bool| {
            let id = intermediate.id();
            let later = (!intermediate.is_first).then_some(id.as_str());
            Self {
                root: root.clone(),
                name: later.map_or_else(|| NAME.to_owned(), |id| format!("{NAME}-{id}")),
                crl_prefix: pointers.crl_prefix(&id),
                ca_issuers_url: pointers.intermediate(later),
                root_key: root_key.clone(),
                issuing: intermediate.authority,
                key,
                policy,
                id,
                is_current,
                ocsp: None,
            }
        };
        let ((newest, key), retired) = authority.into_intermediates();
        let retired = retired
            .into_iter()
            .map(|(intermediate, key)| issuer(intermediate, key, false))
            .collect();
        Ok((issuer(newest, Some(key), true), retired))
    }

    /// Its name among the issuers, which certificates are stored with.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What its lists' names begin with, before a slash.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Whether it issues, or another one has taken its place.
    pub fn is_current(&self) -> bool {
        self.is_current
    }

    /// The authority that issues: the intermediate. Nothing issued outlives its
    /// `not_after`.
    pub fn issuing(&self) -> &IssuingAuthority {
        &self.issuing
    }

    /// The address of the CRL for the certificate with this serial number.
    pub fn crl_url(&self, serial: &Serial) -> String {
        // CRL_SHARDS is a power of two: the low bits of the last byte decide.
        self.shard_url(serial.as_bytes()[15] % CRL_SHARDS)
    }

    /// The address of the CRL of this number.
    pub(super) fn shard_url(&self, shard: u8) -> String {
        format!("{}{shard}.crl", self.crl_prefix)
    }

    /// Says where the passphrase of the root's key is read from each time it is needed.
    #[must_use]
    pub fn with_passphrase_file(mut self, file: Option<PathBuf>) -> Self {
        self.root_key = self.root_key.with_passphrase_file(file);
        self
    }

    /// What the linter of today says of a certificate for `validation` that was signed at `signed`; `None` when it was
    /// not signed by this issuer's key.
    pub fn lint_issued(
        &self,
        der: &[u8],
        validation: ValidationType,
        signed: Timestamp,
    ) -> Option<Vec<Finding>> {
        // Whether anybody answered at that time is not known any more.
        let context = LintContext {
            ocsp: true,
            ..self.context(validation, signed)
        };
        lint_issued(der, &context)
    }

    /// The root above it.
    pub fn root(&self) -> &IssuingAuthority {
        &self.root
    }

    /// # Errors
    /// [`IssuerError::Unavailable`] when it was taken away.
    pub(super) fn key(&self) -> Result<&SigningKey, IssuerError> {
        self.key.as_ref().ok_or_else(|| {
            IssuerError::Unavailable(format!(
                "the key of the intermediate {}, which issues no more, is not in the folder of the CA: bring it back",
                self.id
            ))
        })
    }

    /// The key that signs, unless it was taken away.
    pub fn signing_key(&self) -> Option<&SigningKey> {
        self.key.as_ref()
    }

    /// Where its key is.
    pub fn key_place(&self) -> KeyPlace {
        self.key.as_ref().into()
    }

    /// Where the root's key is. It stays closed.
    pub fn root_key_place(&self) -> KeyPlace {
        self.root_key.place()
    }

    pub(super) fn root_key(&self) -> &RootKey {
        &self.root_key
    }

    /// V-1, V-2, V-9, V-10: from shortly before now, for as long as the calendar
    /// says, and no longer than the order or the issuing certificate lasts.
    fn validity(&self, order: &CertificateOrder<'_>) -> Result<Validity, IssuerError> {
        let (first, last) = (self.issuing.not_before(), self.issuing.not_after());
        if order.now < first || order.now > last {
            return Err(IssuerError::Refused(format!(
                "the issuing certificate is valid from {first} to {last} and the clock says {}: set \
                 the clock right, or rotate the CA",
                order.now
            )));
        }
        let not_before = order
            .now
            .saturating_sub(BACKDATING)
            .unwrap_or(first)
            .max(first);
        Ok(
            Validity::new(not_before, rules_at(order.now).default_validity)
                .ending_by(order.not_after_limit)
                .ending_by(last),
        )
    }

    /// What the linter has passed, with its signature.
    pub(super) async fn signed(&self, linted: Linted) -> Result<Vec<u8>, IssuerError> {
        let signature = self
            .key()?
            .sign(linted.tbs())
            .await
            .map_err(|error| IssuerError::Unavailable(error.to_string()))?;
        Ok(linted.finish(&signature))
    }

    pub(super) fn context(
        &self,
        validation: ValidationType,
        signing_time: Timestamp,
    ) -> LintContext<'_> {
        LintContext {
            issuer: &self.issuing,
            policy: self.policy,
            validation,
            signing_time,
            ocsp: self.ocsp.is_some(),
        }
    }
}

#[async_trait]
impl Issuer for EmbeddedIssuer {
    fn prepare(&self, order: &CertificateOrder<'_>) -> Result<Prepared, IssuerError> {
        let validity = self.validity(order)?;
        let serial =
            Serial::random().map_err(|error| IssuerError::Unavailable(error.to_string()))?;
        let tbs = leaf_tbs(&Leaf {
            serial: &serial,
            issuer: &self.issuing,
            public_key: order.public_key,
            names: order.names,
            common_name: order.common_name,
            subject: order.subject,
            validation: order.validation,
            policy: self.policy,
            validity,
            crl_url: &self.crl_url(&serial),
            ca_issuers_url: &self.ca_issuers_url,
            ocsp_url: self.ocsp.as_ref().and_then(Ocsp::url),
        })
        .map_err(|error| IssuerError::Lint(error.to_string()))?;
        let linted = lint_leaf(tbs, &self.context(order.validation, order.now))
            .map_err(|findings| refused(&findings))?;
        Ok(Prepared {
            serial,
            not_before: validity.not_before,
            not_after: validity.not_after,
            validation: order.validation,
            signing_time: order.now,
            linted,
        })
    }

    fn resume(
        &self,
        serial: &[u8],
        tbs: Vec<u8>,
        order: &CertificateOrder<'_>,
    ) -> Result<Prepared, IssuerError> {
        let serial = Serial::from_bytes(serial).map_err(unrecognized)?;
        // A certificate without its signature: only to read what was recorded.
        let unsigned = assemble(&tbs, self.issuing.signature_algorithm(), &[]);
        let recorded = Certificate::from_der(&unsigned).map_err(unrecognized)?;
        if recorded.serial_bytes() != serial.as_bytes() {
            return Err(IssuerError::Lint(format!(
                "P-1: the recorded certificate has the serial number {}, reserved was {serial}",
                recorded.serial_hex()
            )));
        }
        let now = order.now;
        if recorded.not_before().duration_until(now) > OLDEST_NOT_BEFORE {
            return Err(IssuerError::Lint(format!(
                "V-10: the recorded certificate begins at {}, more than 48 hours before {now}: it \
                 will not be signed any more, prepare another one",
                recorded.not_before()
            )));
        }
        matches_order(&recorded, order)?;
        let linted = lint_leaf(tbs, &self.context(order.validation, now))
            .map_err(|findings| refused(&findings))?;
        Ok(Prepared {
            serial,
            not_before: recorded.not_before(),
            not_after: recorded.not_after(),
            validation: order.validation,
            signing_time: now,
            linted,
        })
    }

    async fn issue(&self, prepared: Prepared) -> Result<Vec<u8>, IssuerError> {
        self.signed(prepared.linted).await
    }

    async fn precertify(&self, prepared: &Prepared) -> Result<Vec<u8>, IssuerError> {
        self.precertified(prepared).await
    }

    async fn issue_logged(
        &self,
        prepared: Prepared,
        precertificate: &[u8],
        scts: &[Sct],
        now: Timestamp,
    ) -> Result<Vec<u8>, IssuerError> {
        self.logged(&prepared, precertificate, scts, now).await
    }

    fn crls(&self) -> Vec<CrlScope> {
        self.scopes()
    }

    async fn sign_crl(&self, order: CrlOrder) -> Result<Vec<u8>, IssuerError> {
        self.signed_crl(order).await
    }

    fn responders(&self) -> Vec<Arc<dyn Responder>> {
        // Nobody else can certify one for it.
        let ocsp = self.ocsp.as_ref().filter(|_| self.holds_key());
        ocsp.map(Ocsp::responder)
            .into_iter()
            .map(|one| one as _)
            .collect()
    }

    fn chain(&self) -> Vec<Vec<u8>> {
        [&self.issuing, &self.root]
            .map(|authority| authority.certificate_der().to_vec())
            .into()
    }

    fn own_keys(&self) -> Vec<[u8; 32]> {
        let authorities = [&self.issuing, &self.root].map(IssuingAuthority::public_key);
        let responder = self.ocsp.as_ref().map(Ocsp::public_key);
        let keys = authorities.into_iter().chain(responder);
        keys.map(PublicKey::spki_sha256).collect()
    }

    fn holds_key(&self) -> bool {
        self.key.is_some()
    }
}

/// what was recorded is for the key, the names and the term that were asked for.
fn matches_order(recorded: &Certificate, order: &CertificateOrder<'_>) -> Result<(), IssuerError> {
    let other = |what: &str| {
        Err(IssuerError::Lint(format!(
            "A-10: the recorded certificate is not the one ordered: {what}"
        )))
    };
    if recorded.public_key().spki_sha256() != order.public_key.spki_sha256() {
        return other("it has another key");
    }
    let certified: HashSet<_> = recorded.dns_names().iter().map(String::as_str).collect();
    if certified != order.names.iter().map(DnsName::as_str).collect() {
        return other("it has other names");
    }
    if recorded.not_after() > order.not_after_limit {
        return other("it ends after the subscription");
    }
    Ok(())
}

pub(super) fn refused(findings: &[Finding]) -> IssuerError {
    let texts: Vec<_> = findings
        .iter()
        .map(|finding| format!("{}: {}", finding.rule, finding.message))
        .collect();
    IssuerError::Lint(texts.join("; "))
}

fn unrecognized(error: impl std::fmt::Display) -> IssuerError {
    IssuerError::Lint(format!("the recorded certificate cannot be read: {error}"))
}
