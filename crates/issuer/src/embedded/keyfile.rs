//! A private key at rest: JSON around a PKCS#8 document that is encrypted with
//! AES-256-GCM.
//!
//! ```json
//! {
//!   "header": {
//!     "format": "reseal-private-key", "version": 1, "key_type": "p256",
//!     "public_key_sha256": "…",
//!     "protection": { "kind": "passphrase", "kdf": "argon2id", "salt": "…",
//!                     "cost": { "memory_kib": 65536, "passes": 3 } },
//!     "cipher": "aes-256-gcm"
//!   },
//!   "nonce": "…", "ciphertext": "…", "sha256": "…"
//! }
//! ```
//! The header is the associated data: nobody can move a ciphertext under another
//! one. The public key's hash lets a certificate be compared without the secret.
//! The checksum over everything tells a damaged file from a wrong passphrase,
//! which the cipher cannot; it protects against accidents only.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey},
    digest, rand,
};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{
    secret::{Cost, Passphrase, Secret, SecretError},
    signer::{KeyType, SignError, SoftwareKey},
    token::{TokenError, TokenKeyFile},
};

const FORMAT: &str = "reseal-private-key";
const VERSION: u32 = 1;
const KDF: &str = "argon2id";
const CIPHER: &str = "aes-256-gcm";
const SALT_LENGTH: usize = 16;

/// Why a key file does not open.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// Not a key file, or a part of one.
    #[error("it is not a whole key file ({0}): restore it from a backup")]
    Unreadable(String),
    /// Of another version.
    #[error(
        "it has version {0} of the format, expected {VERSION}: it was made by a later Reseal, use \
         that one"
    )]
    Version(u32),
    /// Changed since it was written.
    #[error("it is damaged ({0}): restore it from a backup")]
    Damaged(&'static str),
    /// The passphrase is not the one it was closed with.
    #[error(
        "the passphrase is wrong: expected the one that was in the file of `ca.passphrase_file` \
         when the CA was made"
    )]
    WrongPassphrase,
    /// The unlock key is not the one it was closed with.
    #[error("`unlock.key` does not fit: expected the one that was made together with this file")]
    WrongUnlockKey,
    /// It needs a passphrase and there is none.
    #[error("it is protected by a passphrase: set `ca.passphrase_file`")]
    PassphraseNeeded,
    /// The secret.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The key inside.
    #[error(transparent)]
    Key(#[from] SignError),
    /// The token that has the key.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The cipher.
    #[error("the cryptographic library failed without a reason")]
    Cipher,
}

/// How a key file is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// By a passphrase of the operator.
    Passphrase {
        /// What a guess costs.
        cost: Cost,
    },
    /// By a generated key that lies beside it.
    UnlockKey,
    /// By a token, which has the key: the file only names it.
    Token,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    header: Header,
    #[serde(with = "hex::serde")]
    nonce: [u8; NONCE_LEN],
    #[serde(with = "hex::serde")]
    ciphertext: Vec<u8>,
    #[serde(with = "hex::serde")]
    sha256: [u8; 32],
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    format: String,
    version: u32,
    key_type: KeyType,
    #[serde(with = "hex::serde")]
    public_key_sha256: [u8; 32],
    protection: Lock,
    cipher: String,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
enum Lock {
    Passphrase {
        kdf: String,
        #[serde(with = "hex::serde")]
        salt: [u8; SALT_LENGTH],
        cost: Cost,
    },
    UnlockKey,
}

/// What a file in the place of a key is.
pub(super) enum StoredKey {
    /// The key, encrypted.
    Sealed(KeyFile),
    /// The name of one in a token.
    InToken(TokenKeyFile),
}

impl StoredKey {
    /// Reads the bytes of such a file, and sees whether they are all there and unchanged.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, KeyFileError> {
        match TokenKeyFile::parse(bytes) {
            Some(name) => name.map(Self::InToken),
            None => KeyFile::parse(bytes).map(Self::Sealed),
        }
    }

    /// SHA-256 of the SubjectPublicKeyInfo of the key.
    pub(super) fn public_key_sha256(&self) -> [u8; 32] {
        match self {
            Self::Sealed(key_file) => key_file.public_key_sha256(),
            Self::InToken(name) => name.public_key_sha256(),
        }
    }

    /// How the key is protected.
    pub(super) fn protection(&self) -> Protection {
        match self {
            Self::Sealed(key_file) => key_file.protection(),
            Self::InToken(_) => Protection::Token,
        }
    }
}

/// A key file, still closed.
pub(super) struct KeyFile(Document);

impl KeyFile {
    /// Closes `key` with `secret`.
    pub(super) fn seal(key: &SoftwareKey, secret: Secret<'_>) -> Result<Self, KeyFileError> {
        let protection = match secret {
            Secret::Passphrase(passphrase) => {
                let mut salt = [0; SALT_LENGTH];
                rand::fill(&mut salt).map_err(|_| SecretError::NoRandomness)?;
                Lock::Passphrase {
                    kdf: KDF.to_owned(),
                    salt,
                    cost: passphrase.cost(),
                }
            }
            Secret::UnlockKey(_) => Lock::UnlockKey,
        };
        let header = Header {
            format: FORMAT.to_owned(),
            version: VERSION,
            key_type: key.key_type(),
            public_key_sha256: key.public_key().spki_sha256(),
            protection,
            cipher: CIPHER.to_owned(),
        };
        let cipher = cipher(&header, secret)?;
        // Encrypted in place: the tag must fit without moving the key.
        let mut bytes = key.to_pkcs8()?;
        let mut sealed = Zeroizing::new(Vec::with_capacity(bytes.len() + AES_256_GCM.tag_len()));
        sealed.append(&mut bytes);
        let nonce = cipher
            .seal_in_place_append_tag(Aad::from(header.associated_data()?), &mut *sealed)
            .map_err(|_| KeyFileError::Cipher)?;
        let mut document = Document {
            header,
            nonce: *nonce.as_ref(),
            ciphertext: sealed.to_vec(),
            sha256: [0; 32],
        };
        document.sha256 = document.checksum()?;
        Ok(Self(document))
    }

