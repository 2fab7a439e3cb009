use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, SanType,
};
use reseal_pki::csr::Csr;
use reseal_pki::name::NamePolicy;

use super::*;

/// A CA elsewhere, and the key of a customer.
struct Elsewhere {
    issuer: Issuer<'static, KeyPair>,
    chain: Vec<Vec<u8>>,
    customer: KeyPair,
}

impl Elsewhere {
    fn new() -> Self {
        Self::signing_with(&rcgen::PKCS_ECDSA_P256_SHA256)
    }

    fn signing_with(algorithm: &'static rcgen::SignatureAlgorithm) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate_for(algorithm).unwrap();
        let root = params.self_signed(&key).unwrap();
        Self {
            chain: vec![root.der().to_vec()],
            issuer: Issuer::new(params, key),
            customer: KeyPair::generate().unwrap(),
        }
    }

    fn key(&self) -> PublicKey {
        let csr = CertificateParams::default()
            .serialize_request(&self.customer)
            .unwrap();
        Csr::from_der(csr.der()).unwrap().public_key().clone()
    }

    /// A certificate for `names`, valid for 90 days around now, after `change`.
    fn deliver(&self, names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> Delivered {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.not_before = rcgen::date_time_ymd(2026, 11, 1);
        params.not_after = rcgen::date_time_ymd(2027, 1, 30);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        change(&mut params);
        let leaf = params.signed_by(&self.customer, &self.issuer).unwrap();
        Delivered {
            leaf: leaf.der().to_vec(),
            chain: self.chain.clone(),
        }
    }

    fn inspect(&self, delivered: &Delivered) -> Result<Inspected, Wrong> {
        self.inspect_for(delivered, &[])
    }

    fn inspect_for(&self, delivered: &Delivered, roots: &[Vec<u8>]) -> Result<Inspected, Wrong> {
        let names = ["reseal.net", "*.reseal.net"];
        let names = names.map(|name| DnsName::parse(name, &NamePolicy::default()).unwrap());
        let now = "2026-11-29T12:00:00Z".parse().unwrap();
        inspect(
            delivered,
            &names,
            &self.key(),
            |_| SignedDuration::from_hours(24 * 100),
            roots,
            now,
        )
    }
}

const ORDERED: &[&str] = &["*.reseal.net", "reseal.net"];

#[test]
fn what_was_ordered_is_taken() {
    let elsewhere = Elsewhere::new();
    let inspected = elsewhere
        .inspect(&elsewhere.deliver(ORDERED, |_| {}))
        .unwrap();
    assert_eq!(inspected.not_after, "2027-01-30T00:00:00Z".parse().unwrap());
    assert!(!inspected.serial.is_empty());
}

#[test]
fn nasty_141_what_was_not_ordered_is_discarded() {
    let elsewhere = Elsewhere::new();
    let refused = |delivered: &Delivered, part: &str| {
        let Wrong::NotOrdered(said) = elsewhere.inspect(delivered).unwrap_err() else {
            panic!("{part}");
        };
        assert!(said.contains(part), "{said}");
    };
    refused(
        &elsewhere.deliver(&["reseal.net"], |_| {}),
        "lacks the name `*.reseal.net`",
    );
    let more = ["reseal.net", "*.reseal.net", "other.net"];
    refused(
        &elsewhere.deliver(&more, |_| {}),
        "has the name `other.net`",
    );
    let until = |year: i32| {
        move |params: &mut CertificateParams| {
            params.not_after = rcgen::date_time_ymd(year, 11, 1);
        }
    };
    refused(
        &elsewhere.deliver(ORDERED, until(2028)),
        "is valid for 731 days, and 100",
    );
    let over = |params: &mut CertificateParams| {
        params.not_before = rcgen::date_time_ymd(2026, 9, 1);
        params.not_after = rcgen::date_time_ymd(2026, 11, 29);
    };
    refused(
        &elsewhere.deliver(ORDERED, over),
        "it is valid from 2026-09-01",
    );
    let future =
        |params: &mut CertificateParams| params.not_before = rcgen::date_time_ymd(2026, 12, 1);
    refused(
        &elsewhere.deliver(ORDERED, future),
        "it is valid from 2026-12-01",
    );
    let authority =
        |params: &mut CertificateParams| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    refused(
        &elsewhere.deliver(ORDERED, authority),
        "a certification authority's",
    );
    let mail = |params: &mut CertificateParams| {
        let address = "root@reseal.net".try_into().unwrap();
        params.subject_alt_names.push(SanType::Rfc822Name(address));
    };
    refused(&elsewhere.deliver(ORDERED, mail), "no domain names");
    for usages in [Vec::new(), vec![ExtendedKeyUsagePurpose::ClientAuth]] {
        let client = |params: &mut CertificateParams| params.extended_key_usages = usages;
        refused(&elsewhere.deliver(ORDERED, client), "serverAuth");
    }
    let other = Elsewhere::new();
    refused(&other.deliver(ORDERED, |_| {}), "another key than the CSR");
}

#[test]
fn nasty_141_a_certificate_that_its_chain_did_not_sign_is_discarded() {
    let elsewhere = Elsewhere::new();
    let good = elsewhere.deliver(ORDERED, |_| {});
    let refused = |leaf: &[u8], chain: Vec<Vec<u8>>| {
        let delivered = Delivered {
            leaf: leaf.to_vec(),
            chain,
        };
        let Wrong::NotOrdered(said) = elsewhere.inspect(&delivered).unwrap_err() else {
            panic!("not discarded");
        };
        assert!(said.contains("did not sign"), "{said}");
    };
    refused(&good.leaf, Elsewhere::new().chain);
    refused(&good.leaf, vec![good.leaf.clone()]);
    let mut forged = good.leaf.clone();
    if let Some(last) = forged.last_mut() {
        *last ^= 1;
    }
    refused(&forged, good.chain);
    let garbage = Delivered {
        leaf: vec![0x30, 0],
        chain: elsewhere.chain.clone(),
    };
    let said = elsewhere.inspect(&garbage).unwrap_err();
    assert!(matches!(said, Wrong::Unreadable(_)), "{said:?}");
}

#[test]
fn nasty_141_a_chain_that_is_not_in_order_says_nothing_against_its_certificate() {
    let elsewhere = Elsewhere::new();
    let good = elsewhere.deliver(ORDERED, |_| {});
    let doubted = |chain: Vec<Vec<u8>>, part: &str| {
        let delivered = Delivered {
            chain,
            ..good.clone()
        };
        let Wrong::Unverifiable(said) = elsewhere.inspect(&delivered).unwrap_err() else {
            panic!("{part}");
        };
        assert!(said.contains(part), "{said}");
    };
    doubted(Vec::new(), "without its issuer");
    doubted(vec![vec![0x30, 0]], "1 of its chain cannot be read");
    let others = Elsewhere::new().chain;
    let surplus = [&*good.chain, &*others].concat();
    doubted(surplus, "certificate 2 of its chain did not sign");
    let turned = [&*others, &*good.chain].concat();
    doubted(turned, "certificate 1 of its chain did not sign");
}

#[test]
fn nasty_141_what_is_signed_as_we_cannot_verify_is_not_taken_for_another_certificate() {
    let elsewhere = Elsewhere::signing_with(&rcgen::PKCS_ED25519);
    let delivered = elsewhere.deliver(ORDERED, |_| {});
    let Wrong::Unverifiable(said) = elsewhere.inspect(&delivered).unwrap_err() else {
        panic!("not in doubt");
    };
    assert!(said.contains("Ed25519"), "{said}");
}

#[test]
fn v_1_the_validity_is_judged_by_the_day_from_which_it_counts() {
    let elsewhere = Elsewhere::new();
    let delivered = elsewhere.deliver(ORDERED, |params| {
        params.not_before = rcgen::date_time_ymd(2027, 3, 14);
        params.not_after = rcgen::date_time_ymd(2027, 9, 29);
    });
    let names = ["reseal.net", "*.reseal.net"];
    let names = names.map(|name| DnsName::parse(name, &NamePolicy::default()).unwrap());
    let by_rule = |day| reseal_pki::calendar::rules_at(day).maximum_validity;
    let fetched = "2027-03-16T12:00:00Z".parse().unwrap();
    let taken = inspect(&delivered, &names, &elsewhere.key(), by_rule, &[], fetched);
    assert!(taken.is_ok(), "{taken:?}");
}

#[test]
fn nasty_141_a_chain_to_another_root_than_those_pinned_is_discarded() {
    let (elsewhere, other) = (Elsewhere::new(), Elsewhere::new());
    let good = elsewhere.deliver(ORDERED, |_| {});
    let (root, foreign) = (elsewhere.chain[0].clone(), other.chain[0].clone());
    let among = [foreign.clone(), root.clone()];
    assert!(elsewhere.inspect_for(&good, &among).is_ok());
    let Wrong::NotOrdered(said) = elsewhere.inspect_for(&good, &[foreign]).unwrap_err() else {
        panic!("not discarded");
    };
    assert!(said.contains("`roots_file`"), "{said}");
    // Below a root that is not in the chain.
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let between = params.signed_by(&key, &elsewhere.issuer).unwrap();
    let below = Elsewhere {
        issuer: Issuer::new(params, key),
        chain: vec![between.der().to_vec()],
        customer: elsewhere.customer,
    };
    let short = below.deliver(ORDERED, |_| {});
    assert!(below.inspect_for(&short, &[root]).is_ok());
    assert!(below.inspect_for(&short, &other.chain).is_err());
}
