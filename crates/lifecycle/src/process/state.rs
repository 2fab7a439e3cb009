//! The machine. Nothing outside this file and those below it can change a process's state.
//!
//! ```text
//!            open                    suspend                 complete
//!   (nothing) ──▶ Running(Checking) ─────────▶ Suspended ──▶ …
//!                     │   ▲                        │
//!                     │   └──────── resume ────────┘
//!                     │ reserve
//!                     ▼
//!               Running(Signing) ──▶ Completed
//!
//!   an upstream issues:   Running(Checking) ──▶ Running(Finalizing) ──▶ Completed
//!                                   finalize       │  ▲  await_upstream
//!                                                  ▼  │
//!                                                 InDoubt ──▶ Completed    while its answer is lost
//!                                   Running(Checking) ◀── step_back, from Finalizing: it was certainly not asked
//!
//!   logs are asked:       Running(Signing) ──▶ Logging ──▶ Completed
//!                                   precertify   │  ▲  logged, await_logs
//!                                                └──┘
//!
//!   fail, cancel: from every open state, except that signing and what follows finalize cannot be cancelled
//! ```
//! `VALIDATED` is shown while everything is proved and nothing is signed yet.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::status::ResumeType;
use super::vetting::CheckState;
use super::work::{ProofState, Work};
use crate::certificate::{CertificateId, SubscriptionId};
use crate::event::{Event, EventKind};
use crate::transparency::Promise;

/// What the process was opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// A new certificate.
    Request,
    /// A fresh certificate for the rest of the subscription.
    Reissue,
    /// A new subscription following an old one.
    Renew,
    /// Withdrawal.
    Revoke,
    /// Taking in a foreign certificate.
    Import,
}

impl Action {
    /// As stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Reissue => "reissue",
            Self::Renew => "renew",
            Self::Revoke => "revoke",
            Self::Import => "import",
        }
    }
}

/// How a process ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "camelCase")]
pub enum Outcome {
    /// It did what it was opened for.
    Completed,
    /// It could not.
    Failed {
        /// Why, for the customer.
        reason: String,
    },
    /// The customer withdrew it.
    Cancelled,
}

/// Where a process stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "state",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum State {
    /// Something is being checked.
    Checking {
        /// What it works with.
        work: Box<Work>,
    },
    /// Waits for the customer, an operator or a better moment.
    Suspended {
        /// What it works with.
        work: Box<Work>,
        /// For what it waits.
        detail: String,
    },
    /// A serial is reserved; a signature is being made. Cannot be cancelled.
    Signing {
        /// What it works with.
        work: Box<Work>,
        /// The reserved serial, hex.
        serial: String,
    },
    /// The precertificate is recorded; logs are asked for their promises. Cannot be cancelled.
    Logging {
        /// What it works with.
        work: Box<Work>,
        /// The serial, hex.
        serial: String,
        /// When the precertificate was signed.
        since: Timestamp,
        /// What logs have promised.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        promises: Vec<Promise>,
        /// For what it waits, if it does.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        detail: Option<String>,
    },
    /// The upstream was asked, or is about to be, for the certificate of its order. Cannot be cancelled.
    Finalizing {
        /// What it works with.
        work: Box<Work>,
    },
    /// An upstream's answer was lost.
    InDoubt {
        /// What it works with.
        work: Box<Work>,
        /// What is known.
        detail: String,
    },
    /// Over.
    Ended {
        /// What it worked with; import and revoke have none.
        work: Option<Box<Work>>,
        /// How.
        result: Outcome,
    },
}

/// A transition that the present state does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a process that is {from} cannot {wanted}")]
pub struct IllegalTransition {
    /// Status before.
    pub from: &'static str,
    /// What was asked for.
    pub wanted: &'static str,
}

/// What a process is opened with.
#[derive(Clone, Debug)]
pub struct Opening {
    /// Whose it is.
    pub customer: String,
    /// `<customer>/<login>` of the caller.
    pub user: String,
    /// What for.
    pub action: Action,
    /// The accepted body plus its certificate id, shown as `command`.
    pub command: Value,
    /// The certificate it starts from.
    pub source: Option<CertificateId>,
    /// The subscription it belongs to, if that exists already.
    pub subscription: Option<SubscriptionId>,
}

/// A process. `id` is 0 until it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Process {
    /// Its number.
    pub id: super::ProcessId,
    /// How often it was changed: the store refuses to overwrite another version than the one read.
    pub version: u64,
    /// Whose it is.
    pub customer: String,
    /// Who opened it.
    pub user: String,
    /// What for.
    pub action: Action,
    /// The common name.
    pub identifier: String,
    /// The accepted body.
    pub command: Value,
    /// The certificate it starts from.
    pub source: Option<CertificateId>,
    /// The subscription it belongs to; set by the store when issuance starts a new one.
    pub subscription: Option<SubscriptionId>,
    /// The certificate it led to; set by the store when that is stored.
    pub certificate: Option<CertificateId>,
    /// When it was opened.
    pub created: Timestamp,
    /// When it last changed.
    pub updated: Timestamp,
    /// When the store should hand it to a worker; `None`: never.
    pub next_run: Option<Timestamp>,
    state: State,
}

/// What every transition yields: the process after it, and what to record.
pub type Step = (Process, Vec<Event>);

