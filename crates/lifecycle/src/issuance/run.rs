//! The deed: takes an open process as far as it can go now. The same code runs in the request that opened
//! the process and in a worker that found it waiting.
//!
//! | recorded last | after a crash |
//! | --- | --- |
//! | accepted | the worker starts with a round of checks |
//! | proved | CAA is asked again, then a serial is reserved |
//! | reserved | what it rests on is looked at again; then the recorded certificate, and no other, is signed |
//! | completed | nothing is left to do |
//!
//! Where Certificate Transparency is switched on, `log` has what lies between reserved and completed.

use std::convert::Infallible;
use std::ops::ControlFlow;

use jiff::Timestamp;
use reseal_pki::calendar;
use reseal_pki::csr::Csr;
use reseal_validation::challenge::random_value;

use super::caa;
use super::challenge::{self, Tokens};
use super::incident::refused_by_lint;
use super::launch::LEASE;
use super::persistent;
use super::plan;
use super::prove;
use super::recheck::NotPrepared;
use super::sign::Signature;
use super::token;
use super::upstream;
use super::waiting::{challenges_are_dead, end_of, next_look, waiting_for, why_it_ended};
use crate::customer::Scope;
use crate::error::Error;
use crate::event::Event;
use crate::fault;
use crate::hands::Thing;
use crate::issuer::IssuerError;
use crate::process::{Process, ProcessId, State, Step, Work};
use crate::services::Services;
use crate::store::{Change, StoreError};

impl Services {
    /// Runs a process that the caller holds the lease of, until it waits or has ended.
    ///
    /// # Errors
    /// The store or the issuer cannot answer now: what is recorded stands, and the worker comes back to it.
    pub(crate) async fn run(&self, process: Process) -> Result<Process, Error> {
        let id = process.id;
        let _held = self.hands.hold(Thing::Process(id));
        tokio::select! {
            biased;
            ended = self.run_leased(process) => ended,
            never = self.keep_lease(id) => match never {},
        }
    }

    /// Keeps other workers away as long as this one works: a round that asks for hundreds of names at servers
    /// which never answer takes longer than a lease.
    async fn keep_lease(&self, id: ProcessId) -> Infallible {
        loop {
            tokio::time::sleep(LEASE.unsigned_abs() / 3).await;
            let Ok(lease) = self.clock.now().checked_add(LEASE) else {
                continue;
            };
            // The work goes on: what it records is refused if somebody else took the process after all.
            if let Err(error) = self.store.extend_lease(id, lease).await {
                tracing::warn!(process = id, %error, "the lease could not be extended");
            }
        }
    }

    async fn run_leased(&self, mut process: Process) -> Result<Process, Error> {
        // Whether an upstream will be asked, and was not yet.
        let mut is_first = false;
        loop {
            let now = self.clock.now();
            let work = process.work();
            let issues_elsewhere = work.is_some_and(|work| self.is_upstream(work));
            match Stage::of(&process, now) {
                Stage::Over => return Ok(process),
                // Seen by nobody until the round that follows is recorded.
                Stage::Waiting => (process, _) = process.resume(now).map_err(Error::internal)?,
                Stage::Expired(reason) => {
                    let reason = match process.state() {
                        // Not only the customer may have kept it waiting.
                        State::Suspended { detail, .. } if issues_elsewhere => {
                            format!("{reason}. It stood like this: {detail}")
                        }
                        _ => reason.to_owned(),
                    };
                    return self.fail(process, reason).await;
                }
                Stage::Checking if issues_elsewhere => match self.check_upstream(process).await? {
                    ControlFlow::Continue(asked) => {
                        process = asked;
                        is_first = true;
                    }
                    ControlFlow::Break(process) => return Ok(process),
                },
                Stage::Finalizing => return self.collect_upstream(process, is_first).await,
                Stage::Checking => match self.check(process).await? {
                    Next::Stop(process) => return Ok(process),
                    Next::Sign(process, signature) => return self.sign(process, *signature).await,
                },
                Stage::Logging(serial) => {
                    match Box::pin(self.resume_logging(process, &serial)).await? {
                        Ok(abandoned) => process = abandoned,
                        Err(process) => return Ok(process),
                    }
                }
                Stage::Signing(serial) => match self.resume_signature(&process, &serial).await? {
                    Ok(signature) => return self.sign(process, signature).await,
                    Err(reason) => process = self.abandon(process, reason).await?,
                },
            }
        }
    }

