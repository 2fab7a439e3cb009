//! What happens to a campaign's certificates in the commits of others: of processes, replacements, revocations.

use reseal_lifecycle::campaign::{CampaignId, CampaignStatus, Outcome, Ticket};
use reseal_lifecycle::certificate::CertificateId;
use reseal_lifecycle::process::{Process, ProcessId};
use reseal_lifecycle::store::StoreError;

use super::super::rows::millis;
use crate::database::{self, Connection, Hold, params};
use crate::sql::campaign as sql;

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

/// In the commit that ends `process`, numbered `id`: so does the item that it was for, if it was for one.
pub(crate) fn close(
    connection: &Connection,
    process: &Process,
    id: ProcessId,
    successor: Option<CertificateId>,
) -> database::Result<()> {
    let outcome = match successor {
        Some(_) => Outcome::Reissued,
        None => Outcome::Failed,
    };
    let status = process.status().as_str();
    let detail = (outcome == Outcome::Failed).then(|| format!("process {id} ended as {status}"));
    let values = params![
        outcome.as_str(),
        successor,
        detail,
        millis(process.updated),
        id,
        Outcome::Open.as_str()
    ];
    connection.send(sql::CLOSE, values)
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
