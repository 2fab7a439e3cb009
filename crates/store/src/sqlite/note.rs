//! The methods of [`NoteStore`].

use async_trait::async_trait;
use reseal_lifecycle::event::Event;
use reseal_lifecycle::note::NoteStore;
use reseal_lifecycle::process::ProcessId;
use reseal_lifecycle::store::StoreError;
use rusqlite::{Connection, params};

use super::SqliteStore;
use super::change::{execute, json};
use super::fault::store_error;
use super::find::many;
use super::rows::{self, millis};
use crate::sql;

#[async_trait]
impl NoteStore for SqliteStore {
    async fn add_note(&self, process: ProcessId, note: Event) -> Result<(), StoreError> {
        let (at, kind) = (millis(note.at), json(&note.kind)?);
        self.writer
            .write(move |connection| {
                add(connection, process, at, &kind).map_err(|error| store_error(&error))
            })
            .await
    }

    async fn notes(&self, process: ProcessId) -> Result<Vec<Event>, StoreError> {
        self.points
            .read(|connection| many(connection, sql::note::SELECT, [process], rows::event))
    }
}

/// The event joins those of the process's last step: the next step comes behind it.
fn add(connection: &Connection, process: ProcessId, at: i64, kind: &str) -> rusqlite::Result<()> {
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
    Ok(())
}
