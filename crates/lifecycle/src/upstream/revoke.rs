//! What was revoked here and came from an upstream, the upstream is told until it has revoked it too.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use reseal_pki::certificate::Certificate;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::{Duty, NoAccount, UpstreamError};
use crate::certificate::RevocationReason;
use crate::error::Error;
use crate::pulse::Part;
use crate::services::Services;
use crate::worker::stops;

/// Time between two looks into the store.
const PAUSE: Duration = Duration::from_millis(500);
/// Revocations that an upstream is told in one round.
const AT_ONCE: usize = 10;
/// For how long nobody else takes one that is being told.
const LEASE: SignedDuration = SignedDuration::from_mins(5);
/// The first wait before an upstream is told again; each further one is twice as long.
const FIRST_WAIT: u64 = 10;
/// The longest wait, in seconds: it has to be done within a day.
const LONGEST_WAIT: u64 = 1800;

/// The longest that an upstream is left alone because it wants to be, in seconds.
const LONGEST_ASKED: u64 = 3600;
/// For how long it is left alone when it was not reached, in seconds.
const REST: u64 = 30;
/// After so many failures of a round it is taken to be the upstream, and not the certificates.
const MOST_FAILED: usize = 5;
/// One that takes longer for a round and fails is left alone as well, so that the others are not kept waiting.
const LONGEST_ROUND: Duration = Duration::from_secs(20);

/// An upstream is left alone.
#[derive(Clone, Copy)]
struct Rest {
    until: Timestamp,
    /// Because it wants to be: it would answer.
    is_wish: bool,
}

/// Works until `shutdown` becomes true.
pub(crate) async fn work(services: Arc<Services>, mut shutdown: watch::Receiver<bool>) {
    let mut paused = HashMap::new();
    loop {
        services.pulse.beat(Part::Upstreams);
        if let Err(error) = services.tell_upstreams(&mut paused).await {
            tracing::warn!(%error, source = ?error.source, "revocations at upstreams wait for the next look");
        }
        if stops(&mut shutdown, PAUSE).await {
            break;
        }
    }
    services.pulse.end(Part::Upstreams);
}

impl Services {
    /// Each upstream by itself: one that does not answer keeps no other waiting longer than a call takes, and is left alone
    /// until the time in `paused`.
    async fn tell_upstreams(
        self: &Arc<Self>,
        paused: &mut HashMap<String, Rest>,
    ) -> Result<(), Error> {
        let now = self.clock.now();
        paused.retain(|_, rest| rest.until > now);
        let mut told = JoinSet::new();
        let mut issuer = String::new();
        while let Some(next) = self.store.upstream_to_tell_behind(&issuer).await? {
            issuer = next;
            let only_compromised = match paused.get(&issuer) {
                // Nobody goes on trusting a key that is known elsewhere for somebody's convenience.
                Some(rest) if rest.is_wish => true,
                Some(_) => continue,
                None => false,
            };
            let (services, issuer) = (Arc::clone(self), issuer.clone());
            told.spawn(async move {
                let told = services.tell_one(&issuer, only_compromised).await;
                (told, issuer)
            });
        }
        let mut failed = None;
        while let Some(told) = told.join_next().await {
            match told.map_err(Error::internal)? {
                (Ok(Some(rest)), issuer) => drop(paused.insert(issuer, rest)),
                (Ok(None), _) => {}
                (Err(error), _) => failed = Some(error),
            }
        }
        failed.map_or(Ok(()), Err)
    }

