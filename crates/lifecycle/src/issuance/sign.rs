//! The irreversible act: a reserved certificate is signed and stored, and the old one is marked.

use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use reseal_pki::csr::Csr;
use reseal_pki::key::PublicKey;

use super::recheck::NotPrepared;
use crate::certificate::{Certificate, CertificateStatus};
use crate::error::Error;
use crate::event::{Event, EventKind};
use crate::fault;
use crate::issuer::{CertificateOrder, Issuer, IssuerError, Prepared};
use crate::process::{Action, Order, Process, ProcessId};
use crate::services::Services;
use crate::store::{Change, Issuance, Replacement, Reservation, Subscription};

/// A linted certificate, recorded or about to be, and who signs it.
pub(super) struct Signature {
    pub(super) prepared: Prepared,
    pub(super) issuer: String,
    made: Timestamp,
}

impl Signature {
    /// What must be recorded before anything is signed.
    pub(super) fn reservation(&self) -> Reservation {
        Reservation {
            serial: self.prepared.serial.as_bytes().to_vec(),
            issuer: self.issuer.clone(),
            tbs: self.prepared.linted.tbs().to_vec(),
            created: self.made,
        }
    }
}

/// Builds and lints the certificate of `order`.
pub(super) fn prepare(
    services: &Services,
    order: &Order,
    public_key: &PublicKey,
) -> Result<Signature, NotPrepared> {
    let now = services.clock.now();
    let prepared = issuer(services, &order.issuer)?
        .prepare(&certificate_order(order, public_key, now))
        .map_err(NotPrepared::Issuer)?;
    Ok(Signature {
        prepared,
        issuer: order.issuer.clone(),
        made: now,
    })
}

/// The issuer called `name`. Without it the process waits: the operator may have taken it out by mistake.
fn issuer<'a>(services: &'a Services, name: &str) -> Result<&'a Arc<dyn Issuer>, NotPrepared> {
    services.issuer(name).map_err(|_| {
        let reason = format!("issuer `{name}` is not configured any more");
        NotPrepared::Issuer(IssuerError::Refused(reason))
    })
}

/// `order` as the issuer is asked for it.
fn certificate_order<'a>(
    order: &'a Order,
    public_key: &'a PublicKey,
    now: Timestamp,
) -> CertificateOrder<'a> {
    CertificateOrder {
        public_key,
        names: &order.names,
        common_name: order
            .common_name_in_subject
            .then_some(order.common_name.as_str()),
        subject: order.subject.as_ref(),
        validation: order.validation,
        not_after_limit: subscription_end(order, now),
        now,
    }
}

/// Last second of the subscription: the running one's, or that of one starting at `now`.
fn subscription_end(order: &Order, now: Timestamp) -> Timestamp {
    if let Some(end) = order.subscription_end {
        return end;
    }
    let months = order.months.unwrap_or(0);
    let start = whole_second(now).to_zoned_datetime(TimeZone::UTC);
    start
        .checked_add(i64::from(months).months())
        .map_or(now, |end| end.timestamp())
}

