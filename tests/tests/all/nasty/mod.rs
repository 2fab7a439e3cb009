//! Inputs that somebody will send one day. Each is answered as the rules say, and never with 5xx (`exchange`).

#![expect(
    clippy::unwrap_used,
    reason = "what is wrong here fails a test; the lint knows test functions only"
)]

mod dns;
mod encoding;
mod file;
mod issued;
mod keys;
mod names;
mod proof;
mod race;
mod reissue;
mod report;
mod request_shape;
mod signing_request;
mod state;
mod time;
mod transport;

use serde_json::{Value, json};

use crate::support::csr::csr;
use crate::support::http::Reply;
use crate::support::server::Server;

/// A certificate for `reseal.dev` and `www.reseal.dev` of the multi-domain product, to be reissued.
struct Target {
    server: Server,
    path: String,
    before: (Value, usize, usize),
}

impl Target {
    #[track_caller]
    fn start() -> Self {
        let server = Server::start();
        let id = server.order("ssl_dv_md", &csr(&["reseal.dev", "www.reseal.dev"]));
        let before = server.traces();
        Self {
            server,
            path: format!("/v2/ssl/certificates/{id}"),
            before,
        }
    }

    /// The real call, with a usable CSR unless `body` has one.
    #[track_caller]
    fn reissue(&self, body: &Value) -> Reply {
        let mut body = body.clone();
        if body.get("csr").is_none() {
            body["csr"] = csr(&["reseal.dev"]).into();
        }
        self.server
            .alice
            .post(&format!("{}/reissue", self.path), &body)
    }

    #[track_caller]
    fn reissue_with(&self, csr: &str) -> Reply {
        self.reissue(&json!({"csr": csr}))
    }

    /// No process, no mail, no question to the DNS, and the certificate is what it was.
    #[track_caller]
    fn is_untouched(&self) {
        assert_eq!(self.server.traces(), self.before);
        let certificate = self.server.alice.get(&self.path).expect(200);
        assert_eq!(certificate["status"], "ACTIVE", "{certificate}");
    }
}
