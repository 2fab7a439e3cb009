//! What was published for a process that has ended is taken out of the DNS again.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reseal_validation::publish::Record;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::store::Left;
use crate::error::Error;
use crate::fault;
use crate::pulse::Part;
use crate::services::Services;
use crate::worker::stops;

/// Time between two looks into the store.
const PAUSE: Duration = Duration::from_millis(500);
/// Records that are removed at the same time.
const AT_ONCE: u32 = 8;
/// For how long nobody else takes those of a round: longer than any hook takes.
const LEASE: SignedDuration = SignedDuration::from_mins(3);
/// When a record is removed once more: whoever was publishing it when its process ended has long been done.
const ONCE_MORE: SignedDuration = SignedDuration::from_mins(5);
/// The first wait before it is tried again, in seconds; each further one is twice as long.
const FIRST_WAIT: i64 = 10;
/// The longest wait, in seconds.
const LONGEST_WAIT: i64 = 6 * 3600;

/// Works until `shutdown` becomes true.
pub(crate) async fn work(services: Arc<Services>, mut shutdown: watch::Receiver<bool>) {
    loop {
        services.pulse.beat(Part::Records);
        if let Err(error) = remove_left(&services).await {
            tracing::warn!(%error, source = ?error.source, "published records wait for the next look");
        }
        if stops(&mut shutdown, PAUSE).await {
            break;
        }
    }
    services.pulse.end(Part::Records);
}

async fn remove_left(services: &Arc<Services>) -> Result<(), Error> {
    let now = services.clock.now();
    let lease = now.checked_add(LEASE).map_err(Error::internal)?;
    let left = services
        .store
        .take_left_records(now, lease, AT_ONCE)
        .await?;
    let mut removals = JoinSet::new();
    for left in left {
        let services = Arc::clone(services);
        removals.spawn(async move { services.remove_record(&left).await });
    }
    let mut failed = Ok(());
    while let Some(removed) = removals.join_next().await {
        failed = failed.and(removed.map_err(Error::internal).flatten());
    }
    failed
}

impl Services {
    async fn remove_record(&self, left: &Left) -> Result<(), Error> {
        fault::point(fault::Point::RecordLeft).await;
        let removed = self.remove_from_dns(left).await;
        let now = self.clock.now();
        let (process, record) = (left.process, &left.record);
        let Err(why) = removed else {
            let (hook, name) = (&record.hook, &record.name);
            let what = if left.needed {
                "a published record is another process's now"
            } else {
                "a published record was removed"
            };
            tracing::info!(process, hook, name, "{what}");
            let again = now.saturating_add(ONCE_MORE).unwrap_or(now);
            return Ok(self.store.record_removed(left, again).await?);
        };
        self.metrics.hooked(&record.hook, "remove", false);
        tracing::error!(
            process,
            hook = record.hook,
            name = record.name,
            "a published record was not removed: {why}"
        );
        let next = later(now, left.attempts);
        Ok(self.store.record_not_removed(left, &why, next).await?)
    }

    async fn remove_from_dns(&self, left: &Left) -> Result<(), String> {
        if left.needed {
            return Ok(());
        }
        let Left { record, .. } = left;
        let hook = self.dns_hooks.get(&record.hook).ok_or_else(|| {
            format!(
                "the hook `{0}` is not configured any more. Configure it again, or remove the TXT record `{1}` by hand",
                record.hook, record.name
            )
        })?;
        let text = Record {
            name: record.name.clone(),
            value: record.value.clone(),
        };
        hook.publisher
            .remove(&text)
            .await
            .map_err(|problem| problem.to_string())?;
        self.metrics.hooked(&record.hook, "remove", true);
        Ok(())
    }
}

fn later(now: Timestamp, attempts: u32) -> Timestamp {
    let seconds = (FIRST_WAIT << attempts.min(16)).min(LONGEST_WAIT);
    now.saturating_add(SignedDuration::from_secs(seconds))
        .unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_removal_is_tried_ever_more_rarely_and_for_ever() {
        let now = Timestamp::UNIX_EPOCH;
        let waits: Vec<i64> = [0, 1, 5, 40, u32::MAX]
            .into_iter()
            .map(|attempts| later(now, attempts).as_second())
            .collect();
        assert_eq!(waits, [10, 20, 320, LONGEST_WAIT, LONGEST_WAIT]);
    }
}
