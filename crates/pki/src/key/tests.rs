//! Keys by themselves; whole requests are in `csr::tests`.

use num_bigint::BigUint;

use super::{KeyAlgorithm, KeyPolicy, KeyProblem, PublicKey, verify_signature};
use crate::asn1::{BIT_STRING, INTEGER, SEQUENCE, element};
use crate::fixture::{KeyType, Signer};

const RSA: &[u8] = b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";

fn spki(identifier: &[u8], key: &[u8]) -> Vec<u8> {
    let bits = element(BIT_STRING, &[&[0], key].concat());
    element(SEQUENCE, &[identifier, &bits].concat())
}

fn rsa(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    let numbers = [element(INTEGER, modulus), element(INTEGER, exponent)];
    spki(RSA, &element(SEQUENCE, &numbers.concat()))
}

fn problems(spki: &[u8]) -> Vec<KeyProblem> {
    PublicKey::from_spki_der(spki)
        .unwrap()
        .problems(&KeyPolicy::default())
}

#[test]
fn c_16_generated_keys_have_no_problems() {
    for (key_type, algorithm, bits) in [
        (KeyType::P256, KeyAlgorithm::EcP256, 256),
        (KeyType::P384, KeyAlgorithm::EcP384, 384),
        (KeyType::Rsa2048, KeyAlgorithm::Rsa, 2048),
    ] {
        let der = Signer::generate(key_type).spki();
        let key = PublicKey::from_spki_der(&der).unwrap();
        assert_eq!(key.problems(&KeyPolicy::default()), []);
        assert_eq!(key.algorithm(), &algorithm);
        assert_eq!(key.size_bits(), bits);
        assert_eq!(key.spki_der(), der);
        assert!(der.ends_with(key.raw_public_key()));
    }
}

#[test]
fn c_4_a_broken_key_is_an_error_with_its_position() {
    for (der, expected) in [
        (
            Vec::new(),
            "at byte 0: SEQUENCE (SubjectPublicKeyInfo) is missing",
        ),
        (rsa(&[0x80, 1], &[3]), "negative INTEGER"),
        (rsa(&[0, 0x7f, 1], &[3]), "superfluous leading zero"),
        (rsa(&[], &[3]), "INTEGER without content"),
        (spki(RSA, b"\x30\x00"), "INTEGER (RSA modulus) is missing"),
        (
            spki(RSA, b"\x04\x00"),
            "expected SEQUENCE (RSA public key), found OCTET STRING",
        ),
        (spki(b"\x30\x02\x06\x00", b""), "object identifier"),
        (spki(b"\x30\x04\x06\x02\x2a\x80", b""), "object identifier"),
        ([rsa(&[3], &[3]), vec![0]].concat(), "1 bytes after the end"),
    ] {
        let error = PublicKey::from_spki_der(&der).unwrap_err();
        assert_eq!(error.rule(), "C-4");
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[test]
fn c_14_absurd_numbers_are_refused_without_panic() {
    for (modulus, exponent) in [(&[0][..], &[0][..]), (&[1], &[1]), (&[3], &[3])] {
        let rules: Vec<_> = problems(&rsa(modulus, exponent))
            .iter()
            .map(KeyProblem::rule)
            .collect();
        assert_eq!(rules[..2], ["C-14", "C-14"]);
    }
}

#[test]
fn c_14_an_exponent_of_the_right_value_in_more_bytes_does_not_pass() {
    let error = PublicKey::from_spki_der(&rsa(&[3], &[0, 1, 0, 1])).unwrap_err();
    assert!(error.to_string().contains("superfluous leading zero"));
}

#[test]
fn c_17_every_prime_up_to_751_is_found_as_a_factor() {
    let cofactor = (BigUint::from(1_u32) << 2038_u32) + 1_u32;
    for prime in super::rsa::small_primes() {
        let mut modulus = vec![0];
        modulus.extend((&cofactor * prime).to_bytes_be());
        if modulus[1] & 0x80 == 0 {
            modulus.remove(0);
        }
        let found = problems(&rsa(&modulus, &[1, 0, 1]));
        assert!(
            found.iter().any(|problem| matches!(
                problem,
                KeyProblem::SmallFactor { factor } if *factor <= prime
            )),
            "{prime}: {found:?}"
        );
    }
}

#[test]
fn c_15_the_message_shows_both_encodings() {
    let der = spki(
        b"\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01",
        &element(SEQUENCE, b"\x02\x01\x03\x02\x01\x03"),
    );
    let problem = &problems(&der)[0];
    assert_eq!(problem.rule(), "C-15");
    assert!(
        problem
            .to_string()
            .contains("`300d06092a864886f70d0101010500`")
    );
}

#[test]
fn c_11_a_signature_verifies_with_its_key_and_message_only() {
    const ECDSA_SHA256: &[u8] = b"\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02";
    const RSA_SHA256: &[u8] = b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b\x05\x00";
    for (key_type, algorithm) in [
        (KeyType::P256, ECDSA_SHA256),
        (KeyType::Rsa2048, RSA_SHA256),
    ] {
        let signer = Signer::generate(key_type);
        let key = signer.public_key();
        let signature = signer.sign(b"message");
        assert_eq!(
            verify_signature(&key, algorithm, b"message", &signature),
            Ok(())
        );
        let rule = |key: &PublicKey, message: &[u8]| {
            verify_signature(key, algorithm, message, &signature)
                .unwrap_err()
                .rule()
        };
        assert_eq!(rule(&key, b"massage"), "C-11");
        assert_eq!(
            rule(&Signer::generate(key_type).public_key(), b"message"),
            "C-11"
        );
    }
}
