//! A process: one durable run of the state machine behind request, reissue, renew, revoke and import.
//!
//! [`Process`] can only change through the transitions in [`state`]; each returns the events to record, and
//! [`crate::store::Store`] writes process and events in one transaction, provided nobody else changed the
//! process in between. A crash at any moment therefore leaves the last recorded state, from which
//! [`crate::worker`] goes on.

mod mpic;
mod publication;
#[cfg(test)]
pub(crate) mod sample;
mod schedule;
mod state;
mod status;
mod ticket;
mod upstream;
mod vetting;
mod work;

pub use mpic::Mpic;
pub use publication::Publication;
pub use schedule::next_check;
pub use state::{Action, IllegalTransition, Opening, Outcome, Process, State, Step};
pub use status::{ProcessStatus, ResumeType};
pub use ticket::{Ground, Ticket};
pub use upstream::{UpstreamAuthorization, UpstreamOrder, Way};
pub use vetting::{AgreementMail, Check, CheckState, Vetting};
pub use work::{
    Approver, CaaState, Evidence, LastLook, MailChallenge, Mailbox, NameProof, Order, ProofState,
    Work,
};

/// Number of a process.
pub type ProcessId = i64;
