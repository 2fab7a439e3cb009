//! The extensions of P-6, each as the profile wants it.

use aws_lc_rs::digest;

use super::encode::{element, extension, primitive, sequence};
use crate::{asn1, name::DnsName};

const BASIC_CONSTRAINTS: [u8; 3] = [0x55, 0x1d, 0x13];
const SUBJECT_KEY_IDENTIFIER: [u8; 3] = [0x55, 0x1d, 0x0e];
const KEY_USAGE: [u8; 3] = [0x55, 0x1d, 0x0f];
const SUBJECT_ALT_NAME: [u8; 3] = [0x55, 0x1d, 0x11];
const CRL_DISTRIBUTION_POINTS: [u8; 3] = [0x55, 0x1d, 0x1f];
const CERTIFICATE_POLICIES: [u8; 3] = [0x55, 0x1d, 0x20];
const AUTHORITY_KEY_IDENTIFIER: [u8; 3] = [0x55, 0x1d, 0x23];
const EXTENDED_KEY_USAGE: [u8; 3] = [0x55, 0x1d, 0x25];
const AUTHORITY_INFO_ACCESS: [u8; 8] = [0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, 0x01];

const SERVER_AUTH: [u8; 8] = [0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01];
const OCSP_SIGNING: [u8; 8] = [0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x09];
const NO_CHECK: [u8; 9] = [0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x05];
const OCSP: [u8; 8] = [0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01];
const CA_ISSUERS: [u8; 8] = [0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x02];
pub(super) const ANY_POLICY: [u8; 4] = [0x55, 0x1d, 0x20, 0x00];

/// GeneralName: dNSName and uniformResourceIdentifier (RFC 5280 section 4.2.1.6).
const DNS_NAME: u8 = 0x82;
const URI: u8 = 0x86;

/// What a certified key may do.
#[derive(Clone, Copy)]
pub(super) enum KeyUsage {
    /// digitalSignature.
    Sign,
    /// digitalSignature and keyEncipherment, for RSA.
    SignAndEncipher,
    /// keyCertSign and cRLSign, for an authority.
    Issue,
}

/// Leftmost 160 bits of SHA-256 over the key's BIT STRING (RFC 7093 section 2,
/// method 1), so that no SHA-1 is needed (P-11).
pub(super) fn key_identifier(raw_public_key: &[u8]) -> [u8; 20] {
    let mut identifier = [0; 20];
    identifier.copy_from_slice(&digest::digest(&digest::SHA256, raw_public_key).as_ref()[..20]);
    identifier
}

/// keyIdentifier only, never issuer and serial (BR 7.1.2.11.1).
pub(super) fn authority_key_identifier(out: &mut Vec<u8>, issuer_identifier: &[u8]) {
    extension(out, &AUTHORITY_KEY_IDENTIFIER, false, |out| {
        sequence(out, |out| primitive(out, 0x80, issuer_identifier));
    });
}

pub(super) fn subject_key_identifier(out: &mut Vec<u8>, identifier: &[u8]) {
    extension(out, &SUBJECT_KEY_IDENTIFIER, false, |out| {
        primitive(out, asn1::OCTET_STRING, identifier);
    });
}

pub(super) fn key_usage(out: &mut Vec<u8>, usage: KeyUsage) {
    // Unused bits, then the bits from the left (RFC 5280 section 4.2.1.3).
    let bits = match usage {
        KeyUsage::Sign => [7, 0x80],
        KeyUsage::SignAndEncipher => [5, 0xa0],
        KeyUsage::Issue => [1, 0x06],
    };
    extension(out, &KEY_USAGE, true, |out| {
        primitive(out, asn1::BIT_STRING, &bits);
    });
}

/// cA is FALSE by default, so the SEQUENCE is empty.
pub(super) fn not_an_authority(out: &mut Vec<u8>) {
    extension(out, &BASIC_CONSTRAINTS, true, |out| sequence(out, |_| {}));
}

pub(super) fn authority(out: &mut Vec<u8>, path_length: Option<u8>) {
    extension(out, &BASIC_CONSTRAINTS, true, |out| {
        sequence(out, |out| {
            primitive(out, asn1::BOOLEAN, &[0xff]);
            if let Some(length) = path_length {
                primitive(out, asn1::INTEGER, &[length & 0x7f]);
            }
        });
    });
}

/// serverAuth and nothing else (P-7).
pub(super) fn server_authentication(out: &mut Vec<u8>) {
    extension(out, &EXTENDED_KEY_USAGE, false, |out| {
        sequence(out, |out| primitive(out, asn1::OID, &SERVER_AUTH));
    });
}

/// OCSPSigning and nothing else (BR 7.1.2.8.6).
pub(super) fn ocsp_signing(out: &mut Vec<u8>) {
    extension(out, &EXTENDED_KEY_USAGE, false, |out| {
        sequence(out, |out| primitive(out, asn1::OID, &OCSP_SIGNING));
    });
}

/// id-pkix-ocsp-nocheck: nobody asks whether it was revoked (RFC 6960 section 4.2.2.2.1).
pub(super) fn no_check(out: &mut Vec<u8>) {
    extension(out, &NO_CHECK, false, |out| primitive(out, asn1::NULL, &[]));
}

/// One policy without qualifiers.
pub(super) fn certificate_policy(out: &mut Vec<u8>, oid: &[u8]) {
    extension(out, &CERTIFICATE_POLICIES, false, |out| {
        sequence(out, |out| {
            sequence(out, |out| primitive(out, asn1::OID, oid));
        });
    });
}

pub(super) fn authority_info_access(out: &mut Vec<u8>, ca_issuers: &str, ocsp: Option<&str>) {
    let method = |out: &mut Vec<u8>, oid: &[u8], url: &str| {
        sequence(out, |out| {
            primitive(out, asn1::OID, oid);
            primitive(out, URI, url.as_bytes());
        });
    };
    extension(out, &AUTHORITY_INFO_ACCESS, false, |out| {
        sequence(out, |out| {
            if let Some(url) = ocsp {
                method(out, &OCSP, url);
            }
            method(out, &CA_ISSUERS, ca_issuers);
        });
    });
}

/// One distribution point with a full name, no reasons, no cRLIssuer.
pub(super) fn crl_distribution_point(out: &mut Vec<u8>, url: &str) {
    extension(out, &CRL_DISTRIBUTION_POINTS, false, |out| {
        sequence(out, |out| {
            sequence(out, |out| {
                element(out, 0xa0, |out| {
                    element(out, 0xa0, |out| primitive(out, URI, url.as_bytes()));
                });
            });
        });
    });
}

/// Critical exactly when there is no subject (P-3).
pub(super) fn subject_alt_name(out: &mut Vec<u8>, names: &[DnsName], critical: bool) {
    extension(out, &SUBJECT_ALT_NAME, critical, |out| {
        sequence(out, |out| {
            for name in names {
                primitive(out, DNS_NAME, name.as_str().as_bytes());
            }
        });
    });
}

/// The TBSCertificate's `extensions` field.
pub(super) fn extensions(out: &mut Vec<u8>, content: impl FnOnce(&mut Vec<u8>)) {
    element(out, 0xa3, |out| sequence(out, content));
}
