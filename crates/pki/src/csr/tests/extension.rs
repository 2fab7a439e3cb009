//! What a request may ask for: C-6, C-7.

use super::build::{Request, extension};
use super::{Csr, CsrError, CsrPolicy, check, errors, message, rules, testdata};
use crate::asn1::{BOOLEAN, SEQUENCE, element};
use crate::key::KeyPolicy;
use crate::name::NamePolicy;

#[test]
fn nasty_058_a_certificate_of_another_kind_is_refused() {
    for (pem, what) in [
        (testdata!("ca-true"), "`basicConstraints CA:TRUE`"),
        (testdata!("name-constraints"), "`nameConstraints`"),
        (testdata!("code-signing"), "`codeSigning`"),
        (testdata!("ocsp-signing"), "`OCSPSigning`"),
        (testdata!("any-purpose"), "`anyExtendedKeyUsage`"),
    ] {
        assert_eq!(rules(pem), ["C-7"], "{what}");
        assert!(message(pem).contains(what), "{}", message(pem));
    }
    assert_eq!(rules(testdata!("ca-false")), [""; 0]);
}

#[test]
fn c_7_an_explicit_false_in_basic_constraints_is_harmless() {
    let value = element(SEQUENCE, &element(BOOLEAN, &[0]));
    let request = Request::with_extensions(&[extension(b"\x55\x1d\x13", &value)]);
    assert_eq!(rules(&request.pem()), [""; 0]);
}

#[test]
fn nasty_059_client_auth_is_ignored_with_a_warning() {
    let csr = Csr::parse(testdata!("client-auth")).unwrap();
    assert_eq!(check(&csr), []);
    let warnings = csr.warnings();
    assert!(
        matches!(&*warnings, [only] if only.contains("clientAuth")),
        "{warnings:?}"
    );
}

#[test]
fn nasty_060_must_staple_is_ignored_with_a_warning() {
    let csr = Csr::parse(testdata!("must-staple")).unwrap();
    assert_eq!(check(&csr), []);
    let warnings = csr.warnings();
    assert!(
        matches!(&*warnings, [only] if only.contains("must-staple")),
        "{warnings:?}"
    );
}

#[test]
fn c_7_an_unknown_extension_is_ignored_with_a_warning() {
    let request = Request::with_extensions(&[extension(b"\x2a\x03\x04", b"anything")]);
    let csr = Csr::from_der(&request.der()).unwrap();
    assert_eq!(check(&csr), []);
    assert!(csr.warnings()[0].contains("the extension 1.2.3.4"));
}

#[test]
fn nasty_061_alternative_names_of_other_kinds_are_refused() {
    for (pem, kind) in [
        (testdata!("san-email"), "e-mail address"),
        (testdata!("san-uri"), "URL"),
        (testdata!("san-other-name"), "otherName"),
        (testdata!("san-directory-name"), "directoryName"),
        (testdata!("san-registered-id"), "registeredID"),
    ] {
        assert_eq!(rules(pem), ["C-6"], "{kind}");
        assert!(message(pem).contains(kind), "{}", message(pem));
    }
}

#[test]
fn c_6_ip_addresses_are_for_products_that_have_them() {
    let csr = Csr::parse(testdata!("san-ip")).unwrap();
    let addresses: Vec<String> = csr.ip_addresses().iter().map(ToString::to_string).collect();
    assert_eq!(addresses, ["192.0.2.1", "2001:db8::1"]);
    assert_eq!(rules(testdata!("san-ip")), ["C-6", "C-6"]);
    let names = NamePolicy::default();
    let policy = CsrPolicy {
        keys: KeyPolicy::default(),
        names: &names,
        allow_ip: true,
    };
    assert_eq!(csr.check(&policy), []);
    let request = Request::with_alternative_names(&[(0x87, &[192, 0, 2])]);
    assert_eq!(rules(&request.pem()), ["C-4"]);
}

#[test]
fn nasty_062_a_nul_in_a_name_is_refused() {
    let request = Request::with_dns_names(&["reseal.dev\0.evil.dev"]);
    assert_eq!(rules(&request.pem()), ["N-2"]);
    assert!(message(&request.pem()).contains("`reseal.dev\\u{0}.evil.dev`"));
}

#[test]
fn nasty_063_a_name_in_another_string_type_or_not_ascii_is_refused() {
    for name in [
        (0x0c, &b"www.reseal.dev"[..]),
        (0x16, b"www.reseal.dev"),
        (0xa2, b"www.reseal.dev"),
        (0x82, "münchen.dev".as_bytes()),
        (0x82, b"m\xfcnchen.dev"),
    ] {
        let request = Request::with_alternative_names(&[name]);
        assert_eq!(rules(&request.pem()), ["C-4"], "{name:02x?}");
    }
}

#[test]
fn nasty_067_upper_case_in_a_request_is_folded() {
    let request = Request::with_dns_names(&["WWW.Reseal.DEV"]);
    let csr = Csr::from_der(&request.der()).unwrap();
    assert_eq!(csr.dns_names(), ["www.reseal.dev"]);
    assert_eq!(check(&csr), []);
}

#[test]
fn nasty_081_duplicates_in_a_request_are_merged_in_order() {
    let request = Request::with_dns_names(&["b.reseal.dev", "a.reseal.dev", "B.reseal.dev"]);
    let csr = Csr::from_der(&request.der()).unwrap();
    assert_eq!(csr.dns_names(), ["b.reseal.dev", "a.reseal.dev"]);
    assert_eq!(check(&csr), []);
}

#[test]
fn c_6_every_name_that_breaks_a_rule_is_reported() {
    let request = Request::with_dns_names(&[
        "www.reseal.dev",
        "my_host.reseal.dev",
        "reseal.dev.",
        "192.0.2.1",
        "co.uk",
        "*.*.reseal.dev",
        "",
    ]);
    let errors = errors(&request.pem());
    let rules: Vec<&str> = errors.iter().map(CsrError::rule).collect();
    assert_eq!(rules[..5], ["N-5", "N-8", "N-1", "N-14", "N-10"]);
    assert_eq!(rules.len(), 6);
    assert!(
        errors[0]
            .to_string()
            .starts_with("alternative name `my_host.reseal.dev`")
    );
}
