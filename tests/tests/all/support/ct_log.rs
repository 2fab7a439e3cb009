//! A log of Certificate Transparency (RFC 6962): a Merkle tree, a key of its own, and an eye for what it is sent. It does
//! what no good log does when it is told to.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use rcgen::{
    KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, PublicKeyData as _, SigningKey as _,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::listener::listen;
use super::pebble::certify;
use super::sct::{POISON, Sct, entry_of, key_hash, marks, merkle_leaf, pem, spki_of};

/// What it does wrong, until it is told to behave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mischief {
    /// Closes every connection.
    Down,
    /// Takes the certificate, and says nothing for a minute.
    Slow,
    /// 503, with `Retry-After` in seconds.
    Busy(u32),
    /// 400.
    Refuse,
    /// A page.
    Nonsense,
    /// Signs something else.
    OtherSignature,
    /// Calls itself by another name.
    OtherLog,
    /// Dates its promise an hour ahead.
    Future,
    /// Takes the certificate, and closes the connection instead of answering.
    LoseAnswer,
}

/// A running log; its threads end with the test binary.
pub(crate) struct CtLog {
    folder: TempDir,
    address: SocketAddr,
    state: Arc<Shared>,
}

struct Shared {
    tls: Arc<ServerConfig>,
    key: KeyPair,
    is_rsa: bool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    mischief: Option<Mischief>,
    /// Roots that it takes certificates below, DER.
    roots: Vec<Vec<u8>>,
    /// MerkleTreeLeaf of each entry, and the answer to it.
    entries: Vec<(Vec<u8>, Value)>,
    /// Precertificates as they came, with every repetition.
    submitted: Vec<Vec<u8>>,
}

impl CtLog {
    #[track_caller]
    pub(crate) fn start() -> Self {
        Self::with_key(false)
    }

    /// One whose key is RSA, which it may be as well (RFC 6962 section 2.1.4).
    #[track_caller]
    pub(crate) fn with_rsa() -> Self {
        Self::with_key(true)
    }

    #[track_caller]
    fn with_key(is_rsa: bool) -> Self {
        let folder = TempDir::new().unwrap();
        certify(folder.path(), [127, 0, 0, 1].into());
        let read = |name: &str| folder.path().join(name);
        let chain = vec![CertificateDer::from_pem_file(read("tls.pem")).unwrap()];
        let tls_key = PrivateKeyDer::from_pem_file(read("tls.key")).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, tls_key)
            .unwrap();
        let algorithm = if is_rsa {
            &PKCS_RSA_SHA256
        } else {
            &PKCS_ECDSA_P256_SHA256
        };
        let state = Arc::new(Shared {
            tls: Arc::new(tls),
            key: KeyPair::generate_for(algorithm).unwrap(),
            is_rsa,
            state: Mutex::default(),
        });
        let address = listen(&state, |stream, shared| {
            let _ = serve(stream, shared);
        });
        Self {
            folder,
            address,
            state,
        }
    }

    /// Its entry in the configuration; `more` are further keys.
    pub(crate) fn entry(&self, operator: &str, more: &str) -> String {
        format!(
            "{{ url = \"https://{}/2027/\", operator = \"{operator}\", key = \"{}\", ca_file = \"{}\"{more} }}",
            self.address,
            STANDARD.encode(self.spki()),
            self.folder.path().join("root.pem").display()
        )
    }

    /// What the server calls it.
    pub(crate) fn name(&self) -> String {
        format!("{}/2027", self.address)
    }

    pub(crate) fn spki(&self) -> Vec<u8> {
        self.state.key.subject_public_key_info()
    }

    /// Takes certificates below this root, PEM.
    pub(crate) fn accept(&self, root: &str) {
        self.lock(|state| state.roots.push(super::der::der(root)));
    }

    /// Takes nothing any more.
    pub(crate) fn forget_roots(&self) {
        self.lock(|state| state.roots.clear());
    }

    pub(crate) fn misbehave(&self, how: Mischief) {
        self.lock(|state| state.mischief = Some(how));
    }

    pub(crate) fn behave(&self) {
        self.lock(|state| state.mischief = None);
    }

    /// Precertificates as they came, with every repetition.
    pub(crate) fn submitted(&self) -> Vec<Vec<u8>> {
        self.lock(|state| state.submitted.clone())
    }

    /// How many entries it shows.
    pub(crate) fn size(&self) -> usize {
        self.lock(|state| state.entries.len())
    }

    fn lock<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.state.state.lock().unwrap())
    }

    /// Whether the certificate `leaf`, DER, of the issuer with that key is shown by this log under the timestamp of `sct`.
    pub(crate) fn shows(&self, leaf: &[u8], issuer_spki: &[u8], sct: &Sct) -> bool {
        let entry = merkle_leaf(sct.timestamp, &key_hash(issuer_spki), &entry_of(leaf));
        self.lock(|state| state.entries.iter().any(|(known, _)| *known == entry))
    }
}

