//! A look at the authority's folder that changes nothing: for `doctor`.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use jiff::{SignedDuration, Timestamp};

use super::{
    authority::{Certificates, OpenError, open_key, read_key_file},
    folder::{
        self, FolderError, INTERMEDIATE_CERTIFICATE, INTERMEDIATE_KEY, ROOT_CERTIFICATE, ROOT_KEY,
        UNLOCK_KEY,
    },
    keyfile::Protection,
    pointer::Pointers,
    secret::Passphrase,
};

/// The issuing certificate should outlive every leaf; from this time before its
/// end on, leaves are cut short (398 days was the longest validity ever).
const ROTATION_DUE: SignedDuration = SignedDuration::from_hours(398 * 24);

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
/// whether they open with the passphrase in `passphrase_file`.
///
/// Takes as long as opening both key files does.
pub fn inspect(
    folder: &Path,
    passphrase_file: Option<&Path>,
    public_url: &str,
    now: Timestamp,
) -> Inspection {
    let mut seen = Inspection::default();
    look_at_leftovers(folder, &mut seen);
    look_at_modes(folder, passphrase_file, &mut seen);
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
    match Certificates::read(folder) {
        Ok(certificates) => {
            look_at_dates(&certificates, now, &mut seen);
            look_at_issuing_key(folder, &certificates, passphrase.as_ref(), &mut seen);
            look_at_root_key(folder, &certificates, passphrase.as_ref(), &mut seen);
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
}

/// Keys are their owner's alone.
fn look_at_modes(folder: &Path, passphrase_file: Option<&Path>, seen: &mut Inspection) {
    let keys = [ROOT_KEY, INTERMEDIATE_KEY, UNLOCK_KEY].map(|name| folder.join(name));
    let secrets = keys.into_iter().chain(passphrase_file.map(PathBuf::from));
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
    let issuing = &certificates.intermediate;
    seen.issuing_subject = Some(issuing.certificate().subject().to_string());
    seen.issuing_not_after = Some(issuing.not_after());
    seen.root_not_after = Some(certificates.root.not_after());
    for (name, authority) in [
        (ROOT_CERTIFICATE, &certificates.root),
        (INTERMEDIATE_CERTIFICATE, issuing),
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
    certificates: &Certificates,
    passphrase: Option<&Passphrase>,
    seen: &mut Inspection,
) {
    let files = (INTERMEDIATE_KEY, INTERMEDIATE_CERTIFICATE);
    let issuing = &certificates.intermediate;
    match read_key_file(folder, files, issuing) {
        Ok(key_file) => {
            let protection = key_file.protection();
            seen.protection = Some(protection);
            look_at_protection(protection, passphrase.is_some(), seen);
        }
        Err(error) => return seen.add(Severity::Fault, error.to_string()),
    }
    if let Err(error) = open_key(folder, files, issuing, passphrase) {
        seen.add(Severity::Fault, error.to_string());
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
        Protection::Passphrase { .. } => {}
    }
}

/// P-13: the root's key is better kept elsewhere, so its absence is no fault.
fn look_at_root_key(
    folder: &Path,
    certificates: &Certificates,
    passphrase: Option<&Passphrase>,
    seen: &mut Inspection,
) {
    let files = (ROOT_KEY, ROOT_CERTIFICATE);
    match open_key(folder, files, &certificates.root, passphrase) {
        Ok(_) => {}
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
