//! The background worker: takes processes whose time has come, revocations that are due, what the calendar
//! brings, notifications that wait for a webhook, revocation lists that are due, campaigns, revocations that upstreams have to be told, what they advise, published records that are to be removed, and refused calls for the audit log.
//!
//! It holds nothing that matters: a process it had taken when it died is taken again at the next start of a server
//! that knows it is alone, by another node that notices its end, or at the latest when the lease ends.

use std::collections::HashMap;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::audit;
use crate::campaign;
use crate::crl;
use crate::dns_hook;
use crate::error::Error;
use crate::hands;
use crate::issuance::LEASE;
use crate::notification;
use crate::pulse::Part;
use crate::services::Services;
use crate::upstream;

/// Time between two looks into the store.
const PAUSE: Duration = Duration::from_millis(500);
/// Time between two looks after other nodes.
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);

/// Longest time for what is under way when the worker is told to stop: as long as open calls have.
const FINISH: Duration = Duration::from_secs(20);

/// How the worker ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Nothing was under way any more.
    Finished,
    /// Something was. It is recorded as far as it came, and goes on from there as after a kill.
    Left {
        /// Processes that somebody worked on.
        processes: usize,
    },
}

/// Works until `shutdown` becomes true, then finishes what is under way, as far as that is soon done. No part waits for
/// another, and one that dies takes no other along.
pub async fn run(services: Arc<Services>, shutdown: watch::Receiver<bool>) -> Ended {
    let mut parts = start(&services, &shutdown);
    tokio::select! {
        biased;
        () = all_ended(&mut parts) => Ended::Finished,
        () = is_late(shutdown) => Ended::Left {
            processes: services.hands.processes(),
        },
    }
}

/// Until the time to finish is over.
async fn is_late(mut shutdown: watch::Receiver<bool>) {
    // An error says that nobody is left who could ask for it, which ends the parts too.
    let _ = shutdown.wait_for(|stop| *stop).await;
    tokio::time::sleep(FINISH).await;
}

fn start(services: &Arc<Services>, shutdown: &watch::Receiver<bool>) -> JoinSet<()> {
    let mut parts = JoinSet::new();
    let services = || Arc::clone(services);
    parts.spawn(revocations(services(), shutdown.clone()));
    parts.spawn(processes(services(), shutdown.clone()));
    parts.spawn(crl::publish(services(), shutdown.clone()));
    parts.spawn(notification::watch(services(), shutdown.clone()));
    parts.spawn(notification::deliver(services(), shutdown.clone()));
    parts.spawn(campaign::work(services(), shutdown.clone()));
    parts.spawn(upstream::work(services(), shutdown.clone()));
    parts.spawn(upstream::ask(services(), shutdown.clone()));
    parts.spawn(dns_hook::work(services(), shutdown.clone()));
    parts.spawn(audit::record_refusals(services(), shutdown.clone()));
    parts
}

async fn all_ended(parts: &mut JoinSet<()>) {
    let mut died = None;
    while let Some(ended) = parts.join_next().await {
        if let Err(error) = ended {
            tracing::error!(%error, "a part of the worker died");
            died = died.or(Some(error));
        }
    }
    // For whoever waits for the worker: as if it had been one piece.
    if let Some(Ok(panic)) = died.map(tokio::task::JoinError::try_into_panic) {
        resume_unwind(panic);
    }
}

async fn revocations(services: Arc<Services>, mut shutdown: watch::Receiver<bool>) {
    let mut failed = HashMap::new();
    loop {
        services.pulse.beat(Part::Revocations);
        if let Err(error) = services.revoke_due(&mut failed).await {
            tracing::warn!(%error, source = ?error.source, "revocations wait for the next look");
        }
        if stops(&mut shutdown, PAUSE).await {
            break;
        }
    }
    services.pulse.end(Part::Revocations);
}

async fn processes(services: Arc<Services>, mut shutdown: watch::Receiver<bool>) {
    let mut looked = Instant::now();
    loop {
        services.pulse.beat(Part::Processes);
        if services.store.is_shared() && looked.elapsed() > BETWEEN_LOOKS {
            looked = Instant::now();
            take_over(&services).await;
            if let Err(error) = hands::give_back(&services).await {
                tracing::warn!(%error, source = ?error.source, "what was left behind waits");
            }
        }
        if let Err(error) = round(&services).await {
            tracing::warn!(%error, source = ?error.source, "the worker could not take its work");
        }
        let stopped = tokio::select! {
            stopped = stops(&mut shutdown, PAUSE) => stopped,
            () = services.store.work_arrives() => false,
        };
        if stopped {
            break;
        }
    }
    services.pulse.end(Part::Processes);
    services.slots.all_free().await;
}

/// Waits for `pause`; whether the worker stops meanwhile.
pub(crate) async fn stops(shutdown: &mut watch::Receiver<bool>, pause: Duration) -> bool {
    tokio::select! {
        () = tokio::time::sleep(pause) => false,
        changed = shutdown.changed() => changed.is_err() || *shutdown.borrow(),
    }
}

/// Makes what nodes had taken that are no more available to this one and the others.
async fn take_over(services: &Services) {
    match services.store.release_leases().await {
        Ok(0) => {}
        Ok(processes) => tracing::info!(processes, "another node is gone: its processes go on"),
        Err(error) => tracing::warn!(%error, "it is not known whether other nodes are gone"),
    }
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
    Ok(())
}
