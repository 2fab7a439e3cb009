//! Whose certificates a request asks about.

use aws_lc_rs::digest::{self, Algorithm};

use super::request::{self, CertId, Hash};
use crate::{
    asn1::{self, Reader},
    certificate::tbs::{Tbs, sequence_of},
    profile::IssuingAuthority,
    serial::Serial,
};

const AUTHORITY_KEY_IDENTIFIER: &[u8] = &[0x55, 0x1d, 0x23];

/// An authority as a [`CertId`] names it, by either hash.
///
/// SHA-1 is an identifier here and protects nothing (P-11): nearly every client asks by it.
#[derive(Clone, Debug)]
pub struct AuthorityId {
    name: Box<[u8]>,
    key_identifier: Box<[u8]>,
    sha1: [Box<[u8]>; 2],
    sha256: [Box<[u8]>; 2],
}

impl AuthorityId {
    /// That of `authority`.
    pub fn new(authority: &IssuingAuthority) -> Self {
        let hashes = |algorithm: &'static Algorithm| {
            [
                authority.subject_der(),
                authority.public_key().raw_public_key(),
            ]
            .map(|bytes| Box::from(digest::digest(algorithm, bytes).as_ref()))
        };
        Self {
            name: authority.subject_der().into(),
            key_identifier: authority.ski().into(),
            sha1: hashes(&digest::SHA1_FOR_LEGACY_USE_ONLY),
            sha256: hashes(&digest::SHA256),
        }
    }

    /// SHA-256 over name and key: no two authorities have the same.
    pub fn fingerprint(&self) -> [u8; 32] {
        let mut fingerprint = [0; 32];
        let both = self.sha256.concat();
        fingerprint.copy_from_slice(digest::digest(&digest::SHA256, &both).as_ref());
        fingerprint
    }

    /// The request, DER, for the status of the certificate of this authority with that serial number, named by SHA-1 as
    /// nearly every client does (RFC 5019 section 2.1.1).
    pub fn ask_about(&self, serial: &Serial) -> Vec<u8> {
        let [name, key] = &self.sha1;
        request::write(name, key, serial.as_bytes())
    }

    /// Whether `certificate` is one that this authority would have issued.
    pub fn is_meant_by(&self, certificate: &CertId) -> bool {
        let [name, key] = match certificate.hash {
            Hash::Sha1 => &self.sha1,
            Hash::Sha256 => &self.sha256,
            Hash::Other => return false,
        };
        certificate.issuer_name == *name && certificate.issuer_key == *key
    }

    /// Whether a TBSCertificate, DER, names this authority as its issuer.
    pub fn is_issuer_of(&self, tbs: &[u8]) -> bool {
        let Ok(signed) = Reader::new(tbs).expect(asn1::SEQUENCE, "TBSCertificate") else {
            return false;
        };
        let Ok(tbs) = Tbs::read(signed) else {
            return false;
        };
        let identifier = tbs
            .extension(AUTHORITY_KEY_IDENTIFIER)
            .and_then(|extension| sequence_of(extension.value, "authorityKeyIdentifier").ok())
            .and_then(|mut fields| fields.optional(0x80).ok().flatten());
        tbs.issuer.encoding == &*self.name
            && identifier.is_some_and(|identifier| identifier.content == &*self.key_identifier)
    }

    /// Whether a certificate, DER, names this authority as its issuer.
    pub fn issued(&self, der: &[u8]) -> bool {
        let Ok(certificate) = Reader::new(der).expect(asn1::SEQUENCE, "certificate") else {
            return false;
        };
        let signed = certificate.children().expect(asn1::SEQUENCE, "signed part");
        signed.is_ok_and(|signed| self.is_issuer_of(signed.encoding))
    }
}
