//! A look at the authority's folder that changes nothing: for `doctor`.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use jiff::{SignedDuration, Timestamp};
use reseal_pki::profile::IssuingAuthority;

use super::{
    access::{Access, read_stored},
    authority::OpenError,
    certificates::{Certificates, Intermediate},
    folder::{self, Files, FolderError, ROOT_CERTIFICATE, ROOT_KEY, UNLOCK_KEY},
    key::SigningKey,
    keyfile::{KeyFileError, Protection},
    pointer::Pointers,
    secret::Passphrase,
    signer::SignError,
    token::Token,
};

/// How long before its end an authority should be replaced. The issuing certificate should outlive every leaf; from this time before its
/// end on, leaves are cut short (398 days was the longest validity ever).
pub const ROTATION_DUE: SignedDuration = SignedDuration::from_hours(398 * 24);

/// How bad a [`Finding`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Good to know.
    Note,
    /// Works, and should be changed.
    Warning,
    /// Does not work.
    Fault,
}

/// Something that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What was seen and what to do, for the operator.
    pub message: String,
}

/// What [`inspect`] saw.
#[derive(Clone, Debug, Default)]
pub struct Inspection {
    /// How the issuing key is protected; none when its file cannot be read.
    pub protection: Option<Protection>,
    /// Name of the issuing authority, as `C=XX,O=Reseal,CN=…`.
    pub issuing_subject: Option<String>,
    /// Last second of the issuing certificate.
    pub issuing_not_after: Option<Timestamp>,
    /// Last second of the root.
    pub root_not_after: Option<Timestamp>,
    /// What is wrong, or could be better.
    pub findings: Vec<Finding>,
}

impl Inspection {
    /// The worst that was found.
    pub fn worst(&self) -> Option<Severity> {
        self.findings.iter().map(|finding| finding.severity).max()
    }

    fn add(&mut self, severity: Severity, message: impl Into<String>) {
        let message = message.into();
        let finding = Finding { severity, message };
        // Both key files may fail for one reason.
        if !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
    }
}

/// Looks at the authority in `folder` as it would be used at `now`: files and
/// their modes, protection of the keys, whether keys and certificates fit, and
/// whether they open with the passphrase in `passphrase_file`; of keys in `token`, whether they sign.
///
/// Takes as long as opening both key files does.
pub fn inspect(
    folder: &Path,
    passphrase_file: Option<&Path>,
    token: Option<&Token>,
    public_url: &str,
    now: Timestamp,
) -> Inspection {
    let mut seen = Inspection::default();
    look_at_leftovers(folder, &mut seen);
    let pin_file = token.map(Token::pin_file);
    look_at_modes(folder, &[passphrase_file, pin_file], &mut seen);
    match Pointers::new(public_url) {
        Ok(pointers) => {
            if let Some(note) = pointers.note() {
                seen.add(Severity::Warning, note);
            }
        }
        Err(error) => seen.add(Severity::Fault, error.to_string()),
    }
    let passphrase = match passphrase_file.map(Passphrase::read).transpose() {
        Ok(passphrase) => passphrase,
        Err(error) => {
            seen.add(Severity::Fault, error.to_string());
            None
        }
    };
    let access = Access::new(passphrase.as_ref(), token);
    match Certificates::read(folder) {
        Ok(certificates) => {
            look_at_dates(&certificates, now, &mut seen);
            let Certificates {
                root,
                intermediates,
            } = &certificates;
            if let Some((issuing, retired)) = intermediates.split_last() {
                look_at_issuing_key(folder, issuing, access, &mut seen);
                for one in retired {
                    look_at_retired_key(folder, one, access, now, &mut seen);
                }
            }
            look_at_root_key(folder, root, access, &mut seen);
        }
        Err(error) => seen.add(Severity::Fault, error.to_string()),
    }
    seen
}

fn look_at_leftovers(folder: &Path, seen: &mut Inspection) {
    let leftover = folder::unfinished(folder);
    if leftover.exists() {
        seen.add(
            Severity::Note,
            format!(
                "`{}` is left of a CA that was never finished: it may be removed",
                leftover.display()
            ),
        );
    }
    // A folder that cannot be read is reported where its files are missed.
    let ids = |ending| folder::later_ids(folder, ending).unwrap_or_default();
    let (keys, certificates) = (ids(".key"), ids(".pem"));
    for id in keys.iter().filter(|id| !certificates.contains(id)) {
        seen.add(
            Severity::Warning,
            format!(
                "`{}` has no certificate beside it: it waits for one (`reseal ca rotate --certificate FILE`), or is left of \
                 a rotation that was interrupted and may be removed, or the certificate was not copied with it",
                Files::later(id).key
            ),
        );
    }
}

/// Keys are their owner's alone.
fn look_at_modes(folder: &Path, further: &[Option<&Path>], seen: &mut Inspection) {
    let later = folder::later_ids(folder, ".key").unwrap_or_default();
    let later = later.iter().map(|id| Files::later(id).key);
    let keys = [ROOT_KEY, &Files::first().key, UNLOCK_KEY].map(str::to_owned);
    let keys = keys.into_iter().chain(later).map(|name| folder.join(name));
    let further = further.iter().flatten();
    let secrets = keys.chain(further.map(PathBuf::from));
    for path in secrets {
        // What is missing is reported where it is missed.
        let Ok(metadata) = fs::metadata(&path) else {
            continue;
        };
        let mode = metadata.permissions().mode() & 0o7777;
        if mode & 0o077 != 0 {
            seen.add(
                Severity::Warning,
                format!(
                    "`{0}` has mode {mode:04o}, expected 0600: others can reach it; run `chmod 600 \
                     {0}`",
                    path.display()
                ),
            );
        }
    }
}

