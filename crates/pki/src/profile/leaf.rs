//! Subscriber certificates (BR 7.1.2.7, P-1 to P-12).

use std::collections::HashSet;

use super::{
    IssuingAuthority, PolicyArc, ValidationType, Validity,
    encode::{PRINTABLE_STRING, UTF8_STRING, element, primitive, sequence, time},
    extension::{self, KeyUsage},
};
use crate::{
    asn1,
    dn::{self, OrganizationSubject, SubjectProblem},
    key::{KeyAlgorithm, PublicKey},
    name::DnsName,
    quote::quoted,
    serial::Serial,
};

/// Longest common name in characters (RFC 5280 appendix A.1, `ub-common-name`).
const LONGEST_COMMON_NAME: usize = 64;

/// Everything that goes into a leaf certificate.
#[derive(Clone, Debug)]
pub struct Leaf<'a> {
    /// Recorded before it is used (P-1).
    pub serial: &'a Serial,
    /// Who signs.
    pub issuer: &'a IssuingAuthority,
    /// The subscriber's key.
    pub public_key: &'a PublicKey,
    /// The names, without duplicates.
    pub names: &'a [DnsName],
    /// One of `names`; left out of the certificate when it has more than 64
    /// characters (C-8). Without it the subject of a DV certificate is empty.
    pub common_name: Option<&'a str>,
    /// The verified organization; none for DV.
    pub subject: Option<&'a OrganizationSubject>,
    /// What was verified.
    pub validation: ValidationType,
    /// Where the policy is asserted.
    pub policy: PolicyArc,
    /// From when until when.
    pub validity: Validity,
    /// Where the CRL is, `http`.
    pub crl_url: &'a str,
    /// Where the issuer's certificate is, `http`.
    pub ca_issuers_url: &'a str,
    /// Where the OCSP responder is, when there is one, `http`.
    pub ocsp_url: Option<&'a str>,
}

/// Why no certificate can be made of a [`Leaf`]: each is a fault of the caller.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    /// A certificate without names.
    #[error("a certificate needs a name")]
    NoNames,
    /// A name twice (N-18).
    #[error("{} is listed twice", quoted(.0))]
    DuplicateName(String),
    /// A common name that is not among the names (P-3).
    #[error("the common name {} is not one of the certificate's names", quoted(.0))]
    CommonName(String),
    /// An organization in a DV certificate (P-3, C-10).
    #[error("a domain-validated certificate cannot name an organization")]
    UnverifiedOrganization,
    /// No organization in an OV or EV certificate (P-4).
    #[error("an organization-validated certificate must name the organization")]
    NoOrganization,
    /// A subject field that may not be certified (P-4).
    #[error(transparent)]
    Subject(#[from] SubjectProblem),
    /// A wildcard in an EV certificate (N-16).
    #[error("{} is a wildcard, which extended validation does not allow", quoted(.0))]
    ExtendedWildcard(String),
    /// An EV policy of the CA/Browser Forum, whose further subject fields are not
    /// issued here (P-5).
    #[error("extended validation under the CA/Browser Forum's policy is not issued here")]
    ExtendedValidation,
    /// An end before the beginning, or after the issuer's.
    #[error("the validity must end after it begins and not after the issuer's own end")]
    Validity,
    /// A pointer that is not an `http` URL in ASCII (P-6).
    #[error("{} is not an http URL, which pointers in certificates must be", quoted(.0))]
    Url(String),
}

/// The TBSCertificate of a leaf, DER, ready to be recorded, linted and signed.
pub fn leaf_tbs(leaf: &Leaf<'_>) -> Result<Vec<u8>, ProfileError> {
    check(leaf)?;
    let common_name = leaf
        .common_name
        .filter(|name| name.len() <= LONGEST_COMMON_NAME);
    let mut out = Vec::with_capacity(1024);
    sequence(&mut out, |out| {
        version_3(out);
        primitive(out, asn1::INTEGER, leaf.serial.as_bytes());
        out.extend_from_slice(leaf.issuer.signature_algorithm().algorithm_identifier());
        out.extend_from_slice(leaf.issuer.subject_der());
        validity(out, leaf.validity);
        subject(out, leaf.subject, common_name);
        out.extend_from_slice(leaf.public_key.spki_der());
        extension::extensions(out, |out| {
            let subject_is_empty = leaf.subject.is_none() && common_name.is_none();
            let usage = match leaf.public_key.algorithm() {
                KeyAlgorithm::Rsa => KeyUsage::SignAndEncipher,
                _ => KeyUsage::Sign,
            };
            extension::authority_key_identifier(out, leaf.issuer.ski());
            extension::subject_key_identifier(
                out,
                &extension::key_identifier(leaf.public_key.raw_public_key()),
            );
            extension::key_usage(out, usage);
            extension::not_an_authority(out);
            extension::server_authentication(out);
            extension::certificate_policy(out, &leaf.policy.policy_oid(leaf.validation));
            extension::authority_info_access(out, leaf.ca_issuers_url, leaf.ocsp_url);
            extension::crl_distribution_point(out, leaf.crl_url);
            extension::subject_alt_name(out, leaf.names, subject_is_empty);
        });
    });
    Ok(out)
}

