//! Between reservation and certificate where logs are asked: the precertificate is signed, recorded, shown to logs;
//! their promises are recorded; then the certificate is signed with them. Everything under the serial that was reserved.
//!
//! | recorded last | after a crash |
//! | --- | --- |
//! | reserved | the precertificate is signed: one that was lost had left the server as little as this one |
//! | precertified | the logs are asked; the same precertificate gets the same promises |
//! | logged | the logs that are missing are asked, then the certificate is signed |
//!
//! Once its precertificate is signed a serial counts as issued (P-8): given up, it is revoked (`lose`).

use jiff::Timestamp;
use reseal_pki::certificate::Certificate;
use reseal_pki::profile::Validity;

use super::lose::Lost;
use super::recheck::NotPrepared;
use super::sign::{self, Signature, fingerprint};
use crate::error::Error;
use crate::fault;
use crate::issuer::IssuerError;
use crate::process::{Process, State};
use crate::services::Services;
use crate::store::Change;
use crate::transparency::{
    Collected, LONGEST_WAIT, Missing, Precertificate, Promise, Submission, Transparency,
};

/// When a process is looked at again that waits for the operator.
const BETWEEN_LOOKS: jiff::SignedDuration = jiff::SignedDuration::from_mins(1);

/// What becomes of a process whose precertificate is recorded.
pub(super) enum Resumed {
    /// The logs are asked, and the certificate is signed.
    Goes(Box<Signature>, Vec<u8>),
    /// Nothing can be signed now.
    Waits(String),
    /// The certificate must not be signed any more: everything is decided anew.
    Abandoned(String),
    /// It took too long.
    Over(String),
}

impl Services {
    /// Signs and records the precertificate of what is reserved, then goes on with the logs.
    pub(super) async fn precertify(
        &self,
        process: Process,
        signature: Signature,
    ) -> Result<Process, Error> {
        let issuer = self.issuer(&signature.issuer)?;
        let signed = issuer.precertify(&signature.prepared).await;
        let der = match signed {
            Ok(der) => der,
            Err(IssuerError::Lint(finding)) => {
                let reserved = signature.reservation();
                return self.lose_for_lint(process, &reserved, finding).await;
            }
            Err(error) => {
                let issuer = &signature.issuer;
                return Err(self.sign_again_soon(process.id, issuer, &error).await);
            }
        };
        fault::point(fault::Point::Precertified).await;
        let now = self.clock.now();
        let (process, events) = process
            .precertify(hex::encode(fingerprint(&der)), now)
            .map_err(Error::internal)?;
        let mut change = Change::new(process, events);
        change.precertificate = Some(Precertificate {
            serial: signature.prepared.serial.as_bytes().to_vec(),
            issuer: signature.issuer.clone(),
            der: der.clone(),
            created: now,
        });
        let process = self.advance_leased(change).await?;
        fault::point(fault::Point::PrecertificateRecorded).await;
        self.log(process, signature, der).await
    }

    /// Asks logs for the promises that are missing; with all of them the certificate is signed and stored.
    pub(super) async fn log(
        &self,
        process: Process,
        signature: Signature,
        precertificate: Vec<u8>,
    ) -> Result<Process, Error> {
        let collected = self.ask_logs(&process, &signature, &precertificate).await?;
        fault::point(fault::Point::Logged).await;
        let process = if collected.promises.is_empty() {
            process
        } else {
            let now = self.clock.now();
            let (process, events) = process
                .logged(collected.promises, now)
                .map_err(Error::internal)?;
            self.advance_leased(Change::new(process, events)).await?
        };
        fault::point(fault::Point::LoggedRecorded).await;
        if let Some(missing) = collected.missing {
            return self.wait_for_logs(process, &missing).await;
        }
        let standing = self.transparency()?.standing(promises(&process));
        let scts: Option<Vec<_>> = standing.iter().map(Promise::sct).collect();
        let scts = scts.ok_or_else(|| Error::internal("a stored SCT cannot be read"))?;
        let issuer = self.issuer(&signature.issuer)?;
        let (signature, prepared) = signature.take();
        let now = self.clock.now();
        let issued = issuer.issue_logged(prepared, &precertificate, &scts, now);
        match issued.await {
            Ok(der) => self.store_signed(process, der, signature).await,
            Err(IssuerError::Lint(finding)) => {
                self.lose_for_lint(process, &signature.reservation, finding)
                    .await
            }
            Err(error) => {
                let issuer = &signature.reservation.issuer;
                Err(self.sign_again_soon(process.id, issuer, &error).await)
            }
        }
    }

