//! Signatures made with a subject's key: proof of possession (C-11) by an
//! accepted algorithm (C-12).

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA384_ASN1, ECDSA_P256_SHA512_ASN1, ECDSA_P384_SHA256_ASN1,
    ECDSA_P384_SHA384_ASN1, ECDSA_P384_SHA512_ASN1, ECDSA_P521_SHA256_ASN1, ECDSA_P521_SHA384_ASN1,
    ECDSA_P521_SHA512_ASN1, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, UnparsedPublicKey, VerificationAlgorithm,
};

use crate::asn1::{self, Malformed, Reader};
use crate::key::{KeyAlgorithm, PublicKey};
use crate::quote::quoted;

/// Why a signature does not count.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// Not RSA PKCS#1 v1.5 or ECDSA with SHA-256, SHA-384 or SHA-512.
    #[error(
        "signature algorithm is {}; accepted are RSA (PKCS#1 v1.5) and ECDSA with SHA-256, \
         SHA-384 or SHA-512: sign the request again with one of them",
        quoted(found)
    )]
    Algorithm {
        /// Name, or object identifier in dotted form.
        found: String,
    },
    /// Parameters that RFC 4055 or RFC 5758 forbid.
    #[error(
        "signature algorithm {found} carries unexpected parameters, expected {expected}: make \
         the request with another tool"
    )]
    Parameters {
        /// Name of the algorithm.
        found: &'static str,
        /// What should stand there.
        expected: &'static str,
    },
    /// Algorithm and key belong to different families.
    #[error(
        "signature algorithm {found} does not fit the key, which is of type {key}: sign the \
         request with the key that it contains"
    )]
    Family {
        /// Name of the algorithm.
        found: &'static str,
        /// Type of the key.
        key: String,
    },
    /// The AlgorithmIdentifier cannot be read.
    #[error("signature algorithm is not valid DER: {0}")]
    Malformed(String),
    /// The signature does not verify.
    #[error(
        "signature does not verify with the key in the request, so possession of the private \
         key is not proven: the request was changed or signed with another key; make it again"
    )]
    Invalid,
}

