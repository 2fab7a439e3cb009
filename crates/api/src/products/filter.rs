//! Which products a list request asks for. The catalogue is small and in memory, so the comparison that the
//! store does for other lists is done here.

use std::cmp::Ordering;

use reseal_lifecycle::product::Product;
use reseal_lifecycle::query::{CatalogueField, Filter, FilterValue, Operator, Page, Query};
use serde::Serialize;

use crate::query::ListField;

impl ListField for CatalogueField {
    /// Clients filter for words that no product here has, so that any word will do.
    fn words(self) -> Vec<&'static str> {
        Vec::new()
    }
}

/// The products that match, in the order asked for, else in the catalogue's.
pub(super) fn page<'c>(
    products: &'c [Product],
    query: &Query<CatalogueField>,
) -> Page<&'c Product> {
    let mut found: Vec<&Product> = products
        .iter()
        .filter(|product| query.filters.iter().all(|filter| matches(product, filter)))
        .filter(|product| {
            query
                .text
                .as_deref()
                .is_none_or(|text| mentions(product, text))
        })
        .collect();
    found.sort_by(|a, b| {
        let keys = query.order.iter().map(|(field, descending)| {
            let order = values(a, *field).cmp(&values(b, *field));
            if *descending { order.reverse() } else { order }
        });
        keys.fold(Ordering::Equal, Ordering::then)
    });
    let total = found.len() as u64;
    let offset = usize::try_from(query.offset).unwrap_or(usize::MAX);
    let limit = query.limit.map_or(usize::MAX, |limit| limit as usize);
    Page {
        entities: found.into_iter().skip(offset).take(limit).collect(),
        total: Some(total),
    }
}

/// A field's value in a form that can be compared; lists have several, and one that fits is enough.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Comparable {
    Number(i64),
    Text(String),
}

fn values(product: &Product, field: CatalogueField) -> Vec<Comparable> {
    let text = |text: &str| vec![Comparable::Text(text.to_owned())];
    let number = |number: u32| vec![Comparable::Number(number.into())];
    match field {
        CatalogueField::Product => text(&product.product),
        CatalogueField::Brand => text(&product.brand),
        CatalogueField::Name => text(&product.name),
        CatalogueField::IssueTime => text(&product.issue_time),
        CatalogueField::ValidationType => vec![word(&product.validation_type)],
        CatalogueField::CertificateType => vec![word(&product.certificate_type)],
        CatalogueField::Features => product.features.iter().map(word).collect(),
        CatalogueField::Periods => product.periods.iter().copied().flat_map(number).collect(),
        CatalogueField::Warranty => number(product.warranty),
        CatalogueField::RenewalWindow => number(product.renewal_window),
        CatalogueField::IncludedDomains => number(product.included_domains),
        CatalogueField::MaxDomains => number(product.max_domains),
    }
}

/// An enumeration's word on the wire.
fn word(value: &impl Serialize) -> Comparable {
    let shown = serde_json::to_value(value).unwrap_or_default();
    Comparable::Text(shown.as_str().unwrap_or_default().to_owned())
}

fn matches(product: &Product, filter: &Filter<CatalogueField>) -> bool {
    let own = values(product, filter.field);
    let wanted: Vec<Comparable> = filter.values.iter().filter_map(comparable).collect();
    let any = |test: &dyn Fn(&Comparable, &Comparable) -> bool| {
        own.iter()
            .any(|value| wanted.iter().any(|wanted| test(value, wanted)))
    };
    match filter.operator {
        Operator::Eq | Operator::In => any(&|value, wanted| value == wanted),
        Operator::Ne | Operator::NotIn => !any(&|value, wanted| value == wanted),
        Operator::Like => any(&is_like),
        Operator::NotLike => !any(&is_like),
        Operator::Gt => any(&|value, wanted| value > wanted),
        Operator::Lt => any(&|value, wanted| value < wanted),
        Operator::Gte => any(&|value, wanted| value >= wanted),
        Operator::Lte => any(&|value, wanted| value <= wanted),
        Operator::Null => own.is_empty(),
        Operator::NotNull => !own.is_empty(),
    }
}

