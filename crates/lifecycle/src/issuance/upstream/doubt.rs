//! What becomes of a process whose upstream was going to be asked for a certificate, or was, and has not said what came of
//! it.

use std::ops::ControlFlow;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{Flow, PAUSE};
use crate::audit::{AuditEntry, SERVER};
use crate::customer::Scope;
use crate::error::{Error, Kind};
use crate::process::{Process, ProcessId, State, UpstreamOrder};
use crate::services::Services;
use crate::store::{Change, Store, StoreError};
use crate::upstream::{UpstreamError, after};

/// The longest pause between two looks at an order that is in doubt.
const LONGEST_WAIT: Duration = Duration::from_mins(30);
/// For how long an upstream that says that it is at work is not given up by an operator either.
const AT_WORK: SignedDuration = SignedDuration::from_hours(1);

/// Ends the doubt about process `id` for an operator who knows what became of the order, or does not wait: for `reason`.
///
/// # Errors
/// [`Kind::NotFound`](crate::Kind); [`Kind::Status`](crate::Kind) when the process is not in doubt.
pub async fn give_up(
    store: &dyn Store,
    actor: &str,
    id: ProcessId,
    reason: &str,
    now: Timestamp,
) -> Result<Process, Error> {
    loop {
        let process = store
            .process(&Scope::Everything, id)
            .await?
            .ok_or_else(|| Error::not_found("Process"))?;
        require_doubt(&process, now)?;
        let why = format!("given up: {reason}");
        match store.advance(given_up(process, actor, &why, now)?).await {
            // The order was read at the same moment.
            Err(StoreError::Stale) => {}
            ended => return Ok(ended?),
        }
    }
}

fn require_doubt(process: &Process, now: Timestamp) -> Result<(), Error> {
    let first = order_of(process).and_then(UpstreamOrder::asked_since);
    let is_slow = first.is_some_and(|first| now.duration_since(first) > AT_WORK);
    match process.state() {
        State::InDoubt { .. } => Ok(()),
        State::Finalizing { .. } if is_slow => Ok(()),
        State::Finalizing { .. } => Err(Error::new(
            Kind::Status,
            "the upstream was asked less than an hour ago and is at work",
        )),
        _ => Err(Error::new(
            Kind::Status,
            format!(
                "the process is {} and not in doubt about an order at an upstream",
                process.status().as_str()
            ),
        )),
    }
}

impl Services {
    /// Leaves a process that could not go on: as it was before, while certainly nobody has asked for the certificate yet
    /// (`is_first`), else in doubt.
    pub(super) async fn interrupted(
        &self,
        process: Process,
        error: &UpstreamError,
        is_first: bool,
    ) -> Result<Process, Error> {
        if !is_first {
            return self.come_back(process, error).await;
        }
        if let UpstreamError::Refused { .. } = error {
            return self.order_lost(process, &error.to_string()).await;
        }
        let process = process
            .step_back(self.clock.now())
            .map_err(Error::internal)?;
        let put_off = self.put_off(process, Vec::new(), error).await?;
        Ok(process_of(put_off))
    }

    /// Has another order placed for a process whose order came to nothing before the certificate was asked for.
    pub(super) async fn order_lost(&self, process: Process, why: &str) -> Result<Process, Error> {
        let process = process
            .step_back(self.clock.now())
            .map_err(Error::internal)?;
        Ok(process_of(self.replace_order(process, why).await?))
    }

    /// Leaves the process until the upstream can be asked how far the order is.
    pub(super) async fn come_back(
        &self,
        process: Process,
        error: &UpstreamError,
    ) -> Result<Process, Error> {
        let issuer = issuer_of(&process);
        tracing::warn!(process = process.id, issuer, %error, "it is not known what became of the order");
        let wait = match error {
            UpstreamError::Lost(_) => Duration::from_secs(2),
            _ => error.asked_to_wait().unwrap_or(PAUSE).max(PAUSE),
        };
        self.come_back_in(process, Some(error.to_string()), wait)
            .await
    }

    /// Leaves the process for `wait`, or longer the longer ago the upstream was first asked; in doubt for the reason in
    /// `doubt`. One that has been left for too long is given up, whatever the upstream says of it: nothing else of its
    /// subscription can begin meanwhile.
    pub(super) async fn come_back_in(
        &self,
        process: Process,
        doubt: Option<String>,
        wait: Duration,
    ) -> Result<Process, Error> {
        self.leave(process, doubt, wait, None).await
    }

