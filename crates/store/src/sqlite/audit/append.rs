//! Entries as rows. What can be made ready without the database is made ready before the writer is asked; its thread
//! looks up the last entry, hashes and inserts.

use jiff::Timestamp;
use reseal_lifecycle::audit::chain::{EventDigest, EventSpan, GENESIS, Record};
use reseal_lifecycle::audit::{AuditEntry, StepEntry};
use reseal_lifecycle::process::ProcessId;
use reseal_lifecycle::store::StoreError;
use rusqlite::{Connection, params};
use serde_json::{Map, Value};

use super::super::change::{execute, json};
use super::super::fault::store_error;
use super::super::find::one;
use super::super::rows::millis;
use super::read;
use crate::sql;

/// An entry with everything rendered that is stored as text.
pub(crate) struct Entry {
    pub(super) at: i64,
    pub(super) actor: String,
    pub(super) action: String,
    pub(super) object: String,
    pub(super) reason: Option<String>,
    pub(super) note: Option<String>,
    pub(super) detail: String,
}

impl Entry {
    pub(crate) fn new(entry: AuditEntry) -> Result<Self, StoreError> {
        let entry = entry.fit_to_record();
        Ok(Self {
            at: millis(entry.at),
            detail: json(&entry.detail)?,
            actor: entry.actor,
            action: entry.action,
            object: entry.object,
            reason: entry.reason,
            note: entry.note,
        })
    }

    pub(crate) fn all_of(entries: Vec<AuditEntry>) -> Result<Vec<Self>, StoreError> {
        entries.into_iter().map(Self::new).collect()
    }
}

/// Appends entries in their order.
pub(crate) fn append_all(connection: &Connection, entries: &[Entry]) -> Result<(), StoreError> {
    entries
        .iter()
        .try_for_each(|entry| append(connection, entry, &entry.object, None))
}

/// Appends an entry about a write that is rare enough to be made ready here.
pub(crate) fn note(connection: &Connection, entry: AuditEntry) -> Result<(), StoreError> {
    let entry = Entry::new(entry)?;
    append(connection, &entry, &entry.object, None)
}

/// The entry of a step of a process, without what only the database knows: the process's number, and behind which
/// events these stand.
pub(crate) struct StepDraft {
    entry: Entry,
    count: i64,
    digest: [u8; 32],
}

impl StepDraft {
    /// The entry of a step of `customer`'s process that wrote `events`, each as it is stored; `None` when it wrote none.
    pub(crate) fn new(
        step: StepEntry,
        customer: Option<&str>,
        events: &[(i64, String)],
    ) -> Result<Option<Self>, StoreError> {
        let Some((at, _)) = events.last() else {
            return Ok(None);
        };
        let mut digest = EventDigest::default();
        let mut counted: Map<String, Value> = Map::new();
        for (at, kind) in events {
            digest.add(*at, kind.as_bytes());
            let seen = counted.entry(name_of(kind)).or_insert(Value::from(0));
            *seen = Value::from(seen.as_i64().unwrap_or_default() + 1);
        }
        let mut entry = AuditEntry::new(Timestamp::UNIX_EPOCH, step.actor, step.action, "");
        if let Some(customer) = customer {
            entry = entry.with("customer", customer);
        }
        let entry = entry.with("events", counted);
        Ok(Some(Self {
            entry: Entry {
                at: *at,
                ..Entry::new(entry)?
            },
            count: events.len() as i64,
            digest: digest.finish(),
        }))
    }

    /// Appends it: the events are those of step `step` of process `id`, from ordinal `first` on.
    pub(crate) fn write(
        &self,
        connection: &Connection,
        id: ProcessId,
        step: i64,
        first: i64,
    ) -> Result<(), StoreError> {
        let events = EventSpan {
            step,
            first,
            count: self.count,
            digest: self.digest,
        };
        let object = AuditEntry::process(id);
        append(connection, &self.entry, &object, Some(events))
    }
}

/// The name of an event: the tag that each begins with.
fn name_of(kind: &str) -> String {
    let tag = kind.strip_prefix("{\"event\":\"");
    let name = tag.and_then(|rest| rest.split_once('"'));
    name.map_or("unknown", |(name, _)| name).to_owned()
}

/// Appends `entry` about `object` behind the last one; its number is decided here.
pub(super) fn append(
    connection: &Connection,
    entry: &Entry,
    object: &str,
    events: Option<EventSpan>,
) -> Result<(), StoreError> {
    // Looked up each time: command lines append to the same file, between two transactions of ours.
    let (last, previous) =
        one(connection, sql::audit::SELECT_HEAD, [], read::head)?.unwrap_or((0, GENESIS));
    let record = Record {
        id: last + 1,
        at: entry.at,
        actor: entry.actor.as_bytes(),
        action: entry.action.as_bytes(),
        object: object.as_bytes(),
        reason: entry.reason.as_deref().map(str::as_bytes),
        note: entry.note.as_deref().map(str::as_bytes),
        detail: entry.detail.as_bytes(),
        events,
    };
    let values = params![
        record.id,
        entry.at,
        entry.actor,
        entry.action,
        object,
        entry.reason,
        entry.note,
        entry.detail,
        events.map(|events| events.step),
        events.map(|events| events.first),
        events.map(|events| events.count),
        events.map(|events| events.digest),
        previous,
        record.hash(&previous)
    ];
    execute(connection, sql::audit::INSERT, values)
        .map(|_| ())
        .map_err(|error| store_error(&error))
}

#[cfg(test)]
mod tests {
    use reseal_lifecycle::event::EventKind;

    use super::*;

    #[test]
    fn the_name_of_an_event_is_the_tag_it_begins_with() {
        let kind = EventKind::Cancelled {
            user: "acme/api".to_owned(),
        };
        assert_eq!(name_of(&json(&kind).unwrap()), "cancelled");
        assert_eq!(name_of("{}"), "unknown");
    }
}
