//! What an upstream delivers is stored if it is what was ordered, else nobody gets it (nasty input 141).

use jiff::{SignedDuration, Timestamp};
use reseal_pki::calendar;
use reseal_pki::csr::Csr;

use super::inspect::{Inspected, Wrong, inspect};
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
use crate::upstream::{Delivered, Duty};

/// What a private upstream may sign for at the longest, unless the operator says otherwise: ten years.
const LONGEST_PRIVATE: SignedDuration = SignedDuration::from_hours(24 * 3653);

impl Services {
    /// Stores what was delivered if it is what was ordered; else nobody gets it (nasty input 141).
    pub(super) async fn take_delivery(
        &self,
        process: Process,
        order: &Order,
        delivered: &Delivered,
    ) -> Result<Process, Error> {
        let csr = Csr::from_der(&order.csr).map_err(Error::internal)?;
        let now = self.clock.now();
        let longest = |begin| self.longest_taken(order, begin);
        let upstream = self.upstreams.get(&order.issuer);
        let roots = upstream.map_or(&[][..], |upstream| upstream.roots());
        let (names, key) = (&order.names, csr.public_key());
        let inspected = inspect(delivered, names, key, longest, roots, now);
        let (what, reason) = match inspected {
            Ok(inspected) => {
                return self
                    .store_delivered(process, order, delivered, inspected)
                    .await;
            }
            Err(Wrong::Unverifiable(what)) => return self.doubt_issuer(process, &what).await,
            Err(Wrong::NotOrdered(what)) => (what, Some(RevocationReason::Superseded)),
            // What cannot be read cannot be revoked either.
            Err(Wrong::Unreadable(what)) => (what, None),
        };
        let why = format!(
            "issuer `{}` delivered a certificate that was not ordered, which is discarded: {what}",
            order.issuer
        );
        self.revoke_unstored(process, order, delivered, &why, reason)
            .await
    }

    /// The longest validity that is taken from an upstream, of what begins at `begin`.
    fn longest_taken(&self, order: &Order, begin: Timestamp) -> SignedDuration {
        let configured = self.upstreams.get(&order.issuer);
        let configured = configured.and_then(|upstream| upstream.longest_validity());
        let by_rule = match self.settings.trust {
            Trust::Public => calendar::rules_at(begin).maximum_validity,
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
