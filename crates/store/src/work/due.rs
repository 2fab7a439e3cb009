//! Processes for the worker: which are due, and taking one.

use reseal_lifecycle::Capacity;
use reseal_lifecycle::process::{Process, ProcessId};
use reseal_lifecycle::store::StoreError;

use super::find::one;
use super::rows;
use crate::database::{Connection, Hold, params};
use crate::sql;

/// Processes that are looked at at once.
const AT_ONCE: i64 = 256;

/// What is due at `now` and fits into `room`, the longest overdue first. Only a look: each is still to be claimed.
pub(crate) fn due(
    connection: &Connection,
    now: i64,
    mut room: Capacity,
) -> Result<Vec<ProcessId>, StoreError> {
    let mut found = Vec::new();
    let mut behind = (i64::MIN, i64::MIN);
    // A customer with many due processes does not hide those of others behind them.
    while room.total > 0 {
        let values = params![now, behind.0, behind.1, AT_ONCE];
        let page: Vec<(ProcessId, String, i64)> =
            connection.many(sql::process::SELECT_DUE, values, |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })?;
        let Some((id, _, at)) = page.last() else {
            break;
        };
        behind = (*at, *id);
        for (id, customer, _) in page {
            if room.total > 0 && room.take(&customer) {
                found.push(id);
            }
        }
    }
    Ok(found)
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
