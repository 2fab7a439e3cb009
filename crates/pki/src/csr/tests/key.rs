//! Keys and algorithms in whole requests: C-12 to C-20.

use super::build::Request;
use super::{Csr, CsrPolicy, check, message, rules, testdata};
use crate::asn1::{BIT_STRING, OID, SEQUENCE, element};
use crate::certificate::pem;
use crate::key::{KeyAlgorithm, KeyPolicy};
use crate::name::NamePolicy;

#[test]
fn c_13_accepted_keys_and_hashes_pass() {
    for (request, algorithm, bits, hash) in [
        (testdata!("ec-256"), KeyAlgorithm::EcP256, 256, "SHA-256"),
        (testdata!("ec-384"), KeyAlgorithm::EcP384, 384, "SHA-256"),
        (testdata!("ec-521"), KeyAlgorithm::EcP521, 521, "SHA-256"),
        (
            testdata!("ec-256-sha512"),
            KeyAlgorithm::EcP256,
            256,
            "SHA-512",
        ),
        (testdata!("rsa-2048"), KeyAlgorithm::Rsa, 2048, "SHA-256"),
        (testdata!("rsa-3072"), KeyAlgorithm::Rsa, 3072, "SHA-256"),
        (testdata!("rsa-4096"), KeyAlgorithm::Rsa, 4096, "SHA-256"),
        (testdata!("rsa-sha384"), KeyAlgorithm::Rsa, 2048, "SHA-384"),
        (testdata!("rsa-sha512"), KeyAlgorithm::Rsa, 2048, "SHA-512"),
    ] {
        let csr = Csr::parse(request).unwrap();
        assert_eq!(check(&csr), [], "{algorithm:?} {bits} {hash}");
        assert_eq!(csr.public_key().algorithm(), &algorithm);
        assert_eq!(csr.public_key().size_bits(), bits);
        assert_eq!(csr.signature_hash_name(), hash);
    }
}

#[test]
fn nasty_043_a_broken_hash_is_refused() {
    for (request, hash) in [
        (testdata!("rsa-sha1"), "SHA-1"),
        (testdata!("rsa-md5"), "MD5"),
        (testdata!("ec-sha1"), "SHA-1"),
    ] {
        assert_eq!(rules(request), ["C-12"], "{hash}");
        assert!(message(request).contains(hash));
        assert_eq!(Csr::parse(request).unwrap().signature_hash_name(), hash);
    }
}

#[test]
fn c_12_pss_signatures_are_refused() {
    assert_eq!(rules(testdata!("rsa-pss-signature")), ["C-12"]);
    assert!(message(testdata!("rsa-pss-signature")).contains("`RSASSA-PSS`"));
}

#[test]
fn nasty_044_rsa_of_other_sizes_is_refused() {
    for (request, bits) in [
        (testdata!("rsa-1024"), 1024),
        (testdata!("rsa-2047"), 2047),
        (testdata!("rsa-2049"), 2049),
        (testdata!("rsa-2056"), 2056),
        (testdata!("rsa-16384"), 16384),
    ] {
        assert_eq!(rules(request), ["C-14"], "{bits}");
        assert_eq!(
            message(request),
            format!(
                "RSA modulus has {bits} bits; accepted are 2048, 3072 and 4096: make a new key"
            )
        );
        assert_eq!(Csr::parse(request).unwrap().public_key().size_bits(), bits);
    }
}

#[test]
fn nasty_045_rsa_with_another_exponent_is_refused() {
    for (request, exponent) in [
        (testdata!("rsa-exponent-1"), "1"),
        (testdata!("rsa-exponent-2"), "2"),
        (testdata!("rsa-exponent-3"), "3"),
        (testdata!("rsa-exponent-301-bits"), "a number of 301 bits"),
    ] {
        assert_eq!(rules(request), ["C-14"], "{exponent}");
        assert_eq!(
            message(request),
            format!("RSA exponent is {exponent}; accepted is 65537: make a new key")
        );
    }
}

#[test]
fn nasty_046_a_modulus_that_is_even_or_has_a_small_factor_or_is_a_power_is_refused() {
    for (request, expected) in [
        (testdata!("rsa-even"), "even"),
        (testdata!("rsa-factor-3"), "divisible by 3:"),
        (testdata!("rsa-factor-751"), "divisible by 751:"),
        (testdata!("rsa-square"), "perfect power (exponent 2)"),
        (testdata!("rsa-cube"), "perfect power (exponent 3)"),
    ] {
        assert_eq!(rules(request), ["C-17"], "{expected}");
        assert!(message(request).contains(expected), "{}", message(request));
    }
    // BR 6.1.6 ends at 751.
    assert_eq!(rules(testdata!("rsa-factor-757")), [""; 0]);
}

#[test]
fn nasty_047_close_primes_are_refused_up_to_round_100() {
    for (request, round) in [
        (testdata!("rsa-close-primes-1"), 1),
        (testdata!("rsa-close-primes-100"), 100),
    ] {
        assert_eq!(rules(request), ["C-18"]);
        assert!(message(request).contains(&format!("in round {round},")));
    }
    assert_eq!(rules(testdata!("rsa-close-primes-101")), [""; 0]);
}

#[test]
fn nasty_048_a_roca_modulus_is_refused() {
    assert_eq!(rules(testdata!("rsa-roca")), ["C-19"]);
}

