//! What was recorded before there was a chain is appended to it, as the last part of migration 11.

use std::ops::ControlFlow;
use std::sync::Arc;

use reseal_lifecycle::audit::SERVER;
use reseal_lifecycle::audit::chain::{EventDigest, EventSpan};

use super::append::{Entry, append, write_put_off};
use super::read::EventRow;
use crate::database::{self, Connection, Row, params};
use crate::sql;

/// Steps of processes, each with who opened the process and what it does.
const STEPS: &str = "SELECT event.process, event.step, MAX(event.at), process.opened_by, process.action \
    FROM event JOIN process ON process.id = event.process \
    GROUP BY event.process, event.step ORDER BY event.process, event.step";
const DECISIONS: &str =
    "SELECT at, actor, action, object, reason, note, detail FROM unchained_audit ORDER BY id";
const DROP: &str = "DROP TABLE unchained_audit";

/// Entries that are written at once.
const AT_ONCE: usize = 1000;

/// Appends an entry for each step there is, then the decisions of operators. Of SQLite only: no PostgreSQL database has
/// ever had another log.
pub(crate) fn carry_over(connection: &Connection) -> database::Result<()> {
    let mut waiting = 0;
    let mut written = || {
        waiting += 1;
        if waiting % AT_ONCE == 0 {
            write_put_off(connection)?;
        }
        Ok(ControlFlow::Continue(()))
    };
    connection.each(STEPS, params![], |row| {
        let (object, entry, events) = step(connection, row)?;
        append(connection, &Arc::new(entry), Some(object), Some(events));
        written()
    })?;
    connection.each(DECISIONS, params![], |row| {
        append(connection, &Arc::new(decision(row)?), None, None);
        written()
    })?;
    write_put_off(connection)?;
    connection.batch(DROP)
}

fn step(connection: &Connection, row: &Row<'_>) -> database::Result<(String, Entry, EventSpan)> {
    let (process, step): (i64, i64) = (row.get(0)?, row.get(1)?);
    let (opened_by, action): (String, String) = (row.get(3)?, row.get(4)?);
    let mut digest = EventDigest::default();
    let span = params![process, step, 0, i64::MAX];
    let events = connection.many(sql::event::SELECT_SPAN, span, EventRow::read)?;
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

fn decision(row: &Row<'_>) -> database::Result<Entry> {
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