fn serve(stream: &TcpStream, shared: &Shared) -> Option<()> {
    let mischief = shared.state.lock().ok()?.mischief;
    if mischief == Some(Mischief::Down) {
        return None;
    }
    let connection = ServerConnection::new(Arc::clone(&shared.tls)).ok()?;
    let mut stream = BufReader::new(StreamOwned::new(connection, stream));
    let mut line = String::new();
    stream.read_line(&mut line).ok()?;
    let mut parts = line.split(' ');
    let (method, path) = (parts.next()?.to_owned(), parts.next()?.to_owned());
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
    let call = path.strip_prefix("/2027/ct/v1/")?;
    let (status, headers, answer) = match (method.as_str(), call) {
        ("POST", "add-pre-chain") => shared.add_pre_chain(&body)?,
        ("GET", "get-roots") => shared.get_roots()?,
        ("GET", "get-sth") => shared.get_sth()?,
        _ => ("404 Not Found", String::new(), String::new()),
    };
    let mut stream = stream.into_inner();
    let text = format!(
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n{headers}\r\n{answer}",
        answer.len()
    );
    stream.write_all(text.as_bytes()).ok()?;
    stream.conn.send_close_notify();
    stream.flush().ok()
}

/// Status, headers, body.
type Answer = (&'static str, String, String);

fn good(body: &Value) -> Answer {
    ("200 OK", String::new(), body.to_string())
}

fn refused(why: &str) -> Answer {
    ("400 Bad Request", String::new(), why.to_owned())
}

impl Shared {
    /// Nothing: the connection is closed.
    fn add_pre_chain(&self, body: &[u8]) -> Option<Answer> {
        let body: Value = serde_json::from_slice(body).ok()?;
        let chain = body["chain"].as_array()?.iter();
        let chain: Vec<Vec<u8>> = chain
            .map(|der| STANDARD.decode(der.as_str()?).ok())
            .collect::<Option<_>>()?;
        let mischief = {
            let mut state = self.state.lock().ok()?;
            state.submitted.push(chain.first()?.clone());
            state.mischief
        };
        match mischief {
            Some(Mischief::Busy(seconds)) => {
                let headers = format!("Retry-After: {seconds}\r\n");
                return Some(("503 Service Unavailable", headers, "busy".to_owned()));
            }
            Some(Mischief::Refuse) => return Some(refused("not today")),
            Some(Mischief::Nonsense) => {
                return Some(("200 OK", String::new(), "<html>hello</html>".to_owned()));
            }
            _ => {}
        }
        if let Err(why) = self.examine(&chain) {
            return Some(refused(&why));
        }
        let answer = self.promise(&chain, mischief)?;
        match mischief {
            Some(Mischief::LoseAnswer) => None,
            Some(Mischief::Slow) => {
                thread::sleep(Duration::from_mins(1));
                None
            }
            _ => Some(good(&answer)),
        }
    }

    /// What is wrong with a submission: the chain must lead to a root that is known, and the precertificate must be one.
    fn examine(&self, chain: &[Vec<u8>]) -> Result<(), String> {
        let roots = self.state.lock().unwrap().roots.clone();
        let root = chain.last().filter(|root| roots.contains(root));
        let root = root.ok_or("the chain does not end in a root that is known")?;
        let folder = TempDir::new().unwrap();
        let write = |name: &str, ders: &[Vec<u8>]| {
            let path = folder.path().join(name);
            let pems: Vec<String> = ders.iter().map(|der| pem(der)).collect();
            fs::write(&path, pems.concat()).unwrap();
            path
        };
        let middle = &chain[1..chain.len() - 1];
        let mut verify = Command::new("openssl");
        verify.args([
            "verify",
            "-ignore_critical",
            "-x509_strict",
            "-purpose",
            "sslserver",
            "-CAfile",
        ]);
        verify.arg(write("root", std::slice::from_ref(root)));
        if !middle.is_empty() {
            verify.arg("-untrusted").arg(write("middle", middle));
        }
        let output = verify.arg(write("leaf", &chain[..1])).output().unwrap();
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        let marks = marks(&chain[0]);
        match &*marks {
            [(oid, critical, value)] if oid == POISON && *critical && *value == [5, 0] => Ok(()),
            _ => Err(format!("not a precertificate: {marks:02x?}")),
        }
    }

    /// The answer to a chain; the same as before when it was seen before.
    fn promise(&self, chain: &[Vec<u8>], mischief: Option<Mischief>) -> Option<Value> {
        let mut now = Timestamp::now();
        if mischief == Some(Mischief::Future) {
            now += SignedDuration::from_hours(1);
        }
        let mut timestamp = now.as_millisecond().cast_unsigned();
        let tbs = entry_of(&chain[0]);
        let issuer = key_hash(&spki_of(&chain[1]));
        let same = |leaf: &[u8]| leaf[10..] == merkle_leaf(0, &issuer, &tbs)[10..];
        let mut state = self.state.lock().ok()?;
        let known = state.entries.iter().find(|(leaf, _)| same(leaf));
        if let Some((_, answer)) = known.filter(|_| mischief.is_none()) {
            return Some(answer.clone());
        }
        let leaf = merkle_leaf(timestamp, &issuer, &tbs);
        if mischief == Some(Mischief::OtherSignature) {
            timestamp += 1;
        }
        // What is signed differs from the leaf by its first bytes only: version, signature type.
        let message = [&[0, 0], &leaf[2..]].concat();
        let mut id = digest(&SHA256, &self.key.subject_public_key_info())
            .as_ref()
            .to_vec();
        if mischief == Some(Mischief::OtherLog) {
            id[0] ^= 1;
        }
        let answer = json!({
            "sct_version": 0,
            "id": STANDARD.encode(id),
            "timestamp": timestamp,
            "extensions": "",
            "signature": STANDARD.encode(self.signed(&message)),
        });
        state.entries.push((leaf, answer.clone()));
        Some(answer)
    }

    /// The `digitally-signed` structure of TLS.
    fn signed(&self, message: &[u8]) -> Vec<u8> {
        let signature = self.key.sign(message).unwrap();
        let length = u16::try_from(signature.len()).unwrap().to_be_bytes();
        let algorithm = if self.is_rsa { 1 } else { 3 };
        [&[4, algorithm], &length[..], &signature].concat()
    }

    fn get_roots(&self) -> Option<Answer> {
        let state = self.state.lock().ok()?;
        let roots: Vec<String> = state
            .roots
            .iter()
            .map(|root| STANDARD.encode(root))
            .collect();
        Some(good(&json!({ "certificates": roots })))
    }

    fn get_sth(&self) -> Option<Answer> {
        let state = self.state.lock().ok()?;
        let leaves: Vec<&[u8]> = state.entries.iter().map(|(leaf, _)| &**leaf).collect();
        let (size, root) = (leaves.len() as u64, tree_hash(&leaves));
        let timestamp = Timestamp::now().as_millisecond().cast_unsigned();
        let message = [
            &[0, 1][..],
            &timestamp.to_be_bytes(),
            &size.to_be_bytes(),
            &root,
        ]
        .concat();
        Some(good(&json!({
            "tree_size": size,
            "timestamp": timestamp,
            "sha256_root_hash": STANDARD.encode(root),
            "tree_head_signature": STANDARD.encode(self.signed(&message)),
        })))
    }
}

/// The hash of a tree over these leaves (RFC 6962 section 2.1).
fn tree_hash(leaves: &[&[u8]]) -> Vec<u8> {
    let hash = |parts: &[&[u8]]| digest(&SHA256, &parts.concat()).as_ref().to_vec();
    match leaves {
        [] => hash(&[]),
        [leaf] => hash(&[&[0], leaf]),
        _ => {
            let split = leaves.len().next_power_of_two() / 2;
            let (left, right) = leaves.split_at(split);
            hash(&[&[1], &tree_hash(left), &tree_hash(right)])
        }
    }
}

#[test]
fn a_tree_is_hashed_as_the_rfc_says() {
    // The tree of nothing, and of one empty leaf.
    assert_eq!(
        hex::encode(tree_hash(&[])),
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    );
    assert_eq!(
        hex::encode(tree_hash(&[&[]])),
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    );
    let leaves: [&[u8]; 3] = [&[], &[0], &[0x10]];
    let two = tree_hash(&leaves[..2]);
    let third = tree_hash(&leaves[2..]);
    let three = digest(&SHA256, &[&[1], &*two, &*third].concat());
    assert_eq!(tree_hash(&leaves), three.as_ref());
    assert_eq!(
        hex::encode(two),
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"
    );
}