fn comparable(value: &FilterValue) -> Option<Comparable> {
    match value {
        FilterValue::Text(text) => Some(Comparable::Text(text.clone())),
        FilterValue::Integer(number) => Some(Comparable::Number(*number)),
        // No product field is a date.
        FilterValue::Date(_) => None,
    }
}

fn is_like(value: &Comparable, pattern: &Comparable) -> bool {
    match (value, pattern) {
        (Comparable::Text(value), Comparable::Text(pattern)) => like(value, pattern),
        _ => false,
    }
}

/// Whether `value` has the form of `pattern`, in which `%` stands for any text, in any case as in the other
/// lists.
fn like(value: &str, pattern: &str) -> bool {
    let value = value.to_lowercase();
    let pattern = pattern.to_lowercase();
    let mut parts = pattern.split('%');
    let Some(mut rest) = parts.next().and_then(|start| value.strip_prefix(start)) else {
        return false;
    };
    let Some(end) = parts.next_back() else {
        return rest.is_empty();
    };
    for part in parts {
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(end)
}

fn mentions(product: &Product, text: &str) -> bool {
    let text = text.to_lowercase();
    [
        &product.product,
        &product.brand,
        &product.name,
        &product.issue_time,
    ]
    .iter()
    .any(|field| field.to_lowercase().contains(&text))
}

#[cfg(test)]
mod tests {
    use reseal_lifecycle::product::{Catalogue, DEFAULT_CATALOGUE};

    use super::*;
    use crate::products::wire::FIELDS;
    use crate::query::{ListRequest, Parameters};

    fn list(query: &str) -> Vec<String> {
        let catalogue = Catalogue::from_toml(DEFAULT_CATALOGUE).unwrap();
        let request = ListRequest::read(&Parameters::parse(query), FIELDS).unwrap();
        let page = page(catalogue.products(), &request.query);
        page.entities
            .iter()
            .map(|product| product.product.clone())
            .collect()
    }

    #[test]
    fn the_catalogue_comes_in_its_order_and_in_pages() {
        assert_eq!(list("limit=2&offset=1"), ["ssl_dv_wc", "ssl_dv_md"]);
        assert_eq!(list("offset=7"), ["ssl_ev_md"]);
        assert_eq!(list("order=-product&limit=1"), ["ssl_ov_wc"]);
        assert!(list("limit=0").is_empty());
        assert_eq!(
            list("certificateType%3Ane=ACME_SUBSCRIPTION&export=true").len(),
            8
        );
    }

    #[test]
    fn filters_compare_texts_words_numbers_and_lists() {
        assert_eq!(list("product=ssl_dv"), ["ssl_dv"]);
        assert_eq!(list("product:like=%25_ev%25"), ["ssl_ev", "ssl_ev_md"]);
        assert_eq!(
            list("certificateType=wildcard&validationType:ne=DOMAIN_VALIDATION"),
            ["ssl_ov_wc"]
        );
        assert_eq!(list("features=WILDCARD"), ["ssl_dv_md", "ssl_ov_md"]);
        assert_eq!(list("periods:in=5,7"), [""; 0]);
        assert_eq!(
            list("periods=36&maxDomains:gt=2&includedDomains:lte=5").len(),
            3
        );
        assert_eq!(list("features:null=").len(), 0);
        assert_eq!(list("q=several+names").len(), 3);
    }

    #[test]
    fn like_takes_percent_for_any_text() {
        for (value, pattern, expected) in [
            ("abc", "abc", true),
            ("abc", "ABC", true),
            ("abc", "%", true),
            ("abc", "a%", true),
            ("abc", "%c", true),
            ("abc", "%b%", true),
            ("abc", "a%c", true),
            ("abab", "%ab", true),
            ("a", "a%a", false),
            ("abc", "b%", false),
            ("abc", "ab", false),
            ("", "", true),
            ("abc", "", false),
        ] {
            assert_eq!(like(value, pattern), expected, "{value} {pattern}");
        }
    }
}
