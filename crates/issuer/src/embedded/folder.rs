//! The authority's folder: what the files are called, how all of them appear at
//! once, and how they are read.
//!
//! A new authority is written to `ca.new` beside `ca` and moved into place by
//! one rename, which the file system refuses when something is there. So a `ca`
//! with files in it is a whole authority, and a `ca.new` is a leftover of an
//! interrupted attempt: nothing was ever signed with its keys for anybody.

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
        if ours.contains(&&*name) {
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
