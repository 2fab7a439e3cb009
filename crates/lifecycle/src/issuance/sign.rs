//! The irreversible act: a reserved certificate is signed and stored, and the old one is marked.

use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use reseal_pki::csr::Csr;
use reseal_pki::key::PublicKey;

use super::recheck::NotPrepared;
use crate::certificate::{Certificate, CertificateStatus};
use crate::error::Error;
use crate::event::{Event, EventKind};
use crate::fault;
use crate::issuer::{CertificateOrder, Issuer, IssuerError, Prepared};
use crate::process::{Action, Order, Process, ProcessId, State, Work};
use crate::services::Services;
use crate::store::{Change, Issuance, Replacement, Reservation, StoreError, Subscription};

/// How long after a failure the issuer is asked again for a signature that is recorded.
const SIGN_AGAIN: SignedDuration = SignedDuration::from_secs(5);

/// A linted certificate, recorded or about to be, and who signs it.
pub(super) struct Signature {
    pub(super) prepared: Prepared,
    pub(super) issuer: String,
    /// For which moment its grounds were judged and it was built.
    pub(super) made: Timestamp,
}

impl Signature {
    /// What is signed, and what is known of it afterwards.
    pub(super) fn take(self) -> (Used, Prepared) {
        let used = Used {
            reservation: self.reservation(),
            not_before: self.prepared.not_before,
            not_after: self.prepared.not_after,
        };
        (used, self.prepared)
    }

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

/// A certificate that was handed over to be signed.
pub(super) struct Used {
    pub(super) reservation: Reservation,
    not_before: Timestamp,
    not_after: Timestamp,
}

/// Builds and lints the certificate of `order` for signing at `now`.
pub(super) fn prepare(
    services: &Services,
    order: &Order,
    public_key: &PublicKey,
    now: Timestamp,
) -> Result<Signature, NotPrepared> {
    let name = services.signs_for(&order.issuer);
    let prepared = issuer(services, name)?
        .prepare(&certificate_order(order, public_key, now))
        .map_err(NotPrepared::Issuer)?;
    Ok(Signature {
        prepared,
        issuer: name.to_owned(),
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

    /// Signs what is reserved and stores the certificate; where logs are asked, they come in between.
    pub(super) async fn sign(
        &self,
        process: Process,
        signature: Signature,
    ) -> Result<Process, Error> {
        fault::point(fault::Point::Reserved).await;
        if self.transparency.is_some() {
            return Box::pin(self.precertify(process, signature)).await;
        }
        let issuer = self.issuer(&signature.issuer)?;
        let (signature, prepared) = signature.take();
        match issuer.issue(prepared).await {
            Ok(der) => self.store_signed(process, der, signature).await,
            Err(error) => {
                let issuer = &signature.reservation.issuer;
                Err(self.sign_again_soon(process.id, issuer, &error).await)
            }
        }
    }

    /// Stores the certificate `der`, the old one's new status and the end of the process in one commit.
    pub(super) async fn store_signed(
        &self,
        process: Process,
        der: Vec<u8>,
        signed: Used,
    ) -> Result<Process, Error> {
        fault::point(fault::Point::Signed).await;
        let order = match process.work() {
            Some(work) => work.order.clone(),
            None => return Err(Error::internal("a process without work")),
        };
        let Used {
            reservation: reserved,
            not_before,
            not_after,
        } = signed;
        let id = process.id;
        let now = self.clock.now();
        // As of when the certificate was made ready, so that both can end in the same second.
        let subscription = new_subscription(&order, &process.customer, reserved.created);
        let end = subscription
            .as_ref()
            .map(|subscription| subscription.end)
            .or(order.subscription_end);
        let signed = Signed {
            der,
            serial: reserved.serial.clone(),
            not_before,
            not_after,
            issuer: reserved.issuer.clone(),
            subscription_end: end.unwrap_or(not_after),
        };
        let certificate = certificate(&process, &order, signed)?;
        let replaces = self.replacement(&process, &order, now);
        let is_late = matches!(process.state(), State::Logging { .. });
        let (process, mut events) = process.complete(not_after, now).map_err(Error::internal)?;
        events.extend(replaces.as_ref().map(|old| replaced(old, now)));
        let mut change = Change::new(process, events);
        change.issuance = Some(Box::new(Issuance {
            certificate,
            subscription,
            allowance: order.allowance.filter(|_| order.months.is_none()),
            replaces,
            chain: None,
            is_late,
        }));
        let process = match self.store.advance(change).await {
            // What it rests on is gone since it was looked at: the certificate never leaves this server.
            Err(
                error @ (StoreError::KeyBlocked
                | StoreError::SourceGone
                | StoreError::ProofDistrusted(_)
                | StoreError::ApprovalWithdrawn(_)),
            ) => return self.lose(id, &reserved, error).await,
            stored => stored?,
        };
        self.metrics.issued(&reserved.issuer);
        fault::point(fault::Point::Completed).await;
        Ok(process)
    }

    /// Nobody knows whether it was signed: what is reserved is signed once more, under the same serial number, when the
    /// lease ends, which is soon.
    pub(super) async fn sign_again_soon(
        &self,
        id: ProcessId,
        issuer: &str,
        error: &IssuerError,
    ) -> Error {
        self.metrics.unsigned(issuer);
        let now = self.clock.now();
        let soon = now.checked_add(SIGN_AGAIN).unwrap_or(now);
        // Else it ends by itself, only later.
        if let Err(error) = self.store.extend_lease(id, soon).await {
            tracing::warn!(process = id, %error, "the lease could not be shortened");
        }
        unavailable(error.to_string())
    }

    /// What becomes of the certificate that this one replaces (rules.md R-4). A renewed one was paid for to its
    /// end, and stays good until then.
    pub(super) fn replacement(
        &self,
        process: &Process,
        order: &Order,
        now: Timestamp,
    ) -> Option<Replacement> {
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

/// That the certificate `old` was replaced.
pub(super) fn replaced(old: &Replacement, now: Timestamp) -> Event {
    let kind = EventKind::Replaced {
        certificate: old.certificate,
        status: old.status.as_str().to_owned(),
        revocation_scheduled_at: old.revoke_at,
    };
    Event::new(now, kind)
}

/// What came back from the issuer.
pub(super) struct Signed {
    pub(super) der: Vec<u8>,
    pub(super) serial: Vec<u8>,
    pub(super) not_before: Timestamp,
    pub(super) not_after: Timestamp,
    pub(super) issuer: String,
    pub(super) subscription_end: Timestamp,
}

pub(super) fn new_subscription(
    order: &Order,
    customer: &str,
    now: Timestamp,
) -> Option<Subscription> {
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

pub(super) fn certificate(
    process: &Process,
    order: &Order,
    signed: Signed,
) -> Result<Certificate, Error> {
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

/// SHA-256 of a certificate.
pub(super) fn fingerprint(der: &[u8]) -> [u8; 32] {
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
