//! The catalogue: what may be bought, and which rules each product brings.
//!
//! The operator edits `DATA/products.toml`; [`DEFAULT_CATALOGUE`] is what `init` writes there.

use reseal_pki::profile::ValidationType;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use reseal_validation::ChallengeScheme;

use crate::error::{Error, Kind};
use crate::price::Prices;

/// The catalogue that `init` writes (design decision 13, section 12 point 6).
pub const DEFAULT_CATALOGUE: &str = include_str!("products.toml");

/// Shape of a product's name set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CertificateType {
    /// One name, perhaps with its free www counterpart.
    SingleDomain,
    /// Several names.
    MultiDomain,
    /// One wildcard, perhaps with its free base name.
    Wildcard,
}

impl CertificateType {
    /// As the contract spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SingleDomain => "SINGLE_DOMAIN",
            Self::MultiDomain => "MULTI_DOMAIN",
            Self::Wildcard => "WILDCARD",
        }
    }
}

/// What a product can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Feature {
    /// May be reissued.
    Reissue,
    /// A multi-domain certificate may hold wildcards.
    Wildcard,
    /// Asking for `x` adds `www.x` free.
    WwwIncluded,
    /// Asking for `www.x` adds `x` free; for wildcards the base name.
    NonWwwIncluded,
}

/// Request fields that a product requires or takes (contract.md section 5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ProductField {
    /// `domainName`
    DomainName,
    /// `dcv`
    Dcv,
    /// `address`
    Address,
    /// `postalCode`
    PostalCode,
    /// `approver`
    Approver,
    /// `organization`
    Organization,
    /// `department`
    Department,
    /// `city`
    City,
    /// `state`
    State,
    /// `country`
    Country,
    /// `coc`
    Coc,
    /// `saEmail`
    SaEmail,
    /// `authKey`
    AuthKey,
}

impl ProductField {
    /// The name on the wire.
    pub fn wire_name(self) -> &'static str {
        match self {
            Self::DomainName => "domainName",
            Self::Dcv => "dcv",
            Self::Address => "address",
            Self::PostalCode => "postalCode",
            Self::Approver => "approver",
            Self::Organization => "organization",
            Self::Department => "department",
            Self::City => "city",
            Self::State => "state",
            Self::Country => "country",
            Self::Coc => "coc",
            Self::SaEmail => "saEmail",
            Self::AuthKey => "authKey",
        }
    }
}

/// Ways to prove control that a product takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum DcvType {
    /// A mail to a constructed address (BR 3.2.2.4.4).
    Email,
    /// A file on the web server (BR 3.2.2.4.18).
    File,
    /// A DNS record (BR 3.2.2.4.7).
    Dns,
}

impl DcvType {
    /// As the contract spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Email => "EMAIL",
            Self::File => "FILE",
            Self::Dns => "DNS",
        }
    }
}

/// One catalogue entry.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Product {
    /// Handle.
    pub product: String,
    /// Brand shown to customers.
    pub brand: String,
    /// Name shown to customers.
    pub name: String,
    /// Validation level.
    pub validation_type: ValidationType,
    /// Shape of the name set.
    pub certificate_type: CertificateType,
    /// What it can do.
    #[serde(default)]
    pub features: Vec<Feature>,
    /// Fields a request must have.
    #[serde(default)]
    pub required_fields: Vec<ProductField>,
    /// Fields a request may have.
    #[serde(default)]
    pub optional_fields: Vec<ProductField>,
    /// Periods on offer, in months.
    pub periods: Vec<u32>,
    /// Whole euros.
    #[serde(default)]
    pub warranty: u32,
    /// Free text, such as `1-5 minutes`.
    pub issue_time: String,
    /// Days before the end of the subscription from which on it may be renewed.
    pub renewal_window: u32,
    /// Names in the price.
    #[serde(default = "one")]
    pub included_domains: u32,
    /// Names at most.
    #[serde(default = "one")]
    pub max_domains: u32,
    /// Further products that may be renewed into this one; a product can always be renewed as itself.
    #[serde(default)]
    pub renew_from: Vec<String>,
    /// Methods of proof it takes.
    pub dcv: Vec<DcvType>,
    /// How what customers publish is made.
    #[serde(default)]
    pub challenge: ChallengeScheme,
    /// Whether a persistent TXT record counts as a proof by DNS (BR 3.2.2.4.22).
    #[serde(default = "yes")]
    pub dcv_persistent: bool,
    /// Who signs: `embedded`, or a name from `[issuer.NAME]`.
    #[serde(default = "embedded")]
    pub issuer: String,
    /// Whether the certificate's subject carries the common name (rules.md P-3: only when the product asks).
    #[serde(default)]
    pub common_name_in_subject: bool,
    /// Prices.
    #[serde(default)]
    pub prices: Prices,
    /// ISO 4217 currency of the prices.
    #[serde(default = "euro")]
    pub currency: String,
}

