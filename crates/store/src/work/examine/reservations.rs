//! What became of each serial number that was reserved: a certificate; nothing yet, while its process is about to sign;
//! or it was given up, and then it is revoked and the audit log has an incident.

use jiff::Timestamp;
use reseal_lifecycle::audit::AuditEntry;
use reseal_lifecycle::process::State;
use reseal_pki::calendar;

use super::super::audit::read_entry;
use super::super::rows;
use super::{Checked, RANGE, pages};
use crate::database::{Connection, Error, Result, Row, params};
use crate::sql;

/// A serial number that no certificate has.
struct Unissued {
    process: i64,
    serial: String,
    created: Timestamp,
    is_listed: bool,
}

pub(super) fn check(connection: &Connection, now: Timestamp) -> Result<Checked> {
    let mut checked = Checked::new(
        "each reserved serial number was issued, is about to be, or was given up on record and is revoked",
        "it may have been signed, and nobody would know of the certificate: put the serial number on its list by hand \
         and record the incident; then find out how it came",
    );
    let count = sql::examine::SELECT_ALL_RESERVED;
    let count = connection.one(count, params![], |row| row.get(0))?;
    checked.rows = count.map_or(0, |count: i64| count.unsigned_abs());
    let since = connection.one(sql::examine::SELECT_ALL_SINCE, params![], |row| row.get(0))?;
    let since: i64 = since.unwrap_or(i64::MAX);
    let select = sql::examine::SELECT_UNISSUED;
    pages(connection, select, RANGE, Unissued::read, |page| {
        for (id, reservation) in page {
            if let Some(what) = reservation.wrong(connection, since, now)? {
                let serial = reservation.serial;
                checked.find(format!("reservation {id} (serial number {serial}): {what}"));
            }
        }
        Ok(())
    })?;
    Ok(checked)
}

impl Unissued {
    fn read(row: &Row<'_>) -> Result<Self> {
        let created = Timestamp::from_millisecond(row.get(4)?);
        Ok(Self {
            process: row.get(1)?,
            serial: hex::encode(row.get::<Vec<u8>>(2)?),
            created: created.map_err(|error| Error::column(4, error))?,
            is_listed: row.get(5)?,
        })
    }

    /// What is missing. The audit log begins at `since`.
    fn wrong(&self, connection: &Connection, since: i64, now: Timestamp) -> Result<Option<String>> {
        let process = connection.one(sql::process::SELECT, [self.process], rows::process);
        let about_to_sign = match process {
            Ok(Some(process)) => {
                matches!(process.state(), State::Signing { serial, .. } | State::Logging { serial, .. }
                    if *serial == self.serial)
            }
            // Both are said elsewhere.
            Ok(None) | Err(Error::Column { .. }) => false,
            Err(error) => return Err(error),
        };
        if about_to_sign {
            return Ok(None);
        }
        let process = self.process;
        // Whoever could have got a certificate cannot use it any more, and the entry may have left its list.
        let longest = calendar::rules_at(self.created).maximum_validity;
        let is_over = (self.created.saturating_add(longest)).is_ok_and(|end| end < now);
        if !self.is_listed && !is_over {
            return Ok(Some(format!(
                "process {process} has no certificate with it, and it is not revoked"
            )));
        }
        let object = AuditEntry::process(process);
        let entries = connection.many(sql::audit::SELECT_BY_OBJECT, [object], read_entry)?;
        let is_recorded = entries.iter().any(|entry| {
            ["incident.unstored", "incident.abandoned"].contains(&entry.action.as_str())
                && entry
                    .detail
                    .get("serial")
                    .is_some_and(|serial| *serial == self.serial)
        });
        // Retention may have removed the entry with the beginning of the log.
        let is_kept = rows::millis(self.created) >= since;
        Ok((is_kept && !is_recorded)
            .then(|| format!("it was given up by process {process}, and no incident is on record")))
    }
}
