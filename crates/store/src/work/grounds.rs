//! What a step rests on, looked at where nobody comes between the look and the write: whoever decided on it may have looked
//! before somebody else changed it. The list of blocked keys stays as it is meanwhile (`Step::keep_keys`).

use reseal_lifecycle::certificate::Certificate;
use reseal_lifecycle::process::{Action, Process};
use reseal_lifecycle::store::{KeyHistory, StoreError};

use super::authorization;
use super::find::{key_history, number};
use super::vetting;
use crate::database::{Connection, Hold, Lock, params};
use crate::sql;

/// "One successor a certificate": another process may have replaced it since, or it was revoked.
pub(super) fn check_source(connection: &Connection, process: &Process) -> Result<(), StoreError> {
    let (Action::Reissue | Action::Renew, Some(source)) = (process.action, process.source) else {
        return Ok(());
    };
    let undisputed = sql::certificate::IS_UNDISPUTED;
    if connection.hold(Hold::ForChange, undisputed, [source])? {
        return Ok(());
    }
    // Held first, so that what is asked next is as it stays.
    let look = sql::certificate::IS_REPLACEABLE;
    if connection.hold(Hold::ForChange, look, [source])?
        && number(connection, sql::revocation_duty::BARS, [source])?.is_none()
    {
        return Ok(());
    }
    Err(StoreError::SourceGone)
}

/// A serial is reserved, and a certificate stored that took its time, on proofs and approvals that stand: an operator may
/// have distrusted or withdrawn one since it was read (V-3, V-5).
pub(super) fn check_proofs_and_approvals(
    connection: &Connection,
    process: &Process,
) -> Result<(), StoreError> {
    // A revocation rests on neither, and holds its certificate later: whoever condemns proofs holds certificates first.
    if process.work().is_none() {
        return Ok(());
    }
    connection.lock(Lock::ProofsStand);
    let distrusted = authorization::distrusted_names(connection, process)?;
    if let Some(name) = distrusted.into_iter().next() {
        return Err(StoreError::ProofDistrusted(name));
    }
    match vetting::withdrawn(connection, process, Some(Hold::AsItIs))?.first() {
        Some(check) => Err(StoreError::ApprovalWithdrawn(*check)),
        None => Ok(()),
    }
}

/// A serial is reserved for a key that may be certified: since the request came in, it may have been blocked, or certified for
/// somebody else (C-21, C-23, C-24). Two customers who ask for one key at the same moment may both be served: neither has a
/// certificate with it yet.
pub(super) fn check_requested_key(
    connection: &Connection,
    process: &Process,
) -> Result<(), StoreError> {
    let Some(work) = process.work() else {
        return Ok(());
    };
    let key = hex::decode(&work.order.spki_sha256)
        .map_err(|error| StoreError::Fault(format!("the key of a process: {error}")))?;
    match key_history(connection, &process.customer, &key)? {
        KeyHistory { blocked: true, .. } => Err(StoreError::KeyBlocked),
        KeyHistory {
            used_by_another_customer: true,
            ..
        } => Err(StoreError::KeyTaken),
        KeyHistory { .. } => Ok(()),
    }
}

/// What was signed while its key was being blocked never leaves the server.
pub(super) fn check_key(
    connection: &Connection,
    certificate: &Certificate,
) -> Result<(), StoreError> {
    let key = params![certificate.spki_sha256, certificate.customer];
    match number(connection, sql::blocked_key::SELECT, key)? {
        Some(_) => Err(StoreError::KeyBlocked),
        None => Ok(()),
    }
}
