//! The authority's folder: what the files are called, how all of them appear at
//! once, and how they are read.
//!
//! A new authority is written to `ca.new` beside `ca` and moved into place by
//! one rename, which the file system refuses when something is there. So a `ca`
//! with files in it is a whole authority, and a `ca.new` is a leftover of an
//! interrupted attempt: nothing was ever signed with its keys for anybody.
//!
//! A rotation adds two files to it: the key first, then the certificate, each by a
//! rename. An intermediate is there when its certificate is.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use zeroize::Zeroizing;

pub(super) const ROOT_CERTIFICATE: &str = "root.pem";
pub(super) const ROOT_KEY: &str = "root.key";
pub(super) const INTERMEDIATE_CERTIFICATE: &str = "intermediate.pem";
pub(super) const INTERMEDIATE_KEY: &str = "intermediate.key";
pub(super) const UNLOCK_KEY: &str = "unlock.key";

/// The two files of an authority.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Files {
    pub(super) certificate: String,
    pub(super) key: String,
}

impl Files {
    /// The root's.
    pub(super) fn root() -> Self {
        Self::called(ROOT_CERTIFICATE, ROOT_KEY)
    }

    /// Those of the intermediate that was made together with the root.
    pub(super) fn first() -> Self {
        Self::called(INTERMEDIATE_CERTIFICATE, INTERMEDIATE_KEY)
    }

    /// Those of the intermediate with this identifier, made later.
    pub(super) fn later(id: &str) -> Self {
        Self {
            certificate: format!("{LATER}{id}.pem"),
            key: format!("{LATER}{id}.key"),
        }
    }

    fn called(certificate: &str, key: &str) -> Self {
        Self {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
        }
    }
}

/// How the names of files of later intermediates begin; the identifier and the ending follow.
const LATER: &str = "intermediate-";

/// Permissions of certificates, of keys, and of the folder.
pub(super) const PUBLIC: u32 = 0o644;
pub(super) const OWNER_ONLY: u32 = 0o600;
const FOLDER: u32 = 0o700;

/// Longest file that is read, in bytes: ten times the longest we write.
const LONGEST_FILE: u64 = 64 * 1024;

/// Why a file or the folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// There is an authority already, or a part of one.
    #[error(
        "`{0}` already holds files of a CA, which are never overwritten: to start afresh, move the \
         folder away"
    )]
    Exists(PathBuf),
    /// Something else is in the way.
    #[error("`{folder}` is not empty: `{entry}` is in the way of a new CA")]
    Occupied {
        /// The folder.
        folder: PathBuf,
        /// What is there.
        entry: String,
    },
    /// An intermediate is being made.
    #[error("another intermediate is being made in `{0}` at this moment")]
    Busy(PathBuf),
    /// A file is missing.
    #[error(
        "`{0}` is missing: restore the folder of the CA from a backup; without one, its \
         certificates stay valid but no more can be issued"
    )]
    Missing(PathBuf),
    /// A file is far too long.
    #[error("`{0}` has more than {LONGEST_FILE} bytes: it is not a file of ours")]
    TooLong(PathBuf),
    /// The system refused.
    #[error("`{path}`: {source}")]
    Io {
        /// What was worked on.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// A folder on its way; removed again unless it is published.
pub(super) struct Draft {
    target: PathBuf,
    building: PathBuf,
    published: bool,
}

impl Draft {
    /// Begins a folder that will be `target`, throwing away what an interrupted
    /// attempt left.
    ///
    /// # Errors
    /// When `target` is there and not empty, or the system refuses.
    pub(super) fn begin(target: &Path) -> Result<Self, FolderError> {
        vacant(target)?;
        let building = unfinished(target);
        match fs::remove_dir_all(&building) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(at(&building)(error));
            }
            _ => {}
        }
        DirBuilder::new()
            .mode(FOLDER)
            .create(&building)
            .map_err(at(&building))?;
        Ok(Self {
            target: target.to_owned(),
            building,
            published: false,
        })
    }

    /// Writes a file durably, with `mode` from the first moment on.
    pub(super) fn write(&self, name: &str, bytes: &[u8], mode: u32) -> Result<(), FolderError> {
        let path = self.building.join(name);
        let attempt = || {
            let mut file = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(mode)
                .open(&path)?;
            file.write_all(bytes)?;
            file.sync_all()
        };
        attempt().map_err(at(&path))
    }

    /// Makes the folder appear at its place, durably.
    pub(super) fn publish(mut self) -> Result<(), FolderError> {
        sync_folder(&self.building)?;
        // Replaces nothing or an empty folder; fails when it is not empty.
        fs::rename(&self.building, &self.target).map_err(|error| match error.kind() {
            io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists => {
                FolderError::Exists(self.target.clone())
            }
            _ => at(&self.target)(error),
        })?;
        self.published = true;
        match self.target.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => sync_folder(parent),
            _ => sync_folder(Path::new(".")),
        }
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.published {
            // Best effort: what stays is thrown away by the next attempt.
            let _ = fs::remove_dir_all(&self.building);
        }
    }
}

