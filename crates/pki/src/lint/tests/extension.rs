use super::*;

#[test]
fn p_6_every_extension_is_needed_once_with_its_criticality() {
    let bench = Bench::new();
    for oid in [
        AKI,
        SKI,
        KEY_USAGE,
        BASIC_CONSTRAINTS,
        EXT_KEY_USAGE,
        POLICIES,
        AIA,
        CDP,
        SAN,
    ] {
        let removed = bench.rules_after(&bench.leaf(), |fields| {
            extensions(fields).retain(|extension| extension_oid(extension) != oid);
        });
        assert_eq!(removed.is_empty(), oid == SKI, "{oid} {removed:?}");
        assert!(
            removed.iter().all(|rule| *rule == "P-6"),
            "{oid} {removed:?}"
        );

        let twice = bench.rule_after(|fields| {
            let again = extensions(fields)
                .iter()
                .find(|e| extension_oid(e) == oid)
                .unwrap()
                .clone();
            extensions(fields).push(again);
        });
        assert_eq!(twice, "P-6", "{oid}");

        let flipped = bench.rule_after(|fields| {
            let parts = extension(fields, oid);
            if parts.len() == 3 {
                parts.remove(1);
            } else {
                parts.insert(1, Node::Primitive(asn1::BOOLEAN, vec![0xff]));
            }
        });
        assert_eq!(flipped, if oid == SAN { "P-3" } else { "P-6" }, "{oid}");
    }
}

#[test]
fn nasty_060_must_staple_and_other_extensions_are_never_signed() {
    let bench = Bench::new();
    for (oid, value) in [
        ("2b0601050507011818", "3003020105"), // TLS feature, close to it
        ("2b06010505070118", "3003020105"),   // TLS feature
        ("551d1e", "3000"),                   // name constraints
        ("2b06010401d679020403", "0500"),     // precertificate poison
    ] {
        let added = bench.rule_after(|fields| {
            extensions(fields).push(Node::Constructed(
                asn1::SEQUENCE,
                vec![
                    Node::Primitive(asn1::OID, hex::decode(oid).unwrap()),
                    Node::Primitive(asn1::OCTET_STRING, hex::decode(value).unwrap()),
                ],
            ));
        });
        assert_eq!(added, "P-6", "{oid}");
    }
}

#[test]
fn p_6_the_values_of_extensions_are_held_to_the_profile() {
    let bench = Bench::new();
    for (oid, value, rule) in [
        (AKI, "30060404aabbccdd", "P-12"),
        (AKI, "30068004aabbccdd", "P-6"),
        (SKI, "0404aabbccdd", "P-11"),
        (KEY_USAGE, "030205a0", "P-6"),
        (KEY_USAGE, "03020106", "P-6"),
        (KEY_USAGE, "030203f8", "P-6"),
        (BASIC_CONSTRAINTS, "30030101ff", "P-6"),
        (BASIC_CONSTRAINTS, "3003010100", "P-6"),
        (
            EXT_KEY_USAGE,
            "301406082b0601050507030106082b06010505070302",
            "P-7",
        ),
        (EXT_KEY_USAGE, "300606045", "P-7"),
        (POLICIES, "300a3008060667810c010202", "P-6"),
        (POLICIES, "30083006060455", "P-12"),
        (POLICIES, "30083006060455 1d2000", "P-6"),
        (
            POLICIES,
            "30143008060667810c0102013008060667810c010202",
            "P-6",
        ),
        (AIA, "3000", "P-6"),
        (SAN, "3000", "P-6"),
    ] {
        let mut digits = value.replace(' ', "");
        if digits.len() % 2 == 1 {
            digits.push('0');
        }
        let value = hex::decode(digits).unwrap();
        assert_eq!(
            bench.rule_after(|fields| set_value(fields, oid, &value)),
            rule,
            "{oid} {value:02x?}"
        );
    }
}

#[test]
fn p_6_pointers_must_be_http() {
    let bench = Bench::new();
    for url in [
        "https://pki.reseal.dev/x",
        "ldap://x",
        "http://",
        "http://a b",
    ] {
        let uri = element(0x86, url.as_bytes());
        let point = [0x30, 0x30, 0xa0, 0xa0]
            .into_iter()
            .rev()
            .fold(uri.clone(), |inner, tag| element(tag, &inner));
        assert_eq!(
            bench.rule_after(|fields| set_value(fields, CDP, &point)),
            "P-6",
            "{url}"
        );
        let ca_issuers = element(asn1::OID, &hex::decode("2b06010505073002").unwrap());
        let access = element(
            asn1::SEQUENCE,
            &element(asn1::SEQUENCE, &[ca_issuers, uri].concat()),
        );
        assert_eq!(
            bench.rule_after(|fields| set_value(fields, AIA, &access)),
            "P-6",
            "{url}"
        );
    }
}

