//! The authority's certificates: making them, and reading them so that each is held against what signed it.

use std::{fmt::Display, path::Path};

use jiff::{SignedDuration, Timestamp};
use reseal_pki::{
    certificate::Certificate,
    key::{PublicKey, verify_signature},
    lint::{Finding, Linted, lint_intermediate, lint_root},
    profile::{
        CaSubject, INTERMEDIATE_LIFETIME, IntermediateUrls, IssuingAuthority, ROOT_LIFETIME,
        Validity, authority_key_identifier, intermediate_tbs, root_tbs,
    },
    serial::Serial,
};
use x509_cert::der::Decode as _;

use super::{
    authority::{CreateError, OpenError},
    folder::{self, Files, INTERMEDIATE_CERTIFICATE, ROOT_CERTIFICATE},
    key::SigningKey,
    pointer::Pointers,
};

/// The authority's certificates begin before they were made, so that a leaf that
/// is backdated within the same hour still lies inside them (V-9, V-10).
pub(super) const BACKDATING: SignedDuration = SignedDuration::from_hours(1);

/// Bytes of the key identifier that name an issuing authority in addresses and files.
const ID_LENGTH: usize = 8;

/// All certificates, the intermediates held against the root.
#[derive(Debug)]
pub(super) struct Certificates {
    pub(super) root: IssuingAuthority,
    /// In the order in which they were made: the last one issues. Never empty.
    pub(super) intermediates: Vec<Intermediate>,
}

/// An intermediate without its key.
#[derive(Clone, Debug)]
pub(super) struct Intermediate {
    pub(super) authority: IssuingAuthority,
    /// Whether it was made together with the root.
    pub(super) is_first: bool,
}

impl Intermediate {
    pub(super) fn new(authority: IssuingAuthority, is_first: bool) -> Self {
        Self {
            authority,
            is_first,
        }
    }

    /// Names it in addresses, for ever.
    pub(super) fn id(&self) -> String {
        id(self.authority.ski())
    }

    pub(super) fn files(&self) -> Files {
        if self.is_first {
            Files::first()
        } else {
            Files::later(&self.id())
        }
    }
}

impl Certificates {
    pub(super) fn read(folder: &Path) -> Result<Self, OpenError> {
        let root = read_root(folder)?;
        let first = read_authority(folder, INTERMEDIATE_CERTIFICATE)?;
        verify(INTERMEDIATE_CERTIFICATE, &first, &root)?;
        let mut intermediates = vec![Intermediate::new(first, true)];
        for id in folder::later_ids(folder, ".pem")? {
            let name = Files::later(&id).certificate;
            let later = Intermediate::new(read_authority(folder, &name)?, false);
            verify(&name, &later.authority, &root)?;
            if later.id() != id {
                let reason = format!("its key has the identifier {}", later.id());
                return Err(unusable(&name, reason));
            }
            intermediates.push(later);
        }
        // The first one stays before those of the same second.
        intermediates.sort_by_key(|one| one.authority.not_before());
        Ok(Self {
            root,
            intermediates,
        })
    }
}

/// The identifier of an intermediate with this key.
pub(super) fn id_of_key(key: &PublicKey) -> String {
    id(&authority_key_identifier(key))
}

fn id(ski: &[u8]) -> String {
    hex::encode(&ski[..ID_LENGTH.min(ski.len())])
}

/// The root, which may be all that there is.
pub(super) fn read_root(folder: &Path) -> Result<IssuingAuthority, OpenError> {
    let root = read_authority(folder, ROOT_CERTIFICATE)?;
    verify(ROOT_CERTIFICATE, &root, &root)?;
    Ok(root)
}

/// A new root and its first intermediate.
pub(super) fn root_and_first(
    subjects: &[CaSubject; 2],
    root_key: &SigningKey,
    public_key: &PublicKey,
    pointers: &Pointers,
    now: Timestamp,
) -> Result<(IssuingAuthority, Intermediate), CreateError> {
    let [root_subject, subject] = subjects;
    let tbs = root_tbs(
        root_subject,
        root_key.public_key().spki_der(),
        &Serial::random()?,
        Validity::new(begin(now), ROOT_LIFETIME),
    )?;
    let linted = lint_root(tbs, root_key.public_key()).map_err(|found| breach(&found))?;
    let root = signed(linted, root_key)?;
    let root = authority(ROOT_CERTIFICATE, &root)?;
    verify(ROOT_CERTIFICATE, &root, &root)?;
    let first = intermediate((&root, root_key), subject, public_key, pointers, now)?;
    Ok((root, Intermediate::new(first, true)))
}

/// An intermediate for `public_key`, signed by the root; it ends no later than the root.
pub(super) fn intermediate(
    (root, root_key): (&IssuingAuthority, &SigningKey),
    subject: &CaSubject,
    public_key: &PublicKey,
    pointers: &Pointers,
    now: Timestamp,
) -> Result<IssuingAuthority, CreateError> {
    let tbs = intermediate_tbs(
        subject,
        public_key.spki_der(),
        &Serial::random()?,
        Validity::new(begin(now), INTERMEDIATE_LIFETIME).ending_by(root.not_after()),
        root,
        IntermediateUrls {
            crl: &pointers.root_crl(),
            ca_issuers: &pointers.root(),
        },
    )?;
    let linted = lint_intermediate(tbs, root).map_err(|found| breach(&found))?;
    let made = authority(INTERMEDIATE_CERTIFICATE, &signed(linted, root_key)?)?;
    verify(INTERMEDIATE_CERTIFICATE, &made, root)?;
    Ok(made)
}

fn begin(now: Timestamp) -> Timestamp {
    now.saturating_sub(BACKDATING).unwrap_or(Timestamp::MIN)
}

fn signed(linted: Linted, root_key: &SigningKey) -> Result<Vec<u8>, CreateError> {
    let signature = root_key.sign_here(linted.tbs())?;
    Ok(linted.finish(&signature))
}

fn breach(found: &[Finding]) -> CreateError {
    let found: Vec<String> = found
        .iter()
        .map(|finding| format!("{} [{}]", finding.message, finding.rule))
        .collect();
    CreateError::Lint(found.join("; "))
}

/// Why the linter would not have `intermediate` signed by `root` today, if so.
pub(super) fn breaches(
    intermediate: &IssuingAuthority,
    root: &IssuingAuthority,
) -> Result<(), CreateError> {
    let tbs = intermediate.certificate().tbs_der().to_vec();
    lint_intermediate(tbs, root).map_err(|found| breach(&found))?;
    Ok(())
}

fn read_authority(folder: &Path, file: &str) -> Result<IssuingAuthority, OpenError> {
    let bytes = folder::read(folder, file)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| unusable(file, "it is not PEM"))?;
    let certificate = Certificate::from_pem_or_der(text).map_err(|error| unusable(file, error))?;
    authority(file, certificate.der())
}

fn authority(file: &str, der: &[u8]) -> Result<IssuingAuthority, OpenError> {
    IssuingAuthority::from_der(der).map_err(|error| unusable(file, error))
}

fn verify(
    file: &str,
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

fn unusable(file: &str, reason: impl Display) -> OpenError {
    OpenError::Certificate {
        file: file.to_owned(),
        reason: reason.to_string(),
    }
}
