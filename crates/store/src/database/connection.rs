//! A connection to either engine.

use std::cell::{Cell, RefCell};
use std::ops::ControlFlow;

use reseal_lifecycle::store::StoreError;
use rusqlite::OptionalExtension as _;

use super::{Deadline, Dialect, Error, LONGEST_LIST, RETRY_DISK, RETRY_LOCK, Result, Row, Values};
use crate::postgres::{SAY_THERE_IS_WORK, Session};
use crate::sqlite::is_retired;
use crate::work::audit::Unwritten;

/// Longer texts come from unusual filters, and would only push others out of the cache.
const LONGEST_CACHED: usize = 4096;

/// What is behind a connection.
pub(crate) enum Engine {
    Sqlite(rusqlite::Connection),
    Postgres(Box<Session>),
}

/// A connection, and what the transaction that goes on has yet to write.
pub(crate) struct Connection {
    engine: Engine,
    unwritten: RefCell<Vec<Unwritten>>,
    /// Workers are to hear of it when it is committed.
    wakes: Cell<bool>,
    /// Where SQLite reads what anybody may ask for; PostgreSQL's server has its own.
    deadline: Option<Deadline>,
}

/// How a row is held until the end of the transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hold {
    /// It stays as it is: others may hold it too.
    AsItIs,
    /// For a change that depends on what it is now.
    ForChange,
    /// The same, unless somebody else holds it: then it counts as not found.
    OrLeaveAlone,
}

/// Locks that no row stands for; held until the end of the transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lock {
    /// The list of blocked keys stays as it is: what is written was allowed by it. Many may hold it.
    BlockedKeysStay,
    /// The list of blocked keys grows, and what it forbids must all be seen.
    BlockedKeysGrow,
    /// Proofs of control stay as trusted as they are: a serial is reserved on them. Many may hold it.
    ProofsStand,
    /// Proofs of control are distrusted: nobody is relying on them whose commit is still to come.
    ProofsFall,
    /// Nobody is storing a certificate whose commit is still to come.
    CertificatesStored,
    /// The end of the audit log.
    AuditLog,
    /// The schema.
    Schema,
}

impl Connection {
    pub(crate) fn new(engine: Engine) -> Self {
        Self {
            engine,
            unwritten: RefCell::default(),
            wakes: Cell::default(),
            deadline: None,
        }
    }

    pub(crate) fn sqlite(connection: rusqlite::Connection) -> Self {
        Self::new(Engine::Sqlite(connection))
    }

