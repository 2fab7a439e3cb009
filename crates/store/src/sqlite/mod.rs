//! What is SQLite's own.
//!
//! - `connection`: how connections are opened
//! - `checkpoint`: the log's way into the database file
//! - `copy`: a copy of a file that is in use, and whether a file is sound
//! - `retired`: a file that nobody may write to any more
//!
//! Other programs may use the same file meanwhile (command lines beside a running server): SQLite's own locks
//! keep them apart, and whoever comes second waits up to ten seconds.

mod checkpoint;
mod connection;
mod copy;
mod retired;

use std::num::NonZeroUsize;
use std::path::Path;

use reseal_lifecycle::store::StoreError;

use crate::database::{Connection, Deadline, Dialect, Engine, Error};
use crate::lane::{Lane, Points, Writer};
use crate::migrate;
use crate::store::{DUTY_READERS, LIST_READERS, Program, SqlStore, no_thread};

pub(crate) use checkpoint::Checkpointer;
pub(crate) use retired::is_retired;

/// A connection to the file at `path` that cannot write.
pub(crate) fn reader(path: &Path) -> Result<Connection, Error> {
    Ok(Connection::sqlite(connection::open_reader(path)?))
}

/// The same for lists that anybody may ask for.
fn lister(path: &Path) -> Result<Connection, Error> {
    let deadline = Deadline::default();
    let connection = connection::open_lister(path, deadline.clone())?;
    Ok(Connection::sqlite(connection).with_deadline(deadline))
}

/// A connection to the file at `path` that may write.
pub(crate) fn writer(path: &Path) -> Result<Connection, Error> {
    Ok(Connection::sqlite(connection::open_writer(path)?))
}

/// A connection that fills the file at `path`: the file is of no use when that is interrupted.
pub(crate) fn loader(path: &Path) -> Result<Connection, Error> {
    Ok(Connection::sqlite(connection::open_loader(path)?))
}

/// Has the system write to the disk what it was told to.
pub(crate) fn make_durable(path: &Path) -> Result<(), StoreError> {
    let fault = |error: std::io::Error| StoreError::Fault(error.to_string());
    std::fs::File::open(path)
        .and_then(|file| file.sync_all())
        .map_err(fault)
}

/// The file at `path` for one who takes leave of it, brought to the present schema in a transaction that nobody else
/// writes beside. What was done to it is undone unless it ends with [`retire`].
pub(crate) fn last_writer(path: &Path) -> Result<Connection, StoreError> {
    let connection = writer(path)?;
    // One that is retired already may be left once more: whoever did that before did not come to the end.
    connection.batch("BEGIN IMMEDIATE")?;
    migrate::apply(&connection, migrate::SQLITE)?;
    Ok(connection)
}

/// Ends the transaction of `connection` in such a way that nobody writes to the file any more.
pub(crate) fn retire(connection: &Connection) -> Result<(), Error> {
    if let Engine::Sqlite(file) = connection.engine() {
        retired::retire(file)?;
    }
    connection.commit()
}

/// Opens the file at `path`, makes it if there is none, and brings it to the present schema.
pub(crate) fn open(path: &Path) -> Result<SqlStore, StoreError> {
    let writer = writer(path)?;
    migrate::run(&writer, migrate::SQLITE)?;
    let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let several = |count: usize, open: fn(&Path) -> Result<Connection, Error>| {
        let opened = (0..count).map(|_| open(path));
        opened.collect::<Result<Vec<_>, _>>()
    };
    let points = Points::shared(several(cores, reader)?);
    let lists = Lane::start("list", several(LIST_READERS, lister)?)?;
    let duties = Lane::start("duty", several(DUTY_READERS, reader)?)?;
    let checkpointer = Checkpointer::start(path).map_err(|error| no_thread(&error))?;
    let writer =
        Writer::start(vec![writer], Some(checkpointer)).map_err(|error| no_thread(&error))?;
    Ok(SqlStore::new(
        writer,
        points,
        lists,
        duties,
        Dialect::Sqlite,
    ))
}

/// The library is part of this very program.
pub(crate) fn program() -> Program {
    Program {
        version: format!("SQLite {}", rusqlite::version()),
        process: None,
    }
}
