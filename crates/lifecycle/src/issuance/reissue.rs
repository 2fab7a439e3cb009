//! The front of a reissue: may this certificate be reissued.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::draft::Term;
use super::replace::Replacing;
use super::{Answer, CertificateRequest, Mode};
use crate::certificate::{Certificate, CertificateId, SubscriptionId};
use crate::customer::Caller;
use crate::error::{Error, Kind};
use crate::import;
use crate::process::Action;
use crate::product::{Feature, Product};
use crate::services::Services;

/// A subscription with less than this left is not worth a certificate (design decision 9).
pub(crate) const SHORTEST_REMAINDER: SignedDuration = SignedDuration::from_hours(24);

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
        if mode == Mode::Execute {
            self.check_pace(old.subscription, now).await?;
        }
        let replacing = Replacing {
            old: &old,
            action: Action::Reissue,
            product,
            request: &request,
            term: Term::Rest {
                end: old.subscription_end,
                bought: None,
            },
            violations: Vec::new(),
            acknowledged: &[],
        };
        self.replace(caller, replacing, mode).await
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
        self.check_current(old, Action::Reissue, now).await?;
        let id = old.id;
        let prohibited = |message: String| Err(Error::new(Kind::Status, message));
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
        self.check_none_open(old).await?;
        Ok(product)
    }
}
