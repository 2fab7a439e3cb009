//! The seam between what is written and read (`work`) and the two databases it is written to: one kind of
//! connection, of row and of error, whichever engine is behind.
//!
//! Values are those SQLite has: nothing, a 64-bit number, text, bytes. PostgreSQL takes and gives the same by the
//! types of its columns (a boolean is a number there), so that neither statements nor the code around them exist
//! twice. Where the two differ by nature, [`Connection`] has a method whose name says what is wanted:
//! [`Connection::insert`] (the new row's number), [`Connection::hold`] (a row that nobody may change until the commit),
//! [`Connection::lock`] (a lock that is no row's), [`Connection::recover`] (going on after a refused statement).
//!
//! - `row`, `values`: what comes out and what goes in
//! - `error`: which errors mean "later" and which mean "never"
//! - `deadline`: how long a read may take that anybody may ask for
//! - `source`: which database it is

mod connection;
mod deadline;
mod error;
mod row;
mod source;
mod values;

pub(crate) use connection::{Connection, Engine, Hold, Lock, Undone};
pub(crate) use deadline::{Deadline, LONGEST_LIST};
pub(crate) use error::{Error, RETRY_DISK, RETRY_LOCK, Result, closed, unless_unique};
pub(crate) use row::Row;
pub(crate) use rusqlite::params;
pub(crate) use rusqlite::types::{FromSql, ToSql, Value, ValueRef};
pub use source::{PostgresUrl, Source};
pub(crate) use values::Values;

/// The language that an engine speaks, where statements are put together at run time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// SQLite.
    Sqlite,
    /// PostgreSQL.
    Postgres,
}