fn one() -> u32 {
    1
}

fn yes() -> bool {
    true
}

fn embedded() -> String {
    "embedded".to_owned()
}

fn euro() -> String {
    "EUR".to_owned()
}

impl Product {
    /// Leaves what holds for an upstream alone: it is shown proofs by DNS and FILE of its own making, each time, and asks
    /// for them after the call.
    pub(crate) fn restrict_to_upstream(&mut self) {
        self.dcv.retain(|dcv| *dcv != DcvType::Email);
        self.dcv_persistent = false;
        self.challenge = ChallengeScheme::Default;
        for fields in [&mut self.required_fields, &mut self.optional_fields] {
            fields.retain(|field| *field != ProductField::AuthKey);
        }
    }

    /// Whether it has `feature`.
    pub fn has(&self, feature: Feature) -> bool {
        self.features.contains(&feature)
    }

    /// Whether a request must carry `field`.
    pub fn requires(&self, field: ProductField) -> bool {
        self.required_fields.contains(&field)
    }
}

/// The catalogue, in the file's order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalogue {
    #[serde(default, rename = "product")]
    products: Vec<Product>,
    /// Handles of products that stand in the file and are not on offer.
    #[serde(skip)]
    withheld: Vec<String>,
}

impl Catalogue {
    /// Reads the text of `products.toml`.
    ///
    /// # Errors
    /// A text for the operator: what is wrong, with its line.
    pub fn from_toml(text: &str) -> Result<Self, String> {
        let catalogue: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        let mut seen = std::collections::HashSet::new();
        for product in &catalogue.products {
            let handle = &product.product;
            if !seen.insert(handle) {
                return Err(format!("product `{handle}` stands there twice"));
            }
            if product.periods.is_empty() || product.periods.contains(&0) {
                return Err(format!(
                    "product `{handle}`: expected `periods` of at least one month, saw {:?}",
                    product.periods
                ));
            }
            if product.dcv.is_empty() {
                return Err(format!(
                    "product `{handle}`: `dcv` must name at least one of EMAIL, FILE, DNS"
                ));
            }
            if let Some(problem) = product.prices.problem(&product.periods) {
                return Err(format!("product `{handle}`: {problem}"));
            }
            let is_currency = |code: &str| {
                code.len() == 3 && code.bytes().all(|letter| letter.is_ascii_uppercase())
            };
            if !is_currency(&product.currency) {
                return Err(format!(
                    "product `{handle}`: expected a `currency` of three capital letters (ISO 4217), saw `{}`",
                    product.currency
                ));
            }
            if product.max_domains < product.included_domains.max(1) {
                return Err(format!(
                    "product `{handle}`: `max_domains` {} is below `included_domains` {}",
                    product.max_domains, product.included_domains
                ));
            }
        }
        Ok(catalogue)
    }

    /// Restricts every product whose issuer `is_upstream`.
    pub(crate) fn restrict_upstream(&mut self, is_upstream: impl Fn(&str) -> bool) {
        let upstream = self.products.iter_mut();
        for product in upstream.filter(|product| is_upstream(&product.issuer)) {
            product.restrict_to_upstream();
        }
    }

