//! Hands the log out, row by row.

use std::path::Path;

use jiff::Timestamp;
use reseal_lifecycle::store::StoreError;
use rusqlite::{OptionalExtension as _, params};
use serde_json::Value;

use super::super::connection::open_reader;
use super::super::fault::store_error;
use super::super::rows::millis;
use super::read::{AuditRow, EventRow};
use crate::SqliteStore;
use crate::sql;

/// Stands for what is not handed out.
const HIDDEN: &str = "[random value]";

impl SqliteStore {
    /// Gives `take` every entry of the database at `path` that was recorded at `since` or later and before `until`,
    /// in order, with the events it is about; until it answers `false`. The Random Value of a process that is still open is
    /// not in them: it proves something as long as it does, and is evidence only from then on.
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
    let mut open = moment.prepare(sql::process::SELECT_OPEN_STATE)?;
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
                let mut told = found.collect::<rusqlite::Result<Vec<_>>>()?;
                let state: Option<String> =
                    open.query_row([process], |row| row.get(0)).optional()?;
                if let Some(random) = state.as_deref().and_then(random_value) {
                    for event in &mut told {
                        hide(event, &random);
                    }
                }
                told
            }
            _ => Vec::new(),
        };
        if !take(row, told) {
            break;
        }
    }
    Ok(())
}

/// The Random Value that a process in `state` asks for.
fn random_value(state: &str) -> Option<String> {
    let state: Value = serde_json::from_str(state).ok()?;
    let random = state["work"]["random"].as_str()?;
    (!random.is_empty()).then(|| random.to_owned())
}

/// Takes `random` out of what an event says.
fn hide(event: &mut EventRow, random: &str) {
    if let Ok(text) = std::str::from_utf8(&event.kind)
        && text.contains(random)
    {
        event.kind = text.replace(random, HIDDEN).into_bytes();
    }
}
