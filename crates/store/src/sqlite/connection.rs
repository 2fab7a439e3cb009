//! How a connection is opened: for the writer, for a reader, for the checkpointer.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::database::Deadline;

/// Instructions of SQLite's between two looks at the clock: some hundred microseconds.
const STEPS: i32 = 10_000;
/// How long a connection waits for a lock that another program holds. Within this program nobody waits: there
/// is one writer, and readers need no lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// More than there are statements, so that none is prepared twice; lists add a few of their own.
const STATEMENT_CACHE: usize = 256;
/// The log is cut back to this size, in bytes, once its contents are in the database file. Twice what it has when it is
/// copied whole under load: a commit is faster where the file need not grow.
const JOURNAL_SIZE_LIMIT: i64 = 128 << 20;

/// A connection that may write. Creates the file when there is none.
pub(crate) fn open_writer(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = open(path, flags)?;
    use_write_ahead_log(&connection)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    // Enough for the inner pages of every index. More costs time at each commit: SQLite walks the whole cache when
    // pages of an index were rearranged.
    connection.pragma_update(None, "cache_size", -8_192)?;
    // What savepoints need for undoing stays out of the file system.
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    // Moving the log into the database file is the checkpointer's work, off the writer's path.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.pragma_update(None, "journal_size_limit", JOURNAL_SIZE_LIMIT)?;
    Ok(connection)
}

/// A connection for filling a file that is of no use before that is done: nothing can be undone, nothing is synced, no
/// reference is looked up, and what is looked for stays in memory.
pub(crate) fn open_loader(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = open(path, flags)?;
    connection.pragma_update_and_check(None, "journal_mode", "OFF", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "OFF")?;
    connection.pragma_update(None, "foreign_keys", false)?;
    connection.pragma_update(None, "cache_size", -1_048_576)?;
    Ok(connection)
}

/// A connection that can only read.
pub(crate) fn open_reader(path: &Path) -> rusqlite::Result<Connection> {
    // Not SQLITE_OPEN_READ_ONLY: a reader may have to make the log's shared index anew after a crash.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = open(path, flags)?;
    connection.pragma_update(None, "query_only", true)?;
    connection.pragma_update(None, "cache_size", -4_096)?;
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    Ok(connection)
}

/// A connection for reads that anybody may ask for: they end when `deadline` has passed.
pub(crate) fn open_lister(path: &Path, deadline: Deadline) -> rusqlite::Result<Connection> {
    let mut connection = open_reader(path)?;
    connection.progress_handler(STEPS, Some(move || deadline.has_passed()))?;
    Ok(connection)
}

/// The connection that moves the log into the database file.
pub(crate) fn open_checkpointer(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = open(path, flags)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    Ok(connection)
}

fn open(path: &Path, flags: OpenFlags) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    // Plans never depend on bound values: without this, statements over partial indexes are prepared anew at each use.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(STATEMENT_CACHE);
    Ok(connection)
}

/// SQLite answers "busy" to this change at once, whatever the timeout, while another program makes it too.
fn use_write_ahead_log(connection: &Connection) -> rusqlite::Result<()> {
    let patience = Instant::now() + BUSY_TIMEOUT;
    loop {
        match connection
            .pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0))
        {
            Ok(mode) if mode.eq_ignore_ascii_case("wal") => return Ok(()),
            Ok(mode) => {
                tracing::warn!(
                    mode,
                    "the file system does not allow a write-ahead log: writes will be slow"
                );
                return Ok(());
            }
            Err(error) if is_busy(&error) && Instant::now() < patience => {
                std::thread::sleep(Duration::from_millis(5));
            }
            Err(error) => return Err(error),
        }
    }
}

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_anybody_may_ask_for_ends_in_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("reseal.db");
        open_writer(&path).unwrap();
        let deadline = Deadline::default();
        let connection = open_lister(&path, deadline.clone()).unwrap();
        let count = |up_to: &str| -> rusqlite::Result<i64> {
            let numbers =
                "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers";
            let sql = format!("{numbers} {up_to}) SELECT count(*) FROM numbers");
            connection.query_row(&sql, [], |row| row.get(0))
        };
        deadline.begin(Duration::from_millis(50));
        let ended = count("").unwrap_err().sqlite_error_code();
        assert_eq!(ended, Some(ErrorCode::OperationInterrupted));
        // The next one has its own time.
        deadline.begin(Duration::from_mins(1));
        assert_eq!(count("WHERE n < 100000").unwrap(), 100_000);
    }
}
