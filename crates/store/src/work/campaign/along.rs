//! What happens to a campaign's certificates in the commits of others: of processes, replacements, revocations.

use jiff::SignedDuration;
use reseal_lifecycle::campaign::{CampaignId, CampaignStatus, Outcome, Ticket};
use reseal_lifecycle::certificate::CertificateId;
use reseal_lifecycle::process::{self, Process, ProcessId, ProcessStatus, State};
use reseal_lifecycle::store::StoreError;

use super::super::rows::millis;
use crate::database::{self, Connection, Hold, params};
use crate::sql::campaign as sql;

/// When an item whose process has failed is judged anew.
const AGAIN_AFTER: SignedDuration = SignedDuration::from_mins(10);
/// How often at most.
const MOST_TIMES: u32 = 3;

/// In the commit that opens process `id`: its certificate waits no more. One that does not wait was taken by somebody
/// else, or the campaign was stopped meanwhile: nothing of the commit may stand.
pub(crate) fn take_along(
    connection: &Connection,
    ticket: Ticket,
    id: ProcessId,
    now: i64,
) -> Result<(), StoreError> {
    let values = params![
        Outcome::Open.as_str(),
        id,
        now,
        ticket.campaign,
        ticket.certificate,
        Outcome::Waiting.as_str()
    ];
    if !runs(connection, ticket.campaign)? || connection.execute(sql::OPEN, values)? == 0 {
        return Err(StoreError::Stale);
    }
    Ok(())
}

/// Whether the campaign runs; if so, it does until the commit.
pub(super) fn runs(connection: &Connection, id: CampaignId) -> database::Result<bool> {
    let values = params![id, CampaignStatus::Running.as_str()];
    connection.hold(Hold::AsItIs, sql::HAS_STATUS, values)
}

/// In the commit that ends `process`, numbered `id`: so does the item that it was for, if it was for one. One whose process
/// has failed is judged anew after a while, if there is time: its key may be blocked, its certificate revoked, or the reason be
/// gone.
pub(crate) fn close(
    connection: &Connection,
    process: &Process,
    id: ProcessId,
    successor: Option<CertificateId>,
) -> database::Result<()> {
    let open = Outcome::Open.as_str();
    let now = millis(process.updated);
    let detail = match process.state() {
        State::Ended { result, .. } => unsuccessful(id, result),
        _ => None,
    };
    let cancelled = CampaignStatus::Cancelled.as_str();
    let has_time = params![id, open, now, cancelled];
    if process.status() == ProcessStatus::Failed
        && connection
            .one(sql::HAS_TIME, has_time, |_| Ok(()))?
            .is_some()
    {
        let again = process.updated.saturating_add(AGAIN_AFTER);
        let again = millis(again.unwrap_or(process.updated));
        let waiting = Outcome::Waiting.as_str();
        let values = params![waiting, again, detail, now, id, open, MOST_TIMES];
        connection.send(sql::REOPEN, values)?;
    }
    let outcome = match successor {
        Some(_) => Outcome::Reissued,
        None => Outcome::Failed,
    };
    let values = params![outcome.as_str(), successor, detail, now, id, open];
    connection.send(sql::CLOSE, values)
}

/// Why process `id` has led to nothing, if so.
fn unsuccessful(id: ProcessId, result: &process::Outcome) -> Option<String> {
    match result {
        process::Outcome::Completed => None,
        process::Outcome::Cancelled => Some(format!("process {id} was cancelled")),
        process::Outcome::Failed { reason } => Some(format!("process {id} failed: {reason}")),
    }
}

/// In the commit that schedules the revocation of `certificate` at `moment`: it is that much more urgent, and its customer
/// may have to be told, so that it does not wait for the place in the pace that it had as a less urgent one.
pub(crate) fn hasten(
    connection: &Connection,
    certificate: CertificateId,
    moment: i64,
) -> database::Result<()> {
    let values = params![moment, certificate, Outcome::Waiting.as_str()];
    connection.send(sql::HASTEN, values)
}

/// In the commit that replaces or revokes `certificate`: whoever was told to replace it has nothing left to do.
pub(crate) fn settle(
    connection: &Connection,
    certificate: CertificateId,
    successor: Option<CertificateId>,
    now: i64,
) -> database::Result<()> {
    let values = params![
        Outcome::Settled.as_str(),
        successor,
        now,
        certificate,
        Outcome::Notified.as_str()
    ];
    connection.send(sql::SETTLE, values)
}

/// Whether nothing took the certificate's place; if so, nothing does until the commit.
pub(super) fn is_replaceable(
    connection: &Connection,
    certificate: CertificateId,
) -> database::Result<bool> {
    let look = crate::sql::certificate::IS_REPLACEABLE;
    connection.hold(Hold::ForChange, look, [certificate])
}
