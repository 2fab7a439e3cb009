//! What binds entries to each other: the hash of an entry covers every column of its row and the hash of the entry
//! before it. docs/audit.md describes the bytes, so that anybody can compute them.
//!
//! Texts are bytes here: a row that somebody changed need not be UTF-8, and is to be named all the same.

use aws_lc_rs::digest::{Context, SHA256};

/// SHA-256.
pub type Hash = [u8; 32];

/// What stands as the hash before the first entry.
pub const GENESIS: Hash = [0; 32];

/// First bytes of what is hashed, so that nothing else can have the same hash.
const ENTRY: &[u8] = b"reseal audit entry 1\n";
const EVENTS: &[u8] = b"reseal audit events 1\n";

/// The events that an entry is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventSpan {
    /// The process's step that wrote them.
    pub step: i64,
    /// Ordinal of the first.
    pub first: i64,
    /// How many.
    pub count: i64,
    /// [`EventDigest`] over them.
    pub digest: Hash,
}

/// An entry as it is stored, less the hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// Its number: one more than that of the entry before.
    pub id: i64,
    /// Milliseconds since 1970.
    pub at: i64,
    /// See [`super::AuditEntry`].
    pub actor: &'a [u8],
    /// See [`super::AuditEntry`].
    pub action: &'a [u8],
    /// See [`super::AuditEntry`].
    pub object: &'a [u8],
    /// See [`super::AuditEntry`].
    pub reason: Option<&'a [u8]>,
    /// See [`super::AuditEntry`].
    pub note: Option<&'a [u8]>,
    /// A JSON object.
    pub detail: &'a [u8],
    /// The events, if it is the entry of a step.
    pub events: Option<EventSpan>,
}

impl Record<'_> {
    /// The entry's hash, when `previous` is that of the entry before.
    pub fn hash(&self, previous: &Hash) -> Hash {
        // One call for all bytes: many small ones cost more than the hashing.
        let mut bytes = Vec::with_capacity(512);
        bytes.extend_from_slice(ENTRY);
        bytes.extend_from_slice(previous);
        number(&mut bytes, self.id);
        number(&mut bytes, self.at);
        for text in [self.actor, self.action, self.object] {
            sized(&mut bytes, text);
        }
        for text in [self.reason, self.note] {
            match text {
                None => bytes.push(0),
                Some(text) => {
                    bytes.push(1);
                    sized(&mut bytes, text);
                }
            }
        }
        sized(&mut bytes, self.detail);
        match &self.events {
            None => bytes.push(0),
            Some(events) => {
                bytes.push(1);
                for value in [events.step, events.first, events.count] {
                    number(&mut bytes, value);
                }
                bytes.extend_from_slice(&events.digest);
            }
        }
        let mut context = Context::new(&SHA256);
        context.update(&bytes);
        finish(context)
    }
}

/// A digest over events as they are stored, in their order.
pub struct EventDigest {
    context: Context,
    bytes: Vec<u8>,
}

impl Default for EventDigest {
    fn default() -> Self {
        let mut context = Context::new(&SHA256);
        context.update(EVENTS);
        Self {
            context,
            bytes: Vec::new(),
        }
    }
}

impl EventDigest {
    /// Adds an event: its moment in milliseconds and its JSON.
    pub fn add(&mut self, at: i64, kind: &[u8]) {
        self.bytes.clear();
        number(&mut self.bytes, at);
        sized(&mut self.bytes, kind);
        self.context.update(&self.bytes);
    }

    /// The digest.
    pub fn finish(self) -> Hash {
        finish(self.context)
    }
}

fn finish(context: Context) -> Hash {
    let mut hash = [0; 32];
    hash.copy_from_slice(context.finish().as_ref());
    hash
}

fn number(bytes: &mut Vec<u8>, value: i64) {
    bytes.extend_from_slice(&value.to_be_bytes());
}

/// A text with its length before it: no two lists of texts are the same bytes.
fn sized(bytes: &mut Vec<u8>, text: &[u8]) {
    bytes.extend_from_slice(&(text.len() as u64).to_be_bytes());
    bytes.extend_from_slice(text);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The columns of an entry, owned.
    type Columns = (
        (i64, i64),
        (String, String, String),
        (Option<String>, Option<String>),
        String,
        Option<(i64, i64, i64, Hash)>,
    );

    fn columns() -> impl Strategy<Value = Columns> {
        let text = || "[a-c]{0,3}";
        (
            (0..4_i64, 0..4_i64),
            (text(), text(), text()),
            (proptest::option::of(text()), proptest::option::of(text())),
            text(),
            proptest::option::of((
                0..3_i64,
                0..3_i64,
                0..3_i64,
                any::<bool>().prop_map(|bit| [u8::from(bit); 32]),
            )),
        )
    }

    fn hash_of((numbers, words, texts, detail, events): &Columns, previous: &Hash) -> Hash {
        Record {
            id: numbers.0,
            at: numbers.1,
            actor: words.0.as_bytes(),
            action: words.1.as_bytes(),
            object: words.2.as_bytes(),
            reason: texts.0.as_deref().map(str::as_bytes),
            note: texts.1.as_deref().map(str::as_bytes),
            detail: detail.as_bytes(),
            events: events.map(|(step, first, count, digest)| EventSpan {
                step,
                first,
                count,
                digest,
            }),
        }
        .hash(previous)
    }

    proptest! {
        #[test]
        fn a_4_entries_have_the_same_hash_only_when_they_are_the_same(
            one in columns(),
            other in columns(),
            before: bool,
            else_before: bool,
        ) {
            let previous = |bit: bool| [u8::from(bit); 32];
            let same = one == other && before == else_before;
            prop_assert_eq!(
                hash_of(&one, &previous(before)) == hash_of(&other, &previous(else_before)),
                same
            );
        }

        #[test]
        fn a_4_events_have_the_same_digest_only_when_they_are_the_same(
            one in proptest::collection::vec((0..3_i64, "[ab]{0,3}"), 0..4),
            other in proptest::collection::vec((0..3_i64, "[ab]{0,3}"), 0..4),
        ) {
            let digest = |events: &[(i64, String)]| {
                let mut digest = EventDigest::default();
                for (at, kind) in events {
                    digest.add(*at, kind.as_bytes());
                }
                digest.finish()
            };
            prop_assert_eq!(digest(&one) == digest(&other), one == other);
        }
    }

    #[test]
    fn the_bytes_are_those_of_the_documentation() {
        let hash = Record {
            id: 1,
            at: 1_795_521_600_250,
            actor: b"reseal",
            action: b"server.start",
            object: b"server",
            reason: None,
            note: Some(b"n"),
            detail: b"{}",
            events: None,
        }
        .hash(&GENESIS);
        assert_eq!(
            hex::encode(hash),
            "8e5361c6ea1dc226045c07c7c3aac8a05ca52a42029c3d6315775c6994c38fcf"
        );
    }
}
