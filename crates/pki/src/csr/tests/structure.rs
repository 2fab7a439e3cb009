//! DER, proof of possession and attributes: C-4, C-5, C-11, C-12.

use super::build::{
    Request, SUBJECT_ALT_NAME, attribute, extension, extension_request, extension_with_critical,
};
use super::{Csr, CsrError, check, rules, testdata};
use crate::asn1::{INTEGER, OCTET_STRING, SEQUENCE, element};

fn malformed(der: &[u8]) -> String {
    match Csr::from_der(der) {
        Err(error @ CsrError::Malformed { .. }) => error.to_string(),
        other => panic!("expected malformed, found {other:?}"),
    }
}

#[test]
fn nasty_037_what_is_not_der_is_refused_with_its_position() {
    let sound = Request::new().der();
    assert!(Csr::from_der(&sound).is_ok());

    let trailing = [sound.as_slice(), b"\0"].concat();
    assert_eq!(
        malformed(&trailing),
        format!(
            "is not a valid PKCS#10 request in DER: at byte {}: 1 bytes after the end of the request",
            sound.len()
        )
    );

    let content = &sound[4..];
    let indefinite = [b"\x30\x80", content, b"\0\0"].concat();
    assert!(malformed(&indefinite).contains("at byte 0: indefinite length (BER)"));

    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    for header in [
        [b"\x30\x83", &length[1..]].concat(),
        [b"\x30\x84", &length[..]].concat(),
    ] {
        let padded = [&header, content].concat();
        assert!(malformed(&padded).contains("not in its shortest form"));
    }
    let huge = [b"\x30\x84\xff\xff\xff\xff", content].concat();
    assert!(malformed(&huge).contains("SEQUENCE of 4294967295 bytes, but only"));
    let long = [b"\x30\x88\0\0\0\0".as_slice(), &length, content].concat();
    assert!(malformed(&long).contains("a length of more than four bytes"));
    assert!(malformed(b"").contains("is missing"));
    assert!(malformed(b"\x30").contains("ends in the middle"));
    assert!(malformed(b"\x3f\x01\x00").contains("expected SEQUENCE"));
}

#[test]
fn c_4_deep_nesting_costs_neither_stack_nor_time() {
    let mut nested = Vec::new();
    for _ in 0..3_000 {
        nested = element(SEQUENCE, &nested);
        if nested.len() > 11_000 {
            break;
        }
    }
    let request = Request {
        attributes: element(0xa0, &attribute(b"\x2a\x03", &nested)),
        ..Request::new()
    };
    // An attribute that we ignore may contain anything.
    assert!(Csr::from_der(&request.der()).is_ok());
    assert!(malformed(&nested).contains("at byte"));
}

#[test]
fn nasty_038_another_version_or_no_attributes_are_refused() {
    for (version, found) in [(1, "0x01"), (2, "0x02")] {
        let request = Request {
            version: element(INTEGER, &[version]),
            ..Request::new()
        };
        let error = Csr::from_der(&request.der()).unwrap_err();
        assert_eq!(
            error,
            CsrError::Version {
                found: found.to_owned()
            }
        );
        assert_eq!(error.rule(), "C-4");
    }
    for version in [&[0xff][..], &[0, 0], &[]] {
        let request = Request {
            version: element(INTEGER, version),
            ..Request::new()
        };
        assert!(malformed(&request.der()).contains("INTEGER"));
    }
    let request = Request {
        attributes: Vec::new(),
        ..Request::new()
    };
    assert_eq!(rules(&request.pem()), ["C-4"]);
    assert_eq!(
        Csr::from_der(&request.der()).unwrap_err(),
        CsrError::NoAttributes
    );
}

#[test]
fn c_4_a_signature_of_broken_bytes_is_refused() {
    let mut der = Request::new().with_signature(b"\0\0\0");
    let unused_bits = der.len() - 4;
    der[unused_bits] = 3;
    assert!(malformed(&der).contains("BIT STRING with 3 unused bits"));
}

#[test]
fn nasty_041_a_flipped_bit_or_another_key_is_no_proof_of_possession() {
    let request = Request::new();
    let der = request.der();
    assert_eq!(check(&Csr::from_der(&der).unwrap()), []);

    // In the signature's last byte.
    let mut flipped = der.clone();
    *flipped.last_mut().unwrap() ^= 1;
    let errors = check(&Csr::from_der(&flipped).unwrap());
    assert_eq!(
        errors.iter().map(CsrError::rule).collect::<Vec<_>>(),
        ["C-11"]
    );

    // In the signed part: one letter of the common name.
    let name = b"www.reseal.dev";
    let at = der
        .windows(name.len())
        .position(|window| window == name)
        .unwrap();
    let mut flipped = der;
    flipped[at] = b'v';
    let errors = check(&Csr::from_der(&flipped).unwrap());
    assert_eq!(
        errors.iter().map(CsrError::rule).collect::<Vec<_>>(),
        ["C-11"]
    );

    // Signed by another key.
    let foreign = Request {
        spki: request.spki.clone(),
        ..Request::new()
    };
    assert_eq!(rules(&foreign.pem()), ["C-11"]);
}

