use super::*;

#[test]
fn p_1_version_and_serial() {
    let bench = Bench::new();
    assert_eq!(
        bench.rule_after(|fields| fields[0].children()[0].set(&[1])),
        "P-1"
    );
    for serial in [&[0][..], &[0x80; 16], &[1; 8], &[1; 21], &[0; 9]] {
        assert_eq!(
            bench.rule_after(|fields| fields[SERIAL].set(serial)),
            "P-1",
            "{serial:?}"
        );
    }
    for serial in [&[1; 9][..], &[1; 20]] {
        let rules = bench.rules_after(&bench.leaf(), |fields| fields[SERIAL].set(serial));
        assert_eq!(rules, [] as [&str; 0], "{serial:?}");
    }
}

#[test]
fn p_2_algorithm_and_issuer_are_the_issuers() {
    let bench = Bench::new();
    let sha1 = hex::decode("06072a8648ce3d0401").unwrap();
    assert_eq!(
        bench.rule_after(|fields| fields[ALGORITHM].set(&sha1)),
        "P-2"
    );
    let subject =
        |fields: &mut Vec<Node>| fields[ISSUER].children()[0] = Node::Constructed(0x31, vec![]);
    assert_eq!(bench.rule_after(subject), "P-2");
    let other = Hierarchy::new(KeyType::P384);
    let leaf = bench.leaf();
    let found = rules(lint_leaf(leaf_tbs(&leaf).unwrap(), &other.context(&leaf)));
    assert_eq!(found, ["P-2", "P-6"], "algorithm, authorityKeyIdentifier");
}

#[test]
fn v_1_and_v_2_the_maximum_is_inclusive_and_of_the_signing_day() {
    let bench = Bench::new();
    for (signing, days) in [
        ("2026-11-24T12:00:00Z", 200),
        ("2027-03-14T23:59:59Z", 200),
        ("2027-03-15T00:00:00Z", 100),
        ("2029-03-15T00:00:00Z", 47),
    ] {
        let signing_time: Timestamp = signing.parse().unwrap();
        let longest = SignedDuration::from_hours(24 * days);
        for (length, broken) in [
            (longest, false),
            (longest + SignedDuration::from_secs(1), true),
        ] {
            let leaf = Leaf {
                validity: Validity::new(signing_time, length),
                ..bench.leaf()
            };
            let context = LintContext {
                signing_time,
                ..bench.hierarchy.context(&leaf)
            };
            let found = rules(lint_leaf(leaf_tbs(&leaf).unwrap(), &context));
            assert_eq!(found == ["V-1"], broken, "{signing} {length:?} {found:?}");
            assert_eq!(found.is_empty(), !broken, "{signing} {length:?} {found:?}");
        }
    }
}

#[test]
fn nasty_030_a_certificate_planned_before_march_2027_is_too_long_after() {
    let bench = Bench::new();
    let submitted: Timestamp = "2027-03-14T23:59:00Z".parse().unwrap();
    let validity = Validity::new(submitted, SignedDuration::from_hours(24 * 199));
    let leaf = Leaf {
        validity,
        ..bench.leaf()
    };
    let signed_at = |text: &str| {
        let context = LintContext {
            signing_time: text.parse().unwrap(),
            ..bench.hierarchy.context(&leaf)
        };
        rules(lint_leaf(leaf_tbs(&leaf).unwrap(), &context))
    };
    assert_eq!(signed_at("2027-03-14T23:59:30Z"), [] as [&str; 0]);
    assert_eq!(signed_at("2027-03-15T00:00:30Z"), ["V-1"]);
}

#[test]
fn v_9_and_v_10_the_validity_begins_now_and_ends_within_the_issuers() {
    let bench = Bench::new();
    let now: Timestamp = SIGNING_TIME.parse().unwrap();
    let leaf = bench.leaf();
    let lint_at = |signing_time| {
        let context = LintContext {
            signing_time,
            ..bench.hierarchy.context(&leaf)
        };
        rules(lint_leaf(leaf_tbs(&leaf).unwrap(), &context))
    };
    let hours = SignedDuration::from_hours;
    assert_eq!(lint_at(now + hours(48)), [] as [&str; 0]);
    assert_eq!(
        lint_at(now + hours(49)),
        ["V-10"],
        "two days of backdating at most"
    );
    assert_eq!(
        lint_at(now - SignedDuration::from_secs(30)),
        [] as [&str; 0]
    );
    assert_eq!(
        lint_at(now - SignedDuration::from_secs(61)),
        ["V-10"],
        "not in the future"
    );
    let early = Leaf {
        validity: Validity::new(now - hours(1), hours(24)),
        ..bench.leaf()
    };
    assert_eq!(
        bench.rules_after(&early, |_| {}),
        ["V-9"],
        "the issuer's own begins later"
    );
}