fn whole_second(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

impl Services {
    /// What process `id` has recorded for signing under `serial` (hex), if it is still what `order` asks for.
    pub(super) async fn reserved_signature(
        &self,
        id: ProcessId,
        serial: &str,
        order: &Order,
        public_key: &PublicKey,
    ) -> Result<Signature, NotPrepared> {
        let lost = |reason: &str| NotPrepared::Issuer(IssuerError::Lint(reason.to_owned()));
        let reservation = self
            .store
            .reservation(id)
            .await
            .map_err(|error| NotPrepared::Unavailable(error.into()))?
            .ok_or_else(|| lost("the reservation is not in the store"))?;
        if hex::encode(&reservation.serial) != serial {
            return Err(lost("the store holds another reservation"));
        }
        let prepared = issuer(self, &reservation.issuer)?
            .resume(
                &reservation.serial,
                reservation.tbs,
                &certificate_order(order, public_key, self.clock.now()),
            )
            .map_err(NotPrepared::Issuer)?;
        Ok(Signature {
            prepared,
            issuer: reservation.issuer,
            made: reservation.created,
        })
    }

    /// Signs what is reserved and stores the certificate, the old one's new status and the end of the
    /// process in one commit.
    pub(super) async fn sign(
        &self,
        process: Process,
        signature: Signature,
    ) -> Result<Process, Error> {
        fault::point(fault::Point::Reserved).await;
        let issuer = self.issuer(&signature.issuer)?;
        let order = match process.work() {
            Some(work) => work.order.clone(),
            None => return Err(Error::internal("a process without work")),
        };
        let (not_before, not_after) = (signature.prepared.not_before, signature.prepared.not_after);
        let serial = signature.prepared.serial.as_bytes().to_vec();
        let der = issuer
            .issue(signature.prepared)
            .await
            .map_err(|error| unavailable(error.to_string()))?;
        fault::point(fault::Point::Signed).await;

        let now = self.clock.now();
        let subscription = new_subscription(&order, &process.customer, now);
        let end = subscription
            .as_ref()
            .map(|subscription| subscription.end)
            .or(order.subscription_end);
        let signed = Signed {
            der,
            serial,
            not_before,
            not_after,
            issuer: signature.issuer,
            subscription_end: end.unwrap_or(not_after),
        };
        let certificate = certificate(&process, &order, signed)?;
        let replaces = self.replacement(&process, &order, now);
        let (process, mut events) = process.complete(not_after, now).map_err(Error::internal)?;
        events.extend(replaces.as_ref().map(|old| {
            Event::new(
                now,
                EventKind::Replaced {
                    certificate: old.certificate,
                    status: old.status.as_str().to_owned(),
                    revocation_scheduled_at: old.revoke_at,
                },
            )
        }));
        let mut change = Change::new(process, events);
        change.issuance = Some(Box::new(Issuance {
            certificate,
            subscription,
            paid: order.months.is_none().then_some(order.paid),
            replaces,
        }));
        let process = self.store.advance(change).await?;
        fault::point(fault::Point::Completed).await;
        Ok(process)
    }

    /// What becomes of the certificate that this one replaces (rules.md R-4).
    fn replacement(&self, process: &Process, order: &Order, now: Timestamp) -> Option<Replacement> {
        let status = match process.action {
            Action::Reissue => CertificateStatus::Reissued,
            Action::Renew => CertificateStatus::Renewed,
            Action::Request | Action::Revoke | Action::Import => return None,
        };
        let narrowed = !order.removed.is_empty() || order.common_name_moved;
        let after = if narrowed {
            self.settings.revoke_removed_names_after
        } else {
            self.settings.revoke_replaced_after
        };
        Some(Replacement {
            certificate: process.source?,
            status,
            revoke_at: after.and_then(|after| now.checked_add(after).ok()),
            siblings_with: order
                .removed
                .iter()
                .map(|name| name.as_str().to_owned())
                .collect(),
        })
    }
}

/// What came back from the issuer.
struct Signed {
    der: Vec<u8>,
    serial: Vec<u8>,
    not_before: Timestamp,
    not_after: Timestamp,
    issuer: String,
    subscription_end: Timestamp,
}

fn new_subscription(order: &Order, customer: &str, now: Timestamp) -> Option<Subscription> {
    let months = order.months?;
    Some(Subscription {
        id: 0,
        customer: customer.to_owned(),
        product: order.product.clone(),
        start: whole_second(now),
        end: subscription_end(order, now),
        months,
        paid_names: order.paid.0,
        paid_wildcards: order.paid.1,
    })
}

fn certificate(process: &Process, order: &Order, signed: Signed) -> Result<Certificate, Error> {
    let csr = Csr::from_der(&order.csr).map_err(Error::internal)?;
    let key = csr.public_key();
    Ok(Certificate {
        id: 0,
        customer: process.customer.clone(),
        process: process.id,
        subscription: process.subscription.unwrap_or(0),
        product: order.product.clone(),
        validation: order.validation,
        certificate_type: order.certificate_type,
        stored_status: CertificateStatus::Active,
        domain_name: order.common_name.as_str().to_owned(),
        names: order
            .names
            .iter()
            .map(|name| name.as_str().to_owned())
            .collect(),
        organization: order.subject.clone(),
        coc: order.coc.clone(),
        issuer: signed.issuer,
        serial: signed.serial,
        not_before: signed.not_before,
        not_after: signed.not_after,
        subscription_end: signed.subscription_end,
        key_algorithm: key.algorithm().name().to_owned(),
        key_size: key.size_bits(),
        spki_sha256: key.spki_sha256(),
        fingerprint: fingerprint(&signed.der),
        der: signed.der,
        csr: Some(order.csr.clone()),
        predecessor: process.source,
        successor: None,
        revocation: None,
        revocation_scheduled: None,
    })
}

fn fingerprint(der: &[u8]) -> [u8; 32] {
    let mut hash = [0_u8; 32];
    hash.copy_from_slice(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, der).as_ref());
    hash
}

pub(super) fn unavailable(reason: String) -> Error {
    Error::unavailable(
        "The issuer cannot sign now",
        std::time::Duration::from_secs(5),
        reason,
    )
}
