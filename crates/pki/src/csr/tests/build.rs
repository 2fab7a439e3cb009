//! A request put together piece by piece, so that each piece can be wrong.

use crate::asn1::{BOOLEAN, INTEGER, OCTET_STRING, OID, SEQUENCE, SET, element};
use crate::certificate::pem;
use crate::fixture::{KeyType, Signer};

pub(super) const COMMON_NAME: &[u8] = b"\x55\x04\x03";
pub(super) const SUBJECT_ALT_NAME: &[u8] = b"\x55\x1d\x11";
const EXTENSION_REQUEST: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0e";
const ECDSA_SHA256: &[u8] = b"\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02";

/// Every field is a complete encoding.
pub(super) struct Request {
    pub(super) version: Vec<u8>,
    pub(super) subject: Vec<u8>,
    pub(super) spki: Vec<u8>,
    pub(super) attributes: Vec<u8>,
    pub(super) signature_algorithm: Vec<u8>,
    pub(super) signer: Signer,
}

impl Request {
    /// Sound: a P-256 key, the common name `www.reseal.dev`, no attributes.
    pub(super) fn new() -> Self {
        let signer = Signer::generate(KeyType::P256);
        Self {
            version: element(INTEGER, &[0]),
            subject: subject(&[(COMMON_NAME, 0x0c, b"www.reseal.dev")]),
            spki: signer.spki(),
            attributes: element(0xa0, &[]),
            signature_algorithm: ECDSA_SHA256.to_vec(),
            signer,
        }
    }

    pub(super) fn with_common_names(names: &[&str]) -> Self {
        let attributes: Vec<_> = names
            .iter()
            .map(|name| (COMMON_NAME, 0x0c, name.as_bytes()))
            .collect();
        Self {
            subject: subject(&attributes),
            ..Self::new()
        }
    }

    pub(super) fn with_extensions(extensions: &[Vec<u8>]) -> Self {
        Self {
            attributes: element(0xa0, &extension_request(extensions)),
            ..Self::new()
        }
    }

    /// Alternative names with their tags.
    pub(super) fn with_alternative_names(names: &[(u8, &[u8])]) -> Self {
        let names: Vec<u8> = names
            .iter()
            .flat_map(|(tag, content)| element(*tag, content))
            .collect();
        Self::with_extensions(&[extension(SUBJECT_ALT_NAME, &element(SEQUENCE, &names))])
    }

    pub(super) fn with_dns_names(names: &[&str]) -> Self {
        let names: Vec<_> = names.iter().map(|name| (0x82, name.as_bytes())).collect();
        Self::with_alternative_names(&names)
    }

    pub(super) fn info(&self) -> Vec<u8> {
        element(
            SEQUENCE,
            &[
                self.version.as_slice(),
                &self.subject,
                &self.spki,
                &self.attributes,
            ]
            .concat(),
        )
    }

    pub(super) fn der(&self) -> Vec<u8> {
        let info = self.info();
        let signature = self.signer.sign(&info);
        self.with_signature(&signature)
    }

    pub(super) fn with_signature(&self, signature: &[u8]) -> Vec<u8> {
        let signature = element(0x03, &[&[0], signature].concat());
        element(
            SEQUENCE,
            &[self.info(), self.signature_algorithm.clone(), signature].concat(),
        )
    }

    pub(super) fn pem(&self) -> String {
        pem("CERTIFICATE REQUEST", &self.der())
    }
}

/// One attribute in each relative name: type, string tag, value.
pub(super) fn subject(attributes: &[(&[u8], u8, &[u8])]) -> Vec<u8> {
    let names: Vec<u8> = attributes
        .iter()
        .flat_map(|(oid, tag, value)| {
            let attribute = [element(OID, oid), element(*tag, value)].concat();
            element(SET, &element(SEQUENCE, &attribute))
        })
        .collect();
    element(SEQUENCE, &names)
}

/// Not critical.
pub(super) fn extension(oid: &[u8], value: &[u8]) -> Vec<u8> {
    let fields = [element(OID, oid), element(OCTET_STRING, value)];
    element(SEQUENCE, &fields.concat())
}

/// With the field `critical` written as this byte.
pub(super) fn extension_with_critical(oid: &[u8], critical: u8, value: &[u8]) -> Vec<u8> {
    let fields = [
        element(OID, oid),
        element(BOOLEAN, &[critical]),
        element(OCTET_STRING, value),
    ];
    element(SEQUENCE, &fields.concat())
}

pub(super) fn attribute(oid: &[u8], values: &[u8]) -> Vec<u8> {
    let fields = [element(OID, oid), element(SET, values)];
    element(SEQUENCE, &fields.concat())
}

pub(super) fn extension_request(extensions: &[Vec<u8>]) -> Vec<u8> {
    attribute(EXTENSION_REQUEST, &element(SEQUENCE, &extensions.concat()))
}
