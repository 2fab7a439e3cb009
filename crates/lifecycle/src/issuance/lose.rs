//! What was signed, or may have been, and will never be in the store as a certificate: its serial is revoked as if it
//! had been issued (R-11, P-8).

use jiff::Timestamp;

use super::incident;
use crate::audit::AuditEntry;
use crate::customer::Scope;
use crate::error::Error;
use crate::process::{Process, ProcessId, State};
use crate::services::Services;
use crate::store::{Change, LostSerial, Reservation, StoreError};

/// A serial that is given up.
pub(super) struct Lost {
    reserved: Option<Reservation>,
    reason: String,
}

impl Lost {
    /// What was `reserved` is given up for `reason`.
    pub(super) fn of(reserved: Option<Reservation>, reason: String) -> Self {
        Self { reserved, reason }
    }
}

impl Services {
    /// Ends process `id`, whose certificate was signed as `reserved` and is not stored because of `error`.
    pub(super) async fn lose(
        &self,
        id: ProcessId,
        reserved: &Reservation,
        error: StoreError,
    ) -> Result<Process, Error> {
        let process = self.store.process(&Scope::Everything, id).await?;
        let process = process.ok_or_else(|| Error::internal("a process that is gone"))?;
        let now = self.clock.now();
        tracing::error!(process = id, %error, "a certificate was signed and not stored");
        let reason = Error::from(error).message;
        let entry = incident::unstored(&process, reserved, &reason, true, now);
        let (process, events) = process.fail(reason, now).map_err(Error::internal)?;
        let mut change = Change::new(process, events);
        change.audit.push(entry);
        change.lost = Some(incident::lost(reserved, now));
        Ok(self.store.advance(change).await?)
    }

    /// Ends a process because the linter refuses what follows from `reserved`, which it had passed itself: an incident,
    /// and never tried again.
    pub(super) async fn lose_for_lint(
        &self,
        process: Process,
        reserved: &Reservation,
        finding: String,
    ) -> Result<Process, Error> {
        tracing::error!(
            process = process.id,
            finding,
            "a certificate was refused before signing"
        );
        let reason = format!("the certificate was refused before signing: {finding}");
        self.give_up(process, Lost::of(Some(reserved.clone()), reason))
            .await
    }

    /// Ends a process that has reserved a serial, and revokes that.
    pub(super) async fn give_up(&self, process: Process, lost: Lost) -> Result<Process, Error> {
        let Lost { reserved, reason } = lost;
        let now = self.clock.now();
        let gone = reserved.map(|reserved| gone(&process, &reserved, &reason, now));
        let (lost, entry) = gone.unzip();
        let (process, events) = process.fail(reason, now).map_err(Error::internal)?;
        let mut change = Change::new(process, events);
        change.audit.extend(entry);
        change.lost = lost;
        Ok(self.store.advance(change).await?)
    }

    /// Gives up what a process has reserved for signing before this server died, for `reason`. Nobody knows whether it
    /// was signed: its serial is treated as if it had been.
    pub(super) async fn abandon(&self, process: Process, reason: String) -> Result<Process, Error> {
        let reserved = self.store.reservation(process.id).await?;
        let now = self.clock.now();
        let gone = reserved.map(|reserved| gone(&process, &reserved, &reason, now));
        let (lost, entry) = gone.unzip();
        let (process, events) = process.abandon(reason, now).map_err(Error::internal)?;
        let mut change = Change::new(process, events);
        change.audit.extend(entry);
        change.lost = lost;
        self.advance_leased(change).await
    }
}

/// The revocation of `reserved`, and the entry for the audit log.
fn gone(
    process: &Process,
    reserved: &Reservation,
    reason: &str,
    now: Timestamp,
) -> (LostSerial, AuditEntry) {
    // A precertificate that is on record was signed for certain.
    let is_certain = matches!(process.state(), State::Logging { .. });
    let entry = incident::unstored(process, reserved, reason, is_certain, now);
    (incident::lost(reserved, now), entry)
}
