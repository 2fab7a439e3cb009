//! Whether the revocation lists that are served show what they have to: everything that the store says they show, and
//! nothing else.

use std::collections::BTreeMap;

use jiff::Timestamp;
use reseal_issuer::embedded::EmbeddedIssuer;
use reseal_lifecycle::certificate::RevocationReason;
use reseal_lifecycle::crl::{Coverage, Crl, Revoked, may_be_gone};
use reseal_lifecycle::issuer::Issuer as _;
use reseal_lifecycle::store::StoreError;
use reseal_pki::certificate::verify_signed;
use reseal_pki::crl::{Crl as Signed, CrlEntry};
use reseal_store::{Checked, Moment};

use crate::wire_up::Embedded;

pub(super) fn check(moment: &Moment<'_>, embedded: &Embedded) -> Result<Checked, StoreError> {
    let mut checked = Checked::new(
        "each revocation list is signed, and shows the certificates that it has to show",
        "the world does not hear of a revocation, or of one that is none: `reseal ca crl LIST --sign` signs the list \
         anew from what is stored",
    );
    for issuer in embedded.all() {
        check_of(moment, issuer, &mut checked)?;
    }
    Ok(checked)
}

/// The lists of one intermediate.
fn check_of(
    moment: &Moment<'_>,
    issuer: &EmbeddedIssuer,
    checked: &mut Checked,
) -> Result<(), StoreError> {
    let scopes = issuer.crls();
    let scopes = scopes
        .iter()
        .filter(|scope| scope.coverage == Coverage::Subscribers);
    for scope in scopes {
        let mut revoked = Vec::new();
        for ending in &scope.endings {
            revoked.extend(moment.revoked(issuer.name(), *ending)?);
        }
        let list = moment.crl(&scope.name)?;
        checked.rows += u64::from(list.is_some());
        if let Err(what) = judge(list.as_ref(), &revoked, scope.coverage, issuer) {
            checked.find(format!("list {}: {what}", scope.name));
        }
    }
    Ok(())
}

fn judge(
    list: Option<&Crl>,
    revoked: &[Revoked],
    coverage: Coverage,
    issuer: &EmbeddedIssuer,
) -> Result<(), String> {
    let Some(list) = list else {
        return match revoked.iter().find(|one| one.listed) {
            Some(one) => Err(format!(
                "it is missing, and {} was on it",
                serial(&one.serial)
            )),
            // It is signed when the server starts for the first time.
            None => Ok(()),
        };
    };
    let signed =
        Signed::from_der(&list.der).map_err(|error| format!("it cannot be read: {error}"))?;
    verify_signed(&list.der, issuer.issuing().public_key())
        .map_err(|_| "its signature is not the issuer's".to_owned())?;
    let state = &list.state;
    if signed.number != Some(state.number) || signed.entries.len() as u64 != state.entries {
        return Err("its number or length is not what is stored beside it".to_owned());
    }
    if (signed.this_update, signed.next_update) != (state.this_update, state.next_update) {
        return Err("its dates are not those that are stored beside it".to_owned());
    }
    let mut shown: BTreeMap<&[u8], &CrlEntry> = BTreeMap::new();
    for entry in &signed.entries {
        shown.insert(significant(&entry.serial), entry);
    }
    for one in revoked {
        let entry = shown.remove(significant(&one.serial));
        // What no list has shown may be on this one with what was known before.
        if one.listed && !may_be_gone(one, coverage, state.this_update) {
            shows(entry, one, state.this_update)
                .map_err(|what| format!("{} {what}", serial(&one.serial)))?;
        }
    }
    match shown.keys().next() {
        Some(foreign) => Err(format!("{} is on it and not revoked here", serial(foreign))),
        None => Ok(()),
    }
}

fn shows(entry: Option<&CrlEntry>, one: &Revoked, signed: Timestamp) -> Result<(), String> {
    let Some(entry) = entry else {
        return Err("is not on it".to_owned());
    };
    // Another server's clock may have been a little ahead.
    let at = one.at.min(signed).as_second();
    if entry.revoked_at.as_second() != at {
        let (shown, at) = (entry.revoked_at, one.at);
        return Err(format!(
            "is on it as revoked at {shown:.0} and was at {at:.0}"
        ));
    }
    if entry.reason != one.reason.map(RevocationReason::code) {
        return Err("is on it with another reason".to_owned());
    }
    Ok(())
}

/// Without leading zeros: a list has one where the first bit is set.
fn significant(serial: &[u8]) -> &[u8] {
    let zeros = serial.iter().take_while(|byte| **byte == 0).count();
    &serial[zeros..]
}

fn serial(bytes: &[u8]) -> String {
    format!("serial number {}", hex::encode(bytes))
}
