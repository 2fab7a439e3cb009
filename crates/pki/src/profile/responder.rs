//! Certificates of those who answer by OCSP for an authority (BR 7.1.2.8).

use jiff::SignedDuration;

use super::{
    AuthorityError, CaSubject, IssuingAuthority, ProfileError, SignatureAlgorithm, Validity,
    authority::write_name,
    encode::{primitive, sequence},
    extension::{self, KeyUsage},
    leaf::{validity as write_validity, version_3},
};
use crate::{asn1, key::PublicKey, serial::Serial};

/// How long a responder's certificate holds: two weeks. Nobody asks whether it was revoked, so that it has to end
/// soon by itself.
pub const RESPONDER_LIFETIME: SignedDuration = SignedDuration::from_hours(14 * 24);

/// The TBSCertificate, DER, of who answers for `issuer` with `key`. `mark` tells it from others that answer for the
/// same.
///
/// Fails when nobody could sign with the key, or the validity exceeds the issuer's.
pub fn responder_tbs(
    issuer: &IssuingAuthority,
    key: &PublicKey,
    mark: &str,
    serial: &Serial,
    validity: Validity,
) -> Result<Vec<u8>, AuthorityError> {
    SignatureAlgorithm::for_key(key).ok_or(AuthorityError::Key)?;
    if validity.not_after <= validity.not_before || validity.not_after > issuer.not_after() {
        return Err(ProfileError::Validity.into());
    }
    let of_issuer = issuer.certificate();
    let subject = CaSubject {
        common_name: format!("OCSP {mark}"),
        organization: of_issuer.organization().unwrap_or("Reseal").to_owned(),
        country: of_issuer.country().unwrap_or("XX").to_owned(),
    };
    let mut out = Vec::with_capacity(1024);
    sequence(&mut out, |out| {
        version_3(out);
        primitive(out, asn1::INTEGER, serial.as_bytes());
        out.extend_from_slice(issuer.signature_algorithm().algorithm_identifier());
        out.extend_from_slice(issuer.subject_der());
        write_validity(out, validity);
        write_name(out, &subject);
        out.extend_from_slice(key.spki_der());
        extension::extensions(out, |out| {
            let identifier = extension::key_identifier(key.raw_public_key());
            extension::authority_key_identifier(out, issuer.ski());
            extension::subject_key_identifier(out, &identifier);
            extension::key_usage(out, KeyUsage::Sign);
            extension::ocsp_signing(out);
            extension::no_check(out);
        });
    });
    Ok(out)
}
