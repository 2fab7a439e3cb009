//! Entries as rows. What can be made ready without the database is made ready before the writer is asked; its thread
//! looks up the last entry, hashes and inserts.

use std::sync::Arc;

use aws_lc_rs::digest;
use jiff::Timestamp;
use reseal_lifecycle::audit::chain::{EventDigest, EventSpan, GENESIS, Record};
use reseal_lifecycle::audit::{AuditEntry, StepEntry};
use reseal_lifecycle::process::ProcessId;
use reseal_lifecycle::store::StoreError;
use serde_json::{Map, Value};

use super::super::change::json;
use super::super::rows::millis;
use super::read;
use crate::database::{self, Connection, Lock, params};
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
    pub(crate) fn new(entry: AuditEntry) -> Result<Arc<Self>, StoreError> {
        let entry = entry.fit_to_record();
        Ok(Arc::new(Self {
            at: millis(entry.at),
            detail: json(&entry.detail)?,
            actor: storable(entry.actor),
            action: entry.action,
            object: storable(entry.object),
            reason: entry.reason.map(storable),
            note: entry.note.map(storable),
        }))
    }

    pub(crate) fn all_of(entries: Vec<AuditEntry>) -> Result<Vec<Arc<Self>>, StoreError> {
        entries.into_iter().map(Self::new).collect()
    }
}

/// `text` as every database can store it, so that its hash is that of what is stored: PostgreSQL takes no NUL.
fn storable(text: String) -> String {
    if text.contains('\0') {
        return text.replace('\0', "\u{fffd}");
    }
    text
}

/// An entry that is appended when everything else of the transaction is written.
pub(crate) struct Unwritten {
    entry: Arc<Entry>,
    /// Where the entry does not say what it is about.
    object: Option<String>,
    events: Option<EventSpan>,
}

/// Appends entries in their order.
pub(crate) fn append_all(connection: &Connection, entries: &[Arc<Entry>]) {
    for entry in entries {
        append(connection, entry, None, None);
    }
}

/// Appends an entry about a write that is rare enough to be made ready here.
pub(crate) fn note(connection: &Connection, entry: AuditEntry) -> Result<(), StoreError> {
    append(connection, &Entry::new(entry)?, None, None);
    Ok(())
}

/// The entry of a step of a process, without what only the database knows: the process's number, and behind which
/// events these stand.
pub(crate) struct StepDraft {
    entry: Arc<Entry>,
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
        let at = Timestamp::from_millisecond(*at).unwrap_or(Timestamp::UNIX_EPOCH);
        let mut entry = AuditEntry::new(at, step.actor, step.action, "");
        if let Some(customer) = customer {
            entry = entry.with("customer", customer);
        }
        let entry = entry.with("events", counted);
        Ok(Some(Self {
            entry: Entry::new(entry)?,
            count: events.len() as i64,
            digest: digest.finish(),
        }))
    }

    /// Appends it: the events are those of step `step` of process `id`, from ordinal `first` on.
    pub(crate) fn write(&self, connection: &Connection, id: ProcessId, step: i64, first: i64) {
        let events = EventSpan {
            step,
            first,
            count: self.count,
            digest: self.digest,
        };
        let object = AuditEntry::process(id);
        append(connection, &self.entry, Some(object), Some(events));
    }
}

/// The name of an event: the tag that each begins with.
fn name_of(kind: &str) -> String {
    let tag = kind.strip_prefix("{\"event\":\"");
    let name = tag.and_then(|rest| rest.split_once('"'));
    name.map_or("unknown", |(name, _)| name).to_owned()
}

/// Has `entry` appended behind the last one, about `object` or what it says itself.
pub(super) fn append(
    connection: &Connection,
    entry: &Arc<Entry>,
    object: Option<String>,
    events: Option<EventSpan>,
) {
    connection.put_off(Unwritten {
        entry: Arc::clone(entry),
        object,
        events,
    });
}

/// Appends what was put off, behind the last entry there is by now: command lines append to the same log, and so do
/// other nodes. Their numbers are decided here.
pub(crate) fn write_put_off(connection: &Connection) -> database::Result<()> {
    let unwritten = connection.take_put_off();
    if unwritten.is_empty() {
        return Ok(());
    }
    connection.lock(Lock::AuditLog);
    let head = connection.one(sql::audit::SELECT_HEAD, params![], read::head)?;
    let (mut last, mut previous) = head.unwrap_or((0, GENESIS));
    for Unwritten {
        entry,
        object,
        events,
    } in unwritten
    {
        let object = object.as_deref().unwrap_or(&entry.object);
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
        let hash = record.hash(&previous);
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
            hash
        ];
        connection.send(sql::audit::INSERT, values)?;
        (last, previous) = (record.id, hash);
    }
    Ok(())
}

/// `entry` with the numbers `ids` under `name`, if there are any. An entry holds the first thousand at most: how many there
/// were and a digest over all stand beside them, each number as eight bytes, big-endian.
pub(crate) fn with_numbers(entry: AuditEntry, name: &str, ids: &[i64]) -> AuditEntry {
    if ids.is_empty() {
        return entry;
    }
    let mut all = digest::Context::new(&digest::SHA256);
    for id in ids {
        all.update(&id.to_be_bytes());
    }
    entry
        .with(name, ids)
        .with(&format!("{name}Count"), ids.len())
        .with(&format!("{name}Sha256"), hex::encode(all.finish()))
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