    /// In doubt because it cannot be seen who issued what came: that is neither stored nor revoked, and an operator is told
    /// once, who may have the upstream mend its chain.
    pub(super) async fn doubt_issuer(
        &self,
        process: Process,
        what: &str,
    ) -> Result<Process, Error> {
        let doubt = format!(
            "what it delivered is neither stored nor revoked, as it is not known who issued it: {what}"
        );
        let is_known =
            matches!(process.state(), State::InDoubt { detail, .. } if detail.contains(&doubt));
        let entry = (!is_known).then(|| {
            tracing::error!(
                process = process.id,
                issuer = issuer_of(&process),
                doubt,
                "an operator has to look at it"
            );
            incident(&process, SERVER, &doubt, self.clock.now())
        });
        self.leave(process, Some(doubt), PAUSE, entry).await
    }

    async fn leave(
        &self,
        process: Process,
        doubt: Option<String>,
        wait: Duration,
        entry: Option<AuditEntry>,
    ) -> Result<Process, Error> {
        let now = self.clock.now();
        let order = order_of(&process);
        if order.is_some_and(|order| order.is_long_over(now)) {
            let why = doubt.unwrap_or_else(|| "it is still not fulfilled".to_owned());
            return self.give_up_doubt(process, &why).await;
        }
        let first = order.and_then(UpstreamOrder::asked_since);
        let since = first.map_or(SignedDuration::ZERO, |first| now.duration_since(first));
        let grown = Duration::try_from(since / 4).unwrap_or_default();
        let wait = wait.max(grown.min(LONGEST_WAIT));
        let issuer = issuer_of(&process);
        let doubt = doubt.map(|why| {
            format!(
                "issuer `{issuer}`: {why}; the order is read again until it says what became of it"
            )
        });
        let (process, events) = process
            .await_upstream(doubt, after(now, wait), now)
            .map_err(Error::internal)?;
        let mut change = Change::new(process, events);
        change.audit.extend(entry);
        Ok(self.store.advance(change).await?)
    }

    /// Fails a process whose upstream was asked for a certificate and will not say what became of that. An operator is told.
    pub(super) async fn give_up_doubt(
        &self,
        process: Process,
        why: &str,
    ) -> Result<Process, Error> {
        let now = self.clock.now();
        let change = given_up(process, SERVER, why, now)?;
        Ok(self.store.advance(change).await?)
    }
}

/// The process, whether it is gone on with or not.
fn process_of(flow: Flow) -> Process {
    match flow {
        ControlFlow::Continue(process) | ControlFlow::Break(process) => process,
    }
}

/// The end of a doubt: an incident in the audit log, because there may be a certificate that nobody here knows.
fn given_up(process: Process, actor: &str, why: &str, now: Timestamp) -> Result<Change, Error> {
    let id = process.id;
    let issuer = issuer_of(&process);
    let url = order_of(&process).map(|order| order.url.clone());
    let url = url.ok_or_else(|| Error::internal("a process without an order"))?;
    let why = format!(
        "issuer `{issuer}` was asked for the certificate of the order {url}, and what became of that is not known: {why}"
    );
    tracing::error!(
        process = id,
        issuer,
        order = url,
        why,
        "a doubt about an order is given up"
    );
    let entry = incident(&process, actor, &why, now);
    let (process, events) = process.fail(why, now).map_err(Error::internal)?;
    let mut change = Change::new(process, events);
    change.audit.push(entry);
    Ok(change)
}

fn incident(process: &Process, actor: &str, why: &str, now: Timestamp) -> AuditEntry {
    let object = AuditEntry::process(process.id);
    let mut entry = AuditEntry::new(now, actor, "incident.upstream", object)
        .with("customer", process.customer.as_str())
        .with("issuer", issuer_of(process));
    if let Some(order) = order_of(process) {
        entry = entry.with("order", order.url.as_str());
    }
    entry.reason = Some(why.to_owned());
    entry
}

fn issuer_of(process: &Process) -> String {
    let work = process.work();
    work.map_or_else(String::new, |work| work.order.issuer.clone())
}

fn order_of(process: &Process) -> Option<&UpstreamOrder> {
    process.work()?.upstream.as_ref()
}
