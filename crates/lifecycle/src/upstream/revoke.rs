//! What was revoked here and came from an upstream, the upstream is told until it has revoked it too.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

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
        paused: &mut HashMap<String, Timestamp>,
    ) -> Result<(), Error> {
        let now = self.clock.now();
        paused.retain(|_, until| *until > now);
        let mut told = JoinSet::new();
        let mut issuer = String::new();
        while let Some(next) = self.store.upstream_to_tell_behind(&issuer).await? {
            issuer = next;
            if !paused.contains_key(&issuer) {
                let (services, issuer) = (Arc::clone(self), issuer.clone());
                told.spawn(async move { (services.tell_one(&issuer).await, issuer) });
            }
        }
        let mut failed = None;
        while let Some(told) = told.join_next().await {
            match told.map_err(Error::internal)? {
                (Ok(Some(until)), issuer) => drop(paused.insert(issuer, until)),
                (Ok(None), _) => {}
                (Err(error), _) => failed = Some(error),
            }
        }
        failed.map_or(Ok(()), Err)
    }

    /// Tells `issuer` of what it has to revoke; until when it is to be left alone.
    async fn tell_one(&self, issuer: &str) -> Result<Option<Timestamp>, Error> {
        for _ in 0..AT_ONCE {
            let now = self.clock.now();
            let lease = now.checked_add(LEASE).map_err(Error::internal)?;
            let taken = self.store.take_upstream_revocation(issuer, now, lease);
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
            // What it does not answer about one it does not answer about the next.
            if !matches!(error, UpstreamError::Refused { .. }) {
                return Ok(Some(next));
            }
        }
        Ok(None)
    }

    async fn tell(
        &self,
        duty: &Duty,
    ) -> Result<Result<Option<RevocationReason>, UpstreamError>, Error> {
        let Some(upstream) = self.upstreams.get(&duty.issuer) else {
            return Ok(Err(UpstreamError::Unavailable {
                reason: format!("issuer `{}` is not configured any more", duty.issuer),
                retry_after: None,
            }));
        };
        // What has expired no upstream revokes any more.
        let read = Certificate::from_der(&duty.der);
        if read.is_ok_and(|certificate| certificate.not_after() < self.clock.now()) {
            return Ok(Ok(duty.reason));
        }
        let account = self.upstream_account(&duty.issuer, upstream, &duty.customer);
        match account.await {
            Ok(account) => Ok(upstream.revoke(&account, &duty.der, duty.reason).await),
            Err(NoAccount::Upstream(error)) => Ok(Err(error)),
            Err(NoAccount::Own(error)) => Err(error),
        }
    }
}

fn wait(duty: &Duty, error: &UpstreamError) -> SignedDuration {
    let doubled = FIRST_WAIT << duty.attempts.min(16);
    let asked = match error {
        UpstreamError::Unavailable { retry_after, .. } => *retry_after,
        UpstreamError::Lost(_) | UpstreamError::Refused { .. } => None,
    };
    let asked = asked.map_or(0, |asked| asked.as_secs().min(LONGEST_ASKED));
    let seconds = doubled.min(LONGEST_WAIT).max(asked);
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
