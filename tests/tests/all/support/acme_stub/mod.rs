//! An ACME server that does what no honest one does, when it is told to. It takes every signature for good.
//!
//! - `answers`: what it says

mod answers;

use std::collections::HashSet;
use std::io::{BufRead as _, BufReader, Read as _, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::Value;
use tempfile::TempDir;

use answers::Answer;

use super::pebble::certify;

/// What it does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Mischief {
    /// Certifies a key of its own.
    OtherKey,
    /// Certifies a name that was not ordered.
    OtherNames,
    /// Certifies for twelve years.
    TooLong,
    /// Closes the connection instead of answering the CSR, which it has taken; once.
    LoseAnswer,
    /// Closes the connection before it has taken the CSR; once.
    LoseRequest,
    /// The same of a change of the account's key.
    LoseKeyAnswer,
    /// The same before the change is made.
    LoseKeyRequest,
    /// Takes no order for some seconds; once.
    RateLimit,
    /// Refuses the CSR.
    BadCsr,
    /// Takes no CSR now; once.
    LimitCsr,
    /// Takes the CSR and never makes a certificate of it.
    StaysProcessing,
    /// Takes no order, for CAA.
    Caa,
    /// Takes no order that says which certificate it replaces.
    AlreadyReplaced,
    /// Gives out the same order again.
    SameOrder,
    /// Does not revoke; once.
    RefuseRevocation,
    /// Says how one name is to be proved, and wants to be left alone then; once.
    LimitReads,
    /// Has nothing but a fault for the first certificate that it ever was to revoke.
    FailToRevoke,
    /// Answers with what is no ACME.
    Nonsense,
    /// Lets an order wait for some seconds, and says that it is malformed, as for a key that it does not know; once.
    RefuseLate,
    /// Takes a connection and says nothing.
    Silent,
    /// Takes no reason for a revocation.
    RefuseReasons,
    /// Gives out the first certificate that it ever made.
    OldCertificate,
    /// Knows nothing of the orders it has taken.
    ForgetOrders,
    /// Is asked for the account of a key that it does not know, and says that the question is malformed.
    MisunderstandKeys,
}

/// The running server; its threads end with the test binary.
pub(crate) struct AcmeStub {
    folder: TempDir,
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    mischief: HashSet<Mischief>,
    orders: Vec<Order>,
    /// The public key of the account.
    key: Option<Value>,
    /// How many accounts it has lost.
    lost_accounts: usize,
    /// When all certificates should be replaced: start, end, and where that is explained.
    window: Option<[String; 3]>,
    /// Requests with their payloads, in order.
    heard: Vec<(String, Value)>,
}

#[derive(Default)]
struct Order {
    names: Vec<String>,
    proved: HashSet<usize>,
    /// Whether it is at work on the certificate.
    is_processing: bool,
    is_lost: bool,
    certificate: Option<String>,
}

impl AcmeStub {
    #[track_caller]
    pub(crate) fn start() -> Self {
        let folder = TempDir::new().unwrap();
        certify(folder.path(), [127, 0, 0, 1].into());
        make_authority(folder.path());
        let read = |name: &str| folder.path().join(name);
        let chain = vec![CertificateDer::from_pem_file(read("tls.pem")).unwrap()];
        let key = PrivateKeyDer::from_pem_file(read("tls.key")).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        let (tls, state) = (Arc::new(tls), Arc::<Mutex<State>>::default());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (shared, place) = (Arc::clone(&state), folder.path().to_owned());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (tls, state, place) = (Arc::clone(&tls), Arc::clone(&shared), place.clone());
                thread::spawn(move || serve(stream, tls, address, &state, &place));
            }
        });
        Self {
            folder,
            address,
            state,
        }
    }

    /// The table of the configuration that makes it the issuer `pebble`.
    pub(crate) fn table(&self) -> String {
        let root = self.folder.path().join("root.pem");
        format!(
            "[issuer.pebble]\ndirectory = \"https://{}/dir\"\nca_file = \"{}\"\n",
            self.address,
            root.display()
        )
    }

    pub(crate) fn misbehave(&self, how: Mischief) {
        self.state.lock().unwrap().mischief.insert(how);
    }

    pub(crate) fn behave(&self) {
        self.state.lock().unwrap().mischief.clear();
    }

    /// Knows nothing of the account any more.
    pub(crate) fn lose_account(&self) {
        let mut state = self.state.lock().unwrap();
        state.key = None;
        state.lost_accounts += 1;
    }

    /// Knows nothing of the orders any more that it has now.
    pub(crate) fn lose_orders(&self) {
        for order in &mut self.state.lock().unwrap().orders {
            order.is_lost = true;
        }
    }

    /// Says when certificates should be replaced, and to ask again in six hours.
    pub(crate) fn advise(&self, start: &str, end: &str, explanation: &str) {
        let window = [start, end, explanation].map(str::to_owned);
        self.state.lock().unwrap().window = Some(window);
    }

    /// The paths of all requests that begin so.
    pub(crate) fn asked(&self, path: &str) -> Vec<String> {
        let state = self.state.lock().unwrap();
        let heard = state.heard.iter().map(|(heard, _)| heard.clone());
        heard.filter(|heard| heard.starts_with(path)).collect()
    }

    /// The payloads of all requests to paths that begin so.
    pub(crate) fn heard(&self, path: &str) -> Vec<Value> {
        let state = self.state.lock().unwrap();
        let heard = state
            .heard
            .iter()
            .filter(|(heard, _)| heard.starts_with(path));
        heard.map(|(_, payload)| payload.clone()).collect()
    }

    /// How many certificates it has made.
    pub(crate) fn issued(&self) -> usize {
        let state = self.state.lock().unwrap();
        state
            .orders
            .iter()
            .filter(|order| order.certificate.is_some())
            .count()
    }
}

