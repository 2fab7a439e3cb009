use jiff::{SignedDuration, Timestamp};

use super::{Crl, CrlContent, CrlEntry, CrlError, CrlLimits, crl_tbs, lint_crl};
use crate::{
    certificate::assemble,
    fixture::{Hierarchy, KeyType, SIGNING_TIME},
    lint::Finding,
    profile::IssuingAuthority,
};

const ADDRESS: &str = "http://pki.reseal.dev/crl/1/0.crl";

fn now() -> Timestamp {
    SIGNING_TIME.parse().unwrap()
}

fn entry(last: u8, reason: Option<u8>) -> CrlEntry {
    CrlEntry {
        serial: [&[0x5e; 15][..], &[last]].concat(),
        revoked_at: now() - SignedDuration::from_hours(1),
        reason,
    }
}

/// What a good list of one shard says; each test spoils one thing of it.
fn content<'a>(addresses: &'a [String], entries: &'a [CrlEntry]) -> CrlContent<'a> {
    CrlContent {
        number: 0x0194_80ff_0000,
        this_update: now(),
        next_update: now() + SignedDuration::from_hours(7 * 24),
        addresses,
        entries,
    }
}

fn limits<'a>(hierarchy: &'a Hierarchy, addresses: &'a [String]) -> CrlLimits<'a> {
    CrlLimits {
        issuer: &hierarchy.issuer,
        previous: Some(7),
        signing_time: now(),
        longest: SignedDuration::from_hours(10 * 24),
        addresses,
    }
}

fn findings(content: &CrlContent<'_>) -> Vec<Finding> {
    let hierarchy = Hierarchy::new(KeyType::P256);
    let addresses = [ADDRESS.to_owned()];
    let tbs = crl_tbs(&hierarchy.issuer, content).unwrap();
    match lint_crl(tbs, &limits(&hierarchy, &addresses)) {
        Ok(_) => Vec::new(),
        Err(findings) => findings,
    }
}

#[track_caller]
fn broken(content: &CrlContent<'_>, rule: &str) {
    let findings = findings(content);
    assert!(
        !findings.is_empty() && findings.iter().all(|finding| finding.rule == rule),
        "{findings:?}"
    );
}

#[test]
fn x_7_what_is_written_reads_back_and_passes_for_every_key_type() {
    let addresses = [ADDRESS.to_owned()];
    let entries = [entry(0, None), entry(1, Some(1)), entry(0x80, Some(4))];
    for key_type in [KeyType::P256, KeyType::P384, KeyType::Rsa2048] {
        let hierarchy = Hierarchy::new(key_type);
        let content = content(&addresses, &entries);
        let tbs = crl_tbs(&hierarchy.issuer, &content).unwrap();
        let linted = lint_crl(tbs, &limits(&hierarchy, &addresses)).unwrap();
        let signature = hierarchy.sign(linted.tbs());
        let crl = Crl::from_der(&linted.finish(&signature)).unwrap();
        assert_eq!(crl.number, Some(content.number));
        assert_eq!(
            (crl.this_update, crl.next_update),
            (content.this_update, content.next_update)
        );
        assert_eq!(crl.entries, entries);
    }
}

#[test]
fn x_7_an_empty_list_leaves_the_field_out() {
    let hierarchy = Hierarchy::new(KeyType::P256);
    let tbs = crl_tbs(&hierarchy.issuer, &content(&[], &[])).unwrap();
    let linted = lint_crl(tbs, &limits(&hierarchy, &[])).unwrap();
    let crl = Crl::from_der(&linted.finish(&[1])).unwrap();
    assert!(crl.entries.is_empty());
}

#[test]
fn x_7_numbers_only_grow_and_are_written_in_their_shortest_form() {
    let addresses = [ADDRESS.to_owned()];
    for (number, passes) in [
        (7, false),
        (0, false),
        (8, true),
        (0x80, true),
        (0xffff, true),
        (u64::MAX, true),
    ] {
        let content = CrlContent {
            number,
            ..content(&addresses, &[])
        };
        assert_eq!(findings(&content).is_empty(), passes, "{number}");
    }
}

#[test]
fn x_7_times_are_held_to_ten_days_and_to_now() {
    let addresses = [ADDRESS.to_owned()];
    let good = content(&addresses, &[]);
    let day = SignedDuration::from_hours(24);
    for (this_update, next_update, passes) in [
        (now(), now() + 10 * day, true),
        (
            now(),
            now() + 10 * day + SignedDuration::from_secs(1),
            false,
        ),
        (now() + SignedDuration::from_secs(1), now() + day, false),
        (now() - 2 * day, now(), false),
    ] {
        let content = CrlContent {
            this_update,
            next_update,
            ..good.clone()
        };
        assert_eq!(
            findings(&content).is_empty(),
            passes,
            "{this_update} {next_update}"
        );
    }
}

#[test]
fn x_3_a_8_a_list_with_a_reason_that_is_never_given_is_refused() {
    let addresses = [ADDRESS.to_owned()];
    for reason in 0..=11 {
        let entries = [entry(1, Some(reason))];
        let findings = findings(&content(&addresses, &entries));
        let passes = [1, 3, 4, 5, 9].contains(&reason);
        assert_eq!(findings.is_empty(), passes, "{reason}: {findings:?}");
    }
}

