use super::super::{CorrespondenceError, correspond, entry_tbs, has_scts};
use super::*;
use crate::{
    asn1::element,
    certificate::{Certificate, assemble},
    lint::{Finding, lint_issued},
    profile::SignatureAlgorithm,
};

const POISON: &str = "3013060a2b06010401d6790204030101ff04020500";

fn rules(outcome: Result<Linted, Vec<Finding>>) -> Vec<&'static str> {
    let findings = outcome.err().unwrap_or_default();
    findings.iter().map(|finding| finding.rule).collect()
}

/// `tbs` as a certificate that nobody signed.
fn unsigned(tbs: &[u8]) -> Vec<u8> {
    assemble(tbs, SignatureAlgorithm::EcdsaP256Sha256, &[])
}

#[test]
fn p_8_a_precertificate_is_the_recorded_certificate_with_the_poison_behind_it() {
    let bench = Bench::new();
    let recorded = bench.recorded();
    let precertificate = bench.precertificate();
    let poison = hex::decode(POISON).unwrap();
    let tbs = Certificate::from_der(&precertificate).unwrap();
    assert!(tbs.tbs_der().ends_with(&poison));
    assert_eq!(tbs.tbs_der().len(), recorded.len() + poison.len());
    assert_eq!(entry_tbs(&precertificate).unwrap(), recorded);
    assert!(!has_scts(&precertificate));
    let read = Certificate::from_der(&unsigned(&recorded)).unwrap();
    assert_eq!(read.serial_bytes(), tbs.serial_bytes());
    assert_eq!(read.dns_names(), tbs.dns_names());
}

#[test]
fn p_10_certificate_and_precertificate_come_back_to_the_same_bytes() {
    let bench = Bench::new();
    let scts = promises(&bench, 3);
    let (precertificate, certificate) = (bench.precertificate(), bench.logged(&scts));
    assert_eq!(correspond(&precertificate, &certificate), Ok(()));
    assert_eq!(entry_tbs(&certificate).unwrap(), bench.recorded());
    assert!(has_scts(&certificate));
}

#[test]
fn p_10_anything_else_that_differs_is_found() {
    let bench = Bench::new();
    let scts = promises(&bench, 3);
    let precertificate = bench.precertificate();
    let other = Bench::new();
    assert_eq!(
        correspond(&precertificate, &other.logged(&promises(&other, 3))),
        Err(CorrespondenceError::Different)
    );
    assert_eq!(
        correspond(&precertificate, &precertificate),
        Err(CorrespondenceError::List)
    );
    let certificate = bench.logged(&scts);
    assert_eq!(
        correspond(&certificate, &certificate),
        Err(CorrespondenceError::Poison)
    );
    let plain = unsigned(&bench.recorded());
    assert_eq!(
        correspond(&plain, &certificate),
        Err(CorrespondenceError::Poison)
    );
    assert_eq!(
        correspond(&precertificate, &plain),
        Err(CorrespondenceError::List)
    );
    let poisoned_twice = precertificate_tbs(&precertificate_tbs(&bench.recorded()).unwrap());
    assert_eq!(
        correspond(&unsigned(&poisoned_twice.unwrap()), &certificate),
        Err(CorrespondenceError::Poison)
    );
    let both = logged_tbs(&precertificate_tbs(&bench.recorded()).unwrap(), &scts).unwrap();
    assert_eq!(
        correspond(&precertificate, &unsigned(&both)),
        Err(CorrespondenceError::List)
    );
    let algorithm = SignatureAlgorithm::EcdsaP384Sha384;
    let signed_otherwise = assemble(
        &logged_tbs(&bench.recorded(), &scts).unwrap(),
        algorithm,
        &[],
    );
    assert_eq!(
        correspond(&precertificate, &signed_otherwise),
        Err(CorrespondenceError::Different)
    );
}

#[test]
fn p_10_every_flipped_bit_of_what_was_signed_is_found_and_nothing_panics() {
    let bench = Bench::new();
    let precertificate = bench.precertificate();
    let certificate = bench.logged(&promises(&bench, 2 + 1));
    let list = Certificate::from_der(&certificate).unwrap().tbs_der().len();
    let recorded = bench.recorded().len();
    // Behind the recorded part stands the list, which may be any.
    let shared = recorded.min(list) - 8;
    for position in 0..certificate.len() {
        let mut damaged = certificate.clone();
        damaged[position] ^= 0x01;
        let found = correspond(&precertificate, &damaged);
        assert!(
            found.is_err() || position >= shared,
            "byte {position} of {}",
            certificate.len()
        );
        let _ = entry_tbs(&damaged);
        assert!(entry_tbs(&certificate[..position]).is_err());
    }
}

