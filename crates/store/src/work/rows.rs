//! Rows of the database as objects of the domain, and the words in which single values are stored.

use jiff::Timestamp;
use reseal_lifecycle::auth_key::AuthKey;
use reseal_lifecycle::authorization::Authorization;
use reseal_lifecycle::certificate::{Certificate, Revocation, RevocationReason};
use reseal_lifecycle::crl::{Crl, CrlState, Revoked};
use reseal_lifecycle::customer::{ApiKey, Customer};
use reseal_lifecycle::event::{Event, EventKind};
use reseal_lifecycle::idempotency::KeptAnswer;
use reseal_lifecycle::notification::{Mark, Notification, Webhook};
use reseal_lifecycle::price::Allowance;
use reseal_lifecycle::process::{Opening, Process, ProcessId, State};
use reseal_lifecycle::store::{Reservation, Subscription};
use reseal_lifecycle::vetting::VettedCheck;
use reseal_pki::dn::OrganizationSubject;
use reseal_pki::profile::ValidationType;

use super::columns::Columns;
use crate::database::{self, Row};

/// A moment as it is stored: milliseconds since 1970 in UTC.
pub(crate) fn millis(moment: Timestamp) -> i64 {
    moment.as_millisecond()
}

/// The word for a validation level, the same as on the wire.
pub(crate) fn validation_word(validation: ValidationType) -> &'static str {
    match validation {
        ValidationType::Domain => "DOMAIN_VALIDATION",
        ValidationType::Organization => "ORGANIZATION_VALIDATION",
        ValidationType::Extended => "EXTENDED_VALIDATION",
    }
}

/// The word for a reason of revocation.
pub(crate) fn reason_word(reason: RevocationReason) -> &'static str {
    match reason {
        RevocationReason::KeyCompromise => "KEY_COMPROMISE",
        RevocationReason::AffiliationChanged => "AFFILIATION_CHANGED",
        RevocationReason::Superseded => "SUPERSEDED",
        RevocationReason::CessationOfOperation => "CESSATION_OF_OPERATION",
        RevocationReason::PrivilegeWithdrawn => "PRIVILEGE_WITHDRAWN",
    }
}

/// A list without its bytes.
pub(crate) fn crl_state(row: &Row<'_>) -> database::Result<CrlState> {
    read_crl_state(&mut Columns::of(row))
}

/// A list.
pub(crate) fn crl(row: &Row<'_>) -> database::Result<Crl> {
    let mut columns = Columns::of(row);
    Ok(Crl {
        state: read_crl_state(&mut columns)?,
        der: columns.value()?,
    })
}

fn read_crl_state(columns: &mut Columns<'_>) -> database::Result<CrlState> {
    Ok(CrlState {
        name: columns.value()?,
        number: columns.value::<i64>()?.cast_unsigned(),
        this_update: columns.moment()?,
        next_update: columns.moment()?,
        entries: columns.value::<i64>()?.cast_unsigned(),
        addresses: columns.json()?,
    })
}

/// A revoked certificate for a list.
pub(crate) fn revoked(row: &Row<'_>) -> database::Result<Revoked> {
    let mut columns = Columns::of(row);
    Ok(Revoked {
        serial: columns.value()?,
        at: columns.moment()?,
        reason: columns.optional_word()?,
        not_after: columns.moment()?,
        listed: columns.value::<Option<i64>>()?.is_some(),
    })
}

/// A row with the columns of [`crate::sql::customer`].
pub(crate) fn customer(row: &Row<'_>) -> database::Result<Customer> {
    let mut columns = Columns::of(row);
    Ok(Customer {
        handle: columns.value()?,
        created: columns.moment()?,
    })
}

/// A row with the columns of [`crate::sql::api_key`].
pub(crate) fn api_key(row: &Row<'_>) -> database::Result<ApiKey> {
    let mut columns = Columns::of(row);
    Ok(ApiKey {
        id: columns.value()?,
        customer: columns.value()?,
        login: columns.value()?,
        role: match columns.text()? {
            "operator" => reseal_lifecycle::customer::Role::Operator,
            _ => reseal_lifecycle::customer::Role::Customer,
        },
        created: columns.moment()?,
        revoked: columns.optional_moment()?,
    })
}

