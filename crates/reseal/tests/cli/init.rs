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