#[test]
fn nasty_050_other_types_of_keys_are_refused_by_name() {
    for (request, name) in [
        (testdata!("ed25519"), "`Ed25519`"),
        (testdata!("ed448"), "`Ed448`"),
        (testdata!("dsa"), "`DSA`"),
        (testdata!("ec-secp256k1"), "`EC secp256k1`"),
        (testdata!("ec-brainpoolP256r1"), "`EC brainpoolP256r1`"),
        (testdata!("ec-secp224r1"), "`EC P-224`"),
    ] {
        let csr = Csr::parse(request).unwrap();
        let errors = check(&csr);
        assert_eq!(errors[0].rule(), "C-13", "{name}");
        assert!(errors[0].to_string().contains(name), "{}", errors[0]);
        // The algorithm that belongs to the key is refused as well.
        assert!(errors[1..].iter().all(|error| error.rule() == "C-12"));
        assert!(csr.pem().starts_with("-----BEGIN CERTIFICATE REQUEST-----"));
    }
    for (oid, name) in [
        (&b"\x2b\x65\x6e"[..], "`X25519`"),
        (b"\x60\x86\x48\x01\x65\x03\x04\x03\x12", "`ML-DSA-65`"),
        (b"\x2a\x03\x04", "`1.2.3.4`"),
    ] {
        let request = with_key(&element(OID, oid), &[7; 32]);
        assert!(rules(&request).contains(&"C-13"), "{name}");
        assert!(super::errors(&request)[0].to_string().contains(name));
    }
}

#[test]
fn c_13_the_p521_curve_can_be_switched_off() {
    let csr = Csr::parse(testdata!("ec-521")).unwrap();
    let names = NamePolicy::default();
    let errors = csr.check(&CsrPolicy {
        keys: KeyPolicy { p521: false },
        names: &names,
        allow_ip: false,
    });
    assert!(
        matches!(&*errors, [only] if only.rule() == "C-13"),
        "{errors:?}"
    );
}

#[test]
fn c_13_sizes_of_refused_keys_are_shown() {
    for (request, bits) in [
        (testdata!("ed25519"), 256),
        (testdata!("dsa"), 2048),
        (testdata!("ec-secp256k1"), 256),
        (testdata!("ec-secp224r1"), 224),
        (testdata!("rsa-pss-key"), 2048),
    ] {
        assert_eq!(Csr::parse(request).unwrap().public_key().size_bits(), bits);
    }
}

#[test]
fn nasty_051_rsa_in_another_dress_is_refused() {
    let errors = super::errors(testdata!("rsa-pss-key"));
    assert_eq!(errors[0].rule(), "C-15");
    assert!(errors[0].to_string().contains("RSASSA-PSS"));

    // rsaEncryption without the NULL, and with other parameters.
    let csr = Csr::parse(testdata!("rsa-2048")).unwrap();
    let rsa = element(OID, b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01");
    for parameters in [&b""[..], b"\x05\x01\x00", b"\x30\x00"] {
        let identifier = [&rsa, parameters].concat();
        let request = with_key(&identifier, csr.public_key().raw_public_key());
        assert!(rules(&request).contains(&"C-15"), "{parameters:02x?}");
    }
}

#[test]
fn nasty_052_ec_in_another_dress_or_off_the_curve_is_refused() {
    for request in [testdata!("ec-explicit"), testdata!("ec-compressed")] {
        let errors = super::errors(request);
        assert!(errors[0].rule() == "C-15" || errors[0].rule() == "C-16");
    }
    assert!(message(testdata!("ec-explicit")).contains("explicit parameters"));
    assert!(message(testdata!("ec-compressed")).contains("compressed"));

    let identifier =
        b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07";
    let csr = Csr::parse(testdata!("ec-256")).unwrap();
    let sound = csr.public_key().raw_public_key();
    let mut off_curve = sound.to_vec();
    off_curve[64] ^= 1;
    let mut hybrid = sound.to_vec();
    hybrid[0] = 6 | (sound[64] & 1);
    let x_is_prime = [
        b"\x04\xff\xff\xff\xff\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00",
        &b"\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"[..],
        &sound[33..],
    ]
    .concat();
    for (point, expected) in [
        (&off_curve[..], "does not satisfy the curve's equation"),
        (&[4; 65], "does not satisfy the curve's equation"),
        (&x_is_prime, "a coordinate is not below the field's prime"),
        (&[0], "point at infinity"),
        (&[], "EC point is empty"),
        (&hybrid, "hybrid"),
        (&sound[..64], "64 bytes long, expected 65"),
        (&[sound, &[0]].concat(), "66 bytes long, expected 65"),
        (&[5; 65], "unknown form"),
    ] {
        let request = with_key(identifier, point);
        assert_eq!(rules(&request), ["C-16"], "{expected}");
        assert!(
            message(&request).contains(expected),
            "{}",
            message(&request)
        );
    }
    let without_curve = with_key(&element(OID, b"\x2a\x86\x48\xce\x3d\x02\x01"), sound);
    assert!(rules(&without_curve).contains(&"C-15"));
}

/// A request with this key, given by the fields of its AlgorithmIdentifier,
/// signed by another one: what counts is the key.
fn with_key(identifier: &[u8], key: &[u8]) -> String {
    let bits = element(BIT_STRING, &[&[0], key].concat());
    let request = Request {
        spki: element(SEQUENCE, &[element(SEQUENCE, identifier), bits].concat()),
        ..Request::new()
    };
    pem("CERTIFICATE REQUEST", &request.der())
}
