//! When a list is due, which number it gets, what stays on it, and under which addresses it is found.

use jiff::{SignedDuration, Timestamp};
use reseal_pki::crl::CrlEntry;

use super::{Coverage, CrlAddress, CrlScope, CrlState, Revoked};
use crate::certificate::RevocationReason;

/// How far the clocks of two servers may differ before one takes the other's lists for faulty.
const SKEW: SignedDuration = SignedDuration::from_mins(5);
/// A list with so many entries rests a second.
const ENTRIES_A_SECOND: u64 = 500;
/// Longest rest.
const LONGEST_REST: SignedDuration = SignedDuration::from_mins(1);
/// How long certificates may point to an address after the last was issued with it: longer than any lasts.
const ADDRESS_LIFETIME: SignedDuration = SignedDuration::from_hours(400 * 24);

/// Whether the calendar asks for a new list: there is none, it is old, it was signed by a clock that ran ahead,
/// or certificates point to it by an address that it does not name.
pub(super) fn is_due(scope: &CrlScope, newest: Option<&CrlState>, now: Timestamp) -> bool {
    newest.is_none_or(|newest| {
        let age = newest.this_update.duration_until(now);
        age >= scope.coverage.interval()
            || age < -SKEW
            || scope.in_use && !newest.addresses.iter().any(|one| one.url == scope.address)
    }) && !is_over(scope, newest, now)
}

/// Whether nobody can need the list any more: no certificate that is good points to it, and none will.
pub fn is_over(scope: &CrlScope, newest: Option<&CrlState>, now: Timestamp) -> bool {
    let last = newest.and_then(|newest| newest.addresses.iter().map(|one| one.used).max());
    let unused = last.is_some_and(|last| last.duration_until(now) >= ADDRESS_LIFETIME);
    now > scope.until || !scope.in_use && unused
}

/// Whether a list may be signed again for what was revoked since. A long one rests longer, up to a minute, so
/// that the revocation of very many certificates does not keep the server busy with signing ever the same lists.
pub(super) fn has_rested(newest: Option<&CrlState>, now: Timestamp) -> bool {
    newest.is_none_or(|newest| {
        let rest = i64::try_from(newest.entries / ENTRIES_A_SECOND).unwrap_or(i64::MAX);
        let rest = SignedDuration::from_secs(rest).min(LONGEST_REST);
        newest.this_update.duration_until(now).abs() >= rest
    })
}

/// The number of the next list: the moment in milliseconds, so that numbers go on growing even after the
/// database was restored from an older copy, and one more than the newest where the clock went back.
pub(super) fn next_number(newest: Option<u64>, now: Timestamp) -> u64 {
    let moment = u64::try_from(now.as_millisecond()).unwrap_or(1).max(1);
    newest.map_or(moment, |newest| newest.saturating_add(1).max(moment))
}

/// Every address that a certificate still valid may have, the present one first. A list that no certificate is issued
/// for any more keeps those that it has.
pub(super) fn addresses(
    scope: &CrlScope,
    newest: Option<&CrlState>,
    now: Timestamp,
) -> Vec<CrlAddress> {
    let known = newest.map_or(&[][..], |newest| &newest.addresses);
    let present = (scope.in_use || known.is_empty()).then(|| CrlAddress {
        url: scope.address.clone(),
        used: now,
    });
    let older = known.iter().filter(|one| {
        let is_present = present
            .as_ref()
            .is_some_and(|present| present.url == one.url);
        !is_present && one.used.duration_until(now) < ADDRESS_LIFETIME
    });
    present.clone().into_iter().chain(older.cloned()).collect()
}

/// What a list says, and what becomes of the rows it was made of.
#[derive(Debug, Default)]
pub(super) struct Selection {
    /// Ascending by serial.
    pub(super) entries: Vec<CrlEntry>,
    /// To be marked as listed, with the reason shown.
    pub(super) listed: Vec<(Vec<u8>, Option<RevocationReason>)>,
}

/// Whether a list signed at `signed` need not show `entry` any more (RFC 5280 section 3.3): a regular list of after the
/// certificate's end has shown it. Lists are also signed at any time between regular ones, so that it must be an interval
/// past the end.
pub fn may_be_gone(entry: &Revoked, coverage: Coverage, signed: Timestamp) -> bool {
    let over = entry.not_after.saturating_add(coverage.interval());
    entry.listed && over.is_ok_and(|over| over < signed)
}

/// What a list of `this_update` shows. What it leaves out stays in the store: a clock that ran ahead, here or where the
/// newest was signed, makes nothing good for ever that is revoked.
pub(super) fn select(
    scope: &CrlScope,
    newest: Option<&CrlState>,
    revoked: Vec<Revoked>,
    this_update: Timestamp,
) -> Selection {
    let seen_until = newest.map(|newest| newest.this_update.min(this_update));
    let has_had_its_time = |entry: &Revoked| {
        seen_until.is_some_and(|signed| may_be_gone(entry, scope.coverage, signed))
    };
    let mut selection = Selection::default();
    for entry in revoked {
        if has_had_its_time(&entry) {
            continue;
        }
        if !entry.listed {
            selection.listed.push((entry.serial.clone(), entry.reason));
        }
        selection.entries.push(CrlEntry {
            serial: entry.serial,
            // Another server's clock may be a little ahead.
            revoked_at: entry.at.min(this_update),
            reason: entry.reason.map(RevocationReason::code),
        });
    }
    selection.entries.sort_by(|a, b| a.serial.cmp(&b.serial));
    selection
}

#[cfg(test)]
mod tests;