    async fn ask_logs(
        &self,
        process: &Process,
        signature: &Signature,
        precertificate: &[u8],
    ) -> Result<Collected, Error> {
        let transparency = self.transparency()?;
        let held = transparency.standing(promises(process));
        let chain = self.issuer(&signature.issuer)?.chain();
        let issuing = chain.first().map(|der| Certificate::from_der(der));
        let issuing = issuing
            .transpose()
            .map_err(Error::internal)?
            .ok_or_else(|| Error::internal("an issuer without a certificate"))?;
        let mut submitted = vec![precertificate.to_vec()];
        submitted.extend(chain);
        let submission = Submission {
            chain: submitted,
            issuer_key: issuing.public_key().spki_sha256(),
            validity: Validity {
                not_before: signature.prepared.not_before,
                not_after: signature.prepared.not_after,
            },
        };
        let collected = transparency.collect(submission, &held, self.clock).await;
        for promise in &collected.promises {
            self.metrics.submitted(&promise.log, None);
        }
        for (log, error) in &collected.failed {
            self.metrics.submitted(log, Some(error));
            tracing::warn!(process = process.id, log, %error, "a log gave no SCT");
        }
        Ok(collected)
    }

    fn transparency(&self) -> Result<&Transparency, Error> {
        let configured = self.transparency.as_ref();
        configured.ok_or_else(|| Error::internal("no logs are configured"))
    }

    async fn wait_for_logs(&self, process: Process, missing: &Missing) -> Result<Process, Error> {
        let Missing {
            found,
            required,
            next,
        } = missing;
        tracing::error!(
            process = process.id,
            found,
            required,
            %next,
            "a certificate waits for Certificate Transparency logs"
        );
        let reason = format!(
            "waits for Certificate Transparency logs: {found} of {required} have promised to show the certificate; they \
             are asked again until they all have"
        );
        self.wait_with_precertificate(process, reason, *next).await
    }

    async fn wait_with_precertificate(
        &self,
        process: Process,
        reason: String,
        next: Timestamp,
    ) -> Result<Process, Error> {
        let (process, events) = process
            .await_logs(reason, next, self.clock.now())
            .map_err(Error::internal)?;
        Ok(self.store.advance(Change::new(process, events)).await?)
    }

    /// Goes on with a process whose precertificate was recorded before; the process to go on with, unless it waits or
    /// has ended.
    pub(super) async fn resume_logging(
        &self,
        process: Process,
        serial: &str,
    ) -> Result<Result<Process, Process>, Error> {
        match self.resumed(&process, serial).await? {
            Resumed::Goes(signature, precertificate) => {
                self.log(process, *signature, precertificate).await.map(Err)
            }
            Resumed::Waits(reason) => {
                let now = self.clock.now();
                let next = now.checked_add(BETWEEN_LOOKS).unwrap_or(now);
                let waits = self.wait_with_precertificate(process, reason, next).await;
                waits.map(Err)
            }
            Resumed::Abandoned(reason) => self.abandon(process, reason).await.map(Ok),
            Resumed::Over(reason) => {
                let reserved = self.store.reservation(process.id).await?;
                let lost = Lost::of(reserved, reason);
                self.give_up(process, lost).await.map(Err)
            }
        }
    }

    /// CAA is not asked again for what is logged (S-19); everything else that the certificate rests on is looked at.
    async fn resumed(&self, process: &Process, serial: &str) -> Result<Resumed, Error> {
        let State::Logging { since, .. } = process.state() else {
            return Err(Error::internal("a process without a precertificate"));
        };
        if self.clock.now().duration_since(*since) > LONGEST_WAIT {
            return Ok(Resumed::Over(format!(
                "the certificate could not be signed within {} hours of its precertificate: too few Certificate \
                 Transparency logs promised to show it, or the server was away. Order it again",
                LONGEST_WAIT.as_hours()
            )));
        }
        if self.transparency.is_none() {
            let why = "Certificate Transparency was switched off".to_owned();
            return Ok(Resumed::Abandoned(why));
        }
        let work = process
            .work()
            .ok_or_else(|| Error::internal("a process without work"))?;
        if let Some(reason) = self.ground_lost(process, work).await? {
            return Ok(Resumed::Abandoned(reason));
        }
        let Some(recorded) = self.store.precertificate(process.id).await? else {
            let why = "the precertificate is not in the store".to_owned();
            return Ok(Resumed::Abandoned(why));
        };
        match self.resume_reserved(process, serial, work).await {
            // Only now: what must not be signed is revoked, and does not wait for that it could be.
            Ok(signature) => Ok(match self.signing_refused() {
                Some(reason) => Resumed::Waits(reason),
                None => Resumed::Goes(Box::new(signature), recorded.der),
            }),
            Err(NotPrepared::Issuer(IssuerError::Unavailable(reason))) => {
                Err(sign::unavailable(reason))
            }
            Err(NotPrepared::Issuer(IssuerError::Refused(reason))) => Ok(Resumed::Waits(reason)),
            Err(NotPrepared::Unavailable(error)) => Err(error),
            Err(other) => Ok(Resumed::Abandoned(other.reason())),
        }
    }
}

fn promises(process: &Process) -> &[Promise] {
    match process.state() {
        State::Logging { promises, .. } => promises,
        _ => &[],
    }
}
