//! What `doctor` is told.

use super::*;

fn look(data: &Data, passphrase_file: Option<&Path>) -> Inspection {
    inspect(&data.ca(), passphrase_file, None, PUBLIC_URL, now())
}

/// The findings of one severity, each with what its message must contain.
fn assert_findings(seen: &Inspection, expected: &[(Severity, &str)]) {
    let told: Vec<_> = seen
        .findings
        .iter()
        .map(|finding| &finding.message)
        .collect();
    assert_eq!(told.len(), expected.len(), "{told:#?}");
    for (severity, text) in expected {
        assert!(
            seen.findings
                .iter()
                .any(|finding| finding.severity == *severity && finding.message.contains(text)),
            "{severity:?} {text}: {told:#?}"
        );
    }
    assert_eq!(
        seen.worst(),
        expected.iter().map(|(severity, _)| *severity).max()
    );
}

fn with_passphrase(cost: Cost) -> (Data, PathBuf) {
    let passphrase = Passphrase::new(b"correct horse").unwrap().with_cost(cost);
    let (data, _) = Data::with_ca(KeyType::P256, Some(&passphrase));
    let path = data.root.path().join("passphrase");
    fs::write(&path, "correct horse\n").unwrap();
    set_mode(&path, 0o600);
    (data, path)
}

#[test]
fn with_a_good_passphrase_there_is_nothing_to_say() {
    let (data, file) = with_passphrase(Cost::DEFAULT);
    let seen = look(&data, Some(&file));
    assert_findings(&seen, &[]);
    assert_eq!(
        seen.protection,
        Some(Protection::Passphrase {
            cost: Cost::DEFAULT
        })
    );
    let authority = Authority::open(&data.ca(), Some(&Passphrase::read(&file).unwrap())).unwrap();
    assert_eq!(seen.issuing_not_after, Some(authority.issuing_not_after()));
    assert_eq!(seen.root_not_after, Some(authority.root().not_after()));
    let subject = seen.issuing_subject.unwrap();
    assert!(
        subject.starts_with("C=XX,O=Reseal,CN=Reseal Issuing CA "),
        "{subject}"
    );
}

#[test]
fn a_6_keys_without_a_passphrase_are_told() {
    let (data, _) = Data::with_ca(KeyType::P256, None);
    let seen = look(&data, None);
    assert_findings(
        &seen,
        &[(Severity::Warning, "`unlock.key` beside them only")],
    );
    assert_eq!(seen.protection, Some(Protection::UnlockKey));
    // Set later, it protects nothing.
    let file = data.root.path().join("passphrase");
    fs::write(&file, "late").unwrap();
    set_mode(&file, 0o400);
    let seen = look(&data, Some(&file));
    assert_findings(&seen, &[(Severity::Warning, "the CA was made without it")]);
}

#[test]
fn a_cheap_passphrase_is_told() {
    let (data, file) = with_passphrase(Cost::worthless_for_tests());
    assert_findings(
        &look(&data, Some(&file)),
        &[(Severity::Warning, "cheaper to guess")],
    );
}

#[test]
fn a_wrong_or_missing_passphrase_is_told_for_both_keys() {
    let (data, file) = with_passphrase(Cost::DEFAULT);
    fs::write(&file, "wrong").unwrap();
    assert_findings(
        &look(&data, Some(&file)),
        &[
            (
                Severity::Fault,
                "`intermediate.key`: the passphrase is wrong",
            ),
            (Severity::Fault, "`root.key`: the passphrase is wrong"),
        ],
    );
    fs::remove_file(&file).unwrap();
    assert_findings(
        &look(&data, Some(&file)),
        &[
            (Severity::Fault, "passphrase` cannot be read"),
            (
                Severity::Fault,
                "`intermediate.key`: it is protected by a passphrase",
            ),
            (
                Severity::Fault,
                "`root.key`: it is protected by a passphrase",
            ),
        ],
    );
}

#[test]
fn a_6_modes_that_let_others_read_are_told() {
    let (data, file) = with_passphrase(Cost::DEFAULT);
    for path in [
        data.file("root.key"),
        data.file("intermediate.key"),
        file.clone(),
    ] {
        set_mode(&path, 0o640);
        assert_findings(
            &look(&data, Some(&file)),
            &[(
                Severity::Warning,
                &format!("`{}` has mode 0640", path.display()),
            )],
        );
        set_mode(&path, 0o600);
    }
}

#[test]
fn keys_that_do_not_fit_are_told() {
    let (data, file) = with_passphrase(Cost::DEFAULT);
    let (other, _) = with_passphrase(Cost::DEFAULT);
    for name in ["root.key", "intermediate.key"] {
        let own = fs::read(data.file(name)).unwrap();
        fs::copy(other.file(name), data.file(name)).unwrap();
        assert_findings(
            &look(&data, Some(&file)),
            &[(
                Severity::Fault,
                &format!("the key in `{name}` is not the one in"),
            )],
        );
        fs::write(data.file(name), own).unwrap();
    }
    fs::copy(
        other.file("intermediate.pem"),
        data.file("intermediate.pem"),
    )
    .unwrap();
    assert_findings(
        &look(&data, Some(&file)),
        &[(Severity::Fault, "`root.pem` did not sign it")],
    );
}

#[test]
fn p_13_a_root_key_that_was_taken_away_is_only_noted() {
    let (data, file) = with_passphrase(Cost::DEFAULT);
    fs::remove_file(data.file("root.key")).unwrap();
    assert_findings(
        &look(&data, Some(&file)),
        &[(Severity::Note, "`root.key` is not here")],
    );
}

#[test]
fn an_absent_authority_and_leftovers_are_told() {
    let data = Data::empty();
    fs::create_dir(data.root.path().join("ca.new")).unwrap();
    assert_findings(
        &look(&data, None),
        &[
            (
                Severity::Note,
                "ca.new` is left of a CA that was never finished",
            ),
            (Severity::Fault, "root.pem` is missing"),
        ],
    );
}

#[test]
fn v_9_the_end_of_the_authority_is_told_in_time() {
    let (data, file) = with_passphrase(Cost::DEFAULT);
    let end: Timestamp = "2036-11-23T22:59:59Z".parse().unwrap();
    let at = |moment: Timestamp| inspect(&data.ca(), Some(&file), None, PUBLIC_URL, moment);
    assert_findings(&at(end - days(399)), &[]);
    assert_findings(
        &at(end - days(397)),
        &[(
            Severity::Warning,
            "`intermediate.pem` ends at 2036-11-23T22:59:59Z",
        )],
    );
    assert_findings(
        &at(end + days(1)),
        &[(
            Severity::Fault,
            "`intermediate.pem` ended at 2036-11-23T22:59:59Z",
        )],
    );
    assert_findings(
        &at(now() - days(1)),
        &[
            (Severity::Fault, "`root.pem` begins at"),
            (Severity::Fault, "`intermediate.pem` begins at"),
        ],
    );
}

#[test]
fn p_6_a_server_behind_https_is_told_to_answer_http_too() {
    let (data, file) = with_passphrase(Cost::DEFAULT);
    let seen = inspect(
        &data.ca(),
        Some(&file),
        None,
        "https://ca.example:8443",
        now(),
    );
    assert_findings(
        &seen,
        &[(Severity::Warning, "point to `http://ca.example/crl/…`")],
    );
}
