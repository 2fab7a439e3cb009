//! Certificates as they are stored, for whoever can read them.

use jiff::Timestamp;

use super::super::columns::Columns;
use super::super::upstream;
use crate::database::{Result, Row};

/// A certificate, and what is stored beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredCertificate {
    /// Its number.
    pub id: i64,
    /// Whose it is.
    pub customer: String,
    /// Name of the issuer.
    pub issuer: String,
    /// Serial number, big-endian.
    pub serial: Vec<u8>,
    /// First second of validity.
    pub not_before: Timestamp,
    /// Last second of validity.
    pub not_after: Timestamp,
    /// `RSA` or `ECDSA`.
    pub key_algorithm: String,
    /// Bits of the key.
    pub key_size: u32,
    /// SHA-256 of the SubjectPublicKeyInfo.
    pub spki_sha256: Vec<u8>,
    /// SHA-256 of the certificate.
    pub fingerprint: Vec<u8>,
    /// Every name in it; nothing when what is stored is no list of names.
    pub names: Option<Vec<String>>,
    /// How many names it is found by.
    pub found_by: i64,
    /// The certificate, DER.
    pub der: Vec<u8>,
    /// What was reserved for its process under its serial number, DER.
    pub reserved: Option<Vec<u8>>,
    /// Its issuers, the issuing one first, when it came from an upstream; empty when they cannot be read.
    pub upstream: Option<Vec<Vec<u8>>>,
}

impl StoredCertificate {
    /// A row of [`crate::sql::examine::SELECT_CERTIFICATES`].
    pub(super) fn read(row: &Row<'_>) -> Result<Self> {
        let mut columns = Columns::of(row);
        Ok(Self {
            id: columns.value()?,
            customer: columns.value()?,
            issuer: columns.value()?,
            serial: columns.value()?,
            not_before: columns.moment()?,
            not_after: columns.moment()?,
            key_algorithm: columns.value()?,
            key_size: columns.value()?,
            spki_sha256: columns.value()?,
            fingerprint: columns.value()?,
            names: serde_json::from_str(columns.text()?).ok(),
            found_by: columns.value()?,
            der: columns.value()?,
            reserved: columns.value()?,
            upstream: columns
                .optional_text()?
                .map(|text| upstream::read_chain(text).unwrap_or_default()),
        })
    }
}