#[test]
fn p_8_a_7_the_linter_knows_the_three_forms_apart() {
    let bench = Bench::new();
    let context = bench.context();
    let recorded = bench.recorded();
    let poisoned = precertificate_tbs(&recorded).unwrap();
    let logged = logged_tbs(&recorded, &promises(&bench, 3)).unwrap();
    assert_eq!(rules(lint_leaf(poisoned.clone(), &context)), ["P-6"]);
    assert_eq!(rules(lint_leaf(logged.clone(), &context)), ["P-6"]);
    assert_eq!(
        rules(lint_precertificate(recorded.clone(), &context)),
        ["P-8"]
    );
    assert_eq!(
        rules(lint_precertificate(logged.clone(), &context)),
        ["P-6", "P-8"]
    );
    assert_eq!(rules(lint_logged(recorded, &context)), ["P-9"]);
    assert_eq!(
        rules(lint_logged(poisoned.clone(), &context)),
        ["P-6", "P-9"]
    );
    assert!(lint_precertificate(poisoned, &context).is_ok());
    assert!(lint_logged(logged, &context).is_ok());
}

#[test]
fn p_8_a_poison_that_clients_would_overlook_is_not_signed() {
    let bench = Bench::new();
    let poisoned = precertificate_tbs(&bench.recorded()).unwrap();
    let changed = |from: &str, to: &str| {
        let (from, to) = (hex::decode(from).unwrap(), hex::decode(to).unwrap());
        let at = poisoned.len() - from.len();
        assert_eq!(poisoned[at..], from);
        [&poisoned[..at], &to].concat()
    };
    let value = changed("0101ff04020500", "0101ff04020501");
    assert_eq!(rules(lint_precertificate(value, &bench.context())), ["P-8"]);
    let critical = changed("0101ff04020500", "01010004020500");
    assert_eq!(
        rules(lint_precertificate(critical, &bench.context())),
        ["P-12", "P-8"]
    );
}

#[test]
fn p_9_the_linter_counts_promises_by_the_validity() {
    let bench = Bench::new();
    let context = bench.context();
    let of = |scts: &[Sct]| {
        rules(lint_logged(
            logged_tbs(&bench.recorded(), scts).unwrap(),
            &context,
        ))
    };
    let mut scts = promises(&bench, 3);
    assert_eq!(of(&scts), [] as [&str; 0]);
    assert_eq!(of(&scts[..2]), ["P-9"]);
    let twice = [scts[0].clone(), scts[1].clone(), scts[1].clone()];
    assert_eq!(of(&twice), ["P-9", "P-9"]);
    scts[2].timestamp = (now() + SignedDuration::from_mins(5))
        .as_millisecond()
        .cast_unsigned();
    assert_eq!(of(&scts), ["P-9"]);
    scts[2].timestamp = u64::MAX;
    assert_eq!(of(&scts), ["P-9"]);
}

#[test]
fn a_9_what_was_issued_with_promises_or_without_is_looked_at_again() {
    let bench = Bench::new();
    let context = bench.context();
    let certificate = bench.logged(&promises(&bench, 3));
    assert_eq!(lint_issued(&certificate, &context), Some(Vec::new()));
    let plain = lint_leaf(bench.recorded(), &context).unwrap();
    assert_eq!(
        lint_issued(&bench.signed(plain), &context),
        Some(Vec::new())
    );
    let findings = lint_issued(&bench.precertificate(), &context).unwrap();
    assert_eq!(findings[0].rule, "P-6", "a precertificate is none");
}

#[test]
fn what_has_no_extensions_is_refused() {
    for tbs in [
        Vec::new(),
        vec![0x30, 0],
        element(0x30, &element(0xa3, &element(0x04, &[]))),
        [element(0x30, &element(0xa3, &element(0x30, &[]))), vec![0]].concat(),
    ] {
        assert!(precertificate_tbs(&tbs).is_err(), "{tbs:02x?}");
        assert!(!has_scts(&tbs));
    }
}
