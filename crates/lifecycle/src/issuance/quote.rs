//! What a request would cost (contract.md section 1.6). Changes nothing.

use crate::process::Order;
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
    /// Sum in cents.
    pub fn total(&self) -> i64 {
        self.billables.iter().map(Billable::total).sum()
    }
}

/// One charge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Billable {
    /// Product handle.
    pub product: String,
    /// `REQUEST`, `RENEW`, `EXTRA_DOMAIN` or `EXTRA_WILDCARD`.
    pub action: &'static str,
    /// How many.
    pub quantity: u32,
    /// Cents each.
    pub amount: i64,
}

impl Billable {
    /// Cents in all.
    pub fn total(&self) -> i64 {
        i64::from(self.quantity) * self.amount
    }
}

/// Names and wildcards of `order` that count against the product's included ones: a free counterpart does
/// not.
pub(super) fn counted(order: &Order, product: &Product) -> (u32, u32) {
    use crate::product::CertificateType;
    if product.certificate_type != CertificateType::MultiDomain {
        return (1, 0);
    }
    let wildcards = order.names.iter().filter(|name| name.is_wildcard()).count();
    (order.names.len() as u32, wildcards as u32)
}

/// The charge for names beyond those included and those already `paid` for.
fn extra_names(order: &Order, product: &Product, paid: (u32, u32)) -> Vec<Billable> {
    let (names, wildcards) = counted(order, product);
    let paid_names = paid.0.max(product.included_domains);
    let extra = names.saturating_sub(paid_names);
    let extra_wildcards = wildcards.saturating_sub(paid.1).min(extra);
    let extra_plain = extra - extra_wildcards;
    let mut billables = Vec::new();
    for (action, quantity, amount) in [
        ("EXTRA_DOMAIN", extra_plain, product.prices.extra_domain),
        (
            "EXTRA_WILDCARD",
            extra_wildcards,
            product.prices.extra_wildcard,
        ),
    ] {
        if quantity > 0 && amount > 0 {
            billables.push(Billable {
                product: product.product.clone(),
                action,
                quantity,
                amount,
            });
        }
    }
    billables
}

/// The price of a new certificate for `months`.
pub(super) fn for_request(order: &Order, product: &Product, months: u32) -> Quote {
    let years = months.div_ceil(12);
    let mut billables = Vec::new();
    if product.prices.request > 0 {
        billables.push(Billable {
            product: product.product.clone(),
            action: "REQUEST",
            quantity: years,
            amount: product.prices.request,
        });
    }
    billables.extend(extra_names(order, product, (0, 0)));
    Quote {
        command: "RequestCertificateCommand",
        currency: product.currency.clone(),
        billables,
    }
}

/// The price of a reissue: names that the subscription has not `paid` for.
pub(super) fn for_reissue(order: &Order, product: &Product, paid: (u32, u32)) -> Quote {
    Quote {
        command: "ReissueCertificateCommand",
        currency: product.currency.clone(),
        billables: extra_names(order, product, paid),
    }
}
