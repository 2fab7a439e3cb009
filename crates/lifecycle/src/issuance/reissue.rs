//! The front of a reissue: may this certificate be reissued, and into what.
//!
//! Order of the checks (design decision 3): existence, status, CSR, names and product. Everything that one
//! stage finds is reported together.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::outer::Draft;
use super::plan::Earlier;
use super::quote;
use super::{Answer, CertificateRequest, Mode, candidate, names};
use crate::certificate::{Certificate, CertificateId, CertificateStatus, SubscriptionId};
use crate::customer::{Caller, Scope};
use crate::error::{Error, Kind};
use crate::import;
use crate::process::{Action, Opening, Organization, Work};
use crate::product::{Feature, Product};
use crate::services::Services;

/// A subscription with less than this left is not worth a certificate (design decision 9).
pub(super) const SHORTEST_REMAINDER: SignedDuration = SignedDuration::from_hours(24);

impl Services {
    /// Reissues certificate `id` with the CSR and names of `request`.
    ///
    /// # Errors
    /// [`Kind::NotFound`], [`Kind::Status`], [`Kind::Exists`] for another open process of the certificate,
    /// [`Kind::InvalidCsr`], [`Kind::Constraint`], [`Kind::Rule`]; after any of them nothing is left behind.
    pub async fn reissue(
        self: &Arc<Self>,
        caller: &Caller,
        id: CertificateId,
        request: CertificateRequest,
        mode: Mode,
    ) -> Result<Answer, Error> {
        let old = self.certificate(caller, id).await?;
        let now = self.clock.now();
        let product = self.check_reissuable(&old, now).await?;

        let csr = candidate::examine(self, &request.csr).await?;
        candidate::check_key(self, &old.customer, &csr.public_key().spki_sha256()).await?;

        let set = names::resolve(&names::Sources {
            request: &request,
            csr: &csr,
            product,
            policy: &self.settings.names,
            previous: Some((&old.domain_name, &old.names)),
        })
        .map_err(Error::constraint)?;
        if request.auth_key {
            return Err(no_auth_key());
        }

        let mut draft = Draft {
            customer: &old.customer,
            product,
            request: &request,
            csr: &csr,
            set,
            subscription_end: Some(old.subscription_end),
            months: None,
            previous: Some(&old),
            earlier: Vec::new(),
            organization: Organization::NotNeeded,
            subject: old.organization.clone(),
        };
        let authorizations = self.authorizations_for(&draft).await?;
        if !draft.is_covered(&authorizations, self, now) || draft.needs_organization() {
            let earlier = self.earlier_work(&old).await?;
            draft.carry_over(earlier.as_ref(), now);
        }
        let work = self.plan(&draft, &authorizations, now)?;

        let subscription = self.store.subscription(old.subscription);
        if mode == Mode::Quote {
            let paid = subscription
                .await?
                .map_or((0, 0), |known| (known.paid_names, known.paid_wildcards));
            return Ok(Answer::Quote(quote::for_reissue(
                &work.order,
                product,
                paid,
            )));
        }
        self.check_pace(old.subscription, now).await?;
        let opening = Opening {
            customer: old.customer.clone(),
            user: caller.user.clone(),
            action: Action::Reissue,
            command: request.command.clone(),
            source: Some(old.id),
            subscription: Some(old.subscription),
        };
        match self.launch(caller, opening, work).await {
            // Somebody was faster: say who, as a later request would hear it.
            Err(error) if error.kind == Kind::Status => {
                let old = self.store.certificate(&Scope::Everything, old.id).await?;
                if let Some(old) = old {
                    self.check_reissuable(&old, self.clock.now()).await?;
                }
                Err(error)
            }
            answer => answer,
        }
    }