    /// One round: mails, looks, CAA; then either a reserved signature or a wait.
    async fn check(&self, process: Process) -> Result<Next, Error> {
        // Nobody needs to prove anything for what cannot be issued any more.
        if let Err(why) = self.check_source(&process).await {
            return self.not_prepared(process, Vec::new(), why).await;
        }
        let process = self.renew_stale_proofs(process).await?;
        let process = self.send_mails(process).await?;
        let process = self.send_agreement(process).await?;
        let (process, settled) = self.publish(process).await?;
        if let (Some(until), Some(detail)) = (settled, process.work().and_then(waiting_for)) {
            let process = self.wait_until(process, Vec::new(), detail, until).await?;
            return Ok(Next::Stop(process));
        }
        let process = self.round(process).await?;
        let Some(work) = process.work() else {
            return Ok(Next::Stop(process));
        };
        if work.all_proved() {
            fault::point(fault::Point::Proved).await;
        }
        if let Some(detail) = waiting_for(work) {
            return self.wait(process, Vec::new(), detail).await;
        }
        let round = self.check_caa(&process).await;
        let refused = round
            .states
            .iter()
            .find(|state| !state.permitted)
            .map(|state| format!("CAA does not permit `{}`: {}", state.name, state.reason));
        let mut events = round.events;
        let now = self.clock.now();
        let (process, refusals) = process
            .update(now, |work| {
                let identity = &self.settings.caa_identity;
                let news = caa::newly_refused(&work.caa, &round.states, identity, now);
                work.caa = round.states;
                news
            })
            .map_err(Error::internal)?;
        events.extend(refusals);
        if let Some(detail) = refused {
            let id = process.id;
            let waits = self.wait(process, events, detail).await?;
            self.report_refusals(id, round.reports);
            return Ok(waits);
        }
        fault::point(fault::Point::CaaChecked).await;
        self.reserve(process, events).await
    }

    /// Looks at every open challenge and records what was seen. CAA is looked at in the first round too, so
    /// that a refusal is known before anybody publishes or vets anything.
    async fn round(&self, process: Process) -> Result<Process, Error> {
        let work = process
            .work()
            .ok_or_else(|| Error::internal("a process without work"))?;
        if work.all_proved() && work.rounds > 0 {
            return Ok(process);
        }
        let waits = !work.all_proved() || !work.organization_done();
        let early_caa = work.caa.is_empty() && waits;
        let (looks, early) = tokio::join!(self.look(&process), async {
            if early_caa {
                Some(self.check_caa(&process).await)
            } else {
                None
            }
        });
        let customer = process.customer.clone();
        let (mut obtained, mut reports) = (Vec::new(), Vec::new());
        let now = self.clock.now();
        let (process, events) = process
            .update(now, |work| {
                let mut events = Vec::new();
                if let Some(early) = early {
                    events = early.events;
                    let identity = &self.settings.caa_identity;
                    events.extend(caa::newly_refused(&work.caa, &early.states, identity, now));
                    work.caa = early.states;
                    reports = early.reports;
                }
                let (seen, proofs) = prove::take_in(work, &looks, &customer, self);
                obtained = proofs;
                events.extend(seen);
                events
            })
            .map_err(Error::internal)?;
        let mut change = Change::new(process, events);
        change.authorizations = obtained;
        let process = self.advance_leased(change).await?;
        self.report_refusals(process.id, reports);
        Ok(process)
    }

