//! What can be wrong with a key, in words.

use crate::asn1::Malformed;
use crate::key::rsa::ACCEPTED_SIZES;
use crate::quote::quoted;

/// A SubjectPublicKeyInfo that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("public key is not valid DER: at byte {offset}: {problem}")]
pub struct KeyError {
    /// Bytes from the start of the SubjectPublicKeyInfo.
    pub offset: usize,
    /// What was expected and found there.
    pub problem: String,
}

impl KeyError {
    /// The rule in the rule book.
    pub fn rule(&self) -> &'static str {
        "C-4"
    }
}

impl From<Malformed> for KeyError {
    fn from(malformed: Malformed) -> Self {
        Self {
            offset: malformed.offset,
            problem: malformed.problem,
        }
    }
}

/// A reason not to certify a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyProblem {
    /// A type outside BR 6.1.5.
    #[error(
        "key is of type {}; accepted are RSA with {} bits and ECDSA on P-256, P-384 or P-521: \
         make a new key",
        quoted(found),
        sizes()
    )]
    Type {
        /// Name or object identifier.
        found: String,
    },
    /// P-521 is switched off.
    #[error("ECDSA keys on P-521 are not accepted here: make a new key on P-256 or P-384")]
    P521Disabled,
    /// RSA or EC in a dress that BR 7.1.3.1 forbids.
    #[error(
        "key is given as {found}; accepted are plain RSA (`rsaEncryption`) and the named curves \
         P-256, P-384 and P-521: write the request again with such a key"
    )]
    Form {
        /// How the key is identified.
        found: String,
    },
    /// Not byte for byte what BR 7.1.3.1 demands.
    #[error(
        "algorithm of the public key is encoded as {}, expected {}: make the request with \
         another tool",
        quoted(found),
        quoted(expected)
    )]
    AlgorithmIdentifier {
        /// DER as received, hexadecimal.
        found: String,
        /// DER that is demanded, hexadecimal.
        expected: String,
    },
    /// A size outside our list.
    #[error(
        "RSA modulus has {bits} bits; accepted are {}: make a new key",
        sizes()
    )]
    RsaSize {
        /// Bits of the modulus.
        bits: u32,
    },
    /// An exponent other than 65537.
    #[error("RSA exponent is {found}; accepted is 65537: make a new key")]
    RsaExponent {
        /// Decimal, or its size when long.
        found: String,
    },
    /// The modulus is even.
    #[error("RSA modulus is even, so it is not the product of two large primes: make a new key")]
    EvenModulus,
    /// The modulus has a prime factor below 752.
    #[error("RSA modulus is divisible by {factor}: make a new key with a tool you trust")]
    SmallFactor {
        /// The smallest such prime.
        factor: u16,
    },
    /// The modulus is a power.
    #[error(
        "RSA modulus is a perfect power (exponent {exponent}), so anybody can compute the \
         private key: make a new key with a tool you trust"
    )]
    PerfectPower {
        /// The smallest prime exponent.
        exponent: u32,
    },
    /// The two primes are so close that Fermat's method finds them.
    #[error(
        "RSA modulus was factored by Fermat's method in round {round}, since its primes are too \
         close together: anybody can compute the private key; make a new key with a tool you \
         trust"
    )]
    ClosePrimes {
        /// Counted from 1.
        round: u32,
    },
    /// Fingerprint of the flawed Infineon key generation.
    #[error(
        "RSA modulus has the fingerprint of a flawed smart card or TPM (ROCA, CVE-2017-15361): \
         update its firmware or make the key in software"
    )]
    Roca,
    /// Made by the predictable generator of Debian's OpenSSL of 2006 to 2008.
    #[error(
        "key is one of the few that Debian's OpenSSL of 2006 to 2008 could make \
         (CVE-2008-0166): anybody can have the private key; make a new key on an up-to-date \
         system"
    )]
    DebianWeak,
    /// An EC point in another form than uncompressed.
    #[error("EC point is {found}; accepted is the uncompressed form: write the request again")]
    PointForm {
        /// What form it has.
        found: String,
    },
    /// Not a point of the curve (SP 800-56A section 5.6.2.3).
    #[error("EC point is not valid on {curve}: {reason}; make a new key")]
    PointInvalid {
        /// Name of the curve.
        curve: &'static str,
        /// Which check failed.
        reason: &'static str,
    },
    /// An RSA key that cannot be read.
    #[error("RSA key cannot be read: {0}")]
    Unreadable(String),
}

impl KeyProblem {
    /// The rule in the rule book.
    pub fn rule(&self) -> &'static str {
        match self {
            Self::Type { .. } | Self::P521Disabled => "C-13",
            Self::RsaSize { .. } | Self::RsaExponent { .. } => "C-14",
            Self::Form { .. } | Self::AlgorithmIdentifier { .. } => "C-15",
            Self::PointForm { .. } | Self::PointInvalid { .. } => "C-16",
            Self::EvenModulus | Self::SmallFactor { .. } | Self::PerfectPower { .. } => "C-17",
            Self::ClosePrimes { .. } => "C-18",
            Self::Roca => "C-19",
            Self::DebianWeak => "C-20",
            Self::Unreadable(_) => "C-4",
        }
    }
}

/// `2048, 3072 and 4096`.
fn sizes() -> String {
    let [rest @ .., last] = ACCEPTED_SIZES.map(|size| size.to_string());
    format!("{} and {last}", rest.join(", "))
}