    /// A program that reissues in a loop is stopped before it fills the store.
    async fn check_pace(&self, subscription: SubscriptionId, now: Timestamp) -> Result<(), Error> {
        let Some(most) = self.settings.reissues_per_day else {
            return Ok(());
        };
        let Some(accepted) = self.store.nth_newest(subscription, most).await? else {
            return Ok(());
        };
        let again = accepted
            .saturating_add(SignedDuration::from_hours(24))
            .map_err(Error::internal)?;
        if again <= now {
            return Ok(());
        }
        let message = format!(
            "{most} certificates of this subscription were issued within 24 hours, no more are: the next may be \
             asked for at {}",
            again.strftime("%Y-%m-%dT%H:%M:%SZ")
        );
        Err(Error {
            retry_after: Duration::try_from(again.duration_since(now)).ok(),
            ..Error::new(Kind::RateLimited, message)
        })
    }

    /// Whether `old` may be reissued at all; the answer is its product.
    async fn check_reissuable(&self, old: &Certificate, now: Timestamp) -> Result<&Product, Error> {
        let id = old.id;
        let prohibited = |message: String| Err(Error::new(Kind::Status, message));
        match old.status(now) {
            CertificateStatus::Active | CertificateStatus::Expired => {}
            CertificateStatus::Reissued | CertificateStatus::Renewed => {
                let newest = self.store.newest_certificate(old.subscription).await?;
                let status = old.stored_status.as_str();
                let newest = old.successor.or(newest).unwrap_or(id);
                return prohibited(format!(
                    "Certificate {id} is {status}: certificate {newest} took its place, reissue that one"
                ));
            }
            CertificateStatus::Revoked => {
                return prohibited(format!(
                    "Certificate {id} is REVOKED and cannot be reissued: order a new one"
                ));
            }
        }
        if old.issuer == import::ISSUER {
            return prohibited(format!(
                "Certificate {id} is imported: it was issued elsewhere and can only be reissued there"
            ));
        }
        if old.subscription_end.duration_since(now) < SHORTEST_REMAINDER {
            return prohibited(format!(
                "The subscription of certificate {id} ({}) ends at {}: the remaining term is too short for a reissue, renew it instead",
                old.status(now).as_str(),
                old.subscription_end
            ));
        }
        let product = self.product(&old.product)?;
        if !product.has(Feature::Reissue) {
            return prohibited(format!(
                "Certificate {id} is {}, but product `{}` cannot be reissued",
                old.status(now).as_str(),
                product.product
            ));
        }
        if let Some(open) = self.store.open_process(old.subscription).await? {
            return Err(Error::new(
                Kind::Exists,
                format!("Process {open} is open for certificate {id}: wait for it or cancel it"),
            ));
        }
        Ok(product)
    }

    /// What the process that led to `old` worked with.
    async fn earlier_work(&self, old: &Certificate) -> Result<Option<Work>, Error> {
        let process = self.store.process(&Scope::Everything, old.process).await?;
        Ok(process.and_then(|process| process.work().cloned()))
    }
}

impl Draft<'_> {
    /// Takes from the earlier process what a reissue need not ask again: how each name was proved, and the
    /// organization's validation while it is fresh and about the same organization (R-7, V-5, V-8).
    fn carry_over(&mut self, earlier: Option<&Work>, now: Timestamp) {
        let Some(earlier) = earlier else {
            return;
        };
        self.earlier = earlier
            .proofs
            .iter()
            .map(|proof| Earlier {
                name: proof.name.clone(),
                method: proof.method,
                email: proof.email.clone(),
            })
            .collect();
        let limit = reseal_pki::calendar::rules_at(now).organization_reuse;
        if let Organization::Validated { obtained, .. } = &earlier.organization
            && now.duration_since(*obtained) <= limit
            && self.subject_now() == earlier.order.subject
        {
            self.organization = Organization::Validated {
                obtained: *obtained,
                reused: true,
            };
        }
    }
}

/// What `authKey: true` is answered with while no auth key can be made here (contract.md section 2.3: the
/// caller then repeats the call without it, so nothing may be left behind).
pub(super) fn no_auth_key() -> Error {
    Error::new(
        Kind::Rule,
        "No authKey was made for this CSR and product: call without `authKey` and prove each name instead",
    )
}