    /// Evidence that has become too old since the process was opened, or is distrusted, gets a new challenge, and a check of the
    /// organization that has become too old, or whose approval was withdrawn, is open again (V-3, V-5).
    async fn renew_stale_proofs(&self, process: Process) -> Result<Process, Error> {
        let now = self.clock.now();
        let dead = process
            .work()
            .is_some_and(|work| challenges_are_dead(work, now));
        let mut random = if dead {
            Some(random_value().map_err(Error::internal)?)
        } else {
            None
        };
        let distrusted = self.store.distrusted_names(&process).await?;
        let mut stale = false;
        let customer = process.customer.clone();
        let (process, _) = process
            .update(now, |work| {
                stale = prove::drop_stale(work, now, &self.settings, &distrusted);
                if stale {
                    token::retire(work);
                    if let Some(random) = random.take() {
                        challenge::renew_challenges(work, random, now);
                    }
                    self.refill(work, &customer);
                }
                Vec::new()
            })
            .map_err(Error::internal)?;
        let usable = |obtained| calendar::organization_usable(obtained, now);
        let (process, mut events) = process
            .outdate_checks(usable, now)
            .map_err(Error::internal)?;
        let lost = self.store.withdrawn_checks(&process).await?;
        let (process, withdrawn) = process
            .withdraw_checks(&lost, now)
            .map_err(Error::internal)?;
        events.extend(withdrawn);
        if stale || !events.is_empty() {
            self.advance_leased(Change::new(process, events)).await
        } else {
            Ok(process)
        }
    }

    /// Gives every open proof its place and challenge, and every address its mail.
    pub(super) fn refill(&self, work: &mut Work, customer: &str) {
        if self.is_upstream(work) {
            return upstream::fill(work);
        }
        if let Some(product) = self.catalogue.get(&work.order.product) {
            plan::replace_nameless(&mut work.proofs, product, self.clock.now());
        }
        challenge::share_domain_names(&mut work.proofs, &self.settings.names);
        if let Ok(csr) = Csr::from_der(&work.order.csr) {
            challenge::fill_challenges(
                &mut work.proofs,
                &Tokens {
                    scheme: work.scheme,
                    csr: &csr,
                    unique_value: work.unique_value.as_deref(),
                    random: &work.random,
                    domain: &self.settings.dcv_domain,
                },
            );
        }
        let account = self.persistent_account(customer, &work.order.product);
        persistent::offer(&mut work.proofs, account.as_ref());
        work.mails = plan::mails_for(&work.proofs, &work.mails, &work.mailboxes);
    }

    /// Looks once more at what the certificate rests on, builds and lints it, and records serial and bytes.
    async fn reserve(&self, process: Process, mut events: Vec<Event>) -> Result<Next, Error> {
        if let Some(reason) = self.signing_refused() {
            return self.wait(process, events, reason).await;
        }
        let signature = match self.prepare(&process).await {
            Ok(signature) => signature,
            Err(why) => return self.not_prepared(process, events, why).await,
        };
        let issuer = signature.issuer.clone();
        let (serial, tbs) = (&signature.prepared.serial, signature.prepared.linted.tbs());
        let (process, reserved) = process
            .reserve(serial.to_hex(), issuer, tbs, signature.made)
            .map_err(Error::internal)?;
        events.extend(reserved);
        let mut change = Change::new(process, events);
        change.reservation = Some(signature.reservation());
        let process = self.advance_leased(change).await?;
        Ok(Next::Sign(process, Box::new(signature)))
    }

    /// Fails for good or waits for a better moment.
    pub(super) async fn not_prepared(
        &self,
        process: Process,
        events: Vec<Event>,
        why: NotPrepared,
    ) -> Result<Next, Error> {
        match why {
            NotPrepared::Refused(error) => Ok(Next::Stop(self.fail(process, error.message).await?)),
            NotPrepared::Issuer(IssuerError::Lint(finding)) => {
                tracing::error!(
                    process = process.id,
                    finding,
                    "a certificate was refused before signing"
                );
                let change = refused_by_lint(process, &finding, self.clock.now())?;
                Ok(Next::Stop(self.store.advance(change).await?))
            }
            NotPrepared::Issuer(error) => self.wait(process, events, error.to_string()).await,
            // The next round begins at once, with what has to be proved or looked at anew.
            NotPrepared::Outdated(reason) => {
                let now = self.clock.now();
                let process = self.wait_until(process, events, reason, now).await?;
                Ok(Next::Stop(process))
            }
            NotPrepared::Unavailable(error) => Err(error),
        }
    }

