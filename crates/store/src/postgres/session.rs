//! One connection, asked by one thread that waits for the answers.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::Future;

use futures_util::future::{join, join_all};
use rusqlite::types::{ToSql as Value, ToSqlOutput};
use tokio::runtime::Runtime;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row, Statement};

use super::connect::{LOCK_TIMEOUT, Role, Target};
use super::letters::{Letter, Ready};
use super::wire::Bound;
use crate::database::{Error, Lock, Result};

/// More than there are statements; lists add their own, and when there are too many all are prepared anew.
const STATEMENT_CACHE: usize = 512;
/// Longer texts come from unusual filters.
const LONGEST_CACHED: usize = 4096;

/// Statements that are sent at once at most.
const OUTBOX: usize = 256;
/// Numbers of the locks: "reseal" and one of ours, so that another program in the same database has others.
const LOCKS: i32 = 0x7265_7365;

/// A connection that is made again after it was lost, before the next piece of work.
pub(crate) struct Session {
    /// There until the end.
    runtime: Option<Runtime>,
    target: Target,
    role: Role,
    link: RefCell<Option<Link>>,
    /// The server at its other end takes no writes.
    misplaced: Cell<bool>,
    in_part: Cell<bool>,
    /// What is sent with the next statement that is waited for.
    outbox: RefCell<Vec<Letter>>,
    /// A statement was refused, and the transaction takes no other until some of it is rolled back.
    failed: Cell<bool>,
    /// Locks that are held until the transaction ends, or what is undone of it.
    held: RefCell<Vec<Lock>>,
    /// Why the transaction has to be begun anew.
    trouble: RefCell<Option<String>>,
}

/// What ends with a connection.
struct Link {
    client: Client,
    statements: HashMap<Box<str>, Statement>,
}

impl Session {
    /// Connects. Blocks: not for a thread of an asynchronous runtime.
    pub(crate) fn open(target: &Target, role: Role) -> Result<Self> {
        let session = Self::later(target, role)?;
        session.connect()?;
        Ok(session)
    }

