//! What becomes of a plan: its price, a rehearsal, or a process.
//!
//! Survives a crash: from the moment the process is stored, the worker finishes what this code began.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use tokio::sync::oneshot;

use super::by_auth_key::Proofs;
use super::draft::Draft;
use super::sign::Signature;
use super::token;
use super::{Answer, Mode, Quote};
use crate::auth_key::check_offered;
use crate::campaign::Ticket;
use crate::customer::{Caller, Scope};
use crate::error::{Error, Kind};
use crate::fault;
use crate::hands::Thing;
use crate::idempotency::ClaimId;
use crate::price::Acknowledged;
use crate::process::{Opening, Process, Work};
use crate::services::Services;
use crate::store::Change;

/// How long a worker may be silent before somebody else takes its process. One that works extends its lease.
pub(crate) const LEASE: SignedDuration = SignedDuration::from_secs(120);

/// A process to be opened.
struct Launch {
    claim: Option<ClaimId>,
    ticket: Option<Ticket>,
    opening: Opening,
    work: Work,
    /// By auth key: then it is opened only when the certificate can be signed at once.
    published: Option<Proofs>,
}

impl Services {
    /// What is planned is priced or rehearsed, or done unless the caller's acknowledgments leave a charge out.
    pub(super) async fn conclude(
        self: &Arc<Self>,
        caller: &Caller,
        draft: &Draft<'_>,
        opening: Opening,
        work: Work,
        mode: Mode,
        acknowledged: &[Acknowledged],
    ) -> Result<Answer, Error> {
        let by_auth_key = draft.request.auth_key;
        if by_auth_key {
            check_offered(draft.product, "authKey")?;
        }
        let quote = Quote::of(opening.action, &work.order, draft.product);
        match mode {
            Mode::Quote => return Ok(Answer::Quote(quote)),
            Mode::Execute if !quote.is_acknowledged_by(acknowledged) => {
                return Ok(Answer::Unacknowledged(quote));
            }
            Mode::Execute | Mode::DryRun => {}
        }
        let now = self.clock.now();
        let mut work = self.reuse_checks(draft.customer, work, now).await?;
        // Looks that somebody waits for take a place as those of a worker do.
        let looks = by_auth_key || mode == Mode::DryRun;
        let slot = looks.then(|| self.slots.take(draft.customer).ok_or_else(no_slot));
        let slot = slot.transpose()?;
        let published = if by_auth_key {
            Some(self.prove_by_auth_key(draft, &mut work).await?)
        } else {
            None
        };
        if mode == Mode::DryRun {
            let rehearsal = self.rehearse(opening, work, published, quote).await?;
            return Ok(Answer::Rehearsal(Box::new(rehearsal)));
        }
        drop(slot);
        self.launch(Launch {
            claim: caller.claim,
            ticket: caller.ticket,
            opening,
            work,
            published,
        })
        .await
    }

    /// Runs a process that was just recorded under a lease; how it stands after `sync_wait` at the latest.
    pub(crate) async fn go_on(self: &Arc<Self>, process: Process) -> Result<Process, Error> {
        if !process.is_open() {
            return Ok(process);
        }
        let (services, id) = (Arc::clone(self), process.id);
        let run = tokio::spawn(async move { services.run(process).await });
        match tokio::time::timeout(self.settings.sync_wait, run).await {
            Ok(Ok(Ok(process))) => Ok(process),
            // The worker finishes what does not end in time.
            _ => self
                .store
                .process(&Scope::Everything, id)
                .await?
                .ok_or_else(|| Error::internal(format!("process {id} is gone"))),
        }
    }

    /// Records the process and starts it; answers when it has ended, or after `sync_wait` as it stands.
    ///
    /// Both happen in a task of their own: a caller that hangs up changes nothing.
    async fn launch(self: &Arc<Self>, launch: Launch) -> Result<Answer, Error> {
        let services = Arc::clone(self);
        let (opened, accepted) = oneshot::channel();
        let task = tokio::spawn(async move { services.open_and_run(launch, opened).await });
        let id = accepted
            .await
            .map_err(|_| Error::internal("the task that opens the process died"))??;
        let process = match tokio::time::timeout(self.settings.sync_wait, task).await {
            Ok(Ok(Some(process))) => process,
            // Still running, or its end could not be stored now: the worker goes on with it.
            _ => self
                .store
                .process(&Scope::Everything, id)
                .await?
                .ok_or_else(|| Error::internal(format!("process {id} is gone")))?,
        };
        let certificate = process.certificate;
        Ok(Answer::Process {
            process: Box::new(process),
            certificate,
        })
    }

    /// Records the process, tells `opened`, and runs it. When every proof is at hand and CAA permits, the
    /// serial is reserved in the very commit that records the process: two commits in all.
    async fn open_and_run(
        self: Arc<Self>,
        launch: Launch,
        opened: oneshot::Sender<Result<i64, Error>>,
    ) -> Option<Process> {
        let now = self.clock.now();
        let (process, mut events) = Process::open(launch.opening, launch.work, now);
        let published = launch.published.map(|proofs| {
            events.extend(proofs.events);
            (proofs.authorizations, proofs.keys)
        });
        let (process, outcome) = self.try_at_once(process, &mut events, now).await;
        let signature = match outcome {
            Ok(signature) => Some(signature),
            Err(obstacle) if published.is_some() => {
                let _ = opened.send(Err(not_at_once(&obstacle)));
                return None;
            }
            Err(_) => None,
        };
        let mut change = Change::new(process, events);
        change.claim = launch.claim;
        change.ticket = launch.ticket;
        change.request_token = change.process.work().and_then(token::given_out);
        (change.authorizations, change.auth_keys) = published.unwrap_or_default();
        // What is ready to be signed takes no time; what waits for others, logs among them, needs a slot, else the worker
        // takes it.
        let takes_time = signature.is_none() || self.transparency.is_some();
        let slot = if takes_time {
            self.slots.take(&change.process.customer)
        } else {
            None
        };
        let goes_on = !takes_time || slot.is_some();
        change.lease = goes_on.then(|| now.checked_add(LEASE).ok()).flatten();
        change.reservation = signature.as_ref().map(Signature::reservation);
        let stored = match self.store.open(change).await {
            Ok(process) => {
                let _ = opened.send(Ok(process.id));
                process
            }
            Err(error) => {
                let _ = opened.send(Err(error.into()));
                return None;
            }
        };
        let id = stored.id;
        let _held = goes_on.then(|| self.hands.hold(Thing::Process(id)));
        fault::point(fault::Point::Accepted).await;
        let result = match signature {
            Some(signature) if !takes_time => self.sign(stored, signature).await,
            _ if goes_on => self.run(stored).await,
            _ => Ok(stored),
        };
        drop(slot);
        result
            .inspect_err(|error| {
                tracing::warn!(process = id, %error, source = ?error.source, "left to the worker");
            })
            .ok()
    }
}

/// All places for looks are taken, by this customer's other calls above all.
pub(super) fn no_slot() -> Error {
    Error {
        retry_after: Some(Duration::from_secs(5)),
        ..Error::new(
            Kind::RateLimited,
            "Too many names are being looked at for this customer: repeat the call in a few seconds",
        )
    }
}

/// Why a call that wanted its certificate at once gets none; nothing was stored.
fn not_at_once(obstacle: &str) -> Error {
    let message = format!(
        "Every name carries the authKey, but the certificate cannot be issued in this call: {obstacle}. Nothing was \
         ordered: repeat the call later, or without `authKey`"
    );
    Error::new(Kind::Rule, message)
}
