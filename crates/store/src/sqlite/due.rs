//! Processes for the worker: which are due, and taking one.

use reseal_lifecycle::Capacity;
use reseal_lifecycle::process::{Process, ProcessId};
use reseal_lifecycle::store::StoreError;
use rusqlite::{Connection, params};

use super::change::execute;
use super::fault::store_error;
use super::find::one;
use super::rows;
use crate::sql;

/// What is due at `now` and fits into `room`, the longest overdue first. Only a look: each is still to be claimed.
pub(crate) fn due(
    connection: &Connection,
    now: i64,
    mut room: Capacity,
) -> Result<Vec<ProcessId>, StoreError> {
    let mut look = || -> rusqlite::Result<Vec<ProcessId>> {
        let mut select = connection.prepare_cached(sql::process::SELECT_DUE)?;
        let mut rows = select.query([now])?;
        let mut found = Vec::new();
        while room.total > 0
            && let Some(row) = rows.next()?
        {
            if room.take(row.get_ref(1)?.as_str()?) {
                found.push(row.get(0)?);
            }
        }
        Ok(found)
    };
    look().map_err(|error| store_error(&error))
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
    let claimed = execute(connection, sql::process::CLAIM, params![lease, id, now]);
    match claimed.map_err(|error| store_error(&error))? {
        0 => Ok(None),
        _ => one(connection, sql::process::SELECT, [id], rows::process),
    }
}
