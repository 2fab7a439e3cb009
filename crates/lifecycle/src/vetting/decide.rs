//! An operator decides about the organization of a waiting process.

use std::sync::Arc;

use jiff::Timestamp;
use reseal_pki::calendar;
use serde_json::json;

use super::{VettedCheck, require_operator, require_undecided};
use crate::audit::AuditEntry;
use crate::customer::{Caller, Scope};
use crate::error::{Error, Kind, Violation};
use crate::issuance::LEASE;
use crate::process::{Check, Process, ProcessId, Work};
use crate::services::Services;
use crate::store::{Change, Store, StoreError};

/// Longest reason and longest note, in bytes.
const LONGEST_TEXT: usize = 1000;

/// What an operator says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Which way.
    pub verdict: Verdict,
    /// About which checks. None: an approval is about every open one, and a rejection about the whole request,
    /// which then fails.
    pub checks: Vec<Check>,
    /// Why; the customer reads it. A rejection must have one.
    pub reason: Option<String>,
    /// For the audit log only.
    pub note: Option<String>,
}

/// Which way a decision goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is as the customer says.
    Approve {
        /// When what that rests on was obtained; `None`: now (V-4).
        obtained: Option<Timestamp>,
    },
    /// It is not, or cannot be seen.
    Reject,
}

