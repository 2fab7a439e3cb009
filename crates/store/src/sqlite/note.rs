//! The methods of [`NoteStore`].

use async_trait::async_trait;
use reseal_lifecycle::audit::StepEntry;
use reseal_lifecycle::event::Event;
use reseal_lifecycle::note::NoteStore;
use reseal_lifecycle::process::ProcessId;
use reseal_lifecycle::store::StoreError;
use rusqlite::{Connection, params};

use super::SqliteStore;
use super::audit::StepDraft;
use super::change::{execute, json};
use super::fault::store_error;
use super::find::many;
use super::rows::{self, millis};
use crate::sql;

#[async_trait]
impl NoteStore for SqliteStore {
    async fn add_note(&self, process: ProcessId, note: Event) -> Result<(), StoreError> {
        let event = (millis(note.at), json(&note.kind)?);
        let told = StepEntry::of_note(&note);
        // Whose process it is, is in the entry of its first step.
        let entry = StepDraft::new(told, None, std::slice::from_ref(&event))?;
        let (at, kind) = event;
        self.writer
            .write(move |connection| {
                let (step, ordinal) =
                    add(connection, process, at, &kind).map_err(|error| store_error(&error))?;
                match &entry {
                    Some(entry) => entry.write(connection, process, step, ordinal),
                    None => Ok(()),
                }
            })
            .await
    }

    async fn notes(&self, process: ProcessId) -> Result<Vec<Event>, StoreError> {
        self.points
            .read(|connection| many(connection, sql::note::SELECT, [process], rows::event))
    }
}

/// The event joins those of the process's last step: the next step comes behind it. The answer is its place.
fn add(
    connection: &Connection,
    process: ProcessId,
    at: i64,
    kind: &str,
) -> rusqlite::Result<(i64, i64)> {
    let (step, ordinal): (i64, i64) = connection
        .prepare_cached(sql::event::SELECT_NEXT)?
        .query_row([process], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let values = params![process, step, ordinal, at, kind];
    execute(connection, sql::event::INSERT, values)?;
    execute(
        connection,
        sql::note::INSERT,
        params![process, step, ordinal],
    )?;
    Ok((step, ordinal))
}
