//! Checks of the organization behind OV and EV certificates, as people deal with them. How far they are stands in
//! the process ([`crate::process::Vetting`]); this is what moves them.
//!
//! - `decide`: an operator approves, objects or rejects
//! - `reuse`: an approval serves later certificates of the same customer
//! - `agreement`: the mail with the subscriber agreement, and its answer
//! - `call`: when the customer wants to be called
//! - [`store`]: what all this needs from the database
//!
//! What survives: each decision is one commit of process, timeline, audit log and whatever may be relied on later.

pub mod agreement;
mod call;
mod decide;
mod reuse;
pub mod store;

use crate::customer::{Caller, Role};
use crate::error::{Error, Kind};
use crate::process::{Process, ProcessId, State};
use crate::query::{Page, ValidationQuery};
use crate::services::Services;

pub use decide::{Decision, Verdict, decide};
pub use reuse::{Facts, VettedCheck};
pub use store::VettingStore;

impl Services {
    /// Open processes with checks that wait for an operator or for the customer.
    ///
    /// # Errors
    /// [`Kind::Forbidden`] for anybody but operators.
    pub async fn validations(
        &self,
        caller: &Caller,
        query: &ValidationQuery,
    ) -> Result<Page<Process>, Error> {
        require_operator(caller)?;
        Ok(self.store.validations(query).await?)
    }

    /// An OV or EV process, whether or not anything waits.
    ///
    /// # Errors
    /// [`Kind::Forbidden`]; [`Kind::NotFound`] also for a process that has nothing to validate.
    pub async fn validation(&self, caller: &Caller, id: ProcessId) -> Result<Process, Error> {
        require_operator(caller)?;
        let process = self.process(caller, id).await?;
        let checked = |process: &Process| {
            process
                .work()
                .is_some_and(|work| work.checks().next().is_some())
        };
        Some(process)
            .filter(checked)
            .ok_or_else(|| Error::not_found("Validation"))
    }
}

/// Decisions about organizations are the house's.
pub fn require_operator(caller: &Caller) -> Result<(), Error> {
    match caller.role {
        Role::Operator => Ok(()),
        Role::Customer => Err(Error::new(
            Kind::Forbidden,
            "Validations are for operators only",
        )),
    }
}

/// A process on which nothing more can be decided or arranged.
fn require_undecided(process: &Process) -> Result<(), Error> {
    match process.state() {
        State::Checking { .. } | State::Suspended { .. } => Ok(()),
        _ => Err(Error::new(
            Kind::Status,
            format!(
                "Process {} is {}: nothing about its validation can be changed any more",
                process.id,
                process.status().as_str()
            ),
        )),
    }
}
