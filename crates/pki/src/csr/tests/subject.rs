//! Subject and common name: C-8, C-10.

use super::build::{COMMON_NAME, Request, subject};
use super::{Csr, check, message, rules, testdata};
use crate::asn1::{OID, SEQUENCE, SET, element};
use crate::csr::CsrSubject;

#[test]
fn nasty_066_the_subject_is_read_as_hints_and_never_refused() {
    let csr = Csr::parse(testdata!("subject")).unwrap();
    assert_eq!(check(&csr), []);
    let text = |value: &str| Some(value.to_owned());
    assert_eq!(
        *csr.subject(),
        CsrSubject {
            text: "C=NL,ST=Overijssel,L=Zwolle,postalCode=8011 AA,STREET=Ceintuurbaan 32,\
                   STREET=2nd floor,O=Zoë\\, Koning \\+ Co,OU=Development,CN=www.Reseal.dev,\
                   emailAddress=info@reseal.dev"
                .to_owned(),
            country: text("NL"),
            state: text("Overijssel"),
            locality: text("Zwolle"),
            organization: text("Zoë, Koning + Co"),
            organizational_unit: text("Development"),
            street: vec!["Ceintuurbaan 32".to_owned(), "2nd floor".to_owned()],
            postal_code: text("8011 AA"),
            email_address: text("info@reseal.dev"),
        }
    );
    assert_eq!(csr.common_name(), Some("www.reseal.dev"));
    assert!(csr.warnings()[0].contains("organizational unit"));
}

#[test]
fn nasty_064_a_common_name_that_is_more_than_one_name_is_refused() {
    let two = Request::with_common_names(&["www.reseal.dev", "reseal.dev"]);
    assert_eq!(rules(&two.pem()), ["C-8"]);
    assert!(message(&two.pem()).contains("has 2 common names"));
    for text in [
        "example.com, evil.com",
        "www.reseal.dev/CN=evil.dev",
        "CN=www.reseal.dev",
        "",
        " www.reseal.dev",
        "*",
        "Ann Other",
    ] {
        let request = Request::with_common_names(&[text]);
        let found = rules(&request.pem());
        assert!(
            matches!(&*found, [rule] if rule.starts_with("N-")),
            "{text}: {found:?}"
        );
        assert!(message(&request.pem()).starts_with("common name `"));
    }
}

#[test]
fn c_8_a_common_name_that_is_an_ip_address_is_refused() {
    for address in ["192.0.2.1", "2001:db8::1"] {
        let request = Request::with_common_names(&[address]);
        assert_eq!(rules(&request.pem()), ["C-6"], "{address}");
    }
}

#[test]
fn nasty_065_a_long_common_name_is_accepted_with_a_warning() {
    let name = format!("{0}.{0}.reseal.dev", "a".repeat(30));
    assert!(name.len() > 64);
    let request = Request::with_common_names(&[&name]);
    let csr = Csr::from_der(&request.der()).unwrap();
    assert_eq!(check(&csr), []);
    assert!(csr.warnings()[0].contains("more than 64 characters"));
}

#[test]
fn c_8_only_two_string_types_may_hold_the_common_name() {
    let name = b"www.reseal.dev";
    let utf16: Vec<u8> = name.iter().flat_map(|byte| [0, *byte]).collect();
    for (tag, value, expected) in [
        (0x0c, &name[..], ""),
        (0x13, name, ""),
        (0x14, name, "TeletexString"),
        (0x16, name, "IA5String"),
        (0x1e, &utf16, "BMPString"),
        (0x04, name, "OCTET STRING"),
    ] {
        let request = Request {
            subject: subject(&[(COMMON_NAME, tag, value)]),
            ..Request::new()
        };
        if expected.is_empty() {
            assert_eq!(rules(&request.pem()), [""; 0]);
        } else {
            assert_eq!(rules(&request.pem()), ["C-8"], "{expected}");
            assert!(message(&request.pem()).contains(expected));
        }
    }
}

#[test]
fn c_8_a_request_without_any_name_is_sound_by_itself() {
    let request = Request {
        subject: element(SEQUENCE, &[]),
        ..Request::new()
    };
    let csr = Csr::from_der(&request.der()).unwrap();
    assert_eq!(csr.common_name(), None);
    assert_eq!(csr.subject(), &CsrSubject::default());
    assert_eq!(check(&csr), []);
}

#[test]
fn c_10_odd_values_are_shown_as_rfc_4514_writes_them() {
    let attribute = |oid: &[u8], tag, value: &[u8]| {
        element(SEQUENCE, &[element(OID, oid), element(tag, value)].concat())
    };
    let several = [
        attribute(b"\x55\x04\x0a", 0x0c, b" #a\0; "),
        attribute(b"\x2a\x03", 0x0c, b"#x"),
    ];
    let request = Request {
        subject: element(
            SEQUENCE,
            &[
                element(SET, &several.concat()),
                element(SET, &attribute(b"\x55\x04\x07", 0x04, b"\xff")),
                element(SET, &attribute(b"\x55\x04\x08", 0x14, b"Z\xfcrich")),
            ]
            .concat(),
        ),
        ..Request::new()
    };
    let csr = Csr::from_der(&request.der()).unwrap();
    assert_eq!(
        csr.subject().text,
        r"O=\ #a\00\;\ +1.2.3=\#x,L=#0401ff,ST=Zürich"
    );
    assert_eq!(csr.subject().locality, None);
}

#[test]
fn c_4_broken_text_in_the_subject_is_refused() {
    for (tag, value) in [
        (0x0c, &b"\xff\xfe"[..]),
        (0x13, b"Z\xfcrich"),
        (0x1e, b"\0a\0"),
        (0x1e, b"\xd8\0"),
    ] {
        let request = Request {
            subject: subject(&[(COMMON_NAME, tag, value)]),
            ..Request::new()
        };
        assert_eq!(rules(&request.pem()), ["C-4"], "{tag:#x}");
    }
}

#[test]
fn the_hashes_are_those_that_openssl_computes() {
    // openssl req -in subject.pem -outform DER | openssl dgst -md5 (-sha256)
    let csr = Csr::parse(testdata!("subject")).unwrap();
    assert_eq!(csr.md5_hex(), "952f0a112b6163b8e99d4221dbb741bd");
    assert_eq!(
        csr.sha256_hex(),
        "cd46382000f826279d88d4d6a542c5b0b709902042fcb821f705440d076a3775"
    );
}
