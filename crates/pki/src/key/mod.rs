//! Public keys: what they are, whether we may certify them, and signatures
//! made with them.
//!
//! - [`PublicKey`] reads any SubjectPublicKeyInfo, also of types that we refuse:
//!   a refusal has to name what it saw.
//! - [`PublicKey::problems`] is every rule for keys that needs no memory of
//!   other keys (C-13 to C-20). Blocked and reused keys (C-21 to C-23) are the
//!   caller's, by [`PublicKey::spki_sha256`].
//! - [`named_key`] finds the key that a hash or a PEM text is about.
//! - [`verify_signature`] checks proof of possession (C-11, C-12).

mod algorithm;
pub mod debian;
mod ec;
mod exposed;
mod named;
mod problem;
mod rsa;
mod signature;

use std::ops::Range;

use aws_lc_rs::digest;

pub use algorithm::KeyAlgorithm;
pub(crate) use exposed::exposed_public_key;
pub use named::{LONGEST as LONGEST_NAME, NamedKey, named_key};
pub use problem::{KeyError, KeyProblem};
pub use signature::{SignatureError, signature_hash_name, verify_signature};

use crate::asn1::{self, Malformed, Reader};

/// A public key as it stands in a request or certificate.
///
/// Keeps the bytes as received: the certificate repeats them, and hashes of
/// them are how keys are recognized.
#[derive(Clone, Debug)]
pub struct PublicKey {
    spki: Box<[u8]>,
    spki_sha256: [u8; 32],
    algorithm: KeyAlgorithm,
    size_bits: u32,
    identifier: Range<usize>,
    raw: Range<usize>,
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.spki == other.spki
    }
}

impl Eq for PublicKey {}

/// Which keys are accepted beyond the fixed rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyPolicy {
    /// Accept ECDSA P-521, which some root programs and clients leave out
    /// (C-13).
    pub p521: bool,
}

impl Default for KeyPolicy {
    fn default() -> Self {
        Self { p521: true }
    }
}

impl PublicKey {
    /// Reads a SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7), strict DER.
    ///
    /// # Errors
    /// When the structure, or an RSA key inside it, cannot be read. A type of
    /// key that we refuse is no error here but a problem in
    /// [`problems`](Self::problems).
    pub fn from_spki_der(der: &[u8]) -> Result<Self, KeyError> {
        Ok(Self::read(der)?)
    }

    pub(crate) fn read(der: &[u8]) -> Result<Self, Malformed> {
        let mut input = Reader::new(der);
        let spki = input.expect(asn1::SEQUENCE, "SubjectPublicKeyInfo")?;
        input.finish("SubjectPublicKeyInfo")?;
        let mut fields = spki.children();
        let identifier = fields.expect(asn1::SEQUENCE, "algorithm of the public key")?;
        let key = fields.expect(asn1::BIT_STRING, "public key")?;
        fields.finish("SubjectPublicKeyInfo")?;
        let raw = key.whole_bytes()?;
        let algorithm = KeyAlgorithm::read(identifier)?;
        // The BIT STRING is the last thing in the input.
        let raw_start = der.len() - raw.len();
        let size_bits = match &algorithm {
            KeyAlgorithm::Rsa => rsa::RsaKey::read(raw)
                .map_err(|at| Malformed::new(raw_start + at.offset, at.problem))?
                .size_bits(),
            known_or_not => known_or_not.size_bits(identifier, raw),
        };
        let mut spki_sha256 = [0; 32];
        spki_sha256.copy_from_slice(digest::digest(&digest::SHA256, der).as_ref());
        Ok(Self {
            spki_sha256,
            algorithm,
            size_bits,
            identifier: identifier.offset..identifier.offset + identifier.encoding.len(),
            raw: raw_start..der.len(),
            spki: der.into(),
        })
    }

    /// The SubjectPublicKeyInfo as received, DER.
    pub fn spki_der(&self) -> &[u8] {
        &self.spki
    }

    /// SHA-256 of [`spki_der`](Self::spki_der): the name of this key in lists
    /// of blocked and known keys.
    pub fn spki_sha256(&self) -> [u8; 32] {
        self.spki_sha256
    }

    /// The content of the BIT STRING: an EC point, or an `RSAPublicKey` (RFC
    /// 8017 appendix A.1.1), DER.
    pub fn raw_public_key(&self) -> &[u8] {
        &self.spki[self.raw.clone()]
    }

    /// Type of the key.
    pub fn algorithm(&self) -> &KeyAlgorithm {
        &self.algorithm
    }

    /// Size in bits: of the RSA modulus or the curve's field; for other types
    /// the size usually told, else that of the encoded key.
    pub fn size_bits(&self) -> u32 {
        self.size_bits
    }

    fn algorithm_identifier(&self) -> &[u8] {
        &self.spki[self.identifier.clone()]
    }

    /// Everything that forbids certifying this key, cheap tests first. The
    /// tests that cost big-number work run only on RSA keys of an accepted
    /// size.
    pub fn problems(&self, policy: &KeyPolicy) -> Vec<KeyProblem> {
        let mut problems = Vec::new();
        match (&self.algorithm, self.algorithm.expected_identifier()) {
            (KeyAlgorithm::Other(name), _) => {
                problems.push(algorithm::refused(name, self.algorithm_identifier()));
                return problems;
            }
            (KeyAlgorithm::EcP521, _) if !policy.p521 => problems.push(KeyProblem::P521Disabled),
            (_, Some(expected)) if expected != self.algorithm_identifier() => {
                problems.push(KeyProblem::AlgorithmIdentifier {
                    found: hex::encode(self.algorithm_identifier()),
                    expected: hex::encode(expected),
                });
            }
            _ => {}
        }
        match &self.algorithm {
            KeyAlgorithm::Rsa => match rsa::RsaKey::read(self.raw_public_key()) {
                Ok(key) => key.problems(&mut problems),
                // Unreachable: the same bytes were read in `read`.
                Err(malformed) => problems.push(KeyProblem::Unreadable(malformed.problem)),
            },
            curve => ec::problems(curve, self.raw_public_key(), &mut problems),
        }
        if debian::is_weak(self) {
            problems.push(KeyProblem::DebianWeak);
        }
        problems
    }
}

#[cfg(test)]
mod tests;
