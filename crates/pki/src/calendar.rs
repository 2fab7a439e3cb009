//! Everything in the rules that depends on a date, in one place.
//!
//! The key is always the moment of signing in UTC (rules 0.6), never the moment
//! of the order: a certificate ordered on 14 March 2027 and signed on the 15th
//! follows the rules of the 15th. When a ballot changes a number, a row is
//! added here and nothing else in the product changes.

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};

use crate::method::Method;

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// The numbers in force at one moment of signing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Longest validity a leaf may have, counted inclusively (V-1, V-2).
    pub maximum_validity: SignedDuration,
    /// The validity we use: one day less (V-1; BR 6.3.2 SHOULD).
    pub default_validity: SignedDuration,
    /// Oldest evidence of control over a name that may be relied on (V-3),
    /// before our own margin of a day (V-4).
    pub evidence_reuse: SignedDuration,
    /// Oldest identity data of an organization that may be relied on (V-5).
    pub organization_reuse: SignedDuration,
    /// Remote perspectives that validation must be corroborated from (M-3).
    pub remote_perspectives: u8,
}

/// A row: what holds from `from` (00:00 UTC) until the next row's date.
struct Row {
    from: Date,
    validity_days: u16,
    evidence_days: u16,
    organization_days: u16,
    remote_perspectives: u8,
}

const fn row(
    from: Date,
    validity_days: u16,
    evidence_days: u16,
    organization_days: u16,
    remote_perspectives: u8,
) -> Row {
    Row {
        from,
        validity_days,
        evidence_days,
        organization_days,
        remote_perspectives,
    }
}

/// BR 6.3.2 and 4.2.1 as changed by SC-081v3 (V-1, V-3, V-5), and BR 3.2.2.9 as
/// changed by SC-067 (M-3). Oldest first.
const TABLE: [Row; 7] = [
    //                          leaf  evidence  organization  remotes
    row(Date::MIN, 398, 398, 825, 0),
    row(day(2025, 3, 15), 398, 398, 825, 2),
    row(day(2026, 3, 15), 200, 200, 398, 3),
    row(day(2026, 6, 15), 200, 200, 398, 4),
    row(day(2026, 12, 15), 200, 200, 398, 5),
    row(day(2027, 3, 15), 100, 100, 398, 5),
    row(day(2029, 3, 15), 47, 10, 398, 5),
];

/// Mail methods are forbidden, and their evidence void, from this day (D-39, V-6; SC-090).
const EMAIL_ENDS: Date = day(2028, 3, 15);

/// Evidence of a persistent TXT record is good for ten days, whatever the date (D-33).
const PERSISTENT_TXT_DAYS: u16 = 10;

const fn day(year: i16, month: i8, day: i8) -> Date {
    jiff::civil::date(year, month, day)
}

const fn days(count: u16) -> SignedDuration {
    SignedDuration::from_hours(count as i64 * 24)
}

/// The rules for a certificate signed at `signing`.
pub fn rules_at(signing: Timestamp) -> Rules {
    let row = row_at(signing);
    Rules {
        maximum_validity: days(row.validity_days),
        default_validity: days(row.validity_days - 1),
        evidence_reuse: days(row.evidence_days),
        organization_reuse: days(row.organization_days),
        remote_perspectives: row.remote_perspectives,
    }
}

/// The next change after `signing` and the rules from then on, so that an operator
/// hears of it in time (M-11); none when no further date is set.
pub fn next_change(signing: Timestamp) -> Option<(Timestamp, Rules)> {
    let date = utc_date(signing);
    let rows = TABLE.iter().map(|row| row.from);
    let ends = Method::ALL.into_iter().filter_map(forbidden_from);
    let from = start_of(rows.chain(ends).filter(|from| *from > date).min()?);
    Some((from, rules_at(from)))
}

