//! `reseal init`.

use super::{initialized, reseal, run, stderr, stdout};

#[test]
fn init_prints_one_key_makes_the_layout_and_refuses_a_second_time() {
    let data = tempfile::tempdir().unwrap();
    let output = run(Some(data.path()), &["init"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let key = stdout(&output);
    assert_eq!(key.lines().count(), 1, "{key}");
    for file in [
        "reseal.toml",
        "products.toml",
        "reseal.db",
        "ca/root.pem",
        "ca/intermediate.pem",
        "ca/root.key",
        "ca/intermediate.key",
        "mail/new",
    ] {
        assert!(data.path().join(file).exists(), "{file}");
    }
    let before = std::fs::read(data.path().join("ca/root.pem")).unwrap();
    let output = run(Some(data.path()), &["init"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(stdout(&output), "");
    assert!(
        stderr(&output).contains("nothing was changed"),
        "{}",
        stderr(&output)
    );
    assert_eq!(
        std::fs::read(data.path().join("ca/root.pem")).unwrap(),
        before
    );
}

#[test]
fn init_writes_the_given_configuration_with_absolute_paths() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("given.toml");
    std::fs::write(
        folder.path().join("secret"),
        "correct horse battery staple\n",
    )
    .unwrap();
    std::fs::write(
        &config,
        "[ca]\npassphrase_file = \"secret\"\nalgorithm = \"p384\"\n[policy]\ninternal_names = [\"corp.example\"]\n",
    )
    .unwrap();
    let data = folder.path().join("data");
    let output = reseal(Some(&data))
        .arg("init")
        .arg("--config")
        .arg(&config)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let written = std::fs::read_to_string(data.join("reseal.toml")).unwrap();
    let secret = folder.path().join("secret");
    assert!(
        written.contains(&format!("\"{}\"", secret.display())),
        "{written}"
    );
    // From here on the copy counts.
    std::fs::remove_file(&config).unwrap();
    let output = run(Some(&data), &["doctor"]);
    assert!(stdout(&output).contains("corp.example") || output.status.code().is_some());
    assert!(
        !stdout(&output).contains("the CA cannot"),
        "{}",
        stdout(&output)
    );
}

#[test]
fn an_interrupted_init_is_done_over() {
    let data = initialized();
    std::fs::write(data.path().join(".init-unfinished"), "").unwrap();
    let output = run(Some(data.path()), &["customer", "list"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("interrupted"),
        "{}",
        stderr(&output)
    );
    let output = run(Some(data.path()), &["init"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(
        run(Some(data.path()), &["customer", "list"]).status.code(),
        Some(0)
    );
}

#[test]
fn a_lost_database_is_not_replaced() {
    let data = initialized();
    std::fs::remove_file(data.path().join("reseal.db")).unwrap();
    for command in ["init", "serve"] {
        let output = run(Some(data.path()), &[command]);
        assert_eq!(output.status.code(), Some(1), "{command}");
        assert!(stderr(&output).contains("backup"), "{}", stderr(&output));
    }
    assert!(data.path().join("ca/root.key").exists());
}

#[test]
fn an_empty_database_is_not_taken_for_the_one_that_was_there() {
    let data = initialized();
    let file = data.path().join("reseal.db");
    let commands = [
        &["init"] as &[&str],
        &["serve"],
        &["customer", "list"],
        &["ca", "crl", "0", "--sign"],
        &["audit", "verify"],
        &["backup", "reseal.tar"],
        &["doctor"],
    ];
    let refuse = |what: &str| {
        let before = std::fs::read(&file).unwrap();
        for command in commands
            .iter()
            .filter(|command| what == "no bytes" || command[0] != "init")
        {
            let output = run(Some(data.path()), command);
            let said = format!("{}{}", stdout(&output), stderr(&output));
            assert_eq!(output.status.code(), Some(1), "{what}, {command:?}: {said}");
            assert!(
                said.contains("restore") && said.contains("empty"),
                "{what}, {command:?}: {said}"
            );
        }
        assert_eq!(std::fs::read(&file).unwrap(), before, "{what}");
    };
    std::fs::write(&file, "").unwrap();
    refuse("no bytes");
    std::fs::write(&file, no_tables()).unwrap();
    refuse("no tables");
}

/// A whole database of SQLite's with nothing in it: one page, and its header.
fn no_tables() -> Vec<u8> {
    let mut page = vec![0; 4096];
    page[..16].copy_from_slice(b"SQLite format 3\0");
    page[16..24].copy_from_slice(&[0x10, 0, 1, 1, 0, 64, 32, 32]);
    // Changes, pages, format of the schema, UTF-8, and the change that the number of pages is of.
    for (place, value) in [(27, 1), (31, 1), (47, 4), (59, 1), (95, 1)] {
        page[place] = value;
    }
    // A leaf without cells.
    page[100] = 13;
    page[105] = 0x10;
    page
}
