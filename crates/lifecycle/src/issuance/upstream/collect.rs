//! The certificate is asked for once, fetched, and stored.
//!
//! What became of a request whose answer was lost, only the upstream knows: it is asked for the order, and never for
//! another one. While it says that the order is ready it has not been asked yet, or did not hear it; asked then, it makes
//! one certificate all the same, because an order leads to one (RFC 8555 section 7.4).

use std::ops::ControlFlow;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reseal_pki::calendar;
use reseal_pki::csr::Csr;
use tokio::time::sleep;

use super::inspect::{Inspected, inspect};
use super::{Counterpart, Flow, PAUSE, asked_to_wait};
use crate::audit::{AuditEntry, SERVER};
use crate::certificate::RevocationReason;
use crate::customer::Scope;
use crate::error::Error;
use crate::event::{Event, EventKind};
use crate::fault;
use crate::issuance::sign::{self, Signed};
use crate::process::{Order, Process};
use crate::services::{Services, Trust};
use crate::store::{Change, Issuance, StoreError};
use crate::upstream::{Delivered, Duty, OrderStatus, UpstreamError, after};

/// Pauses before each look at the order, within one run.
const LOOKS: [Duration; 6] = [
    Duration::ZERO,
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(2),
];
/// Pause between runs while the upstream makes the certificate.
const BETWEEN_RUNS: Duration = Duration::from_secs(5);
/// An upstream that has answered nothing and whose order is ready for so long does not sign any more.
const LONGEST_SIGNING: SignedDuration = SignedDuration::from_mins(5);
/// The longest pause between two looks at an order that is in doubt.
const LONGEST_WAIT: Duration = Duration::from_mins(30);
/// What a private upstream may sign for at the longest, unless the operator says otherwise: ten years.
const LONGEST_PRIVATE: SignedDuration = SignedDuration::from_hours(24 * 3653);

impl Services {
    /// Reads the order, asks for the certificate if nobody has yet (`is_first`), and takes it when it is there.
    pub(in crate::issuance) async fn collect_upstream(
        &self,
        mut process: Process,
        mut is_first: bool,
    ) -> Result<Process, Error> {
        let with = match self.counterpart(&process).await? {
            Ok(with) => with,
            Err(error) => return self.come_back(process, &error).await,
        };
        let Some((order, placed)) = process
            .work()
            .and_then(|work| Some((work.order.clone(), work.upstream.clone()?)))
        else {
            return Err(Error::internal("a process without an order"));
        };
        let mut wait = BETWEEN_RUNS;
        for pause in LOOKS {
            sleep(pause).await;
            let state = match with.upstream.order(&with.account, &placed.url).await {
                Ok(state) => state,
                Err(error @ UpstreamError::Refused { .. })
                    if placed.is_long_over(self.clock.now()) =>
                {
                    let why = format!("the upstream does not know the order any more: {error}");
                    return self.give_up_doubt(process, &why).await;
                }
                Err(error) => return self.come_back(process, &error).await,
            };
            wait = state.retry_after.unwrap_or(wait);
            match (state.status, state.certificate) {
                (OrderStatus::Ready, _) => {
                    let finalize = &state.finalize;
                    match self
                        .ask_upstream(process, &with, finalize, is_first)
                        .await?
                    {
                        ControlFlow::Continue(asked) => process = asked,
                        ControlFlow::Break(process) => return Ok(process),
                    }
                    is_first = false;
                }
                // Pending: it has accepted every proof, and has not seen yet that this makes the order ready.
                (OrderStatus::Processing | OrderStatus::Pending, _) => {}
                (OrderStatus::Valid, Some(certificate)) => {
                    return match with.upstream.download(&with.account, &certificate).await {
                        Ok(delivered) => self.take_delivery(process, &order, &delivered).await,
                        Err(error) => self.come_back(process, &error).await,
                    };
                }
                (OrderStatus::Valid, None) => {
                    let error =
                        UpstreamError::Lost("it does not say where the certificate is".to_owned());
                    return self.come_back(process, &error).await;
                }
                (OrderStatus::Invalid, _) => {
                    let words = state
                        .error
                        .unwrap_or_else(|| "no reason was given".to_owned());
                    let why = format!(
                        "issuer `{}` does not fulfil the order: {words}",
                        order.issuer
                    );
                    return self.fail(process, why).await;
                }
            }
        }
        self.come_back_in(process, None, wait.max(BETWEEN_RUNS))
            .await
    }

