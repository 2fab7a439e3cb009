//! One connection, asked by one thread that waits for the answers.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::Future;

use rusqlite::types::ToSql as Value;
use tokio::runtime::Runtime;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row, Statement};

use super::connect::{Role, Target};
use super::wire::Bound;
use crate::database::{Error, Lock, Result};

/// More than there are statements; lists add their own, and when there are too many all are prepared anew.
const STATEMENT_CACHE: usize = 512;
/// Longer texts come from unusual filters.
const LONGEST_CACHED: usize = 4096;

/// Numbers of the locks: "reseal" and one of ours, so that another program in the same database has others.
const LOCKS: i32 = 0x7265_7365;

/// A connection that is made again after it was lost, before the next piece of work.
pub(crate) struct Session {
    /// There until the end.
    runtime: Option<Runtime>,
    target: Target,
    role: Role,
    link: RefCell<Option<Link>>,
    in_part: Cell<bool>,
    /// A statement was refused, and the transaction takes no other until some of it is rolled back.
    failed: Cell<bool>,
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
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Error::Unreachable(format!("no runtime for PostgreSQL: {error}")))?;
        let session = Self {
            runtime: Some(runtime),
            target: target.clone(),
            role,
            link: RefCell::new(None),
            in_part: Cell::new(false),
            failed: Cell::new(false),
            trouble: RefCell::default(),
        };
        session.connect()?;
        Ok(session)
    }

    fn runtime(&self) -> Result<&Runtime> {
        self.runtime.as_ref().ok_or_else(lost)
    }

    fn connect(&self) -> Result<()> {
        self.link.replace(None);
        let client = self.runtime()?.block_on(self.target.connect(self.role))?;
        let statements = HashMap::new();
        self.link.replace(Some(Link { client, statements }));
        self.in_part.set(false);
        self.failed.set(false);
        self.trouble.replace(None);
        Ok(())
    }

    /// Connects anew if the connection was lost.
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
            return self.control("ROLLBACK TO caller");
        }
        self.control("ROLLBACK")?;
        self.control("BEGIN")
    }

    pub(crate) fn lock(&self, lock: Lock) -> Result<()> {
        let (number, function) = match lock {
            Lock::BlockedKeysStay => (1, "pg_advisory_xact_lock_shared"),
            Lock::BlockedKeysGrow => (1, "pg_advisory_xact_lock"),
            Lock::AuditLog => (2, "pg_advisory_xact_lock"),
            Lock::Schema => (3, "pg_advisory_xact_lock"),
        };
        // Not prepared: such a function answers with a type that has no value.
        self.batch(&format!("SELECT {function}({LOCKS}, {number})"))
    }

    pub(crate) fn execute(&self, sql: &str, values: &[&dyn Value]) -> Result<usize> {
        let changed = self.ask(sql, values, async |client, statement, values| {
            client.execute(statement, values).await
        })?;
        Ok(changed as usize)
    }

    pub(crate) fn first(&self, sql: &str, values: &[&dyn Value]) -> Result<Option<Row>> {
        let rows = self.all(sql, values)?;
        Ok(rows.into_iter().next())
    }

    pub(crate) fn all(&self, sql: &str, values: &[&dyn Value]) -> Result<Vec<Row>> {
        self.ask(sql, values, async |client, statement, values| {
            client.query(statement, values).await
        })
    }

    pub(crate) fn batch(&self, sql: &str) -> Result<()> {
        let link = self.link.borrow();
        let link = link.as_ref().ok_or_else(lost)?;
        self.wait(link.client.batch_execute(sql))
    }

    /// Begins or rolls back a transaction or a part of one: what failed before counts no more.
    pub(crate) fn control(&self, sql: &str) -> Result<()> {
        if sql.starts_with("BEGIN") {
            self.trouble.replace(None);
        }
        self.batch(sql)?;
        if sql.starts_with("BEGIN") || sql.starts_with("ROLLBACK") {
            self.failed.set(false);
        }
        Ok(())
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
        let link = self.link.borrow();
        let client = &link.as_ref().ok_or_else(lost)?.client;
        let like = self.wait(client.prepare(&format!("SELECT {columns} FROM {table} LIMIT 0")))?;
        let types: Vec<Type> = like
            .columns()
            .iter()
            .map(|column| column.type_().clone())
            .collect();
        let into = format!("COPY {table} ({columns}) FROM STDIN BINARY");
        let sink = self.wait(client.copy_in::<_, bytes::Bytes>(&into))?;
        let mut writer = std::pin::pin!(BinaryCopyInWriter::new(sink, &types));
        while let Some(row) = next()? {
            let bound = row
                .iter()
                .map(|value| Value::to_sql(value).map(Bound))
                .collect::<rusqlite::Result<Vec<_>>>()?;
            let bound: Vec<&(dyn ToSql + Sync)> = bound
                .iter()
                .map(|value| value as &(dyn ToSql + Sync))
                .collect();
            self.wait(writer.as_mut().write(&bound))?;
        }
        self.wait(writer.as_mut().finish())?;
        Ok(())
    }

    fn ask<T>(
        &self,
        sql: &str,
        values: &[&dyn Value],
        ask: impl AsyncFnOnce(
            &Client,
            &Statement,
            &[&(dyn ToSql + Sync)],
        ) -> std::result::Result<T, tokio_postgres::Error>,
    ) -> Result<T> {
        let statement = self.prepare(sql)?;
        let bound = values
            .iter()
            .map(|value| value.to_sql().map(Bound))
            .collect::<rusqlite::Result<Vec<_>>>()?;
        let bound: Vec<&(dyn ToSql + Sync)> = bound
            .iter()
            .map(|value| value as &(dyn ToSql + Sync))
            .collect();
        let link = self.link.borrow();
        let link = link.as_ref().ok_or_else(lost)?;
        self.wait(ask(&link.client, &statement, &bound))
    }

    fn prepare(&self, sql: &str) -> Result<Statement> {
        let mut link = self.link.borrow_mut();
        let link = link.as_mut().ok_or_else(lost)?;
        if let Some(statement) = link.statements.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.wait(link.client.prepare(sql))?;
        if sql.len() <= LONGEST_CACHED {
            if link.statements.len() >= STATEMENT_CACHE {
                link.statements.clear();
            }
            link.statements.insert(sql.into(), statement.clone());
        }
        Ok(statement)
    }

    fn wait<T>(
        &self,
        answer: impl Future<Output = std::result::Result<T, tokio_postgres::Error>>,
    ) -> Result<T> {
        self.runtime()?.block_on(answer).map_err(|error| {
            let error = Error::from(error);
            self.failed.set(true);
            if error.collided() || error.lost_connection() {
                self.trouble.replace(Some(error.to_string()));
            }
            error
        })
    }
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
