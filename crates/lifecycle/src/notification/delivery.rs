//! Sending notifications to customers' receivers: in their order, one after the other, each until it was taken.
//!
//! A receiver that fails holds up its own customer's queue only: customers whose last attempt failed have
//! places of their own, so that those who answer never wait for those who do not.
//!
//! What survives a crash: a notification waits until the database says that it was taken. One that was taken
//! while that could not be recorded is sent again.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reseal_validation::webhook::Parcel;
use tokio::sync::Semaphore;
use tokio::sync::watch::Receiver;

use super::webhook::Webhook;
use super::{Health, Notification};
use crate::error::Error;
use crate::pulse::Part;
use crate::services::Services;
use crate::worker::stops;

/// Seconds until the next attempt after the first failure, the second, and so on; the last one for all that
/// follow (contract.md section 5.8).
const RETRIES: [i64; 5] = [10, 30, 2 * 60, 5 * 60, 15 * 60];
/// Customers served at the same time, of either health.
const AT_ONCE: usize = 128;
/// Notifications of one customer before others get its place.
const TURN: usize = 100;
/// Time between two looks into the store.
const PAUSE: Duration = Duration::from_millis(500);
/// How long a server may be silent before another takes its customer's queue; longer than one attempt.
const LEASE: SignedDuration = SignedDuration::from_secs(120);
/// How long an attempt may go on once the server is to stop. What is broken off is sent again.
const GRACE: Duration = Duration::from_secs(2);
/// Characters of a failure's reason that are kept.
const LONGEST_REASON: usize = 500;

/// Delivers until `shutdown` becomes true, then finishes what is under way.
pub(crate) async fn deliver(services: Arc<Services>, mut shutdown: Receiver<bool>) {
    let healthy = Arc::new(Semaphore::new(AT_ONCE));
    let failing = Arc::new(Semaphore::new(AT_ONCE));
    loop {
        services.pulse.beat(Part::Webhooks);
        for (health, places) in [(Health::Good, &healthy), (Health::Failing, &failing)] {
            if let Err(error) = round(&services, health, places, &shutdown).await {
                tracing::warn!(%error, source = ?error.source, "webhooks wait for the next look");
            }
        }
        if stops(&mut shutdown, PAUSE).await {
            break;
        }
    }
    services.pulse.end(Part::Webhooks);
    for places in [healthy, failing] {
        let _all = places.acquire_many(AT_ONCE as u32).await;
    }
}

/// Takes the queues that are due as far as there are free places.
async fn round(
    services: &Arc<Services>,
    health: Health,
    places: &Arc<Semaphore>,
    shutdown: &Receiver<bool>,
) -> Result<(), Error> {
    let free = places.available_permits() as u32;
    if free == 0 {
        return Ok(());
    }
    let now = services.clock.now();
    for customer in services.store.due_webhooks(health, now, free).await? {
        let Ok(place) = Arc::clone(places).try_acquire_owned() else {
            break;
        };
        let (services, shutdown) = (Arc::clone(services), shutdown.clone());
        tokio::spawn(async move {
            if let Err(error) = services.empty_queue(&customer, shutdown).await {
                tracing::warn!(customer, %error, source = ?error.source, "a webhook waits for its lease's end");
            }
            drop(place);
        });
    }
    Ok(())
}

impl Services {
    /// Delivers what waits for one customer until nothing does, an attempt fails, or its turn is over. Does
    /// nothing while somebody else does so.
    async fn empty_queue(&self, customer: &str, mut shutdown: Receiver<bool>) -> Result<(), Error> {
        let now = self.clock.now();
        let mut held = lease(now);
        if !self.store.claim_webhook(customer, now, held).await? {
            return Ok(());
        }
        for _ in 0..TURN {
            if *shutdown.borrow() {
                break;
            }
            let Some((webhook, told)) = self.store.next_delivery(customer).await? else {
                break;
            };
            let outcome = tokio::select! {
                outcome = self.send_to(&webhook, &told) => outcome,
                () = grace_is_over(&mut shutdown) => break,
            };
            let now = self.clock.now();
            if let Err(reason) = outcome {
                let next = next_attempt(webhook.failures, now);
                let reason: String = reason.chars().take(LONGEST_REASON).collect();
                tracing::debug!(customer, reason, "a webhook failed");
                let noted = self
                    .store
                    .delivery_failed(&webhook, &reason, next, held)
                    .await;
                return Ok(noted?);
            }
            let next = lease(now);
            let is_ours = self
                .store
                .delivered(&webhook, told.id, now, held, next)
                .await?;
            if !is_ours {
                break;
            }
            held = next;
        }
        Ok(self.store.release_webhook(customer, held).await?)
    }

    /// One attempt; the error is what came instead.
    async fn send_to(&self, webhook: &Webhook, told: &Notification) -> Result<(), String> {
        let secrets = self.webhooks.key.open(webhook).ok_or(
            "the secret cannot be decrypted with this server's key: set the webhook again",
        )?;
        let body = (self.webhooks.render)(told).map_err(|error| error.to_string())?;
        let signature = secrets.signature(&body);
        let parcel = Parcel {
            url: &webhook.url,
            login: webhook.login.as_deref().zip(secrets.password.as_deref()),
            signature: Some(&signature),
            content_type: "application/json",
            body,
        };
        self.webhooks.courier.post(parcel).await
    }
}

/// Returns some time after the server was told to stop.
async fn grace_is_over(shutdown: &mut Receiver<bool>) {
    // An error is the end of whoever could say so.
    let _ = shutdown.wait_for(|stop| *stop).await;
    tokio::time::sleep(GRACE).await;
}

fn lease(now: Timestamp) -> Timestamp {
    now.saturating_add(LEASE).unwrap_or(Timestamp::MAX)
}

/// When to try again after one more failure than `failures`.
fn next_attempt(failures: u32, now: Timestamp) -> Timestamp {
    let last = RETRIES.len() - 1;
    let wait = RETRIES[last.min(failures as usize)];
    now.saturating_add(SignedDuration::from_secs(wait))
        .unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_follow_the_contracts_schedule_and_never_end() {
        let now = Timestamp::from_second(1_795_000_000).unwrap();
        let wait = |failures| next_attempt(failures, now).duration_since(now).as_secs();
        let waits: Vec<_> = (0..7).map(wait).collect();
        assert_eq!(waits, [10, 30, 120, 300, 900, 900, 900]);
        assert_eq!(wait(u32::MAX), 900);
    }
}
