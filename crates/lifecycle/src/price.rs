//! What is charged: the prices of a product, the charges of one request, and how many names a subscription has
//! been paid for. Pure. Money is whole cents.

use std::collections::{BTreeMap, HashSet};
use std::fmt;

use reseal_pki::name::DnsName;
use schemars::JsonSchema;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::product::{CertificateType, Feature, Product};

/// The price of one thing for a period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Price {
    /// Cents for each year begun.
    Yearly(u32),
    /// Cents for the whole of each period, in months.
    ByPeriod(BTreeMap<u32, u32>),
}

impl Default for Price {
    fn default() -> Self {
        Self::Yearly(0)
    }
}

impl Price {
    /// Cents for `months`. A period that has no price of its own any more costs what the next longer one does,
    /// else the longest.
    pub fn of(&self, months: u32) -> i64 {
        match self {
            Self::Yearly(cents) => i64::from(*cents) * i64::from(months.div_ceil(12)),
            Self::ByPeriod(prices) => prices
                .range(months..)
                .next()
                .or_else(|| prices.last_key_value())
                .map_or(0, |(_, cents)| i64::from(*cents)),
        }
    }

    /// What is wrong with it for a product that is sold for `periods`.
    fn problem(&self, periods: &[u32]) -> Option<String> {
        let Self::ByPeriod(prices) = self else {
            return None;
        };
        let unpriced = periods.iter().find(|months| !prices.contains_key(months));
        let unsold = prices.keys().find(|months| !periods.contains(months));
        match (unpriced, unsold) {
            (Some(months), _) => Some(format!("has no price for {months} months")),
            (None, Some(months)) => Some(format!(
                "has a price for {months} months, which is not among `periods`"
            )),
            (None, None) => None,
        }
    }
}

impl<'de> Deserialize<'de> for Price {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PriceVisitor)
    }
}

struct PriceVisitor;

impl<'de> Visitor<'de> for PriceVisitor {
    type Value = Price;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cents for each year, or a table such as `{ 12 = 900, 24 = 1600 }`")
    }

    fn visit_i64<E: serde::de::Error>(self, cents: i64) -> Result<Price, E> {
        u32::try_from(cents).map(Price::Yearly).map_err(|_| {
            E::custom(format!(
                "expected cents from 0 to {}, saw {cents}",
                u32::MAX
            ))
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut table: A) -> Result<Price, A::Error> {
        let mut prices = BTreeMap::new();
        while let Some((period, cents)) = table.next_entry::<String, u32>()? {
            let months = period.parse().map_err(|_| {
                A::Error::custom(format!("expected a number of months, saw `{period}`"))
            })?;
            prices.insert(months, cents);
        }
        Ok(Price::ByPeriod(prices))
    }
}

/// A product's prices; all zero unless the operator sets them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Prices {
    /// A new certificate.
    pub request: Price,
    /// A renewal.
    pub renew: Price,
    /// Each name beyond the included ones.
    pub extra_domain: Price,
    /// Each wildcard beyond the included names.
    pub extra_wildcard: Price,
}

impl Prices {
    /// The price of what `action` says.
    pub fn of(&self, action: ChargeAction) -> &Price {
        match action {
            ChargeAction::Request => &self.request,
            ChargeAction::Renew => &self.renew,
            ChargeAction::ExtraDomain => &self.extra_domain,
            ChargeAction::ExtraWildcard => &self.extra_wildcard,
        }
    }

    /// What is wrong with them for a product that is sold for `periods`.
    pub(crate) fn problem(&self, periods: &[u32]) -> Option<String> {
        ChargeAction::ALL.into_iter().find_map(|action| {
            let problem = self.of(action).problem(periods)?;
            let name = action.as_str().to_ascii_lowercase();
            Some(format!("`prices.{name}` {problem}"))
        })
    }
}

/// What is charged for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ChargeAction {
    /// A new certificate.
    Request,
    /// A renewal.
    Renew,
    /// A name beyond the included ones.
    ExtraDomain,
    /// A wildcard beyond the included names.
    ExtraWildcard,
}

impl ChargeAction {
    /// Every action.
    pub const ALL: [Self; 4] = [
        Self::Request,
        Self::Renew,
        Self::ExtraDomain,
        Self::ExtraWildcard,
    ];

    /// As the contract spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Request => "REQUEST",
            Self::Renew => "RENEW",
            Self::ExtraDomain => "EXTRA_DOMAIN",
            Self::ExtraWildcard => "EXTRA_WILDCARD",
        }
    }
}

