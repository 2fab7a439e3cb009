//! Hands the log out, row by row.

use std::path::Path;

use jiff::Timestamp;
use reseal_lifecycle::store::StoreError;
use rusqlite::params;

use super::super::connection::open_reader;
use super::super::fault::store_error;
use super::super::rows::millis;
use super::read::{AuditRow, EventRow};
use crate::SqliteStore;
use crate::sql;

impl SqliteStore {
    /// Gives `take` every entry of the database at `path` that was recorded at `since` or later and before `until`,
    /// in order, with the events it is about; until it answers `false`.
    ///
    /// # Errors
    /// As [`SqliteStore::open`].
    pub fn export_audit(
        path: &Path,
        since: Timestamp,
        until: Timestamp,
        take: &mut dyn FnMut(AuditRow, Vec<EventRow>) -> bool,
    ) -> Result<(), StoreError> {
        export(path, millis(since), millis(until), take).map_err(|error| store_error(&error))
    }
}

fn export(
    path: &Path,
    since: i64,
    until: i64,
    take: &mut dyn FnMut(AuditRow, Vec<EventRow>) -> bool,
) -> rusqlite::Result<()> {
    let connection = open_reader(path)?;
    let moment = connection.unchecked_transaction()?;
    let mut select = moment.prepare(sql::audit::SELECT_FROM)?;
    let mut events = moment.prepare(sql::event::SELECT_SPAN)?;
    let mut rows = select.query([i64::MIN])?;
    while let Some(row) = rows.next()? {
        let row = AuditRow::read(row)?;
        if row.at < since || row.at >= until {
            continue;
        }
        let told = match (row.events, row.process()) {
            (Some(span), Some(process)) => {
                let span = params![process, span.step, span.first, span.count];
                let found = events.query_map(span, EventRow::read)?;
                found.collect::<rusqlite::Result<_>>()?
            }
            _ => Vec::new(),
        };
        if !take(row, told) {
            break;
        }
    }
    Ok(())
}
