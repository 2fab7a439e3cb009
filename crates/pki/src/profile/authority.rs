//! Certificates of our own authorities: a root that signs only intermediates,
//! and an intermediate that signs only leaves (P-13, BR 7.1.2.1 and 7.1.2.6).

use jiff::SignedDuration;

use super::{
    IssuingAuthority, ProfileError, SignatureAlgorithm, Validity,
    encode::{PRINTABLE_STRING, UTF8_STRING, primitive, sequence},
    extension::{self, ANY_POLICY, KeyUsage},
    leaf::{attribute, http_url, validity as write_validity, version_3},
};
use crate::{
    asn1, dn,
    key::{KeyError, PublicKey},
    serial::Serial,
};

/// How long a new root holds: twenty years.
pub const ROOT_LIFETIME: SignedDuration = SignedDuration::from_hours(20 * 8_766);
/// How long a new intermediate holds: ten years.
pub const INTERMEDIATE_LIFETIME: SignedDuration = SignedDuration::from_hours(10 * 8_766);

/// The name of an authority (BR 7.1.2.10.2: all three are required).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaSubject {
    /// Name that tells the authority from every other, to 64 characters.
    pub common_name: String,
    /// Who runs it, to 64 characters.
    pub organization: String,
    /// Two upper-case letters.
    pub country: String,
}

/// Where the status and the issuer of an intermediate are found, `http` both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IntermediateUrls<'a> {
    /// The root's CRL.
    pub crl: &'a str,
    /// The root's certificate.
    pub ca_issuers: &'a str,
}

/// The TBSCertificate of a self-signed root, DER.
///
/// Fails when the key is not one an authority can have here.
pub fn root_tbs(
    subject: &CaSubject,
    spki_der: &[u8],
    serial: &Serial,
    validity: Validity,
) -> Result<Vec<u8>, AuthorityError> {
    let key = PublicKey::from_spki_der(spki_der)?;
    let algorithm = SignatureAlgorithm::for_key(&key).ok_or(AuthorityError::Key)?;
    let identifier = extension::key_identifier(key.raw_public_key());
    let mut name = Vec::new();
    write_name(&mut name, subject);
    let mut out = Vec::with_capacity(1024);
    sequence(&mut out, |out| {
        version_3(out);
        primitive(out, asn1::INTEGER, serial.as_bytes());
        out.extend_from_slice(algorithm.algorithm_identifier());
        out.extend_from_slice(&name);
        write_validity(out, validity);
        out.extend_from_slice(&name);
        out.extend_from_slice(spki_der);
        extension::extensions(out, |out| {
            extension::authority_key_identifier(out, &identifier);
            extension::subject_key_identifier(out, &identifier);
            extension::key_usage(out, KeyUsage::Issue);
            extension::authority(out, None);
        });
    });
    Ok(out)
}

/// The TBSCertificate of an intermediate below `issuer`, DER: it may sign leaves
/// for servers and no further authority (P-13).
///
/// Fails when the key is not one an authority can have here, the URLs are not
/// `http`, or the validity exceeds the issuer's.
pub fn intermediate_tbs(
    subject: &CaSubject,
    spki_der: &[u8],
    serial: &Serial,
    validity: Validity,
    issuer: &IssuingAuthority,
    urls: IntermediateUrls<'_>,
) -> Result<Vec<u8>, AuthorityError> {
    let key = PublicKey::from_spki_der(spki_der)?;
    SignatureAlgorithm::for_key(&key).ok_or(AuthorityError::Key)?;
    http_url(urls.crl)?;
    http_url(urls.ca_issuers)?;
    if validity.not_after > issuer.not_after() {
        return Err(ProfileError::Validity.into());
    }
    let mut out = Vec::with_capacity(1024);
    sequence(&mut out, |out| {
        version_3(out);
        primitive(out, asn1::INTEGER, serial.as_bytes());
        out.extend_from_slice(issuer.signature_algorithm().algorithm_identifier());
        out.extend_from_slice(issuer.subject_der());
        write_validity(out, validity);
        write_name(out, subject);
        out.extend_from_slice(spki_der);
        extension::extensions(out, |out| {
            extension::authority_key_identifier(out, issuer.ski());
            extension::subject_key_identifier(
                out,
                &extension::key_identifier(key.raw_public_key()),
            );
            extension::key_usage(out, KeyUsage::Issue);
            extension::authority(out, Some(0));
            extension::server_authentication(out);
            extension::certificate_policy(out, &ANY_POLICY);
            extension::authority_info_access(out, urls.ca_issuers, None);
            extension::crl_distribution_point(out, urls.crl);
        });
    });
    Ok(out)
}

/// The CertificationRequestInfo (RFC 2986) of an authority that asks another one for a certificate, DER. Nothing is asked for
/// beside the key: whoever signs decides.
pub fn authority_request(subject: &CaSubject, spki_der: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(512);
    sequence(&mut out, |out| {
        primitive(out, asn1::INTEGER, &[0]);
        write_name(out, subject);
        out.extend_from_slice(spki_der);
        primitive(out, 0xa0, &[]);
    });
    out
}

/// The identifier that the certificate of an authority with this key has.
pub fn authority_key_identifier(key: &PublicKey) -> [u8; 20] {
    extension::key_identifier(key.raw_public_key())
}

/// Why no authority's certificate can be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthorityError {
    /// A key that cannot be read.
    #[error(transparent)]
    UnreadableKey(#[from] KeyError),
    /// A key of a type no authority has here.
    #[error("an authority's key must be ECDSA P-256, ECDSA P-384 or RSA")]
    Key,
    /// URLs or validity.
    #[error(transparent)]
    Profile(#[from] ProfileError),
}

/// C, O, CN (BR 7.1.4.2, the order of its table).
pub(super) fn write_name(out: &mut Vec<u8>, subject: &CaSubject) {
    sequence(out, |out| {
        attribute(out, dn::COUNTRY, PRINTABLE_STRING, &subject.country);
        attribute(out, dn::ORGANIZATION, UTF8_STRING, &subject.organization);
        attribute(out, dn::COMMON_NAME, UTF8_STRING, &subject.common_name);
    });
}
