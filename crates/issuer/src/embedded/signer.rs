//! Keys of the authority in memory, and signatures with them.

use std::{fmt, str::FromStr, sync::Arc};

use aws_lc_rs::{
    encoding::{AsBigEndian, AsDer, EcPrivateKeyBin, Pkcs8V1Der},
    rand::SystemRandom,
    rsa,
    signature::{
        ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair,
        EcdsaSigningAlgorithm, KeyPair, RSA_PKCS1_SHA256,
    },
};
use reseal_pki::key::{KeyError, KeyPolicy, PublicKey};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::token::TokenError;

/// The keys an authority can have.
///
/// RSA-2048 is not among them: an authority outlives the years that BR 6.1.5 and
/// NIST SP 800-57 still give to that size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyType {
    /// ECDSA on P-256, signs with SHA-256.
    P256,
    /// ECDSA on P-384, signs with SHA-384.
    P384,
    /// RSA of 3072 bits, signs with SHA-256.
    Rsa3072,
    /// RSA of 4096 bits, signs with SHA-256.
    Rsa4096,
}

impl KeyType {
    /// Every key type, the default first.
    pub const ALL: [Self; 4] = [Self::P256, Self::P384, Self::Rsa3072, Self::Rsa4096];

    /// The word in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::P256 => "p256",
            Self::P384 => "p384",
            Self::Rsa3072 => "rsa3072",
            Self::Rsa4096 => "rsa4096",
        }
    }

    /// Whether `key` is of this type.
    pub(super) fn is_of(self, key: &PublicKey) -> bool {
        let (algorithm, bits) = match self {
            Self::P256 => ("ECDSA", 256),
            Self::P384 => ("ECDSA", 384),
            Self::Rsa3072 => ("RSA", 3072),
            Self::Rsa4096 => ("RSA", 4096),
        };
        key.algorithm().name() == algorithm && key.size_bits() == bits
    }

    fn form(self) -> Form {
        match self {
            Self::P256 => Form::Ecdsa(&ECDSA_P256_SHA256_ASN1_SIGNING),
            Self::P384 => Form::Ecdsa(&ECDSA_P384_SHA384_ASN1_SIGNING),
            Self::Rsa3072 => Form::Rsa(rsa::KeySize::Rsa3072),
            Self::Rsa4096 => Form::Rsa(rsa::KeySize::Rsa4096),
        }
    }
}

/// A key type as the cryptographic library knows it.
enum Form {
    Ecdsa(&'static EcdsaSigningAlgorithm),
    Rsa(rsa::KeySize),
}

impl fmt::Display for KeyType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A word that names no key type an authority can have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected p256, p384, rsa3072 or rsa4096, saw {}", shown(.0))]
pub struct UnknownKeyType(String);

/// What was written in a configuration, fit for a message.
fn shown(word: &str) -> String {
    let cut: String = word
        .chars()
        .take(100)
        .flat_map(char::escape_debug)
        .collect();
    format!("`{cut}`")
}

impl FromStr for KeyType {
    type Err = UnknownKeyType;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|key_type| key_type.name() == word)
            .ok_or_else(|| UnknownKeyType(word.to_owned()))
    }
}

/// Why there is no key, or no signature.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// No key came out of the generator.
    #[error("a {0} key cannot be generated: the cryptographic library gave no reason")]
    Generation(KeyType),
    /// A generated key that we would refuse to others.
    #[error("the generated {0} key is not good enough: {1}")]
    BadKey(KeyType, String),
    /// Bytes that are no private key of the type.
    #[error("the private key is not a {0} key")]
    Unreadable(KeyType),
    /// A public key that cannot be read back.
    #[error("the public key cannot be read: {0}")]
    PublicKey(#[from] KeyError),
    /// No signature came out.
    #[error("the signature cannot be made: the cryptographic library gave no reason")]
    Signature,
    /// The token that has the key.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The thread that signed ended without an answer.
    #[error("the signature cannot be made: the signing thread ended: {0}")]
    Thread(String),
}

/// A private key in memory. Its bytes are wiped when the last clone is dropped.
#[derive(Clone)]
pub struct SoftwareKey {
    key_type: KeyType,
    pair: Arc<Pair>,
    public_key: PublicKey,
}

enum Pair {
    Ecdsa(EcdsaKeyPair),
    Rsa(rsa::KeyPair),
}

impl fmt::Debug for SoftwareKey {
    /// Nothing of the private key.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SoftwareKey")
            .field("key_type", &self.key_type)
            .finish_non_exhaustive()
    }
}

