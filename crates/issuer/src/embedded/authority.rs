//! Making and opening the authority.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use reseal_pki::{
    profile::{AuthorityError, IssuingAuthority},
    serial::SerialError,
};

use super::{
    access::{Access, FileError, file_of, read_stored},
    certificates::{Certificates, Intermediate, root_and_first},
    folder::{
        Draft, Files, FolderError, INTERMEDIATE_CERTIFICATE, INTERMEDIATE_KEY, OWNER_ONLY, PUBLIC,
        ROOT_CERTIFICATE, ROOT_KEY, UNLOCK_KEY,
    },
    key::{KeyPlace, SigningKey},
    keyfile::{KeyFileError, StoredKey},
    pointer::{PointerError, Pointers},
    secret::{Passphrase, Secret, SecretError, UnlockKey},
    settings::{CaSettings, LONGEST_NAME},
    signer::SignError,
    token::Token,
};

/// What the keys of a new authority are called in a token, behind the prefix of the configuration.
pub(super) const ROOT_ROLE: &str = "root";
pub(super) const INTERMEDIATE_ROLE: &str = "intermediate";

/// What the key of the intermediate made as the `number`th, from 1, is called there.
pub(super) fn intermediate_role(number: usize) -> String {
    match number {
        0 | 1 => INTERMEDIATE_ROLE.to_owned(),
        later => format!("{INTERMEDIATE_ROLE}-{later}"),
    }
}