#[test]
fn x_7_entries_are_unique_and_not_of_the_future() {
    let addresses = [ADDRESS.to_owned()];
    broken(
        &content(&addresses, &[entry(1, None), entry(1, Some(1))]),
        "X-7",
    );
    let late = CrlEntry {
        revoked_at: now() + SignedDuration::from_secs(1),
        ..entry(1, None)
    };
    broken(&content(&addresses, &[late]), "X-7");
}

#[test]
fn x_8_the_list_names_exactly_the_certificates_pointers() {
    let other = ["http://pki.reseal.dev/crl/1/1.crl".to_owned()];
    broken(&content(&other, &[]), "X-8");
    let both = [ADDRESS.to_owned(), other[0].clone()];
    broken(&content(&both, &[]), "X-8");
    broken(&content(&[], &[]), "X-7");
}

#[test]
fn x_7_a_list_of_another_issuer_is_not_signed() {
    let (ours, theirs) = (Hierarchy::new(KeyType::P256), Hierarchy::new(KeyType::P256));
    let addresses = [ADDRESS.to_owned()];
    let tbs = crl_tbs(&theirs.root, &content(&addresses, &[])).unwrap();
    let rules: Vec<_> = lint_crl(tbs, &limits(&ours, &addresses))
        .unwrap_err()
        .iter()
        .map(|finding| finding.rule)
        .collect();
    assert_eq!(rules, ["P-2", "X-7"]);
}

#[test]
fn what_cannot_be_written_is_refused() {
    let hierarchy = Hierarchy::new(KeyType::P256);
    for serial in [&[][..], &[0], &[0x80, 1], &[0, 1], &[1; 21]] {
        let entries = [CrlEntry {
            serial: serial.to_vec(),
            ..entry(1, None)
        }];
        let refused = crl_tbs(&hierarchy.issuer, &content(&[], &entries));
        assert!(matches!(refused, Err(CrlError::Serial(_))), "{serial:02x?}");
    }
    for address in ["https://ca.example/x.crl", "http://b\u{fc}cher/", ""] {
        let addresses = [address.to_owned()];
        let refused = crl_tbs(&hierarchy.issuer, &content(&addresses, &[]));
        assert!(matches!(refused, Err(CrlError::Address(_))), "{address}");
    }
}

#[test]
fn cut_or_changed_bytes_never_panic() {
    let hierarchy = Hierarchy::new(KeyType::P256);
    let addresses = [ADDRESS.to_owned()];
    let entries = [entry(0, None), entry(1, Some(1))];
    let tbs = crl_tbs(&hierarchy.issuer, &content(&addresses, &entries)).unwrap();
    for at in 0..tbs.len() {
        assert!(lint_crl(tbs[..at].to_vec(), &limits(&hierarchy, &addresses)).is_err());
        for value in [0, 0x7f, 0x80, 0xff] {
            let mut changed = tbs.clone();
            changed[at] = value;
            let _ = lint_crl(changed.clone(), &limits(&hierarchy, &addresses));
            let _ = Crl::from_der(&changed);
        }
    }
}

/// What `openssl` reads in a list whose signature is left out of the golden files.
fn shown(issuer: &IssuingAuthority, tbs: &[u8]) -> String {
    let list = tempfile::NamedTempFile::new().unwrap();
    let der = assemble(tbs, issuer.signature_algorithm(), &[0x30, 0]);
    std::fs::write(list.path(), der).unwrap();
    let output = std::process::Command::new("openssl")
        .args(["crl", "-inform", "DER", "-noout", "-text", "-in"])
        .arg(list.path())
        .output()
        .expect("openssl is installed");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn golden_lists_are_what_was_reviewed() {
    let testdata = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata");
    let issuer = std::fs::read(format!("{testdata}/profile/issuer.cer")).unwrap();
    let issuer = IssuingAuthority::from_der(&issuer).unwrap();
    let addresses = [ADDRESS.to_owned()];
    let reasons = [None, Some(1), Some(3), Some(4), Some(5), Some(9)];
    let entries: Vec<_> = (0..)
        .zip(reasons)
        .map(|(last, reason)| entry(last, reason))
        .collect();
    let late: Timestamp = "2049-12-30T00:00:00Z".parse().unwrap();
    let whole = CrlContent {
        this_update: late,
        next_update: late + SignedDuration::from_hours(7 * 24),
        ..content(&[], &[])
    };
    for (name, content) in [("shard", content(&addresses, &entries)), ("whole", whole)] {
        let tbs = crl_tbs(&issuer, &content).unwrap();
        let text = shown(&issuer, &tbs);
        let file = |form: &str| format!("{testdata}/crl/{name}.{form}");
        if std::env::var_os("RESEAL_WRITE_GOLDEN").is_some() {
            std::fs::write(file("tbs"), &tbs).unwrap();
            std::fs::write(file("txt"), &text).unwrap();
        }
        assert_eq!(std::fs::read(file("tbs")).unwrap(), tbs, "{name}");
        // Other versions of `openssl` write the same in other words.
        let reasons = text.matches("X509v3 CRL Reason Code").count();
        let given = content.entries.iter().filter(|one| one.reason.is_some());
        assert_eq!(reasons, given.count(), "{text}");
        let limits = CrlLimits {
            issuer: &issuer,
            previous: None,
            signing_time: content.this_update,
            longest: SignedDuration::from_hours(10 * 24),
            addresses: content.addresses,
        };
        lint_crl(tbs, &limits).unwrap();
    }
}
