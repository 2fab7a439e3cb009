//! Whoever asks: `openssl ocsp`, and requests of its making sent by hand.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tempfile::TempDir;

use crate::support::http::{Reply, exchange, request};
use crate::support::server::Server;

/// A server that answers.
pub(super) fn answering() -> Server {
    Server::configured("[ocsp]\nenabled = true\n")
}

/// What `openssl` says, and whether it is content.
#[track_caller]
pub(super) fn openssl(arguments: &[&str]) -> (bool, String) {
    let output = Command::new("openssl").args(arguments).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (
        output.status.success(),
        String::from_utf8_lossy(&said).into_owned(),
    )
}

/// A client with the chain of the server.
pub(super) struct Client<'a> {
    pub(super) server: &'a Server,
    folder: TempDir,
    /// The intermediate whose certificates are asked about.
    issuer: String,
}

impl<'a> Client<'a> {
    pub(super) fn of(server: &'a Server) -> Self {
        let folder = TempDir::new().unwrap();
        for name in ["root.pem", "intermediate.pem"] {
            let reply = fetch(server, "GET", &format!("/ca/{name}"), &[], b"");
            fs::write(folder.path().join(name), reply.body).unwrap();
        }
        Self {
            server,
            folder,
            issuer: "intermediate.pem".to_owned(),
        }
    }

    /// From now on it asks about certificates of the intermediate that is found at `/ca/NAME`.
    pub(super) fn ask_about(&mut self, name: &str) {
        let reply = fetch(self.server, "GET", &format!("/ca/{name}"), &[], b"");
        assert_eq!(reply.status, 200, "{name}");
        fs::write(self.path(name), reply.body).unwrap();
        name.clone_into(&mut self.issuer);
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(super) fn file(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    /// Downloads certificate `id`: its file.
    #[track_caller]
    pub(super) fn leaf(&self, id: i64) -> String {
        let path = format!("/v2/ssl/certificates/{id}/download?format=CRT");
        let name = format!("{id}.pem");
        fs::write(self.path(&name), self.server.alice.get(&path).body).unwrap();
        self.file(&name)
    }

    /// `openssl ocsp` with the chain and `arguments`; what it says when the answer holds.
    #[track_caller]
    pub(super) fn judged(&self, arguments: &[&str]) -> String {
        let (intermediate, root) = (self.file(&self.issuer), self.file("root.pem"));
        let mut all = vec!["ocsp", "-issuer", &intermediate, "-CAfile", &root];
        // The client has the chain of the server, as from its handshake.
        all.extend(["-verify_other", &intermediate, "-resp_text"]);
        all.extend(arguments);
        let (_, said) = openssl(&all);
        assert!(said.contains("Response verify OK"), "{arguments:?}: {said}");
        said
    }

    /// Asks by `openssl`, which sends a POST.
    #[track_caller]
    pub(super) fn asked(&self, arguments: &[&str]) -> String {
        let url = format!("http://{}/ocsp", self.server.alice.address);
        let mut all = vec!["-url", &url];
        all.extend(arguments);
        self.judged(&all)
    }

    /// A request, DER, as `openssl` makes it of `arguments`.
    #[track_caller]
    pub(super) fn request(&self, arguments: &[&str]) -> Vec<u8> {
        let (intermediate, file) = (self.file(&self.issuer), self.file("request"));
        let mut all = vec!["ocsp", "-issuer", &intermediate, "-reqout", &file];
        all.extend(arguments);
        let (made, said) = openssl(&all);
        assert!(made, "{said}");
        fs::read(file).unwrap()
    }

    /// Sends a request as a POST.
    pub(super) fn post(&self, der: &[u8]) -> Reply {
        let headers = ["Content-Type: application/ocsp-request"];
        fetch(self.server, "POST", "/ocsp", &headers, der)
    }

    /// Sends a request as a GET, base64 in the path as it is.
    pub(super) fn get(&self, der: &[u8], headers: &[&str]) -> Reply {
        fetch(self.server, "GET", &in_path(der), headers, b"")
    }
}

/// Serial number of the certificate in `file`, in hexadecimal.
#[track_caller]
pub(super) fn serial(file: &str) -> String {
    let (read, text) = openssl(&["x509", "-noout", "-serial", "-in", file]);
    assert!(read, "{text}");
    text.trim().strip_prefix("serial=").unwrap().to_owned()
}

/// The path that holds a request.
pub(super) fn in_path(der: &[u8]) -> String {
    format!("/ocsp/{}", STANDARD.encode(der))
}

pub(super) fn fetch(
    server: &Server,
    method: &str,
    path: &str,
    headers: &[&str],
    body: &[u8],
) -> Reply {
    exchange(server.alice.address, &request(method, path, headers, body))
}

/// Checks that a reply is an answer without a signature, of this status, that nobody keeps.
#[track_caller]
pub(super) fn refused(reply: &Reply, status: u8) {
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(
        reply.header("content-type"),
        Some("application/ocsp-response")
    );
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    assert_eq!(reply.body, [0x30, 3, 0x0a, 1, status]);
}

/// Lines of `text` that begin with `field`, without it.
pub(super) fn fields<'t>(text: &'t str, field: &str) -> Vec<&'t str> {
    let lines = text.lines().map(str::trim);
    lines
        .filter_map(|line| line.strip_prefix(field))
        .map(str::trim)
        .collect()
}
