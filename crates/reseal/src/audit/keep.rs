//! What a running server does for the log once a day: its head is noted, and what nobody has to keep any more is
//! removed.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reseal_lifecycle::audit::{AuditStore as _, LONGEST_SILENCE, is_steady, removable_before};
use reseal_lifecycle::clock::Clock;
use reseal_lifecycle::store::StoreError;
use reseal_store::SqlStore;
use tokio::sync::watch::Receiver;

use super::Heads;

/// Time between two looks at the clock.
const PAUSE: Duration = Duration::from_mins(1);
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// Keeps the log until `shutdown` becomes true. Nothing is removed without a `retention`.
pub(crate) async fn keep(
    heads: Arc<Heads>,
    store: Arc<SqlStore>,
    clock: Clock,
    retention: Option<SignedDuration>,
    mut shutdown: Receiver<bool>,
) {
    // What became old while the server was away goes first.
    let mut noted = Timestamp::MIN;
    loop {
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => {}
            changed = shutdown.changed() => {
                if changed.is_err() || *shutdown.borrow() {
                    return;
                }
            }
        }
        let now = clock.now();
        if noted.duration_until(now).abs() < DAY {
            continue;
        }
        // At a time that is not the world's, nothing is old: what is removed does not come back.
        if let Some(retention) = retention.filter(|_| !clock.is_shifted())
            && let Err(error) = remove(&store, now, retention, &shutdown).await
        {
            tracing::warn!(%error, "old entries of the audit log stay for another minute");
            continue;
        }
        match heads.note(&*store, now, "daily").await {
            Ok(()) => noted = now,
            Err(error) => tracing::warn!("the head of the audit log was not noted: {error:#}"),
        }
    }
}

async fn remove(
    store: &SqlStore,
    now: Timestamp,
    retention: SignedDuration,
    shutdown: &Receiver<bool>,
) -> Result<(), StoreError> {
    let before = removable_before(now, retention);
    let recently = now
        .saturating_sub(LONGEST_SILENCE)
        .unwrap_or(Timestamp::MIN);
    let around = store.audit_around(recently).await?;
    if !is_steady(now, around) {
        tracing::warn!(
            %now, last = ?around.0,
            "nothing is removed from the audit log: it has been silent for so long that the clock may be wrong"
        );
        return Ok(());
    }
    let mut removed = 0;
    while !*shutdown.borrow() {
        let more = store.prune_audit(before, now).await?;
        removed += more;
        if more == 0 {
            break;
        }
    }
    if removed > 0 {
        tracing::info!(
            entries = removed,
            "old entries of the audit log were removed"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use reseal_lifecycle::audit::{AuditEntry, SHORTEST_RETENTION};

    use super::*;

    #[tokio::test]
    async fn a_3_a_broken_clock_does_not_empty_the_log() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqlStore::open(&reseal_store::Source::Sqlite(
            folder.path().join("reseal.db"),
        ))
        .unwrap();
        let (_stop, shutdown) = tokio::sync::watch::channel(false);
        let long_ago: Timestamp = "2026-11-29T00:00:00Z".parse().unwrap();
        let append = async |now: Timestamp| {
            let entry = AuditEntry::new(now, "reseal", "server.start", "server");
            store.append_audit(vec![entry]).await.unwrap();
        };
        let remains = async |now| {
            remove(&store, now, SHORTEST_RETENTION, &shutdown)
                .await
                .unwrap();
            store.audit_of("server").await.unwrap().len()
        };
        append(long_ago).await;
        append(long_ago).await;
        // Years later, says the clock: at this start and at the next.
        let mut now = long_ago + DAY * 5000;
        append(now).await;
        assert_eq!(remains(now).await, 3);
        append(now + DAY).await;
        assert_eq!(remains(now + DAY * 2).await, 4);
        // It went on: whoever keeps this server has had two months to put it right.
        for _ in 0..4 {
            now += DAY * 20;
            append(now).await;
        }
        assert_eq!(remains(now).await, 6);
    }
}
