//! Rows of the log: as entries, and as they are stored, since whoever checks the log must be able to read what somebody
//! made of it.

use reseal_lifecycle::audit::AuditEntry;
use reseal_lifecycle::audit::chain::{EventSpan, Hash, Record};

use super::super::columns::Columns;
use crate::database::{self, Row, ValueRef};

/// An entry, column by column. Texts are bytes; what has the wrong type is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    /// Its number.
    pub id: i64,
    /// Milliseconds since 1970.
    pub at: i64,
    /// See [`reseal_lifecycle::audit::AuditEntry`].
    pub actor: Vec<u8>,
    /// See [`reseal_lifecycle::audit::AuditEntry`].
    pub action: Vec<u8>,
    /// See [`reseal_lifecycle::audit::AuditEntry`].
    pub object: Vec<u8>,
    /// See [`reseal_lifecycle::audit::AuditEntry`].
    pub reason: Option<Vec<u8>>,
    /// See [`reseal_lifecycle::audit::AuditEntry`].
    pub note: Option<Vec<u8>>,
    /// A JSON object.
    pub detail: Vec<u8>,
    /// The events it is about.
    pub events: Option<EventSpan>,
    /// Hash of the entry before.
    pub previous: Hash,
    /// Its own hash.
    pub hash: Hash,
}

impl AuditRow {
    /// A row of [`crate::sql::audit::SELECT_FROM`].
    pub(super) fn read(row: &Row<'_>) -> database::Result<Self> {
        let number = |index: usize| row.value(index).map(number);
        let texts = |index: usize| row.value(index).map(bytes);
        let events = match (number(8)?, number(9)?, number(10)?) {
            (None, None, None) if texts(11)?.is_none() => None,
            // Half of it is there: it is read as what cannot have been written.
            (step, first, count) => Some(EventSpan {
                step: step.unwrap_or(-1),
                first: first.unwrap_or(-1),
                count: count.unwrap_or(-1),
                digest: hash(texts(11)?),
            }),
        };
        Ok(Self {
            id: number(0)?.unwrap_or_default(),
            at: number(1)?.unwrap_or_default(),
            actor: texts(2)?.unwrap_or_default(),
            action: texts(3)?.unwrap_or_default(),
            object: texts(4)?.unwrap_or_default(),
            reason: texts(5)?,
            note: texts(6)?,
            detail: texts(7)?.unwrap_or_default(),
            events,
            previous: hash(texts(12)?),
            hash: hash(texts(13)?),
        })
    }

    /// What its hash covers.
    pub(super) fn record(&self) -> Record<'_> {
        Record {
            id: self.id,
            at: self.at,
            actor: &self.actor,
            action: &self.action,
            object: &self.object,
            reason: self.reason.as_deref(),
            note: self.note.as_deref(),
            detail: &self.detail,
            events: self.events,
        }
    }

    /// The process whose step it is the entry of.
    pub fn process(&self) -> Option<i64> {
        self.events?;
        let number = self.object.strip_prefix(b"process/")?;
        std::str::from_utf8(number).ok()?.parse().ok()
    }
}

/// An event as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventRow {
    /// Its place in its step.
    pub ordinal: i64,
    /// Milliseconds since 1970.
    pub at: i64,
    /// JSON.
    pub kind: Vec<u8>,
}

impl EventRow {
    /// A row of [`crate::sql::event::SELECT_SPAN`].
    pub(super) fn read(row: &Row<'_>) -> database::Result<Self> {
        Ok(Self {
            ordinal: row.get(0)?,
            at: row.get(1)?,
            kind: bytes(row.value(2)?).unwrap_or_default(),
        })
    }
}

/// A row of [`crate::sql::audit::SELECT_BY_OBJECT`].
pub(crate) fn entry(row: &Row<'_>) -> database::Result<AuditEntry> {
    let mut columns = Columns::of(row);
    Ok(AuditEntry {
        at: columns.moment()?,
        actor: columns.value()?,
        action: columns.value()?,
        object: columns.value()?,
        reason: columns.value()?,
        note: columns.value()?,
        detail: columns.json()?,
    })
}

/// A row of [`crate::sql::audit::SELECT_HEAD`].
pub(super) fn head(row: &Row<'_>) -> database::Result<(i64, [u8; 32])> {
    Ok((row.get(0)?, row.get(1)?))
}

fn number(value: ValueRef<'_>) -> Option<i64> {
    match value {
        ValueRef::Integer(number) => Some(number),
        _ => None,
    }
}

fn bytes(value: ValueRef<'_>) -> Option<Vec<u8>> {
    match value {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Some(bytes.to_vec()),
        ValueRef::Null => None,
        ValueRef::Integer(_) | ValueRef::Real(_) => Some(Vec::new()),
    }
}

fn hash(bytes: Option<Vec<u8>>) -> Hash {
    bytes
        .and_then(|bytes| bytes.try_into().ok())
        .unwrap_or_default()
}
