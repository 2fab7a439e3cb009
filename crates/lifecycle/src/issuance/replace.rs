//! What a reissue and a renewal have in common: a certificate, and another one in its place.
//!
//! Order of the checks (design decision 3): existence and status, which are the fronts' business, then CSR, names
//! and product. Everything that one stage finds is reported together.

use std::sync::Arc;

use jiff::Timestamp;

use super::draft::{Draft, Term};
use super::plan::Earlier;
use super::{Answer, CertificateRequest, Mode, candidate, names};
use crate::certificate::{Certificate, CertificateStatus, SubscriptionId};
use crate::customer::{Caller, Scope};
use crate::error::{Error, Kind, Violation};
use crate::price::{Acknowledged, Allowance};
use crate::process::{Action, Opening, Work};
use crate::product::Product;
use crate::services::Services;

/// A certificate to be replaced, and by what.
pub(super) struct Replacing<'a> {
    pub(super) old: &'a Certificate,
    /// `Reissue` or `Renew`.
    pub(super) action: Action,
    pub(super) product: &'a Product,
    pub(super) request: &'a CertificateRequest,
    pub(super) term: Term,
    /// What is known to be wrong with the request already.
    pub(super) violations: Vec<Violation>,
    pub(super) acknowledged: &'a [Acknowledged],
}

impl Services {
    /// Plans the new certificate; then the price, or the process that leads to it.
    pub(super) async fn replace(
        self: &Arc<Self>,
        caller: &Caller,
        replacing: Replacing<'_>,
        mode: Mode,
    ) -> Result<Answer, Error> {
        let Replacing {
            old,
            action,
            product,
            request,
            mut term,
            mut violations,
            acknowledged,
        } = replacing;
        let now = self.clock.now();
        let csr = candidate::examine(self, caller, &request.csr).await?;
        candidate::check_key(self, &old.customer, &csr.public_key().spki_sha256()).await?;

        let set = names::resolve(&names::Sources {
            request,
            csr: &csr,
            product,
            policy: &self.settings.names,
            previous: Some((&old.domain_name, &old.names)),
        });
        let set = match set {
            Ok(set) => set,
            Err(found) => {
                violations.extend(found);
                return Err(Error::constraint(violations));
            }
        };
        if let Term::Rest { bought, .. } = &mut term
            && set.names.len() > product.included_domains as usize
        {
            *bought = self.bought(old.subscription).await?;
        }

        let mut draft = Draft {
            customer: &old.customer,
            product,
            request,
            csr: &csr,
            set,
            term,
            previous: Some(old),
            earlier: Vec::new(),
            subject: old.organization.clone(),
            approver: None,
        };
        let authorizations = self.authorizations_for(&draft).await?;
        let earlier = self.earlier_work(old).await?;
        draft.carry_over(earlier.as_ref());
        violations.extend(match action {
            Action::Renew => draft.missing_fields(),
            _ => draft.subject_problems(),
        });
        if !violations.is_empty() {
            return Err(Error::constraint(violations));
        }
        let work = self.plan(&draft, &authorizations, mode, now).await?;
        let opening = Opening {
            customer: old.customer.clone(),
            user: caller.user.clone(),
            action,
            command: request.command.clone(),
            source: Some(old.id),
            subscription: Some(old.subscription),
        };
        match self
            .conclude(caller, &draft, opening, work, mode, acknowledged)
            .await
        {
            // Somebody was faster: say who, as a later request would hear it.
            Err(error) if error.kind == Kind::Status => {
                let old = self.store.certificate(&Scope::Everything, old.id).await?;
                if let Some(old) = old {
                    self.check_current(&old, action, self.clock.now()).await?;
                    self.check_none_open(&old).await?;
                }
                Err(error)
            }
            answer => answer,
        }
    }

    /// Whether `old` is the certificate that its subscription has now, and good for anything.
    pub(super) async fn check_current(
        &self,
        old: &Certificate,
        action: Action,
        now: Timestamp,
    ) -> Result<(), Error> {
        let id = old.id;
        let verb = action.as_str();
        let message = match old.status(now) {
            CertificateStatus::Active | CertificateStatus::Expired => {
                match self.barred(old).await? {
                    None => return Ok(()),
                    Some(why) => format!("Certificate {id}: no {verb} is possible: {why}"),
                }
            }
            CertificateStatus::Reissued | CertificateStatus::Renewed => {
                let newest = self.store.newest_certificate(old.subscription).await?;
                let status = old.stored_status.as_str();
                let newest = old.successor.or(newest).unwrap_or(id);
                format!(
                    "Certificate {id} is {status}: certificate {newest} took its place, {verb} that one"
                )
            }
            CertificateStatus::Revoked => {
                format!("Certificate {id} is REVOKED and cannot be {verb}ed: order a new one")
            }
        };
        Err(Error::new(Kind::Status, message))
    }

    /// Whether no other process of `old`'s subscription is open.
    pub(crate) async fn check_none_open(&self, old: &Certificate) -> Result<(), Error> {
        match self.store.open_process(old.subscription).await? {
            None => Ok(()),
            Some(open) => Err(Error::new(
                Kind::Exists,
                format!(
                    "Process {open} is open for certificate {}: wait for it or cancel it",
                    old.id
                ),
            )),
        }
    }

    /// Months of a subscription, and how many names it may carry.
    async fn bought(&self, id: SubscriptionId) -> Result<Option<(u32, Allowance)>, Error> {
        let known = self.store.subscription(id).await?;
        Ok(known.map(|known| (known.months, known.allowance)))
    }

    /// What the process that led to `old` worked with.
    async fn earlier_work(&self, old: &Certificate) -> Result<Option<Work>, Error> {
        let process = self.store.process(&Scope::Everything, old.process).await?;
        Ok(process.and_then(|process| process.work().cloned()))
    }
}

impl Draft<'_> {
    /// Takes from the earlier process what need not be asked again: how each name was proved, and who answers for
    /// the organization.
    fn carry_over(&mut self, earlier: Option<&Work>) {
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
                contact: proof.contact.clone(),
            })
            .collect();
        self.approver.clone_from(&earlier.order.approver);
    }
}
