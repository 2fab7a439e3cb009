//! Moves everything from a SQLite file into an empty PostgreSQL database, and looks whether all of it arrived.
//!
//! One transaction copies all tables, row by row in the order of their keys; while it reads, it computes a digest over
//! each table. Then the tables are read again from PostgreSQL and their digests compared.

use std::path::Path;

use aws_lc_rs::digest::{Context, SHA256};
use reseal_lifecycle::store::StoreError;

use crate::database::{Connection, Engine, PostgresUrl, Result, Row, Value, ValueRef, params};
use crate::postgres::{self, Session};
use crate::{Source, SqlStore, sqlite};

/// A table and the columns that its rows are sorted by, which no two rows share.
struct Table {
    name: &'static str,
    key: &'static str,
    /// Whether its numbers are given by the database.
    numbered: bool,
}

const fn table(name: &'static str, key: &'static str) -> Table {
    Table {
        name,
        key,
        numbered: false,
    }
}

const fn numbered(name: &'static str) -> Table {
    Table {
        name,
        key: "id",
        numbered: true,
    }
}

/// Every table, those that others refer to first.
const TABLES: [Table; 39] = [
    table("customer", "handle"),
    numbered("api_key"),
    numbered("subscription"),
    numbered("process"),
    numbered("certificate"),
    table("certificate_name", "certificate, name"),
    table("event", "process, step, ordinal"),
    numbered("domain_authorization"),
    table("reliance", "proof, certificate, name"),
    numbered("reservation"),
    numbered("precertificate"),
    table("mail_token", "hash"),
    table("request_token", "fingerprint"),
    table("heartbeat", "id"),
    numbered("notification"),
    table("watch", "name"),
    table("webhook", "customer"),
    table("crl_entry", "issuer, ending, serial"),
    table("crl", "name"),
    numbered("idempotency_key"),
    table("process_billable", "process, action"),
    numbered("auth_key"),
    table("note", "process, step, ordinal"),
    table("pending_validation", "process"),
    numbered("vetted_check"),
    table("audit", "id"),
    table("audit_checkpoint", "id"),
    numbered("blocked_key"),
    table("claimed_key", "spki_sha256, customer"),
    table("revocation_duty", "certificate"),
    numbered("campaign"),
    table("campaign_item", "campaign, certificate"),
    table("upstream_account", "issuer, directory, customer"),
    table("upstream_order", "url"),
    table("upstream_chain", "digest"),
    table("upstream_certificate", "certificate"),
    table("upstream_revocation", "fingerprint"),
    table("dns_record", "process, hook, name, value"),
    table("schema_migration", "version"),
];

/// Rows after which progress is told.
const STRIDE: u64 = 10_000;
/// Rows that are read at once.
const AT_ONCE: usize = 1000;

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The table.
    pub table: &'static str,
    /// Rows done.
    pub done: u64,
    /// Rows there are.
    pub of: u64,
    /// Whether this is the second pass, which compares.
    pub comparing: bool,
}

/// What was moved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// How many tables.
    pub tables: usize,
    /// How many rows.
    pub rows: u64,
}

/// How many rows a table has, and a digest over these columns of them.
#[derive(Debug, PartialEq, Eq)]
struct Summary {
    columns: String,
    rows: u64,
    digest: Vec<u8>,
}

/// A transfer that was made. As long as it is held nobody writes to the file, so that the two are the same; when it is
/// dropped the file is as it was before.
pub struct Transfer {
    /// What was moved.
    pub moved: Moved,
    file: Connection,
}

impl Transfer {
    /// Has the file refuse every write from now on, also of programs that have opened it already and wait: what they
    /// answered for would not be in the new database.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when that cannot be written: then the file is as it was before.
    pub fn retire_source(self) -> std::result::Result<(), StoreError> {
        Ok(sqlite::retire(&self.file)?)
    }
}

type Tell<'a> = &'a mut (dyn FnMut(Progress) + Send);

impl SqlStore {
    /// Copies all of the SQLite file at `from` into the database `to`, which has to be empty, and compares the two.
    /// Nobody may write to `to` meanwhile, and nobody can write to `from` until the answer is dropped. When it fails
    /// before it compares, nothing is in `to`.
    ///
    /// # Errors
    /// As [`SqlStore::open`], also when another program is writing to `from` for longer than ten seconds;
    /// [`StoreError::Exists`] when there is something in `to`; [`StoreError::Fault`] with the first
    /// table that differs.
    pub fn transfer(
        from: &Path,
        to: &PostgresUrl,
        tell: Tell<'_>,
    ) -> std::result::Result<Transfer, StoreError> {
        // It has the present schema then.
        drop(Self::open(&Source::Postgres(to.clone()))?);
        postgres::aside(|| {
            let file = sqlite::last_writer(from)?;
            let target = postgres::writer(&to.target)?;
            if target
                .one("SELECT 1 FROM customer LIMIT 1", params![], |_| Ok(()))?
                .is_some()
            {
                return Err(StoreError::Exists("database with customers in it"));
            }
            let moved = transfer(&file, &target, tell)?;
            Ok(Transfer { moved, file })
        })
    }
}

fn transfer(
    source: &Connection,
    target: &Connection,
    tell: Tell<'_>,
) -> std::result::Result<Moved, StoreError> {
    let (Engine::Sqlite(file), Engine::Postgres(session)) = (source.engine(), target.engine())
    else {
        return Err(StoreError::Fault(
            "only from SQLite to PostgreSQL".to_owned(),
        ));
    };
    target.begin()?;
    // A big table takes longer than a transaction may be idle.
    target.batch("SET LOCAL idle_in_transaction_session_timeout = 0; DELETE FROM heartbeat; DELETE FROM audit_checkpoint")?;
    let mut digests = Vec::new();
    for table in moved() {
        match copy(file, session, table, tell) {
            Ok(copied) => digests.push(copied),
            Err(error) => {
                target.rollback()?;
                return Err(error.into());
            }
        }
    }
    target.commit()?;
    compare(session, &digests, tell)
}