    /// Checking → suspended until the next look is due.
    async fn wait(
        &self,
        process: Process,
        events: Vec<Event>,
        detail: String,
    ) -> Result<Next, Error> {
        let now = self.clock.now();
        let next = process.work().map_or(now, |work| next_look(work, now));
        let process = self.wait_until(process, events, detail, next).await?;
        Ok(Next::Stop(process))
    }

    /// Checking → suspended until `next`.
    pub(super) async fn wait_until(
        &self,
        process: Process,
        mut events: Vec<Event>,
        detail: String,
        next: Timestamp,
    ) -> Result<Process, Error> {
        let (process, waiting) = process
            .suspend(detail, Some(next), self.clock.now())
            .map_err(Error::internal)?;
        events.extend(waiting);
        Ok(self.store.advance(Change::new(process, events)).await?)
    }

    /// Ends a process without a certificate.
    pub(super) async fn fail(&self, process: Process, reason: String) -> Result<Process, Error> {
        let (process, events) = process
            .fail(reason, self.clock.now())
            .map_err(Error::internal)?;
        Ok(self.store.advance(Change::new(process, events)).await?)
    }

    /// Records a step and keeps the process for this worker.
    pub(crate) async fn advance_leased(&self, change: Change) -> Result<Process, Error> {
        Ok(self.advance_recorded(change).await?)
    }

    /// The same, for whoever has to know why it was refused.
    pub(super) async fn advance_recorded(&self, mut change: Change) -> Result<Process, StoreError> {
        change.lease = self.clock.now().checked_add(LEASE).ok();
        self.store.advance(change).await
    }

    /// Records what became of something that took its time, on top of what was recorded meanwhile: somebody asked for a
    /// resend, or decided something. `step` makes the next step of the process as it stands; nothing when that is about
    /// something else by now.
    pub(crate) async fn record_late(
        &self,
        mut process: Process,
        step: impl Fn(Process) -> Option<Step>,
    ) -> Result<Process, Error> {
        let id = process.id;
        loop {
            let (next, events) = step(process).ok_or(StoreError::Stale)?;
            match self.advance_recorded(Change::new(next, events)).await {
                Err(StoreError::Stale) => {}
                recorded => return Ok(recorded?),
            }
            let now = self.clock.now();
            let found = self.store.process(&Scope::Everything, id).await?;
            let resumed = found.and_then(|process| process.resume(now).ok());
            (process, _) = resumed.ok_or(StoreError::Stale)?;
        }
    }
}

/// What follows a round of checks.
pub(super) enum Next {
    /// Nothing more can be done now.
    Stop(Process),
    /// Serial and bytes are recorded.
    Sign(Process, Box<Signature>),
}

/// Where a process stands, as far as [`Services::run`] cares.
enum Stage {
    Waiting,
    Checking,
    Expired(&'static str),
    Signing(String),
    Logging(String),
    Finalizing,
    Over,
}

impl Stage {
    fn of(process: &Process, now: Timestamp) -> Self {
        let expired = |work: &Work| now > end_of(work);
        match process.state() {
            State::Checking { work } | State::Suspended { work, .. } if expired(work) => {
                Self::Expired(why_it_ended(work))
            }
            State::Suspended { .. } => Self::Waiting,
            State::Checking { .. } => Self::Checking,
            State::Signing { serial, .. } => Self::Signing(serial.clone()),
            State::Logging { serial, .. } => Self::Logging(serial.clone()),
            State::Finalizing { .. } | State::InDoubt { .. } => Self::Finalizing,
            State::Ended { .. } => Self::Over,
        }
    }
}
