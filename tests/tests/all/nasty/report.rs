//! What CAA stopped, reported by HTTPS.

use std::fs;
use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::csr::csr;
use crate::support::server::Server;

const HOST: &str = "reports.reseal.org";
/// What a report ends with.
const END: &str = "</IODEF-Document>\n";
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// `openssl s_server`, which notes what is sent to it.
struct Receiver {
    child: Child,
    port: u16,
    heard: Arc<Mutex<Vec<u8>>>,
    folder: tempfile::TempDir,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Receiver {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let made = rcgen::generate_simple_self_signed([HOST.to_owned()]).unwrap();
        fs::write(folder.path().join("chain.pem"), made.cert.pem()).unwrap();
        fs::write(
            folder.path().join("key.pem"),
            made.signing_key.serialize_pem(),
        )
        .unwrap();
        let mut child = Command::new("openssl")
            .args(["s_server", "-cert", "chain.pem", "-key", "key.pem"])
            .args(["-accept", "127.0.0.1:0"])
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let port = said_port(&mut output);
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (notes, mut stdin) = (Arc::clone(&heard), child.stdin.take().unwrap());
        thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(count) = output.read(&mut piece) {
                if count == 0 {
                    break;
                }
                let mut notes = notes.lock().unwrap();
                notes.extend_from_slice(&piece[..count]);
                // An answer that comes before its question is none.
                if notes.ends_with(END.as_bytes()) {
                    stdin.write_all(ANSWER).unwrap();
                }
            }
        });
        Self {
            child,
            port,
            heard,
            folder,
        }
    }

    /// What was sent from `start` to `end`, once that has come: around it stands what `openssl` says of the connection.
    #[track_caller]
    fn wait_for(&self, start: &str, end: &str) -> String {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let heard = String::from_utf8_lossy(&self.heard.lock().unwrap()).into_owned();
            if let (Some(first), Some(last)) = (heard.find(start), heard.find(end)) {
                return heard[first..last + end.len()].to_owned();
            }
            assert!(Instant::now() < deadline, "heard: {heard}");
            thread::sleep(Duration::from_millis(50));
        }
    }
}

/// The port that `openssl` was given by the system, which it says before it waits there.
fn said_port(output: &mut impl BufRead) -> u16 {
    for line in output.lines() {
        let line = line.unwrap();
        if let Some(address) = line.strip_prefix("ACCEPT ") {
            return address.rsplit_once(':').unwrap().1.parse().unwrap();
        }
    }
    panic!("openssl ended before it listened");
}

#[test]
fn s_18_a_refusal_is_posted_as_a_document_to_whom_the_records_name() {
    let receiver = Receiver::start();
    let server = Server::proving(&format!(
        "allow_networks = [\"127.0.0.0/8\"]\niodef = true\n\
         [webhook]\nallow_networks = [\"127.0.0.0/8\"]\nca_file = \"{}\"\n",
        receiver.folder.path().join("chain.pem").display()
    ));
    server.dns.a(HOST, [127, 0, 0, 1].into());
    server.dns.caa_issue("reseal.dev", "other-ca.example");
    let url = format!("https://{HOST}:{}/caa?from=dns", receiver.port);
    server.dns.caa("reseal.dev", false, "iodef", &url);
    let body = json!({"customer": "alice", "product": "ssl_dv", "period": 12, "csr": csr(&["a.reseal.dev"]), "san": []});
    let reply = server.alice.post("/v2/ssl/certificates", &body);
    let info = reply.expect(202);
    assert_eq!(info["validations"]["dcv"][0]["caaRecordStatus"], "INVALID");
    let heard = receiver.wait_for("POST ", END);
    let (head, document) = heard.split_once("\r\n\r\n").unwrap();
    assert!(
        head.starts_with("POST /caa?from=dns HTTP/1.1\r\n"),
        "{head}"
    );
    let head = head.to_ascii_lowercase();
    for line in [
        format!("host: {HOST}:{}", receiver.port),
        "content-type: application/xml".to_owned(),
        format!("content-length: {}", document.len()),
    ] {
        assert!(head.contains(&line), "{line}: {head}");
    }
    // The report says what was asked for and why it was refused, and nothing of who asked.
    let number = format!(">{}</IncidentID>", reply.process());
    for part in ["a.reseal.dev", "other-ca.example", &number] {
        assert!(document.contains(part), "{part}: {document}");
    }
    assert!(!document.contains("alice"), "{document}");
}