/// A row with the columns of [`crate::sql::subscription`].
pub(crate) fn subscription(row: &Row<'_>) -> database::Result<Subscription> {
    let mut columns = Columns::of(row);
    Ok(Subscription {
        id: columns.value()?,
        customer: columns.value()?,
        product: columns.value()?,
        start: columns.moment()?,
        end: columns.moment()?,
        months: columns.value()?,
        allowance: Allowance {
            included: columns.value()?,
            extra_domains: columns.value()?,
            extra_wildcards: columns.value()?,
        },
    })
}

/// A row with the columns of [`crate::sql::process::COLUMNS`].
pub(crate) fn process(row: &Row<'_>) -> database::Result<Process> {
    let mut columns = Columns::of(row);
    let id = columns.value()?;
    let version: i64 = columns.value()?;
    let customer = columns.value()?;
    let user = columns.value()?;
    let action = columns.word()?;
    let identifier = columns.value()?;
    let source = columns.value()?;
    let subscription = columns.value()?;
    let certificate = columns.value()?;
    let created = columns.moment()?;
    let updated = columns.moment()?;
    let next_run = columns.optional_moment()?;
    let state: State = columns.json()?;
    let command = columns.json()?;
    let opening = Opening {
        customer,
        user,
        action,
        command,
        source,
        subscription,
    };
    let mut process = Process::restored(opening, identifier, state, created);
    process.id = id;
    process.version = version.unsigned_abs();
    process.certificate = certificate;
    process.updated = updated;
    process.next_run = next_run;
    Ok(process)
}

/// A row with the columns of [`crate::sql::certificate::COLUMNS`].
pub(crate) fn certificate(row: &Row<'_>) -> database::Result<Certificate> {
    let mut columns = Columns::of(row);
    Ok(Certificate {
        id: columns.value()?,
        customer: columns.value()?,
        process: columns.value()?,
        subscription: columns.value()?,
        product: columns.value()?,
        validation: columns.word()?,
        certificate_type: columns.word()?,
        stored_status: columns.word()?,
        domain_name: columns.value()?,
        names: columns.json()?,
        organization: organization(&mut columns)?,
        coc: columns.value()?,
        issuer: columns.value()?,
        serial: columns.value()?,
        not_before: columns.moment()?,
        not_after: columns.moment()?,
        subscription_end: columns.moment()?,
        key_algorithm: columns.value()?,
        key_size: columns.value()?,
        spki_sha256: columns.value()?,
        fingerprint: columns.value()?,
        predecessor: columns.value()?,
        successor: columns.value()?,
        revocation: revocation(&mut columns)?,
        revocation_scheduled: columns.optional_moment()?,
        mpic: columns.optional_word()?,
        csr: columns.value()?,
        der: columns.value()?,
    })
}

fn organization(columns: &mut Columns<'_>) -> database::Result<Option<OrganizationSubject>> {
    let organization: Option<String> = columns.value()?;
    let country: Option<String> = columns.value()?;
    let (state, locality, postal_code, street) = (
        columns.value()?,
        columns.value()?,
        columns.value()?,
        columns.value()?,
    );
    Ok(organization.map(|organization| OrganizationSubject {
        organization,
        country: country.unwrap_or_default(),
        state,
        locality,
        postal_code,
        street,
    }))
}

fn revocation(columns: &mut Columns<'_>) -> database::Result<Option<Revocation>> {
    let at = columns.optional_moment()?;
    let (reason, note) = (columns.optional_word()?, columns.value()?);
    Ok(at.map(|at| Revocation { at, reason, note }))
}

/// A row of [`crate::sql::event::SELECT_TIMELINE`].
pub(crate) fn event(row: &Row<'_>) -> database::Result<Event> {
    let mut columns = Columns::of(row);
    let at = columns.moment()?;
    let kind: EventKind = columns.json()?;
    Ok(Event { at, kind })
}

/// A row with the columns of [`crate::sql::authorization::COLUMNS`].
pub(crate) fn authorization(row: &Row<'_>) -> database::Result<Authorization> {
    let mut columns = Columns::of(row);
    Ok(Authorization {
        id: columns.value()?,
        customer: columns.value()?,
        adn: columns.value()?,
        method: columns.word()?,
        only_itself: columns.value()?,
        obtained: columns.moment()?,
        process: columns.value()?,
        witnesses: columns.optional_json()?.unwrap_or_default(),
        alias: columns.value()?,
        distrusted: columns.optional_moment()?,
    })
}

