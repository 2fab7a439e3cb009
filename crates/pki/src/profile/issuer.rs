//! What must be known of the certificate that issues.

use jiff::Timestamp;

use super::SignatureAlgorithm;
use crate::{
    certificate::{Certificate, CertificateError},
    key::PublicKey,
};

/// An authority, as its own certificate describes it.
///
/// Everything that its issued certificates repeat is copied from there byte for
/// byte (P-2).
#[derive(Clone, Debug)]
pub struct IssuingAuthority {
    certificate: Certificate,
    ski: Box<[u8]>,
    algorithm: SignatureAlgorithm,
}

/// Why a certificate cannot issue.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IssuingAuthorityError {
    /// It cannot be read.
    #[error(transparent)]
    Unreadable(#[from] CertificateError),
    /// It is not the certificate of an authority.
    #[error("the certificate is not a CA's: basicConstraints does not say so")]
    NotAnAuthority,
    /// It lacks what AKI must repeat.
    #[error(
        "the CA certificate has no subjectKeyIdentifier, which issued certificates must repeat"
    )]
    NoKeyIdentifier,
    /// It has no subject.
    #[error("the CA certificate has an empty subject")]
    NoSubject,
    /// Its key is of a type no authority has here.
    #[error("the CA's key must be ECDSA P-256, ECDSA P-384 or RSA")]
    Key,
}

impl IssuingAuthority {
    /// Reads the authority's certificate, DER.
    pub fn from_der(der: &[u8]) -> Result<Self, IssuingAuthorityError> {
        let certificate = Certificate::from_der(der)?;
        if !certificate.is_ca() {
            return Err(IssuingAuthorityError::NotAnAuthority);
        }
        if certificate.subject().is_empty() {
            return Err(IssuingAuthorityError::NoSubject);
        }
        let ski = certificate
            .subject_key_identifier()
            .ok_or(IssuingAuthorityError::NoKeyIdentifier)?
            .into();
        let algorithm = SignatureAlgorithm::for_key(certificate.public_key())
            .ok_or(IssuingAuthorityError::Key)?;
        Ok(Self {
            certificate,
            ski,
            algorithm,
        })
    }

    /// The subject, DER.
    pub fn subject_der(&self) -> &[u8] {
        self.certificate.subject_der()
    }

    /// The subject key identifier.
    pub fn ski(&self) -> &[u8] {
        &self.ski
    }

    /// How it signs.
    pub fn signature_algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    /// Its key.
    pub fn public_key(&self) -> &PublicKey {
        self.certificate.public_key()
    }

    /// Its first second.
    pub fn not_before(&self) -> Timestamp {
        self.certificate.not_before()
    }

    /// Its last second; nothing it issues may outlive it.
    pub fn not_after(&self) -> Timestamp {
        self.certificate.not_after()
    }

    /// Its certificate, DER.
    pub fn certificate_der(&self) -> &[u8] {
        self.certificate.der()
    }

    /// Its certificate.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }
}
