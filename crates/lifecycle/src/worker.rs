//! The background worker: takes processes whose time has come, revocations that are due, what the calendar
//! brings, notifications that wait for a webhook, revocation lists that are due, and refused calls for the audit log.
//!
//! It holds nothing that matters: a process it had taken when it died is taken again when the lease ends,
//! or at the next start of a server that knows it is alone.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::audit;
use crate::crl;
use crate::error::Error;
use crate::issuance::LEASE;
use crate::notification;
use crate::services::Services;

/// Time between two looks into the store.
const PAUSE: Duration = Duration::from_millis(500);

/// Works until `shutdown` becomes true, then finishes what is under way.
pub async fn run(services: Arc<Services>, shutdown: watch::Receiver<bool>) {
    tokio::join!(
        notification::watch(Arc::clone(&services), shutdown.clone()),
        notification::deliver(Arc::clone(&services), shutdown.clone()),
        crl::publish(Arc::clone(&services), shutdown.clone()),
        audit::record_refusals(Arc::clone(&services), shutdown.clone()),
        processes(services, shutdown),
    );
}

async fn processes(services: Arc<Services>, mut shutdown: watch::Receiver<bool>) {
    loop {
        if let Err(error) = round(&services).await {
            tracing::warn!(%error, source = ?error.source, "the worker could not take its work");
        }
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => {}
            changed = shutdown.changed() => {
                if changed.is_err() || *shutdown.borrow() {
                    break;
                }
            }
        }
    }
    services.slots.all_free().await;
}

/// Takes what is due as far as there are free slots.
async fn round(services: &Arc<Services>) -> Result<(), Error> {
    let now = services.clock.now();
    let room = services.slots.capacity();
    if room.total > 0 {
        let lease = now.checked_add(LEASE).map_err(Error::internal)?;
        for process in services.store.claim_due(now, lease, room).await? {
            // A request was faster: the process comes again when the lease ends.
            let Some(slot) = services.slots.take(&process.customer) else {
                continue;
            };
            let services = Arc::clone(services);
            tokio::spawn(async move {
                let id = process.id;
                if let Err(error) = services.run(process).await {
                    tracing::warn!(process = id, %error, source = ?error.source, "will be tried again");
                }
                drop(slot);
            });
        }
    }
    services.revoke_due().await?;
    Ok(())
}
