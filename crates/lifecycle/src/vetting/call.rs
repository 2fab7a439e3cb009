//! When the customer wants to be called.

use jiff::Timestamp;

use super::require_undecided;
use crate::customer::Caller;
use crate::error::{Error, Kind, Violation};
use crate::process::{Check, Process, ProcessId, Work};
use crate::services::Services;
use crate::store::{Change, StoreError};

impl Services {
    /// Notes that the customer wants to be called at `date`, in place of an earlier wish.
    ///
    /// # Errors
    /// [`Kind::NotFound`]; [`Kind::Status`] when no call is to be made (any more); [`Kind::Constraint`] for a
    /// moment that is over.
    pub async fn schedule_validation_call(
        &self,
        caller: &Caller,
        id: ProcessId,
        date: Timestamp,
    ) -> Result<(), Error> {
        loop {
            let process = self.process(caller, id).await?;
            require_undecided(&process)?;
            require_open(&process, Check::Voice)?;
            let now = self.clock.now();
            if date <= now {
                let message = format!("must be in the future: now it is {now:.0}");
                let shown = date.to_string();
                let violation = Violation::new("date", message, Some(&shown));
                return Err(Error::constraint(vec![violation]));
            }
            if process.work().and_then(|work| work.vetting.call) == Some(date) {
                return Ok(());
            }
            let (process, events) = process
                .schedule_call(date, &caller.user, now)
                .map_err(Error::internal)?;
            match self.store.advance(Change::new(process, events)).await {
                Ok(_) => return Ok(()),
                // A check was recorded at the same moment: look again.
                Err(StoreError::Stale) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// Whether `check` is one that the process needs and that nobody has approved.
pub(super) fn require_open(process: &Process, check: Check) -> Result<(), Error> {
    let id = process.id;
    let what = check.in_words();
    let needed = |work: &Work| Check::needed_for(work.order.validation).contains(&check);
    match process.work() {
        Some(work) if work.is_open(check) => Ok(()),
        Some(work) if needed(work) => Err(Error::new(
            Kind::Status,
            format!("Process {id}: {what} is VALIDATED already"),
        )),
        _ => Err(Error::new(
            Kind::Status,
            format!("Process {id}: {what} is no part of this product's validation"),
        )),
    }
}
