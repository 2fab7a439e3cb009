//! Making and opening the authority.

use std::{
    fmt::Display,
    path::{Path, PathBuf},
};

use jiff::{SignedDuration, Timestamp};
use reseal_pki::{
    certificate::{Certificate, assemble},
    key::verify_signature,
    profile::{
        AuthorityError, INTERMEDIATE_LIFETIME, IntermediateUrls, IssuingAuthority, ROOT_LIFETIME,
        SignatureAlgorithm, Validity, intermediate_tbs, root_tbs,
    },
    serial::{Serial, SerialError},
};
use x509_cert::der::Decode as _;

use super::{
    folder::{
        self, Draft, FolderError, INTERMEDIATE_CERTIFICATE, INTERMEDIATE_KEY, OWNER_ONLY, PUBLIC,
        ROOT_CERTIFICATE, ROOT_KEY, UNLOCK_KEY,
    },
    keyfile::{KeyFile, KeyFileError, Protection},
    pointer::{PointerError, Pointers},
    secret::{Passphrase, Secret, SecretError, UnlockKey},
    settings::{CaSettings, LONGEST_NAME},
    signer::{SignError, SoftwareKey},
};

/// The authority's certificates begin before they were made, so that a leaf that
/// is backdated within the same hour still lies inside them (V-9, V-10).
const BACKDATING: SignedDuration = SignedDuration::from_hours(1);

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
    KeyFile(#[from] KeyFileError),
    /// A serial number.
    #[error("the CA cannot be made: {0}")]
    Serial(#[from] SerialError),
    /// A certificate.
    #[error("the CA cannot be made: {0}")]
    Certificate(#[from] AuthorityError),
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
        file: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// A key file.
    #[error("the CA cannot be opened: `{file}`: {source}")]
    Key {
        /// Name of the file.
        file: &'static str,
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
        key: &'static str,
        /// Name of the certificate's file.
        certificate: &'static str,
    },
}

/// The authority, its intermediate's key open.
#[derive(Debug)]
pub struct Authority {
    folder: PathBuf,
    certificates: Certificates,
    key: SoftwareKey,
}

/// Both certificates, checked against each other.
#[derive(Debug)]
pub(super) struct Certificates {
    pub(super) root: IssuingAuthority,
    pub(super) intermediate: IssuingAuthority,
}

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
        let root_key = SoftwareKey::generate(settings.algorithm)?;
        let key = SoftwareKey::generate(settings.algorithm)?;
        let certificates = certify(settings, &root_key, &key, now)?;
        for (name, authority) in [
            (ROOT_CERTIFICATE, &certificates.root),
            (INTERMEDIATE_CERTIFICATE, &certificates.intermediate),
        ] {
            draft.write(name, authority.certificate().pem().as_bytes(), PUBLIC)?;
        }
        let unlock_key = match settings.passphrase {
            Some(_) => None,
            None => Some(UnlockKey::generate()?),
        };
        let secret = match (settings.passphrase, &unlock_key) {
            (_, Some(generated)) => {
                draft.write(UNLOCK_KEY, generated.text().as_bytes(), OWNER_ONLY)?;
                Secret::UnlockKey(generated)
            }
            (Some(passphrase), None) => Secret::Passphrase(passphrase),
            (None, None) => return Err(SecretError::Empty.into()),
        };
        for (name, key) in [(ROOT_KEY, &root_key), (INTERMEDIATE_KEY, &key)] {
            draft.write(name, &KeyFile::seal(key, secret)?.to_bytes()?, OWNER_ONLY)?;
        }
        draft.publish()?;
        Ok(Self {
            folder: folder.to_owned(),
            certificates,
            key,
        })
    }

    /// Opens the authority in `folder`: both certificates and the intermediate's
    /// key. The root's key stays closed, and may lie elsewhere (P-13).
    ///
    /// `passphrase` is what `ca.passphrase_file` holds; not used when the keys
    /// are protected by `unlock.key`. Takes as long as opening a key file does.
    pub fn open(folder: &Path, passphrase: Option<&Passphrase>) -> Result<Self, OpenError> {
        let certificates = Certificates::read(folder)?;
        let key = open_key(
            folder,
            (INTERMEDIATE_KEY, INTERMEDIATE_CERTIFICATE),
            &certificates.intermediate,
            passphrase,
        )?;
        Ok(Self {
            folder: folder.to_owned(),
            certificates,
            key,
        })
    }

    /// Opens the root's key, for the few things that only the root may sign.
    pub fn open_root_key(&self, passphrase: Option<&Passphrase>) -> Result<SoftwareKey, OpenError> {
        open_key(
            &self.folder,
            (ROOT_KEY, ROOT_CERTIFICATE),
            &self.certificates.root,
            passphrase,
        )
    }

    /// The root.
    pub fn root(&self) -> &IssuingAuthority {
        &self.certificates.root
    }

    /// The intermediate, which issues.
    pub fn intermediate(&self) -> &IssuingAuthority {
        &self.certificates.intermediate
    }

    /// Last second of the issuing certificate: nothing issued may outlive it.
    pub fn issuing_not_after(&self) -> Timestamp {
        self.certificates.intermediate.not_after()
    }

    /// Where its files are.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The issuing certificate and its key.
    pub(super) fn into_parts(self) -> (Certificates, SoftwareKey) {
        (self.certificates, self.key)
    }
}

/// The way to the root's key, which stays closed until something has to be signed with it.
#[derive(Clone, Debug)]
pub(super) struct RootKey {
    folder: PathBuf,
    root: IssuingAuthority,
    passphrase_file: Option<PathBuf>,
}

impl RootKey {
    pub(super) fn in_folder(folder: PathBuf, root: IssuingAuthority) -> Self {
        Self {
            folder,
            root,
            passphrase_file: None,
        }
    }

