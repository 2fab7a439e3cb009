//! Configurations with which no server starts.

use std::fs;
use std::process::Command;

use crate::support::ct_log::CtLog;
use crate::support::server::{binary, reseal};

/// What `serve` says with this configuration; it must not start.
#[track_caller]
fn refused(configuration: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let path = data.to_str().unwrap();
    fs::create_dir(&data).unwrap();
    reseal(&["init", "--data", path]);
    fs::write(data.join("reseal.toml"), configuration).unwrap();
    let output = Command::new(binary())
        .args(["serve", "--listen", "127.0.0.1:0", "--data", path])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn p_9_private_certificates_are_never_shown_to_logs() {
    let logs = [CtLog::start(), CtLog::start(), CtLog::start()];
    let entries: Vec<String> = logs
        .iter()
        .zip(["a", "b", "c"])
        .map(|(log, operator)| log.entry(operator, ""))
        .collect();
    let said = refused(&format!("[ct]\nlogs = [{}]\n", entries.join(", ")));
    assert!(
        said.contains("`ct.logs`") && said.contains("profile `private`"),
        "{said}"
    );
}

#[test]
fn p_9_every_mistake_in_the_logs_is_named_at_once() {
    let log = CtLog::start();
    let said = refused(&format!(
        "[policy]\nprofile = \"public\"\n[ct]\ntimeout = \"2h\"\nlogs = [{}, {}, {{ url = \"http://log.example\", key = \"AAAA\" }}]\n",
        log.entry("a", ", not_after_from = \"soon\""),
        log.entry("a", ", key_file = \"key.pem\", colour = \"red\""),
    ));
    for part in [
        "`ct.timeout`: expected a duration from `1s` to `60s`",
        "`not_after_from`: expected a moment",
        "expected either `key` or `key_file`",
        "has no key `colour`",
        "expected an `https` URL",
        "`operator` is missing",
        "`key`: ",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[test]
fn p_9_logs_that_can_never_promise_enough_are_refused() {
    let logs = [CtLog::start(), CtLog::start(), CtLog::start()];
    let entries = |operators: &[&str]| {
        let entries: Vec<String> = logs
            .iter()
            .zip(operators)
            .map(|(log, operator)| log.entry(operator, ""))
            .collect();
        refused(&format!(
            "[policy]\nprofile = \"public\"\n[ct]\nlogs = [{}]\n",
            entries.join(", ")
        ))
    };
    let said = entries(&["a"]);
    assert!(
        said.contains("`ct.logs`") && said.contains("and there are 1"),
        "{said}"
    );
    let said = entries(&["a", "a", "a"]);
    assert!(said.contains("all are of `a`"), "{said}");
}
