//! The mark of a file whose rows are elsewhere by now. A program that had opened it before, or waits for its lock, would
//! otherwise write what nobody ever reads.
//!
//! The mark is the file's `user_version`, so that `PRAGMA user_version = 0` takes it away for whoever wants the file back.

use rusqlite::Connection;

/// No other version is ever set.
const RETIRED: i32 = 0x6d6f_7665;

/// Marks the file, as part of the transaction that goes on: whoever begins one later is refused.
pub(super) fn retire(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "user_version", RETIRED)
}

/// Whether the file is marked.
pub(crate) fn is_retired(connection: &Connection) -> rusqlite::Result<bool> {
    let mut version = connection.prepare_cached("PRAGMA user_version")?;
    version.query_row([], |row| Ok(row.get::<_, i32>(0)? == RETIRED))
}
