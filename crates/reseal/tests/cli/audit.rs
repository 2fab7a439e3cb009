//! `reseal audit`: the log of a folder that no server has worked on yet.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::{initialized, run, stderr, stdout};

fn done(data: &Path, arguments: &[&str]) -> String {
    let output = run(Some(data), arguments);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{arguments:?}: {}{}",
        stdout(&output),
        stderr(&output)
    );
    stdout(&output)
}

fn entries(data: &Path, arguments: &[&str]) -> Vec<Value> {
    let text = done(data, &[&["audit", "export"], arguments].concat());
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn actions(entries: &[Value]) -> Vec<String> {
    let word = |entry: &Value, name: &str| entry[name].as_str().unwrap().to_owned();
    entries
        .iter()
        .map(|entry| format!("{} {}", word(entry, "action"), word(entry, "object")))
        .collect()
}

#[test]
fn a_1_what_is_done_by_command_line_is_in_the_log() {
    let folder = initialized();
    let data = folder.path();
    done(data, &["customer", "create", "acme"]);
    let key = done(
        data,
        &["api-key", "create", "--customer", "acme", "--login", "shop"],
    );
    done(data, &["api-key", "revoke", "2"]);
    let secret = data.join("secret");
    fs::write(&secret, "a secret of sixteen bytes or more").unwrap();
    let secret_file = secret.to_str().unwrap();
    done(
        data,
        &[
            "webhook",
            "set",
            "--customer",
            "acme",
            "--url",
            "https://hook.dev/hidden",
            "--secret-file",
            secret_file,
        ],
    );
    done(data, &["webhook", "remove", "--customer", "acme"]);
    done(data, &["ca", "crl", "root", "--sign"]);
    done(
        data,
        &["backup", folder.path().join("b.tar").to_str().unwrap()],
    );

    let entries = entries(data, &[]);
    assert_eq!(
        actions(&entries),
        [
            "customer.create customer/house",
            "api-key.create api-key/1",
            "ca.key.create ca/root",
            "ca.key.create ca/intermediate",
            "crl.sign crl/root",
            "customer.create customer/acme",
            "api-key.create api-key/2",
            "api-key.revoke api-key/2",
            "webhook.set webhook/acme",
            "webhook.remove webhook/acme",
            "crl.sign crl/root",
            "backup.create backup",
        ]
    );
    for entry in &entries {
        assert!(
            entry["actor"].as_str().unwrap().starts_with("console/"),
            "{entry}"
        );
    }
    // no key, no secret, no address that may hold one.
    let text = done(data, &["audit", "export"]);
    for hidden in [key.trim(), "a secret of", "hook.dev"] {
        assert!(!text.contains(hidden), "{hidden}: {text}");
    }
    assert!(
        done(data, &["audit", "verify"])
            .starts_with("as it was written: 12 entries (1 to 12), 0 events")
    );
}

#[test]
fn an_export_begins_and_ends_where_it_is_told() {
    let folder = initialized();
    let all = entries(folder.path(), &[]).len();
    assert!(all > 0);
    assert_eq!(
        entries(
            folder.path(),
            &["--since", "2020-01-01", "--format", "jsonl"]
        )
        .len(),
        all
    );
    assert_eq!(
        entries(folder.path(), &["--until", "2020-01-01"]),
        [] as [Value; 0]
    );
    assert_eq!(
        entries(folder.path(), &["--since", "2500-01-01"]),
        [] as [Value; 0]
    );
    let output = run(
        Some(folder.path()),
        &["audit", "export", "--since", "yesterday"],
    );
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn a_4_heads_that_are_not_those_of_the_log_are_named() {
    let folder = initialized();
    let data = folder.path();
    let heads = data.join("copy.log");
    let path = heads.to_str().unwrap();
    let last = entries(data, &[]).pop().unwrap();
    let line = |id: i64, hash: &str| format!("2026-11-29T12:00:00Z daily {id} {hash}\n");
    let hash = last["hash"].as_str().unwrap();
    fs::write(&heads, line(last["id"].as_i64().unwrap(), hash)).unwrap();
    assert!(
        done(data, &["audit", "verify", "--heads", path]).contains("1 noted heads found again")
    );

    fs::write(&heads, line(1, hash) + &line(99, hash)).unwrap();
    let output = run(Some(data), &["audit", "verify", "--heads", path]);
    assert_eq!(output.status.code(), Some(1));
    let text = stdout(&output);
    assert!(
        text.contains("entry 1: its hash is not the one that was noted in"),
        "{text}"
    );
    assert!(text.contains("entries 6 to 99: they are missing"), "{text}");
    assert!(text.contains("2 findings"), "{text}");

    fs::write(&heads, "what is this\n").unwrap();
    let output = run(Some(data), &["audit", "verify", "--heads", path]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("line 1: expected moment"),
        "{}",
        stderr(&output)
    );
}