#[test]
fn nasty_061_only_dns_names_are_signed_each_once_and_well_formed() {
    let bench = Bench::new();
    let san = |entries: &[(u8, &str)]| {
        let entries: Vec<u8> = entries
            .iter()
            .flat_map(|(tag, text)| element(*tag, text.as_bytes()))
            .collect();
        let value = element(asn1::SEQUENCE, &entries);
        bench.rules_after(&bench.leaf(), |fields| set_value(fields, SAN, &value))
    };
    assert_eq!(san(&[(0x82, "reseal.dev")]), [] as [&str; 0]);
    assert_eq!(san(&[(0x81, "a@reseal.dev")]), ["P-6"], "mail address");
    assert_eq!(san(&[(0x86, "http://reseal.dev")]), ["P-6"], "URI");
    assert_eq!(san(&[(0x87, "\x0a\0\0\x01")]), ["P-6"], "IP address");
    assert_eq!(san(&[(0x82, "reseal.dev"), (0x82, "reseal.dev")]), ["P-6"]);
    assert_eq!(san(&[(0x82, "Reseal.dev")]), ["N-3"]);
    assert_eq!(san(&[(0x82, "good.com\0.evil.com")]), ["N-2"]);
    assert_eq!(
        san(&[(0x82, "a_b.reseal.dev"), (0x82, "w*.reseal.dev")]),
        ["N-5", "N-10"]
    );
}

#[test]
fn p_6_nothing_points_to_a_responder_that_is_not_there() {
    let bench = Bench::new();
    let leaf = bench.leaf();
    let silent = LintContext {
        ocsp: false,
        ..bench.hierarchy.context(&leaf)
    };
    assert_eq!(rules(lint_leaf(leaf_tbs(&leaf).unwrap(), &silent)), ["P-6"]);
    let leaf = Leaf {
        ocsp_url: None,
        ..leaf
    };
    assert!(lint_leaf(leaf_tbs(&leaf).unwrap(), &silent).is_ok());
    let twice = [
        method("2b06010505073001", "http://pki.reseal.dev/ocsp"),
        method("2b06010505073001", "http://pki.reseal.dev/ocsp"),
        method("2b06010505073002", "http://pki.reseal.dev/ca/1.cer"),
    ];
    let value = element(asn1::SEQUENCE, &twice.concat());
    assert_eq!(
        bench.rules_after(&bench.leaf(), |fields| set_value(fields, AIA, &value)),
        ["P-6"]
    );
}

fn method(oid: &str, url: &str) -> Vec<u8> {
    let oid = element(asn1::OID, &hex::decode(oid).unwrap());
    let url = element(0x86, url.as_bytes());
    element(asn1::SEQUENCE, &[oid, url].concat())
}

#[test]
fn p_6_the_policy_is_that_of_the_arc_and_the_validation() {
    let bench = Bench::new();
    let leaf = bench.leaf();
    let tbs = leaf_tbs(&leaf).unwrap();
    let context = bench.hierarchy.context(&leaf);
    let private = LintContext {
        policy: PolicyArc::Private,
        ..context
    };
    assert_eq!(
        rules(lint_leaf(tbs.clone(), &private)),
        ["P-6"],
        "2.23.140.1 under a private anchor"
    );
    let organization = LintContext {
        validation: ValidationType::Organization,
        ..context
    };
    assert_eq!(rules(lint_leaf(tbs, &organization)), ["P-4", "P-6"]);
}

#[test]
fn n_16_nasty_086_a_wildcard_is_never_signed_as_extended_validation() {
    let bench = Bench::new();
    let organization = organization();
    let plain = [bench.names[0].clone()];
    let leaf = Leaf {
        names: &plain,
        subject: Some(&organization),
        validation: ValidationType::Extended,
        policy: PolicyArc::Private,
        ..bench.leaf()
    };
    let value = element(asn1::SEQUENCE, &element(0x82, b"*.reseal.dev"));
    assert_eq!(
        bench.rules_after(&leaf, |fields| set_value(fields, SAN, &value)),
        ["N-16"]
    );
}
