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
use super::database::{self, Database};
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
        fs::create_dir(data).unwrap();
        fs::write(folder.path().join("data/reseal.toml"), database::fresh()).unwrap();
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
        Self::built(
            "allow_networks = [\"127.0.0.0/8\"]",
            "enabled = false",
            tables,
        )
    }

    /// With other lines for the table `limits`, which is off otherwise.
    pub(crate) fn limiting(limits: &str) -> Self {
        Self::built("allow_networks = [\"127.0.0.0/8\"]", limits, "")
    }

    /// With other lines for the table `dcv`.
    pub(crate) fn proving(dcv: &str) -> Self {
        Self::built(dcv, "enabled = false", "")
    }

    fn built(dcv: &str, limits: &str, tables: &str) -> Self {
        let template = template();
        let folder = TempDir::new().unwrap();
        let data = folder.path().join("data");
        copy(&template.folder.path().join("data"), &data);
        let dns = DnsStub::start();
        let configuration = format!(
            "[policy]\ninternal_names = [\"test\"]\n[dcv]\nresolvers = [\"{}\"]\ndnssec = \"off\"\n\
             {dcv}\n[limits]\n{limits}\n{tables}{}",
            dns.address,
            database::copy_of(&data)
        );
        fs::write(data.join("reseal.toml"), configuration).unwrap();
        let (child, address) = serve(command(&data, ""));
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

    /// A further key of `customer`'s.
    pub(crate) fn another_key(&self, customer: &str) -> String {
        let data = self.data();
        let data = data.to_str().unwrap();
        reseal(&["api-key", "create", "--customer", customer, "--data", data])
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
        self.restart(command(&self.data(), clock_offset));
    }

    /// Stops the server and starts it again; no file of its may then grow beyond `bytes`.
    pub(crate) fn restart_with_files_up_to(&mut self, bytes: u64) {
        // A file that would become too long gives an error, as a full disk does, where the signal is ignored.
        let limited = format!(
            "trap '' XFSZ; ulimit -f {}; exec \"$0\" \"$@\"",
            bytes / 512
        );
        let plain = command(&self.data(), "");
        let mut shell = Command::new("sh");
        shell.args(["-c", &limited]).arg(plain.get_program());
        shell.args(plain.get_args());
        self.restart(shell);
    }

    fn restart(&mut self, command: Command) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let (child, address) = serve(command);
        self.child = child;
        for client in [&mut self.alice, &mut self.bob, &mut self.operator] {
            client.address = address;
        }
    }

    /// Stops the server in order, and waits until it has.
    pub(crate) fn terminate(&mut self) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &pid]).status().unwrap();
        assert!(sent.success());
        assert!(self.child.wait().unwrap().success());
    }

    /// Checks that the audit log is as it was written; what the check says.
    #[track_caller]
    pub(crate) fn verify_audit(&self) -> String {
        let data = self.data();
        reseal(&["audit", "verify", "--data", data.to_str().unwrap()])
    }

    /// What a refused call must leave as it is: how many processes there are, mails and questions to the DNS.
    pub(crate) fn traces(&self) -> (Value, usize, usize) {
        let processes = self.operator.get("/v2/processes?limit=0").expect(200);
        let processes = processes["pagination"]["total"].clone();
        (processes, self.mails().len(), self.dns.questions())
    }

    /// The mails that were sent, oldest first, without soft line breaks (RFC 2045 section 6.7).
    pub(crate) fn mails(&self) -> Vec<String> {
        let Ok(folder) = fs::read_dir(self.data().join("mail").join("new")) else {
            return Vec::new();
        };
        let mut paths: Vec<_> = folder.map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        let read = |path| fs::read_to_string(path).unwrap().replace("=\r\n", "");
        paths.into_iter().map(read).collect()
    }

    /// The newest mail's link, once there are `count` mails.
    #[track_caller]
    pub(crate) fn wait_for_link(&self, count: usize) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let mails = self.mails();
            if mails.len() >= count {
                let mail = &mails[count - 1];
                let (before, link) = mail.split_once("/dcv/approve/").unwrap();
                let base = before.rsplit(char::is_whitespace).next().unwrap();
                let token = link.chars().take_while(char::is_ascii_alphanumeric);
                return format!("{base}/dcv/approve/{}", token.collect::<String>());
            }
            assert!(Instant::now() < deadline, "no mail number {count}");
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// A certificate as it is downloaded, as `openssl` shows it.
    #[track_caller]
    pub(crate) fn issued(&self, id: i64) -> String {
        let path = format!("/v2/ssl/certificates/{id}/download?format=CRT");
        let reply = self.alice.get(&path);
        assert_eq!(reply.status, 200, "{}", reply.text());
        let file = self.folder.path().join("leaf.pem");
        fs::write(&file, &reply.body).unwrap();
        let shown = Command::new("openssl")
            .args(["x509", "-noout", "-text", "-in"])
            .arg(&file)
            .output()
            .unwrap();
        assert!(
            shown.status.success(),
            "{}",
            String::from_utf8_lossy(&shown.stderr)
        );
        String::from_utf8(shown.stdout).unwrap()
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn database(&self) -> Database {
        Database::of(&self.data())
    }

    /// Changes `reseal.toml`, which the server reads at its next start.
    #[track_caller]
    pub(crate) fn change_configuration(&self, change: impl Fn(String) -> String) {
        self.change_file("reseal.toml", change);
    }

    /// The same with `products.toml`.
    #[track_caller]
    pub(crate) fn change_catalogue(&self, change: impl Fn(String) -> String) {
        self.change_file("products.toml", change);
    }

    #[track_caller]
    fn change_file(&self, name: &str, change: impl Fn(String) -> String) {
        let path = self.data().join(name);
        let before = fs::read_to_string(&path).unwrap();
        let after = change(before.clone());
        assert_ne!(before, after);
        fs::write(path, after).unwrap();
    }

    /// Adds `lines` to a product of the catalogue.
    #[track_caller]
    pub(crate) fn extend_product(&self, product: &str, lines: &str) {
        let head = format!("product = \"{product}\"\n");
        self.change_catalogue(|catalogue| catalogue.replace(&head, &format!("{head}{lines}\n")));
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

    /// Publishes what `info` asks for: the process of the only certificate there is fails, because that was revoked.
    #[track_caller]
    pub(crate) fn fails_for_its_revoked_certificate(&self, info: &Value, process: i64) {
        self.publish(info);
        self.alice
            .post(&format!("/v2/processes/{process}/resend"), &json!({}));
        let failed = self.wait_for(process, "FAILED");
        assert!(
            failed["statusDetail"].as_str().unwrap().contains("REVOKED"),
            "{failed}"
        );
        let total = self.alice.get("/v2/ssl/certificates").expect(200);
        assert_eq!(total["pagination"]["total"], 1);
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

fn command(data: &Path, clock_offset: &str) -> Command {
    let mut command = Command::new(binary());
    command
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(data)
        .env("RESEAL_CLOCK_OFFSET", clock_offset);
    command
}

fn serve(command: Command) -> (Child, SocketAddr) {
    let (child, url) = announced(command);
    let address = url.strip_prefix("http://").unwrap().parse().unwrap();
    (child, address)
}

/// Starts what says on stderr where it listens; the URL that it says.
pub(crate) fn announced(mut command: Command) -> (Child, String) {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut before = String::new();
    let url = loop {
        let line = lines
            .next()
            .unwrap_or_else(|| panic!("the server did not start: {before}"))
            .unwrap();
        if let Some((_, url)) = line.split_once("listening on ") {
            break url.trim().to_owned();
        }
        before.push_str(&line);
        before.push('\n');
    };
    // What follows is read, so that the server never waits for us.
    thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
    (child, url)
}

/// Copies a folder.
pub(crate) fn copy(from: &Path, to: &Path) {
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