    /// The same, as long as no read takes longer than `deadline`, which its engine looks at.
    pub(crate) fn with_deadline(self, deadline: Deadline) -> Self {
        let deadline = Some(deadline);
        Self { deadline, ..self }
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    pub(crate) fn dialect(&self) -> Dialect {
        match self.engine {
            Engine::Sqlite(_) => Dialect::Sqlite,
            Engine::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Runs a statement that returns no rows; how many rows it changed.
    pub(crate) fn execute(&self, sql: &str, values: impl Values) -> Result<usize> {
        match &self.engine {
            Engine::Sqlite(connection) => {
                let mut statement = connection.prepare_cached(sql)?;
                Ok(values.with(|values| statement.execute(values))?)
            }
            Engine::Postgres(session) => values.with(|values| session.execute(sql, values)),
        }
    }

    /// Runs a statement about the rows of a subselect in parentheses, which ends it. In PostgreSQL those that somebody else
    /// has in hand are left alone; how many rows it changed.
    pub(crate) fn execute_on_free(&self, sql: &str, values: impl Values) -> Result<usize> {
        match &self.engine {
            Engine::Sqlite(_) => self.execute(sql, values),
            Engine::Postgres(_) => {
                let open = sql.strip_suffix(')').unwrap_or(sql);
                self.execute(&format!("{open} FOR UPDATE SKIP LOCKED)"), values)
            }
        }
    }

    /// Runs a statement whose outcome nobody looks at. What it is refused for may be heard later: at the latest when
    /// the caller's part of a transaction ends, or the whole.
    pub(crate) fn send(&self, sql: &str, values: impl Values) -> Result<()> {
        match &self.engine {
            Engine::Sqlite(_) => self.execute(sql, values).map(drop),
            Engine::Postgres(session) => values.with(|values| session.send(sql, values)),
        }
    }

    /// Hears what was refused of what was sent.
    pub(crate) fn settle(&self) -> Result<()> {
        match &self.engine {
            Engine::Sqlite(_) => Ok(()),
            Engine::Postgres(session) => session.settle(),
        }
    }

    /// Inserts a row; its number.
    pub(crate) fn insert(&self, sql: &str, values: impl Values) -> Result<i64> {
        match self.insert_new(sql, values)? {
            Some(id) => Ok(id),
            None => Err(Error::Missing("a row that was inserted")),
        }
    }

    /// Inserts a row by a statement that leaves one alone that is there; its number.
    pub(crate) fn insert_new(&self, sql: &str, values: impl Values) -> Result<Option<i64>> {
        match &self.engine {
            Engine::Sqlite(connection) => {
                let mut statement = connection.prepare_cached(sql)?;
                let changed = values.with(|values| statement.execute(values))?;
                Ok((changed > 0).then(|| connection.last_insert_rowid()))
            }
            Engine::Postgres(session) => {
                let sql = format!("{sql} RETURNING id");
                let row = values.with(|values| session.first(&sql, values))?;
                row.map(|row| Row::Postgres(&row).get(0)).transpose()
            }
        }
    }

    /// The first row that `sql` finds, if any.
    pub(crate) fn one<T>(
        &self,
        sql: &str,
        values: impl Values,
        read: impl FnOnce(&Row<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        match &self.engine {
            Engine::Sqlite(connection) => {
                let mut statement = connection.prepare_cached(sql)?;
                let read = |row: &rusqlite::Row<'_>| Ok(read(&Row::Sqlite(row)));
                let found = values.with(|values| statement.query_row(values, read));
                found.optional()?.transpose()
            }
            Engine::Postgres(session) => {
                let row = values.with(|values| session.first(sql, values))?;
                row.map(|row| read(&Row::Postgres(&row))).transpose()
            }
        }
    }

    /// Shows the rows that `sql` finds to `visit`, one after the other, until it has seen enough. PostgreSQL sends all
    /// of them: whoever stops early limits the statement.
    pub(crate) fn each(
        &self,
        sql: &str,
        values: impl Values,
        mut visit: impl FnMut(&Row<'_>) -> Result<ControlFlow<()>>,
    ) -> Result<()> {
        match &self.engine {
            Engine::Sqlite(connection) if sql.len() > LONGEST_CACHED => {
                visit_all(&mut connection.prepare(sql)?, values, visit)
            }
            Engine::Sqlite(connection) => {
                visit_all(&mut *connection.prepare_cached(sql)?, values, visit)
            }
            Engine::Postgres(session) => {
                for row in values.with(|values| session.all(sql, values))? {
                    if visit(&Row::Postgres(&row))?.is_break() {
                        break;
                    }
                }
                Ok(())
            }
        }
    }

    /// All rows that `sql` finds.
    pub(crate) fn many<T>(
        &self,
        sql: &str,
        values: impl Values,
        mut read: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let mut found = Vec::new();
        self.each(sql, values, |row| {
            found.push(read(row)?);
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(found)
    }

    /// Runs several statements without parameters.
    pub(crate) fn batch(&self, sql: &str) -> Result<()> {
        match &self.engine {
            Engine::Sqlite(connection) => Ok(connection.execute_batch(sql)?),
            Engine::Postgres(session) => session.batch(sql),
        }
    }

    /// For the rest of the transaction nobody waits for a lock longer than it takes others to commit.
    pub(crate) fn hurry(&self) {
        // SQLite's one lock is held already.
        if let Engine::Postgres(session) = &self.engine {
            session.post("SET LOCAL lock_timeout = '100ms'");
        }
    }

    /// What is read until the guard is dropped is of one moment.
    pub(crate) fn snapshot(&self) -> Result<Snapshot<'_>> {
        match &self.engine {
            Engine::Sqlite(connection) => run(connection, "BEGIN")?,
            Engine::Postgres(session) => {
                session.begin("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
            }
        }
        Ok(Snapshot(self))
    }

    /// Whether `sql` finds a row; on PostgreSQL it is held until the commit. SQLite lets nobody else write anyway.
    pub(crate) fn hold(&self, hold: Hold, sql: &str, values: impl Values) -> Result<bool> {
        let found = match (&self.engine, hold) {
            (Engine::Sqlite(_), _) => self.one(sql, values, |_| Ok(()))?,
            (Engine::Postgres(_), Hold::AsItIs) => {
                self.one(&format!("{sql} FOR SHARE"), values, |_| Ok(()))?
            }
            (Engine::Postgres(_), Hold::ForChange) => {
                self.one(&format!("{sql} FOR NO KEY UPDATE"), values, |_| Ok(()))?
            }
            (Engine::Postgres(_), Hold::OrLeaveAlone) => {
                let sql = format!("{sql} FOR NO KEY UPDATE SKIP LOCKED");
                self.one(&sql, values, |_| Ok(()))?
            }
        };
        Ok(found.is_some())
    }

    /// Holds a row for change before whatever is asked next. PostgreSQL only, and only for the order in which rows are
    /// held: see `postgres`.
    pub(crate) fn hold_soon(&self, sql: &str, values: impl Values) -> Result<()> {
        match &self.engine {
            Engine::Sqlite(_) => Ok(()),
            Engine::Postgres(_) => self.send(&format!("{sql} FOR NO KEY UPDATE"), values),
        }
    }

    /// Waits for a lock, and holds it until the transaction ends. In SQLite the transaction itself is that lock.
    pub(crate) fn lock(&self, lock: Lock) {
        match &self.engine {
            Engine::Sqlite(_) => {}
            Engine::Postgres(session) => session.lock(lock),
        }
    }

    /// Lets a transaction go on after a refused statement, for a look at what refused it; the work that the statement
    /// belonged to has to be given up.
    pub(crate) fn recover(&self) -> Result<()> {
        match &self.engine {
            Engine::Sqlite(_) => Ok(()),
            Engine::Postgres(session) => session.recover(),
        }
    }

    /// Begins a transaction that writes; [`Error::Retired`] where nobody may any more.
    pub(crate) fn begin(&self) -> Result<()> {
        self.wakes.set(false);
        self.unwritten.borrow_mut().clear();
        match &self.engine {
            Engine::Sqlite(connection) => {
                run(connection, "BEGIN IMMEDIATE")?;
                match is_retired(connection) {
                    Ok(false) => Ok(()),
                    other => {
                        run(connection, "ROLLBACK")?;
                        Err(other.err().map_or(Error::Retired, Error::Sqlite))
                    }
                }
            }
            Engine::Postgres(session) => {
                session.begin("BEGIN");
                Ok(())
            }
        }
    }

    /// Makes durable what was written since [`Connection::begin`].
    pub(crate) fn commit(&self) -> Result<()> {
        match &self.engine {
            Engine::Sqlite(connection) => run(connection, "COMMIT"),
            Engine::Postgres(session) => {
                // It would answer that it is done, and undo everything.
                session.check_whole()?;
                if self.wakes.get() {
                    session.post(SAY_THERE_IS_WORK);
                }
                session.batch("COMMIT")
            }
        }
    }

    /// Undoes what was written since [`Connection::begin`].
    pub(crate) fn rollback(&self) -> Result<()> {
        self.unwritten.borrow_mut().clear();
        self.undo("ROLLBACK")
    }

    /// Begins a part of a transaction that can be undone by itself; what it is undone to.
    pub(crate) fn begin_part(&self) -> Result<Part> {
        match &self.engine {
            Engine::Sqlite(connection) => run(connection, "SAVEPOINT caller")?,
            Engine::Postgres(session) => {
                session.post("SAVEPOINT caller");
                session.in_part(true);
            }
        }
        Ok(Part(self.unwritten.borrow().len()))
    }

    /// Ends a part, and undoes it unless it is to be kept.
    pub(crate) fn end_part(&self, part: &Part, keep: bool) -> Result<()> {
        if !keep {
            self.unwritten.borrow_mut().truncate(part.0);
            self.undo("ROLLBACK TO caller")?;
        }
        match &self.engine {
            Engine::Sqlite(connection) => run(connection, "RELEASE caller"),
            Engine::Postgres(session) => {
                session.in_part(false);
                session.post("RELEASE caller");
                Ok(())
            }
        }
    }

    fn undo(&self, sql: &str) -> Result<()> {
        match &self.engine {
            Engine::Sqlite(connection) => run(connection, sql),
            Engine::Postgres(session) => session.undo(sql),
        }
    }

    /// Whether the engine itself has undone the transaction that goes on, or is going to.
    pub(crate) fn undone(&self) -> Option<Undone> {
        match &self.engine {
            // A full disk or an I/O error: SQLite has rolled back the whole transaction.
            Engine::Sqlite(connection) => connection.is_autocommit().then(|| {
                Undone::NoRoom(StoreError::Unavailable {
                    reason: "the database rolled back a transaction it could not write".to_owned(),
                    retry_after: RETRY_DISK,
                })
            }),
            Engine::Postgres(session) => session.trouble().map(|reason| {
                Undone::InVain(StoreError::Unavailable {
                    reason,
                    retry_after: RETRY_LOCK,
                })
            }),
        }
    }

    /// Whether there is a transaction that could be rolled back.
    pub(crate) fn in_transaction(&self) -> bool {
        match &self.engine {
            Engine::Sqlite(connection) => !connection.is_autocommit(),
            Engine::Postgres(session) => session.is_connected(),
        }
    }

    /// Makes sure that there is a connection, and gives what is read next its time.
    pub(crate) fn revive(&self) -> Result<()> {
        if let Some(deadline) = &self.deadline {
            deadline.begin(LONGEST_LIST);
        }
        match &self.engine {
            Engine::Sqlite(_) => Ok(()),
            Engine::Postgres(session) => session.revive(),
        }
    }

    /// Has workers look for work once the transaction is committed.
    pub(crate) fn wake_workers(&self) {
        self.wakes.set(true);
    }

    /// Puts an entry of the audit log off to the end of the transaction.
    pub(crate) fn put_off(&self, entry: Unwritten) {
        self.unwritten.borrow_mut().push(entry);
    }

    /// What was put off.
    pub(crate) fn take_put_off(&self) -> Vec<Unwritten> {
        self.unwritten.take()
    }
}

fn run(connection: &rusqlite::Connection, sql: &str) -> Result<()> {
    connection.prepare_cached(sql)?.execute([])?;
    Ok(())
}

fn visit_all(
    statement: &mut rusqlite::Statement<'_>,
    values: impl Values,
    mut visit: impl FnMut(&Row<'_>) -> Result<ControlFlow<()>>,
) -> Result<()> {
    values.with(|values| {
        let mut rows = statement.query(values)?;
        while let Some(row) = rows.next()? {
            if visit(&Row::Sqlite(row))?.is_break() {
                break;
            }
        }
        Ok(())
    })
}

/// Why the engine itself undid a transaction.
pub(crate) enum Undone {
    /// There was no room for what it wrote.
    NoRoom(StoreError),
    /// Others did something at the same moment, or the connection was lost: it may work another time.
    InVain(StoreError),
}

/// The place to which a part of a transaction is undone.
pub(crate) struct Part(usize);

/// Ends the moment that is read when dropped.
pub(crate) struct Snapshot<'a>(&'a Connection);

impl Drop for Snapshot<'_> {
    fn drop(&mut self) {
        // A connection that was lost has nothing to end.
        if self.0.in_transaction()
            && let Err(error) = self.0.undo("ROLLBACK")
        {
            tracing::error!(%error, "a read could not be ended");
        }
    }
}
