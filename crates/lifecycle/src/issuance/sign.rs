//! The irreversible act: a reserved certificate is signed and stored, and the old one is marked.

use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use reseal_pki::csr::Csr;
use reseal_pki::key::PublicKey;

use super::incident;
use super::recheck::NotPrepared;
use crate::certificate::{Certificate, CertificateStatus, RevocationReason};
use crate::customer::Scope;
use crate::error::Error;
use crate::event::{Event, EventKind};
use crate::fault;
use crate::issuer::{CertificateOrder, Issuer, IssuerError, Prepared};
use crate::process::{Action, Order, Process, ProcessId, Work};
use crate::services::Services;
use crate::store::{Change, Issuance, Replacement, Reservation, StoreError, Subscription};

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

/// Last second of the subscription: the running one's, or that of one that comes with the certificate.
fn subscription_end(order: &Order, now: Timestamp) -> Timestamp {
    if let Some(end) = order.subscription_end {
        return end;
    }
    let start = subscription_start(order, now);
    months_after(start, order.months.unwrap_or(0)).unwrap_or(now)
}

/// First second of a subscription that comes with the certificate: now, or the end of the one it continues.
fn subscription_start(order: &Order, now: Timestamp) -> Timestamp {
    let now = whole_second(now);
    order.follows.map_or(now, |end| end.max(now))
}

/// `months` after `start` at the same time of day; where that month has no such day, on its last one.
fn months_after(start: Timestamp, months: u32) -> Option<Timestamp> {
    let start = start.to_zoned_datetime(TimeZone::UTC);
    let end = start.checked_add(i64::from(months).months()).ok()?;
    Some(end.timestamp())
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
        let reserved = signature.reservation();
        let id = process.id;
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
            allowance: order.allowance.filter(|_| order.months.is_none()),
            replaces,
        }));
        let process = match self.store.advance(change).await {
            // What it rests on is gone since it was looked at: the certificate never leaves this server.
            Err(error @ (StoreError::KeyBlocked | StoreError::SourceGone)) => {
                return self.lose(id, &reserved, error).await;
            }
            stored => stored?,
        };
        fault::point(fault::Point::Completed).await;
        Ok(process)
    }

    /// Ends process `id`, whose certificate was signed as `reserved` and is not stored because of `error`.
    async fn lose(
        &self,
        id: ProcessId,
        reserved: &Reservation,
        error: StoreError,
    ) -> Result<Process, Error> {
        let process = self.store.process(&Scope::Everything, id).await?;
        let process = process.ok_or_else(|| Error::internal("a process that is gone"))?;
        let why = match error {
            StoreError::KeyBlocked => RevocationReason::KeyCompromise,
            _ => RevocationReason::Superseded,
        };
        let now = self.clock.now();
        tracing::error!(process = id, %error, "a certificate was signed and not stored");
        let reason = Error::from(error).message;
        let entry = incident::unstored(&process, reserved, &reason, true, now);
        let (process, events) = process.fail(reason, now).map_err(Error::internal)?;
        let mut change = Change::new(process, events);
        change.audit.push(entry);
        change.lost = Some(incident::lost(reserved, why, now));
        Ok(self.store.advance(change).await?)
    }

    /// Gives up what a process has reserved for signing before this server died, for `reason`. Nobody knows whether it
    /// was signed: its serial is treated as if it had been.
    pub(super) async fn abandon(&self, process: Process, reason: String) -> Result<Process, Error> {
        let now = self.clock.now();
        let reserved = self.store.reservation(process.id).await?;
        let key = process.work().map(|work| Csr::from_der(&work.order.csr));
        let compromised = match key {
            Some(Ok(csr)) => {
                let key = csr.public_key().spki_sha256();
                let history = self.store.key_history(&process.customer, &key).await?;
                history.blocked
            }
            _ => false,
        };
        let why = if compromised {
            RevocationReason::KeyCompromise
        } else {
            RevocationReason::Superseded
        };
        let entry = reserved
            .as_ref()
            .map(|reserved| incident::unstored(&process, reserved, &reason, false, now));
        let (process, events) = process.abandon(reason, now).map_err(Error::internal)?;
        let mut change = Change::new(process, events);
        change.audit.extend(entry);
        change.lost = reserved.map(|reserved| incident::lost(&reserved, why, now));
        self.advance_leased(change).await
    }

    /// What becomes of the certificate that this one replaces (rules.md R-4). A renewed one was paid for to its
    /// end, and stays good until then.
    fn replacement(&self, process: &Process, order: &Order, now: Timestamp) -> Option<Replacement> {
        match process.action {
            Action::Reissue => {}
            Action::Renew => {
                return Some(Replacement {
                    certificate: process.source?,
                    status: CertificateStatus::Renewed,
                    revoke_at: None,
                    siblings_with: Vec::new(),
                });
            }
            Action::Request | Action::Revoke | Action::Import => return None,
        }
        let narrowed = !order.removed.is_empty() || order.common_name_moved;
        let after = if narrowed {
            self.settings.revoke_removed_names_after
        } else {
            self.settings.revoke_replaced_after
        };
        Some(Replacement {
            certificate: process.source?,
            status: CertificateStatus::Reissued,
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
        start: subscription_start(order, now),
        end: subscription_end(order, now),
        months,
        allowance: order.allowance.unwrap_or_default(),
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
        mpic: process.work().map(Work::mpic),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::sample;

    fn moment(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn months_end_on_the_same_day_or_the_last_one() {
        for (start, months, end) in [
            ("2026-01-31T10:00:00Z", 1, "2026-02-28T10:00:00Z"),
            ("2028-01-31T10:00:00Z", 1, "2028-02-29T10:00:00Z"),
            ("2026-01-31T10:00:00Z", 3, "2026-04-30T10:00:00Z"),
            ("2026-01-31T10:00:00Z", 12, "2027-01-31T10:00:00Z"),
            ("2028-02-29T23:59:59Z", 12, "2029-02-28T23:59:59Z"),
            ("2026-12-15T00:00:00Z", 36, "2029-12-15T00:00:00Z"),
        ] {
            assert_eq!(
                months_after(moment(start), months),
                Some(moment(end)),
                "{start} {months}"
            );
        }
        assert_eq!(months_after(Timestamp::MAX, 1), None);
    }

    #[test]
    fn a_renewed_term_begins_where_the_old_one_ends_or_now_when_that_is_over() {
        let mut order = sample::work(true).order;
        let now = moment("2026-03-10T12:00:00.75Z");
        order.months = Some(1);
        for (follows, start, end) in [
            (None, "2026-03-10T12:00:00Z", "2026-04-10T12:00:00Z"),
            (
                Some("2026-03-31T08:00:00Z"),
                "2026-03-31T08:00:00Z",
                "2026-04-30T08:00:00Z",
            ),
            (
                Some("2026-03-01T08:00:00Z"),
                "2026-03-10T12:00:00Z",
                "2026-04-10T12:00:00Z",
            ),
        ] {
            order.follows = follows.map(moment);
            let bought = new_subscription(&order, "acme", now).unwrap();
            assert_eq!(
                (bought.start, bought.end),
                (moment(start), moment(end)),
                "{follows:?}"
            );
        }
    }
}
