//! Rules section 11, numbers 32 to 61: signing requests as files. The files are those of the rule crate.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::KeyPair;
use serde_json::Value;

use super::Target;
use crate::support::csr::{csr, self_signed, stored, with_key};
use crate::support::der::Parts;

/// Each is taken for a real reissue.
#[track_caller]
fn accepted(csrs: &[&str]) {
    for csr in csrs {
        Target::start().reissue_with(csr).expect(201);
    }
}

/// Each is refused by the rule, and the certificate is untouched.
#[track_caller]
fn refused(rule: &str, csrs: &[&str]) -> Vec<Value> {
    let target = Target::start();
    let answer = |csr: &&str| target.reissue_with(csr).bad_csr_by(rule);
    let answers = csrs.iter().map(answer).collect();
    target.is_untouched();
    answers
}

#[track_caller]
fn files_refused(rule: &str, names: &[&str]) {
    let target = Target::start();
    for name in names {
        target
            .reissue_with(&stored(&format!("csr/{name}.pem")))
            .bad_csr_by(rule);
    }
    target.is_untouched();
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
    refused(
        "C-1",
        &[&pem().replace("BEGIN CERTIFICATE", "BEGIN NEW CERTIFICATE")],
    );
}

#[test]
fn nasty_034_two_blocks_are_refused() {
    let certificate = self_signed("www.reseal.dev");
    refused(
        "C-1",
        &[
            &format!("{}{}", pem(), pem()),
            &format!("{}{certificate}", pem()),
            &certificate,
        ],
    );
}

#[test]
fn nasty_035_a_private_key_is_refused_and_never_shown() {
    let key = KeyPair::generate().unwrap();
    let secret = key.serialize_pem();
    for answer in refused(
        "C-2",
        &[
            &secret,
            &format!("{secret}{}", with_key(&key, &["www.reseal.dev"])),
        ],
    ) {
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
    let answers = refused("C-1", &[&bare, &pem().replace('\n', "\\n"), "x"]);
    for (answer, hint) in answers.iter().zip(["armour", "real line breaks", "PEM"]) {
        assert!(answer.to_string().contains(hint), "{hint}: {answer}");
    }
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
    let by_another = with_key(&KeyPair::generate().unwrap(), &["www.reseal.dev"]);
    let mut swapped = Parts::of(&by_another);
    swapped.signature = Parts::of(&pem).signature;
    for answer in refused("C-11", &[&flipped, &swapped.joined()]) {
        assert!(answer.to_string().contains("signature"), "{answer}");
    }
}

#[test]
fn nasty_043_sha1_and_md5_signatures_are_refused() {
    files_refused("C-12", &["rsa-sha1", "rsa-md5", "ec-sha1"]);
}

#[test]
fn nasty_044_other_rsa_sizes_are_refused() {
    files_refused(
        "C-14",
        &["rsa-1024", "rsa-2047", "rsa-2049", "rsa-2056", "rsa-16384"],
    );
}

#[test]
fn nasty_045_other_exponents_are_refused() {
    files_refused(
        "C-14",
        &[
            "rsa-exponent-1",
            "rsa-exponent-2",
            "rsa-exponent-3",
            "rsa-exponent-301-bits",
        ],
    );
}

#[test]
fn nasty_046_moduli_with_small_factors_are_refused() {
    files_refused(
        "C-17",
        &["rsa-even", "rsa-factor-3", "rsa-factor-751", "rsa-square"],
    );
}

#[test]
fn nasty_047_close_primes_are_refused() {
    files_refused("C-18", &["rsa-close-primes-1", "rsa-close-primes-100"]);
}

#[test]
fn nasty_048_roca_moduli_are_refused() {
    files_refused("C-19", &["rsa-roca"]);
}

#[test]
fn nasty_049_debian_weak_keys_are_refused() {
    refused(
        "C-20",
        &[
            &stored("debian/p256.csr.pem"),
            &stored("debian/p384.csr.pem"),
            &stored("debian/rsa2048.csr.pem"),
        ],
    );
}

#[test]
fn nasty_050_other_key_types_are_refused() {
    files_refused(
        "C-13",
        &[
            "ed25519",
            "ed448",
            "dsa",
            "ec-secp256k1",
            "ec-brainpoolP256r1",
            "ec-secp224r1",
        ],
    );
}

#[test]
fn nasty_058_authority_constraints_and_other_purposes_are_refused() {
    files_refused(
        "C-7",
        &[
            "ca-true",
            "name-constraints",
            "code-signing",
            "ocsp-signing",
            "any-purpose",
        ],
    );
}

#[test]
fn nasty_061_other_alternative_names_are_refused() {
    files_refused(
        "C-6",
        &[
            "san-email",
            "san-uri",
            "san-other-name",
            "san-directory-name",
            "san-registered-id",
        ],
    );
}
