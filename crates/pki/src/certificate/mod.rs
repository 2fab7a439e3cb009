//! Certificates as they are: ours when they are put together, and those of any
//! origin when they are read (import, issuing certificates, upstream answers).
//!
//! Reading is strict about structure and lenient about everything else: a
//! certificate that breaks the profile must still be shown and imported. What
//! may be *signed* is decided by [`crate::lint`].

mod envelope;
mod signed;
pub(crate) mod tbs;

use std::ops::Range;

use aws_lc_rs::digest;
use jiff::Timestamp;

pub use envelope::{CertificateError, pem};
pub use signed::verify_signed;

use crate::{
    asn1::{self, Element, Malformed, Reader},
    dn::{self, DistinguishedName},
    key::PublicKey,
    profile::{PolicyArc, SignatureAlgorithm, ValidationType, encode},
};
use tbs::{Tbs, read_time, sequence_of};

const SUBJECT_KEY_IDENTIFIER: &[u8] = &[0x55, 0x1d, 0x0e];
const AUTHORITY_KEY_IDENTIFIER: &[u8] = &[0x55, 0x1d, 0x23];
const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1d, 0x11];
const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x25];
const SERVER_AUTH: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01];
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];
const CERTIFICATE_POLICIES: &[u8] = &[0x55, 0x1d, 0x20];

/// Puts a certificate together: what was signed, how, and the signature.
pub fn assemble(tbs: &[u8], algorithm: SignatureAlgorithm, signature: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(tbs.len() + signature.len() + 32);
    encode::sequence(&mut out, |out| {
        out.extend_from_slice(tbs);
        out.extend_from_slice(algorithm.algorithm_identifier());
        encode::bit_string(out, signature);
    });
    out
}

/// An X.509 certificate, parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    der: Box<[u8]>,
    tbs: Range<usize>,
    subject_der: Range<usize>,
    serial: Range<usize>,
    subject: DistinguishedName,
    issuer: DistinguishedName,
    not_before: Timestamp,
    not_after: Timestamp,
    public_key: PublicKey,
    subject_key_identifier: Option<Box<[u8]>>,
    dns_names: Vec<String>,
    is_ca: bool,
    policy: Option<ValidationType>,
}

impl Certificate {
    /// Reads a certificate in PEM, or in DER written as base64.
    pub fn from_pem_or_der(text: &str) -> Result<Self, CertificateError> {
        Self::from_der(&envelope::unwrap(text)?)
    }

    /// Reads a certificate in DER.
    pub fn from_der(der: &[u8]) -> Result<Self, CertificateError> {
        let mut input = Reader::new(der);
        let certificate = input.expect(asn1::SEQUENCE, "certificate")?;
        input.finish("the certificate")?;
        let mut parts = certificate.children();
        let signed = parts.expect(asn1::SEQUENCE, "signed part of the certificate")?;
        parts.expect(asn1::SEQUENCE, "signature algorithm")?;
        parts.expect(asn1::BIT_STRING, "signature")?;
        parts.finish("the certificate")?;
        let tbs = Tbs::read(signed)?;
        Ok(Self {
            der: der.into(),
            tbs: range(signed),
            subject_der: range(tbs.subject),
            serial: {
                let serial = tbs.serial.unsigned()?;
                let end = tbs.serial.offset + tbs.serial.encoding.len();
                end - serial.len()..end
            },
            subject: DistinguishedName::read(tbs.subject)?,
            issuer: DistinguishedName::read(tbs.issuer)?,
            not_before: read_time(tbs.not_before)?,
            not_after: read_time(tbs.not_after)?,
            public_key: PublicKey::from_spki_der(tbs.spki.encoding)?,
            subject_key_identifier: read_key_identifier(&tbs)?,
            dns_names: read_dns_names(&tbs)?,
            is_ca: read_is_ca(&tbs)?,
            policy: read_policy(&tbs)?,
        })
    }

    /// The certificate, DER.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The certificate, PEM.
    pub fn pem(&self) -> String {
        pem("CERTIFICATE", &self.der)
    }

    /// What was signed, DER.
    pub fn tbs_der(&self) -> &[u8] {
        &self.der[self.tbs.clone()]
    }

    /// The subject, DER.
    pub fn subject_der(&self) -> &[u8] {
        &self.der[self.subject_der.clone()]
    }

    /// The serial number, big-endian, without a sign byte.
    pub fn serial_bytes(&self) -> &[u8] {
        &self.der[self.serial.clone()]
    }

    /// The serial number in lower-case hexadecimal, without a sign byte.
    pub fn serial_hex(&self) -> String {
        hex::encode(self.serial_bytes())
    }

    /// The subject.
    pub fn subject(&self) -> &DistinguishedName {
        &self.subject
    }

    /// The issuer, as `C=NL,O=Example`.
    pub fn issuer_text(&self) -> String {
        self.issuer.to_string()
    }

    /// CN of the subject.
    pub fn common_name(&self) -> Option<&str> {
        self.subject.get(dn::COMMON_NAME)
    }

    /// O of the subject.
    pub fn organization(&self) -> Option<&str> {
        self.subject.get(dn::ORGANIZATION)
    }

    /// OU of the subject; public certificates have had none since 2022.
    pub fn department(&self) -> Option<&str> {
        self.subject.get(dn::ORGANIZATIONAL_UNIT)
    }

    /// L of the subject.
    pub fn locality(&self) -> Option<&str> {
        self.subject.get(dn::LOCALITY)
    }

    /// ST of the subject.
    pub fn state(&self) -> Option<&str> {
        self.subject.get(dn::STATE)
    }

