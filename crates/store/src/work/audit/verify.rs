//! Checks the log: every entry against its hash and the one before, every step's events against their entry, and the
//! heads that were noted outside of the database against what is there now.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::ops::ControlFlow;

use jiff::{SignedDuration, Timestamp};
use reseal_lifecycle::audit::chain::{EventDigest, Hash};
use reseal_lifecycle::audit::{SHORTEST_RETENTION, removable_before};
use reseal_lifecycle::store::StoreError;
use serde_json::Value;

use super::read::{AuditRow, EventRow};
use crate::SqlStore;
use crate::database::{self, Connection, Error, Source, params};
use crate::sql;
use crate::store::with_reader;

/// A running server notes the last entry once a day, and a minute or two later.
const NOTED_WITHIN: SignedDuration = SignedDuration::from_hours(25);
/// Events without an entry that are named one by one.
const NAMED: u32 = 1000;

/// An entry that was noted outside of the database when it was the last one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its number.
    pub id: i64,
    /// Its hash.
    pub hash: Hash,
    /// When it was noted.
    pub noted: Timestamp,
    /// Where that stands, for people.
    pub place: String,
}

/// Something that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// An entry's columns are not those that its hash was made over.
    Changed(i64),
    /// An entry does not hold the hash of the one before: one of the two took the place of another.
    Unlinked(i64),
    /// Entries that are not there.
    Missing(i64, i64),
    /// The events of a step are not those that its entry was made over.
    Events {
        /// The entry.
        entry: i64,
        /// The process, if the entry names one.
        process: Option<i64>,
        /// Its step.
        step: i64,
        /// What is wrong.
        what: String,
    },
    /// An event that no entry is about.
    Unclaimed {
        /// The process.
        process: i64,
        /// Its step.
        step: i64,
        /// Its place in the step.
        ordinal: i64,
    },
    /// More such events than are named.
    MoreUnclaimed(i64),
    /// What retention left does not say where the log begins.
    Checkpoint(i64),
    /// What is said to be removed by retention was not old enough: it was the last entry at that moment.
    TooEarly(Head),
    /// An entry that was noted outside of the database has another hash now.
    Replaced(Head),
    /// The log ended behind an entry that it has no more.
    CutOff(Head, i64),
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed(id) => write!(
                f,
                "entry {id}: its columns do not have its hash: it was changed"
            ),
            Self::Unlinked(id) => write!(
                f,
                "entry {id}: it does not hold the hash of entry {}: one of them took the place of another",
                id - 1
            ),
            Self::Missing(from, to) if from == to => write!(f, "entry {from}: it is missing"),
            Self::Missing(from, to) => write!(f, "entries {from} to {to}: they are missing"),
            Self::Events {
                entry,
                process: Some(process),
                step,
                what,
            } => write!(
                f,
                "entry {entry}: events of process {process}, step {step}: {what}"
            ),
            Self::Events { entry, what, .. } => write!(f, "entry {entry}: {what}"),
            Self::Unclaimed {
                process,
                step,
                ordinal,
            } => write!(
                f,
                "event {ordinal} of process {process}, step {step}: no entry is about it: it was added"
            ),
            Self::MoreUnclaimed(count) => {
                write!(
                    f,
                    "{count} more events than entries are about, of which some are named above"
                )
            }
            Self::Checkpoint(through) => write!(
                f,
                "entries up to {through}: no entry says that retention removed them"
            ),
            Self::TooEarly(head) => write!(
                f,
                "entry {}: it was removed before its time: it was new at {} when that was noted in {}",
                head.id, head.noted, head.place
            ),
            Self::Replaced(head) => write!(
                f,
                "entry {}: its hash is not the one that was noted in {}: the log was written anew from there or before",
                head.id, head.place
            ),
            Self::CutOff(head, last) => write!(
                f,
                "entries {} to {}: they are missing: the log ended with {0} or later when that was noted in {}",
                last + 1,
                head.id,
                head.place
            ),
        }
    }
}

