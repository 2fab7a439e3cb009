//! Rules section 11, numbers 32 to 66: signing requests. The files are those of the rule crate.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::KeyPair;
use serde_json::{Value, json};

use crate::support::csr::{common_name_only, csr, stored, with_key, with_raw_alternative_names};
use crate::support::http::Reply;
use crate::support::server::Server;

fn quote(server: &Server, csr: &str) -> Reply {
    let body = json!({"customer": "alice", "product": "ssl_dv", "period": 12, "csr": csr});
    server.alice.post("/v2/ssl/certificates?quote=true", &body)
}

#[track_caller]
fn accepted(csrs: &[&str]) {
    let server = Server::start();
    for csr in csrs {
        quote(&server, csr).expect(200);
    }
}

#[track_caller]
fn refused(csrs: &[&str]) -> Vec<Value> {
    let server = Server::start();
    csrs.iter()
        .map(|csr| quote(&server, csr).bad_csr())
        .collect()
}

#[track_caller]
fn files_refused(names: &[&str]) {
    let server = Server::start();
    for name in names {
        let reply = quote(&server, &stored(&format!("csr/{name}.pem")));
        assert_eq!(reply.bad_csr()["type"], "InvalidCSRException", "{name}");
    }
}

fn pem() -> String {
    csr(&["www.reseal.dev"])
}

#[test]
fn nasty_032_other_labels_line_ends_marks_and_text_around_are_accepted() {
    let pem = pem();
    accepted(&[
        &pem.replace(" CERTIFICATE REQUEST", " NEW CERTIFICATE REQUEST"),
        &pem.replace('\n', "\r\n"),
        &format!("\u{feff}{pem}"),
        pem.trim_end(),
        &format!("Here it is:\n{pem}"),
    ]);
}

#[test]
fn nasty_033_labels_that_differ_are_refused() {
    refused(&[&pem().replace("BEGIN CERTIFICATE", "BEGIN NEW CERTIFICATE")]);
}

#[test]
fn nasty_034_two_blocks_are_refused() {
    refused(&[&format!("{}{}", pem(), pem())]);
}

#[test]
fn nasty_035_a_private_key_is_refused_and_never_shown() {
    let key = KeyPair::generate().unwrap();
    let secret = key.serialize_pem();
    for answer in refused(&[
        &secret,
        &format!("{secret}{}", with_key(&key, &["www.reseal.dev"])),
    ]) {
        let line = secret.lines().nth(1).unwrap();
        assert!(!answer.to_string().contains(&line[..20]), "{answer}");
    }
}

#[test]
fn nasty_036_040_missing_armour_and_literal_line_ends_are_refused_with_a_hint() {
    let bare: String = pem()
        .lines()
        .filter(|line| !line.starts_with('-'))
        .collect();
    refused(&[&bare, &pem().replace('\n', "\\n"), "x"]);
}

#[test]
fn nasty_041_a_signature_that_does_not_fit_is_refused() {
    let pem = pem();
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let mut der = STANDARD.decode(body).unwrap();
    // The end of a request is the end of its signature.
    *der.last_mut().unwrap() ^= 1;
    let flipped = format!(
        "-----BEGIN CERTIFICATE REQUEST-----\n{}\n-----END CERTIFICATE REQUEST-----\n",
        STANDARD.encode(der)
    );
    for answer in refused(&[&flipped]) {
        assert!(answer.to_string().contains("signature"), "{answer}");
    }
}

#[test]
fn nasty_043_sha1_and_md5_signatures_are_refused() {
    files_refused(&["rsa-sha1", "rsa-md5", "ec-sha1"]);
}

#[test]
fn nasty_044_other_rsa_sizes_are_refused() {
    files_refused(&["rsa-1024", "rsa-2047", "rsa-2049", "rsa-2056", "rsa-16384"]);
}

#[test]
fn nasty_045_other_exponents_are_refused() {
    files_refused(&[
        "rsa-exponent-1",
        "rsa-exponent-2",
        "rsa-exponent-3",
        "rsa-exponent-301-bits",
    ]);
}

#[test]
fn nasty_046_moduli_with_small_factors_are_refused() {
    files_refused(&["rsa-even", "rsa-factor-3", "rsa-factor-751", "rsa-square"]);
}

#[test]
fn nasty_047_close_primes_are_refused() {
    files_refused(&["rsa-close-primes-1", "rsa-close-primes-100"]);
}

#[test]
fn nasty_048_roca_moduli_are_refused() {
    files_refused(&["rsa-roca"]);
}

#[test]
fn nasty_049_debian_weak_keys_are_refused() {
    refused(&[
        &stored("debian/p256.csr.pem"),
        &stored("debian/p384.csr.pem"),
        &stored("debian/rsa2048.csr.pem"),
    ]);
}

#[test]
fn nasty_050_other_key_types_are_refused() {
    files_refused(&[
        "ed25519",
        "ed448",
        "dsa",
        "ec-secp256k1",
        "ec-brainpoolP256r1",
        "ec-secp224r1",
    ]);
}

#[test]
fn nasty_051_pss_keys_are_refused() {
    files_refused(&["rsa-pss-key"]);
}

#[test]
fn nasty_052_explicit_and_compressed_curve_points_are_refused() {
    files_refused(&["ec-explicit", "ec-compressed"]);
}

#[test]
fn nasty_058_authority_constraints_and_other_purposes_are_refused() {
    files_refused(&[
        "ca-true",
        "name-constraints",
        "code-signing",
        "ocsp-signing",
        "any-purpose",
    ]);
}

#[test]
fn nasty_059_060_client_auth_and_must_staple_are_accepted_and_left_out() {
    accepted(&[
        &stored("csr/client-auth.pem"),
        &stored("csr/must-staple.pem"),
    ]);
}

#[test]
fn nasty_061_other_alternative_names_are_refused() {
    files_refused(&[
        "san-email",
        "san-uri",
        "san-other-name",
        "san-directory-name",
        "san-registered-id",
    ]);
}

#[test]
fn nasty_062_063_nul_bytes_and_other_bytes_in_names_are_refused() {
    refused(&[
        &with_raw_alternative_names(&[(0x82, b"good.dev\0.evil.dev")]),
        &with_raw_alternative_names(&[(0x82, b"caf\xc3\xa9.dev")]),
        &with_raw_alternative_names(&[(0x0c, b"good.dev")]),
    ]);
}

#[test]
fn nasty_064_a_common_name_that_is_not_one_name_is_refused() {
    let server = Server::start();
    for name in [
        "reseal.dev, evil.dev",
        "/CN=reseal.dev",
        "reseal.dev evil.dev",
    ] {
        let reply = quote(&server, &common_name_only(name));
        assert_eq!(reply.status, 400, "{name}: {}", reply.text());
    }
}

#[test]
fn nasty_066_an_organization_in_the_csr_of_a_domain_validated_product_is_dropped() {
    accepted(&[&stored("csr/subject.pem")]);
}