impl SoftwareKey {
    /// A new key from the system's generator; takes seconds for RSA-4096.
    ///
    /// # Errors
    /// When the generator fails, or its key breaks a rule we hold others to.
    pub fn generate(key_type: KeyType) -> Result<Self, SignError> {
        let failed = |_| SignError::Generation(key_type);
        let pair = match key_type.form() {
            Form::Ecdsa(algorithm) => {
                Pair::Ecdsa(EcdsaKeyPair::generate(algorithm).map_err(failed)?)
            }
            Form::Rsa(size) => Pair::Rsa(rsa::KeyPair::generate(size).map_err(failed)?),
        };
        let key = Self::new(key_type, pair)?;
        match key.public_key.problems(&KeyPolicy::default()).first() {
            Some(problem) => Err(SignError::BadKey(key_type, problem.to_string())),
            None => Ok(key),
        }
    }

    /// The key in a PKCS#8 document.
    ///
    /// # Errors
    /// When the document holds no valid key of that type.
    pub fn from_pkcs8(key_type: KeyType, pkcs8: &[u8]) -> Result<Self, SignError> {
        let unreadable = |_| SignError::Unreadable(key_type);
        let pair = match key_type.form() {
            Form::Ecdsa(algorithm) => {
                Pair::Ecdsa(EcdsaKeyPair::from_pkcs8(algorithm, pkcs8).map_err(unreadable)?)
            }
            Form::Rsa(size) => {
                let pair = rsa::KeyPair::from_pkcs8(pkcs8).map_err(unreadable)?;
                if pair.public_modulus_len() != size.len() {
                    return Err(SignError::Unreadable(key_type));
                }
                Pair::Rsa(pair)
            }
        };
        Self::new(key_type, pair)
    }

    fn new(key_type: KeyType, pair: Pair) -> Result<Self, SignError> {
        let spki = match &pair {
            Pair::Ecdsa(pair) => pair.public_key().as_der(),
            Pair::Rsa(pair) => pair.public_key().as_der(),
        }
        .map_err(|_| SignError::Unreadable(key_type))?;
        Ok(Self {
            key_type,
            pair: Arc::new(pair),
            public_key: PublicKey::from_spki_der(spki.as_ref())?,
        })
    }

    /// The private key as a PKCS#8 document: to be encrypted, and nothing else.
    pub(super) fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, SignError> {
        let bytes = match &*self.pair {
            Pair::Ecdsa(pair) => pair
                .to_pkcs8v1()
                .map(|document| Zeroizing::new(document.as_ref().to_vec())),
            Pair::Rsa(pair) => pair
                .as_der()
                .map(|document: Pkcs8V1Der<'_>| Zeroizing::new(document.as_ref().to_vec())),
        };
        bytes.map_err(|_| SignError::Unreadable(self.key_type))
    }

    /// The private number of an ECDSA key, for a token to take in; `None` for RSA.
    pub(super) fn scalar(&self) -> Option<Zeroizing<Vec<u8>>> {
        let Pair::Ecdsa(pair) = &*self.pair else {
            return None;
        };
        let number: EcPrivateKeyBin<'_> = pair.private_key().as_be_bytes().ok()?;
        Some(Zeroizing::new(number.as_ref().to_vec()))
    }

    /// Type of the key.
    pub fn key_type(&self) -> KeyType {
        self.key_type
    }

    /// The public half.
    pub fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// The signature over `message`, encoded as certificates carry it.
    ///
    /// ECDSA takes some 20 µs and is made on the spot; RSA takes a millisecond
    /// and more, and is made on a thread where that holds up nobody. Needs a
    /// Tokio runtime.
    pub async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        match &*self.pair {
            Pair::Ecdsa(_) => self.sign_here(message),
            Pair::Rsa(_) => {
                let (key, message) = (self.clone(), message.to_vec());
                tokio::task::spawn_blocking(move || key.sign_here(&message))
                    .await
                    .map_err(|error| SignError::Thread(error.to_string()))?
            }
        }
    }

    /// The same on the calling thread.
    pub fn sign_here(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        // The library has its own generator for the nonce and ignores this one.
        let random = SystemRandom::new();
        match &*self.pair {
            Pair::Ecdsa(pair) => pair
                .sign(&random, message)
                .map(|signature| signature.as_ref().to_vec()),
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
                    .map(|()| signature)
            }
        }
        .map_err(|_| SignError::Signature)
    }
}
