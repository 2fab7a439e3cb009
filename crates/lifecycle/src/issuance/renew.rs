//! The front of a renewal: may this certificate be renewed, and as which product (contract.md section 4.3).
//!
//! A renewal buys a subscription of its own. It begins where the old one ends, so that nothing of what was paid
//! for is lost; the certificate itself is valid from now on, within the profile's limit.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::draft::Term;
use super::replace::Replacing;
use super::request::wrong_period;
use super::{Answer, Mode, Renewal};
use crate::certificate::{Certificate, CertificateId};
use crate::customer::Caller;
use crate::error::{Error, Kind, Violation};
use crate::import;
use crate::price::ChargeAction;
use crate::process::Action;
use crate::product::Product;
use crate::services::Services;

const DAY: SignedDuration = SignedDuration::from_hours(24);

impl Services {
    /// Renews certificate `id`: the one that takes its place has a subscription of its own.
    ///
    /// # Errors
    /// [`Kind::NotFound`] for certificate and product, [`Kind::Status`] also before the renewal window opens,
    /// else as for [`Services::reissue`].
    pub async fn renew(
        self: &Arc<Self>,
        caller: &Caller,
        id: CertificateId,
        renewal: Renewal,
        mode: Mode,
    ) -> Result<Answer, Error> {
        let old = self.certificate(caller, id).await?;
        let now = self.clock.now();
        let asked = renewal.product.as_deref();
        let asked = asked.map(|handle| self.product_asked_for(handle));
        let asked = asked.transpose()?;
        let product = self.check_renewable(&old, asked, now).await?;
        if product.product != old.product && !product.renew_from.contains(&old.product) {
            let message = format!(
                "certificates of product `{}` cannot be renewed as `{}`, which takes {:?}",
                old.product, product.product, product.renew_from
            );
            let wrong = Violation::new("product", message, Some(&product.product));
            return Err(Error::constraint(vec![wrong]));
        }
        let replacing = Replacing {
            old: &old,
            action: Action::Renew,
            product,
            request: &renewal.request,
            term: Term::New {
                action: ChargeAction::Renew,
                months: renewal.period,
                follows: follows(&old),
            },
            violations: wrong_period(product, renewal.period).into_iter().collect(),
            acknowledged: &renewal.acknowledged,
        };
        self.replace(caller, replacing, mode).await
    }

    /// Whether `old` may be renewed now; the answer is the product it is renewed as.
    async fn check_renewable<'a>(
        &'a self,
        old: &Certificate,
        asked: Option<&'a Product>,
        now: Timestamp,
    ) -> Result<&'a Product, Error> {
        self.check_current(old, Action::Renew, now).await?;
        let id = old.id;
        let prohibited = |message: String| Err(Error::new(Kind::Status, message));
        let product = match asked {
            Some(product) => product,
            None if old.issuer == import::ISSUER => {
                return prohibited(format!(
                    "Certificate {id} is imported: say as which `product` it is to be renewed"
                ));
            }
            None => self.product(&old.product)?,
        };
        // What the old product promised counts as long as anybody knows it.
        let promised = self.catalogue.get(&old.product).unwrap_or(product);
        let from = window_opens(old.subscription_end, promised.renewal_window);
        if now < from {
            return prohibited(format!(
                "Certificate {id} can be renewed from {from:.0} on, {} days before its subscription ends",
                promised.renewal_window
            ));
        }
        self.check_none_open(old).await?;
        Ok(product)
    }
}

/// First moment at which a subscription that ends at `end` may be renewed.
fn window_opens(end: Timestamp, days: u32) -> Timestamp {
    let window = DAY.saturating_mul(i32::try_from(days).unwrap_or(i32::MAX));
    end.saturating_sub(window).unwrap_or(Timestamp::MIN)
}

/// The end of what was paid for here; what was bought elsewhere does not go on.
fn follows(old: &Certificate) -> Option<Timestamp> {
    (old.issuer != import::ISSUER).then_some(old.subscription_end)
}
