//! What is looked at again before a certificate is prepared, and before one is signed that was reserved before a
//! crash: since the request came in, or since the server died, everything it rested on may have changed.

use jiff::{SignedDuration, Timestamp};
use reseal_pki::calendar;
use reseal_pki::csr::Csr;

use super::reissue::SHORTEST_REMAINDER;
use super::sign::{self, Signature};
use super::{caa, candidate, prove};
use crate::certificate::CertificateStatus;
use crate::customer::Scope;
use crate::error::{Error, Kind};
use crate::issuer::IssuerError;
use crate::process::{Action, Check, CheckState, NameProof, Process, Work};
use crate::services::{Services, Settings};

/// How old CAA may be when a certificate is signed (BR 4.2.2.1, S-16).
const SIGN_WITHIN: SignedDuration = SignedDuration::from_hours(8);
/// The same where the reservation is from before a crash.
const RESUME_WITHIN: SignedDuration = SignedDuration::from_hours(1);

/// Why nothing could be prepared.
pub(super) enum NotPrepared {
    /// The key or a name may not be certified any more, or the certificate not be replaced.
    Refused(Error),
    /// What it rests on has become too old: it is looked at, or asked for, anew.
    Outdated(String),
    /// The issuer refuses.
    Issuer(IssuerError),
    /// Something cannot answer now.
    Unavailable(Error),
}

impl NotPrepared {
    /// For whoever asked for the certificate.
    pub(super) fn reason(self) -> String {
        match self {
            Self::Refused(error) | Self::Unavailable(error) => error.message,
            Self::Outdated(reason) => reason,
            Self::Issuer(error) => error.to_string(),
        }
    }
}

impl Services {
    /// Looks again, then builds and lints the certificate of a process that has proved everything.
    pub(super) async fn prepare(&self, process: &Process) -> Result<Signature, NotPrepared> {
        let work = work(process).map_err(NotPrepared::Unavailable)?;
        let csr = self.recheck(process, work).await?;
        self.prepare_on_grounds(work, &csr)
    }

    /// The same where all was looked at a moment ago: the store looks once more when it records the serial, and refuses the
    /// whole step for what is gone by then. CSR and names were examined in this very call, by the rules and settings that
    /// this process still runs with: that is not paid for twice.
    pub(super) fn prepare_at_once(&self, process: &Process) -> Result<Signature, NotPrepared> {
        let work = work(process).map_err(NotPrepared::Unavailable)?;
        if let Some(end) = work.order.subscription_end {
            worth_it(process.action, end, self.clock.now()).map_err(NotPrepared::Refused)?;
        }
        let csr = csr(work).map_err(NotPrepared::Unavailable)?;
        self.prepare_on_grounds(work, &csr)
    }

    /// What would be signed if all that is open were done: a rehearsal names that by itself.
    pub(super) async fn prepare_rehearsed(
        &self,
        process: &Process,
    ) -> Result<Signature, NotPrepared> {
        let work = work(process).map_err(NotPrepared::Unavailable)?;
        let csr = self.recheck(process, work).await?;
        sign::prepare(self, &work.order, csr.public_key(), self.clock.now())
    }

    /// A certificate of this moment, which its grounds are judged for: the day may have changed while somebody waited for
    /// the DNS (0.6).
    fn prepare_on_grounds(&self, work: &Work, csr: &Csr) -> Result<Signature, NotPrepared> {
        let now = self.clock.now();
        let stale = stale_caa(work, now, SIGN_WITHIN);
        if let Some(reason) = stale.or_else(|| outdated(work, now, &self.settings)) {
            return Err(NotPrepared::Outdated(reason));
        }
        sign::prepare(self, &work.order, csr.public_key(), now)
    }

