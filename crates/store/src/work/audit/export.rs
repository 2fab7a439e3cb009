//! Hands the log out, row by row.

use std::ops::ControlFlow;

use jiff::Timestamp;
use reseal_lifecycle::store::StoreError;
use serde_json::Value;

use super::super::rows::millis;
use super::read::{AuditRow, EventRow};
use super::walk;
use crate::SqlStore;
use crate::database::{Connection, Source, params};
use crate::sql;
use crate::store::with_reader;

/// Stands for what is not handed out.
const HIDDEN: &str = "[random value]";

impl SqlStore {
    /// Gives `take` every entry of the database that was recorded at `since` or later and before `until`,
    /// in order, with the events it is about; until it answers `false`. The Random Value of a process that is still open is
    /// not in them: it proves something as long as it does, and is evidence only from then on.
    ///
    /// # Errors
    /// As [`SqlStore::open`].
    pub fn export_audit(
        source: &Source,
        since: Timestamp,
        until: Timestamp,
        take: &mut (dyn FnMut(AuditRow, Vec<EventRow>) -> bool + Send),
    ) -> Result<(), StoreError> {
        with_reader(source, |connection| {
            export(connection, millis(since), millis(until), take)
        })
    }
}

fn export(
    connection: &Connection,
    since: i64,
    until: i64,
    take: &mut dyn FnMut(AuditRow, Vec<EventRow>) -> bool,
) -> Result<(), StoreError> {
    let _moment = connection.snapshot()?;
    walk(connection, |row| {
        if row.at < since || row.at >= until {
            return Ok(ControlFlow::Continue(()));
        }
        let told = match (row.events, row.process()) {
            (Some(span), Some(process)) => {
                let span = params![process, span.step, span.first, span.count.max(0)];
                let mut told = connection.many(sql::event::SELECT_SPAN, span, EventRow::read)?;
                let open = sql::process::SELECT_OPEN_STATE;
                let state: Option<String> = connection.one(open, [process], |row| row.get(0))?;
                if let Some(random) = state.as_deref().and_then(random_value) {
                    for event in &mut told {
                        hide(event, &random);
                    }
                }
                told
            }
            _ => Vec::new(),
        };
        Ok(if take(row, told) {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        })
    })?;
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
