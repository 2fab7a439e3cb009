//! A copy of a file that is in use, and whether a file is sound.

use std::path::Path;

use reseal_lifecycle::store::StoreError;

use super::connection;
use crate::SqlStore;
use crate::database::Error;

impl SqlStore {
    /// Writes the SQLite database at `path` as it is at one moment to the new file `copy`, while others go on reading
    /// and writing it. The copy is on the disk when this returns. Blocks for about as long as reading the file
    /// takes.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] and [`StoreError::Fault`] as [`SqlStore::open`]; also when `copy` exists.
    pub fn snapshot(path: &Path, copy: &Path) -> Result<(), StoreError> {
        let copy = copy.to_str().ok_or_else(|| {
            StoreError::Fault(format!("the path {} is not UTF-8", copy.display()))
        })?;
        connection::open_checkpointer(path)
            .and_then(|connection| connection.execute("VACUUM INTO ?1", [copy]))
            .map_err(Error::from)?;
        std::fs::File::open(copy)
            .and_then(|file| file.sync_all())
            .map_err(|error| StoreError::Fault(format!("{copy} cannot be synced: {error}")))
    }

    /// Reads all of the SQLite database at `path` and checks that it is sound.
    ///
    /// # Errors
    /// As [`SqlStore::open`], and [`StoreError::Fault`] with the first things found wrong.
    pub fn examine(path: &Path) -> Result<(), StoreError> {
        let connection = connection::open_reader(path).map_err(Error::from)?;
        let found: Vec<String> = connection
            .prepare("PRAGMA integrity_check(5)")
            .and_then(|mut check| check.query_map([], |row| row.get(0))?.collect())
            .map_err(Error::from)?;
        if found != ["ok"] {
            return Err(StoreError::Fault(format!(
                "the database is damaged: {}",
                found.join("; ")
            )));
        }
        Ok(())
    }
}
