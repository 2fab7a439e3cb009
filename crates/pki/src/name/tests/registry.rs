use super::{DnsName, NamePolicy, name, parse, refused};

fn internal(suffixes: &[&str]) -> NamePolicy {
    NamePolicy {
        internal_suffixes: suffixes.iter().map(|&suffix| suffix.to_owned()).collect(),
        ..NamePolicy::default()
    }
}

#[test]
fn n_14_n_23_nasty_074_public_suffixes_and_wildcards_over_them_are_refused() {
    assert_eq!(refused("*.com"), "N-23");
    assert_eq!(refused("*.co.uk"), "N-23");
    assert_eq!(refused("co.uk"), "N-14");
    assert_eq!(refused("com"), "N-4");
    assert_eq!(refused("localhost"), "N-4");
    assert_eq!(
        refused("*.xn--55qx5d.cn"),
        "N-23",
        "suffixes are known by their A-labels too"
    );
}

#[test]
fn n_12_nasty_076_names_outside_the_public_dns_are_refused_unless_internal() {
    assert_eq!(refused("server.local"), "N-12");
    assert_eq!(refused("x.internal"), "N-12");
    assert_eq!(refused("printer.corp"), "N-11");
    assert_eq!(refused("foo.onion"), "N-12");
    assert_eq!(refused("www.example.com"), "N-12");
    assert_eq!(refused("router.home.arpa"), "N-12");
    assert_eq!(name("myexample.com").as_str(), "myexample.com");

    let policy = internal(&["internal", "corp", "example.com"]);
    for text in [
        "x.internal",
        "*.printer.corp",
        "www.example.com",
        "example.com",
    ] {
        let inside = DnsName::parse(text, &policy).unwrap();
        assert!(policy.is_internal(&inside), "{text}");
        assert!(!NamePolicy::default().is_internal(&inside), "{text}");
    }
    assert!(!policy.is_internal(&name("reseal.dev")));
    for text in ["*.internal", "*.corp", "x.notinternal", "server.local"] {
        assert!(DnsName::parse(text, &policy).is_err(), "{text}");
    }
}

#[test]
fn n_13_nasty_077_reverse_names_are_refused_even_inside() {
    assert_eq!(refused("1.2.0.192.in-addr.arpa"), "N-13");
    assert_eq!(refused("8.b.d.ip6.arpa"), "N-13");
    let error = DnsName::parse("1.in-addr.arpa", &internal(&["arpa"])).unwrap_err();
    assert_eq!(error.rule(), "N-13");
}

#[test]
fn nasty_079_the_private_section_of_the_list_does_not_count() {
    assert_eq!(
        name("*.github.io").base_domain(&NamePolicy::default()),
        "github.io"
    );
    assert_eq!(
        name("a.b.github.io").base_domain(&NamePolicy::default()),
        "github.io"
    );
    assert_eq!(
        name("a.s3.dualstack.us-east-1.amazonaws.com").base_domain(&NamePolicy::default()),
        "amazonaws.com"
    );
    assert_eq!(
        name("*.github.io").authorization_domain_names(true, &NamePolicy::default()),
        ["github.io"]
    );
}

#[test]
fn nasty_080_wildcard_and_exception_rules_of_the_list_hold() {
    assert_eq!(refused("*.ck"), "N-23");
    assert_eq!(refused("foo.ck"), "N-14");
    assert_eq!(refused("*.foo.ck"), "N-23");
    let www = name("www.ck");
    assert_eq!(www.base_domain(&NamePolicy::default()), "www.ck");
    assert_eq!(
        name("a.foo.ck").base_domain(&NamePolicy::default()),
        "a.foo.ck"
    );
    assert_eq!(
        name("a.b.city.kawasaki.jp").base_domain(&NamePolicy::default()),
        "city.kawasaki.jp"
    );
    assert_eq!(
        name("a.b.c.kawasaki.jp").base_domain(&NamePolicy::default()),
        "b.c.kawasaki.jp"
    );
}

#[test]
fn n_11_last_labels_are_top_level_domains() {
    assert_eq!(refused("a.b"), "N-3");
    assert_eq!(refused("www.reseal.4com"), "N-3");
    assert_eq!(refused("www.reseal.qqqq"), "N-11");
    for text in [
        "a.dev",
        "a.xn--p1ai",
        "a.aero",
        "a.b.ck",
        "a.zuerich",
        "a.google",
    ] {
        assert!(parse(text).is_ok(), "{text}: {:?}", parse(text));
    }
}

