//! `GET` of one product and of the list (contract.md section 4.10).

use reseal_lifecycle::Error;

use super::filter::page;
use super::wire::{FIELDS, ProductBody};
use crate::auth::{Call, Outcome};
use crate::query::{self, ListRequest};

/// One product.
pub(crate) async fn get(call: Call) -> Outcome {
    let handle = call.segment("product").unwrap_or_default();
    let product = call.services().catalogue().get(handle);
    let product = product.ok_or_else(|| Error::not_found("Product"))?;
    query::one(&call.query(), FIELDS, &ProductBody::of(product))
}

/// The products on offer.
pub(crate) async fn list(call: Call) -> Outcome {
    let request = ListRequest::read(&call.query(), FIELDS)?;
    let page = page(call.services().catalogue().products(), &request.query);
    request.answer(&page, |product| ProductBody::of(product))
}
