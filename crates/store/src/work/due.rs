//! Processes for the worker: which are due, and taking one.

use std::collections::BTreeSet;

use reseal_lifecycle::Capacity;
use reseal_lifecycle::process::{Process, ProcessId};
use reseal_lifecycle::store::StoreError;

use super::find::one;
use super::rows;
use crate::database::{self, Connection, Hold, Value, params};
use crate::sql;

/// What is due at `now` and fits into `room`, the longest overdue first. Only a look: each is still to be claimed.
pub(crate) fn due(
    connection: &Connection,
    now: i64,
    mut room: Capacity,
) -> Result<Vec<ProcessId>, StoreError> {
    let (mut found, mut full) = (Vec::new(), BTreeSet::new());
    let mut behind = (i64::MIN, i64::MIN);
    while room.total > 0 {
        let page = page(connection, now, behind, &full)?;
        let Some((id, _, at)) = page.last() else {
            break;
        };
        behind = (*at, *id);
        for (id, customer, _) in page {
            if room.take(&customer) {
                found.push(id);
            } else if room.total > 0 {
                full.insert(customer);
            }
        }
    }
    Ok(found)
}

/// What is due behind a place in the order: process, customer, since when. A customer in `full`, who can have no more, does
/// not hide what others have behind its own, however much that is.
fn page(
    connection: &Connection,
    now: i64,
    behind: (i64, i64),
    full: &BTreeSet<String>,
) -> database::Result<Vec<(ProcessId, String, i64)>> {
    let numbers = [now, behind.0, behind.1].map(Value::Integer);
    let places: Vec<String> = (numbers.len() + 1..)
        .zip(full)
        .map(|(place, _)| format!("${place}"))
        .collect();
    let names = full.iter().cloned().map(Value::Text);
    let values: Vec<Value> = numbers.into_iter().chain(names).collect();
    let select = sql::process::SELECT_DUE;
    let select = if full.is_empty() {
        select.to_owned()
    } else {
        let others = format!(" AND customer NOT IN ({}) ORDER BY", places.join(", "));
        select.replace(" ORDER BY", &others)
    };
    connection.many(&select, &*values, |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?))
    })
}

/// Claims every process of `due`. One row that nobody can read must not stop all the others.
pub(crate) fn claim_all(
    connection: &Connection,
    due: &[ProcessId],
    now: i64,
    lease: i64,
) -> Result<Vec<Process>, StoreError> {
    let mut claimed = Vec::with_capacity(due.len());
    for id in due {
        match claim(connection, *id, now, lease) {
            Ok(process) => claimed.extend(process),
            Err(StoreError::Fault(reason)) => {
                tracing::error!(process = id, reason, "a process cannot be worked on");
            }
            Err(error) => return Err(error),
        }
    }
    Ok(claimed)
}

/// Leases process `id` until `lease`, unless somebody works on it at `now` or it is over.
pub(crate) fn claim(
    connection: &Connection,
    id: ProcessId,
    now: i64,
    lease: i64,
) -> Result<Option<Process>, StoreError> {
    // Another node is about to take it.
    if !connection.hold(Hold::OrLeaveAlone, sql::process::EXISTS, [id])? {
        return Ok(None);
    }
    let claimed = connection.execute(sql::process::CLAIM, params![lease, id, now]);
    match claimed? {
        0 => Ok(None),
        _ => one(connection, sql::process::SELECT, [id], rows::process),
    }
}
