//! `reseal reissue`: the customer's side, against a server of its own.

#![expect(
    clippy::unwrap_used,
    reason = "what is wrong here fails a test; the lint knows test functions only"
)]

mod lost;
mod refused;
mod tls;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::support::csr::csr;
use crate::support::http::Client;
use crate::support::server::{Server, binary};

/// A customer's machine.
pub(crate) struct Desk {
    folder: TempDir,
    url: String,
    key: String,
}

/// What a command said.
pub(crate) struct Said {
    code: Option<i32>,
    pub(crate) out: String,
    err: String,
}

impl Said {
    #[track_caller]
    pub(crate) fn has(&self, code: i32, parts: &[&str]) -> &Self {
        let all = format!("{}{}", self.out, self.err);
        assert_eq!(self.code, Some(code), "{all}");
        for part in parts {
            assert!(all.contains(part), "no `{part}` in {all}");
        }
        self
    }

    /// The row `label` of what is to be published.
    #[track_caller]
    pub(crate) fn row(&self, label: &str) -> &str {
        let line = self
            .out
            .lines()
            .find_map(|line| line.strip_prefix(&format!("  {label}")));
        line.unwrap_or_else(|| panic!("no `{label}` in {}", self.out))
            .trim()
    }
}

impl Desk {
    fn of(server: &Server) -> Self {
        Self::with(&server.alice)
    }

    /// That of whoever calls the server as `client`.
    pub(crate) fn with(client: &Client) -> Self {
        Self {
            folder: TempDir::new().unwrap(),
            url: format!("http://{}", client.address),
            key: client.key.clone(),
        }
    }

