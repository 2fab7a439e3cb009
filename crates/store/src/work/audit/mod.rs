//! The audit log: appending, reading and checking it. Appending is part of whatever write it tells of.
//!
//! - `append`: entries as rows of the chain
//! - `around`: when the entries beside a moment were recorded
//! - `read`: rows as entries, and as they are stored, whatever they hold
//! - `export`: hands rows out
//! - `verify`: walks the chain and what it is about
//! - `prune`: removes what nobody has to keep any more
//! - `carry`: what was recorded before there was a chain

mod append;
mod around;
mod carry;
mod export;
mod prune;
mod read;
mod verify;

use std::ops::ControlFlow;

use async_trait::async_trait;
use jiff::Timestamp;
use reseal_lifecycle::audit::chain::Hash;
use reseal_lifecycle::audit::{AuditEntry, AuditStore};
use reseal_lifecycle::store::StoreError;

use super::find::{many, one};
use super::rows::millis;
use crate::SqlStore;
use crate::database::{self, Connection, params};
use crate::sql;

pub(crate) use append::{
    Entry, StepDraft, Unwritten, append_all, note, with_numbers, write_put_off,
};
pub(crate) use carry::carry_over;
pub(crate) use read::entry as read_entry;
pub use read::{AuditRow, EventRow};
pub(crate) use verify::verify;
pub use verify::{Finding, Head, Verified};

#[async_trait]
impl AuditStore for SqlStore {
    async fn append_audit(&self, entries: Vec<AuditEntry>) -> Result<(), StoreError> {
        let entries = Entry::all_of(entries)?;
        self.writer
            .write(move |connection| {
                append_all(connection, &entries);
                Ok(())
            })
            .await
    }

    async fn audit_of(&self, object: &str) -> Result<Vec<AuditEntry>, StoreError> {
        let object = object.to_owned();
        self.lists
            .read(move |connection| {
                many(
                    connection,
                    sql::audit::SELECT_BY_OBJECT,
                    [object],
                    read::entry,
                )
            })
            .await
    }

    async fn last_audit_of(&self, object: &str) -> Result<Option<AuditEntry>, StoreError> {
        let object = object.to_owned();
        self.points
            .read(move |connection| {
                one(
                    connection,
                    sql::audit::SELECT_LAST_BY_OBJECT,
                    [object],
                    read::entry,
                )
            })
            .await
    }

    async fn prune_audit(&self, before: Timestamp, now: Timestamp) -> Result<usize, StoreError> {
        self.writer
            .write(move |connection| prune::prune(connection, before, now))
            .await
    }

    async fn audit_around(
        &self,
        moment: Timestamp,
    ) -> Result<(Option<Timestamp>, Option<Timestamp>), StoreError> {
        self.points
            .read(move |connection| around::around(connection, millis(moment)))
            .await
    }

    async fn audit_head(&self) -> Result<Option<(i64, Hash)>, StoreError> {
        self.points
            .read(|connection| one(connection, sql::audit::SELECT_HEAD, params![], read::head))
            .await
    }
}

/// Entries that are read at once.
const AT_ONCE: i64 = 1000;

/// Shows all entries to `visit`, in order, until it has seen enough.
fn walk(
    connection: &Connection,
    mut visit: impl FnMut(AuditRow) -> database::Result<ControlFlow<()>>,
) -> database::Result<()> {
    let mut next = i64::MIN;
    loop {
        let page = params![next, AT_ONCE];
        let rows = connection.many(sql::audit::SELECT_FROM, page, AuditRow::read)?;
        let Some(last) = rows.last().map(|row| row.id) else {
            return Ok(());
        };
        for row in rows {
            if visit(row)?.is_break() {
                return Ok(());
            }
        }
        let Some(behind) = last.checked_add(1) else {
            return Ok(());
        };
        next = behind;
    }
}
