//! Issuing: from an order to a certificate, in the two steps that let the
//! certificate be recorded before it is signed.

use std::collections::HashSet;
use std::path::PathBuf;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use reseal_lifecycle::crl::{CrlOrder, CrlScope};
use reseal_lifecycle::issuer::{CertificateOrder, Issuer, IssuerError, Prepared};
use reseal_pki::{
    calendar::rules_at,
    certificate::{Certificate, assemble},
    lint::{Finding, LintContext, lint_issued, lint_leaf},
    name::DnsName,
    profile::{IssuingAuthority, Leaf, PolicyArc, ValidationType, Validity, leaf_tbs},
    serial::Serial,
};

use super::{
    authority::{Authority, RootKey},
    pointer::{PointerError, Pointers},
    signer::SoftwareKey,
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

/// Bytes of the key identifier that name the issuing authority in addresses.
const ID_LENGTH: usize = 8;

/// The embedded authority as an issuer.
#[derive(Debug)]
pub struct EmbeddedIssuer {
    root: IssuingAuthority,
    issuing: IssuingAuthority,
    key: SoftwareKey,
    policy: PolicyArc,
    /// Names this authority's lists.
    id: String,
    crl_prefix: String,
    ca_issuers_url: String,
    root_key: RootKey,
}

impl EmbeddedIssuer {
    /// An issuer that signs with `authority`, asserts policies under `policy`
    /// ([`PolicyArc::Private`] unless the authority is publicly trusted), and
    /// points to the server at `public_url`.
    pub fn new(
        authority: Authority,
        policy: PolicyArc,
        public_url: &str,
    ) -> Result<Self, PointerError> {
        let pointers = Pointers::new(public_url)?;
        let folder = authority.folder().to_owned();
        let (certificates, key) = authority.into_parts();
        let issuing = certificates.intermediate;
        let id = hex::encode(&issuing.ski()[..ID_LENGTH.min(issuing.ski().len())]);
        Ok(Self {
            crl_prefix: pointers.crl_prefix(&id),
            id,
            root_key: RootKey::in_folder(folder, certificates.root.clone()),
            ca_issuers_url: pointers.intermediate(),
            root: certificates.root,
            issuing,
            key,
            policy,
        })
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
        lint_issued(der, &self.context(validation, signed))
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn root(&self) -> &IssuingAuthority {
        &self.root
    }

    pub(super) fn key(&self) -> &SoftwareKey {
        &self.key
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

    fn context(&self, validation: ValidationType, signing_time: Timestamp) -> LintContext<'_> {
        LintContext {
            issuer: &self.issuing,
            policy: self.policy,
            validation,
            signing_time,
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
            ocsp_url: None,
        })
        .map_err(|error| IssuerError::Lint(error.to_string()))?;
        let linted = lint_leaf(tbs, &self.context(order.validation, order.now))
            .map_err(|findings| refused(&findings))?;
        Ok(Prepared {
            serial,
            not_before: validity.not_before,
            not_after: validity.not_after,
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
            linted,
        })
    }

    async fn issue(&self, prepared: Prepared) -> Result<Vec<u8>, IssuerError> {
        let linted = prepared.linted;
        let signature = self
            .key
            .sign(linted.tbs())
            .await
            .map_err(|error| IssuerError::Unavailable(error.to_string()))?;
        Ok(linted.finish(&signature))
    }

    fn crls(&self) -> Vec<CrlScope> {
        self.scopes()
    }

    async fn sign_crl(&self, order: CrlOrder) -> Result<Vec<u8>, IssuerError> {
        self.signed_crl(order).await
    }

    fn chain(&self) -> Vec<Vec<u8>> {
        [&self.issuing, &self.root]
            .map(|authority| authority.certificate_der().to_vec())
            .into()
    }

    fn own_keys(&self) -> Vec<[u8; 32]> {
        [&self.issuing, &self.root]
            .map(|authority| authority.public_key().spki_sha256())
            .into()
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