impl Process {
    /// Opens a process that has a certificate to make.
    pub fn open(opening: Opening, work: Work, now: Timestamp) -> Step {
        let names = work.order.names.iter().map(|name| name.as_str().to_owned());
        let mut events = vec![Event::new(
            now,
            EventKind::Accepted {
                user: opening.user.clone(),
                names: names.collect(),
                warnings: work.order.warnings.clone(),
            },
        )];
        events.extend(work.proofs.iter().filter_map(|proof| match &proof.state {
            ProofState::Proved {
                method,
                adn,
                obtained,
                reused: true,
                ..
            } => Some(Event::new(
                now,
                EventKind::ProofReused {
                    name: proof.name.as_str().to_owned(),
                    adn: adn.clone(),
                    method: *method,
                    obtained: *obtained,
                },
            )),
            _ => None,
        }));
        events.extend(work.checks().filter_map(|(check, state)| match state {
            CheckState::Validated {
                obtained,
                relied_on: Some(process),
            } => Some(Event::new(
                now,
                EventKind::CheckReused {
                    check,
                    obtained: *obtained,
                    process: *process,
                },
            )),
            _ => None,
        }));
        let identifier = work.order.common_name.as_str().to_owned();
        let state = State::Checking {
            work: Box::new(work),
        };
        let process = Self::from_opening(opening, identifier, state, Some(now), now);
        (process, events)
    }

    /// A process that is over as soon as it is recorded: import, revoke.
    pub fn done(opening: Opening, identifier: String, events: Vec<Event>, now: Timestamp) -> Step {
        let state = State::Ended {
            work: None,
            result: Outcome::Completed,
        };
        let process = Self::from_opening(opening, identifier, state, None, now);
        (process, events)
    }

    fn from_opening(
        opening: Opening,
        identifier: String,
        state: State,
        next_run: Option<Timestamp>,
        now: Timestamp,
    ) -> Self {
        Self {
            id: 0,
            version: 0,
            customer: opening.customer,
            user: opening.user,
            action: opening.action,
            identifier,
            command: opening.command,
            source: opening.source,
            subscription: opening.subscription,
            certificate: None,
            created: now,
            updated: now,
            next_run,
            state,
        }
    }

    /// Puts a stored process together again. Only the store calls this.
    #[must_use]
    pub fn with_state(self, state: State) -> Self {
        Self { state, ..self }
    }

    /// A process as read from its columns, before [`Process::with_state`].
    pub fn restored(
        opening: Opening,
        identifier: String,
        state: State,
        created: Timestamp,
    ) -> Self {
        Self::from_opening(opening, identifier, state, None, created)
    }

    /// Where it stands.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// What it works or worked with.
    pub fn work(&self) -> Option<&Work> {
        match &self.state {
            State::Checking { work }
            | State::Suspended { work, .. }
            | State::Signing { work, .. }
            | State::Logging { work, .. }
            | State::Finalizing { work }
            | State::InDoubt { work, .. } => Some(work),
            State::Ended { work, .. } => work.as_deref(),
        }
    }

    /// Changes what it works with, staying where it is. Only while checking or suspended.
    pub fn update(
        mut self,
        now: Timestamp,
        change: impl FnOnce(&mut Work) -> Vec<Event>,
    ) -> Result<Step, IllegalTransition> {
        let events = match &mut self.state {
            State::Checking { work } | State::Suspended { work, .. } => change(work),
            _ => return Err(self.illegal("be changed")),
        };
        self.updated = now;
        Ok((self, events))
    }

    /// Suspended → checking.
    pub fn resume(mut self, now: Timestamp) -> Result<Step, IllegalTransition> {
        self.state = match self.state {
            State::Checking { work } | State::Suspended { work, .. } => State::Checking { work },
            other => {
                self.state = other;
                return Err(self.illegal("be resumed"));
            }
        };
        self.next_run = Some(now);
        self.updated = now;
        Ok((self, Vec::new()))
    }

    /// Checking → suspended, to be looked at again at `next`.
    pub fn suspend(
        mut self,
        detail: String,
        next: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Step, IllegalTransition> {
        self.state = match self.state {
            State::Checking { work } => State::Suspended {
                work,
                detail: detail.clone(),
            },
            other => {
                self.state = other;
                return Err(self.illegal("be suspended"));
            }
        };
        self.next_run = next;
        self.updated = now;
        let event = EventKind::Waiting {
            reason: detail,
            next,
        };
        Ok((self, vec![Event::new(now, event)]))
    }

    /// Open → failed.
    pub fn fail(self, reason: String, now: Timestamp) -> Result<Step, IllegalTransition> {
        let result = Outcome::Failed {
            reason: reason.clone(),
        };
        let process = self.end(result, "fail", now)?;
        Ok((process, vec![Event::new(now, EventKind::Failed { reason })]))
    }

    /// Checking or suspended → cancelled.
    pub fn cancel(self, user: String, now: Timestamp) -> Result<Step, IllegalTransition> {
        if !self.resume_types().contains(&ResumeType::Cancel) {
            return Err(self.illegal("be cancelled"));
        }
        let process = self.end(Outcome::Cancelled, "be cancelled", now)?;
        Ok((
            process,
            vec![Event::new(now, EventKind::Cancelled { user })],
        ))
    }

    /// Open → ended, keeping what it worked with for `info`.
    fn end(
        mut self,
        result: Outcome,
        wanted: &'static str,
        now: Timestamp,
    ) -> Result<Self, IllegalTransition> {
        self.state = match self.state {
            State::Checking { work }
            | State::Suspended { work, .. }
            | State::Signing { work, .. }
            | State::Logging { work, .. }
            | State::Finalizing { work }
            | State::InDoubt { work, .. } => State::Ended {
                work: Some(work),
                result,
            },
            over @ State::Ended { .. } => {
                self.state = over;
                return Err(self.illegal(wanted));
            }
        };
        self.next_run = None;
        self.updated = now;
        Ok(self)
    }

    fn illegal(&self, wanted: &'static str) -> IllegalTransition {
        IllegalTransition {
            from: self.status().as_str(),
            wanted,
        }
    }
}

mod finalizing;
mod logging;
mod signing;
mod vetting;

#[cfg(test)]
mod tests;