/// One charge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Billable {
    /// Product handle.
    pub product: String,
    /// What for.
    pub action: ChargeAction,
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

/// A charge that a caller has said yes to beforehand (contract.md section 1.7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acknowledged {
    /// Product handle.
    pub product: String,
    /// The action's word; callers may name ones that are never charged here.
    pub action: String,
    /// How many at most.
    pub quantity: u32,
}

impl Acknowledged {
    /// Whether it covers `billable`.
    pub fn covers(&self, billable: &Billable) -> bool {
        self.product == billable.product
            && self.action == billable.action.as_str()
            && self.quantity >= billable.quantity
    }
}

/// How many names the certificates of a subscription may carry without a further charge. Any name takes an
/// included place; plain names take those first, since a wildcard's own place costs more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Allowance {
    /// Places that came with the product.
    pub included: u32,
    /// Places bought as EXTRA_DOMAIN.
    pub extra_domains: u32,
    /// Places bought as EXTRA_WILDCARD.
    pub extra_wildcards: u32,
}

impl Allowance {
    /// What comes with `product`.
    pub(crate) fn included_in(product: &Product) -> Self {
        Self {
            included: product.included_domains,
            ..Self::default()
        }
    }

    /// The same with at least the places that `product` includes today.
    pub(crate) fn or_included_in(self, product: &Product) -> Self {
        Self {
            included: self.included.max(product.included_domains),
            ..self
        }
    }

    /// Places that have to be bought for `needed`: domains, wildcards.
    pub(crate) fn lacks(self, needed: Needed) -> (u32, u32) {
        let plain = needed.plain.saturating_sub(self.extra_domains);
        let wildcards = needed.wildcards.saturating_sub(self.extra_wildcards);
        let free_for_wildcards = self.included.saturating_sub(plain);
        // A wildcard's place that no wildcard takes now holds a plain name too.
        let spare = self.extra_wildcards.saturating_sub(needed.wildcards);
        (
            plain.saturating_sub(self.included).saturating_sub(spare),
            wildcards.saturating_sub(free_for_wildcards),
        )
    }
}

/// Names that need a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Needed {
    pub(crate) plain: u32,
    pub(crate) wildcards: u32,
}

impl Needed {
    /// What `names` need with `product`: free counterparts take no place (contract.md section 5.2, features).
    pub(crate) fn by(names: &[DnsName], product: &Product) -> Self {
        if product.certificate_type != CertificateType::MultiDomain {
            return Self {
                plain: 1,
                wildcards: 0,
            };
        }
        let all: HashSet<&str> = names.iter().map(DnsName::as_str).collect();
        let (mut plain, mut wildcards) = (0, 0);
        for name in names {
            if name.is_wildcard() {
                wildcards += 1;
            } else if !is_free(name.as_str(), &all, product) {
                plain += 1;
            }
        }
        Self { plain, wildcards }
    }
}

/// Whether `name` comes free with another of `all`.
fn is_free(name: &str, all: &HashSet<&str>, product: &Product) -> bool {
    let with_www = product.has(Feature::WwwIncluded);
    if with_www
        && name
            .strip_prefix("www.")
            .is_some_and(|bare| all.contains(bare))
    {
        return true;
    }
    product.has(Feature::NonWwwIncluded)
        && (all.contains(format!("*.{name}").as_str())
            // Of a pair one name pays.
            || !with_www && all.contains(format!("www.{name}").as_str()))
}

/// What a certificate with `names` is charged within `before`, for a period of `months`, beside `main`; and
/// the allowance afterwards.
pub(crate) fn charges(
    product: &Product,
    names: &[DnsName],
    months: u32,
    main: Option<ChargeAction>,
    before: Allowance,
) -> (Vec<Billable>, Allowance) {
    let (domains, wildcards) = before.lacks(Needed::by(names, product));
    let quantities = [
        main.map(|action| (action, 1)),
        Some((ChargeAction::ExtraDomain, domains)),
        Some((ChargeAction::ExtraWildcard, wildcards)),
    ];
    let billables = quantities
        .into_iter()
        .flatten()
        .map(|(action, quantity)| Billable {
            product: product.product.clone(),
            action,
            quantity,
            amount: product.prices.of(action).of(months),
        })
        .filter(|billable| billable.total() > 0)
        .collect();
    let after = Allowance {
        extra_domains: before.extra_domains + domains,
        extra_wildcards: before.extra_wildcards + wildcards,
        ..before
    };
    (billables, after)
}

#[cfg(test)]
mod tests;