#[test]
fn c_11_signatures_that_only_look_like_one_are_refused() {
    let zero = element(INTEGER, &[0]);
    let one = element(INTEGER, &[1]);
    for signature in [
        Vec::new(),
        vec![0; 64],
        element(SEQUENCE, &[zero.clone(), zero.clone()].concat()),
        element(SEQUENCE, &[one.clone(), zero].concat()),
        element(SEQUENCE, &[one.clone(), one.clone()].concat()),
        element(SEQUENCE, &one),
    ] {
        let der = Request::new().with_signature(&signature);
        let errors = check(&Csr::from_der(&der).unwrap());
        assert_eq!(
            errors.iter().map(CsrError::rule).collect::<Vec<_>>(),
            ["C-11"],
            "{signature:02x?}"
        );
    }
}

#[test]
fn nasty_042_the_request_of_somebody_else_is_sound() {
    // Whoever sends it gets a certificate for a key that only its owner has.
    assert_eq!(rules(testdata!("ec-384")), [""; 0]);
}

#[test]
fn c_12_the_algorithm_identifier_must_be_as_its_standard_writes_it() {
    let null = b"\x30\x0c\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02\x05\x00";
    let rsa = b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b\x05\x00";
    let unknown = b"\x30\x03\x06\x01\x2a";
    for (algorithm, expected) in [
        (
            &null[..],
            "ECDSA with SHA-256 carries unexpected parameters, expected none",
        ),
        (
            rsa,
            "RSA with SHA-256 does not fit the key, which is of type ECDSA",
        ),
        (unknown, "signature algorithm is `1.2`; accepted are"),
    ] {
        let request = Request {
            signature_algorithm: algorithm.to_vec(),
            ..Request::new()
        };
        let errors = check(&Csr::from_der(&request.der()).unwrap());
        let [error] = errors.as_slice() else {
            panic!("{errors:?}");
        };
        assert_eq!(error.rule(), "C-12");
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[test]
fn c_5_attributes_that_we_do_not_use_are_tolerated() {
    let csr = Csr::parse(testdata!("attributes")).unwrap();
    assert_eq!(check(&csr), []);
    assert_eq!(csr.warnings(), [""; 0]);
    assert!(!format!("{csr:?}").contains("correct horse"));

    // Microsoft's client writes these, and the names into an attribute of old.
    let names = element(SEQUENCE, &element(0x82, b"old.reseal.dev"));
    let extensions = element(SEQUENCE, &extension(SUBJECT_ALT_NAME, &names));
    let attributes = [
        attribute(
            b"\x2b\x06\x01\x04\x01\x82\x37\x0d\x02\x03",
            &element(0x16, b"10.0.1"),
        ),
        attribute(
            b"\x2b\x06\x01\x04\x01\x82\x37\x15\x14",
            &element(SEQUENCE, &[]),
        ),
        attribute(b"\x2b\x06\x01\x04\x01\x82\x37\x02\x01\x0e", &extensions),
    ];
    let request = Request {
        attributes: element(0xa0, &attributes.concat()),
        ..Request::new()
    };
    let csr = Csr::from_der(&request.der()).unwrap();
    assert_eq!(check(&csr), []);
    assert_eq!(csr.dns_names(), [""; 0]);
    assert!(csr.warnings()[0].contains("attribute of Microsoft's"));
}

#[test]
fn c_5_a_second_extension_request_is_refused() {
    let names = element(SEQUENCE, &element(0x82, b"www.reseal.dev"));
    let one = extension_request(&[extension(SUBJECT_ALT_NAME, &names)]);
    let empty = extension_request(&[]);
    let request = Request {
        attributes: element(0xa0, &[one.clone(), empty].concat()),
        ..Request::new()
    };
    assert_eq!(rules(&request.pem()), ["C-5"]);
    let request = Request {
        attributes: element(0xa0, &one),
        ..Request::new()
    };
    assert_eq!(rules(&request.pem()), [""; 0]);
}

#[test]
fn c_4_extensions_must_be_der() {
    let names = element(SEQUENCE, &element(0x82, b"www.reseal.dev"));
    for critical in [0x00, 0x01] {
        let request = Request::with_extensions(&[extension_with_critical(
            SUBJECT_ALT_NAME,
            critical,
            &names,
        )]);
        assert!(malformed(&request.der()).contains("`critical`"));
    }
    let request =
        Request::with_extensions(&[extension_with_critical(SUBJECT_ALT_NAME, 0xff, &names)]);
    assert_eq!(rules(&request.pem()), [""; 0]);

    let twice = extension(SUBJECT_ALT_NAME, &names);
    let request = Request::with_extensions(&[twice.clone(), twice]);
    assert!(malformed(&request.der()).contains("extension 2.5.29.17 appears twice"));

    let trailing = [names, element(OCTET_STRING, &[])].concat();
    let request = Request::with_extensions(&[extension(SUBJECT_ALT_NAME, &trailing)]);
    assert!(malformed(&request.der()).contains("after the end of subjectAltName"));
}
