//! Fills a store in minutes with what a server would have written in years. For measuring: nothing here is careful about
//! a crash, and no entry of the audit log is made.
//!
//! Indexes that no uniqueness of a table's key rests on are made after the rows: one sort each instead of a search for
//! each row. Rows come in the order of their keys, some ten thousand certificates in a transaction: by prepared inserts
//! into SQLite, by COPY into PostgreSQL.
//!
//! - `rows`: objects of the domain as rows
//! - `indexes`: takes them away, makes them again

mod indexes;
mod rows;

use reseal_lifecycle::authorization::Authorization;
use reseal_lifecycle::certificate::{Certificate, CertificateId};
use reseal_lifecycle::event::Event;
use reseal_lifecycle::process::Process;
use reseal_lifecycle::store::{LostSerial, StoreError, Subscription};

use crate::database::{self, Connection, Engine, Value, params};
use crate::{Source, SqlStore, postgres, sqlite};
use rows::Table;

/// Rows of several tables, each kind in the order of its numbers, which its maker has given: from 1 on, over all batches.
/// Customers are there already.
#[derive(Debug, Default)]
pub struct Batch {
    /// Subscriptions.
    pub subscriptions: Vec<Subscription>,
    /// Processes that are over, with the events of each of their steps.
    pub processes: Vec<(Process, Vec<Vec<Event>>)>,
    /// Certificates; each one's serial was reserved by its process, and is on a list when it is revoked.
    pub certificates: Vec<Certificate>,
    /// Serials that are on a list without a certificate, as superseded.
    pub lost: Vec<LostSerial>,
    /// Proofs.
    pub authorizations: Vec<Authorization>,
    /// Which certificate rests on which proof for which name, in the order of the proofs.
    pub reliances: Vec<(i64, CertificateId, String)>,
}

/// What goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filling {
    /// Certificates stored so far.
    Rows(u64),
    /// That many indexes are still to be made.
    Indexes(usize),
}

impl SqlStore {
    /// Stores `batches` in the database at `source`, which has the schema, customers and no process yet. While it goes on
    /// nobody else may use the database; when it fails, the database is of no use any more.
    ///
    /// # Errors
    /// [`StoreError::Exists`] when there is a process; else as [`SqlStore::open`].
    pub fn fill(
        source: &Source,
        batches: impl Iterator<Item = Batch> + Send,
        tell: &mut (dyn FnMut(Filling) + Send),
    ) -> Result<u64, StoreError> {
        match source {
            Source::Sqlite(path) => {
                let connection = sqlite::loader(path)?;
                let filled = fill(&connection, batches, tell)?;
                drop(connection);
                sqlite::make_durable(path)?;
                Ok(filled)
            }
            Source::Postgres(url) => {
                postgres::aside(|| fill(&postgres::writer(&url.target)?, batches, tell))
            }
        }
    }
}

fn fill(
    connection: &Connection,
    batches: impl Iterator<Item = Batch>,
    tell: &mut (dyn FnMut(Filling) + Send),
) -> Result<u64, StoreError> {
    let begun = connection.one("SELECT 1 FROM process LIMIT 1", params![], |_| Ok(()))?;
    if begun.is_some() {
        return Err(StoreError::Exists("store with processes in it"));
    }
    let names = Table::ALL.map(Table::name);
    let taken = indexes::take_away(connection, &names)?;
    let mut stored = 0;
    for batch in batches {
        connection.begin()?;
        write(connection, &batch)?;
        connection.commit()?;
        stored += batch.certificates.len() as u64;
        tell(Filling::Rows(stored));
    }
    if let Engine::Postgres(session) = connection.engine() {
        // Numbers that the database gives from here on come behind those that were given.
        for table in Table::ALL.into_iter().filter(|table| table.is_numbered()) {
            session.batch(&format!(
                "SELECT setval(pg_get_serial_sequence('{0}', 'id'), COALESCE(MAX(id), 0) + 1, false) FROM {0}",
                table.name()
            ))?;
        }
    }
    indexes::make_again(connection, taken, tell)?;
    if let Engine::Postgres(session) = connection.engine() {
        session.batch("ANALYZE")?;
    }
    Ok(stored)
}

fn write(connection: &Connection, batch: &Batch) -> Result<(), StoreError> {
    for table in Table::ALL {
        insert(connection, table, table.rows(batch))?;
    }
    Ok(())
}

fn insert(
    connection: &Connection,
    table: Table,
    rows: impl Iterator<Item = Result<Vec<Value>, StoreError>>,
) -> Result<(), StoreError> {
    let (name, columns) = (table.name(), table.columns());
    match connection.engine() {
        Engine::Sqlite(file) => {
            let values: Vec<String> = (1..=columns.split(',').count())
                .map(|number| format!("?{number}"))
                .collect();
            let sql = format!(
                "INSERT INTO {name} ({columns}) VALUES ({})",
                values.join(", ")
            );
            let mut insert = file.prepare_cached(&sql).map_err(database::Error::from)?;
            for row in rows {
                insert
                    .execute(rusqlite::params_from_iter(row?))
                    .map_err(database::Error::from)?;
            }
        }
        Engine::Postgres(session) => {
            let mut rows = rows;
            // What goes wrong with a row is no error of the database: it is carried past it.
            let mut wrong = None;
            session.copy_in(name, columns, || match rows.next().transpose() {
                Ok(row) => Ok(row),
                Err(error) => {
                    wrong = Some(error);
                    Ok(None)
                }
            })?;
            if let Some(error) = wrong {
                return Err(error);
            }
        }
    }
    Ok(())
}
