//! Revocation lists as a client meets them: fetched over HTTP, judged by `openssl`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::csr::csr;
use crate::support::http::{Reply, exchange, request};
use crate::support::server::{Server, binary, reseal};

/// Lists are to show a revocation within seconds.
const SOON: Duration = Duration::from_secs(15);

#[track_caller]
fn fetch(server: &Server, method: &str, path: &str, headers: &[&str]) -> Reply {
    exchange(server.alice.address, &request(method, path, headers, b""))
}

#[track_caller]
fn openssl(arguments: &[&str]) -> (bool, String) {
    let output = Command::new("openssl").args(arguments).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (
        output.status.success(),
        String::from_utf8_lossy(&said).into_owned(),
    )
}

/// A folder with the chain, and what is fetched.
struct Relying<'a> {
    server: &'a Server,
    folder: tempfile::TempDir,
}

impl<'a> Relying<'a> {
    fn new(server: &'a Server) -> Self {
        let folder = tempfile::TempDir::new().unwrap();
        for name in ["root.pem", "intermediate.pem"] {
            let reply = fetch(server, "GET", &format!("/ca/{name}"), &[]);
            fs::write(folder.path().join(name), reply.body).unwrap();
        }
        Self { server, folder }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Downloads certificate `id`; its file, and the path that its CRL pointer leads to.
    #[track_caller]
    fn leaf(&self, id: i64) -> (PathBuf, String) {
        let path = format!("/v2/ssl/certificates/{id}/download?format=CRT");
        let file = self.file(&format!("{id}.pem"));
        fs::write(&file, self.server.alice.get(&path).body).unwrap();
        let text = self.server.issued(id);
        let url = text
            .lines()
            .find_map(|line| {
                let url = line.trim().strip_prefix("URI:")?;
                url.contains("/crl/").then(|| url.to_owned())
            })
            .unwrap();
        let path = url.splitn(4, '/').nth(3).unwrap();
        (file, format!("/{path}"))
    }

    /// Fetches a list until it is there and `seen`; its file.
    #[track_caller]
    fn list(&self, path: &str, seen: impl Fn(&str) -> bool) -> (PathBuf, String) {
        let deadline = Instant::now() + SOON;
        let file = self.file(&path.trim_matches('/').replace('/', "-"));
        loop {
            let reply = fetch(self.server, "GET", path, &[]);
            let mut text = reply.text();
            if reply.status == 200 {
                fs::write(&file, &reply.body).unwrap();
                let name = file.to_str().unwrap();
                let (read, shown) =
                    openssl(&["crl", "-inform", "DER", "-noout", "-text", "-in", name]);
                assert!(read, "{shown}");
                if seen(&shown) {
                    return (file, shown);
                }
                text = shown;
            }
            assert!(Instant::now() < deadline, "{path}: {text}");
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// What `openssl verify` makes of a leaf with these lists.
    fn verify(&self, leaf: &Path, lists: &[&Path]) -> (bool, String) {
        let root = self.file("root.pem");
        let intermediate = self.file("intermediate.pem");
        let mut arguments = vec!["verify", "-crl_check_all", "-extended_crl", "-purpose"];
        arguments.extend([
            "sslserver",
            "-x509_strict",
            "-CAfile",
            root.to_str().unwrap(),
        ]);
        arguments.extend(["-untrusted", intermediate.to_str().unwrap()]);
        for list in lists {
            arguments.extend(["-CRLfile", list.to_str().unwrap()]);
        }
        arguments.push(leaf.to_str().unwrap());
        openssl(&arguments)
    }
}

fn number(text: &str) -> u128 {
    let (_, after) = text.split_once("X509v3 CRL Number:").unwrap();
    let number = after.trim_start().lines().next().unwrap().trim();
    match number.strip_prefix("0x") {
        Some(digits) => u128::from_str_radix(digits, 16).unwrap(),
        None => number.parse().unwrap(),
    }
}

#[track_caller]
fn revoke(server: &Server, id: i64, reason: Option<&str>) {
    let path = format!("/v2/ssl/certificates/{id}");
    let reply = match reason {
        Some(reason) => {
            let body = json!({"reason": reason}).to_string();
            let headers = ["Content-Type: application/json"];
            server
                .alice
                .call("DELETE", &path, &headers, body.as_bytes())
        }
        None => server.alice.delete(&path),
    };
    assert_eq!(reply.status, 200, "{}", reply.text());
}

#[test]
fn x_7_a_revoked_certificate_is_on_its_list_within_seconds_and_openssl_refuses_it() {
    let server = Server::start();
    let relying = Relying::new(&server);
    let (bad, good) = (server.certificate(), server.certificate());
    let ((bad_leaf, bad_path), (good_leaf, good_path)) = (relying.leaf(bad), relying.leaf(good));
    let (root_list, root_text) = relying.list("/crl/root.crl", |_| true);
    assert!(root_text.contains("No Revoked Certificates"), "{root_text}");
    let (before, text) = relying.list(&bad_path, |_| true);
    assert!(text.contains("Version 2 (0x1)"), "{text}");
    assert!(
        text.contains("X509v3 Issuing Distribution Point: critical"),
        "{text}"
    );
    assert!(text.contains("Only User Certificates"), "{text}");
    let (accepted, said) = relying.verify(&bad_leaf, &[&root_list, &before]);
    assert!(accepted, "{said}");

    revoke(&server, bad, Some("KEY_COMPROMISE"));
    let (after, shown) = relying.list(&bad_path, |text| text.contains("Serial Number:"));
    assert!(shown.contains("Key Compromise"), "{shown}");
    assert!(number(&shown) > number(&text));
    let (accepted, said) = relying.verify(&bad_leaf, &[&root_list, &after]);
    assert!(!accepted && said.contains("certificate revoked"), "{said}");
    // A list that is not the pointer's is of no use to a client.
    let (good_list, _) = relying.list(&good_path, |_| true);
    let (accepted, said) = relying.verify(&good_leaf, &[&root_list, &good_list]);
    assert!(accepted, "{said}");
    if good_path != bad_path {
        let (accepted, said) = relying.verify(&good_leaf, &[&root_list, &after]);
        assert!(!accepted, "{said}");
    }
}

#[test]
fn x_3_reasons_are_the_ones_that_were_given_and_none_is_left_out() {
    let server = Server::start();
    let relying = Relying::new(&server);
    for (given, shown) in [
        (None, None),
        (Some("UNSPECIFIED"), None),
        (Some("we moved house"), None),
        (Some("SUPERSEDED"), Some("Superseded")),
        (Some("AFFILIATION_CHANGED"), Some("Affiliation Changed")),
        (
            Some("CESSATION_OF_OPERATION"),
            Some("Cessation Of Operation"),
        ),
    ] {
        let id = server.order("ssl_dv", &csr(&["reseal.dev"]));
        let (leaf, path) = relying.leaf(id);
        let (read, serial) = openssl(&["x509", "-noout", "-serial", "-in", leaf.to_str().unwrap()]);
        assert!(read, "{serial}");
        let serial = serial.trim().strip_prefix("serial=").unwrap().to_owned();
        revoke(&server, id, given);
        // Others may be on the same list.
        let (_, text) = relying.list(&path, |text| text.contains(&serial));
        let (_, text) = text.split_once(&serial).unwrap();
        let text = text.split("Serial Number:").next().unwrap();
        match shown {
            Some(word) => assert!(text.contains(word), "{given:?}: {text}"),
            None => assert!(!text.contains("CRL Reason Code"), "{given:?}: {text}"),
        }
    }
}

#[test]
fn x_7_an_entry_that_nobody_can_read_keeps_no_other_list_from_being_signed() {
    let server = Server::start();
    let relying = Relying::new(&server);
    let bad = server.certificate();
    let (_, bad_path) = relying.leaf(bad);
    revoke(&server, bad, None);
    relying.list(&bad_path, |text| text.contains("Serial Number:"));
    server
        .database()
        .run("UPDATE crl_entry SET reason = 'nobody reads this', listed = NULL");
    let (good, good_path) = loop {
        let id = server.certificate();
        let (_, path) = relying.leaf(id);
        if path != bad_path {
            break (id, path);
        }
    };
    revoke(&server, good, None);
    relying.list(&good_path, |text| text.contains("Serial Number:"));
}

#[test]
fn x_7_numbers_grow_and_entries_stay_over_restarts_and_days() {
    let mut server = Server::start();
    let id = server.certificate();
    let (path, first) = {
        let relying = Relying::new(&server);
        let (_, path) = relying.leaf(id);
        revoke(&server, id, Some("SUPERSEDED"));
        let (_, text) = relying.list(&path, |text| text.contains("Superseded"));
        (path, number(&text))
    };
    server.restart_at("");
    let relying = Relying::new(&server);
    // The present address is another, since the port is; the old one stays named.
    let (_, text) = relying.list(&path, |text| number(text) > first);
    assert!(text.contains("Superseded"), "{text}");
    assert_eq!(text.matches("URI:http://").count(), 2, "{text}");
    let second = number(&text);
    drop(relying);

    server.restart_at("+2d");
    let relying = Relying::new(&server);
    let (_, text) = relying.list(&path, |text| number(text) > second);
    assert!(text.contains("Superseded"), "{text}");
    let third = number(&text);
    drop(relying);

    // Long after its end a list has shown it, and the next leaves it out.
    server.restart_at("+300d");
    let relying = Relying::new(&server);
    let (_, text) = relying.list(&path, |text| number(text) > third);
    assert!(text.contains("Superseded"), "{text}");
    drop(relying);
    let fourth = number(&text);
    server.restart_at("+301d");
    let relying = Relying::new(&server);
    let (_, text) = relying.list(&path, |text| number(text) > fourth);
    assert!(text.contains("No Revoked Certificates"), "{text}");
}

#[test]
fn lists_are_served_with_what_caches_need() {
    let server = Server::start();
    let relying = Relying::new(&server);
    relying.list("/crl/root.crl", |_| true);
    let reply = fetch(&server, "GET", "/crl/root.crl", &[]);
    assert_eq!(reply.header("content-type"), Some("application/pkix-crl"));
    assert_eq!(reply.header("cache-control"), Some("public, max-age=900"));
    let (tag, date) = (
        reply.header("etag").unwrap(),
        reply.header("last-modified").unwrap(),
    );
    assert!(reply.header("expires").is_some());
    for condition in [
        format!("If-None-Match: {tag}"),
        format!("If-Modified-Since: {date}"),
    ] {
        let again = fetch(&server, "GET", "/crl/root.crl", &[&condition]);
        assert_eq!((again.status, again.body.len()), (304, 0), "{condition}");
        assert_eq!(again.header("etag"), Some(tag));
    }
    let other = fetch(&server, "GET", "/crl/root.crl", &["If-None-Match: \"0\""]);
    assert_eq!(other.status, 200);
    let head = fetch(&server, "HEAD", "/crl/root.crl", &[]);
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(
        head.header("content-length"),
        Some(reply.body.len().to_string().as_str())
    );
    let (_, path) = relying.leaf(server.certificate());
    let folder = path.rsplit_once('/').unwrap().0;
    for path in [
        "/crl/root",
        "/crl/other.crl",
        "/crl/00/0.crl",
        &format!("{folder}/128.crl"),
        &format!("{folder}/00.crl"),
        &format!("{folder}/-1.crl"),
        "/crl/..%2froot.crl",
    ] {
        fetch(&server, "GET", path, &[]).refused(404, "ObjectDoesNotExist");
    }
    fetch(&server, "POST", "/crl/root.crl", &[]).refused(405, "InvalidMessage");
}

#[test]
fn ca_crl_shows_writes_and_signs_lists() {
    let server = Server::start();
    let relying = Relying::new(&server);
    let id = server.certificate();
    let (_, path) = relying.leaf(id);
    revoke(&server, id, Some("keyCompromise"));
    relying.list(&path, |text| text.contains("Key Compromise"));
    let data = server.data();
    let data = data.to_str().unwrap();
    let shard = path.rsplit('/').next().unwrap().trim_end_matches(".crl");
    let text = reseal(&["ca", "crl", shard, "--data", data]);
    assert!(text.contains("revoked      1"), "{text}");
    assert!(text.contains("keyCompromise"), "{text}");
    let number = |text: &str| -> u64 {
        let line = text
            .lines()
            .find(|line| line.starts_with("number"))
            .unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    let before = number(&reseal(&["ca", "crl", "root", "--data", data]));
    let after = number(&reseal(&["ca", "crl", "root", "--sign", "--data", data]));
    assert!(after > before);
    let file = relying.file("list.pem");
    let file = file.to_str().unwrap();
    reseal(&[
        "ca", "crl", shard, "--form", "pem", "--out", file, "--data", data,
    ]);
    let intermediate = relying.file("intermediate.pem");
    let signer = intermediate.to_str().unwrap();
    // Says `verify OK` when the certificate's key made the signature.
    let (_, said) = openssl(&["crl", "-noout", "-in", file, "-CAfile", signer]);
    assert!(said.contains("verify OK"), "{said}");
    let table = reseal(&["ca", "crl", "--data", data]);
    assert_eq!(table.lines().count(), 130, "{table}");
    let shown = reseal(&["ca", "show", "--data", data]);
    assert!(shown.contains("128 in all"), "{shown}");
}

#[test]
fn doctor_tells_fresh_lists_from_those_that_ran_out() {
    let server = Server::start();
    let relying = Relying::new(&server);
    let (_, path) = relying.leaf(server.certificate());
    let folder = path.rsplit_once('/').unwrap().0;
    relying.list(&format!("{folder}/127.crl"), |_| true);
    let doctor = || {
        let output = Command::new(binary())
            .args(["doctor", "--data"])
            .arg(server.data())
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let said = doctor();
    assert!(
        said.contains("ok    128 revocation lists are fresh"),
        "{said}"
    );
    assert!(
        said.contains("ok    the root's revocation list is good"),
        "{said}"
    );
    server.database().run(
        "UPDATE crl SET next_update = 0 WHERE name LIKE '%/7'; DELETE FROM crl WHERE name = 'root'",
    );
    let said = doctor();
    assert!(
        said.contains("fail  of 128 revocation lists 0 are missing and 1 out of date"),
        "{said}"
    );
    assert!(
        said.contains("fail  the root's revocation list is missing"),
        "{said}"
    );
}