    pub(super) fn with_passphrase_file(self, passphrase_file: Option<PathBuf>) -> Self {
        Self {
            passphrase_file,
            ..self
        }
    }

    /// Opens it; takes as long as opening a key file does.
    pub(super) fn open(&self) -> Result<SoftwareKey, OpenError> {
        let failed = |error: SecretError| OpenError::Key {
            file: ROOT_KEY,
            source: error.into(),
        };
        let passphrase = self.passphrase_file.as_deref().map(Passphrase::read);
        let passphrase = passphrase.transpose().map_err(failed)?;
        open_key(
            &self.folder,
            (ROOT_KEY, ROOT_CERTIFICATE),
            &self.root,
            passphrase.as_ref(),
        )
    }
}

fn certify(
    settings: &CaSettings<'_>,
    root_key: &SoftwareKey,
    key: &SoftwareKey,
    now: Timestamp,
) -> Result<Certificates, CreateError> {
    let pointers = Pointers::new(settings.public_url)?;
    let not_before = now.saturating_sub(BACKDATING).unwrap_or(Timestamp::MIN);
    let signed = |tbs: &[u8]| -> Result<Vec<u8>, CreateError> {
        let algorithm =
            SignatureAlgorithm::for_key(root_key.public_key()).ok_or(AuthorityError::Key)?;
        Ok(assemble(tbs, algorithm, &root_key.sign_here(tbs)?))
    };
    let root = signed(&root_tbs(
        &settings.subject(&settings.root_common_name)?,
        root_key.public_key().spki_der(),
        &Serial::random()?,
        Validity::new(not_before, ROOT_LIFETIME),
    )?)?;
    let root = authority(ROOT_CERTIFICATE, &root)?;
    let intermediate = signed(&intermediate_tbs(
        &settings.subject(&settings.intermediate_common_name)?,
        key.public_key().spki_der(),
        &Serial::random()?,
        Validity::new(not_before, INTERMEDIATE_LIFETIME),
        &root,
        IntermediateUrls {
            crl: &pointers.root_crl(),
            ca_issuers: &pointers.root(),
        },
    )?)?;
    let intermediate = authority(INTERMEDIATE_CERTIFICATE, &intermediate)?;
    Ok(Certificates::checked(root, intermediate)?)
}

impl Certificates {
    pub(super) fn read(folder: &Path) -> Result<Self, OpenError> {
        Self::checked(
            read_authority(folder, ROOT_CERTIFICATE)?,
            read_authority(folder, INTERMEDIATE_CERTIFICATE)?,
        )
    }

    fn checked(root: IssuingAuthority, intermediate: IssuingAuthority) -> Result<Self, OpenError> {
        verify(ROOT_CERTIFICATE, &root, &root)?;
        verify(INTERMEDIATE_CERTIFICATE, &intermediate, &root)?;
        Ok(Self { root, intermediate })
    }
}

fn read_authority(folder: &Path, file: &'static str) -> Result<IssuingAuthority, OpenError> {
    let bytes = folder::read(folder, file)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| unusable(file, "it is not PEM"))?;
    let certificate = Certificate::from_pem_or_der(text).map_err(|error| unusable(file, error))?;
    authority(file, certificate.der())
}

fn authority(file: &'static str, der: &[u8]) -> Result<IssuingAuthority, OpenError> {
    IssuingAuthority::from_der(der).map_err(|error| unusable(file, error))
}

fn verify(
    file: &'static str,
    subject: &IssuingAuthority,
    issuer: &IssuingAuthority,
) -> Result<(), OpenError> {
    let signed = x509_cert::Certificate::from_der(subject.certificate_der())
        .map_err(|error| unusable(file, error))?;
    verify_signature(
        issuer.public_key(),
        issuer.signature_algorithm().algorithm_identifier(),
        subject.certificate().tbs_der(),
        signed.signature().raw_bytes(),
    )
    .map_err(|_| unusable(file, format!("`{ROOT_CERTIFICATE}` did not sign it")))
}

fn unusable(file: &'static str, reason: impl Display) -> OpenError {
    OpenError::Certificate {
        file,
        reason: reason.to_string(),
    }
}

/// Reads a key file, still closed, and holds it against its certificate.
pub(super) fn read_key_file(
    folder: &Path,
    (file, certificate): (&'static str, &'static str),
    authority: &IssuingAuthority,
) -> Result<KeyFile, OpenError> {
    let key_file = KeyFile::parse(&folder::read(folder, file)?)
        .map_err(|source| OpenError::Key { file, source })?;
    if key_file.public_key_sha256() == authority.public_key().spki_sha256() {
        Ok(key_file)
    } else {
        Err(OpenError::Mismatch {
            key: file,
            certificate,
        })
    }
}

/// Opens a key file with whatever it is protected by.
pub(super) fn open_key(
    folder: &Path,
    files: (&'static str, &'static str),
    authority: &IssuingAuthority,
    passphrase: Option<&Passphrase>,
) -> Result<SoftwareKey, OpenError> {
    let key_file = read_key_file(folder, files, authority)?;
    let failed = |source| OpenError::Key {
        file: files.0,
        source,
    };
    match key_file.protection() {
        Protection::Passphrase { .. } => {
            let passphrase = passphrase.ok_or_else(|| failed(KeyFileError::PassphraseNeeded))?;
            key_file
                .open(Secret::Passphrase(passphrase))
                .map_err(failed)
        }
        Protection::UnlockKey => {
            let unlock_key = UnlockKey::parse(&folder::read(folder, UNLOCK_KEY)?)
                .map_err(|error| failed(error.into()))?;
            key_file
                .open(Secret::UnlockKey(&unlock_key))
                .map_err(failed)
        }
    }
}
