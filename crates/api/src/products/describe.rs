//! What the document says about the calls around products.

use reseal_lifecycle::query::CatalogueField;
use serde_json::json;

use super::wire::{FIELDS, ProductBody};
use crate::openapi::Operation;

const TAG: &str = "Products";

pub(crate) fn list() -> Operation {
    Operation::new(TAG, "listProducts", "List products")
        .list::<CatalogueField, ProductBody<'static>>("The products on offer.", FIELDS)
}

pub(crate) fn get() -> Operation {
    Operation::new(TAG, "getProduct", "Get a product")
        .path(
            "product",
            json!({"type": "string", "minLength": 1, "example": "ssl_dv"}),
        )
        .selected::<ProductBody<'static>>("The product.", FIELDS)
}