/// Records a decision of `actor` about process `id`: the process, the timeline, the audit log, and what may be relied
/// on later, in one commit. With a `lease` the caller goes on with the process; without, a worker does.
///
/// # Errors
/// [`Kind::NotFound`]; [`Kind::Status`] when nothing is left to decide; [`Kind::Constraint`] with the fields
/// `checks[…]`, `reason`, `note` and `obtained`.
pub async fn decide(
    store: &dyn Store,
    actor: &str,
    id: ProcessId,
    decision: &Decision,
    now: Timestamp,
    lease: Option<Timestamp>,
) -> Result<Process, Error> {
    check_texts(decision)?;
    loop {
        let process = store
            .process(&Scope::Everything, id)
            .await?
            .ok_or_else(|| Error::not_found("Process"))?;
        let mut change = decided(process, actor, decision, now)?;
        change.lease = lease.filter(|_| change.process.is_open());
        match store.advance(change).await {
            Ok(process) => return Ok(process),
            // A check was recorded at the same moment: decide on top of it.
            Err(StoreError::Stale) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

impl Services {
    /// Records an operator's decision and goes on with the process; the answer is how it stands after `sync_wait`
    /// at the latest.
    ///
    /// # Errors
    /// [`Kind::Forbidden`] for anybody but operators, and those of [`decide`].
    pub async fn decide_validation(
        self: &Arc<Self>,
        caller: &Caller,
        id: ProcessId,
        decision: &Decision,
    ) -> Result<Process, Error> {
        require_operator(caller)?;
        let now = self.clock.now();
        let lease = now.checked_add(LEASE).ok();
        let process = decide(&*self.store, &caller.user, id, decision, now, lease).await?;
        self.go_on(process).await
    }
}

/// The step that a decision is.
fn decided(
    process: Process,
    actor: &str,
    decision: &Decision,
    now: Timestamp,
) -> Result<Change, Error> {
    require_undecided(&process)?;
    let work = process
        .work()
        .ok_or_else(|| Error::internal("an undecided process without work"))?;
    check_choice(process.id, work, &decision.checks)?;
    let reason = decision.reason.as_deref();
    let audit = entry(&process, work, actor, decision, now);
    let (checks, step) = match decision.verdict {
        Verdict::Approve { obtained } => {
            let obtained = usable(obtained, now)?;
            let checks = open_ones(process.id, work, &decision.checks)?;
            let step = process.approve(&checks, actor, reason, obtained, now);
            (checks, step)
        }
        Verdict::Reject => {
            let reason = reason.unwrap_or_default();
            if decision.checks.is_empty() {
                let checks = work.checks().map(|(check, _)| check).collect();
                (checks, process.reject(actor, reason, now))
            } else {
                let step = process.object(&decision.checks, actor, reason, now);
                (decision.checks.clone(), step)
            }
        }
    };
    let (process, events) = step.map_err(Error::internal)?;
    let mut change = Change::new(process, events);
    change.audit.push(AuditEntry {
        detail: audit
            .detail
            .into_iter()
            .chain([("checks".to_owned(), json!(checks))])
            .collect(),
        ..audit
    });
    match decision.verdict {
        Verdict::Approve { obtained } => {
            let obtained = obtained.unwrap_or(now);
            let vetted = |check| VettedCheck::of(&change.process, check, obtained);
            change.vetted = checks.into_iter().filter_map(vetted).collect();
        }
        // What is not believed here is not relied on elsewhere.
        Verdict::Reject => change.withdrawn = checks,
    }
    Ok(change)
}

fn entry(
    process: &Process,
    work: &Work,
    actor: &str,
    decision: &Decision,
    now: Timestamp,
) -> AuditEntry {
    let action = match decision.verdict {
        Verdict::Approve { .. } => "validation.approve",
        Verdict::Reject => "validation.reject",
    };
    let mut entry = AuditEntry::new(now, actor, action, AuditEntry::process(process.id));
    entry.reason.clone_from(&decision.reason);
    entry.note.clone_from(&decision.note);
    let organization = work.order.subject.as_ref();
    let organization = organization.map(|subject| subject.organization.as_str());
    for (name, value) in [
        ("customer", json!(process.customer)),
        ("organization", json!(organization)),
    ] {
        entry.detail.insert(name.to_owned(), value);
    }
    if let Verdict::Approve {
        obtained: Some(obtained),
    } = decision.verdict
    {
        entry.detail.insert("obtained".to_owned(), json!(obtained));
    }
    entry
}

fn check_texts(decision: &Decision) -> Result<(), Error> {
    let mut violations = Vec::new();
    for (field, text) in [("reason", &decision.reason), ("note", &decision.note)] {
        let Some(text) = text else { continue };
        if text.trim().is_empty() || text.len() > LONGEST_TEXT {
            let message = format!(
                "length must be between 1 and {LONGEST_TEXT} bytes, saw {}",
                text.len()
            );
            violations.push(Violation::new(field, message, Some(text)));
        } else if text.chars().any(char::is_control) {
            let message = "must be one line of printable text";
            violations.push(Violation::new(field, message, Some(text)));
        }
    }
    if decision.verdict == Verdict::Reject && decision.reason.is_none() {
        let message = "a rejection needs a reason that the customer can act on";
        violations.push(Violation::new("reason", message, None));
    }
    if violations.is_empty() {
        Ok(())
    } else {
        Err(Error::constraint(violations))
    }
}

/// Whether the process has something to decide, and what was chosen of it is something it has.
fn check_choice(id: ProcessId, work: &Work, chosen: &[Check]) -> Result<(), Error> {
    let needed = Check::needed_for(work.order.validation);
    if needed.is_empty() {
        let message = format!(
            "Process {id} is for product `{}`, which is domain validated: there is nothing to decide",
            work.order.product
        );
        return Err(Error::new(Kind::Status, message));
    }
    let words: Vec<&str> = needed.iter().map(|check| check.as_str()).collect();
    let violations: Vec<Violation> = chosen
        .iter()
        .enumerate()
        .filter(|(_, check)| !needed.contains(check))
        .map(|(index, check)| {
            let message = format!("process {id} needs {}", words.join(", "));
            Violation::new(format!("checks[{index}]"), message, Some(check.as_str()))
        })
        .collect();
    if violations.is_empty() {
        Ok(())
    } else {
        Err(Error::constraint(violations))
    }
}

/// The checks to approve: the chosen ones that are open, or all open ones.
fn open_ones(id: ProcessId, work: &Work, chosen: &[Check]) -> Result<Vec<Check>, Error> {
    let wanted = |check: &Check| chosen.is_empty() || chosen.contains(check);
    let open: Vec<Check> = work.open_checks().filter(wanted).collect();
    if open.is_empty() {
        let message = format!("What is to be approved of process {id} is VALIDATED already");
        return Err(Error::new(Kind::Status, message));
    }
    Ok(open)
}

/// When the data was obtained, if it can be relied on.
fn usable(obtained: Option<Timestamp>, now: Timestamp) -> Result<Timestamp, Error> {
    let moment = obtained.unwrap_or(now);
    if calendar::organization_usable(moment, now) {
        return Ok(moment);
    }
    let days = calendar::rules_at(now).organization_reuse.as_hours() / 24 - 1;
    let message = format!("must be in the past, and no more than {days} days ago [V-5]");
    let value = moment.to_string();
    Err(Error::constraint(vec![Violation::new(
        "obtained",
        message,
        Some(&value),
    )]))
}

#[cfg(test)]
mod tests;
