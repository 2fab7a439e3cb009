//! A new certificate, and what becomes of those before it.

use reseal_lifecycle::certificate::{Certificate, CertificateId, SubscriptionId};
use reseal_lifecycle::process::{Mpic, Process, ProcessId};
use reseal_lifecycle::store::{Issuance, Replacement, StoreError, Subscription};

use super::campaign;
use super::rows::{millis, reason_word, validation_word};
use super::upstream;
use crate::database::unless_unique;
use crate::database::{self, Connection, params};
use crate::sql;

/// Stores `issuance` of the process numbered `id`, whose names are rendered in `names`; the numbers of the
/// subscription and of the certificate.
pub(crate) fn write(
    connection: &Connection,
    issuance: &Issuance,
    names: &str,
    process: &Process,
    id: ProcessId,
) -> Result<(SubscriptionId, CertificateId), StoreError> {
    let subscription = match &issuance.subscription {
        Some(subscription) => insert_subscription(connection, subscription)?,
        None => issuance.certificate.subscription,
    };
    if let Some(allowance) = issuance.allowance {
        let values = params![
            allowance.included,
            allowance.extra_domains,
            allowance.extra_wildcards,
            subscription
        ];
        connection.send(sql::subscription::SET_ALLOWANCE, values)?;
    }
    let certificate =
        insert_certificate(connection, &issuance.certificate, names, id, subscription)
            .map_err(unless_unique("certificate"))?;
    note_reliance(connection, process, certificate)?;
    if let Some(chain) = &issuance.chain {
        upstream::write_chain(connection, certificate, &issuance.certificate.issuer, chain)?;
    }
    if let Some(replacement) = &issuance.replaces {
        let now = millis(process.updated);
        replace(connection, replacement, certificate, now)?;
    }
    Ok((subscription, certificate))
}

fn insert_subscription(
    connection: &Connection,
    subscription: &Subscription,
) -> database::Result<SubscriptionId> {
    connection.insert(
        sql::subscription::INSERT,
        params![
            subscription.customer,
            subscription.product,
            millis(subscription.start),
            millis(subscription.end),
            subscription.months,
            subscription.allowance.included,
            subscription.allowance.extra_domains,
            subscription.allowance.extra_wildcards,
        ],
    )
}

fn insert_certificate(
    connection: &Connection,
    certificate: &Certificate,
    names: &str,
    process: ProcessId,
    subscription: SubscriptionId,
) -> database::Result<CertificateId> {
    let organization = certificate.organization.as_ref();
    let revocation = certificate.revocation.as_ref();
    let id = connection.insert(
        sql::certificate::INSERT,
        params![
            certificate.customer,
            process,
            subscription,
            certificate.product,
            validation_word(certificate.validation),
            certificate.certificate_type.as_str(),
            certificate.stored_status.as_str(),
            certificate.domain_name,
            names,
            organization.map(|subject| &subject.organization),
            organization.map(|subject| &subject.country),
            organization.and_then(|subject| subject.state.as_deref()),
            organization.and_then(|subject| subject.locality.as_deref()),
            organization.and_then(|subject| subject.postal_code.as_deref()),
            organization.and_then(|subject| subject.street.as_deref()),
            certificate.coc,
            certificate.issuer,
            certificate.serial,
            millis(certificate.not_before),
            millis(certificate.not_after),
            millis(certificate.subscription_end),
            certificate.key_algorithm,
            certificate.key_size,
            certificate.spki_sha256,
            certificate.fingerprint,
            certificate.predecessor,
            certificate.successor,
            revocation.map(|revocation| millis(revocation.at)),
            revocation
                .and_then(|revocation| revocation.reason)
                .map(reason_word),
            revocation.and_then(|revocation| revocation.note.as_deref()),
            certificate.revocation_scheduled.map(millis),
            certificate.mpic.map(Mpic::as_str),
            certificate.csr,
            certificate.der,
        ],
    )?;
    for name in &certificate.names {
        connection.send(sql::certificate::INSERT_NAME, params![id, name])?;
    }
    Ok(id)
}

/// Notes which proof each name of `certificate` rests on.
fn note_reliance(
    connection: &Connection,
    process: &Process,
    certificate: CertificateId,
) -> database::Result<()> {
    for proof in process.work().into_iter().flat_map(|work| &work.proofs) {
        let Some(evidence) = proof.evidence() else {
            continue;
        };
        let values = params![
            certificate,
            proof.name.as_str(),
            process.customer,
            evidence.adn,
            evidence.method.br_section(),
            millis(evidence.obtained)
        ];
        connection.send(sql::authorization::INSERT_RELIANCE, values)?;
    }
    Ok(())
}

/// Marks the predecessor, and schedules the revocation of older siblings (rules.md R-4).
fn replace(
    connection: &Connection,
    replacement: &Replacement,
    successor: CertificateId,
    now: i64,
) -> Result<(), StoreError> {
    let revoke_at = replacement.revoke_at.map(millis);
    let values = params![
        replacement.status.as_str(),
        successor,
        revoke_at,
        replacement.certificate
    ];
    if connection.execute(sql::certificate::REPLACE, values)? == 0 {
        return Err(StoreError::SourceGone);
    }
    campaign::settle(connection, replacement.certificate, Some(successor), now)?;
    let Some(revoke_at) = revoke_at else {
        return Ok(());
    };
    for name in &replacement.siblings_with {
        let values = params![revoke_at, replacement.certificate, successor, now, name];
        connection.send(sql::certificate::SCHEDULE_SIBLINGS, values)?;
    }
    Ok(())
}
