//! Checks of organizations: what waits, and what may be relied on.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use reseal_lifecycle::process::{Check, CheckState, Process, ProcessId};
use reseal_lifecycle::query::{Page, ValidationQuery};
use reseal_lifecycle::store::StoreError;
use reseal_lifecycle::vetting::{VettedCheck, VettingStore};

use super::change::json;
use super::find::{many, number};
use super::page;
use super::rows::{self, millis};
use crate::SqlStore;
use crate::database::{self, Connection, Hold, params};
use crate::{list, sql};

/// What a step brings along about organizations, rendered. Approvals are taken back first: one that comes with the same step
/// would stand.
#[derive(Default)]
pub(crate) struct Draft {
    /// With the facts rendered.
    vetted: Vec<(VettedCheck, String)>,
    withdrawn: Vec<Check>,
}

impl Draft {
    pub(crate) fn new(
        vetted: Vec<VettedCheck>,
        mut withdrawn: Vec<Check>,
    ) -> Result<Self, StoreError> {
        // In the order in which they are held by whoever relies on them.
        withdrawn.sort_unstable();
        let vetted = vetted
            .into_iter()
            .map(|vetted| json(&vetted.facts).map(|facts| (vetted, facts)));
        Ok(Self {
            vetted: vetted.collect::<Result<_, _>>()?,
            withdrawn,
        })
    }

    /// Takes approvals back. Before the step of `process` is written: whoever relies on them holds them, and then his process.
    pub(crate) fn withdraw(
        &self,
        connection: &Connection,
        process: &Process,
    ) -> database::Result<()> {
        let subject = process.work().and_then(|work| work.order.subject.as_ref());
        let Some(subject) = subject else {
            return Ok(());
        };
        let now = millis(process.updated);
        for check in &self.withdrawn {
            let values = params![now, process.customer, subject.organization, check.as_str()];
            connection.send(sql::vetting::WITHDRAW, values)?;
        }
        Ok(())
    }

    /// Writes what else there is, as a part of a step of `process`, numbered `id`.
    pub(crate) fn write(
        &self,
        connection: &Connection,
        process: &Process,
        id: ProcessId,
    ) -> database::Result<()> {
        for (vetted, facts) in &self.vetted {
            let values = params![
                vetted.customer,
                vetted.facts.subject.organization,
                vetted.check.as_str(),
                facts,
                millis(vetted.obtained),
                id
            ];
            connection.send(sql::vetting::INSERT, values)?;
        }
        keep_list(connection, process, id)
    }
}

/// The validated checks of `process` whose approval was withdrawn, or never was. Those that stand are held by `hold`.
pub(crate) fn withdrawn(
    connection: &Connection,
    process: &Process,
    hold: Option<Hold>,
) -> Result<Vec<Check>, StoreError> {
    let Some(work) = process.work() else {
        return Ok(Vec::new());
    };
    let Some(subject) = &work.order.subject else {
        return Ok(Vec::new());
    };
    let mut lost = Vec::new();
    for (check, state) in work.checks() {
        let CheckState::Validated {
            obtained,
            relied_on,
        } = state
        else {
            continue;
        };
        let values = params![
            process.customer,
            subject.organization,
            millis(*obtained),
            check.as_str(),
            relied_on.unwrap_or(process.id)
        ];
        let stands = match hold {
            Some(hold) => connection.hold(hold, sql::vetting::STANDS, values)?,
            None => number(connection, sql::vetting::STANDS, values)?.is_some(),
        };
        if !stands {
            lost.push(check);
        }
    }
    Ok(lost)
}

/// Whether an operator finds the process in the list; DV processes are never there.
fn keep_list(connection: &Connection, process: &Process, id: ProcessId) -> database::Result<()> {
    let Some(work) = process.work() else {
        return Ok(());
    };
    if work.checks().next().is_none() {
        return Ok(());
    }
    let waits = process.is_open() && !work.organization_done();
    let statement = if waits {
        sql::vetting::PEND
    } else {
        sql::vetting::SETTLE
    };
    connection.send(statement, [id])
}

#[async_trait]
impl VettingStore for SqlStore {
    async fn validations(&self, query: &ValidationQuery) -> Result<Page<Process>, StoreError> {
        let select = list::validations(self.dialect, query)?;
        let tally = Arc::clone(&self.tally);
        self.lists
            .read(move |connection| page::read(connection, &select, &tally, rows::process))
            .await
    }

    async fn vetted_checks(
        &self,
        customer: &str,
        organization: &str,
        since: Timestamp,
    ) -> Result<Vec<VettedCheck>, StoreError> {
        let (customer, organization) = (customer.to_owned(), organization.to_owned());
        self.points
            .read(move |connection| {
                let values = params![customer, organization, millis(since)];
                many(connection, sql::vetting::SELECT, values, rows::vetted_check)
            })
            .await
    }

    async fn withdrawn_checks(&self, process: &Process) -> Result<Vec<Check>, StoreError> {
        let process = process.clone();
        self.points
            .read(move |connection| withdrawn(connection, &process, None))
            .await
    }
}