    /// postalCode of the subject.
    pub fn postal_code(&self) -> Option<&str> {
        self.subject.get(dn::POSTAL_CODE)
    }

    /// C of the subject.
    pub fn country(&self) -> Option<&str> {
        self.subject.get(dn::COUNTRY)
    }

    /// street of the subject.
    pub fn street(&self) -> Option<&str> {
        self.subject.get(dn::STREET)
    }

    /// The key identifier of the issuer's key, when it is given. Read anew each time.
    pub fn authority_key_identifier(&self) -> Option<Vec<u8>> {
        let signed = Reader::new(self.tbs_der())
            .expect(asn1::SEQUENCE, "signed part of the certificate")
            .ok()?;
        let tbs = Tbs::read(signed).ok()?;
        let extension = tbs.extension(AUTHORITY_KEY_IDENTIFIER)?;
        let mut fields = sequence_of(extension.value, "authority key identifier").ok()?;
        let identifier = fields.any().ok()?;
        (identifier.tag == 0x80).then(|| identifier.content.to_vec())
    }

    /// The dNSName entries of the subject alternative name, lower-case, in order.
    pub fn dns_names(&self) -> &[String] {
        &self.dns_names
    }

    /// Whether the subject alternative name has anything but dNSNames. Read anew each time.
    pub fn has_other_names(&self) -> bool {
        self.extension_tags(SUBJECT_ALT_NAME)
            .any(|(tag, _)| tag != 0x82)
    }

    /// Whether the extended key usage is there and has serverAuth. Read anew each time.
    pub fn is_for_servers(&self) -> bool {
        self.extension_tags(EXTENDED_KEY_USAGE)
            .any(|(tag, content)| tag == asn1::OID && content == SERVER_AUTH)
    }

    /// Tags and contents in an extension that is a sequence, up to where it cannot be read.
    fn extension_tags(&self, oid: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
        let signed = Reader::new(self.tbs_der()).expect(asn1::SEQUENCE, "tbsCertificate");
        let tbs = signed.and_then(Tbs::read).ok();
        let value = tbs.and_then(|tbs| tbs.extension(oid).map(|extension| extension.value));
        let mut fields = value.and_then(|value| sequence_of(value, "extension").ok());
        std::iter::from_fn(move || {
            let element = fields.as_mut()?.any().ok()?;
            Some((element.tag, element.content))
        })
    }

    /// First second of the validity.
    pub fn not_before(&self) -> Timestamp {
        self.not_before
    }

    /// Last second of the validity.
    pub fn not_after(&self) -> Timestamp {
        self.not_after
    }

    /// The certified key.
    pub fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// The subject key identifier, when there is one.
    pub fn subject_key_identifier(&self) -> Option<&[u8]> {
        self.subject_key_identifier.as_deref()
    }

    /// SHA-256 of the DER.
    pub fn sha256_fingerprint(&self) -> [u8; 32] {
        let mut fingerprint = [0; 32];
        fingerprint.copy_from_slice(digest::digest(&digest::SHA256, &self.der).as_ref());
        fingerprint
    }

    /// Whether it is the certificate of an authority.
    pub fn is_ca(&self) -> bool {
        self.is_ca
    }

    /// What was verified about the subject: by the policy it asserts, or, under an
    /// unknown policy, by whether it names an organization.
    pub fn validation_type(&self) -> ValidationType {
        self.policy.unwrap_or(match self.organization() {
            Some(_) => ValidationType::Organization,
            None => ValidationType::Domain,
        })
    }
}

fn range(element: Element<'_>) -> Range<usize> {
    element.offset..element.offset + element.encoding.len()
}

fn read_key_identifier(tbs: &Tbs<'_>) -> Result<Option<Box<[u8]>>, Malformed> {
    tbs.extension(SUBJECT_KEY_IDENTIFIER)
        .map(|extension| {
            let identifier = Reader::new(extension.value)
                .expect(asn1::OCTET_STRING, "subject key identifier")?;
            Ok(identifier.content.into())
        })
        .transpose()
}

fn read_dns_names(tbs: &Tbs<'_>) -> Result<Vec<String>, Malformed> {
    let Some(extension) = tbs.extension(SUBJECT_ALT_NAME) else {
        return Ok(Vec::new());
    };
    let mut entries = sequence_of(extension.value, "subject alternative name")?;
    let mut names = Vec::new();
    while !entries.is_empty() {
        let entry = entries.any()?;
        if entry.tag == 0x82 {
            names.push(String::from_utf8_lossy(entry.content).to_ascii_lowercase());
        }
    }
    Ok(names)
}

fn read_is_ca(tbs: &Tbs<'_>) -> Result<bool, Malformed> {
    let Some(extension) = tbs.extension(BASIC_CONSTRAINTS) else {
        return Ok(false);
    };
    let flag = sequence_of(extension.value, "basic constraints")?.optional(asn1::BOOLEAN)?;
    Ok(flag.is_some_and(|flag| flag.content == [0xff]))
}

fn read_policy(tbs: &Tbs<'_>) -> Result<Option<ValidationType>, Malformed> {
    let Some(extension) = tbs.extension(CERTIFICATE_POLICIES) else {
        return Ok(None);
    };
    let mut policies = sequence_of(extension.value, "certificate policies")?;
    while !policies.is_empty() {
        let policy = policies.expect(asn1::SEQUENCE, "certificate policy")?;
        let oid = policy.children().oid("certificate policy")?;
        if let Some(validation) = PolicyArc::validation_of(oid) {
            return Ok(Some(validation));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests;
