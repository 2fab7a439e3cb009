//! Types of keys: the four that we certify, and the names of those we refuse.

use crate::asn1::{self, Element, Malformed};
use crate::key::KeyProblem;
use crate::key::rsa::RsaKey;

/// Type of a public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyAlgorithm {
    /// `rsaEncryption`.
    Rsa,
    /// ECDSA on NIST P-256 (secp256r1).
    EcP256,
    /// ECDSA on NIST P-384 (secp384r1).
    EcP384,
    /// ECDSA on NIST P-521 (secp521r1).
    EcP521,
    /// Anything else, by its name, or its object identifier in dotted form.
    Other(String),
}

const RSA_ENCRYPTION: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01";
const RSASSA_PSS: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a";
const EC_PUBLIC_KEY: &[u8] = b"\x2a\x86\x48\xce\x3d\x02\x01";
const DSA: &str = "1.2.840.10040.4.1";
const P256: &[u8] = b"\x2a\x86\x48\xce\x3d\x03\x01\x07";
const P384: &[u8] = b"\x2b\x81\x04\x00\x22";
const P521: &[u8] = b"\x2b\x81\x04\x00\x23";

/// Types seen in the wild that we refuse (C-13).
const REFUSED: &[(&str, &str)] = &[
    ("1.2.840.113549.1.1.7", "RSAES-OAEP"),
    ("1.2.840.113549.1.1.10", "RSASSA-PSS"),
    (DSA, "DSA"),
    ("1.2.840.10046.2.1", "DH"),
    ("1.3.101.110", "X25519"),
    ("1.3.101.111", "X448"),
    ("1.3.101.112", "Ed25519"),
    ("1.3.101.113", "Ed448"),
    ("2.16.840.1.101.3.4.3.17", "ML-DSA-44"),
    ("2.16.840.1.101.3.4.3.18", "ML-DSA-65"),
    ("2.16.840.1.101.3.4.3.19", "ML-DSA-87"),
    // Curves.
    ("1.2.840.10045.3.1.1", "EC P-192"),
    ("1.3.132.0.33", "EC P-224"),
    ("1.3.132.0.10", "EC secp256k1"),
    ("1.3.36.3.3.2.8.1.1.7", "EC brainpoolP256r1"),
    ("1.3.36.3.3.2.8.1.1.11", "EC brainpoolP384r1"),
    ("1.3.36.3.3.2.8.1.1.13", "EC brainpoolP512r1"),
    ("1.2.156.10197.1.301", "EC SM2"),
];

impl KeyAlgorithm {
    /// From an AlgorithmIdentifier. Wrong parameters of an accepted type do not
    /// change the type: the caller compares the bytes (C-15).
    pub(super) fn read(identifier: Element<'_>) -> Result<Self, Malformed> {
        let mut fields = identifier.children();
        let oid = fields.oid("algorithm of the public key")?;
        let parameters = if fields.is_empty() {
            None
        } else {
            Some(fields.any()?)
        };
        fields.finish("the algorithm of the public key")?;
        Ok(match (oid, parameters) {
            (RSA_ENCRYPTION, _) => Self::Rsa,
            (EC_PUBLIC_KEY, Some(curve)) if curve.tag == asn1::OID => match curve.content {
                P256 => Self::EcP256,
                P384 => Self::EcP384,
                P521 => Self::EcP521,
                other => Self::Other(refused_name(&asn1::oid_text(other), "EC on curve ")),
            },
            (EC_PUBLIC_KEY, Some(parameters)) if parameters.tag == asn1::SEQUENCE => {
                Self::Other("EC with explicit parameters".to_owned())
            }
            (EC_PUBLIC_KEY, _) => Self::Other("EC without a named curve".to_owned()),
            (other, _) => Self::Other(refused_name(&asn1::oid_text(other), "")),
        })
    }

    /// `RSA`, `ECDSA`, or the name of another type.
    pub fn name(&self) -> &str {
        match self {
            Self::Rsa => "RSA",
            Self::EcP256 | Self::EcP384 | Self::EcP521 => "ECDSA",
            Self::Other(name) => name,
        }
    }

    /// The only AlgorithmIdentifier that BR 7.1.3.1 allows for this type, DER
    /// (C-15).
    pub(super) fn expected_identifier(&self) -> Option<&'static [u8]> {
        match self {
            Self::Rsa => Some(b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00"),
            Self::EcP256 => Some(
                b"\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07",
            ),
            Self::EcP384 => {
                Some(b"\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22")
            }
            Self::EcP521 => {
                Some(b"\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x23")
            }
            Self::Other(_) => None,
        }
    }

    /// Size to show for a key that is not RSA, bits.
    pub(super) fn size_bits(&self, identifier: Element<'_>, raw: &[u8]) -> u32 {
        match self {
            Self::EcP256 => 256,
            Self::EcP384 => 384,
            Self::EcP521 => 521,
            Self::Other(name) if name == "DSA" => dsa_size(identifier).unwrap_or_default(),
            Self::Other(name) if name == "RSASSA-PSS" || name == "RSAES-OAEP" => {
                RsaKey::read(raw).map_or(0, |key| key.size_bits())
            }
            Self::Other(name) if name.starts_with("EC ") => match raw {
                [4, x_and_y @ ..] => x_and_y.len() as u32 * 4,
                [_, x @ ..] => x.len() as u32 * 8,
                [] => 0,
            },
            _ => raw.len() as u32 * 8,
        }
    }
}

fn refused_name(oid: &str, unknown_prefix: &str) -> String {
    REFUSED.iter().find(|(known, _)| *known == oid).map_or_else(
        || format!("{unknown_prefix}{oid}"),
        |(_, name)| (*name).to_owned(),
    )
}

/// Bits of the prime in DSA domain parameters (RFC 3279 section 2.3.2).
fn dsa_size(identifier: Element<'_>) -> Option<u32> {
    let mut fields = identifier.children();
    fields.any().ok()?;
    let parameters = fields.expect(asn1::SEQUENCE, "DSA parameters").ok()?;
    let prime = parameters.children().expect(asn1::INTEGER, "p").ok()?;
    Some(bit_length(prime.unsigned().ok()?))
}

/// Of a big-endian number, without leading zeros.
pub(super) fn bit_length(magnitude: &[u8]) -> u32 {
    match magnitude.iter().position(|&byte| byte != 0) {
        Some(first) => (magnitude.len() - first) as u32 * 8 - magnitude[first].leading_zeros(),
        None => 0,
    }
}

/// Why a type of key that we do not know or want is refused.
pub(super) fn refused(name: &str, identifier: &[u8]) -> KeyProblem {
    // These two would be RSA or EC keys were it not for the identifier, which
    // BR 7.1.3.1 fixes byte by byte.
    let only_the_identifier = name.starts_with("EC with")
        || identifier
            .windows(RSASSA_PSS.len())
            .any(|window| window == RSASSA_PSS);
    if only_the_identifier {
        KeyProblem::Form {
            found: name.to_owned(),
        }
    } else {
        KeyProblem::Type {
            found: name.to_owned(),
        }
    }
}