    /// The signature that was reserved before a crash, or why it must not be made any more: then everything is
    /// decided anew (S-16, V-6, A-10).
    pub(super) async fn resume_signature(
        &self,
        process: &Process,
        serial: &str,
    ) -> Result<Result<Signature, String>, Error> {
        if let Some(reason) = self.signing_refused() {
            return Ok(Err(reason));
        }
        let work = work(process)?;
        if let Some(reason) = stale_caa(work, self.clock.now(), RESUME_WITHIN) {
            return Ok(Err(reason));
        }
        if let Some(reason) = self.ground_lost(process, work).await? {
            return Ok(Err(reason));
        }
        let signature = self.resume_reserved(process, serial, work).await;
        match signature {
            Ok(signature) => Ok(Ok(signature)),
            Err(NotPrepared::Issuer(IssuerError::Unavailable(reason))) => {
                Err(sign::unavailable(reason))
            }
            Err(NotPrepared::Unavailable(error)) => Err(error),
            Err(other) => Ok(Err(other.reason())),
        }
    }

    /// What of a reservation's grounds has become too old, or is not believed any more, if anything.
    pub(super) async fn ground_lost(
        &self,
        process: &Process,
        work: &Work,
    ) -> Result<Option<String>, Error> {
        if let Some(reason) = outdated(work, self.clock.now(), &self.settings) {
            return Ok(Some(reason));
        }
        if let Some(name) = self.store.distrusted_names(process).await?.first() {
            return Ok(Some(format!(
                "the proof of control of `{name}` was found to be worth nothing"
            )));
        }
        let withdrawn = self.store.withdrawn_checks(process).await?;
        let withdrawn = withdrawn.first();
        Ok(withdrawn.map(|check| format!("the approval of {} was withdrawn", check.in_words())))
    }

    /// What is recorded under `serial` (hex), once key, names and the certificate to be replaced were looked at again.
    pub(super) async fn resume_reserved(
        &self,
        process: &Process,
        serial: &str,
        work: &Work,
    ) -> Result<Signature, NotPrepared> {
        let csr = self.recheck(process, work).await?;
        self.reserved_signature(process.id, serial, &work.order, csr.public_key())
            .await
    }

    /// The certificate to be replaced, the names, and the key (C-24); the answer is the CSR that holds it.
    pub(super) async fn recheck(&self, process: &Process, work: &Work) -> Result<Csr, NotPrepared> {
        self.check_source(process).await?;
        let csr = csr(work).map_err(NotPrepared::Unavailable)?;
        let withheld = self.catalogue.withheld(&work.order.product);
        let outlawed = || candidate::outlawed(self, &csr, &work.order.names);
        if let Some(error) = withheld.or_else(outlawed) {
            return Err(NotPrepared::Refused(error));
        }
        candidate::check_key(self, &process.customer, &csr.public_key().spki_sha256())
            .await
            .map_err(|error| match error.kind {
                Kind::InvalidCsr => NotPrepared::Refused(error),
                _ => NotPrepared::Unavailable(error),
            })?;
        Ok(csr)
    }

    /// The certificate to be replaced can still be, and what is left of its subscription is worth it (R-1, V-9).
    pub(super) async fn check_source(&self, process: &Process) -> Result<(), NotPrepared> {
        let (Action::Reissue | Action::Renew, Some(source)) = (process.action, process.source)
        else {
            return Ok(());
        };
        let source = self
            .store
            .certificate(&Scope::Everything, source)
            .await
            .map_err(|error| NotPrepared::Unavailable(error.into()))?
            .ok_or_else(|| NotPrepared::Unavailable(Error::internal("the source is gone")))?;
        let now = self.clock.now();
        let refused = |reason: String| Err(NotPrepared::Refused(Error::new(Kind::Status, reason)));
        match source.status(now) {
            CertificateStatus::Active | CertificateStatus::Expired => {}
            status => {
                return refused(format!(
                    "certificate {} became {} while it waited to be replaced: order a new one",
                    source.id,
                    status.as_str()
                ));
            }
        }
        let barred = self.barred(&source).await;
        if let Some(why) = barred.map_err(NotPrepared::Unavailable)? {
            return refused(format!("certificate {}: {why}", source.id));
        }
        worth_it(process.action, source.subscription_end, now).map_err(NotPrepared::Refused)
    }
}

