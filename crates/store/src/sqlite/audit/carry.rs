//! What was recorded before there was a chain is appended to it, as the last part of migration 11.

use reseal_lifecycle::audit::SERVER;
use reseal_lifecycle::audit::chain::{EventDigest, EventSpan};
use reseal_lifecycle::store::StoreError;
use rusqlite::{Connection, Row, params};

use super::append::{Entry, append};
use super::read::EventRow;
use crate::sql;
use crate::sqlite::fault::store_error;

/// Steps of processes, each with who opened the process and what it does.
const STEPS: &str = "SELECT event.process, event.step, MAX(event.at), process.opened_by, process.action \
    FROM event JOIN process ON process.id = event.process \
    GROUP BY event.process, event.step ORDER BY event.process, event.step";
const DECISIONS: &str =
    "SELECT at, actor, action, object, reason, note, detail FROM unchained_audit ORDER BY id";
const DROP: &str = "DROP TABLE unchained_audit";

/// Appends an entry for each step there is, then the decisions of operators.
pub(crate) fn carry_over(connection: &Connection) -> Result<(), StoreError> {
    let database = |error: rusqlite::Error| store_error(&error);
    let mut steps = connection.prepare(STEPS).map_err(database)?;
    let mut rows = steps.query([]).map_err(database)?;
    while let Some(row) = rows.next().map_err(database)? {
        let (object, entry, events) = step(connection, row).map_err(database)?;
        append(connection, &entry, &object, Some(events))?;
    }
    let mut decisions = connection.prepare(DECISIONS).map_err(database)?;
    let mut rows = decisions.query([]).map_err(database)?;
    while let Some(row) = rows.next().map_err(database)? {
        let entry = decision(row).map_err(database)?;
        append(connection, &entry, &entry.object, None)?;
    }
    drop(rows);
    decisions.finalize().map_err(database)?;
    connection.execute_batch(DROP).map_err(database)
}

fn step(connection: &Connection, row: &Row<'_>) -> rusqlite::Result<(String, Entry, EventSpan)> {
    let (process, step): (i64, i64) = (row.get(0)?, row.get(1)?);
    let (opened_by, action): (String, String) = (row.get(3)?, row.get(4)?);
    let mut digest = EventDigest::default();
    let mut select = connection.prepare_cached(sql::event::SELECT_SPAN)?;
    let events: Vec<EventRow> = select
        .query_map(params![process, step, 0, i64::MAX], EventRow::read)?
        .collect::<Result<_, _>>()?;
    for event in &events {
        digest.add(event.at, &event.kind);
    }
    let entry = Entry {
        at: row.get(2)?,
        actor: if step == 0 {
            opened_by
        } else {
            SERVER.to_owned()
        },
        action: format!("{action}.step"),
        object: format!("process/{process}"),
        reason: None,
        note: None,
        detail: r#"{"carriedOver":true}"#.to_owned(),
    };
    let span = EventSpan {
        step,
        first: 0,
        count: events.len() as i64,
        digest: digest.finish(),
    };
    Ok((entry.object.clone(), entry, span))
}

fn decision(row: &Row<'_>) -> rusqlite::Result<Entry> {
    Ok(Entry {
        at: row.get(0)?,
        actor: row.get(1)?,
        action: row.get(2)?,
        object: row.get(3)?,
        reason: row.get(4)?,
        note: row.get(5)?,
        detail: row.get(6)?,
    })
}
