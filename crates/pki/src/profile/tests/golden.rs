use super::*;
use crate::lint::{lint_logged, lint_precertificate};
use crate::transparency::{Sct, logged_tbs, precertificate_tbs};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/profile");
const RESPONDER: &str = "http://pki.reseal.dev/ocsp";

/// Golden certificates: the same input gives the same bytes as when they were
/// reviewed. `testdata/profile/README.md` says how they were made.
#[test]
fn golden_leaves_are_what_was_reviewed() {
    let issuer = IssuingAuthority::from_der(&read("issuer.cer")).unwrap();
    let names = names(&["www.reseal.dev", "reseal.dev", "*.apps.reseal.dev"]);
    let organization = organization();
    let serial =
        Serial::from_bytes(&hex::decode("5eed0102030405060708090a0b0c0d0e").unwrap()).unwrap();
    let not_before: Timestamp = SIGNING_TIME.parse().unwrap();
    for key in ["p256", "rsa2048"] {
        let public_key = PublicKey::from_spki_der(&read(&format!("{key}.spki"))).unwrap();
        for (validation, label) in [
            (ValidationType::Domain, "dv"),
            (ValidationType::Organization, "ov"),
        ] {
            for (policy, arc) in [(PolicyArc::Cabf, "cabf"), (PolicyArc::Private, "private")] {
                for (ocsp_url, mark) in [(None, ""), (Some(RESPONDER), "-ocsp")] {
                    let ov = validation == ValidationType::Organization;
                    let tbs = leaf_tbs(&Leaf {
                        serial: &serial,
                        issuer: &issuer,
                        public_key: &public_key,
                        names: &names,
                        common_name: ov.then_some("www.reseal.dev"),
                        subject: ov.then_some(&organization),
                        validation,
                        policy,
                        validity: Validity::new(not_before, SignedDuration::from_hours(199 * 24)),
                        crl_url: "http://pki.reseal.dev/crl/1/0.crl",
                        ca_issuers_url: "http://pki.reseal.dev/ca/intermediate.cer",
                        ocsp_url,
                    })
                    .unwrap();
                    let context = LintContext {
                        issuer: &issuer,
                        policy,
                        validation,
                        signing_time: not_before,
                        ocsp: ocsp_url.is_some(),
                    };
                    let linted = lint_leaf(tbs, &context).unwrap();
                    let name = format!("{label}-{key}-{arc}{mark}");
                    is_golden(&format!("{name}.tbs"), linted.tbs());
                    if policy == PolicyArc::Cabf && ocsp_url.is_some() {
                        let poisoned = precertificate_tbs(linted.tbs()).unwrap();
                        let poisoned = lint_precertificate(poisoned, &context).unwrap();
                        is_golden(&format!("{name}-precertificate.tbs"), poisoned.tbs());
                        let logged = logged_tbs(linted.tbs(), &scts(not_before)).unwrap();
                        let logged = lint_logged(logged, &context).unwrap();
                        is_golden(&format!("{name}-logged.tbs"), logged.tbs());
                    }
                }
            }
        }
    }
}

fn read(name: &str) -> Vec<u8> {
    std::fs::read(format!("{FOLDER}/{name}")).unwrap()
}

/// Compares with the file, or writes it.
fn is_golden(name: &str, tbs: &[u8]) {
    if std::env::var_os("RESEAL_WRITE_GOLDEN").is_some() {
        std::fs::write(format!("{FOLDER}/{name}"), tbs).unwrap();
    }
    assert_eq!(read(name), tbs, "{name}");
}

/// Promises of three logs that there are not.
fn scts(at: Timestamp) -> Vec<Sct> {
    let scts = (1..=3).map(|number| Sct {
        log_id: [0x11 * number; 32],
        timestamp: at.as_millisecond().cast_unsigned() + u64::from(number),
        extensions: Vec::new(),
        hash: 4,
        algorithm: 3,
        signature: hex::decode("3006020107020109").unwrap(),
    });
    scts.collect()
}