impl SignatureError {
    /// The rule in the rule book.
    pub fn rule(&self) -> &'static str {
        match self {
            Self::Algorithm { .. } | Self::Parameters { .. } | Self::Family { .. } => "C-12",
            Self::Malformed(_) => "C-4",
            Self::Invalid => "C-11",
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    Rsa,
    Ecdsa,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

struct Scheme {
    oid: &'static [u8],
    name: &'static str,
    family: Family,
    hash: Hash,
}

const SCHEMES: &[Scheme] = &[
    Scheme {
        oid: b"\x2a\x86\x48\xce\x3d\x04\x03\x02",
        name: "ECDSA with SHA-256",
        family: Family::Ecdsa,
        hash: Hash::Sha256,
    },
    Scheme {
        oid: b"\x2a\x86\x48\xce\x3d\x04\x03\x03",
        name: "ECDSA with SHA-384",
        family: Family::Ecdsa,
        hash: Hash::Sha384,
    },
    Scheme {
        oid: b"\x2a\x86\x48\xce\x3d\x04\x03\x04",
        name: "ECDSA with SHA-512",
        family: Family::Ecdsa,
        hash: Hash::Sha512,
    },
    Scheme {
        oid: b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b",
        name: "RSA with SHA-256",
        family: Family::Rsa,
        hash: Hash::Sha256,
    },
    Scheme {
        oid: b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c",
        name: "RSA with SHA-384",
        family: Family::Rsa,
        hash: Hash::Sha384,
    },
    Scheme {
        oid: b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d",
        name: "RSA with SHA-512",
        family: Family::Rsa,
        hash: Hash::Sha512,
    },
];

/// Algorithms seen in the wild that we refuse: identifier, name, hash.
const REFUSED: &[(&str, &str, &str)] = &[
    ("1.2.840.113549.1.1.2", "RSA with MD2", "MD2"),
    ("1.2.840.113549.1.1.4", "RSA with MD5", "MD5"),
    ("1.2.840.113549.1.1.5", "RSA with SHA-1", "SHA-1"),
    ("1.3.14.3.2.29", "RSA with SHA-1", "SHA-1"),
    ("1.2.840.113549.1.1.14", "RSA with SHA-224", "SHA-224"),
    ("1.2.840.113549.1.1.10", "RSASSA-PSS", "unknown"),
    ("1.2.840.10045.4.1", "ECDSA with SHA-1", "SHA-1"),
    ("1.2.840.10045.4.3.1", "ECDSA with SHA-224", "SHA-224"),
    ("1.2.840.10040.4.3", "DSA with SHA-1", "SHA-1"),
    ("2.16.840.1.101.3.4.3.1", "DSA with SHA-224", "SHA-224"),
    ("2.16.840.1.101.3.4.3.2", "DSA with SHA-256", "SHA-256"),
    ("1.3.101.112", "Ed25519", "SHA-512"),
    ("1.3.101.113", "Ed448", "SHAKE256"),
    ("2.16.840.1.101.3.4.3.17", "ML-DSA-44", "SHAKE256"),
    ("2.16.840.1.101.3.4.3.18", "ML-DSA-65", "SHAKE256"),
    ("2.16.840.1.101.3.4.3.19", "ML-DSA-87", "SHAKE256"),
];

/// Verifies `signature` over `message`. `algorithm` is the AlgorithmIdentifier
/// beside the signature, DER.
///
/// # Errors
/// When the algorithm is not accepted (C-12), when it does not fit the key, or
/// when the signature does not verify (C-11). RSA keys outside 2048 to 8192
/// bits never verify.
pub fn verify_signature(
    key: &PublicKey,
    algorithm: &[u8],
    message: &[u8],
    signature: &[u8],
) -> Result<(), SignatureError> {
    let scheme = scheme(algorithm)?;
    let verification =
        verification(key.algorithm(), scheme).ok_or_else(|| SignatureError::Family {
            found: scheme.name,
            key: key.algorithm().name().to_owned(),
        })?;
    UnparsedPublicKey::new(verification, key.raw_public_key())
        .verify(message, signature)
        .map_err(|_| SignatureError::Invalid)
}

fn scheme(algorithm: &[u8]) -> Result<&'static Scheme, SignatureError> {
    let (oid, parameters) =
        parts(algorithm).map_err(|malformed| SignatureError::Malformed(malformed.problem))?;
    let Some(scheme) = SCHEMES.iter().find(|scheme| scheme.oid == oid) else {
        let oid = asn1::oid_text(oid);
        let found = REFUSED
            .iter()
            .find(|(refused, ..)| *refused == oid)
            .map_or(oid.clone(), |(_, name, _)| (*name).to_owned());
        return Err(SignatureError::Algorithm { found });
    };
    // RFC 4055 section 5 wants NULL for RSA, and its readers to take an absent
    // field as well; RFC 5758 section 3.2 wants none for ECDSA.
    let expected = match (scheme.family, parameters) {
        (Family::Rsa, [] | [asn1::NULL, 0]) | (Family::Ecdsa, []) => return Ok(scheme),
        (Family::Rsa, _) => "NULL",
        (Family::Ecdsa, _) => "none",
    };
    Err(SignatureError::Parameters {
        found: scheme.name,
        expected,
    })
}

/// Object identifier and encoded parameters.
fn parts(algorithm: &[u8]) -> Result<(&[u8], &[u8]), Malformed> {
    let mut input = Reader::new(algorithm);
    let identifier = input.expect(asn1::SEQUENCE, "signature algorithm")?;
    input.finish("the signature algorithm")?;
    let mut fields = identifier.children();
    let oid = fields.oid("signature algorithm")?;
    let parameters = if fields.is_empty() {
        &[]
    } else {
        fields.any()?.encoding
    };
    fields.finish("the signature algorithm")?;
    Ok((oid, parameters))
}

fn verification(key: &KeyAlgorithm, scheme: &Scheme) -> Option<&'static dyn VerificationAlgorithm> {
    Some(match (key, scheme.family, scheme.hash) {
        (KeyAlgorithm::Rsa, Family::Rsa, Hash::Sha256) => &RSA_PKCS1_2048_8192_SHA256,
        (KeyAlgorithm::Rsa, Family::Rsa, Hash::Sha384) => &RSA_PKCS1_2048_8192_SHA384,
        (KeyAlgorithm::Rsa, Family::Rsa, Hash::Sha512) => &RSA_PKCS1_2048_8192_SHA512,
        (KeyAlgorithm::EcP256, Family::Ecdsa, Hash::Sha256) => &ECDSA_P256_SHA256_ASN1,
        (KeyAlgorithm::EcP256, Family::Ecdsa, Hash::Sha384) => &ECDSA_P256_SHA384_ASN1,
        (KeyAlgorithm::EcP256, Family::Ecdsa, Hash::Sha512) => &ECDSA_P256_SHA512_ASN1,
        (KeyAlgorithm::EcP384, Family::Ecdsa, Hash::Sha256) => &ECDSA_P384_SHA256_ASN1,
        (KeyAlgorithm::EcP384, Family::Ecdsa, Hash::Sha384) => &ECDSA_P384_SHA384_ASN1,
        (KeyAlgorithm::EcP384, Family::Ecdsa, Hash::Sha512) => &ECDSA_P384_SHA512_ASN1,
        (KeyAlgorithm::EcP521, Family::Ecdsa, Hash::Sha256) => &ECDSA_P521_SHA256_ASN1,
        (KeyAlgorithm::EcP521, Family::Ecdsa, Hash::Sha384) => &ECDSA_P521_SHA384_ASN1,
        (KeyAlgorithm::EcP521, Family::Ecdsa, Hash::Sha512) => &ECDSA_P521_SHA512_ASN1,
        _ => return None,
    })
}

/// The hash in a signature algorithm, such as `SHA-256`; `unknown` when the
/// AlgorithmIdentifier does not tell.
pub fn signature_hash_name(algorithm: &[u8]) -> &'static str {
    let Ok((oid, _)) = parts(algorithm) else {
        return "unknown";
    };
    if let Some(scheme) = SCHEMES.iter().find(|scheme| scheme.oid == oid) {
        return match scheme.hash {
            Hash::Sha256 => "SHA-256",
            Hash::Sha384 => "SHA-384",
            Hash::Sha512 => "SHA-512",
        };
    }
    let oid = asn1::oid_text(oid);
    REFUSED
        .iter()
        .find(|(refused, ..)| *refused == oid)
        .map_or("unknown", |(.., hash)| hash)
}
