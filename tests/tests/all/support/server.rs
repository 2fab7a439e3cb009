//! A server of the test's own: the real binary, an empty folder, a free port, a name server.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::csr;
use super::dns_stub::DnsStub;
use super::http::{Client, Reply};

const PATIENCE: Duration = Duration::from_secs(30);

/// The binary under test.
pub(crate) fn binary() -> PathBuf {
    if let Some(path) = std::env::var_os("RESEAL_BIN") {
        return path.into();
    }
    // TARGET/debug/deps/all-HASH → TARGET/debug/reseal
    let path = std::env::current_exe()
        .unwrap()
        .parent()
        .unwrap()
        .with_file_name("reseal");
    assert!(
        path.exists(),
        "{} is missing: `cargo build -p reseal --features faults`",
        path.display()
    );
    path
}

/// Runs a command of the binary to its end; the answer is its stdout.
#[track_caller]
pub(crate) fn reseal(arguments: &[&str]) -> String {
    let output = Command::new(binary())
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// A folder with customers and keys, made once and copied for each test.
struct Template {
    folder: TempDir,
    customer: String,
    neighbour: String,
    revoked: String,
    operator: String,
}

static TEMPLATE: OnceLock<Template> = OnceLock::new();

fn template() -> &'static Template {
    TEMPLATE.get_or_init(|| {
        let folder = TempDir::new().unwrap();
        let data = folder.path().join("data");
        let data = data.to_str().unwrap();
        let operator = reseal(&["init", "--data", data]);
        let key_of =
            |handle: &str| reseal(&["api-key", "create", "--customer", handle, "--data", data]);
        reseal(&["customer", "create", "alice", "--data", data]);
        reseal(&["customer", "create", "bob", "--data", data]);
        let (customer, neighbour, revoked) = (key_of("alice"), key_of("bob"), key_of("alice"));
        let list = reseal(&["api-key", "list", "--data", data]);
        let newest = list
            .lines()
            .filter_map(|line| line.split_whitespace().next()?.parse::<i64>().ok())
            .max();
        let newest = newest
            .unwrap_or_else(|| panic!("no key number in {list}"))
            .to_string();
        reseal(&["api-key", "revoke", &newest, "--data", data]);
        Template {
            folder,
            customer,
            neighbour,
            revoked,
            operator,
        }
    })
}

/// A running server.
pub(crate) struct Server {
    child: Child,
    folder: TempDir,
    pub(crate) dns: DnsStub,
    pub(crate) alice: Client,
    pub(crate) bob: Client,
    pub(crate) operator: Client,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::configured("")
    }

    /// With further tables for the configuration.
    pub(crate) fn configured(tables: &str) -> Self {
        let template = template();
        let folder = TempDir::new().unwrap();
        let data = folder.path().join("data");
        copy(&template.folder.path().join("data"), &data);
        let dns = DnsStub::start();
        let configuration = format!(
            "[policy]\ninternal_names = [\"test\"]\n[dcv]\nresolvers = [\"{}\"]\ndnssec = \"off\"\n\
             allow_networks = [\"127.0.0.0/8\"]\n[limits]\nenabled = false\n{tables}",
            dns.address
        );
        fs::write(data.join("reseal.toml"), configuration).unwrap();
        let (child, address) = serve(&data, "");
        let client = |key: &str| Client {
            address,
            key: key.to_owned(),
        };
        Self {
            child,
            folder,
            dns,
            alice: client(&template.customer),
            bob: client(&template.neighbour),
            operator: client(&template.operator),
        }
    }

    /// A key of alice's that was revoked.
    pub(crate) fn with_revoked_key(&self) -> Client {
        Client {
            key: template().revoked.clone(),
            ..self.alice.clone()
        }
    }

    /// Stops the server and starts it again on the same folder at another time, such as `+250d`.
    pub(crate) fn restart_at(&mut self, clock_offset: &str) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let (child, address) = serve(&self.data(), clock_offset);
        self.child = child;
        for client in [&mut self.alice, &mut self.bob, &mut self.operator] {
            client.address = address;
        }
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Publishes what the answer to a request asks for, for each name that waits for DNS.
    pub(crate) fn publish(&self, info: &Value) {
        for entry in info["validations"]["dcv"].as_array().unwrap() {
            if let (Some(owner), Some(target)) =
                (entry["dnsRecord"].as_str(), entry["dnsContents"].as_str())
            {
                self.dns.clear(owner);
                self.dns.cname(owner, target);
            }
        }
    }

    /// Orders, proves by DNS, waits: the new certificate's id.
    #[track_caller]
    pub(crate) fn order(&self, product: &str, csr: &str) -> i64 {
        let body = json!({"customer": "alice", "product": product, "period": 12, "csr": csr});
        let reply = self.alice.post("/v2/ssl/certificates", &body);
        self.finish(&reply)
    }

    /// A certificate for `reseal.dev` and `www.reseal.dev` of the single-domain product.
    #[track_caller]
    pub(crate) fn certificate(&self) -> i64 {
        self.order("ssl_dv", &csr::csr(&["reseal.dev"]))
    }

    /// Publishes and waits until the process of `reply` led to a certificate.
    #[track_caller]
    pub(crate) fn finish(&self, reply: &Reply) -> i64 {
        let process = reply.process();
        if reply.status == 202 {
            self.publish(&reply.json());
            self.alice
                .post_raw(&format!("/v2/processes/{process}/resend"), b"");
        } else {
            assert_eq!(reply.status, 201, "{}", reply.text());
        }
        self.wait_for(process, "COMPLETED");
        let found = self
            .alice
            .get(&format!("/v2/ssl/certificates?process%3Aeq={process}"))
            .expect(200);
        assert_eq!(found["pagination"]["total"], 1, "{found}");
        found["entities"][0]["id"].as_i64().unwrap()
    }

    #[track_caller]
    pub(crate) fn wait_for(&self, process: i64, status: &str) -> Value {
        self.wait_until(&format!("/v2/processes/{process}"), |body| {
            body["status"] == status
        })
    }

    /// Asks for `path` as the operator until the answer is as hoped for.
    #[track_caller]
    pub(crate) fn wait_until(&self, path: &str, is_there: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let body = self.operator.get(path).expect(200);
            if is_there(&body) {
                return body;
            }
            if Instant::now() > deadline {
                let process = path.trim_end_matches("/info");
                let timeline = self.operator.get(&format!("{process}/timeline"));
                panic!("gave up on {body}\n{}", timeline.text());
            }
            thread::sleep(Duration::from_millis(50));
        }
    }
}

fn serve(data: &Path, clock_offset: &str) -> (Child, SocketAddr) {
    let mut child = Command::new(binary())
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(data)
        .env("RESEAL_CLOCK_OFFSET", clock_offset)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut before = String::new();
    let address = loop {
        let line = lines
            .next()
            .unwrap_or_else(|| panic!("the server did not start: {before}"))
            .unwrap();
        if let Some((_, address)) = line.split_once("listening on http://") {
            break address.trim().parse().unwrap();
        }
        before.push_str(&line);
        before.push('\n');
    };
    // What follows is read, so that the server never waits for us.
    thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
    (child, address)
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