    /// Tells `issuer` of what it has to revoke; and whether it is to be left alone then. What it does not do about one certificate
    /// it may do about the next.
    async fn tell_one(&self, issuer: &str, only_compromised: bool) -> Result<Option<Rest>, Error> {
        let began = Instant::now();
        let mut failures = 0;
        for _ in 0..AT_ONCE {
            let now = self.clock.now();
            let lease = now.checked_add(LEASE).map_err(Error::internal)?;
            let taken = self
                .store
                .take_upstream_revocation(issuer, now, lease, only_compromised);
            let Some(duty) = taken.await? else {
                break;
            };
            let told = self.tell(&duty).await?;
            self.pulse.beat(Part::Upstreams);
            let now = self.clock.now();
            let error = match told {
                Ok(reason) => {
                    self.store.upstream_revoked(&duty, reason, now).await?;
                    continue;
                }
                Err(error) => error,
            };
            let certificate = hex::encode(duty.fingerprint);
            tracing::error!(issuer, certificate, %error, "the upstream did not revoke: it is told again");
            let next = now.saturating_add(wait(&duty, &error)).unwrap_or(now);
            let why = error.to_string();
            self.store.upstream_not_revoked(&duty, &why, next).await?;
            failures += usize::from(!matches!(error, UpstreamError::Refused { .. }));
            let is_ill = failures == MOST_FAILED || began.elapsed() > LONGEST_ROUND;
            if error.is_general() || is_ill {
                return Ok(Some(rest(&error, now)));
            }
        }
        Ok(None)
    }

    async fn tell(
        &self,
        duty: &Duty,
    ) -> Result<Result<Option<RevocationReason>, UpstreamError>, Error> {
        let Some(upstream) = self.upstreams.get(&duty.issuer) else {
            return Ok(Err(UpstreamError::not_configured(&duty.issuer)));
        };
        // What has expired no upstream revokes any more.
        let read = Certificate::from_der(&duty.der);
        if read.is_ok_and(|certificate| certificate.not_after() < self.clock.now()) {
            return Ok(Ok(duty.reason));
        }
        let (issuer, customer) = (&*duty.issuer, &*duty.customer);
        let account = match self.upstream_account(issuer, upstream, customer).await {
            Ok(account) => account,
            Err(NoAccount::Upstream(error)) => return Ok(Err(error)),
            Err(NoAccount::Own(error)) => return Err(error),
        };
        let told = upstream.revoke(&account, &duty.der, duty.reason).await;
        if told.as_ref().is_err_and(UpstreamError::lacks_account) {
            let accounts = self.accounts();
            let replaced = accounts.replace(issuer, upstream, customer, &account);
            match replaced.await {
                // It is told with that account the next time.
                Ok(_) => {}
                Err(NoAccount::Upstream(error)) => return Ok(Err(error)),
                Err(NoAccount::Own(error)) => return Err(error),
            }
        }
        Ok(told)
    }
}

/// How long one certificate is put off.
fn wait(duty: &Duty, error: &UpstreamError) -> SignedDuration {
    let doubled = FIRST_WAIT << duty.attempts.min(16);
    seconds(doubled.min(LONGEST_WAIT).max(asked(error).unwrap_or(0)))
}

fn rest(error: &UpstreamError, now: Timestamp) -> Rest {
    let asked = asked(error);
    let until = now.saturating_add(seconds(asked.unwrap_or(REST)));
    Rest {
        until: until.unwrap_or(now),
        is_wish: asked.is_some(),
    }
}

/// How long the upstream wants to be left alone, in seconds.
fn asked(error: &UpstreamError) -> Option<u64> {
    let wait = error.asked_to_wait()?;
    Some(wait.as_secs().min(LONGEST_ASKED))
}

fn seconds(seconds: u64) -> SignedDuration {
    SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn x_1_an_upstream_is_told_ever_more_rarely_and_often_enough_for_a_day() {
        let wait = |attempts, retry_after| {
            let duty = Duty {
                fingerprint: [0; 32],
                issuer: "le".to_owned(),
                customer: "acme".to_owned(),
                der: Vec::new(),
                reason: None,
                created: Timestamp::UNIX_EPOCH,
                attempts,
            };
            let error = UpstreamError::Unavailable {
                reason: String::new(),
                retry_after,
                is_general: true,
            };
            wait(&duty, &error).as_secs()
        };
        let waits: Vec<i64> = [0, 1, 2, 7, 8, 1000]
            .map(|attempts| wait(attempts, None))
            .to_vec();
        assert_eq!(waits, [10, 20, 40, 1280, 1800, 1800]);
        assert_eq!(wait(0, Some(Duration::from_mins(50))), 3000);
        assert_eq!(wait(0, Some(Duration::from_hours(20))), 3600);
    }
}
