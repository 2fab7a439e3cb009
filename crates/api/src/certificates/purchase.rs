//! The fields of calls that buy something (contract.md sections 1.7, 4.2 and 4.3).

use reseal_lifecycle::price::Acknowledged;

use crate::body::Fields;
use crate::body::syntax::Text;

/// Months that a period may have at all; the product says which ones it has.
const LONGEST_PERIOD: u32 = 1200;

/// Actions a caller may acknowledge (contract.md section 1.6).
const BILLABLE_ACTIONS: &[&str] = &[
    "CREATE",
    "REQUEST",
    "TRANSFER",
    "RENEW",
    "RESTORE",
    "TRANSFER_RESTORE",
    "UPDATE",
    "REGISTRANT_CHANGE",
    "LOCAL_CONTACT",
    "NEGATIVE_MARKUP",
    "PRIVACY_PROTECT",
    "EXTRA_WILDCARD",
    "EXTRA_DOMAIN",
    "REGISTRY_LOCK",
];

/// The handle of a product.
pub(super) const PRODUCT: Text = Text::Length(1, 255);

/// How many months are bought.
pub(super) fn period(fields: &mut Fields<'_, '_>) -> u32 {
    fields.required_integer("period", 1, LONGEST_PERIOD)
}

/// Charges that the caller says yes to; none when it does not speak of them.
pub(super) fn acknowledged(fields: &mut Fields<'_, '_>) -> Vec<Acknowledged> {
    let given = fields.objects("billables", |entry| Acknowledged {
        product: entry.required_text("product", PRODUCT),
        action: entry.required_text("action", Text::Word(BILLABLE_ACTIONS)),
        quantity: entry.integer("quantity", 1, u32::MAX).unwrap_or(1),
    });
    given.unwrap_or_default()
}
