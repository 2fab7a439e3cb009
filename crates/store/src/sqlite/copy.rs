//! A copy of a file that is in use, and whether a file is sound.

use std::path::Path;

use reseal_lifecycle::store::StoreError;
use rusqlite::params;

use super::connection;
use crate::SqlStore;
use crate::database::Error;

/// Tables whose numbers are shown.
const NUMBERED: [&str; 6] = [
    "api_key",
    "campaign",
    "certificate",
    "notification",
    "process",
    "subscription",
];
/// Table; one that never had a row has no last number.
const BEGIN_NUMBERS: &str = "INSERT INTO sqlite_sequence (name, seq) SELECT ?1, 0 \
    WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = ?1)";
/// How many, table.
const SKIP_NUMBERS: &str = "UPDATE sqlite_sequence SET seq = seq + ?1 WHERE name = ?2";

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

    /// Leaves out the next `count` numbers of everything that customers and operators know by its number, in the SQLite
    /// database at `path`, which has the newest schema and is nobody else's: what came after a backup was made had them, and
    /// whoever noted one must not meet something else by it.
    ///
    /// # Errors
    /// As [`SqlStore::open`].
    pub fn skip_numbers(path: &Path, count: u32) -> Result<(), StoreError> {
        let mut connection = connection::open_writer(path).map_err(Error::from)?;
        let skipped = connection.transaction().and_then(|transaction| {
            for table in NUMBERED {
                transaction.execute(BEGIN_NUMBERS, [table])?;
                transaction.execute(SKIP_NUMBERS, params![count, table])?;
            }
            transaction.commit()
        });
        Ok(skipped.map_err(Error::from)?)
    }
}