#[test]
fn n_20_pruning_goes_from_the_name_to_the_base_domain() {
    let policy = NamePolicy::default();
    let deep = name("a.b.reseal.co.uk");
    assert_eq!(
        deep.authorization_domain_names(true, &policy),
        ["a.b.reseal.co.uk", "b.reseal.co.uk", "reseal.co.uk"]
    );
    assert_eq!(
        deep.authorization_domain_names(false, &policy),
        ["a.b.reseal.co.uk"]
    );
    let wildcard = name("*.b.reseal.co.uk");
    assert_eq!(
        wildcard.authorization_domain_names(false, &policy),
        ["b.reseal.co.uk"]
    );
    assert_eq!(
        wildcard.authorization_domain_names(true, &policy),
        ["b.reseal.co.uk", "reseal.co.uk"]
    );
}

#[test]
fn n_22_inside_the_house_the_suffix_is_the_operators() {
    let policy = internal(&["corp.example", "example"]);
    let host = DnsName::parse("a.b.corp.example", &policy).unwrap();
    assert_eq!(
        host.base_domain(&policy),
        "b.corp.example",
        "the longest suffix counts"
    );
    assert_eq!(
        host.authorization_domain_names(true, &policy),
        ["a.b.corp.example", "b.corp.example"]
    );
    let itself = DnsName::parse("corp.example", &policy).unwrap();
    assert_eq!(itself.base_domain(&policy), "corp.example");
    assert_eq!(
        itself.authorization_domain_names(true, &policy),
        ["corp.example"]
    );
}

#[test]
fn n_25_the_free_name_is_one_level_of_www() {
    let counterpart = |text: &str| {
        name(text)
            .www_counterpart()
            .map(|name| name.as_str().to_owned())
    };
    assert_eq!(counterpart("reseal.dev").as_deref(), Some("www.reseal.dev"));
    assert_eq!(counterpart("www.reseal.dev").as_deref(), Some("reseal.dev"));
    assert_eq!(
        counterpart("shop.reseal.co.uk").as_deref(),
        Some("www.shop.reseal.co.uk")
    );
    assert_eq!(counterpart("*.reseal.dev"), None);
    assert_eq!(counterpart("www.ck"), None, "`ck` cannot be issued");
    assert_eq!(counterpart("www.uk"), None, "`uk` cannot be issued");
    assert_eq!(counterpart("www.com"), None);
}

#[test]
fn nasty_087_www_www_is_never_made() {
    assert_eq!(name("www.www.reseal.dev").www_counterpart(), None);
    for text in ["reseal.dev", "www.reseal.dev", "www.de"] {
        let made = name(text).www_counterpart();
        assert!(
            made.is_none_or(|made| !made.as_str().starts_with("www.www.")),
            "{text}"
        );
    }
}

proptest::proptest! {
    /// A name is proved at itself and at domains above it, down to the registered one; never beside or below it.
    #[test]
    fn n_20_n_21_n_24_nasty_130_proofs_lie_between_the_name_and_its_base_domain(
        labels in proptest::collection::vec("[a-z]{1,8}", 0..5),
        base in "[a-z]{2,10}",
        suffix in proptest::sample::select(vec!["dev", "co.uk", "com", "kobe.jp"]),
        wildcard in proptest::bool::ANY,
        stranger in "[a-z]{2,10}\\.(dev|com|co\\.uk)",
    ) {
        let policy = NamePolicy::default();
        let registered = format!("{base}.{suffix}");
        let mut fqdn = registered.clone();
        for label in &labels {
            fqdn = format!("{label}.{fqdn}");
        }
        let text = if wildcard { format!("*.{fqdn}") } else { fqdn.clone() };
        proptest::prop_assume!(DnsName::parse(&text, &policy).is_ok());
        let name = name(&text);
        let base_domain = name.base_domain(&policy).to_owned();
        let adns = name.authorization_domain_names(true, &policy);
        proptest::prop_assert_eq!(&adns[0], &fqdn);
        proptest::prop_assert_eq!(adns.last(), Some(&base_domain));
        for pair in adns.windows(2) {
            let parent = pair[0].split_once('.').map(|(_, parent)| parent);
            proptest::prop_assert_eq!(parent, Some(pair[1].as_str()));
        }
        for adn in &adns {
            let is_above = fqdn == *adn || fqdn.ends_with(&format!(".{adn}"));
            proptest::prop_assert!(is_above);
            // What covers a domain above covers what is below it (N-24).
            let above = DnsName::parse(adn, &policy).unwrap();
            let of_above = above.authorization_domain_names(true, &policy);
            proptest::prop_assert!(of_above.iter().all(|one| adns.contains(one)));
        }
        // An alias leads to a stranger's domain: that is no place for this name's proof.
        let related = fqdn == stranger || fqdn.ends_with(&format!(".{stranger}"));
        proptest::prop_assert_eq!(adns.contains(&stranger), related);
        proptest::prop_assert_eq!(name.authorization_domain_names(false, &policy), vec![fqdn]);
    }
}
