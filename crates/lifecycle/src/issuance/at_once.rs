//! A request that nothing stands in the way of: its serial is reserved in the very commit that records it.

use std::time::Duration;

use jiff::Timestamp;

use super::recheck::NotPrepared;
use super::sign::Signature;
use crate::event::Event;
use crate::process::{IllegalTransition, Process};
use crate::services::Services;

/// How long a request may wait for CAA before it is recorded without (and checked again afterwards).
const CAA_BEFORE_RECORD: Duration = Duration::from_secs(1);

impl Services {
    /// When everything a fresh process needs is at hand, checks CAA and prepares the signature before the
    /// process is recorded, so that recording and reserving are one commit. Else says what stands in the way.
    pub(super) async fn try_at_once(
        &self,
        process: Process,
        events: &mut Vec<Event>,
        now: Timestamp,
    ) -> (Process, Result<Signature, String>) {
        match self.attempt_at_once(&process, now).await {
            Ok((reserved, signature, recorded)) => {
                events.extend(recorded);
                (reserved, Ok(signature))
            }
            Err(obstacle) => (process, Err(obstacle)),
        }
    }

    async fn attempt_at_once(
        &self,
        process: &Process,
        now: Timestamp,
    ) -> Result<(Process, Signature, Vec<Event>), String> {
        if let Some(obstacle) = self.not_ready(process) {
            return Err(obstacle);
        }
        let round = tokio::time::timeout(CAA_BEFORE_RECORD, self.check_caa(process))
            .await
            .map_err(|_| "CAA could not be checked in time".to_owned())?;
        if let Some(forbidding) = round.states.iter().find(|state| !state.permitted) {
            return Err(format!(
                "CAA of `{}`: {}",
                forbidding.name, forbidding.reason
            ));
        }
        let illegal = |error: IllegalTransition| error.to_string();
        let (checked, _) = process
            .clone()
            .update(now, |work| {
                work.caa = round.states;
                work.rounds = 1;
                Vec::new()
            })
            .map_err(illegal)?;
        let signature = self
            .prepare_at_once(&checked)
            .map_err(NotPrepared::reason)?;
        let (serial, tbs) = (&signature.prepared.serial, signature.prepared.linted.tbs());
        let (reserved, recorded) = checked
            .reserve(
                serial.to_hex(),
                signature.issuer.clone(),
                tbs,
                signature.made,
            )
            .map_err(illegal)?;
        let mut events = round.events;
        events.extend(recorded);
        Ok((reserved, signature, events))
    }

    /// What is missing before CAA can be asked and a certificate be signed.
    pub(super) fn not_ready(&self, process: &Process) -> Option<String> {
        let work = process.work()?;
        if self.is_upstream(work) {
            let issuer = &work.order.issuer;
            return Some(format!(
                "the upstream issuer `{issuer}` says what is to be published, and issues, once the process is open"
            ));
        }
        if !work.all_proved() {
            return Some("control of names is still to be proved".to_owned());
        }
        if !work.organization_done() {
            return Some("the organization is still to be validated".to_owned());
        }
        self.signing_refused()
    }
}
