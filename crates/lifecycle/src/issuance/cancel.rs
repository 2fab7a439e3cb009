//! A customer withdraws a process.

use crate::customer::Caller;
use crate::error::{Error, Kind};
use crate::process::{ProcessId, ResumeType};
use crate::services::Services;
use crate::store::{Change, StoreError};

impl Services {
    /// Ends an open process: its challenges and links are dead from then on.
    ///
    /// # Errors
    /// [`Kind::NotFound`]; [`Kind::Status`] once signing has begun or the process has ended.
    pub async fn cancel(&self, caller: &Caller, id: ProcessId) -> Result<(), Error> {
        loop {
            let process = self.process(caller, id).await?;
            let status = process.status().as_str();
            if !process.resume_types().contains(&ResumeType::Cancel) {
                return Err(Error::new(
                    Kind::Status,
                    format!("Process {id} is {status} and can no longer be cancelled"),
                ));
            }
            let (process, events) = process
                .cancel(caller.user.clone(), self.clock.now())
                .map_err(Error::internal)?;
            match self.store.advance(Change::new(process, events)).await {
                Ok(_) => return Ok(()),
                // A check or a signature was recorded at the same moment: look again.
                Err(StoreError::Stale) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}
