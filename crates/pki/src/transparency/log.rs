//! The key of a log, by which its promises are known.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey, VerificationAlgorithm,
};
use jiff::{SignedDuration, Timestamp};

use super::precertificate::{CorrespondenceError, entry_tbs};
use super::sct::{Sct, opaque};
use crate::key::{KeyAlgorithm, KeyError, PublicKey};

/// HashAlgorithm and SignatureAlgorithm of TLS (RFC 5246 section 7.4.1.4.1).
const SHA256: u8 = 4;
const RSA: u8 = 1;
const ECDSA: u8 = 3;

/// How far a log's clock may be ahead of ours: clients believe no promise that comes from the future.
const AHEAD: SignedDuration = SignedDuration::from_secs(5);
/// How long before the certificate's first second it may have been made: clocks differ, and a log that has seen the
/// same certificate before gives the promise of that time again.
const BEFORE: SignedDuration = SignedDuration::from_hours(1);

/// Why a key is none of a log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogKeyError {
    /// It cannot be read.
    #[error(transparent)]
    Unreadable(#[from] KeyError),
    /// It is of a type that no log has.
    #[error(
        "the key of a log is ECDSA on P-256 or RSA of 2048 bits or more (RFC 6962 section 2.1.4), this one is {0}"
    )]
    Type(String),
}

/// Why a promise is not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SctProblem {
    /// Another log's.
    #[error("the SCT is of the log {found}, expected {expected}")]
    OtherLog {
        /// Its identifier, hex.
        found: String,
        /// That of the log that was asked, hex.
        expected: String,
    },
    /// Later than now.
    #[error("the SCT comes from the future: {0}")]
    Future(String),
    /// Long before the certificate.
    #[error("the SCT is older than the certificate: {0}")]
    Old(Timestamp),
    /// Not by the algorithm that belongs to the key.
    #[error(
        "the SCT is signed with hash {hash} and algorithm {algorithm} of TLS, expected 4 and {expected}"
    )]
    Algorithm {
        /// HashAlgorithm.
        hash: u8,
        /// SignatureAlgorithm.
        algorithm: u8,
        /// That of the key.
        expected: u8,
    },
    /// Not over this certificate, or not by this key.
    #[error("the signature of the SCT does not verify over this certificate with the log's key")]
    Signature,
    /// The certificate cannot be read, or is too large for a log.
    #[error("what the log should have signed cannot be made: {0}")]
    Certificate(String),
}

impl From<CorrespondenceError> for SctProblem {
    fn from(error: CorrespondenceError) -> Self {
        Self::Certificate(error.to_string())
    }
}

/// A log's public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogKey {
    key: PublicKey,
    algorithm: u8,
}

impl LogKey {
    /// Reads a SubjectPublicKeyInfo, DER.
    pub fn from_spki_der(der: &[u8]) -> Result<Self, LogKeyError> {
        let key = PublicKey::from_spki_der(der)?;
        let algorithm = match key.algorithm() {
            KeyAlgorithm::EcP256 => ECDSA,
            KeyAlgorithm::Rsa if key.size_bits() >= 2048 => RSA,
            other => {
                let bits = key.size_bits();
                return Err(LogKeyError::Type(format!(
                    "{} of {bits} bits",
                    other.name()
                )));
            }
        };
        Ok(Self { key, algorithm })
    }

    /// What its promises call it: SHA-256 of the key (RFC 6962 section 3.2).
    pub fn id(&self) -> [u8; 32] {
        self.key.spki_sha256()
    }

    /// Whether `sct` is this log's promise about the certificate or precertificate `der`, which the key of the hash
    /// `issuer_key_sha256` has signed for from `not_before` on; `now` by our clock.
    ///
    /// # Errors
    /// When it is not, or is dated at a time that cannot be.
    pub fn check(
        &self,
        sct: &Sct,
        der: &[u8],
        issuer_key_sha256: &[u8; 32],
        not_before: Timestamp,
        now: Timestamp,
    ) -> Result<(), SctProblem> {
        if sct.log_id != self.id() {
            return Err(SctProblem::OtherLog {
                found: hex::encode(sct.log_id),
                expected: hex::encode(self.id()),
            });
        }
        match sct.moment() {
            None => return Err(SctProblem::Future(format!("{} ms", sct.timestamp))),
            Some(at) if now.duration_until(at) > AHEAD => {
                return Err(SctProblem::Future(at.to_string()));
            }
            Some(at) if at.duration_until(not_before) > BEFORE => return Err(SctProblem::Old(at)),
            Some(_) => {}
        }
        self.verify(sct, &entry_tbs(der)?, issuer_key_sha256)
    }

    /// Whether the signature of `sct` is this log's over `tbs`, a TBSCertificate without poison and list.
    ///
    /// # Errors
    /// When it is not.
    pub fn verify(
        &self,
        sct: &Sct,
        tbs: &[u8],
        issuer_key_sha256: &[u8; 32],
    ) -> Result<(), SctProblem> {
        if (sct.hash, sct.algorithm) != (SHA256, self.algorithm) {
            return Err(SctProblem::Algorithm {
                hash: sct.hash,
                algorithm: sct.algorithm,
                expected: self.algorithm,
            });
        }
        let verification: &'static dyn VerificationAlgorithm = if self.algorithm == RSA {
            &RSA_PKCS1_2048_8192_SHA256
        } else {
            &ECDSA_P256_SHA256_ASN1
        };
        UnparsedPublicKey::new(verification, self.key.raw_public_key())
            .verify(&signed(sct, tbs, issuer_key_sha256)?, &sct.signature)
            .map_err(|_| SctProblem::Signature)
    }
}

/// The `digitally-signed` struct of RFC 6962 section 3.2 for a precertificate.
fn signed(sct: &Sct, tbs: &[u8], issuer_key_sha256: &[u8; 32]) -> Result<Vec<u8>, SctProblem> {
    let length = u32::try_from(tbs.len())
        .ok()
        .filter(|length| *length < 1 << 24);
    let length = length
        .ok_or_else(|| SctProblem::Certificate(format!("{} bytes are too many", tbs.len())))?;
    let mut out = Vec::with_capacity(tbs.len() + 64);
    // Version 1, certificate_timestamp.
    out.extend_from_slice(&[0, 0]);
    out.extend_from_slice(&sct.timestamp.to_be_bytes());
    // precert_entry.
    out.extend_from_slice(&[0, 1]);
    out.extend_from_slice(issuer_key_sha256);
    out.extend_from_slice(&length.to_be_bytes()[1..]);
    out.extend_from_slice(tbs);
    opaque(&mut out, &sct.extensions)
        .map_err(|error| SctProblem::Certificate(error.to_string()))?;
    Ok(out)
}
