//! Notes: what customer and house write to each other about a process (contract.md sections 4.8 and 5.4).
//!
//! A note is an event of the process that changes nothing about it: whoever works on it is not disturbed.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::customer::{Caller, Role};
use crate::error::{Error, Kind};
use crate::event::{Event, EventKind};
use crate::process::{Process, ProcessId};
use crate::services::Services;
use crate::store::StoreError;

/// Notes of one process.
const MOST: usize = 100;

/// The part of [`crate::store::Store`] that is about notes.
#[async_trait]
pub trait NoteStore: Send + Sync + 'static {
    /// Adds an event that is a note to a process, behind everything that happened so far. The process itself
    /// stays as it is.
    async fn add_note(&self, process: ProcessId, note: Event) -> Result<(), StoreError>;
    /// The notes of a process, oldest first.
    async fn notes(&self, process: ProcessId) -> Result<Vec<Event>, StoreError>;
}

/// A note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// When it was written.
    pub at: Timestamp,
    /// Whether the house wrote it, to the customer.
    pub by_house: bool,
    /// Its text.
    pub message: String,
}

impl Services {
    /// Adds a note to a process, open or not.
    ///
    /// # Errors
    /// [`Kind::NotFound`]; [`Kind::Status`] when the process has a hundred already.
    pub async fn add_note(
        &self,
        caller: &Caller,
        id: ProcessId,
        message: String,
    ) -> Result<(), Error> {
        let process = self.process(caller, id).await?;
        if self.notes(&process).await?.len() >= MOST {
            return Err(Error::new(
                Kind::Status,
                format!("Process {id} has {MOST} notes already: no more are taken"),
            ));
        }
        let kind = EventKind::NoteAdded {
            user: caller.user.clone(),
            by_house: caller.role == Role::Operator,
            message,
        };
        let note = Event::new(self.clock.now(), kind);
        Ok(self.store.add_note(id, note).await?)
    }

    /// The notes of a process, oldest first.
    pub async fn notes(&self, process: &Process) -> Result<Vec<Note>, Error> {
        let events = self.store.notes(process.id).await?;
        Ok(events.into_iter().filter_map(note).collect())
    }
}

fn note(event: Event) -> Option<Note> {
    match event.kind {
        EventKind::NoteAdded {
            by_house, message, ..
        } => Some(Note {
            at: event.at,
            by_house,
            message,
        }),
        _ => None,
    }
}