/// Where a folder that will be `target` is built.
pub(super) fn unfinished(target: &Path) -> PathBuf {
    let mut name = target.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    target.with_file_name(name)
}

/// Reads a file of the folder.
pub(super) fn read(folder: &Path, name: &str) -> Result<Zeroizing<Vec<u8>>, FolderError> {
    let path = folder.join(name);
    let attempt = || -> io::Result<Zeroizing<Vec<u8>>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(8 * 1024));
        File::open(&path)?
            .take(LONGEST_FILE + 1)
            .read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    match attempt() {
        Ok(bytes) if bytes.len() as u64 > LONGEST_FILE => Err(FolderError::TooLong(path)),
        Ok(bytes) => Ok(bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(FolderError::Missing(path)),
        Err(error) => Err(at(&path)(error)),
    }
}

/// Identifiers of the intermediates that were made later, by the files with this ending.
pub(super) fn later_ids(folder: &Path, ending: &str) -> Result<Vec<String>, FolderError> {
    let mut ids = Vec::new();
    for entry in fs::read_dir(folder).map_err(at(folder))? {
        let name = entry.map_err(at(folder))?.file_name();
        let id = name
            .to_str()
            .and_then(|name| name.strip_prefix(LATER)?.strip_suffix(ending));
        ids.extend(id.map(str::to_owned));
    }
    ids.sort();
    Ok(ids)
}

/// Held while an intermediate is made in the folder; released when the process ends, however it ends.
#[derive(Debug)]
pub(super) struct Lock {
    folder: File,
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing it is not enough: a program that is being started at this moment has it open too, until it runs. What
        // cannot be given back ends with the process.
        let _ = self.folder.unlock();
    }
}

/// Takes the folder for making an intermediate.
pub(super) fn lock(folder: &Path) -> Result<Lock, FolderError> {
    let opened = File::open(folder).map_err(at(folder))?;
    match opened.try_lock() {
        Ok(()) => Ok(Lock { folder: opened }),
        Err(fs::TryLockError::WouldBlock) => Err(FolderError::Busy(folder.to_owned())),
        Err(fs::TryLockError::Error(error)) => Err(at(folder)(error)),
    }
}

/// Puts a file into the folder, durably, all of it or nothing.
pub(super) fn place(folder: &Path, name: &str, bytes: &[u8], mode: u32) -> Result<(), FolderError> {
    let path = folder.join(name);
    let written = folder.join(format!("{name}.new"));
    let attempt = || {
        // What an interrupted attempt left may have other permissions.
        match fs::remove_file(&written) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(&written)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&written, &path)
    };
    attempt().map_err(at(&path))?;
    sync_folder(folder)
}

fn vacant(target: &Path) -> Result<(), FolderError> {
    let entries = match fs::read_dir(target) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(at(target)(error)),
    };
    let mut other = None;
    for entry in entries {
        let name = entry.map_err(at(target))?.file_name();
        let name = name.to_string_lossy();
        let ours = [
            ROOT_CERTIFICATE,
            ROOT_KEY,
            INTERMEDIATE_CERTIFICATE,
            INTERMEDIATE_KEY,
            UNLOCK_KEY,
        ];
        if ours.contains(&&*name) || name.starts_with(LATER) {
            return Err(FolderError::Exists(target.to_owned()));
        }
        other = Some(name.into_owned());
    }
    match other {
        Some(entry) => Err(FolderError::Occupied {
            folder: target.to_owned(),
            entry,
        }),
        None => Ok(()),
    }
}

fn sync_folder(path: &Path) -> Result<(), FolderError> {
    File::open(path)
        .and_then(|folder| folder.sync_all())
        .map_err(at(path))
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> FolderError {
    let path = path.to_owned();
    move |source| FolderError::Io { path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_ends_although_somebody_has_its_file_open() {
        let folder = tempfile::tempdir().unwrap();
        let held = lock(folder.path()).unwrap();
        assert!(matches!(lock(folder.path()), Err(FolderError::Busy(_))));
        // As a child has it between its start and its program's.
        let open = held.folder.try_clone().unwrap();
        drop(held);
        assert!(lock(folder.path()).is_ok());
        drop(open);
    }
}
