//! What keys of an authority are opened with, and where new ones are made.

use std::path::Path;

use reseal_pki::profile::IssuingAuthority;

use super::{
    authority::OpenError,
    folder::{self, Files, FolderError, UNLOCK_KEY},
    key::SigningKey,
    keyfile::{KeyFile, KeyFileError, Protection, StoredKey},
    secret::{Passphrase, Secret, SecretError, UnlockKey},
    signer::{KeyType, SignError, SoftwareKey},
    token::{Token, TokenError, TokenKeyFile},
};

/// What the keys are opened with. Each key file says what it needs of it; where new keys go is said here.
#[derive(Clone, Copy, Debug, Default)]
pub struct Access<'a> {
    passphrase: Option<&'a Passphrase>,
    token: Option<&'a Token>,
    makes_in_token: bool,
}

impl<'a> From<Option<&'a Passphrase>> for Access<'a> {
    fn from(passphrase: Option<&'a Passphrase>) -> Self {
        Self {
            passphrase,
            ..Self::default()
        }
    }
}

impl<'a> Access<'a> {
    /// `passphrase` is what `ca.passphrase_file` holds, `token` the token that is configured; new keys are made in files.
    pub fn new(passphrase: Option<&'a Passphrase>, token: Option<&'a Token>) -> Self {
        Self {
            passphrase,
            token,
            makes_in_token: false,
        }
    }

    /// The same; new keys are made in the token.
    #[must_use]
    pub fn making_in_token(self) -> Self {
        Self {
            makes_in_token: true,
            ..self
        }
    }

    pub(super) fn passphrase(self) -> Option<&'a Passphrase> {
        self.passphrase
    }

    pub(super) fn token(self) -> Option<&'a Token> {
        self.token
    }

    /// The token, for making or taking in keys.
    pub(super) fn required_token(self) -> Result<&'a Token, TokenError> {
        self.token.ok_or(TokenError::NotConfigured)
    }

    /// Whether new keys go into files.
    pub(super) fn makes_files(self) -> bool {
        !self.makes_in_token
    }

    /// A new key. In a token it is labelled for `role`, and one that has that label already is taken: made by the token's
    /// own tool, or by an attempt that was interrupted.
    pub(super) fn make(self, role: &str, algorithm: KeyType) -> Result<SigningKey, SignError> {
        if self.makes_files() {
            return Ok(SigningKey::Software(SoftwareKey::generate(algorithm)?));
        }
        let key = self.required_token()?.find_or_make(role, algorithm)?;
        Ok(SigningKey::Token(key))
    }

    /// Opens the key of `authority` with whatever its file asks for. A key in a token is named only: it is not asked before
    /// something is to be signed.
    pub(super) fn open(
        self,
        folder: &Path,
        files: &Files,
        authority: &IssuingAuthority,
    ) -> Result<SigningKey, OpenError> {
        let failed = |source| OpenError::Key {
            file: files.key.clone(),
            source,
        };
        let stored = read_stored(folder, files, authority)?;
        let key_file = match &stored {
            StoredKey::Sealed(key_file) => key_file,
            StoredKey::InToken(name) => {
                let named = self
                    .required_token()
                    .map_err(KeyFileError::from)
                    .and_then(|token| name.key(token, authority.public_key()));
                return named.map(SigningKey::Token).map_err(failed);
            }
        };
        let opened = match stored.protection() {
            Protection::UnlockKey => {
                let unlock_key = UnlockKey::parse(&folder::read(folder, UNLOCK_KEY)?)
                    .map_err(|error| failed(error.into()))?;
                key_file.open(Secret::UnlockKey(&unlock_key))
            }
            Protection::Passphrase { .. } | Protection::Token => self
                .passphrase
                .ok_or(KeyFileError::PassphraseNeeded)
                .and_then(|passphrase| key_file.open(Secret::Passphrase(passphrase))),
        };
        opened.map(SigningKey::Software).map_err(failed)
    }
}

/// Reads a key file, still closed, and holds it against its certificate.
pub(super) fn read_stored(
    folder: &Path,
    files: &Files,
    authority: &IssuingAuthority,
) -> Result<StoredKey, OpenError> {
    let stored =
        StoredKey::parse(&folder::read(folder, &files.key)?).map_err(|source| OpenError::Key {
            file: files.key.clone(),
            source,
        })?;
    if stored.public_key_sha256() == authority.public_key().spki_sha256() {
        Ok(stored)
    } else {
        Err(OpenError::Mismatch {
            key: files.key.clone(),
            certificate: files.certificate.clone(),
        })
    }
}

/// Why there is no file for a key.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// What protects it.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The file of that.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The file itself.
    #[error(transparent)]
    KeyFile(#[from] KeyFileError),
}

/// The file of `key`: closed with what `secret` gives, or, of one in a token, its name.
pub(super) fn file_of<'s>(
    key: &SigningKey,
    secret: impl FnOnce() -> Result<Secret<'s>, FileError>,
) -> Result<Vec<u8>, FileError> {
    Ok(match key {
        SigningKey::Software(key) => KeyFile::seal(key, secret()?)?.to_bytes()?,
        SigningKey::Token(key) => TokenKeyFile::of(key)?.to_bytes()?,
    })
}