    /// Asks for the certificate of an order that is ready. Again only when it stayed ready for longer than any signing
    /// takes, and for a key that may still be certified: not every upstream says that it is at work, and one that is asked
    /// twice may sign twice.
    async fn ask_upstream(
        &self,
        process: Process,
        with: &Counterpart,
        finalize: &str,
        is_first: bool,
    ) -> Result<Flow, Error> {
        let Some((work, placed)) = process
            .work()
            .and_then(|work| Some((work, work.upstream.as_ref()?)))
        else {
            return Err(Error::internal("a process without an order"));
        };
        let csr = work.order.csr.clone();
        let process = if is_first {
            process
        } else {
            let now = self.clock.now();
            if placed
                .asked
                .is_some_and(|asked| now.duration_since(asked) < LONGEST_SIGNING)
            {
                return Ok(ControlFlow::Continue(process));
            }
            if let Err(why) = self.recheck(&process, work).await {
                let error = UpstreamError::Lost(why.reason());
                return Ok(ControlFlow::Break(self.come_back(process, &error).await?));
            }
            let (process, events) = process.ask_again(now).map_err(Error::internal)?;
            self.advance_leased(Change::new(process, events)).await?
        };
        let asked = with.upstream.finalize(&with.account, finalize, &csr).await;
        fault::point(fault::Point::Finalized).await;
        let asked = match asked {
            Ok(()) => Ok(()),
            Err(error) => Err(self.unless_rekeyed(with, error).await),
        };
        let stopped = match asked {
            Ok(()) => return Ok(ControlFlow::Continue(process)),
            // It was asked before and has not said so.
            Err(error) if error.is("orderNotReady") => return Ok(ControlFlow::Continue(process)),
            Err(error @ UpstreamError::Refused { .. }) => {
                let why = format!("the upstream refused the CSR: {error}");
                if is_first {
                    let issuer = process.work().map(|work| work.order.issuer.clone());
                    let why = format!("issuer `{}`: {why}", issuer.unwrap_or_default());
                    self.fail(process, why).await?
                } else {
                    self.give_up_doubt(process, &why).await?
                }
            }
            Err(error) => self.come_back(process, &error).await?,
        };
        Ok(ControlFlow::Break(stopped))
    }

    /// Fails a process whose upstream was asked for a certificate and will not say what became of that. An operator is told.
    async fn give_up_doubt(&self, process: Process, why: &str) -> Result<Process, Error> {
        let Some((issuer, url)) = process.work().and_then(|work| {
            let url = work.upstream.as_ref()?.url.clone();
            Some((work.order.issuer.clone(), url))
        }) else {
            return Err(Error::internal("a process without an order"));
        };
        let id = process.id;
        let why = format!(
            "issuer `{issuer}` was asked for the certificate of the order {url}, and what became of that is not known: {why}"
        );
        tracing::error!(
            process = id,
            issuer,
            order = url,
            why,
            "a doubt about an order is given up"
        );
        let now = self.clock.now();
        let mut entry = AuditEntry::new(now, SERVER, "incident.upstream", AuditEntry::process(id))
            .with("customer", process.customer.as_str())
            .with("issuer", issuer.as_str())
            .with("order", url.as_str());
        entry.reason = Some(why.clone());
        let (process, events) = process.fail(why, now).map_err(Error::internal)?;
        let mut change = Change::new(process, events);
        change.audit.push(entry);
        Ok(self.store.advance(change).await?)
    }

    /// Leaves the process until the upstream can be asked how far the order is.
    async fn come_back(&self, process: Process, error: &UpstreamError) -> Result<Process, Error> {
        let issuer = process.work().map(|work| work.order.issuer.clone());
        let issuer = issuer.unwrap_or_default();
        tracing::warn!(process = process.id, issuer, %error, "it is not known what became of the order");
        let doubt = format!(
            "issuer `{issuer}`: {error}; the order is read again until it says what became of it"
        );
        let wait = match error {
            UpstreamError::Lost(_) => Duration::from_secs(2),
            _ => asked_to_wait(error).unwrap_or(PAUSE).max(PAUSE),
        };
        self.come_back_in(process, Some(doubt), wait).await
    }

    /// Leaves the process for `wait`, or longer the longer ago the upstream was asked.
    async fn come_back_in(
        &self,
        process: Process,
        doubt: Option<String>,
        wait: Duration,
    ) -> Result<Process, Error> {
        let now = self.clock.now();
        let asked = process
            .work()
            .and_then(|work| work.upstream.as_ref()?.asked);
        let since = asked.map_or(SignedDuration::ZERO, |asked| now.duration_since(asked));
        let grown = Duration::try_from(since / 4).unwrap_or_default();
        let wait = wait.max(grown.min(LONGEST_WAIT));
        let (process, events) = process
            .await_upstream(doubt, after(now, wait), now)
            .map_err(Error::internal)?;
        Ok(self.store.advance(Change::new(process, events)).await?)
    }

    /// Stores what was delivered if it is what was ordered; else nobody gets it (nasty input 141).
    async fn take_delivery(
        &self,
        process: Process,
        order: &Order,
        delivered: &Delivered,
    ) -> Result<Process, Error> {
        let csr = Csr::from_der(&order.csr).map_err(Error::internal)?;
        let now = self.clock.now();
        let longest = self.longest_taken(order, now);
        let upstream = self.upstreams.get(&order.issuer);
        let roots = upstream.map_or(&[][..], |upstream| upstream.roots());
        let (names, key) = (&order.names, csr.public_key());
        match inspect(delivered, names, key, longest, roots, now) {
            Ok(inspected) => {
                self.store_delivered(process, order, delivered, inspected)
                    .await
            }
            Err(what) => self.discard(process, order, delivered, &what).await,
        }
    }

