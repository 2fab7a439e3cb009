use jiff::{SignedDuration, Timestamp};

use super::{Finding, LintContext, lint_leaf};
use crate::{
    asn1::{self, Reader, element},
    fixture::{Hierarchy, KeyType, SIGNING_TIME, Signer, organization},
    key::PublicKey,
    name::DnsName,
    profile::{Leaf, PolicyArc, ValidationType, Validity, leaf_tbs},
};

/// A DER tree that can be edited: what a faulty profile would have written.
#[derive(Clone)]
enum Node {
    Primitive(u8, Vec<u8>),
    Constructed(u8, Vec<Node>),
}

impl Node {
    fn read_all(bytes: &[u8]) -> Vec<Self> {
        let mut reader = Reader::new(bytes);
        let mut nodes = Vec::new();
        while !reader.is_empty() {
            let element = reader.any().unwrap();
            nodes.push(match element.tag & 0x20 {
                0 => Self::Primitive(element.tag, element.content.to_vec()),
                _ => Self::Constructed(element.tag, Self::read_all(element.content)),
            });
        }
        nodes
    }

    fn write(&self) -> Vec<u8> {
        match self {
            Self::Primitive(tag, content) => element(*tag, content),
            Self::Constructed(tag, nodes) => element(
                *tag,
                &nodes.iter().flat_map(Self::write).collect::<Vec<_>>(),
            ),
        }
    }

    fn children(&mut self) -> &mut Vec<Self> {
        match self {
            Self::Constructed(_, nodes) => nodes,
            Self::Primitive(tag, _) => panic!("tag {tag} has no children"),
        }
    }

    fn set(&mut self, content: &[u8]) {
        match self {
            Self::Primitive(_, old) => *old = content.to_vec(),
            Self::Constructed(_, nodes) => *nodes = Self::read_all(content),
        }
    }
}

const SERIAL: usize = 1;
const ALGORITHM: usize = 2;
const ISSUER: usize = 3;
const VALIDITY: usize = 4;
const SUBJECT: usize = 5;
const KEY: usize = 6;
const EXTENSIONS: usize = 7;

const AKI: &str = "551d23";
const SKI: &str = "551d0e";
const KEY_USAGE: &str = "551d0f";
const BASIC_CONSTRAINTS: &str = "551d13";
const EXT_KEY_USAGE: &str = "551d25";
const POLICIES: &str = "551d20";
const AIA: &str = "2b06010505070101";
const CDP: &str = "551d1f";
const SAN: &str = "551d11";

fn extension_oid(extension: &Node) -> String {
    let Node::Constructed(_, fields) = extension else {
        panic!("not an extension")
    };
    let Node::Primitive(_, oid) = &fields[0] else {
        panic!("not an identifier")
    };
    hex::encode(oid)
}

fn extensions(fields: &mut [Node]) -> &mut Vec<Node> {
    fields[EXTENSIONS].children()[0].children()
}

fn extension<'a>(fields: &'a mut [Node], oid: &str) -> &'a mut Vec<Node> {
    extensions(fields)
        .iter_mut()
        .find(|extension| extension_oid(extension) == oid)
        .unwrap()
        .children()
}

fn set_value(fields: &mut [Node], oid: &str, value: &[u8]) {
    extension(fields, oid).last_mut().unwrap().set(value);
}

/// An issuer, a key and names, and the leaf made of them.
struct Bench {
    hierarchy: Hierarchy,
    key: PublicKey,
    names: Vec<DnsName>,
}

impl Bench {
    fn new() -> Self {
        Self {
            hierarchy: Hierarchy::new(KeyType::P256),
            key: Signer::generate(KeyType::P256).public_key(),
            names: ["www.reseal.dev", "*.reseal.dev"]
                .map(|name| name.parse().unwrap())
                .to_vec(),
        }
    }

    fn leaf(&self) -> Leaf<'_> {
        self.hierarchy.leaf(&self.key, &self.names)
    }

    /// The rules found broken after `edit`.
    fn rules_after(&self, leaf: &Leaf<'_>, edit: impl FnOnce(&mut Vec<Node>)) -> Vec<&'static str> {
        let mut tree = Node::read_all(&leaf_tbs(leaf).unwrap()).remove(0);
        edit(tree.children());
        self.rules(leaf, tree.write())
    }

    fn rules(&self, leaf: &Leaf<'_>, tbs: Vec<u8>) -> Vec<&'static str> {
        rules(lint_leaf(tbs, &self.hierarchy.context(leaf)))
    }

    /// The one rule broken after `edit` of the plain leaf.
    #[track_caller]
    fn rule_after(&self, edit: impl FnOnce(&mut Vec<Node>)) -> &'static str {
        let rules = self.rules_after(&self.leaf(), edit);
        assert_eq!(rules.len(), 1, "{rules:?}");
        rules[0]
    }
}

fn rules(outcome: Result<super::Linted, Vec<Finding>>) -> Vec<&'static str> {
    outcome
        .err()
        .unwrap_or_default()
        .iter()
        .map(|finding| finding.rule)
        .collect()
}

#[test]
fn a_7_what_the_profile_makes_passes_and_is_signed_as_it_is() {
    let bench = Bench::new();
    let leaf = bench.leaf();
    let tbs = leaf_tbs(&leaf).unwrap();
    let linted = lint_leaf(tbs.clone(), &bench.hierarchy.context(&leaf)).unwrap();
    assert_eq!(linted.tbs(), tbs);
    assert_eq!(
        linted.algorithm(),
        bench.hierarchy.issuer.signature_algorithm()
    );
    let certificate = linted.finish(b"signature");
    assert!(certificate.windows(tbs.len()).any(|window| window == tbs));
    assert_eq!(
        bench.rules_after(&leaf, |_| {}),
        [] as [&str; 0],
        "the test's own DER is faithful"
    );
}

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
fn nasty_086_a_wildcard_is_never_signed_as_extended_validation() {
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

#[test]
fn everything_wrong_is_reported_at_once_and_nothing_panics() {
    let bench = Bench::new();
    let leaf = bench.leaf();
    let found = bench.rules_after(&leaf, |fields| {
        fields[SERIAL].set(&[0]);
        set_value(
            fields,
            BASIC_CONSTRAINTS,
            &hex::decode("30030101ff").unwrap(),
        );
        set_value(fields, EXT_KEY_USAGE, &[]);
    });
    assert_eq!(found, ["P-1", "P-6", "P-7"]);
    let tbs = leaf_tbs(&leaf).unwrap();
    let context = bench.hierarchy.context(&leaf);
    for position in 0..tbs.len() {
        for flip in [0x01, 0x20, 0x80, 0xff] {
            let mut damaged = tbs.clone();
            damaged[position] ^= flip;
            let _ = lint_leaf(damaged, &context);
        }
        assert!(lint_leaf(tbs[..position].to_vec(), &context).is_err());
    }
}