/// The first moment at which `method` is forbidden (D-39); none when no date is set.
pub fn method_ends(method: Method) -> Option<Timestamp> {
    forbidden_from(method).map(start_of)
}

/// Whether `method` may be relied on for a certificate signed at `signing` (D-39).
pub fn method_allowed(method: Method, signing: Timestamp) -> bool {
    forbidden_from(method).is_none_or(|end| utc_date(signing) < end)
}

/// Whether evidence that was `obtained` by `method` may be relied on for a
/// certificate signed at `signing`: V-3 by the table of the signing day, V-4
/// with a day's margin, V-6 and D-33 by method.
///
/// `obtained` is when the check was made, not when the record was written.
pub fn evidence_usable(method: Method, obtained: Timestamp, signing: Timestamp) -> bool {
    let age = obtained.duration_until(signing);
    method_allowed(method, signing)
        && age >= SignedDuration::ZERO
        && age <= reuse_limit(method, row_at(signing))
}

/// Whether identity data of an organization that was `obtained` then may be relied on for a certificate signed at
/// `signing`: V-5 by the table of the signing day, with V-4's margin of a day.
pub fn organization_usable(obtained: Timestamp, signing: Timestamp) -> bool {
    let age = obtained.duration_until(signing);
    let limit = days(row_at(signing).organization_days) - DAY;
    age >= SignedDuration::ZERO && age <= limit
}

/// The last whole second at which [`evidence_usable`] still holds; earlier than
/// `obtained` when the evidence was never usable.
pub fn usable_until(method: Method, obtained: Timestamp) -> Timestamp {
    let obtained = Timestamp::from_second(obtained.as_second()).unwrap_or(obtained);
    let mut until = TABLE
        .iter()
        .enumerate()
        .find_map(|(index, row)| {
            // Within a row evidence dies of age; limits only ever shrink, so the
            // first row in which it is dead on arrival ends it for good.
            let by_age = obtained
                .saturating_add(reuse_limit(method, row))
                .unwrap_or(Timestamp::MAX);
            match TABLE.get(index + 1).map(|next| start_of(next.from)) {
                Some(next) if by_age >= next => None,
                _ => Some(by_age.max(last_second_before(start_of(row.from)))),
            }
        })
        .unwrap_or(Timestamp::MAX);
    if let Some(end) = forbidden_from(method) {
        until = until.min(last_second_before(start_of(end)));
    }
    until
}

fn forbidden_from(method: Method) -> Option<Date> {
    match method {
        Method::ConstructedEmail | Method::CaaEmail | Method::TxtEmail => Some(EMAIL_ENDS),
        Method::DnsChange
        | Method::Website
        | Method::AcmeHttp
        | Method::AcmeTlsAlpn
        | Method::AcmeDnsAccount
        | Method::PersistentTxt => None,
    }
}

/// Greatest age of evidence under `row`, our margin of a day taken off (V-4).
fn reuse_limit(method: Method, row: &Row) -> SignedDuration {
    let limit = match method {
        Method::PersistentTxt => row.evidence_days.min(PERSISTENT_TXT_DAYS),
        _ => row.evidence_days,
    };
    days(limit) - DAY
}

fn row_at(signing: Timestamp) -> &'static Row {
    let date = utc_date(signing);
    TABLE
        .iter()
        .rev()
        .find(|row| row.from <= date)
        .unwrap_or(&TABLE[0])
}

fn utc_date(moment: Timestamp) -> Date {
    TimeZone::UTC.to_datetime(moment).date()
}

fn start_of(date: Date) -> Timestamp {
    TimeZone::UTC
        .to_timestamp(date.to_datetime(jiff::civil::Time::midnight()))
        .unwrap_or(Timestamp::MIN)
}

fn last_second_before(moment: Timestamp) -> Timestamp {
    moment
        .saturating_sub(SignedDuration::from_secs(1))
        .unwrap_or(Timestamp::MIN)
}

#[cfg(test)]
mod tests;
