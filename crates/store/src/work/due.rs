//! Processes for the worker: which are due, and taking one.

use std::ops::ControlFlow;

use reseal_lifecycle::Capacity;
use reseal_lifecycle::process::{Process, ProcessId};
use reseal_lifecycle::store::StoreError;

use super::find::one;
use super::rows;
use crate::database::{Connection, Hold, params};
use crate::sql;

/// What is due at `now` and fits into `room`, the longest overdue first. Only a look: each is still to be claimed.
pub(crate) fn due(
    connection: &Connection,
    now: i64,
    mut room: Capacity,
) -> Result<Vec<ProcessId>, StoreError> {
    let mut found = Vec::new();
    connection.each(sql::process::SELECT_DUE, [now], |row| {
        if room.total == 0 {
            return Ok(ControlFlow::Break(()));
        }
        let customer: String = row.get(1)?;
        if room.take(&customer) {
            found.push(row.get(0)?);
        }
        Ok(ControlFlow::Continue(()))
    })?;
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
