//! A product as the contract shows it (contract.md section 5.2).

use reseal_lifecycle::product::{CertificateType, Feature, Product, ProductField};
use reseal_pki::profile::ValidationType;
use schemars::JsonSchema;
use serde::Serialize;

/// Every field of a product, the identifying one first.
pub(super) const FIELDS: &[&str] = &[
    "product",
    "brand",
    "name",
    "validationType",
    "certificateType",
    "features",
    "requiredFields",
    "optionalFields",
    "periods",
    "warranty",
    "issueTime",
    "renewalWindow",
    "includedDomains",
    "maxDomains",
    "renewFrom",
];

/// A product.
#[derive(JsonSchema, Serialize)]
#[schemars(rename = "Product")]
#[serde(rename_all = "camelCase")]
pub(super) struct ProductBody<'a> {
    product: &'a str,
    brand: &'a str,
    name: &'a str,
    validation_type: ValidationType,
    certificate_type: CertificateType,
    // Always a list: one client searches it without looking whether it is there.
    features: &'a [Feature],
    required_fields: &'a [ProductField],
    optional_fields: &'a [ProductField],
    /// Months that it can be had for.
    periods: &'a [u32],
    warranty: u32,
    issue_time: &'a str,
    /// Days before its end from which it may be renewed.
    renewal_window: u32,
    /// Names in its price.
    included_domains: u32,
    /// Names at most.
    max_domains: u32,
    /// Products that may be renewed to this one.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    renew_from: &'a [String],
}

impl<'a> ProductBody<'a> {
    pub(super) fn of(product: &'a Product) -> Self {
        Self {
            product: &product.product,
            brand: &product.brand,
            name: &product.name,
            validation_type: product.validation_type,
            certificate_type: product.certificate_type,
            features: &product.features,
            required_fields: &product.required_fields,
            optional_fields: &product.optional_fields,
            periods: &product.periods,
            warranty: product.warranty,
            issue_time: &product.issue_time,
            renewal_window: product.renewal_window,
            included_domains: product.included_domains,
            max_domains: product.max_domains,
            renew_from: &product.renew_from,
        }
    }
}

#[cfg(test)]
mod tests {
    use reseal_lifecycle::product::{Catalogue, DEFAULT_CATALOGUE};
    use serde_json::json;

    use super::*;

    #[test]
    fn a_product_has_the_contracts_shape() {
        let catalogue = Catalogue::from_toml(DEFAULT_CATALOGUE).unwrap();
        let product = catalogue.get("ssl_dv").unwrap();
        assert_eq!(
            serde_json::to_value(ProductBody::of(product)).unwrap(),
            json!({
                "product": "ssl_dv", "brand": "Reseal", "name": "Domain validated",
                "validationType": "DOMAIN_VALIDATION", "certificateType": "SINGLE_DOMAIN",
                "features": ["REISSUE", "WWW_INCLUDED", "NON_WWW_INCLUDED"],
                "requiredFields": [], "optionalFields": ["dcv", "domainName", "authKey"],
                "periods": [1, 3, 6, 12, 24, 36], "warranty": 0, "issueTime": "1-5 minutes",
                "renewalWindow": 30, "includedDomains": 1, "maxDomains": 1
            })
        );
    }
}