    /// Connects before its first piece of work, as after a loss.
    pub(crate) fn later(target: &Target, role: Role) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Error::Unreachable(format!("no runtime for PostgreSQL: {error}")))?;
        Ok(Self {
            runtime: Some(runtime),
            target: target.clone(),
            role,
            link: RefCell::new(None),
            misplaced: Cell::new(false),
            in_part: Cell::new(false),
            outbox: RefCell::default(),
            failed: Cell::new(false),
            held: RefCell::default(),
            trouble: RefCell::default(),
        })
    }

    fn runtime(&self) -> Result<&Runtime> {
        self.runtime.as_ref().ok_or_else(lost)
    }

    fn connect(&self) -> Result<()> {
        self.link.replace(None);
        let client = self.runtime()?.block_on(self.target.connect(self.role))?;
        let statements = HashMap::new();
        self.link.replace(Some(Link { client, statements }));
        self.misplaced.set(false);
        self.in_part.set(false);
        self.outbox.take();
        self.failed.set(false);
        self.trouble.replace(None);
        Ok(())
    }

    /// Connects anew if the connection was lost, or leads to a server that takes no writes.
    pub(crate) fn revive(&self) -> Result<()> {
        // What the server said since the last answer is heard only while somebody waits.
        self.runtime()?.block_on(async {
            tokio::task::yield_now().await;
            tokio::task::yield_now().await;
        });
        if self.is_connected() {
            return Ok(());
        }
        self.connect()
    }

    pub(crate) fn is_connected(&self) -> bool {
        if self.misplaced.get() {
            return false;
        }
        let link = self.link.borrow();
        link.as_ref().is_some_and(|link| !link.client.is_closed())
    }

    /// Whether a part of the transaction goes on that can be undone by itself.
    pub(crate) fn in_part(&self, goes_on: bool) {
        self.in_part.set(goes_on);
    }

    /// See [`crate::database::Connection::recover`].
    pub(crate) fn recover(&self) -> Result<()> {
        if self.in_part.get() {
            return self.undo("ROLLBACK TO caller");
        }
        self.undo("ROLLBACK")?;
        self.begin("BEGIN");
        Ok(())
    }

    pub(crate) fn lock(&self, lock: Lock) {
        // Callers of one transaction want the same.
        if self.held.borrow().contains(&lock) {
            return;
        }
        self.held.borrow_mut().push(lock);
        let (number, function) = match lock {
            Lock::BlockedKeysStay => (1, "pg_advisory_xact_lock_shared"),
            Lock::BlockedKeysGrow => (1, "pg_advisory_xact_lock"),
            Lock::ProofsStand => (4, "pg_advisory_xact_lock_shared"),
            Lock::ProofsFall => (4, "pg_advisory_xact_lock"),
            Lock::AuditLog => (2, "pg_advisory_xact_lock"),
            // Another node may be making an index over all that there is.
            Lock::Schema => {
                let take = format!("SELECT pg_advisory_xact_lock({LOCKS}, 3)");
                return self.take_within("1h", &take);
            }
            // Those who store take what this waits for with every row, and wait behind it: while somebody holds them up it
            // is better tried another time.
            Lock::CertificatesStored => {
                return self.take_within("1s", "LOCK TABLE certificate IN SHARE MODE");
            }
        };
        // Not prepared: such a function answers with a type that has no value. Whatever is asked next waits for it.
        self.post(&format!("SELECT {function}({LOCKS}, {number})"));
    }

    /// Takes a lock for which nobody waits as long as for others.
    fn take_within(&self, patience: &str, lock: &str) {
        self.post(&format!(
            "SET LOCAL lock_timeout = '{patience}'; {lock}; SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'"
        ));
    }

    /// Begins a transaction: what failed before counts no more.
    pub(crate) fn begin(&self, sql: &str) {
        self.trouble.replace(None);
        self.failed.set(false);
        self.in_part.set(false);
        self.held.take();
        self.outbox.take();
        self.post(sql);
    }

    /// Rolls back a transaction or a part of one: what failed in it counts no more.
    pub(crate) fn undo(&self, sql: &str) -> Result<()> {
        // What was not sent yet is: there may be the beginning of what is undone in it. A transaction that has failed prepares
        // nothing any more, and if all of it is undone nothing is missed.
        let before = match self.take_outbox() {
            Err(_) if sql == "ROLLBACK" => Vec::new(),
            before => before?,
        };
        self.held.take();
        let link = self.link.borrow();
        let link = link.as_ref().ok_or_else(lost)?;
        let client = &link.client;
        let sent = join_all(before.iter().map(|letter| letter.send(client)));
        let (_, undone) = self.block(join(sent, client.batch_execute(sql)))?;
        self.note(undone)?;
        self.failed.set(false);
        Ok(())
    }

    /// Sends `sql` with the next statement that is waited for.
    pub(crate) fn post(&self, sql: &str) {
        self.outbox.borrow_mut().push(Letter::Text(sql.to_owned()));
    }

    /// The same for a statement with values.
    pub(crate) fn send(&self, sql: &str, values: &[&dyn Value]) -> Result<()> {
        // What it is refused for as a statement is heard here.
        self.prepare(sql)?;
        let values = values.iter().map(|value| owned(*value));
        let values = values.collect::<rusqlite::Result<Vec<_>>>()?;
        let mut outbox = self.outbox.borrow_mut();
        let alone = match outbox.last_mut() {
            Some(last) => last.join(sql, values),
            None => Some(values),
        };
        outbox.extend(alone.map(|row| Letter::Rows(sql.into(), vec![row])));
        drop(outbox);
        if self.outbox.borrow().len() >= OUTBOX {
            return self.settle();
        }
        Ok(())
    }

    /// Waits for the answers to everything that was sent.
    pub(crate) fn settle(&self) -> Result<()> {
        if self.outbox.borrow().is_empty() {
            return Ok(());
        }
        self.wait(async |_| Ok(()))
    }

    pub(crate) fn execute(&self, sql: &str, values: &[&dyn Value]) -> Result<usize> {
        let statement = self.prepare(sql)?;
        let bound = bound(values)?;
        let changed =
            self.wait(async |client| client.execute(&statement, &parameters(&bound)).await)?;
        Ok(changed as usize)
    }

    pub(crate) fn first(&self, sql: &str, values: &[&dyn Value]) -> Result<Option<Row>> {
        let rows = self.all(sql, values)?;
        Ok(rows.into_iter().next())
    }

    pub(crate) fn all(&self, sql: &str, values: &[&dyn Value]) -> Result<Vec<Row>> {
        let statement = self.prepare(sql)?;
        let bound = bound(values)?;
        self.wait(async |client| client.query(&statement, &parameters(&bound)).await)
    }

    pub(crate) fn batch(&self, sql: &str) -> Result<()> {
        self.wait(async |client| client.batch_execute(sql).await)
    }

    /// Refuses to go on when a statement of the transaction has failed.
    pub(crate) fn check_whole(&self) -> Result<()> {
        if self.failed.get() {
            return Err(Error::Unfinished);
        }
        Ok(())
    }

    /// Why the transaction has to be begun anew, if it has to.
    pub(crate) fn trouble(&self) -> Option<String> {
        self.trouble.borrow().clone()
    }

    /// Copies rows into `columns` of `table` as long as `next` has any.
    pub(crate) fn copy_in(
        &self,
        table: &str,
        columns: &str,
        mut next: impl FnMut() -> Result<Option<Vec<rusqlite::types::Value>>>,
    ) -> Result<()> {
        let like = self.prepare(&format!("SELECT {columns} FROM {table} LIMIT 0"))?;
        let types = like.columns().iter().map(|column| column.type_().clone());
        let types: Vec<Type> = types.collect();
        let into = format!("COPY {table} ({columns}) FROM STDIN BINARY");
        let sink = self.wait(async |client| client.copy_in::<_, bytes::Bytes>(&into).await)?;
        let mut writer = std::pin::pin!(BinaryCopyInWriter::new(sink, &types));
        while let Some(row) = next()? {
            let row: Vec<&dyn Value> = row.iter().map(|value| value as &dyn Value).collect();
            let row = bound(&row)?;
            self.wait(async |_| writer.as_mut().write(&parameters(&row)).await)?;
        }
        self.wait(async |_| writer.as_mut().finish().await)?;
        Ok(())
    }

    fn prepare(&self, sql: &str) -> Result<Statement> {
        let known = |link: &Link| link.statements.get(sql).cloned();
        if let Some(statement) = known(self.link.borrow().as_ref().ok_or_else(lost)?) {
            return Ok(statement);
        }
        // The server may refuse it, and that ends what goes on: the part that this belongs to has to have begun by then, or
        // undoing it would undo what others wrote before.
        self.settle()?;
        let mut link = self.link.borrow_mut();
        let link = link.as_mut().ok_or_else(lost)?;
        let statement = self.note(self.block(link.client.prepare(sql))?)?;
        if sql.len() <= LONGEST_CACHED {
            if link.statements.len() >= STATEMENT_CACHE {
                link.statements.clear();
            }
            link.statements.insert(sql.into(), statement.clone());
        }
        Ok(statement)
    }

    /// Sends what waits in the outbox and asks `ask`, all in one go, then waits for all answers.
    fn wait<T>(
        &self,
        ask: impl AsyncFnOnce(&Client) -> std::result::Result<T, tokio_postgres::Error>,
    ) -> Result<T> {
        let before = self.take_outbox()?;
        let link = self.link.borrow();
        let client = &link.as_ref().ok_or_else(lost)?.client;
        if before.is_empty() {
            return self.note(self.block(ask(client))?);
        }
        // Each is sent when it is polled for the first time, which is in this order.
        let sent = join_all(before.iter().map(|letter| letter.send(client)));
        let (sent, answer) = self.block(join(sent, ask(client)))?;
        for answer in sent {
            self.note(answer)?;
        }
        self.note(answer)
    }

    /// What waits to be sent, as statements that the server knows.
    fn take_outbox(&self) -> Result<Vec<Ready>> {
        let letters = self.outbox.take();
        let mut ready = Vec::with_capacity(letters.len());
        for letter in letters {
            ready.extend(letter.statements(|sql| self.prepare(sql))?);
        }
        Ok(ready)
    }

    fn block<T>(&self, answer: impl Future<Output = T>) -> Result<T> {
        Ok(self.runtime()?.block_on(answer))
    }

    /// Takes note of what went wrong.
    fn note<T>(&self, answer: std::result::Result<T, tokio_postgres::Error>) -> Result<T> {
        answer.map_err(|error| {
            let error = Error::from(error);
            self.failed.set(true);
            if error.takes_no_writes() {
                self.misplaced.set(true);
            }
            if error.is_in_vain() {
                self.trouble.replace(Some(error.to_string()));
            }
            error
        })
    }
}

fn bound<'a>(values: &'a [&'a (dyn Value + 'a)]) -> Result<Vec<Bound<'a>>> {
    let bound = values.iter().map(|value| value.to_sql().map(Bound));
    Ok(bound.collect::<rusqlite::Result<_>>()?)
}

fn parameters<'a>(bound: &'a [Bound<'_>]) -> Vec<&'a (dyn ToSql + Sync)> {
    bound
        .iter()
        .map(|value| value as &(dyn ToSql + Sync))
        .collect()
}

fn owned(value: &dyn Value) -> rusqlite::Result<rusqlite::types::Value> {
    Ok(match value.to_sql()? {
        ToSqlOutput::Borrowed(value) => value
            .try_into()
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?,
        ToSqlOutput::Owned(value) => value,
        _ => {
            let unknown = "a value of an unknown kind";
            return Err(rusqlite::Error::ToSqlConversionFailure(unknown.into()));
        }
    })
}

impl Drop for Session {
    fn drop(&mut self) {
        self.link.replace(None);
        // Wherever the session is dropped: an ordinary end would wait, which not every thread may.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn lost() -> Error {
    Error::Unreachable("the connection to PostgreSQL was lost".to_owned())
}