    /// The longest validity that is taken from an upstream.
    fn longest_taken(&self, order: &Order, now: Timestamp) -> SignedDuration {
        let configured = self.upstreams.get(&order.issuer);
        let configured = configured.and_then(|upstream| upstream.longest_validity());
        let by_rule = match self.settings.trust {
            Trust::Public => calendar::rules_at(now).maximum_validity,
            Trust::Private => LONGEST_PRIVATE,
        };
        configured.map_or(by_rule, |configured| match self.settings.trust {
            Trust::Public => configured.min(by_rule),
            Trust::Private => configured,
        })
    }

    async fn store_delivered(
        &self,
        process: Process,
        order: &Order,
        delivered: &Delivered,
        inspected: Inspected,
    ) -> Result<Process, Error> {
        fault::point(fault::Point::Signed).await;
        let now = self.clock.now();
        let Inspected {
            serial,
            not_before,
            not_after,
        } = inspected;
        let subscription = sign::new_subscription(order, &process.customer, now);
        let end = subscription.as_ref().map(|subscription| subscription.end);
        let signed = Signed {
            der: delivered.leaf.clone(),
            serial: serial.clone(),
            not_before,
            not_after,
            issuer: order.issuer.clone(),
            subscription_end: end.or(order.subscription_end).unwrap_or(not_after),
        };
        let outlives = outlives(&signed, now);
        let certificate = sign::certificate(&process, order, signed)?;
        let replaces = self.replacement(&process, order, now);
        let (id, before) = (process.id, process.clone());
        let (process, mut events) = process
            .complete_upstream(hex::encode(&serial), not_after, now)
            .map_err(Error::internal)?;
        events.extend(outlives);
        events.extend(replaces.as_ref().map(|old| sign::replaced(old, now)));
        let mut change = Change::new(process, events);
        change.issuance = Some(Box::new(Issuance {
            certificate,
            subscription,
            allowance: order.allowance.filter(|_| order.months.is_none()),
            replaces,
            chain: Some(delivered.chain.clone()),
            is_late: false,
        }));
        let process = match self.store.advance(change).await {
            // What it rests on is gone since it was looked at, or it is an older one, which stays in force: nobody gets it.
            Err(
                error @ (StoreError::KeyBlocked | StoreError::SourceGone | StoreError::Exists(_)),
            ) => {
                let reason = match error {
                    StoreError::KeyBlocked => Some(RevocationReason::KeyCompromise),
                    StoreError::SourceGone => Some(RevocationReason::Superseded),
                    _ => None,
                };
                let process = self
                    .store
                    .process(&Scope::Everything, id)
                    .await?
                    .unwrap_or(before);
                let why = Error::from(error).message;
                return self
                    .revoke_unstored(process, order, delivered, &why, reason)
                    .await;
            }
            stored => stored?,
        };
        self.metrics.issued(&order.issuer);
        fault::point(fault::Point::Completed).await;
        Ok(process)
    }

    /// What came is not what was ordered.
    async fn discard(
        &self,
        process: Process,
        order: &Order,
        delivered: &Delivered,
        what: &str,
    ) -> Result<Process, Error> {
        let why = format!(
            "issuer `{}` delivered a certificate that was not ordered, which is discarded: {what}",
            order.issuer
        );
        let reason = Some(RevocationReason::Superseded);
        self.revoke_unstored(process, order, delivered, &why, reason)
            .await
    }

    /// Fails the process, and leaves the certificate that came to be revoked by the upstream, if there is a `reason` to.
    async fn revoke_unstored(
        &self,
        process: Process,
        order: &Order,
        delivered: &Delivered,
        why: &str,
        reason: Option<RevocationReason>,
    ) -> Result<Process, Error> {
        let (id, issuer) = (process.id, order.issuer.as_str());
        tracing::error!(
            process = id,
            issuer,
            why,
            "a certificate from an upstream is not stored"
        );
        let now = self.clock.now();
        let fingerprint = sign::fingerprint(&delivered.leaf);
        let object = AuditEntry::process(id);
        let mut entry = AuditEntry::new(now, SERVER, "incident.upstream", object)
            .with("customer", process.customer.as_str())
            .with("issuer", issuer)
            .with("sha256", hex::encode(fingerprint));
        entry.reason = Some(why.to_owned());
        let customer = process.customer.clone();
        let (process, events) = process.fail(why.to_owned(), now).map_err(Error::internal)?;
        let mut change = Change::new(process, events);
        change.audit.push(entry);
        change.unwanted = reason.map(|reason| Duty {
            fingerprint,
            issuer: issuer.to_owned(),
            customer,
            der: delivered.leaf.clone(),
            reason: Some(reason),
            created: now,
            attempts: 0,
        });
        Ok(self.store.advance(change).await?)
    }
}

/// That a certificate is valid for longer than its subscription, if it is.
fn outlives(signed: &Signed, now: Timestamp) -> Option<Event> {
    let (not_after, subscription_end) = (signed.not_after, signed.subscription_end);
    let kind = EventKind::OutlivesSubscription {
        not_after,
        subscription_end,
    };
    (not_after > subscription_end).then(|| Event::new(now, kind))
}
