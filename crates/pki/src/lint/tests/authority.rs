use super::*;
use crate::{
    lint::{lint_intermediate, lint_root},
    profile::{
        CaSubject, INTERMEDIATE_LIFETIME, IntermediateUrls, IssuingAuthority, ROOT_LIFETIME,
        intermediate_tbs, root_tbs,
    },
    serial::Serial,
};

fn subject(common_name: &str) -> CaSubject {
    CaSubject {
        common_name: common_name.to_owned(),
        organization: "Reseal".to_owned(),
        country: "NL".to_owned(),
    }
}

fn begin() -> Timestamp {
    SIGNING_TIME.parse().unwrap()
}

fn root(key: &PublicKey) -> Vec<u8> {
    let serial = Serial::random().unwrap();
    let validity = Validity::new(begin(), ROOT_LIFETIME);
    root_tbs(&subject("Root"), key.spki_der(), &serial, validity).unwrap()
}

fn intermediate(key: &PublicKey, issuer: &IssuingAuthority) -> Vec<u8> {
    let validity = Validity::new(begin(), INTERMEDIATE_LIFETIME).ending_by(issuer.not_after());
    let urls = IntermediateUrls {
        crl: "http://ca.reseal.dev/crl/root.crl",
        ca_issuers: "http://ca.reseal.dev/ca/root.cer",
    };
    let serial = Serial::random().unwrap();
    let (subject, spki) = (subject("Intermediate"), key.spki_der());
    intermediate_tbs(&subject, spki, &serial, validity, issuer, urls).unwrap()
}

fn edited(tbs: &[u8], edit: impl FnOnce(&mut Vec<Node>)) -> Vec<u8> {
    let mut tree = Node::read_all(tbs).remove(0);
    edit(tree.children());
    tree.write()
}

type Edit = fn(&mut Vec<Node>);

#[test]
fn p_13_what_the_profile_makes_passes() {
    for kind in [KeyType::P256, KeyType::P384] {
        let signer = Signer::generate(kind);
        lint_root(root(&signer.public_key()), &signer.public_key()).unwrap();
        let hierarchy = Hierarchy::new(kind);
        let key = Signer::generate(KeyType::P256).public_key();
        lint_intermediate(intermediate(&key, &hierarchy.root), &hierarchy.root).unwrap();
    }
}

#[test]
fn p_13_an_intermediate_that_could_do_more_is_not_signed() {
    let issuer = Hierarchy::new(KeyType::P256).root;
    let good = intermediate(&Signer::generate(KeyType::P256).public_key(), &issuer);
    let edits: [(&str, Edit, &str); 12] = [
        (
            "another authority below it",
            |tbs| set_value(tbs, BASIC_CONSTRAINTS, &[0x30, 6, 1, 1, 0xff, 2, 1, 1]),
            "P-13",
        ),
        (
            "any number below it",
            |tbs| set_value(tbs, BASIC_CONSTRAINTS, &[0x30, 3, 1, 1, 0xff]),
            "P-13",
        ),
        (
            "no authority",
            |tbs| set_value(tbs, BASIC_CONSTRAINTS, &[0x30, 0]),
            "P-13",
        ),
        (
            "digitalSignature",
            |tbs| set_value(tbs, KEY_USAGE, &[3, 2, 1, 0x86]),
            "P-13",
        ),
        (
            "any purpose",
            |tbs| drop_extension(tbs, EXT_KEY_USAGE),
            "P-13",
        ),
        ("no policy", |tbs| drop_extension(tbs, POLICIES), "P-13"),
        ("no list", |tbs| drop_extension(tbs, CDP), "P-13"),
        (
            "another issuer's key",
            |tbs| set_value(tbs, AKI, &[0x30, 3, 0x80, 1, 7]),
            "P-6",
        ),
        (
            "another key's identifier",
            |tbs| set_value(tbs, SKI, &[4, 1, 7]),
            "P-11",
        ),
        (
            "its issuer's name",
            |tbs| tbs[SUBJECT] = tbs[ISSUER].clone(),
            "P-13",
        ),
        (
            "a short serial number",
            |tbs| tbs[SERIAL].set(&[1, 2]),
            "P-1",
        ),
        (
            "no end in sight",
            |tbs| tbs[VALIDITY].children()[1] = Node::Primitive(0x18, b"20990101000000Z".to_vec()),
            "V-9",
        ),
    ];
    for (what, edit, rule) in edits {
        let found = rules(lint_intermediate(edited(&good, edit), &issuer));
        assert!(found.contains(&rule), "{what}: {found:?}");
    }
}

#[test]
fn c_15_to_c_20_a_weak_key_makes_no_authority() {
    let issuer = Hierarchy::new(KeyType::P256).root;
    let good = intermediate(&Signer::generate(KeyType::P256).public_key(), &issuer);
    // The point is none of the curve.
    let off = edited(&good, |tbs| {
        let Some(Node::Primitive(_, point)) = tbs[KEY].children().last_mut() else {
            panic!("no key")
        };
        *point.last_mut().unwrap() ^= 1;
    });
    let found = rules(lint_intermediate(off, &issuer));
    assert!(found.iter().any(|rule| rule.starts_with("C-")), "{found:?}");
}

#[test]
fn p_13_a_root_is_for_the_key_that_signs_it_and_says_so() {
    let signer = Signer::generate(KeyType::P256);
    let (key, other) = (
        signer.public_key(),
        Signer::generate(KeyType::P256).public_key(),
    );
    let good = root(&key);
    assert!(rules(lint_root(good.clone(), &other)).contains(&"P-13"));
    let edits: [(&str, Edit, &str); 4] = [
        (
            "no authority",
            |tbs| set_value(tbs, BASIC_CONSTRAINTS, &[0x30, 0]),
            "P-13",
        ),
        (
            "one more purpose",
            |tbs| set_value(tbs, KEY_USAGE, &[3, 2, 1, 0x86]),
            "P-13",
        ),
        (
            "another issuer",
            |tbs| tbs[ISSUER].children().truncate(1),
            "P-2",
        ),
        (
            "a hundred years",
            |tbs| tbs[VALIDITY].children()[1] = Node::Primitive(0x18, b"21260101000000Z".to_vec()),
            "P-13",
        ),
    ];
    for (what, edit, rule) in edits {
        let found = rules(lint_root(edited(&good, edit), &key));
        assert!(found.contains(&rule), "{what}: {found:?}");
    }
}

fn drop_extension(tbs: &mut [Node], oid: &str) {
    extensions(tbs).retain(|extension| extension_oid(extension) != oid);
}
