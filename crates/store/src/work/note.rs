//! The methods of [`NoteStore`].

use async_trait::async_trait;
use reseal_lifecycle::audit::StepEntry;
use reseal_lifecycle::event::Event;
use reseal_lifecycle::note::NoteStore;
use reseal_lifecycle::process::ProcessId;
use reseal_lifecycle::store::StoreError;

use super::audit::StepDraft;
use super::change::json;
use super::find::many;
use super::rows::{self, millis};
use crate::SqlStore;
use crate::database::{self, Connection, Error, Hold, params};
use crate::sql;

#[async_trait]
impl NoteStore for SqlStore {
    async fn add_note(&self, process: ProcessId, note: Event) -> Result<(), StoreError> {
        let event = (millis(note.at), json(&note.kind)?);
        let told = StepEntry::of_note(&note);
        // Whose process it is, is in the entry of its first step.
        let entry = StepDraft::new(told, None, std::slice::from_ref(&event))?;
        let (at, kind) = event;
        self.writer
            .write(move |connection| {
                let (step, ordinal) = add(connection, process, at, &kind)?;
                if let Some(entry) = &entry {
                    entry.write(connection, process, step, ordinal);
                }
                Ok(())
            })
            .await
    }

    async fn notes(&self, process: ProcessId) -> Result<Vec<Event>, StoreError> {
        self.points
            .read(move |connection| many(connection, sql::note::SELECT, [process], rows::event))
            .await
    }
}

/// The event joins those of the process's last step: the next step comes behind it. The answer is its place.
fn add(
    connection: &Connection,
    process: ProcessId,
    at: i64,
    kind: &str,
) -> database::Result<(i64, i64)> {
    // Or the process goes on meanwhile, or has another note added.
    connection.hold(Hold::ForChange, sql::process::EXISTS, [process])?;
    let next = connection.one(sql::event::SELECT_NEXT, [process], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })?;
    let (step, ordinal): (i64, i64) = next.ok_or(Error::Missing("the process of a note"))?;
    let values = params![process, step, ordinal, at, kind];
    connection.send(sql::event::INSERT, values)?;
    connection.send(sql::note::INSERT, params![process, step, ordinal])?;
    Ok((step, ordinal))
}