fn check(leaf: &Leaf<'_>) -> Result<(), ProfileError> {
    if leaf.names.is_empty() {
        return Err(ProfileError::NoNames);
    }
    let mut seen = HashSet::with_capacity(leaf.names.len());
    if let Some(twice) = leaf.names.iter().find(|name| !seen.insert(name.as_str())) {
        return Err(ProfileError::DuplicateName(twice.to_string()));
    }
    if let Some(name) = leaf.common_name.filter(|name| !seen.contains(name)) {
        return Err(ProfileError::CommonName(name.to_owned()));
    }
    match (leaf.validation, leaf.subject) {
        (ValidationType::Domain, Some(_)) => return Err(ProfileError::UnverifiedOrganization),
        (ValidationType::Domain, None) => {}
        (_, None) => return Err(ProfileError::NoOrganization),
        (_, Some(subject)) => {
            if let Some(problem) = subject.problems().into_iter().next() {
                return Err(problem.into());
            }
        }
    }
    if leaf.validation == ValidationType::Extended {
        if leaf.policy == PolicyArc::Cabf {
            return Err(ProfileError::ExtendedValidation);
        }
        if let Some(wildcard) = leaf.names.iter().find(|name| name.is_wildcard()) {
            return Err(ProfileError::ExtendedWildcard(wildcard.to_string()));
        }
    }
    if leaf.validity.not_after <= leaf.validity.not_before
        || leaf.validity.not_after > leaf.issuer.not_after()
    {
        return Err(ProfileError::Validity);
    }
    [leaf.crl_url, leaf.ca_issuers_url]
        .into_iter()
        .chain(leaf.ocsp_url)
        .try_for_each(http_url)
}

/// P-6: `http` only, since a client would need a certificate to check one.
pub(super) fn http_url(url: &str) -> Result<(), ProfileError> {
    let rest = url.strip_prefix("http://").unwrap_or_default();
    if !rest.is_empty() && url.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(())
    } else {
        Err(ProfileError::Url(url.to_owned()))
    }
}

pub(super) fn version_3(out: &mut Vec<u8>) {
    element(out, 0xa0, |out| primitive(out, asn1::INTEGER, &[2]));
}

pub(super) fn validity(out: &mut Vec<u8>, validity: Validity) {
    sequence(out, |out| {
        time(out, validity.not_before);
        time(out, validity.not_after);
    });
}

/// C, ST, L, postalCode, street, O, CN: the order and string types of P-4.
fn subject(
    out: &mut Vec<u8>,
    organization: Option<&OrganizationSubject>,
    common_name: Option<&str>,
) {
    sequence(out, |out| {
        if let Some(subject) = organization {
            attribute(out, dn::COUNTRY, PRINTABLE_STRING, &subject.country);
            for (oid, value) in [
                (dn::STATE, &subject.state),
                (dn::LOCALITY, &subject.locality),
                (dn::POSTAL_CODE, &subject.postal_code),
                (dn::STREET, &subject.street),
            ] {
                if let Some(value) = value {
                    attribute(out, oid, UTF8_STRING, value);
                }
            }
            attribute(out, dn::ORGANIZATION, UTF8_STRING, &subject.organization);
        }
        if let Some(name) = common_name {
            attribute(out, dn::COMMON_NAME, UTF8_STRING, name);
        }
    });
}

/// One attribute in an RDN of its own.
pub(super) fn attribute(out: &mut Vec<u8>, oid: &[u8], tag: u8, value: &str) {
    element(out, asn1::SET, |out| {
        sequence(out, |out| {
            primitive(out, asn1::OID, oid);
            primitive(out, tag, value.as_bytes());
        });
    });
}
