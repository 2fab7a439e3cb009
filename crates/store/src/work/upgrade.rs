//! What was revoked before its key was found compromised.

use reseal_lifecycle::certificate::{CertificateId, RevocationReason};
use reseal_lifecycle::import;
use reseal_lifecycle::process::ProcessId;
use reseal_lifecycle::store::StoreError;

use super::columns::Columns;
use super::crl::ending;
use super::find::many;
use super::rows::reason_word;
use crate::database::{self, Connection, Row, params};
use crate::sql;

/// What is revoked for another reason from now on.
#[derive(Default)]
pub(super) struct Upgraded {
    pub(super) certificates: Vec<CertificateId>,
    /// Those that gave up a serial number.
    pub(super) processes: Vec<ProcessId>,
}

impl Upgraded {
    pub(super) fn is_empty(&self) -> bool {
        self.certificates.is_empty() && self.processes.is_empty()
    }
}

/// What was signed, or may have been, with `key` and is revoked for another reason, of everybody or of one `customer`, is
/// revoked for this one from now on, and so say its lists: certificates, and serial numbers that were given up.
pub(super) fn upgrade(
    connection: &Connection,
    key: &[u8; 32],
    customer: Option<&String>,
    upgraded: &mut Upgraded,
) -> Result<(), StoreError> {
    let compromised = reason_word(RevocationReason::KeyCompromise);
    let is_meant = |owner: &String| customer.is_none_or(|customer| customer == owner);
    let stored = sql::certificate::SELECT_REVOKED_OTHERWISE;
    let values = params![key, import::ISSUER, compromised];
    for (id, owner, issuer, serial) in many(connection, stored, values, revoked_otherwise)? {
        if is_meant(&owner) {
            connection.execute(sql::certificate::SET_REASON, params![compromised, id])?;
            let values = params![compromised, issuer, ending(&serial), serial];
            connection.execute(sql::crl::SET_REASON, values)?;
            connection.execute(sql::upstream::TELL_AGAIN, params![compromised, id])?;
            upgraded.certificates.push(id);
        }
    }
    let lost = sql::crl::SELECT_LOST_OTHERWISE;
    let values = params![key, compromised];
    for (process, owner, issuer, serial) in many(connection, lost, values, revoked_otherwise)? {
        if is_meant(&owner) {
            let values = params![compromised, issuer, ending(&serial), serial];
            connection.execute(sql::crl::SET_REASON, values)?;
            upgraded.processes.push(process);
        }
    }
    Ok(())
}

/// A row of [`crate::sql::certificate::SELECT_REVOKED_OTHERWISE`] or [`crate::sql::crl::SELECT_LOST_OTHERWISE`].
fn revoked_otherwise(row: &Row<'_>) -> database::Result<(i64, String, String, Vec<u8>)> {
    let mut columns = Columns::of(row);
    Ok((
        columns.value()?,
        columns.value()?,
        columns.value()?,
        columns.value()?,
    ))
}
