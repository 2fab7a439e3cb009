//! Rules section 11, numbers 37 to 39, 51, 52 and 62 to 64: signing requests whose encoding is not what it should be.

use rcgen::KeyPair;
use serde_json::json;

use super::Target;
use crate::support::csr::{common_name_only, csr, stored, with_key, with_raw_alternative_names};
use crate::support::der::{
    Parts, common_names, der, integer, key_bits, pem, with_key_bits, without_parameters,
};

#[track_caller]
fn refused(rule: &str, csrs: &[String]) {
    let target = Target::start();
    for csr in csrs {
        target.reissue_with(csr).bad_csr_by(rule);
    }
    target.is_untouched();
}

/// A key, and the parts of a request signed with it.
fn request() -> (KeyPair, Parts) {
    let key = KeyPair::generate().unwrap();
    let parts = Parts::of(&with_key(&key, &["www.reseal.dev"]));
    (key, parts)
}

#[test]
fn nasty_037_what_is_not_der_is_refused() {
    let whole = der(&csr(&["www.reseal.dev"]));
    let with_head = |head: &[u8], end: &[u8]| {
        // Two bytes of tag and form, and the length itself.
        let contents = &whole[2 + usize::from(whole[1] & 0x7f)..];
        pem(&[head, contents, end].concat())
    };
    refused(
        "C-4",
        &[
            pem(&[&*whole, &[0, 0]].concat()),
            pem(&whole[..whole.len() - 1]),
            with_head(&[0x30, 0x80], &[0, 0]),
            with_head(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff], &[]),
            with_head(&[0x30, 0x88, 0x80, 0, 0, 0, 0, 0, 0, 0], &[]),
            pem(&[0x30, 0x84].repeat(3000)),
            pem(&[0x30, 0]),
        ],
    );
}

#[test]
fn nasty_038_other_versions_and_missing_attributes_are_refused() {
    let (key, mut version_two) = request();
    version_two.version = integer(1);
    let version_two = version_two.signed(&key);
    let (key, mut no_attributes) = request();
    no_attributes.attributes = Vec::new();
    refused("C-4", &[version_two, no_attributes.signed(&key)]);
}

#[test]
fn nasty_039_more_names_than_a_request_can_hold_are_refused_before_parsing() {
    let target = Target::start();
    let names: Vec<String> = (0..1000)
        .map(|number| format!("n{number}.reseal.dev"))
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    target.reissue_with(&csr(&names)).bad_csr_by("C-3");
    let endless = format!(
        "-----BEGIN CERTIFICATE REQUEST-----\n{}",
        "A".repeat(4_000_000)
    );
    let reply = target.reissue_with(&endless);
    assert_eq!(
        reply.refused(413, "InvalidMessage")["type"],
        "InvalidMessage"
    );
    let san =
        |count| -> Vec<String> { (0..count).map(|number| format!("n{number}.dev")).collect() };
    let reply = target.reissue(&json!({"san": san(200_000)}));
    reply.refused(413, "InvalidMessage");
    target.reissue(&json!({"san": san(20_000)})).violates("san");
    target.is_untouched();
}

#[test]
fn nasty_051_rsa_keys_of_another_kind_or_without_null_are_refused() {
    let mut bare = Parts::of(&stored("csr/rsa-2048.pem"));
    bare.key = without_parameters(&bare.key);
    refused("C-15", &[bare.joined()]);
    let target = Target::start();
    target
        .reissue_with(&stored("csr/rsa-pss-key.pem"))
        .bad_csr();
    target
        .reissue_with(&stored("csr/rsa-pss-signature.pem"))
        .bad_csr_by("C-12");
    target.is_untouched();
}

#[test]
fn nasty_052_points_in_another_form_off_the_curve_or_at_infinity_are_refused() {
    let (_, parts) = request();
    let point = key_bits(&parts.key);
    let with_point = |bits: &[u8]| {
        let (_, mut parts) = request();
        parts.key = with_key_bits(&parts.key, bits);
        parts.joined()
    };
    let mut off_the_curve = point.clone();
    *off_the_curve.last_mut().unwrap() ^= 1;
    let mut beyond_the_field = point.clone();
    beyond_the_field[1..33].fill(0xff);
    refused(
        "C-16",
        &[
            stored("csr/ec-compressed.pem"),
            with_point(&off_the_curve),
            with_point(&beyond_the_field),
            with_point(&[0]),
            with_point(&point[..40]),
        ],
    );
    refused("C-15", &[stored("csr/ec-explicit.pem")]);
}

#[test]
fn nasty_062_063_nul_bytes_and_other_bytes_in_names_are_refused() {
    let target = Target::start();
    for names in [
        &[(0x82, &b"good.dev\0.evil.dev"[..])][..],
        &[(0x82, b"caf\xc3\xa9.dev")],
        &[(0x0c, b"good.dev")],
        &[(0x82, b"www.reseal.dev"), (0x82, b"evil.dev ")],
    ] {
        target
            .reissue_with(&with_raw_alternative_names(names))
            .bad_csr();
    }
    target.is_untouched();
}

#[test]
fn nasty_064_a_common_name_that_is_not_one_name_is_refused() {
    let (key, mut two) = request();
    two.subject = common_names(&["www.reseal.dev", "reseal.dev"]);
    refused("C-8", &[two.signed(&key)]);
    let target = Target::start();
    for name in [
        "reseal.dev, evil.dev",
        "reseal.dev/CN=evil.dev",
        "/CN=reseal.dev",
        "reseal.dev evil.dev",
    ] {
        target.reissue_with(&common_name_only(name)).bad_csr();
    }
    target.is_untouched();
}
