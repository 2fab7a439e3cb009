//! A certificate as the contract shows it (contract.md section 5.1).

use std::borrow::Cow;

use jiff::Timestamp;
use reseal_lifecycle::certificate::{Certificate, CertificateStatus};
use reseal_lifecycle::product::CertificateType;
use reseal_pki::certificate::pem;
use reseal_pki::profile::ValidationType;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};

use crate::date::Date;

/// Every field of a certificate, the identifying one first.
pub(super) const FIELDS: &[&str] = &[
    "id",
    "process",
    "product",
    "validationType",
    "certificateType",
    "domainName",
    "organization",
    "department",
    "city",
    "state",
    "postalCode",
    "country",
    "coc",
    "addressLine",
    "providerId",
    "startDate",
    "expiryDate",
    "subscriptionEndDate",
    "contact",
    "san",
    "status",
    "publicKeyAlgorithm",
    "publicKeySize",
    "csr",
    "certificate",
    "fingerprint",
];

/// A certificate. Optional fields without a value are absent, never null.
#[derive(JsonSchema, Serialize)]
#[schemars(rename = "Certificate")]
#[serde(rename_all = "camelCase")]
pub(super) struct CertificateBody<'a> {
    id: i64,
    /// The process that it came from.
    process: i64,
    product: &'a str,
    validation_type: ValidationType,
    certificate_type: CertificateType,
    domain_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    organization: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    city: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    postal_code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    coc: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address_line: Option<[&'a str; 1]>,
    /// Its serial number.
    provider_id: Hex<'a>,
    start_date: Date,
    expiry_date: Date,
    /// Until when it may be reissued.
    subscription_end_date: Date,
    san: &'a [String],
    status: CertificateStatus,
    #[schemars(extend("enum" = ["RSA", "ECDSA"]))]
    public_key_algorithm: &'a str,
    /// Bits.
    public_key_size: u32,
    /// PEM.
    #[serde(skip_serializing_if = "Option::is_none")]
    csr: Option<String>,
    /// PEM.
    certificate: String,
    /// SHA-256.
    fingerprint: Hex<'a>,
}

impl<'a> CertificateBody<'a> {
    /// `certificate` as it is at `now`.
    pub(super) fn of(certificate: &'a Certificate, now: Timestamp) -> Self {
        let subject = certificate.organization.as_ref();
        let part = |part: Option<&'a Option<String>>| part.and_then(|text| text.as_deref());
        Self {
            id: certificate.id,
            process: certificate.process,
            product: &certificate.product,
            validation_type: certificate.validation,
            certificate_type: certificate.certificate_type,
            domain_name: &certificate.domain_name,
            organization: subject.map(|subject| subject.organization.as_str()),
            city: part(subject.map(|subject| &subject.locality)),
            state: part(subject.map(|subject| &subject.state)),
            postal_code: part(subject.map(|subject| &subject.postal_code)),
            country: subject.map(|subject| subject.country.as_str()),
            coc: certificate.coc.as_deref(),
            address_line: part(subject.map(|subject| &subject.street)).map(|line| [line]),
            provider_id: Hex::lower(&certificate.serial),
            start_date: Date(certificate.not_before),
            expiry_date: Date(certificate.not_after),
            subscription_end_date: Date(certificate.subscription_end),
            san: &certificate.names,
            status: certificate.status(now),
            public_key_algorithm: &certificate.key_algorithm,
            public_key_size: certificate.key_size,
            csr: certificate
                .csr
                .as_deref()
                .map(|der| pem("CERTIFICATE REQUEST", der)),
            certificate: pem("CERTIFICATE", &certificate.der),
            fingerprint: Hex::upper(&certificate.fingerprint),
        }
    }
}

/// Bytes as hexadecimal digits without separators.
struct Hex<'a> {
    bytes: &'a [u8],
    digits: &'static [u8; 16],
}

impl<'a> Hex<'a> {
    fn lower(bytes: &'a [u8]) -> Self {
        let digits = b"0123456789abcdef";
        Self { bytes, digits }
    }

    fn upper(bytes: &'a [u8]) -> Self {
        let digits = b"0123456789ABCDEF";
        Self { bytes, digits }
    }
}

impl Serialize for Hex<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let nibbles = self.bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        let text: String = nibbles
            .map(|nibble| char::from(self.digits[usize::from(nibble)]))
            .collect();
        serializer.serialize_str(&text)
    }
}

impl JsonSchema for Hex<'_> {
    fn schema_name() -> Cow<'static, str> {
        "Hex".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": "^[0-9a-fA-F]+$"})
    }
}

#[cfg(test)]
mod tests;