/// What was looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// How many entries.
    pub entries: u64,
    /// How many events.
    pub events: i64,
    /// Number of the first entry; those before were removed by retention.
    pub first: i64,
    /// Number and hash of the last entry.
    pub last: Option<(i64, Hash)>,
    /// How many heads that were noted outside were found again.
    pub heads: u64,
    /// How many starts of a server there are, each of which notes a head.
    pub starts: u64,
    /// How much was wrong.
    pub findings: u64,
}

impl SqlStore {
    /// Walks through the log of the database as it is at one moment and compares it with `heads`. Whatever is
    /// not as it was written goes to `tell`; `now` is when nothing can have been written after. Takes about ten
    /// microseconds an entry, with PostgreSQL more; servers may go on.
    ///
    /// # Errors
    /// As [`SqlStore::open`]; what is found is no error.
    pub fn verify_audit(
        source: &Source,
        heads: &[Head],
        now: Timestamp,
        tell: &mut (dyn FnMut(Finding) + Send),
    ) -> Result<Verified, StoreError> {
        with_reader(source, |connection| {
            let _moment = connection.snapshot()?;
            Ok(verify(connection, heads, now, tell)?)
        })
    }
}

/// The same for a connection that reads what was there at one moment.
pub(crate) fn verify(
    connection: &Connection,
    heads: &[Head],
    now: Timestamp,
    tell: &mut dyn FnMut(Finding),
) -> database::Result<Verified> {
    let mut walk = Walk::begin(connection, heads, now, tell)?;
    super::walk(connection, |row| {
        walk.entry(&row)?;
        Ok(ControlFlow::Continue(()))
    })?;
    walk.end()
}

struct Walk<'a> {
    connection: &'a Connection,
    /// By number; found ones are taken out.
    heads: BTreeMap<i64, VecDeque<&'a Head>>,
    /// Those of entries that retention removed, each where it was noted first.
    removed: BTreeMap<i64, &'a Head>,
    now: Timestamp,
    tell: &'a mut dyn FnMut(Finding),
    verified: Verified,
    /// Number of the entry before, and the hashes the next one may hold: as stored, and as computed.
    last: i64,
    before: [Hash; 2],
    /// What retention left, while no entry says so.
    checkpoint: Option<(i64, Hash)>,
}

impl<'a> Walk<'a> {
    fn begin(
        connection: &'a Connection,
        heads: &'a [Head],
        now: Timestamp,
        tell: &'a mut dyn FnMut(Finding),
    ) -> database::Result<Self> {
        let checkpoint = connection.one(sql::audit::SELECT_CHECKPOINT, params![], |row| {
            Ok((row.get::<i64>(0)?, row.get::<Hash>(1)?))
        })?;
        let (through, hash) = checkpoint.ok_or(Error::Missing("the row of `audit_checkpoint`"))?;
        let mut walk = Self {
            connection,
            heads: BTreeMap::new(),
            removed: BTreeMap::new(),
            now,
            tell,
            verified: Verified {
                first: through + 1,
                ..Verified::default()
            },
            last: through,
            before: [hash, hash],
            checkpoint: (through > 0).then_some((through, hash)),
        };
        for head in heads {
            // Of what retention removed only the last hash is left.
            if head.id >= through {
                walk.heads.entry(head.id).or_default().push_back(head);
            }
            if head.id <= through {
                let first = walk.removed.entry(head.id).or_insert(head);
                if head.noted < first.noted {
                    *first = head;
                }
            }
        }
        if through > 0 {
            walk.compare_heads(through, &hash);
        }
        Ok(walk)
    }

    fn find(&mut self, finding: Finding) {
        self.verified.findings += 1;
        (self.tell)(finding);
    }

    fn compare_heads(&mut self, id: i64, hash: &Hash) {
        for head in self.heads.remove(&id).unwrap_or_default() {
            if head.hash == *hash {
                self.verified.heads += 1;
            } else {
                self.find(Finding::Replaced(head.clone()));
            }
        }
    }

    fn entry(&mut self, row: &AuditRow) -> database::Result<()> {
        let computed = row.record().hash(&row.previous);
        let follows = row.id == self.last + 1;
        if row.id > self.last + 1 {
            self.find(Finding::Missing(self.last + 1, row.id - 1));
        }
        if computed != row.hash || row.id <= self.last {
            self.find(Finding::Changed(row.id));
        } else if follows && !self.before.contains(&row.previous) {
            self.find(Finding::Unlinked(row.id));
        }
        if row.action == b"server.start" {
            self.verified.starts += 1;
        }
        self.compare_heads(row.id, &row.hash);
        self.confirm_checkpoint(row);
        self.events(row)?;
        self.verified.entries += 1;
        self.verified.last = Some((row.id, row.hash));
        self.last = row.id;
        self.before = [row.hash, computed];
        Ok(())
    }