/// A row of [`crate::sql::reservation::SELECT_BY_PROCESS`].
pub(crate) fn reservation(row: &Row<'_>) -> database::Result<Reservation> {
    let mut columns = Columns::of(row);
    Ok(Reservation {
        serial: columns.value()?,
        issuer: columns.value()?,
        tbs: columns.value()?,
        created: columns.moment()?,
    })
}

/// A row with the columns of [`crate::sql::notification::COLUMNS`].
pub(crate) fn notification(row: &Row<'_>) -> database::Result<Notification> {
    let mut columns = Columns::of(row);
    Ok(Notification {
        id: columns.value()?,
        customer: columns.value()?,
        occasion: columns.occasion()?,
        fired: columns.moment()?,
        message: columns.value()?,
        reason: columns.value()?,
        process: columns.value()?,
        status_detail: columns.value()?,
        certificate: columns.value()?,
        domain_name: columns.value()?,
        product: columns.value()?,
        validation: columns.optional_word()?,
        expires: columns.optional_moment()?,
        payload: columns.json()?,
        read: columns.optional_moment()?,
        acknowledged: columns.optional_moment()?,
        delivered: columns.optional_moment()?,
    })
}

/// A row of [`crate::sql::webhook::SELECT`].
pub(crate) fn webhook(row: &Row<'_>) -> database::Result<Webhook> {
    let mut columns = Columns::of(row);
    Ok(Webhook {
        customer: columns.value()?,
        url: columns.value()?,
        login: columns.value()?,
        sealed: columns.value()?,
        created: columns.moment()?,
        failures: columns.value()?,
        next_attempt: columns.moment()?,
        last_error: columns.value()?,
    })
}

/// A row of [`crate::sql::auth_key::SELECT_USABLE`].
pub(crate) fn auth_key(row: &Row<'_>) -> database::Result<AuthKey> {
    let mut columns = Columns::of(row);
    Ok(AuthKey {
        id: columns.value()?,
        customer: columns.value()?,
        product: columns.value()?,
        csr: columns.value()?,
        token: columns.value()?,
        created: columns.moment()?,
    })
}

/// A row of one moment.
pub(crate) fn moment(row: &Row<'_>) -> database::Result<Timestamp> {
    Columns::of(row).moment()
}

/// What is known of an idempotency key.
pub(crate) struct TakenKey {
    pub(crate) fingerprint: [u8; 32],
    pub(crate) at: Timestamp,
    pub(crate) process: Option<ProcessId>,
    pub(crate) answer: Option<KeptAnswer>,
}

/// A row of [`crate::sql::idempotency_key::SELECT`].
pub(crate) fn taken_key(row: &Row<'_>) -> database::Result<TakenKey> {
    let mut columns = Columns::of(row);
    let (fingerprint, at, process) = (columns.value()?, columns.moment()?, columns.value()?);
    let answer = match columns.value()? {
        None => None,
        Some(status) => Some(KeptAnswer {
            status,
            headers: columns.json()?,
            body: columns.value()?,
        }),
    };
    Ok(TakenKey {
        fingerprint,
        at,
        process,
        answer,
    })
}

/// A row of [`crate::sql::vetting::SELECT`].
pub(crate) fn vetted_check(row: &Row<'_>) -> database::Result<VettedCheck> {
    let mut columns = Columns::of(row);
    Ok(VettedCheck {
        customer: columns.value()?,
        check: columns.word()?,
        facts: columns.json()?,
        obtained: columns.moment()?,
        process: columns.value()?,
    })
}

/// A row of [`crate::sql::watch::SELECT`].
pub(crate) fn mark(row: &Row<'_>) -> database::Result<Mark> {
    let mut columns = Columns::of(row);
    Ok(Mark {
        at: columns.moment()?,
        id: columns.value()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_the_serde_names() {
        for validation in [
            ValidationType::Domain,
            ValidationType::Organization,
            ValidationType::Extended,
        ] {
            assert_eq!(
                serde_json::to_value(validation).unwrap(),
                validation_word(validation)
            );
        }
        for reason in [
            RevocationReason::KeyCompromise,
            RevocationReason::AffiliationChanged,
            RevocationReason::Superseded,
            RevocationReason::CessationOfOperation,
            RevocationReason::PrivilegeWithdrawn,
        ] {
            assert_eq!(serde_json::to_value(reason).unwrap(), reason_word(reason));
        }
    }
}