#[test]
fn p_12_times_and_der_are_canonical() {
    let bench = Bench::new();
    let generalized = Node::Primitive(0x18, b"20261124120000Z".to_vec());
    assert_eq!(
        bench.rule_after(|fields| fields[VALIDITY].children()[0] = generalized),
        "P-12"
    );
    for time in [
        "261124120000+0000",
        "2611241200Z",
        "261324120000Z",
        "261124120060Z",
        "26112412000aZ",
        "",
    ] {
        let rule = bench.rule_after(|fields| fields[VALIDITY].children()[0].set(time.as_bytes()));
        assert_eq!(rule, "P-12", "{time}");
    }
    let default = |fields: &mut Vec<Node>| {
        extension(fields, EXT_KEY_USAGE).insert(1, Node::Primitive(asn1::BOOLEAN, vec![0]));
    };
    assert_eq!(bench.rule_after(default), "P-12");
    let leaf = bench.leaf();
    let mut long = leaf_tbs(&leaf).unwrap();
    long.push(0);
    assert_eq!(bench.rules(&leaf, long), ["P-12"]);
    assert_eq!(bench.rules(&leaf, Vec::new()), ["P-12"]);
}

fn attribute(oid: &str, tag: u8, value: &str) -> Node {
    let pair = vec![
        Node::Primitive(asn1::OID, hex::decode(oid).unwrap()),
        Node::Primitive(tag, value.as_bytes().to_vec()),
    ];
    Node::Constructed(asn1::SET, vec![Node::Constructed(asn1::SEQUENCE, pair)])
}

#[test]
fn p_3_a_dv_subject_has_a_country_and_a_name_at_most() {
    let bench = Bench::new();
    let leaf = Leaf {
        common_name: Some("www.reseal.dev"),
        ..bench.leaf()
    };
    let added =
        |node| bench.rules_after(&leaf, |fields| fields[SUBJECT].children().insert(0, node));
    assert_eq!(added(attribute("550406", 0x13, "NL")), [] as [&str; 0]);
    assert_eq!(added(attribute("55040a", 0x0c, "Reseal")), ["P-3"]);
    let renamed = bench.rules_after(&leaf, |fields| {
        fields[SUBJECT].children()[0] = attribute("550403", 0x0c, "other.reseal.dev");
    });
    assert_eq!(renamed, ["P-3"]);
    let emptied = bench.rules_after(&leaf, |fields| fields[SUBJECT].children().clear());
    assert_eq!(emptied, ["P-3"], "the names must then be critical");
}

#[test]
fn p_4_an_ov_subject_is_complete_ordered_and_says_something() {
    let bench = Bench::new();
    let organization = organization();
    let leaf = Leaf {
        common_name: Some("www.reseal.dev"),
        subject: Some(&organization),
        validation: ValidationType::Organization,
        ..bench.leaf()
    };
    let after = |edit: fn(&mut Vec<Node>)| {
        bench.rules_after(&leaf, |fields| edit(fields[SUBJECT].children()))
    };
    assert_eq!(after(|_| {}), [] as [&str; 0]);
    assert_eq!(
        after(|rdns| rdns.push(attribute("55040b", 0x0c, "IT"))),
        ["P-4"],
        "OU"
    );
    assert_eq!(after(|rdns| rdns.swap(1, 2)), ["P-4"], "order");
    assert_eq!(
        after(|rdns| rdns.insert(2, rdns[1].clone())),
        ["P-4"],
        "twice"
    );
    assert_eq!(after(|rdns| drop(rdns.remove(0))), ["P-4"], "no country");
    assert_eq!(after(|rdns| drop(rdns.drain(1..3))), ["P-4"], "no place");
    assert_eq!(
        after(|rdns| rdns[0] = attribute("550406", 0x13, "ch")),
        ["P-4"]
    );
    assert_eq!(
        after(|rdns| rdns[0] = attribute("550406", 0x0c, "CH")),
        ["P-4"],
        "UTF8String"
    );
    assert_eq!(
        after(|rdns| rdns[1] = attribute("550408", 0x0c, "-")),
        ["P-4"]
    );
    assert_eq!(
        after(|rdns| rdns[1] = attribute("550408", 0x14, "Jura")),
        ["P-4"],
        "TeletexString"
    );
    assert_eq!(
        after(|rdns| rdns[5] = attribute("55040a", 0x0c, &"x".repeat(65))),
        ["P-4"]
    );
    assert_eq!(
        after(|rdns| rdns[5] = attribute("55040a", 0x0c, "a\nb")),
        ["P-4"]
    );
    let two_in_one = after(|rdns| {
        let street = rdns.remove(4).children().remove(0);
        rdns[3].children().push(street);
    });
    assert_eq!(two_in_one, ["P-4"]);
}

#[test]
fn c_15_the_key_is_of_an_allowed_type_byte_for_byte() {
    let bench = Bench::new();
    let ed25519 = hex::decode("06032b6570").unwrap();
    assert_eq!(
        bench.rule_after(|fields| fields[KEY].children()[0].set(&ed25519)),
        "C-15"
    );
}