    fn command(&self, id: i64, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command
            .current_dir(self.folder.path())
            .args(["reissue", &id.to_string()])
            .args(arguments)
            .env("RESEAL_SERVER", &self.url)
            .env("RESEAL_API_KEY", &self.key)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub(crate) fn reissue(&self, id: i64, arguments: &[&str]) -> Said {
        let output = self.command(id, arguments).output().unwrap();
        let said = Said {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        };
        assert!(!said.out.contains(&self.key) && !said.err.contains(&self.key));
        said
    }

    fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    #[track_caller]
    pub(crate) fn read(&self, file: &str) -> String {
        fs::read_to_string(self.path(file)).unwrap()
    }

    fn write(&self, file: &str, text: &str) {
        fs::write(self.path(file), text).unwrap();
    }

    /// Key, certificate and chain in `folder` belong together and lead to the server's root.
    #[track_caller]
    fn fits(&self, server: &Server, folder: &str, with_key: bool) {
        let file = |name: &str| self.path(folder).join(name);
        let root = server.data().join("ca").join("root.pem");
        let verified = Command::new("openssl")
            .args(["verify", "-x509_strict", "-CAfile"])
            .arg(root)
            .arg("-untrusted")
            .args([file("chain.pem"), file("certificate.pem")])
            .output()
            .unwrap();
        assert!(verified.status.success(), "{verified:?}");
        let public = |arguments: &[&str], path: &Path| {
            let output = Command::new("openssl").args(arguments).arg(path).output();
            String::from_utf8(output.unwrap().stdout).unwrap()
        };
        let certified = public(
            &["x509", "-noout", "-pubkey", "-in"],
            &file("certificate.pem"),
        );
        assert!(certified.contains("BEGIN PUBLIC KEY"));
        if with_key {
            assert_eq!(
                certified,
                public(&["pkey", "-pubout", "-in"], &file("key.pem"))
            );
        }
        let text = |name: &str| fs::read_to_string(file(name)).unwrap();
        assert_eq!(
            text("fullchain.pem"),
            text("certificate.pem") + &text("chain.pem")
        );
    }
}

/// How many certificates alice has.
fn count(server: &Server) -> i64 {
    let list = server.alice.get("/v2/ssl/certificates?limit=0").expect(200);
    list["pagination"]["total"].as_i64().unwrap()
}

#[test]
fn a_reissue_with_proofs_at_hand_is_done_in_one_call_and_repeating_it_does_no_more() {
    let server = Server::start();
    let old = server.certificate();
    let desk = Desk::of(&server);
    let folder = format!("reissue-{old}");
    let said = desk.reissue(old, &[]);
    said.has(0, &["reseal.dev, www.reseal.dev", "replaces", "key.pem"]);
    desk.fits(&server, &folder, true);
    let mode = |file: &str| {
        let metadata = fs::metadata(desk.path(&folder).join(file)).unwrap();
        metadata.permissions().mode() & 0o777
    };
    assert_eq!((mode("key.pem"), mode("")), (0o600, 0o700));
    let kept = desk.read(&format!("{folder}/reissue.json"));
    assert!(
        !kept.contains(&desk.key) && !kept.contains("PRIVATE"),
        "{kept}"
    );
    let certificate = desk.read(&format!("{folder}/certificate.pem"));
    let key = desk.read(&format!("{folder}/key.pem"));
    desk.reissue(old, &["--wait"]).has(0, &["replaces"]);
    assert_eq!(desk.read(&format!("{folder}/certificate.pem")), certificate);
    assert_eq!(desk.read(&format!("{folder}/key.pem")), key);
    assert_eq!(count(&server), 2);
}

#[test]
fn every_kind_of_key_is_made_and_certified() {
    let server = Server::start();
    let mut id = server.certificate();
    let desk = Desk::of(&server);
    for (kind, shown) in [
        ("p256", "(256 bit)"),
        ("p384", "(384 bit)"),
        ("rsa2048", "(2048 bit)"),
        ("rsa4096", "(4096 bit)"),
    ] {
        desk.reissue(id, &["--new-key", kind, "--out", kind])
            .has(0, &[]);
        desk.fits(&server, kind, true);
        let successor = server.alice.get("/v2/ssl/certificates?limit=1").expect(200);
        id = successor["entities"][0]["id"].as_i64().unwrap();
        let text = server.issued(id);
        assert!(text.contains(shown), "{kind}: {text}");
    }
}

#[test]
fn n_25_a_name_whose_free_counterpart_was_declined_stays_alone() {
    let server = Server::start();
    let body = serde_json::json!({
        "customer": "alice", "product": "ssl_dv", "period": 12, "csr": csr(&["reseal.dev"]), "san": []
    });
    let old = server.finish(&server.alice.post("/v2/ssl/certificates", &body));
    let desk = Desk::of(&server);
    let said = desk.reissue(old, &[]);
    said.has(0, &[": reseal.dev, valid until"]);
}

#[test]
fn a_reissue_that_must_be_proved_shows_what_to_publish_and_goes_on_when_called_again() {
    let server = Server::start();
    let old = server.order("ssl_dv_md", &csr(&["reseal.dev"]));
    let desk = Desk::of(&server);
    desk.write("own.pem", &csr(&["reseal.dev", "other.dev"]));
    let arguments = ["--csr", "own.pem", "--out", "new"];
    let said = desk.reissue(old, &arguments);
    said.has(
        0,
        &["other.dev: publish this DNS record", "`--wait` goes on"],
    );
    assert!(!said.out.contains("  reseal.dev:"), "{}", said.out);
    assert_eq!(said.row("type"), "CNAME");
    let (record, contents) = (said.row("name"), said.row("contents"));
    assert!(!desk.path("new/key.pem").exists());
    let again = desk.reissue(old, &arguments);
    assert_eq!(
        (again.row("name"), again.row("contents")),
        (record, contents)
    );
    server.dns.cname(record, contents);
    let waited = desk.reissue(old, &[&arguments[..], &["--wait"]].concat());
    waited.has(0, &["reseal.dev, other.dev", "replaces"]);
    desk.fits(&server, "new", false);
    assert_eq!(count(&server), 2);
}

#[test]
fn whoever_waits_may_be_interrupted_and_is_told_what_the_server_saw() {
    let server = Server::start();
    let old = server.order("ssl_dv_md", &csr(&["reseal.dev"]));
    let desk = Desk::of(&server);
    desk.write("own.pem", &csr(&["reseal.dev", "other.dev"]));
    let arguments = ["--csr", "own.pem", "--out", "new", "--wait"];
    let mut child = desk.command(old, &arguments).spawn().unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut lines = lines.map_while(Result::ok);
    let process = server.wait_until("/v2/processes?status%3Aeq=SUSPENDED", |list| {
        list["pagination"]["total"] == 1
    });
    let process = process["entities"][0]["id"].as_i64().unwrap();
    let info = server
        .alice
        .get(&format!("/v2/processes/{process}/info"))
        .expect(200);
    let wrong = &info["validations"]["dcv"][1];
    server
        .dns
        .txt(wrong["dnsRecord"].as_str().unwrap(), "not this");
    server
        .alice
        .post_raw(&format!("/v2/processes/{process}/resend"), b"");
    server.wait_until(&format!("/v2/processes/{process}/info"), |info| {
        info["validations"]["dcv"][1]["status"] == "ATTENTION"
    });
    // It looks by itself; when it never tells, it ends never, and this test with it.
    let told = lines.find(|line| line.contains("other.dev: the server saw"));
    let told = told.unwrap();
    assert!(told.contains("not this"), "{told}");
    let pid = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &pid])
            .status()
            .unwrap()
            .success()
    );
    let rest: String = lines.collect();
    let goes_on = format!("process {process} goes on at the server");
    assert!(rest.contains(&goes_on), "{rest}");
    assert_eq!(child.wait().unwrap().code(), Some(1), "{rest}");

    server.publish(&info);
    desk.reissue(old, &arguments).has(0, &["replaces"]);
    assert_eq!(count(&server), 2);
}
