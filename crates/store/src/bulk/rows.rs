//! Objects of the domain as rows: the same columns and words that a server's own steps write.

use reseal_lifecycle::authorization::Authorization;
use reseal_lifecycle::certificate::{Certificate, CertificateId, RevocationReason};
use reseal_lifecycle::event::Event;
use reseal_lifecycle::process::{Mpic, Process};
use reseal_lifecycle::store::{LostSerial, StoreError, Subscription};
use serde::Serialize;

use super::Batch;
use crate::database::Value;
use crate::sql;
use crate::work::rows::{millis, reason_word, validation_word};

/// A table that is filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Table {
    Subscription,
    Process,
    Event,
    Certificate,
    CertificateName,
    Reservation,
    CrlEntry,
    Authorization,
    Reliance,
}

pub(super) type Row = Result<Vec<Value>, StoreError>;

impl Table {
    /// Every one, those that others refer to first.
    pub(super) const ALL: [Self; 9] = [
        Self::Subscription,
        Self::Process,
        Self::Event,
        Self::Certificate,
        Self::CertificateName,
        Self::Reservation,
        Self::CrlEntry,
        Self::Authorization,
        Self::Reliance,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Subscription => "subscription",
            Self::Process => "process",
            Self::Event => "event",
            Self::Certificate => "certificate",
            Self::CertificateName => "certificate_name",
            Self::Reservation => "reservation",
            Self::CrlEntry => "crl_entry",
            Self::Authorization => "domain_authorization",
            Self::Reliance => "reliance",
        }
    }

    pub(super) fn is_numbered(self) -> bool {
        matches!(
            self,
            Self::Subscription
                | Self::Process
                | Self::Certificate
                | Self::Reservation
                | Self::Authorization
        )
    }

    /// The columns of [`Table::rows`].
    pub(super) fn columns(self) -> &'static str {
        match self {
            Self::Subscription => {
                "id, customer, product, starts, ends, months, included_names, extra_domains, extra_wildcards"
            }
            Self::Process => {
                "id, version, customer, opened_by, action, identifier, source, subscription, certificate, created, \
                 updated, status, open, requires_attention, state, command"
            }
            Self::Event => "process, step, ordinal, at, kind",
            Self::Certificate => sql::certificate::COLUMNS,
            Self::CertificateName => "certificate, name",
            Self::Reservation => "id, process, serial, issuer, tbs, created",
            Self::CrlEntry => "issuer, ending, serial, revoked_at, reason, not_after",
            Self::Authorization => sql::authorization::COLUMNS,
            Self::Reliance => "proof, certificate, name",
        }
    }

    /// What `batch` has for it.
    pub(super) fn rows(self, batch: &Batch) -> Box<dyn Iterator<Item = Row> + '_> {
        let certificates = batch.certificates.iter();
        match self {
            Self::Subscription => Box::new(batch.subscriptions.iter().map(subscription).map(Ok)),
            Self::Process => Box::new(
                batch
                    .processes
                    .iter()
                    .map(|(process, steps)| process_row(process, steps.len())),
            ),
            Self::Event => Box::new(
                batch
                    .processes
                    .iter()
                    .flat_map(|(process, steps)| events(process.id, steps)),
            ),
            Self::Certificate => Box::new(certificates.map(certificate)),
            Self::CertificateName => Box::new(certificates.flat_map(names)),
            Self::Reservation => Box::new(certificates.map(reservation).map(Ok)),
            Self::CrlEntry => {
                let lost = batch.lost.iter().filter_map(lost_entry);
                let mut entries: Vec<_> = certificates.filter_map(crl_entry).chain(lost).collect();
                // The key of the table.
                entries.sort_by(|left, right| key(left).cmp(&key(right)));
                Box::new(entries.into_iter().map(Ok))
            }
            Self::Authorization => Box::new(batch.authorizations.iter().map(authorization)),
            Self::Reliance => Box::new(batch.reliances.iter().map(reliance).map(Ok)),
        }
    }
}

fn json(value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Fault(error.to_string()))
}

fn subscription(subscription: &Subscription) -> Vec<Value> {
    vec![
        subscription.id.into(),
        subscription.customer.clone().into(),
        subscription.product.clone().into(),
        millis(subscription.start).into(),
        millis(subscription.end).into(),
        subscription.months.into(),
        subscription.allowance.included.into(),
        subscription.allowance.extra_domains.into(),
        subscription.allowance.extra_wildcards.into(),
    ]
}

fn process_row(process: &Process, steps: usize) -> Row {
    Ok(vec![
        process.id.into(),
        // The first step writes version 0.
        Value::Integer(steps.saturating_sub(1) as i64),
        process.customer.clone().into(),
        process.user.clone().into(),
        process.action.as_str().to_owned().into(),
        process.identifier.clone().into(),
        process.source.into(),
        process.subscription.into(),
        process.certificate.into(),
        millis(process.created).into(),
        millis(process.updated).into(),
        process.status().as_str().to_owned().into(),
        process.is_open().into(),
        process.requires_attention().into(),
        json(process.state())?.into(),
        json(&process.command)?.into(),
    ])
}

