//! Debian's `pebble`: an ACME server of the test's own, on a port of its own, that looks into the test's DNS.

use std::fs;
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::address::own_address;

const PATIENCE: Duration = Duration::from_secs(20);

/// The running server.
pub(crate) struct Pebble {
    folder: TempDir,
    child: Child,
    api: SocketAddr,
    management: SocketAddr,
}

impl Drop for Pebble {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How it behaves.
pub(crate) struct Manners<'a> {
    /// Further variables, such as `PEBBLE_WFE_NONCEREJECT`.
    pub(crate) variables: &'a [(&'a str, &'a str)],
    /// Further lines of its configuration.
    pub(crate) settings: Value,
    /// Where it looks for files.
    pub(crate) http_port: u16,
}

impl Default for Manners<'_> {
    fn default() -> Self {
        Self {
            variables: &[
                ("PEBBLE_VA_NOSLEEP", "1"),
                ("PEBBLE_WFE_NONCEREJECT", "15"),
                ("PEBBLE_AUTHZREUSE", "0"),
            ],
            settings: json!({}),
            http_port: 5002,
        }
    }
}

impl Pebble {
    /// Looks for records at `dns`.
    #[track_caller]
    pub(crate) fn start(dns: SocketAddr, manners: &Manners<'_>) -> Self {
        let folder = TempDir::new().unwrap();
        let own = own_address();
        certify(folder.path(), own);
        let (api, management) = (
            SocketAddr::from((own, 14000)),
            SocketAddr::from((own, 15000)),
        );
        let path = |name: &str| folder.path().join(name).display().to_string();
        let mut settings = json!({
            "listenAddress": api.to_string(), "managementListenAddress": management.to_string(),
            "certificate": path("tls.pem"), "privateKey": path("tls.key"), "httpPort": manners.http_port,
            "tlsPort": 5001, "certificateValidityPeriod": 90 * 24 * 3600,
        });
        let further = manners.settings.as_object().unwrap().clone();
        settings.as_object_mut().unwrap().extend(further);
        let configuration = folder.path().join("pebble.json");
        fs::write(&configuration, json!({"pebble": settings}).to_string()).unwrap();
        let log = fs::File::create(folder.path().join("log")).unwrap();
        let child = Command::new("pebble")
            .arg("-config")
            .arg(&configuration)
            .args(["-dnsserver", &dns.to_string()])
            .envs(manners.variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let pebble = Self {
            folder,
            child,
            api,
            management,
        };
        let deadline = Instant::now() + PATIENCE;
        while [api, management]
            .iter()
            .any(|address| TcpStream::connect(address).is_err())
        {
            assert!(
                Instant::now() < deadline,
                "pebble does not start: {}",
                pebble.log()
            );
            thread::sleep(Duration::from_millis(50));
        }
        pebble
    }

    /// The table of the configuration that makes it the issuer `pebble`.
    pub(crate) fn table(&self) -> String {
        self.table_at(self.api)
    }

    /// The same when it is reached at `address`.
    pub(crate) fn table_at(&self, address: SocketAddr) -> String {
        format!(
            "[issuer.pebble]\nkind = \"acme\"\ndirectory = \"https://{address}/dir\"\nca_file = \"{}\"\n\
             contact = \"mailto:pki@reseal.dev\"\n",
            self.root().display()
        )
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("root.pem")
    }

    /// Where it answers.
    pub(crate) fn address(&self) -> SocketAddr {
        self.api
    }

    /// What it said so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    /// How many certificates it has issued.
    pub(crate) fn issued(&self) -> usize {
        self.log().matches("Issued certificate serial").count()
    }

    /// How many orders it has taken.
    pub(crate) fn orders(&self) -> usize {
        self.log().matches("Added order").count()
    }

    /// The root of what it issues, in a file.
    #[track_caller]
    pub(crate) fn own_root(&self) -> PathBuf {
        let path = self.folder.path().join("own-root.pem");
        fs::write(&path, self.ask("/roots/0")).unwrap();
        path
    }

    /// What it says of the certificate with that serial number (hex).
    #[track_caller]
    pub(crate) fn status_of(&self, serial: &str) -> Value {
        serde_json::from_slice(&self.ask(&format!("/cert-status-by-serial/{serial}"))).unwrap()
    }

    #[track_caller]
    fn ask(&self, path: &str) -> Vec<u8> {
        let output = Command::new("curl")
            // Its own certificate there is one that nobody vouches for.
            .args(["--silent", "--show-error", "--insecure"])
            .arg(format!("https://{}{path}", self.management))
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        output.stdout
    }
}

/// A certificate for TLS at that address, and the root that vouches for it.
pub(crate) fn certify(folder: &Path, address: IpAddr) {
    let mut root = CertificateParams::default();
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root_key = KeyPair::generate().unwrap();
    let root_certificate = root.self_signed(&root_key).unwrap();
    let issuer = Issuer::new(root, root_key);
    let leaf = CertificateParams::new([address.to_string()]).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = leaf.signed_by(&key, &issuer).unwrap();
    fs::write(folder.join("root.pem"), root_certificate.pem()).unwrap();
    fs::write(folder.join("tls.pem"), certificate.pem()).unwrap();
    fs::write(folder.join("tls.key"), key.serialize_pem()).unwrap();
}