    /// Takes note of the entry that says what retention removed.
    fn confirm_checkpoint(&mut self, row: &AuditRow) {
        let Some((through, hash)) = self.checkpoint else {
            return;
        };
        if row.action != b"audit.prune" {
            return;
        }
        let detail: Value = serde_json::from_slice(&row.detail).unwrap_or_default();
        if detail["through"] == through && detail["hash"] == hex::encode(hash) {
            self.checkpoint = None;
            self.judge_removed(row.at);
        }
    }

    /// Whether what was removed at `at` was old enough by then: a head is noted within a day of its entry.
    fn judge_removed(&mut self, at: i64) {
        let said = Timestamp::from_millisecond(at).unwrap_or(self.now);
        let removable = removable_before(said.min(self.now), SHORTEST_RETENTION);
        for head in std::mem::take(&mut self.removed).into_values() {
            if head
                .noted
                .saturating_sub(NOTED_WITHIN)
                .unwrap_or(Timestamp::MIN)
                > removable
            {
                self.find(Finding::TooEarly(head.clone()));
            }
        }
    }

    fn events(&mut self, row: &AuditRow) -> database::Result<()> {
        let Some(span) = row.events else {
            return Ok(());
        };
        let entry = row.id;
        let (process, step) = (row.process(), span.step);
        let Some(number) = process else {
            let what = "it is about events, but names no process".to_owned();
            self.find(Finding::Events {
                entry,
                process,
                step,
                what,
            });
            return Ok(());
        };
        let mut digest = EventDigest::default();
        let mut expected = span.first;
        let mut misplaced = None;
        let events = params![number, step, span.first, span.count.max(0)];
        for event in (self.connection).many(sql::event::SELECT_SPAN, events, EventRow::read)? {
            digest.add(event.at, &event.kind);
            if event.ordinal != expected && misplaced.is_none() {
                misplaced = Some(expected);
            }
            expected += 1;
        }
        let count = expected - span.first;
        self.verified.events += count;
        let ordinals = format!("{} to {}", span.first, span.first + span.count - 1);
        let what = match misplaced {
            Some(ordinal) => Some(format!("event {ordinal} is missing")),
            None if count < span.count => Some(format!("event {expected} is missing")),
            None if digest.finish() != span.digest => {
                Some(format!("one of events {ordinals} was changed"))
            }
            None => None,
        };
        if let Some(what) = what {
            self.find(Finding::Events {
                entry,
                process,
                step,
                what,
            });
        }
        Ok(())
    }

    fn end(mut self) -> database::Result<Verified> {
        let last = self.last;
        for head in std::mem::take(&mut self.heads).into_values().flatten() {
            // One in a gap was named with the gap.
            if head.id > last {
                self.find(Finding::CutOff(head.clone(), last));
            }
        }
        if let Some((through, _)) = self.checkpoint {
            self.find(Finding::Checkpoint(through));
        }
        let count = sql::event::SELECT_ALL_COUNTED;
        let there = self.connection.one(count, params![], |row| row.get(0))?;
        let there: i64 = there.unwrap_or_default();
        if there != self.verified.events {
            self.unclaimed(there - self.verified.events)?;
        }
        Ok(self.verified)
    }

    fn unclaimed(&mut self, more: i64) -> database::Result<()> {
        let select = sql::event::SELECT_ALL_UNCLAIMED;
        let unclaimed = self.connection.many(select, [NAMED], |row| {
            Ok(Finding::Unclaimed {
                process: row.get(0)?,
                step: row.get(1)?,
                ordinal: row.get(2)?,
            })
        })?;
        let named = unclaimed.len() as i64;
        for finding in unclaimed {
            self.find(finding);
        }
        if named < more {
            self.find(Finding::MoreUnclaimed(more));
        }
        Ok(())
    }
}
