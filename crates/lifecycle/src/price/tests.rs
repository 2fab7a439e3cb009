use super::*;
use crate::product::{Catalogue, DEFAULT_CATALOGUE};

fn multi() -> Product {
    let catalogue = Catalogue::from_toml(DEFAULT_CATALOGUE).unwrap();
    catalogue.get("ssl_dv_md").unwrap().clone()
}

fn names(texts: &[&str]) -> Vec<DnsName> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn prices(text: &str) -> Result<Prices, String> {
    toml::from_str(text).map_err(|error| error.to_string())
}

#[test]
fn a_price_is_for_each_year_begun_or_for_a_whole_period() {
    let read = prices("request = 500\nrenew = { 12 = 900, 36 = 2000 }").unwrap();
    for (months, request, renew) in [
        (1, 500, 900),
        (12, 500, 900),
        (13, 1000, 2000),
        (60, 2500, 2000),
    ] {
        assert_eq!(
            (read.request.of(months), read.renew.of(months)),
            (request, renew),
            "{months}"
        );
    }
    assert_eq!(read.extra_domain.of(36), 0);
}

#[test]
fn a_price_that_cannot_be_meant_is_named() {
    for (text, part) in [
        ("request = -1", "saw -1"),
        ("request = \"5\"", "cents for each year"),
        ("request = { year = 5 }", "`year`"),
        ("requests = 5", "requests"),
    ] {
        let error = prices(text).unwrap_err();
        assert!(error.contains(part), "{text}: {error}");
    }
    let read = prices("extra_domain = { 12 = 1, 24 = 2 }").unwrap();
    assert_eq!(read.problem(&[12, 24]), None);
    let missing = read.problem(&[12, 24, 36]).unwrap();
    assert!(
        missing.contains("`prices.extra_domain` has no price for 36"),
        "{missing}"
    );
    let unsold = read.problem(&[12]).unwrap();
    assert!(unsold.contains("24 months, which is not"), "{unsold}");
}

#[test]
fn r_2_places_are_bought_for_what_goes_beyond_the_included_ones() {
    let bought = |domains, wildcards| Allowance {
        included: 5,
        extra_domains: domains,
        extra_wildcards: wildcards,
    };
    let needed = |plain, wildcards| Needed { plain, wildcards };
    for (allowance, needed, lacks) in [
        (bought(0, 0), needed(5, 0), (0, 0)),
        (bought(0, 0), needed(0, 5), (0, 0)),
        (bought(0, 0), needed(7, 0), (2, 0)),
        (bought(0, 0), needed(5, 1), (0, 1)),
        (bought(0, 0), needed(4, 2), (0, 1)),
        (bought(0, 0), needed(6, 2), (1, 2)),
        // Paid for stays paid for.
        (bought(2, 0), needed(7, 0), (0, 0)),
        (bought(0, 1), needed(5, 1), (0, 0)),
        (bought(0, 1), needed(6, 0), (0, 0)),
        // A domain's place is not a wildcard's.
        (bought(5, 0), needed(0, 10), (0, 5)),
        (bought(5, 5), needed(0, 10), (0, 0)),
        (bought(5, 5), needed(15, 0), (0, 0)),
        (bought(5, 5), needed(16, 0), (1, 0)),
    ] {
        assert_eq!(allowance.lacks(needed), lacks, "{allowance:?} {needed:?}");
    }
}

#[test]
fn what_was_bought_once_is_never_charged_again() {
    let product = multi();
    let set = |plain: u32, wildcards: u32| {
        let plain = (0..plain).map(|index| format!("n{index}.dev"));
        let wildcards = (0..wildcards).map(|index| format!("*.w{index}.dev"));
        let all: Vec<String> = plain.chain(wildcards).collect();
        names(&all.iter().map(String::as_str).collect::<Vec<_>>())
    };
    for plain in 0..9 {
        for wildcards in 0..9 {
            let names = set(plain, wildcards);
            let before = Allowance::included_in(&product);
            let (_, after) = charges(&product, &names, 12, None, before);
            assert_eq!(
                after.lacks(Needed::by(&names, &product)),
                (0, 0),
                "{plain} {wildcards}"
            );
        }
    }
}

#[test]
fn charges_are_what_the_catalogue_says() {
    let mut product = multi();
    product.prices =
        prices("request = 1000\nextra_domain = 200\nextra_wildcard = { 24 = 700 }").unwrap();
    let set = names(&[
        "a.dev", "b.dev", "c.dev", "d.dev", "e.dev", "f.dev", "g.dev", "*.h.dev",
    ]);
    let before = Allowance::included_in(&product);
    let (billables, after) = charges(&product, &set, 24, Some(ChargeAction::Request), before);
    let shown: Vec<_> = billables
        .iter()
        .map(|one| (one.action, one.quantity, one.amount, one.total()))
        .collect();
    assert_eq!(
        shown,
        [
            (ChargeAction::Request, 1, 2000, 2000),
            (ChargeAction::ExtraDomain, 2, 400, 800),
            (ChargeAction::ExtraWildcard, 1, 700, 700),
        ]
    );
    assert_eq!((after.extra_domains, after.extra_wildcards), (2, 1));
    assert!(charges(&product, &set, 24, None, after).0.is_empty());
    // Nothing is charged for what costs nothing, but it counts as bought.
    product.prices = Prices::default();
    let (free, after) = charges(&product, &set, 24, Some(ChargeAction::Request), before);
    assert_eq!((free, after.extra_domains), (Vec::new(), 2));
}

#[test]
fn a_free_counterpart_takes_no_place() {
    let mut product = multi();
    let set = names(&["a.dev", "www.a.dev", "*.b.dev", "b.dev", "www.c.dev"]);
    let counted = |product: &Product| {
        let needed = Needed::by(&set, product);
        (needed.plain, needed.wildcards)
    };
    assert_eq!(counted(&product), (4, 1));
    product.features = vec![Feature::WwwIncluded];
    assert_eq!(counted(&product), (3, 1));
    product.features = vec![Feature::NonWwwIncluded];
    assert_eq!(counted(&product), (2, 1));
    product.features = vec![Feature::WwwIncluded, Feature::NonWwwIncluded];
    assert_eq!(counted(&product), (2, 1));
    product.certificate_type = CertificateType::SingleDomain;
    assert_eq!(counted(&product), (1, 0));
}

#[test]
fn an_acknowledgment_covers_its_action_up_to_its_quantity() {
    let billable = Billable {
        product: "ssl_dv_md".to_owned(),
        action: ChargeAction::ExtraDomain,
        quantity: 2,
        amount: 100,
    };
    let yes = |action: &str, quantity| Acknowledged {
        product: "ssl_dv_md".to_owned(),
        action: action.to_owned(),
        quantity,
    };
    assert!(yes("EXTRA_DOMAIN", 2).covers(&billable));
    assert!(!yes("EXTRA_DOMAIN", 1).covers(&billable));
    assert!(!yes("EXTRA_WILDCARD", 9).covers(&billable));
}