/// Whether what is left of a subscription that ends at `end` is worth a certificate (V-9). A renewal brings a term of its own.
fn worth_it(action: Action, end: Timestamp, now: Timestamp) -> Result<(), Error> {
    if action == Action::Reissue && end.duration_since(now) < SHORTEST_REMAINDER {
        let message =
            format!("the subscription ends at {end}: less than a day is left, renew it instead");
        return Err(Error::new(Kind::Status, message));
    }
    Ok(())
}

fn work(process: &Process) -> Result<&Work, Error> {
    process
        .work()
        .ok_or_else(|| Error::internal("a process without work"))
}

fn csr(work: &Work) -> Result<Csr, Error> {
    Csr::from_der(&work.order.csr).map_err(Error::internal)
}

/// Whether CAA has to be asked again before anything is signed at `now`, because an answer is older than `limit`.
fn stale_caa(work: &Work, now: Timestamp, limit: SignedDuration) -> Option<String> {
    let fresh = |name| {
        work.caa_of(name).is_some_and(|caa| {
            let age = now.duration_since(caa.checked);
            caa.permitted && (SignedDuration::ZERO..=limit).contains(&age)
        })
    };
    let is_stale = !work.order.names.iter().all(fresh);
    is_stale.then(|| "the last answer is too old: CAA is asked again".to_owned())
}

/// What else has become too old at `now`, if anything.
fn outdated(work: &Work, now: Timestamp, settings: &Settings) -> Option<String> {
    let usable = |obtained| calendar::organization_usable(obtained, now);
    let outdated = |(_, state): &(Check, &CheckState)| match state {
        CheckState::Validated { obtained, .. } => !usable(*obtained),
        _ => true,
    };
    if let Some((check, _)) = work.checks().find(outdated) {
        return Some(format!("the validation of {} is too old", check.in_words()));
    }
    if let Some(alone) = work
        .proofs
        .iter()
        .find(|proof| !is_corroborated(work, proof, settings))
    {
        return Some(format!(
            "control of `{}` was not seen from enough networks",
            alone.name
        ));
    }
    let stale = work
        .proofs
        .iter()
        .find(|proof| prove::is_stale(proof, now))?;
    Some(format!(
        "the proof of control of `{}` is too old",
        stale.name
    ))
}

/// Whether a proof and the CAA check that goes with it were seen from as many networks as they must be (M-1, M-2).
fn is_corroborated(work: &Work, proof: &NameProof, settings: &Settings) -> bool {
    prove::is_corroborated(proof, settings)
        && work.caa_of(&proof.name).is_some_and(|caa| {
            settings.is_corroborated(caa::relied_on(proof), &caa.witnesses, caa.checked)
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::sample;

    #[test]
    fn s_16_nothing_is_signed_on_an_answer_about_caa_of_more_than_eight_hours() {
        let work = sample::work(true);
        let checked = work.caa[0].checked;
        let stale = |age, limit| stale_caa(&work, checked + age, limit).is_some();
        let second = SignedDuration::from_secs(1);
        assert!(!stale(SIGN_WITHIN, SIGN_WITHIN) && stale(SIGN_WITHIN + second, SIGN_WITHIN));
        assert!(!stale(RESUME_WITHIN, RESUME_WITHIN) && stale(SIGN_WITHIN, RESUME_WITHIN));
        // From the future: its age is unknown.
        assert!(stale(-second, SIGN_WITHIN));
        let mut unasked = work.clone();
        unasked.caa.pop();
        assert!(stale_caa(&unasked, checked, SIGN_WITHIN).is_some());
    }
}