fn look_at_dates(certificates: &Certificates, now: Timestamp, seen: &mut Inspection) {
    let Some(issuing) = certificates.intermediates.last() else {
        return;
    };
    let name = issuing.files().certificate;
    let issuing = &issuing.authority;
    seen.issuing_subject = Some(issuing.certificate().subject().to_string());
    seen.issuing_not_after = Some(issuing.not_after());
    seen.root_not_after = Some(certificates.root.not_after());
    for (name, authority) in [
        (ROOT_CERTIFICATE, &certificates.root),
        (name.as_str(), issuing),
    ] {
        let (first, last) = (authority.not_before(), authority.not_after());
        if now < first {
            seen.add(
                Severity::Fault,
                format!("`{name}` begins at {first} and the clock says {now}: set the clock right"),
            );
        } else if now > last {
            seen.add(
                Severity::Fault,
                format!("`{name}` ended at {last}: nothing can be issued until the CA is rotated"),
            );
        } else if now.duration_until(last) < ROTATION_DUE {
            seen.add(
                Severity::Warning,
                format!(
                    "`{name}` ends at {last}: certificates end no later than it, rotate the CA \
                     before they become too short"
                ),
            );
        }
    }
}

fn look_at_issuing_key(
    folder: &Path,
    issuing: &Intermediate,
    access: Access<'_>,
    seen: &mut Inspection,
) {
    let (files, issuing) = (&issuing.files(), &issuing.authority);
    match read_stored(folder, files, issuing) {
        Ok(stored) => {
            let protection = stored.protection();
            seen.protection = Some(protection);
            look_at_protection(protection, access.passphrase().is_some(), seen);
        }
        Err(error) => return seen.add(Severity::Fault, error.to_string()),
    }
    if let Err(error) = usable(folder, files, issuing, access) {
        seen.add(Severity::Fault, error.to_string());
    }
}

/// Opens a key, and has it sign when it is in a token: that it is there is no file's word.
fn usable(
    folder: &Path,
    files: &Files,
    authority: &IssuingAuthority,
    access: Access<'_>,
) -> Result<(), OpenError> {
    let failed = |error| OpenError::Key {
        file: files.key.clone(),
        source: KeyFileError::Key(error),
    };
    match access.open(folder, files, authority)? {
        SigningKey::Software(_) => Ok(()),
        SigningKey::Token(key) => key.prove().map_err(|error| failed(SignError::Token(error))),
    }
}

/// The key of an intermediate that issues no more signs its lists, as long as there is a certificate on them.
fn look_at_retired_key(
    folder: &Path,
    retired: &Intermediate,
    access: Access<'_>,
    now: Timestamp,
    seen: &mut Inspection,
) {
    if now > retired.authority.not_after() {
        return;
    }
    let files = retired.files();
    match usable(folder, &files, &retired.authority, access) {
        Ok(()) => {}
        Err(OpenError::Folder(FolderError::Missing(path))) if path.ends_with(&files.key) => seen
            .add(
                Severity::Note,
                format!(
                    "`{}` is not here: it issues no more, and its revocation lists stay as they are",
                    files.key
                ),
            ),
        Err(error) => seen.add(Severity::Fault, error.to_string()),
    }
}

fn look_at_protection(protection: Protection, with_passphrase: bool, seen: &mut Inspection) {
    match protection {
        Protection::UnlockKey if with_passphrase => seen.add(
            Severity::Warning,
            format!(
                "`ca.passphrase_file` is set, but the CA was made without it: its keys are \
                 protected by `{UNLOCK_KEY}` beside them"
            ),
        ),
        Protection::UnlockKey => seen.add(
            Severity::Warning,
            format!(
                "the CA's keys are protected by `{UNLOCK_KEY}` beside them only: whoever copies the \
                 folder has the CA; for anything but a trial, make the CA with \
                 `ca.passphrase_file` set"
            ),
        ),
        Protection::Passphrase { cost } if cost.is_weak() => seen.add(
            Severity::Warning,
            "the CA's passphrase is cheaper to guess than it should be: its key files ask for less \
             work than Reseal does by default",
        ),
        Protection::Passphrase { .. } | Protection::Token => {}
    }
}

/// P-13: the root's key is better kept elsewhere, so its absence is no fault.
fn look_at_root_key(
    folder: &Path,
    root: &IssuingAuthority,
    access: Access<'_>,
    seen: &mut Inspection,
) {
    match usable(folder, &Files::root(), root, access) {
        Ok(()) => {}
        Err(OpenError::Folder(FolderError::Missing(path))) if path.ends_with(ROOT_KEY) => seen.add(
            Severity::Note,
            format!(
                "`{ROOT_KEY}` is not here: issuing goes on without it; bring it back to rotate the \
                 CA"
            ),
        ),
        Err(error) => seen.add(Severity::Fault, error.to_string()),
    }
}