/// A root that issues, for `openssl`.
fn make_authority(folder: &Path) {
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "3650",
        ])
        .args([
            "-subj",
            "/CN=Stub CA",
            "-keyout",
            "ca.key",
            "-out",
            "ca.pem",
        ])
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
}

type Stream = StreamOwned<ServerConnection, TcpStream>;

fn serve(
    stream: TcpStream,
    tls: Arc<ServerConfig>,
    address: SocketAddr,
    state: &Mutex<State>,
    folder: &Path,
) -> Option<()> {
    if state.lock().ok()?.mischief.contains(&Mischief::Silent) {
        thread::sleep(Duration::from_mins(1));
        return None;
    }
    let mut stream = BufReader::new(StreamOwned::new(ServerConnection::new(tls).ok()?, stream));
    let mut line = String::new();
    stream.read_line(&mut line).ok()?;
    let mut parts = line.split(' ').map(str::to_owned);
    let (method, path) = (parts.next()?, parts.next()?);
    let mut length = 0;
    loop {
        let mut header = String::new();
        stream.read_line(&mut header).ok()?;
        let header = header.trim_end().to_ascii_lowercase();
        if header.is_empty() {
            break;
        }
        if let Some(value) = header.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    let (payload, mut protected) = (part(&body, "payload"), part(&body, "protected"));
    let (jwk, kid) = (protected["jwk"].take(), protected["kid"].take());
    let is_late = path == "/new-order" && state.lock().ok()?.mischief.remove(&Mischief::RefuseLate);
    if is_late {
        thread::sleep(Duration::from_secs(6));
    }
    let answer = if is_late {
        answers::problem("400 Bad Request", "malformed", "")
    } else {
        let mut state = state.lock().ok()?;
        state.heard.push((path.clone(), payload.clone()));
        if state.mischief.contains(&Mischief::Nonsense) {
            Answer {
                status: "200 OK",
                headers: String::new(),
                body: "<html>hello</html>".to_owned(),
            }
        } else if kid.is_string() && kid != state.account(address) {
            answers::problem("400 Bad Request", "accountDoesNotExist", "")
        } else {
            state.answer(&method, &path, &payload, &jwk, address, folder)?
        }
    };
    let mut stream: Stream = stream.into_inner();
    let text = format!(
        "HTTP/1.1 {}\r\nReplay-Nonce: n{}\r\nContent-Length: {}\r\nConnection: close\r\n{}\r\n",
        answer.status,
        line.len(),
        answer.body.len(),
        answer.headers,
    );
    stream.write_all(text.as_bytes()).ok()?;
    if method != "HEAD" {
        stream.write_all(answer.body.as_bytes()).ok()?;
    }
    stream.conn.send_close_notify();
    stream.flush().ok()
}

/// `payload` or `protected` of a signed request.
fn part(body: &[u8], name: &str) -> Value {
    let request: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = request[name].as_str().unwrap_or_default();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap_or_default()).unwrap_or_default()
}