    /// Reads the bytes of a key file, and sees whether they are all there and
    /// unchanged.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, KeyFileError> {
        let document = match serde_json::from_slice::<Document>(bytes) {
            Ok(document) => document,
            Err(error) => return Err(unreadable(bytes, &error)),
        };
        let header = &document.header;
        if header.version != VERSION {
            return Err(KeyFileError::Version(header.version));
        }
        if document.checksum()? != document.sha256 {
            return Err(KeyFileError::Damaged("its checksum does not fit"));
        }
        if header.format != FORMAT || header.cipher != CIPHER {
            return Err(KeyFileError::Damaged("format and cipher are not ours"));
        }
        if let Lock::Passphrase { kdf, cost, .. } = &header.protection
            && (kdf != KDF || !cost.is_bearable())
        {
            return Err(KeyFileError::Damaged(
                "the parameters for the passphrase are not ours",
            ));
        }
        Ok(Self(document))
    }

    /// The bytes of the file.
    pub(super) fn to_bytes(&self) -> Result<Vec<u8>, KeyFileError> {
        let mut bytes = serde_json::to_vec_pretty(&self.0).map_err(|_| KeyFileError::Cipher)?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// How it is protected.
    pub(super) fn protection(&self) -> Protection {
        match self.0.header.protection {
            Lock::Passphrase { cost, .. } => Protection::Passphrase { cost },
            Lock::UnlockKey => Protection::UnlockKey,
        }
    }

    /// SHA-256 of the SubjectPublicKeyInfo of the key inside.
    pub(super) fn public_key_sha256(&self) -> [u8; 32] {
        self.0.header.public_key_sha256
    }

    /// Opens it.
    pub(super) fn open(&self, secret: Secret<'_>) -> Result<SoftwareKey, KeyFileError> {
        let header = &self.0.header;
        let cipher = cipher(header, secret)?;
        let mut bytes = Zeroizing::new(self.0.ciphertext.clone());
        let pkcs8 = cipher
            .open_in_place(
                Nonce::assume_unique_for_key(self.0.nonce),
                Aad::from(header.associated_data()?),
                &mut bytes,
            )
            .map_err(|_| match secret {
                Secret::Passphrase(_) => KeyFileError::WrongPassphrase,
                Secret::UnlockKey(_) => KeyFileError::WrongUnlockKey,
            })?;
        let key = SoftwareKey::from_pkcs8(header.key_type, pkcs8)?;
        if key.public_key().spki_sha256() != header.public_key_sha256 {
            return Err(KeyFileError::Damaged("it names another public key"));
        }
        Ok(key)
    }
}

impl Header {
    /// What the ciphertext is bound to.
    fn associated_data(&self) -> Result<Vec<u8>, KeyFileError> {
        serde_json::to_vec(self).map_err(|_| KeyFileError::Cipher)
    }
}

impl Document {
    fn checksum(&self) -> Result<[u8; 32], KeyFileError> {
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(&self.header.associated_data()?);
        context.update(&self.nonce);
        context.update(&self.ciphertext);
        let mut checksum = [0; 32];
        checksum.copy_from_slice(context.finish().as_ref());
        Ok(checksum)
    }
}

/// The cipher that the secret gives under this header.
fn cipher(header: &Header, secret: Secret<'_>) -> Result<RandomizedNonceKey, KeyFileError> {
    let new = |key: &[u8; 32]| {
        RandomizedNonceKey::new(&AES_256_GCM, key).map_err(|_| KeyFileError::Cipher)
    };
    match (&header.protection, secret) {
        (Lock::Passphrase { salt, cost, .. }, Secret::Passphrase(passphrase)) => {
            new(&*derive(passphrase, salt, *cost)?)
        }
        (Lock::UnlockKey, Secret::UnlockKey(key)) => new(key.key()),
        (Lock::Passphrase { .. }, Secret::UnlockKey(_)) => Err(KeyFileError::PassphraseNeeded),
        (Lock::UnlockKey, Secret::Passphrase(_)) => Err(KeyFileError::WrongUnlockKey),
    }
}

fn derive(
    passphrase: &Passphrase,
    salt: &[u8],
    cost: Cost,
) -> Result<Zeroizing<[u8; 32]>, KeyFileError> {
    Ok(passphrase.derive(salt, cost)?)
}

/// What to say of bytes that are no document of this version.
fn unreadable(bytes: &[u8], error: &serde_json::Error) -> KeyFileError {
    #[derive(Deserialize)]
    struct Outline {
        header: Version,
    }
    #[derive(Deserialize)]
    struct Version {
        version: u32,
    }
    match serde_json::from_slice::<Outline>(bytes) {
        Ok(outline) if outline.header.version != VERSION => {
            KeyFileError::Version(outline.header.version)
        }
        _ => KeyFileError::Unreadable(format!("line {}, column {}", error.line(), error.column())),
    }
}
