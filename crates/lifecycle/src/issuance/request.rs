//! The front of a request for a new certificate.

use std::sync::Arc;

use super::outer::Draft;
use super::reissue::no_auth_key;
use super::{Answer, Mode, NewCertificate, candidate, names, quote};
use crate::customer::Caller;
use crate::error::{Error, Violation};
use crate::process::{Action, Opening, Organization};
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
        let product = self
            .catalogue
            .get(&new.product)
            .ok_or_else(|| Error::not_found(&format!("Product {}", new.product)))?;
        let mut violations = Vec::new();
        if !product.periods.contains(&new.period) {
            violations.push(Violation::new(
                "period",
                format!(
                    "product `{}` is sold for {:?} months",
                    product.product, product.periods
                ),
                Some(&new.period.to_string()),
            ));
        }
        let request = &new.request;
        let csr = candidate::examine(self, &request.csr).await?;
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
            subscription_end: None,
            months: Some(new.period),
            previous: None,
            earlier: Vec::new(),
            organization: Organization::NotNeeded,
            subject: None,
        };
        violations.extend(draft.missing_fields());
        if !violations.is_empty() {
            return Err(Error::constraint(violations));
        }
        if request.auth_key {
            return Err(no_auth_key());
        }
        let now = self.clock.now();
        let authorizations = self.authorizations_for(&draft).await?;
        let work = self.plan(&draft, &authorizations, now)?;
        if mode == Mode::Quote {
            return Ok(Answer::Quote(quote::for_request(
                &work.order,
                product,
                new.period,
            )));
        }
        let opening = Opening {
            customer: customer.to_owned(),
            user: caller.user.clone(),
            action: Action::Request,
            command: request.command.clone(),
            source: None,
            subscription: None,
        };
        self.launch(caller, opening, work).await
    }
}