/// All but what each database says of itself.
fn moved() -> impl Iterator<Item = &'static Table> {
    TABLES
        .iter()
        .filter(|table| table.name != "schema_migration")
}

/// Copies one table.
fn copy(
    file: &rusqlite::Connection,
    session: &Session,
    table: &'static Table,
    tell: Tell<'_>,
) -> Result<Summary> {
    let Table {
        name,
        key,
        numbered,
    } = table;
    let of: i64 = file.query_row(&format!("SELECT COUNT(*) FROM {name}"), [], |row| {
        row.get(0)
    })?;
    let mut select = file.prepare(&format!("SELECT * FROM {name} ORDER BY {key}"))?;
    let columns: Vec<&str> = select.column_names().collect();
    let (width, columns) = (columns.len(), columns.join(", "));
    let mut rows = select.query([])?;
    let mut pass = Pass::new(name, of.unsigned_abs(), false);
    session.copy_in(name, &columns, || {
        let Some(row) = rows.next()? else {
            return Ok(None);
        };
        let values = (0..width).map(|column| Ok(storable(row.get(column)?)));
        let values = values.collect::<Result<Vec<Value>>>()?;
        pass.row(values.iter().map(ValueRef::from), tell);
        Ok(Some(values))
    })?;
    if *numbered {
        // Numbers that customers saw are never used twice, not even those of rows that are gone.
        let last = "SELECT MAX((SELECT COALESCE(MAX(id), 0) FROM TABLE), \
            COALESCE((SELECT seq FROM sqlite_sequence WHERE name = 'TABLE'), 0))";
        let last: i64 = file.query_row(&last.replace("TABLE", name), [], |row| row.get(0))?;
        session.batch(&format!(
            "SELECT setval(pg_get_serial_sequence('{name}', 'id'), {}, {})",
            last.max(1),
            last > 0
        ))?;
    }
    Ok(pass.end(columns, tell))
}

/// A value as PostgreSQL stores it: its texts have no NUL.
fn storable(value: Value) -> Value {
    match value {
        Value::Text(text) if text.contains('\0') => Value::Text(text.replace('\0', "\u{fffd}")),
        other => other,
    }
}

/// Reads everything again.
fn compare(
    session: &Session,
    copied: &[Summary],
    tell: Tell<'_>,
) -> std::result::Result<Moved, StoreError> {
    let mut all = Moved::default();
    session.begin("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    for (table, copied) in moved().zip(copied) {
        let found = read_again(session, table, copied, tell)?;
        if found != *copied {
            return Err(StoreError::Fault(format!(
                "the table `{}` did not arrive as it was: {} rows of {}",
                table.name, found.rows, copied.rows
            )));
        }
        all.tables += 1;
        all.rows += found.rows;
    }
    session.undo("ROLLBACK")?;
    Ok(all)
}

fn read_again(
    session: &Session,
    table: &'static Table,
    copied: &Summary,
    tell: Tell<'_>,
) -> Result<Summary> {
    let Table { name, key, .. } = table;
    let columns = &copied.columns;
    session.batch(&format!(
        "DECLARE all_of_{name} NO SCROLL CURSOR FOR SELECT {columns} FROM {name} ORDER BY {key}"
    ))?;
    let mut pass = Pass::new(name, copied.rows, true);
    loop {
        let rows = session.all(&format!("FETCH {AT_ONCE} FROM all_of_{name}"), &[])?;
        if rows.is_empty() {
            return Ok(pass.end(columns.clone(), tell));
        }
        for row in &rows {
            let values = (0..row.len()).map(|column| Row::Postgres(row).value(column));
            let values = values.collect::<Result<Vec<_>>>()?;
            pass.row(values.into_iter(), tell);
        }
    }
}

/// One walk through a table.
struct Pass {
    progress: Progress,
    digest: Context,
}

impl Pass {
    fn new(table: &'static str, of: u64, comparing: bool) -> Self {
        let progress = Progress {
            table,
            done: 0,
            of,
            comparing,
        };
        Self {
            progress,
            digest: Context::new(&SHA256),
        }
    }

    /// Takes a row: each value with its kind and length, so that no two rows look the same.
    fn row<'a>(&mut self, values: impl Iterator<Item = ValueRef<'a>>, tell: Tell<'_>) {
        for value in values {
            let number;
            let (kind, bytes): (u8, &[u8]) = match value {
                ValueRef::Null => (0, &[]),
                ValueRef::Integer(integer) => {
                    number = integer.to_be_bytes();
                    (1, &number)
                }
                ValueRef::Text(text) => (2, text),
                ValueRef::Blob(bytes) => (3, bytes),
                // No column has such a type.
                ValueRef::Real(_) => (4, &[]),
            };
            self.digest.update(&[kind]);
            self.digest.update(&(bytes.len() as u64).to_be_bytes());
            self.digest.update(bytes);
        }
        self.progress.done += 1;
        if self.progress.done.is_multiple_of(STRIDE) {
            tell(self.progress);
        }
    }

    fn end(self, columns: String, tell: Tell<'_>) -> Summary {
        if !self.progress.done.is_multiple_of(STRIDE) {
            tell(self.progress);
        }
        Summary {
            columns,
            rows: self.progress.done,
            digest: self.digest.finish().as_ref().to_vec(),
        }
    }
}

/// Names of all tables.
#[cfg(test)]
pub(crate) fn names() -> Vec<&'static str> {
    TABLES.iter().map(|table| table.name).collect()
}
