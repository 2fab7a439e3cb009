//! Any input at all, and round trips with another implementation.

use proptest::prelude::*;
use rcgen::{CertificateParams, DnType, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384};
use x509_cert::der::{Decode, Encode};
use x509_cert::request::CertReq;

use super::{Csr, check, testdata};
use crate::asn1::{INTEGER, OCTET_STRING, SEQUENCE, SET, element};

/// Reads and looks at everything: nothing may panic.
fn exercise(der: &[u8]) {
    if let Ok(csr) = Csr::from_der(der) {
        assert_eq!(csr.der(), der);
        let errors = check(&csr);
        assert!(errors.iter().all(|error| !error.to_string().is_empty()));
        let _ = (csr.warnings(), csr.signature_hash_name(), csr.public_key());
        assert_eq!(Csr::parse(&csr.pem()).unwrap().der(), der);
    }
}

/// Encodings in which any tag may stand in any other.
fn nested() -> impl Strategy<Value = Vec<u8>> {
    let tag = prop_oneof![
        Just(SEQUENCE),
        Just(SET),
        Just(INTEGER),
        Just(OCTET_STRING),
        Just(0x03),
        Just(0x06),
        Just(0xa0),
        any::<u8>(),
    ];
    let leaf = (tag.clone(), proptest::collection::vec(any::<u8>(), 0..12))
        .prop_map(|(tag, content)| element(tag, &content));
    leaf.prop_recursive(6, 64, 6, move |inner| {
        (tag.clone(), proptest::collection::vec(inner, 0..6))
            .prop_map(|(tag, children)| element(tag, &children.concat()))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn c_4_no_bytes_panic(der in proptest::collection::vec(any::<u8>(), 0..300)) {
        exercise(&der);
    }

    #[test]
    fn c_4_no_nesting_panics(der in nested()) {
        exercise(&der);
    }

    #[test]
    fn c_1_no_text_panics(text in "\\PC{0,40}(-----BEGIN [A-Z ]{0,24}-----)?[A-Za-z0-9+/=\r\n :\\\\-]{0,80}(-----END [A-Z ]{0,24}-----)?\\PC{0,10}") {
        let _ = Csr::parse(&text);
    }
}

proptest! {
    // Each case verifies a signature.
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn c_4_no_mutation_panics(
        which in 0_usize..6,
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in any::<prop::sample::Index>(),
        cuts in any::<bool>(),
    ) {
        let text = [
            testdata!("ec-256"),
            testdata!("subject"),
            testdata!("rsa-2048"),
            testdata!("san-other-name"),
            testdata!("attributes"),
            testdata!("dsa"),
        ][which];
        let mut der = Csr::parse(text).unwrap().der().to_vec();
        for (at, value) in edits {
            let at = at.index(der.len());
            der[at] = value;
        }
        if cuts {
            der.truncate(cut.index(der.len()));
        }
        exercise(&der);
    }

    #[test]
    fn c_11_no_mutation_verifies(at in any::<prop::sample::Index>(), flip in 1_u8..) {
        let sound = Csr::parse(testdata!("ec-256")).unwrap();
        let mut der = sound.der().to_vec();
        let at = at.index(der.len());
        der[at] ^= flip;
        if let Ok(csr) = Csr::from_der(&der) {
            prop_assert!(!check(&csr).is_empty(), "byte {at} xor {flip:#x}");
        }
    }

    #[test]
    fn c_4_what_another_library_writes_is_read_back(
        names in proptest::collection::btree_set("[a-z][a-z0-9]{0,20}", 0..5),
        organization in "[A-Za-z ,+\"é]{1,30}",
        p384 in any::<bool>(),
    ) {
        let names: Vec<String> = names.iter().map(|name| format!("{name}.reseal.dev")).collect();
        let mut parameters = CertificateParams::new(names.clone()).unwrap();
        parameters.distinguished_name = rcgen::DistinguishedName::new();
        parameters.distinguished_name.push(DnType::OrganizationName, organization.clone());
        parameters.distinguished_name.push(DnType::CommonName, "www.reseal.dev");
        let algorithm = if p384 { &PKCS_ECDSA_P384_SHA384 } else { &PKCS_ECDSA_P256_SHA256 };
        let key = KeyPair::generate_for(algorithm).unwrap();
        let request = parameters.serialize_request(&key).unwrap();
        let csr = Csr::parse(&request.pem().unwrap()).unwrap();
        prop_assert_eq!(csr.der(), &**request.der());
        prop_assert_eq!(check(&csr), []);
        prop_assert_eq!(csr.dns_names(), &names[..]);
        prop_assert_eq!(csr.common_name(), Some("www.reseal.dev"));
        prop_assert_eq!(csr.subject().organization.as_deref(), Some(&*organization));
        prop_assert_eq!(csr.public_key().raw_public_key(), key.public_key_raw());

        let second_opinion = CertReq::from_der(csr.der()).unwrap();
        let spki = Encode::to_der(&second_opinion.info.public_key).unwrap();
        prop_assert_eq!(csr.public_key().spki_der(), &spki[..]);
    }
}
