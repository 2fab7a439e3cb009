//! What must not happen, and is an incident for whoever runs the CA when it does.

use aws_lc_rs::digest::{SHA256, digest};
use jiff::Timestamp;
use reseal_pki::calendar;

use crate::audit::{AuditEntry, SERVER};
use crate::error::Error;
use crate::process::Process;
use crate::store::{Change, LostSerial, Reservation};

/// Ends a process whose certificate must not be signed: what was to be signed breaks a rule, which is an incident for
/// whoever runs the CA.
pub(super) fn refused_by_lint(
    process: Process,
    finding: &str,
    now: Timestamp,
) -> Result<Change, Error> {
    let entry = AuditEntry::new(
        now,
        SERVER,
        "incident.lint",
        AuditEntry::process(process.id),
    )
    .with("customer", process.customer.as_str())
    .with("finding", finding);
    let reason = format!("the certificate was refused before signing: {finding}");
    let (process, events) = process.fail(reason, now).map_err(Error::internal)?;
    let mut change = Change::new(process, events);
    change.audit.push(entry);
    Ok(change)
}

/// The entry that `process` has a certificate, signed as `reserved` for certain or perhaps, that is not in the store
/// because of `reason`.
pub(super) fn unstored(
    process: &Process,
    reserved: &Reservation,
    reason: &str,
    is_certain: bool,
    now: Timestamp,
) -> AuditEntry {
    let action = if is_certain {
        "incident.unstored"
    } else {
        "incident.abandoned"
    };
    let object = AuditEntry::process(process.id);
    let mut entry = AuditEntry::new(now, SERVER, action, object)
        .with("customer", process.customer.as_str())
        .with("issuer", reserved.issuer.as_str())
        .with("serial", hex::encode(&reserved.serial))
        .with("tbsSha256", hex::encode(digest(&SHA256, &reserved.tbs)));
    entry.reason = Some(reason.to_owned());
    entry
}

/// The serial of `reserved`, revoked at `now`. No certificate outlives what the calendar allowed when it was made.
pub(super) fn lost(reserved: &Reservation, now: Timestamp) -> LostSerial {
    let longest = calendar::rules_at(reserved.created).maximum_validity;
    LostSerial {
        issuer: reserved.issuer.clone(),
        serial: reserved.serial.clone(),
        at: now,
        not_after: reserved
            .created
            .saturating_add(longest)
            .unwrap_or(Timestamp::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::{Action, Opening, ProcessStatus, sample};

    #[test]
    fn nasty_137_a_certificate_that_breaks_a_rule_is_an_incident_and_not_signed() {
        let now = sample::now();
        let opening = Opening {
            customer: "acme".to_owned(),
            user: "acme/api".to_owned(),
            action: Action::Request,
            command: serde_json::Value::Null,
            source: None,
            subscription: None,
        };
        let (process, _) = Process::open(opening, sample::work(true), now);
        let change = refused_by_lint(process, "keyUsage is missing [P-6]", now).unwrap();
        assert_eq!(change.process.status(), ProcessStatus::Failed);
        let [entry] = change.audit.as_slice() else {
            panic!("{:?}", change.audit);
        };
        assert_eq!(entry.action, "incident.lint");
        assert_eq!(entry.detail["finding"], "keyUsage is missing [P-6]");
    }
}
