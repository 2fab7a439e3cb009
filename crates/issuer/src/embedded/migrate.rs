//! Migration: a key that was made in a file goes into a token, and the file names it from then on.
//!
//! The token takes the key in first, and shows by a signature that it is the certificate's; then one rename replaces the
//! file. Killed before that, the CA opens with the file as it was, and the next attempt finds the key in the token; after it,
//! with the token. There is no way back: nothing that a token holds comes out of it.

use std::path::{Path, PathBuf};

use reseal_pki::profile::IssuingAuthority;

use super::{
    access::{Access, FileError, file_of, read_stored},
    authority::{OpenError, ROOT_ROLE, intermediate_role},
    certificates::Certificates,
    folder::{self, Files, FolderError, Lock, OWNER_ONLY},
    key::SigningKey,
    keyfile::StoredKey,
    secret::SecretError,
    token::{TokenError, TokenKey},
};

/// Why a key was not migrated. Its file is what it was.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The authority, or the key.
    #[error("the key is not migrated: {0}")]
    Present(#[from] OpenError),
    /// The folder.
    #[error("the key is not migrated: {0}")]
    Folder(#[from] FolderError),
    /// The token.
    #[error("the key is not migrated: {0}")]
    Token(#[from] TokenError),
    /// The file that names it.
    #[error("the key is not migrated: {0}")]
    File(#[from] FileError),
}

/// The keys of an authority that lie in files and may go into a token.
#[derive(Debug)]
pub struct Migration {
    folder: PathBuf,
    waiting: Vec<(String, Files, IssuingAuthority)>,
    _lock: Lock,
}

/// A key that the token has taken in; its file is still what it was.
#[derive(Debug)]
pub struct Migrated {
    folder: PathBuf,
    files: Files,
    authority: IssuingAuthority,
    key: TokenKey,
}

impl Migration {
    /// Finds the keys in `folder` that lie in files: of the root, if it is here, and of every intermediate.
    ///
    /// # Errors
    /// When the authority, or one of the files, cannot be read.
    pub fn prepare(folder: &Path) -> Result<Self, MigrateError> {
        let lock = folder::lock(folder)?;
        let Certificates {
            root,
            intermediates,
        } = Certificates::read(folder)?;
        let mut all = vec![(ROOT_ROLE.to_owned(), Files::root(), root)];
        for (number, one) in (1..).zip(intermediates) {
            all.push((intermediate_role(number), one.files(), one.authority));
        }
        let mut waiting = Vec::new();
        for (role, files, authority) in all {
            match read_stored(folder, &files, &authority) {
                Ok(StoredKey::Sealed(_)) => waiting.push((role, files, authority)),
                Ok(StoredKey::InToken(_)) => {}
                Err(OpenError::Folder(FolderError::Missing(path)))
                    if path.ends_with(&files.key) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Self {
            folder: folder.to_owned(),
            waiting,
            _lock: lock,
        })
    }

    /// Names of the files of those that are left.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        self.waiting.iter().map(|(_, files, _)| files.key.as_str())
    }

    /// Has the token take in the next one, and prove that it has it; `None` when none is left.
    ///
    /// # Errors
    /// When the key does not open, or the token does not take it.
    pub fn next(&mut self, access: Access<'_>) -> Result<Option<Migrated>, MigrateError> {
        let Some((role, files, authority)) = self.waiting.pop() else {
            return Ok(None);
        };
        let token = access.required_token()?;
        let key = match access.open(&self.folder, &files, &authority)? {
            SigningKey::Software(key) => token.take_in(&role, &key)?,
            SigningKey::Token(key) => key,
        };
        Ok(Some(Migrated {
            folder: self.folder.clone(),
            files,
            authority,
            key,
        }))
    }
}

impl Migrated {
    /// The certificate of the key.
    pub fn authority(&self) -> &IssuingAuthority {
        &self.authority
    }

    /// The key in the token.
    pub fn key(&self) -> &TokenKey {
        &self.key
    }

    /// Name of the key's file.
    pub fn file(&self) -> &str {
        &self.files.key
    }

    /// Replaces the file, durably: from here on the token signs.
    ///
    /// # Errors
    /// When the system refuses. The file is what it was.
    pub fn publish(self) -> Result<(), MigrateError> {
        let key = SigningKey::Token(self.key);
        // It names the key only: nothing is closed.
        let name = file_of(&key, || Err(SecretError::Empty.into()))?;
        folder::place(&self.folder, &self.files.key, &name, OWNER_ONLY)?;
        Ok(())
    }
}