fn events(process: i64, steps: &[Vec<Event>]) -> impl Iterator<Item = Row> {
    (0_i64..).zip(steps).flat_map(move |(step, events)| {
        (0_i64..).zip(events).map(move |(ordinal, event)| {
            Ok(vec![
                process.into(),
                step.into(),
                ordinal.into(),
                millis(event.at).into(),
                json(&event.kind)?.into(),
            ])
        })
    })
}

fn certificate(certificate: &Certificate) -> Row {
    let organization = certificate.organization.as_ref();
    let revocation = certificate.revocation.as_ref();
    let reason = revocation.and_then(|revocation| revocation.reason);
    Ok(vec![
        certificate.id.into(),
        certificate.customer.clone().into(),
        certificate.process.into(),
        certificate.subscription.into(),
        certificate.product.clone().into(),
        validation_word(certificate.validation).to_owned().into(),
        certificate.certificate_type.as_str().to_owned().into(),
        certificate.stored_status.as_str().to_owned().into(),
        certificate.domain_name.clone().into(),
        json(&certificate.names)?.into(),
        organization
            .map(|subject| subject.organization.clone())
            .into(),
        organization.map(|subject| subject.country.clone()).into(),
        organization
            .and_then(|subject| subject.state.clone())
            .into(),
        organization
            .and_then(|subject| subject.locality.clone())
            .into(),
        organization
            .and_then(|subject| subject.postal_code.clone())
            .into(),
        organization
            .and_then(|subject| subject.street.clone())
            .into(),
        certificate.coc.clone().into(),
        certificate.issuer.clone().into(),
        certificate.serial.clone().into(),
        millis(certificate.not_before).into(),
        millis(certificate.not_after).into(),
        millis(certificate.subscription_end).into(),
        certificate.key_algorithm.clone().into(),
        certificate.key_size.into(),
        certificate.spki_sha256.to_vec().into(),
        certificate.fingerprint.to_vec().into(),
        certificate.predecessor.into(),
        certificate.successor.into(),
        revocation.map(|revocation| millis(revocation.at)).into(),
        reason.map(|reason| reason_word(reason).to_owned()).into(),
        revocation
            .and_then(|revocation| revocation.note.clone())
            .into(),
        certificate.revocation_scheduled.map(millis).into(),
        certificate
            .mpic
            .map(|mpic| Mpic::as_str(mpic).to_owned())
            .into(),
        certificate.csr.clone().into(),
        certificate.der.clone().into(),
    ])
}

/// In the order of the table's key.
fn names(certificate: &Certificate) -> impl Iterator<Item = Row> {
    let id = certificate.id;
    let mut names = certificate.names.clone();
    names.sort_unstable();
    names.dedup();
    names
        .into_iter()
        .map(move |name| Ok(vec![id.into(), name.into()]))
}

/// What was signed is in the certificate; its process is over, and nobody will sign it again.
fn reservation(certificate: &Certificate) -> Vec<Value> {
    vec![
        certificate.id.into(),
        certificate.process.into(),
        certificate.serial.clone().into(),
        certificate.issuer.clone().into(),
        Value::Blob(Vec::new()),
        millis(certificate.not_before).into(),
    ]
}

fn crl_entry(certificate: &Certificate) -> Option<Vec<Value>> {
    let revocation = certificate.revocation.as_ref()?;
    let ending = certificate.serial.last().copied()?;
    let reason = revocation
        .reason
        .map(|reason| reason_word(reason).to_owned());
    Some(vec![
        certificate.issuer.clone().into(),
        Value::Blob(vec![ending]),
        certificate.serial.clone().into(),
        millis(revocation.at).into(),
        reason.into(),
        millis(certificate.not_after).into(),
    ])
}

fn lost_entry(lost: &LostSerial) -> Option<Vec<Value>> {
    Some(vec![
        lost.issuer.clone().into(),
        Value::Blob(vec![lost.serial.last().copied()?]),
        lost.serial.clone().into(),
        millis(lost.at).into(),
        Value::Text(reason_word(RevocationReason::Superseded).to_owned()),
        millis(lost.not_after).into(),
    ])
}

/// Ending and serial of an entry.
fn key(entry: &[Value]) -> (&[u8], &[u8]) {
    let bytes = |column: usize| match entry.get(column) {
        Some(Value::Blob(bytes)) => bytes.as_slice(),
        _ => &[],
    };
    (bytes(1), bytes(2))
}

fn authorization(proof: &Authorization) -> Row {
    let witnesses = Some(&proof.witnesses).filter(|all| !all.is_empty());
    Ok(vec![
        proof.id.into(),
        proof.customer.clone().into(),
        proof.adn.clone().into(),
        proof.method.br_section().to_owned().into(),
        proof.only_itself.into(),
        millis(proof.obtained).into(),
        proof.process.into(),
        witnesses.map(json).transpose()?.into(),
        proof.alias.clone().into(),
        proof.distrusted.map(millis).into(),
    ])
}

fn reliance((proof, certificate, name): &(i64, CertificateId, String)) -> Vec<Value> {
    vec![(*proof).into(), (*certificate).into(), name.clone().into()]
}
