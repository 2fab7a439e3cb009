//! `reseal doctor --deep` over what a server has written, beside the server and after somebody laid hands on it.

#![expect(
    clippy::unwrap_used,
    reason = "what is wrong here fails a test; the lint knows test functions only"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use tempfile::TempDir;

use crate::support::csr::csr;
use crate::support::database::{self, Database};
use crate::support::server::{Server, binary, copy};

/// The lines of the doctor about what is stored.
pub(crate) fn examine(data: &Path) -> (String, Vec<String>) {
    let output = Command::new(binary())
        .args(["doctor", "--deep", "--data"])
        .arg(data)
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let wrong = said.lines().filter(|line| line.contains("NOT SO"));
    let wrong = wrong.map(str::to_owned).collect();
    (said, wrong)
}

/// Bytes in hexadecimal as a statement has them.
fn literal(bytes: &str) -> String {
    if database::is_postgres() {
        format!("'\\x{bytes}'::bytea")
    } else {
        format!("X'{bytes}'")
    }
}

/// With another last byte, which is the signature's.
fn changed(database: &Database, select: &str) -> String {
    let mut bytes = hex::decode(database.value(select).unwrap()).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    literal(&hex::encode(bytes))
}

#[test]
fn what_is_not_what_it_was_is_found_beside_a_running_server() {
    let mut server = Server::start();
    let old = server.order("ssl_dv", &csr(&["reseal.dev"]));
    let path = format!("/v2/ssl/certificates/{old}/reissue");
    let reply = server
        .alice
        .post(&path, &json!({"csr": csr(&["reseal.dev"])}));
    let new = server.finish(&reply);
    let revoked = server.alice.delete(&format!("/v2/ssl/certificates/{old}"));
    assert!(revoked.status < 300, "{}", revoked.text());
    let database = server.database();
    let deadline = Instant::now() + Duration::from_secs(20);
    while database.number("SELECT COUNT(*) FROM crl_entry WHERE listed IS NOT NULL") == 0 {
        assert!(Instant::now() < deadline, "no list shows it");
        thread::sleep(Duration::from_millis(50));
    }

    let (said, wrong) = examine(&server.data());
    assert!(wrong.is_empty(), "{wrong:#?}");
    for line in [
        "key and names that are stored beside it (2)",
        "over what was reserved for it unless an upstream issued it (2)",
        "shows the certificates that it has to show (128)",
        "or was given up on record and is revoked (2)",
    ] {
        assert!(said.contains(line), "{line}\n{said}");
    }

    let list = "(SELECT name FROM crl WHERE entries = 1)";
    let der = changed(
        &database,
        &format!("SELECT der FROM certificate WHERE id = {new}"),
    );
    let crl = changed(
        &database,
        &format!("SELECT der FROM crl WHERE name = {list}"),
    );
    let of = format!("WHERE id = {new}");
    let damages = [
        (format!("UPDATE certificate SET not_after = not_after + 1000 {of}"), format!("certificate {new}: its end is")),
        (format!("UPDATE certificate SET not_before = not_before - 1000 {of}"), format!("certificate {new}: its begin is")),
        (
            format!("UPDATE certificate SET serial = (SELECT serial FROM reservation WHERE process = 1) {of}"),
            format!("certificate {new}: its serial number is"),
        ),
        (
            format!("UPDATE certificate SET spki_sha256 = {} {of}", literal(&"ab".repeat(32))),
            format!("certificate {new}: its key is"),
        ),
        (format!("UPDATE certificate SET key_size = 384 {of}"), format!("certificate {new}: its kind of key is")),
        (
            format!("UPDATE certificate SET fingerprint = {} {of}", literal(&"ab".repeat(32))),
            format!("certificate {new}: its fingerprint is"),
        ),
        (format!("UPDATE certificate SET names = '[\"reseal.dev\"]' {of}"), "`www.reseal.dev` is only".to_owned()),
        (
            format!("DELETE FROM certificate_name WHERE certificate = {new} AND name = 'www.reseal.dev'"),
            "it has 2 names and is found by 1".to_owned(),
        ),
        (format!("UPDATE certificate SET der = {der} {of}"), format!("certificate {new}: its signature is not")),
        (
            format!("UPDATE reservation SET tbs = {} WHERE process = {}", literal("3000"), reply.process()),
            format!("certificate {new}: it is not what was reserved"),
        ),
        (format!("UPDATE crl SET der = {crl} WHERE name = {list}"), ": its signature is not the issuer's".to_owned()),
        (format!("UPDATE crl SET entries = 2 WHERE name = {list}"), "its number or length is not".to_owned()),
        (format!("UPDATE crl SET next_update = 0 WHERE name = {list}"), "its dates are not".to_owned()),
        ("UPDATE crl_entry SET revoked_at = revoked_at - 60000".to_owned(), "is on it as revoked at".to_owned()),
        ("UPDATE crl_entry SET reason = 'KEY_COMPROMISE'".to_owned(), "is on it with another reason".to_owned()),
        ("DELETE FROM crl_entry".to_owned(), "is on it and not revoked here".to_owned()),
        (format!("DELETE FROM crl WHERE name = {list}"), "it is missing, and serial number".to_owned()),
        (
            format!(
                "INSERT INTO crl_entry SELECT issuer, ending, {}, revoked_at, reason, not_after, listed, NULL FROM crl_entry",
                literal("0102")
            ),
            "serial number 0102 is not on it".to_owned(),
        ),
        ("UPDATE process SET status = 'FAILED' WHERE id = 1".to_owned(), "process 1: it is listed as FAILED".to_owned()),
        (
            "INSERT INTO event SELECT process, step, 99, at, kind FROM event WHERE process = 1 AND step = 0 AND ordinal = 0"
                .to_owned(),
            "event 99 of process 1, step 0: no entry is about it".to_owned(),
        ),
    ];
    drop(database);
    server.terminate();
    for (damage, expected) in damages {
        let folder = TempDir::new().unwrap();
        let data = copied(&server.data(), folder.path());
        Database::of(&data).run(&damage);
        let (said, wrong) = examine(&data);
        assert!(
            wrong.iter().any(|line| line.contains(&expected)),
            "{damage}\n{expected}\n{said}"
        );
    }
}

/// A copy of the folder `data` in `folder`, with a copy of its database.
fn copied(data: &Path, folder: &Path) -> PathBuf {
    let copied = folder.join("data");
    copy(data, &copied);
    let configuration = fs::read_to_string(data.join("reseal.toml")).unwrap();
    let rest = configuration.split("\n[database]").next().unwrap();
    let configuration = format!("{rest}{}", database::copy_of(data));
    fs::write(copied.join("reseal.toml"), configuration).unwrap();
    copied
}