    /// Takes EV out of the offer: its registration fields, which public trust asks for, are nowhere in the API (P-5).
    pub(crate) fn withhold_extended(&mut self) {
        let is_extended =
            |product: &mut Product| product.validation_type == ValidationType::Extended;
        let withheld = self.products.extract_if(.., is_extended);
        self.withheld = withheld.map(|product| product.product).collect();
    }

    /// Why the product of that handle is not on offer, if it stands in the file all the same.
    pub(crate) fn withheld(&self, handle: &str) -> Option<Error> {
        let is_withheld = self.withheld.iter().any(|withheld| withheld == handle);
        let message = format!(
            "Product `{handle}` is for EV, which is not issued with the profile `public`: order OV or DV [P-5]"
        );
        is_withheld.then(|| Error::new(Kind::Rule, message))
    }

    /// All products on offer.
    pub fn products(&self) -> &[Product] {
        &self.products
    }

    /// The product of that handle, if it is on offer.
    pub fn get(&self, handle: &str) -> Option<&Product> {
        self.products
            .iter()
            .find(|product| product.product == handle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d_6_every_default_product_proves_by_random_values() {
        let catalogue = Catalogue::from_toml(DEFAULT_CATALOGUE).unwrap();
        for product in catalogue.products() {
            assert_eq!(product.challenge, ChallengeScheme::Default);
        }
    }

    #[test]
    fn the_default_catalogue_is_the_one_decided() {
        let catalogue = Catalogue::from_toml(DEFAULT_CATALOGUE).unwrap();
        let handles: Vec<_> = catalogue
            .products()
            .iter()
            .map(|product| product.product.as_str())
            .collect();
        assert_eq!(
            handles,
            [
                "ssl_dv",
                "ssl_dv_wc",
                "ssl_dv_md",
                "ssl_ov",
                "ssl_ov_wc",
                "ssl_ov_md",
                "ssl_ev",
                "ssl_ev_md"
            ]
        );
        for product in catalogue.products() {
            assert!(product.has(Feature::Reissue), "{}", product.product);
            assert_eq!(product.periods, [1, 3, 6, 12, 24, 36]);
        }
        let multi = catalogue.get("ssl_dv_md").unwrap();
        assert_eq!((multi.included_domains, multi.max_domains), (5, 250));
        assert!(multi.has(Feature::Wildcard));
    }

    #[test]
    fn p_5_what_is_withheld_is_not_on_offer_and_not_unknown() {
        let mut catalogue = Catalogue::from_toml(DEFAULT_CATALOGUE).unwrap();
        catalogue.withhold_extended();
        assert_eq!(catalogue.products().len(), 6);
        for handle in ["ssl_ev", "ssl_ev_md"] {
            assert_eq!(catalogue.get(handle), None);
            let refused = catalogue.withheld(handle).unwrap();
            assert!(refused.message.contains(handle), "{refused}");
        }
        assert!(catalogue.withheld("ssl_ov").is_none());
        assert!(catalogue.withheld("ssl").is_none());
    }

    #[test]
    fn a_mistake_in_the_catalogue_is_named() {
        let twice = format!("{DEFAULT_CATALOGUE}\n{DEFAULT_CATALOGUE}");
        assert!(Catalogue::from_toml(&twice).unwrap_err().contains("twice"));
        let unknown = DEFAULT_CATALOGUE.replacen("\nwarranty", "\nwaranty", 1);
        assert!(
            Catalogue::from_toml(&unknown)
                .unwrap_err()
                .contains("waranty")
        );
        for (mistake, part) in [
            ("currency = \"euro\"", "saw `euro`"),
            (
                "prices = { renew = { 12 = 5 } }",
                "`ssl_dv`: `prices.renew` has no price for 1 months",
            ),
        ] {
            let wrong =
                DEFAULT_CATALOGUE.replacen("\nwarranty", &format!("\n{mistake}\nwarranty"), 1);
            let said = Catalogue::from_toml(&wrong).unwrap_err();
            assert!(said.contains(part), "{said}");
        }
    }
}
