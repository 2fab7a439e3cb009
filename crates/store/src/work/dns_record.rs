//! The methods of [`HookStore`], and what steps of processes write of published records.

use async_trait::async_trait;
use jiff::Timestamp;
use reseal_lifecycle::dns_hook::{HookStore, Left, Out};
use reseal_lifecycle::process::{Outcome, Process, ProcessId, State};
use reseal_lifecycle::store::StoreError;

use super::columns::Columns;
use super::find::{many, number};
use super::rows::millis;
use crate::SqlStore;
use crate::database::{self, Connection, Row, params};
use crate::sql;

#[async_trait]
impl HookStore for SqlStore {
    async fn take_left_records(
        &self,
        now: Timestamp,
        lease: Timestamp,
        limit: u32,
    ) -> Result<Vec<Left>, StoreError> {
        let (now, lease) = (millis(now), millis(lease));
        let select = sql::dns_record::SELECT_DUE;
        let mut due = self
            .points
            .read(move |connection| many(connection, select, params![now, limit], overdue))
            .await?;
        if due.is_empty() {
            return Ok(Vec::new());
        }
        // Nodes that take at the same moment come to them in the same order, and do not wait for each other in a circle.
        due.sort_unstable();
        self.writer
            .write(move |connection| {
                let mut taken = Vec::new();
                for (process, record, attempts) in &due {
                    let Out { hook, name, value } = record;
                    let values = params![lease, process, hook, name, value, now];
                    if connection.execute(sql::dns_record::TAKE, values)? > 0 {
                        let same = params![hook, name, value];
                        let needing = number(connection, sql::dns_record::IS_NEEDED, same)?;
                        taken.push(Left {
                            process: *process,
                            record: record.clone(),
                            attempts: *attempts,
                            needed: needing.is_some(),
                        });
                    }
                }
                Ok(taken)
            })
            .await
    }

    async fn record_removed(&self, left: &Left, again: Timestamp) -> Result<(), StoreError> {
        let Left {
            process, record, ..
        } = left.clone();
        self.writer
            .write(move |connection| {
                let Out { hook, name, value } = &record;
                let values = params![millis(again), process, hook, name, value];
                if connection.execute(sql::dns_record::ONCE_MORE, values)? == 0 {
                    let values = params![process, hook, name, value];
                    connection.execute(sql::dns_record::DELETE, values)?;
                }
                Ok(())
            })
            .await
    }

    async fn record_not_removed(
        &self,
        left: &Left,
        why: &str,
        next: Timestamp,
    ) -> Result<(), StoreError> {
        let Left {
            process, record, ..
        } = left.clone();
        let why = why.to_owned();
        self.writer
            .write(move |connection| {
                let Out { hook, name, value } = &record;
                let values = params![millis(next), why, process, hook, name, value];
                connection.execute(sql::dns_record::NOT_REMOVED, values)?;
                Ok(())
            })
            .await
    }
}

/// Puts down what is about to be published for a process.
pub(super) fn write_out(
    connection: &Connection,
    out: &[Out],
    process: ProcessId,
    now: Timestamp,
) -> database::Result<()> {
    for Out { hook, name, value } in out {
        let values = params![process, hook, name, value, millis(now)];
        connection.send(sql::dns_record::INSERT, values)?;
    }
    Ok(())
}

/// Has removed what was published for a process that has ended.
pub(super) fn retire(
    connection: &Connection,
    process: &Process,
    id: ProcessId,
) -> database::Result<()> {
    let work = process.work();
    if process.is_open() || work.is_none_or(|work| work.publications.is_empty()) {
        return Ok(());
    }
    // Who completes a process holds its lease, and has published before. Whoever ends it otherwise may do so while somebody
    // publishes.
    let is_completed = matches!(
        process.state(),
        State::Ended {
            result: Outcome::Completed,
            ..
        }
    );
    let values = params![millis(process.updated), !is_completed, id];
    connection.send(sql::dns_record::RETIRE, values)
}

/// A row of [`crate::sql::dns_record::SELECT_DUE`].
fn overdue(row: &Row<'_>) -> database::Result<(ProcessId, Out, u32)> {
    let mut columns = Columns::of(row);
    let process = columns.value()?;
    let record = Out {
        hook: columns.value()?,
        name: columns.value()?,
        value: columns.value()?,
    };
    Ok((process, record, columns.value()?))
}
