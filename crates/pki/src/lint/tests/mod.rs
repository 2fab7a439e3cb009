mod authority;
mod extension;
mod field;

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
