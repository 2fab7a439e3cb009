//! The SQLite store.
//!
//! - `connection`: how connections are opened
//! - `writer`: the one writing thread, group commit
//! - `checkpoint`: the log's way into the database file
//! - `read`: reading threads
//! - `change`, `issue`: one step of a process as rows
//! - `audit`: the audit log
//! - `auth_key`: values that prove names before a certificate is asked for
//! - `authorization`: proofs, found again
//! - `compromise`: blocked keys, and what must be revoked because of them
//! - `crl`: revocation lists
//! - `find`, `page`: single rows and lists
//! - `issued`: certificates that stand, one after the other
//! - `idempotency`: calls that carry a key
//! - `notification`, `webhook`: what customers are told, and where it is sent
//! - `vetting`: checks of organizations
//! - `rows`, `columns`: rows as objects
//! - `fault`: errors
//!
//! Other programs may use the same file meanwhile (command lines beside a running server): SQLite's own locks
//! keep them apart, and whoever comes second waits up to ten seconds.

pub(crate) mod audit;
mod auth_key;
mod authorization;
mod change;
mod checkpoint;
mod columns;
mod compromise;
mod connection;
mod crl;
mod due;
mod fault;
mod find;
mod idempotency;
mod issue;
mod issued;
mod note;
mod notification;
mod page;
mod read;
mod rows;
mod store;
mod vetting;
mod webhook;
mod writer;

use std::num::NonZeroUsize;
use std::path::Path;

use reseal_lifecycle::store::StoreError;

use crate::migrate;
use checkpoint::Checkpointer;
use fault::{migration_error, store_error};
use read::{Lane, Points};
use writer::Writer;

/// Threads for lists.
const LIST_READERS: usize = 2;

/// A store in one SQLite file. Dropping it closes it.
pub struct SqliteStore {
    writer: Writer,
    points: Points,
    lists: Lane,
}

impl SqliteStore {
    /// Opens the database at `path`, creates it if there is none, and brings it to the present schema.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the file cannot be opened or another program holds its lock for more
    /// than ten seconds; [`StoreError::Fault`] when it is no database, or of a newer program.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let database = |error: rusqlite::Error| store_error(&error);
        let thread = |error: std::io::Error| {
            StoreError::Fault(format!("a thread cannot be started: {error}"))
        };
        let mut connection = connection::open_writer(path).map_err(database)?;
        migrate::run(&mut connection, migrate::SQLITE).map_err(|error| migration_error(&error))?;
        let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let points = Points::open(path, cores)?;
        let lists = Lane::start(path, "list", LIST_READERS)?;
        let checkpointer = Checkpointer::start(path).map_err(thread)?;
        let writer = Writer::start(connection, checkpointer).map_err(thread)?;
        Ok(Self {
            writer,
            points,
            lists,
        })
    }

    /// Writes the database at `path` as it is at one moment to the new file `copy`, while others go on reading
    /// and writing it. The copy is on the disk when this returns. Blocks for about as long as reading the file
    /// takes.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] and [`StoreError::Fault`] as [`SqliteStore::open`]; also when `copy` exists.
    pub fn snapshot(path: &Path, copy: &Path) -> Result<(), StoreError> {
        let database = |error: rusqlite::Error| store_error(&error);
        let copy = copy.to_str().ok_or_else(|| {
            StoreError::Fault(format!("the path {} is not UTF-8", copy.display()))
        })?;
        let connection = connection::open_checkpointer(path).map_err(database)?;
        connection
            .execute("VACUUM INTO ?1", [copy])
            .map_err(database)?;
        std::fs::File::open(copy)
            .and_then(|file| file.sync_all())
            .map_err(|error| StoreError::Fault(format!("{copy} cannot be synced: {error}")))
    }

    /// Reads all of the database at `path` and checks that it is sound.
    ///
    /// # Errors
    /// As [`SqliteStore::open`], and [`StoreError::Fault`] with the first things found wrong.
    pub fn examine(path: &Path) -> Result<(), StoreError> {
        let database = |error: rusqlite::Error| store_error(&error);
        let connection = connection::open_reader(path).map_err(database)?;
        let found: Vec<String> = connection
            .prepare("PRAGMA integrity_check(5)")
            .and_then(|mut check| check.query_map([], |row| row.get(0))?.collect())
            .map_err(database)?;
        if found != ["ok"] {
            return Err(StoreError::Fault(format!(
                "the database is damaged: {}",
                found.join("; ")
            )));
        }
        Ok(())
    }

    /// Finishes what was begun, moves the log into the database file and closes all connections. Blocks until
    /// that is done. Whoever calls the store afterwards is told that it is unavailable.
    pub fn close(&self) {
        self.points.close();
        self.lists.stop();
        // Last, so that the last connection to be closed is one that copies the log.
        self.writer.stop();
    }

    /// How many transactions were committed since the store was opened: with group commit fewer than writes.
    pub fn commits(&self) -> u64 {
        self.writer.commits()
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        self.close();
    }
}

#[cfg(test)]
mod tests;