/// Why no authority was made. Nothing is left behind.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// The folder.
    #[error("the CA cannot be made: {0}")]
    Folder(#[from] FolderError),
    /// A name.
    #[error("the CA cannot be made: a name must have 1 to {LONGEST_NAME} characters, saw `{0}`")]
    Name(String),
    /// The country.
    #[error("the CA cannot be made: a country has two upper-case letters, saw `{0}`")]
    Country(String),
    /// `server.public_url`.
    #[error("the CA cannot be made: {0}")]
    Pointer(#[from] PointerError),
    /// A secret.
    #[error("the CA cannot be made: {0}")]
    Secret(#[from] SecretError),
    /// A key.
    #[error("the CA cannot be made: {0}")]
    Key(#[from] SignError),
    /// A key file.
    #[error("the CA cannot be made: {0}")]
    KeyFile(#[from] FileError),
    /// A serial number.
    #[error("the CA cannot be made: {0}")]
    Serial(#[from] SerialError),
    /// A certificate.
    #[error("the CA cannot be made: {0}")]
    Certificate(#[from] AuthorityError),
    /// What the linter found in it.
    #[error("the certificate is not signed: {0}")]
    Lint(String),
    /// The result does not hold together: a fault of this program.
    #[error("the CA cannot be made: {0}")]
    Result(#[from] OpenError),
}

/// Why an authority does not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A file.
    #[error("the CA cannot be opened: {0}")]
    Folder(#[from] FolderError),
    /// A certificate that is none, or not of an authority.
    #[error("the CA cannot be opened: `{file}`: {reason}")]
    Certificate {
        /// Name of the file.
        file: String,
        /// What is wrong.
        reason: String,
    },
    /// A key file.
    #[error("the CA cannot be opened: `{file}`: {source}")]
    Key {
        /// Name of the file.
        file: String,
        /// What is wrong.
        source: KeyFileError,
    },
    /// A key that is not its certificate's.
    #[error(
        "the CA cannot be opened: the key in `{key}` is not the one in `{certificate}`: files of \
         two CAs are mixed"
    )]
    Mismatch {
        /// Name of the key's file.
        key: String,
        /// Name of the certificate's file.
        certificate: String,
    },
}

/// The authority, the keys of its intermediates open.
#[derive(Debug)]
pub struct Authority {
    folder: PathBuf,
    root: IssuingAuthority,
    issuing: Opened,
    /// Those that issued before, in the order in which they were made.
    retired: Vec<(Intermediate, Option<SigningKey>)>,
    /// The token that was configured.
    token: Option<Token>,
}

/// An intermediate with its key.
pub(super) type Opened = (Intermediate, SigningKey);

impl Authority {
    /// Makes a root (20 years) and an issuing intermediate (10 years) into
    /// `folder`, which must not exist or be empty, and opens the result.
    ///
    /// All files appear in one stroke or not at all. Takes seconds for RSA.
    pub fn create(
        folder: &Path,
        settings: &CaSettings<'_>,
        now: Timestamp,
    ) -> Result<Self, CreateError> {
        let draft = Draft::begin(folder)?;
        let (access, algorithm) = (settings.access, settings.algorithm);
        let root_key = access.make(ROOT_ROLE, algorithm)?;
        let key = access.make(INTERMEDIATE_ROLE, algorithm)?;
        let subjects = [
            settings.subject(&settings.root_common_name)?,
            settings.subject(&settings.intermediate_common_name)?,
        ];
        let pointers = Pointers::new(settings.public_url)?;
        let (root, first) = root_and_first(&subjects, &root_key, key.public_key(), &pointers, now)?;
        for (name, authority) in [
            (ROOT_CERTIFICATE, &root),
            (INTERMEDIATE_CERTIFICATE, &first.authority),
        ] {
            draft.write(name, authority.certificate().pem().as_bytes(), PUBLIC)?;
        }
        let unlock_key = match access.passphrase() {
            None if access.makes_files() => {
                let generated = UnlockKey::generate()?;
                draft.write(UNLOCK_KEY, generated.text().as_bytes(), OWNER_ONLY)?;
                Some(generated)
            }
            _ => None,
        };
        let secret = || match (access.passphrase(), &unlock_key) {
            (_, Some(generated)) => Ok(Secret::UnlockKey(generated)),
            (Some(passphrase), None) => Ok(Secret::Passphrase(passphrase)),
            (None, None) => Err(SecretError::Empty.into()),
        };
        for (name, key) in [(ROOT_KEY, &root_key), (INTERMEDIATE_KEY, &key)] {
            draft.write(name, &file_of(key, secret)?, OWNER_ONLY)?;
        }
        draft.publish()?;
        Ok(Self {
            folder: folder.to_owned(),
            root,
            issuing: (first, key),
            retired: Vec::new(),
            token: access.token().cloned(),
        })
    }

    /// Opens the authority in `folder`: its certificates and the keys of its
    /// intermediates. The root's key stays closed, and may lie elsewhere (P-13), as may
    /// the key of an intermediate that issues no more.
    ///
    /// Each key file says what it needs of `access`. Takes as long as opening the key files does; a token is not asked
    /// before it has to sign.
    pub fn open<'a>(folder: &Path, access: impl Into<Access<'a>>) -> Result<Self, OpenError> {
        let access = access.into();
        let Certificates {
            root,
            intermediates,
        } = Certificates::read(folder)?;
        let mut opened = Vec::new();
        for intermediate in intermediates {
            let files = intermediate.files();
            let key = access.open(folder, &files, &intermediate.authority);
            opened.push((intermediate, key));
        }
        let (newest, key) = opened
            .pop()
            .ok_or(FolderError::Missing(folder.join(INTERMEDIATE_CERTIFICATE)))?;
        let retired = opened.into_iter().map(|(intermediate, key)| {
            let key = match key {
                Ok(key) => Some(key),
                Err(OpenError::Folder(FolderError::Missing(path)))
                    if path.ends_with(&intermediate.files().key) =>
                {
                    None
                }
                Err(error) => return Err(error),
            };
            Ok((intermediate, key))
        });
        Ok(Self {
            folder: folder.to_owned(),
            root,
            retired: retired.collect::<Result<_, _>>()?,
            issuing: (newest, key?),
            token: access.token().cloned(),
        })
    }

    /// Opens the root's key, for the few things that only the root may sign.
    pub fn open_root_key(&self, passphrase: Option<&Passphrase>) -> Result<SigningKey, OpenError> {
        Access::new(passphrase, self.token.as_ref()).open(&self.folder, &Files::root(), &self.root)
    }

    /// The root.
    pub fn root(&self) -> &IssuingAuthority {
        &self.root
    }

    /// The intermediate that issues: the one made last.
    pub fn intermediate(&self) -> &IssuingAuthority {
        &self.issuing.0.authority
    }

    /// Last second of the issuing certificate: nothing issued may outlive it.
    pub fn issuing_not_after(&self) -> Timestamp {
        self.intermediate().not_after()
    }

    /// The way to the root's key.
    pub(super) fn root_key(&self) -> RootKey {
        RootKey {
            folder: self.folder.clone(),
            root: self.root.clone(),
            passphrase_file: None,
            token: self.token.clone(),
        }
    }

    /// The one that issues, and those that did before.
    pub(super) fn into_intermediates(self) -> (Opened, Vec<(Intermediate, Option<SigningKey>)>) {
        (self.issuing, self.retired)
    }
}

/// The way to the root's key, which stays closed until something has to be signed with it.
#[derive(Clone, Debug)]
pub(super) struct RootKey {
    folder: PathBuf,
    root: IssuingAuthority,
    passphrase_file: Option<PathBuf>,
    token: Option<Token>,
}

impl RootKey {
    pub(super) fn with_passphrase_file(self, passphrase_file: Option<PathBuf>) -> Self {
        Self {
            passphrase_file,
            ..self
        }
    }

    /// Where it is.
    pub(super) fn place(&self) -> KeyPlace {
        let files = Files::root();
        match read_stored(&self.folder, &files, &self.root) {
            Ok(StoredKey::Sealed(_)) => KeyPlace::File,
            Ok(StoredKey::InToken(name)) => KeyPlace::Token {
                token: self.token.as_ref().map(|token| token.name().clone()),
                label: name.label().to_owned(),
            },
            Err(OpenError::Folder(FolderError::Missing(path))) if path.ends_with(&files.key) => {
                KeyPlace::Away
            }
            Err(error) => KeyPlace::Unreadable(error.to_string()),
        }
    }

    /// Opens it; takes as long as opening a key file does.
    pub(super) fn open(&self) -> Result<SigningKey, OpenError> {
        let failed = |error: SecretError| OpenError::Key {
            file: ROOT_KEY.to_owned(),
            source: error.into(),
        };
        let passphrase = self.passphrase_file.as_deref().map(Passphrase::read);
        let passphrase = passphrase.transpose().map_err(failed)?;
        let access = Access::new(passphrase.as_ref(), self.token.as_ref());
        access.open(&self.folder, &Files::root(), &self.root)
    }
}
