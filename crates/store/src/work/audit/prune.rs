//! Removes what is older than anybody has to keep it: always the beginning of the chain, never a part out of its middle.
//! The hash of the last entry removed stays, and an entry says what went.

use jiff::Timestamp;
use reseal_lifecycle::audit::{AuditEntry, KEPT_FOR_EVER, SERVER, object};
use reseal_lifecycle::store::StoreError;
use serde_json::Value;

use super::super::rows::millis;
use super::append::note;
use super::read::AuditRow;
use crate::database::{self, Connection, Lock, params};
use crate::sql;

/// Entries that go in one commit: others write in between.
const AT_ONCE: i64 = 500;

/// Removes the first entries recorded before `before`, with the events that they are about; how many there were.
pub(super) fn prune(
    connection: &Connection,
    before: Timestamp,
    now: Timestamp,
) -> Result<usize, StoreError> {
    // Nobody appends between this look and the commit.
    connection.lock(Lock::AuditLog);
    let old = oldest(connection, millis(before))?;
    let Some(last) = old.last() else {
        return Ok(0);
    };
    for row in old.iter().filter(|row| is_kept(row)) {
        note(connection, carried(row, now))?;
    }
    let events: i64 = old
        .iter()
        .filter_map(|row| row.events)
        .map(|span| span.count)
        .sum();
    let entry = AuditEntry::new(now, SERVER, "audit.prune", object::LOG)
        .with("through", last.id)
        .with("hash", hex::encode(last.hash))
        .with("entries", old.len())
        .with("events", events)
        .with("before", format!("{before:.0}"));
    note(connection, entry)?;
    remove(connection, &old, last)?;
    Ok(old.len())
}

/// The first entries as long as they are older than `before`; the last entry of all is not among them.
fn oldest(connection: &Connection, before: i64) -> database::Result<Vec<AuditRow>> {
    let page = params![i64::MIN, AT_ONCE + 1];
    let mut old = connection.many(sql::audit::SELECT_FROM, page, AuditRow::read)?;
    let count = old.iter().take_while(|row| row.at < before).count();
    // Not the last one of all, nor more than go at once: either way, one is left behind them.
    old.truncate(count.min(old.len().saturating_sub(1)));
    Ok(old)
}

fn is_kept(row: &AuditRow) -> bool {
    KEPT_FOR_EVER
        .iter()
        .any(|action| row.action == action.as_bytes())
}

/// An entry that is kept as long as the CA is: appended once more, with the number and the hashes it had.
fn carried(row: &AuditRow, now: Timestamp) -> AuditEntry {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let at =
        Timestamp::from_millisecond(row.at).map_or(Value::Null, |at| format!("{at:.3}").into());
    let detail: Value = serde_json::from_slice(&row.detail).unwrap_or_default();
    let mut entry = AuditEntry::new(now, text(&row.actor), text(&row.action), text(&row.object));
    entry.reason = row.reason.as_deref().map(text);
    entry.note = row.note.as_deref().map(text);
    entry.detail = detail.as_object().cloned().unwrap_or_default();
    // What was carried over before keeps where it came from.
    if !entry.detail.contains_key("carried") {
        let origin = serde_json::json!({
            "id": row.id,
            "at": at,
            "previous": hex::encode(row.previous),
            "hash": hex::encode(row.hash),
        });
        entry = entry.with("carried", origin);
    }
    entry
}

fn remove(connection: &Connection, old: &[AuditRow], last: &AuditRow) -> database::Result<()> {
    let checkpoint = |pruning: bool| {
        let values = params![last.id, last.hash, pruning];
        connection.execute(sql::audit::SET_CHECKPOINT, values)
    };
    checkpoint(true)?;
    for row in old {
        if let (Some(span), Some(process)) = (row.events, row.process()) {
            let values = params![process, span.step, span.first, span.first + span.count];
            // Whoever has something to note waits until the commit: nobody waits for a thousand answers.
            connection.send(sql::note::PRUNE, values)?;
            connection.send(sql::event::PRUNE, values)?;
        }
    }
    connection.execute(sql::audit::PRUNE, [last.id])?;
    checkpoint(false)?;
    Ok(())
}
