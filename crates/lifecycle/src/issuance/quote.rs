//! What a request would cost (contract.md sections 1.6 and 1.7). Changes nothing.

use crate::price::{Acknowledged, Billable};
use crate::process::{Action, Order};
use crate::product::Product;

/// An answer to `quote=true`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    /// `RequestCertificateCommand`, `ReissueCertificateCommand` or `RenewCertificateCommand`.
    pub command: &'static str,
    /// ISO 4217.
    pub currency: String,
    /// What is charged; empty when it is free.
    pub billables: Vec<Billable>,
}

impl Quote {
    /// What `order`, made for `action`, costs.
    pub(super) fn of(action: Action, order: &Order, product: &Product) -> Self {
        Self {
            command: match action {
                Action::Reissue => "ReissueCertificateCommand",
                Action::Renew => "RenewCertificateCommand",
                Action::Request | Action::Revoke | Action::Import => "RequestCertificateCommand",
            },
            currency: product.currency.clone(),
            billables: order.billables.clone(),
        }
    }

    /// Sum in cents.
    pub fn total(&self) -> i64 {
        self.billables.iter().map(Billable::total).sum()
    }

    /// Whether the caller's acknowledgments cover every charge. Nobody has to send any: then all is covered.
    pub(super) fn is_acknowledged_by(&self, given: &[Acknowledged]) -> bool {
        given.is_empty()
            || self
                .billables
                .iter()
                .all(|billable| given.iter().any(|one| one.covers(billable)))
    }
}
