//! Rotation: another intermediate under the same root, which issues from the next start on.
//!
//! What issued before stays: its certificates are good to their end, so its lists are signed until then and its
//! certificate is served. Nothing that is there is changed.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use reseal_pki::profile::{CaSubject, IssuingAuthority};

use super::{
    access::{Access, FileError, file_of},
    authority::{CreateError, OpenError, intermediate_role},
    ceremony,
    certificates::{BACKDATING, Certificates, Intermediate, intermediate},
    folder::{self, Files, FolderError, Lock, OWNER_ONLY, PUBLIC, UNLOCK_KEY},
    inspect::ROTATION_DUE,
    key::SigningKey,
    pointer::{PointerError, Pointers},
    secret::{Secret, SecretError, UnlockKey},
    settings::later_common_name,
    signer::{KeyType, SignError},
};

/// Why there is no new intermediate. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum RotateError {
    /// It would do harm.
    #[error("the CA is not rotated: {0}")]
    Refused(String),
    /// The present authority, or the root's key.
    #[error("the CA is not rotated: {0}")]
    Present(#[from] OpenError),
    /// The folder.
    #[error("the CA is not rotated: {0}")]
    Folder(#[from] FolderError),
    /// `server.public_url`.
    #[error("the CA is not rotated: {0}")]
    Pointer(#[from] PointerError),
    /// What protects the new key.
    #[error("the CA is not rotated: {0}")]
    Secret(#[from] SecretError),
    /// The new key.
    #[error("the CA is not rotated: {0}")]
    Key(#[from] SignError),
    /// The new key's file.
    #[error("the CA is not rotated: {0}")]
    KeyFile(#[from] FileError),
    /// The new certificate.
    #[error(transparent)]
    Certificate(#[from] CreateError),
}

/// What the new intermediate is to be.
#[derive(Debug)]
pub struct RotationSettings<'a> {
    /// Type of its key.
    pub algorithm: KeyType,
    /// Opens the root's key; where the new one is made, and what protects it: without a passphrase, `unlock.key` does.
    pub access: Access<'a>,
    /// `server.public_url`: the new certificate points below it for ever.
    pub public_url: &'a str,
}

/// A new intermediate of which nothing is in its place yet. Dropped, it never was.
#[derive(Debug)]
pub struct Rotation {
    folder: PathBuf,
    new: Intermediate,
    /// `None` when it is there already.
    key_file: Option<Vec<u8>>,
    _lock: Lock,
}

impl Rotation {
    /// Makes a key and has the root sign its certificate: ten years from `now`, or to the root's end.
    ///
    /// Takes as long as opening and making a key does.
    ///
    /// # Errors
    /// [`RotateError::Refused`] when the new intermediate would not be the newest by its dates, or the root ends soon.
    pub fn prepare(
        folder: &Path,
        settings: &RotationSettings<'_>,
        now: Timestamp,
    ) -> Result<Self, RotateError> {
        let lock = folder::lock(folder)?;
        let Certificates {
            root,
            intermediates,
        } = Certificates::read(folder)?;
        check_dates(&root, &intermediates, now)?;
        let access = settings.access;
        let root_key = access.open(folder, &Files::root(), &root)?;
        let key = new_key(access, settings.algorithm, &root, &intermediates)?;
        let subject = new_subject(&root)?;
        let pointers = Pointers::new(settings.public_url)?;
        let made = intermediate(
            (&root, &root_key),
            &subject,
            key.public_key(),
            &pointers,
            now,
        )?;
        Ok(Self {
            folder: folder.to_owned(),
            new: Intermediate::new(made, false),
            key_file: Some(file(folder, &key, access)?),
            _lock: lock,
        })
    }

    /// The same with the certificate in `text` (PEM), which the root signed elsewhere for a key that waits in `folder`.
    ///
    /// # Errors
    /// [`RotateError::Refused`] when the root did not sign it, it does not become the newest, or its key is not here.
    pub fn with_certificate<'a>(
        folder: &Path,
        text: &str,
        access: impl Into<Access<'a>>,
        now: Timestamp,
    ) -> Result<Self, RotateError> {
        let lock = folder::lock(folder)?;
        Ok(Self {
            new: ceremony::accepted(folder, text, access.into(), now)?,
            folder: folder.to_owned(),
            key_file: None,
            _lock: lock,
        })
    }

    /// The new certificate.
    pub fn certificate(&self) -> &IssuingAuthority {
        &self.new.authority
    }

    /// What it is called in the names of lists, files and addresses.
    pub fn id(&self) -> String {
        self.new.id()
    }

    /// Puts key and certificate into the folder, durably: from here on it is the one that issues.
    ///
    /// # Errors
    /// When the system refuses. A key without its certificate means nothing.
    pub fn publish(self) -> Result<(), RotateError> {
        let files = self.new.files();
        let certificate = self.certificate().certificate().pem();
        if let Some(key_file) = &self.key_file {
            folder::place(&self.folder, &files.key, key_file, OWNER_ONLY)?;
        }
        folder::place(
            &self.folder,
            &files.certificate,
            certificate.as_bytes(),
            PUBLIC,
        )?;
        Ok(())
    }
}

/// Intermediates are told apart by their begin, and none may outlive the root.
pub(super) fn check_dates(
    root: &IssuingAuthority,
    intermediates: &[Intermediate],
    now: Timestamp,
) -> Result<(), RotateError> {
    let refused = |text: String| Err(RotateError::Refused(text));
    let newest = intermediates.last().map(|one| one.authority.not_before());
    let begin = now.saturating_sub(BACKDATING).unwrap_or(Timestamp::MIN);
    if let Some(newest) = newest.filter(|newest| begin.as_second() < newest.as_second()) {
        return refused(format!(
            "the present intermediate begins at {newest}, and a new one would begin before it, at {begin:.0}: set the clock \
             right"
        ));
    }
    let end = root.not_after();
    if now.duration_until(end) < ROTATION_DUE {
        return refused(format!(
            "the root ends at {end}, and nothing below it can last longer: a new CA is needed, with a root that everybody \
             has to be told of"
        ));
    }
    Ok(())
}

/// What a new intermediate below `root` is called.
pub(super) fn new_subject(root: &IssuingAuthority) -> Result<CaSubject, RotateError> {
    Ok(CaSubject {
        common_name: later_common_name()?,
        organization: of_root(root, "O", root.certificate().organization())?,
        country: of_root(root, "C", root.certificate().country())?,
    })
}

/// An attribute that the intermediate shares with its root.
fn of_root(
    root: &IssuingAuthority,
    attribute: &str,
    value: Option<&str>,
) -> Result<String, RotateError> {
    value.map(str::to_owned).ok_or_else(|| {
        let subject = root.certificate().subject();
        RotateError::Refused(format!("the root's name `{subject}` has no {attribute}"))
    })
}

/// A key that no certificate of the authority has yet.
pub(super) fn new_key(
    access: Access<'_>,
    algorithm: KeyType,
    root: &IssuingAuthority,
    intermediates: &[Intermediate],
) -> Result<SigningKey, RotateError> {
    let role = intermediate_role(intermediates.len() + 1);
    let key = access.make(&role, algorithm)?;
    let hash = key.public_key().spki_sha256();
    let authorities = intermediates.iter().map(|one| &one.authority);
    // In a token a key may be there under that label.
    let is_in_use = |authority: &IssuingAuthority| authority.public_key().spki_sha256() == hash;
    if [root].into_iter().chain(authorities).any(is_in_use) {
        return Err(RotateError::Refused(format!(
            "the token's key for the role `{role}` has a certificate of this CA already: each needs a key of its own"
        )));
    }
    Ok(key)
}

/// The new key's file, closed as the operator wants keys to be closed now.
pub(super) fn file(
    folder: &Path,
    key: &SigningKey,
    access: Access<'_>,
) -> Result<Vec<u8>, RotateError> {
    if let Some(passphrase) = access.passphrase() {
        return Ok(file_of(key, || Ok(Secret::Passphrase(passphrase)))?);
    }
    let unlock_key = match key {
        SigningKey::Software(_) => Some(unlock_key(folder)?),
        SigningKey::Token(_) => None,
    };
    let secret = || match &unlock_key {
        Some(unlock_key) => Ok(Secret::UnlockKey(unlock_key)),
        None => Err(SecretError::Empty.into()),
    };
    Ok(file_of(key, secret)?)
}

/// A CA that was made in a token has none.
fn unlock_key(folder: &Path) -> Result<UnlockKey, RotateError> {
    match folder::read(folder, UNLOCK_KEY) {
        Ok(text) => Ok(UnlockKey::parse(&text)?),
        Err(FolderError::Missing(path)) => Err(RotateError::Refused(format!(
            "there is nothing to encrypt the new key under: set `ca.passphrase_file`, or bring back `{}`",
            path.display()
        ))),
        Err(error) => Err(error.into()),
    }
}
