//! The front of a request for a new certificate.

use std::sync::Arc;

use super::draft::{Draft, Term};
use super::{Answer, Mode, NewCertificate, candidate, names};
use crate::customer::Caller;
use crate::error::{Error, Violation};
use crate::price::ChargeAction;
use crate::process::{Action, Opening};
use crate::product::Product;
use crate::services::Services;

impl Services {
    /// Requests a new certificate.
    ///
    /// # Errors
    /// As for [`Services::reissue`], less what concerns an old certificate.
    pub async fn request(
        self: &Arc<Self>,
        caller: &Caller,
        new: NewCertificate,
        mode: Mode,
    ) -> Result<Answer, Error> {
        let customer = new.customer.as_str();
        if !caller.scope().admits(customer) || !self.store.customer_exists(customer).await? {
            return Err(Error::not_found(&format!("Customer {customer}")));
        }
        let product = self.product_asked_for(&new.product)?;
        let mut violations: Vec<Violation> =
            wrong_period(product, new.period).into_iter().collect();
        let request = &new.request;
        let csr = candidate::examine(self, caller, &request.csr).await?;
        candidate::check_key(self, customer, &csr.public_key().spki_sha256()).await?;

        let set = match names::resolve(&names::Sources {
            request,
            csr: &csr,
            product,
            policy: &self.settings.names,
            previous: None,
        }) {
            Ok(set) => set,
            Err(found) => {
                violations.extend(found);
                return Err(Error::constraint(violations));
            }
        };
        let draft = Draft {
            customer,
            product,
            request,
            csr: &csr,
            set,
            term: Term::New {
                action: ChargeAction::Request,
                months: new.period,
                follows: None,
            },
            previous: None,
            earlier: Vec::new(),
            subject: None,
            approver: None,
        };
        violations.extend(draft.missing_fields());
        if !violations.is_empty() {
            return Err(Error::constraint(violations));
        }
        let now = self.clock.now();
        let authorizations = self.authorizations_for(&draft).await?;
        let work = self.plan(&draft, &authorizations, mode, now).await?;
        let opening = Opening {
            customer: customer.to_owned(),
            user: caller.user.clone(),
            action: Action::Request,
            command: request.command.clone(),
            source: None,
            subscription: None,
        };
        self.conclude(caller, &draft, opening, work, mode, &new.acknowledged)
            .await
    }
}

/// A period that `product` is not sold for.
pub(super) fn wrong_period(product: &Product, months: u32) -> Option<Violation> {
    let message = format!(
        "product `{}` is sold for {:?} months",
        product.product, product.periods
    );
    let wrong = !product.periods.contains(&months);
    wrong.then(|| Violation::new("period", message, Some(&months.to_string())))
}
