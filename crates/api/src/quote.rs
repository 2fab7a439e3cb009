//! Prices as the contract shows them (contract.md sections 1.6 and 5.5).

use reseal_lifecycle::issuance::Quote;
use reseal_lifecycle::price::{Billable, ChargeAction};
use schemars::JsonSchema;
use serde::Serialize;

/// The answer to `quote=true`.
#[derive(JsonSchema, Serialize)]
#[schemars(rename = "Quote")]
pub(crate) struct QuoteBody<'a> {
    command: &'static str,
    quote: Price<'a>,
}

/// `total` cents for the `billables`.
#[derive(JsonSchema, Serialize)]
pub(crate) struct Price<'a> {
    /// Cents.
    total: i64,
    /// ISO 4217; absent when it is free, as the billables.
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) billables: Option<Vec<BillableBody<'a>>>,
}

/// One charge.
#[derive(JsonSchema, Serialize)]
#[schemars(rename = "Billable")]
pub(crate) struct BillableBody<'a> {
    product: &'a str,
    action: ChargeAction,
    quantity: u32,
    /// Cents for one.
    amount: i64,
    refundable: bool,
    /// Cents for all.
    total: i64,
}

impl<'a> QuoteBody<'a> {
    /// The command that would be carried out, and its price.
    pub(crate) fn of(quote: &'a Quote) -> Self {
        Self {
            command: quote.command,
            quote: Price::of(quote),
        }
    }
}

impl<'a> Price<'a> {
    /// What is free has neither currency nor billables.
    pub(crate) fn of(quote: &'a Quote) -> Self {
        let total = quote.total();
        let charged = total != 0;
        Self {
            total,
            currency: charged.then_some(quote.currency.as_str()),
            billables: charged.then(|| BillableBody::all(&quote.billables)),
        }
    }
}

impl<'a> BillableBody<'a> {
    /// Every charge.
    pub(crate) fn all(billables: &'a [Billable]) -> Vec<Self> {
        let body = |billable: &'a Billable| Self {
            product: &billable.product,
            action: billable.action,
            quantity: billable.quantity,
            amount: billable.amount,
            // There is no way to give anything back yet.
            refundable: false,
            total: billable.total(),
        };
        billables.iter().map(body).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_quote_has_the_contracts_shape() {
        let mut quote = Quote {
            command: "ReissueCertificateCommand",
            currency: "EUR".into(),
            billables: vec![Billable {
                product: "ssl_dv_md".into(),
                action: ChargeAction::ExtraDomain,
                quantity: 2,
                amount: 250,
            }],
        };
        assert_eq!(
            serde_json::to_value(QuoteBody::of(&quote)).unwrap(),
            json!({"command": "ReissueCertificateCommand", "quote": {
                "total": 500, "currency": "EUR", "billables": [{
                    "product": "ssl_dv_md", "action": "EXTRA_DOMAIN", "quantity": 2, "amount": 250,
                    "refundable": false, "total": 500}]}})
        );
        quote.billables.clear();
        assert_eq!(
            serde_json::to_value(QuoteBody::of(&quote)).unwrap(),
            json!({"command": "ReissueCertificateCommand", "quote": {"total": 0}})
        );
    }
}
