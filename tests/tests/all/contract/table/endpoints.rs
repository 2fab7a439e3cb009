//! Section 3: every path with its methods, with and without a slash at its end, without a key, and for ids that are not
//! the caller's.

use serde_json::{Value, json};

use super::row::{Call, Row, Shape, Who, call, row};
use super::stage::{Stage, order};
use crate::support::csr::{csr, self_signed};

/// Methods that some path has.
const METHODS: &[&str] = &["GET", "POST", "DELETE", "PUT", "PATCH"];

struct Endpoint {
    method: &'static str,
    /// With `{c}`, `{p}`, `{n}` for a certificate's, a process's and a notification's id.
    path: &'static str,
    /// All methods of the path.
    methods: &'static [&'static str],
    query: &'static str,
    /// Made anew for each call, since some things can be sent once only.
    body: Option<fn() -> Value>,
    status: u16,
}

fn endpoint(method: &'static str, path: &'static str, methods: &'static [&'static str], status: u16) -> Endpoint {
    Endpoint {
        method,
        path,
        methods,
        query: "",
        body: None,
        status,
    }
}

impl Endpoint {
    fn query(self, query: &'static str) -> Self {
        Self { query, ..self }
    }

    fn body(self, body: fn() -> Value) -> Self {
        Self {
            body: Some(body),
            ..self
        }
    }

    fn call(&self, method: &'static str, ids: Ids, slash: &str) -> Call {
        let Ids(certificate, process, notification) = ids;
        let path = self
            .path
            .replace("{c}", &certificate.to_string())
            .replace("{p}", &process.to_string())
            .replace("{n}", &notification.to_string());
        let call = call(method, format!("{path}{slash}{}", self.query));
        match self.body {
            Some(body) => call.header("Content-Type: application/json").body(body().to_string()),
            None => call,
        }
    }
}

/// Of a certificate, a process and a notification.
#[derive(Clone, Copy)]
struct Ids(i64, i64, i64);

#[rustfmt::skip] // one line an endpoint
fn endpoints() -> Vec<Endpoint> {
    const READ: &[&str] = &["GET"];
    const WRITE: &[&str] = &["POST"];
    const BOTH: &[&str] = &["GET", "POST"];
    const ONE: &[&str] = &["GET", "DELETE"];
    vec![
        endpoint("GET", "/v2/ssl/certificates", BOTH, 200),
        endpoint("POST", "/v2/ssl/certificates", BOTH, 200).query("?quote=true").body(|| order("ssl_dv", &["a.dev"])),
        endpoint("GET", "/v2/ssl/certificates/{c}", ONE, 200),
        // Refused by its body, since it would do what it says.
        endpoint("DELETE", "/v2/ssl/certificates/{c}", ONE, 400).body(|| json!({"reason": "a".repeat(256)})),
        endpoint("POST", "/v2/ssl/certificates/{c}/reissue", WRITE, 200).query("?quote=true").body(|| csr_of("reseal.dev")),
        endpoint("POST", "/v2/ssl/certificates/{c}/renew", WRITE, 400).body(|| json!({})),
        endpoint("GET", "/v2/ssl/certificates/{c}/download", READ, 200),
        endpoint("POST", "/v2/ssl/import", WRITE, 201).body(|| json!({"customer": "alice", "certificate": self_signed("elsewhere.dev")})),
        endpoint("POST", "/v2/ssl/decodecsr", WRITE, 200).body(|| csr_of("a.dev")),
        endpoint("POST", "/v2/ssl/authkey", WRITE, 400).body(|| json!({})),
        endpoint("GET", "/v2/ssl/dcvemailaddresslist/reseal.dev", READ, 200),
        endpoint("GET", "/v2/ssl/products", READ, 200),
        endpoint("GET", "/v2/ssl/products/ssl_dv", READ, 200),
        endpoint("GET", "/v2/customers/alice/certificates", READ, 200),
        endpoint("GET", "/v2/customers/alice/certificates/{c}", READ, 200),
        endpoint("GET", "/v2/processes", READ, 200),
        endpoint("GET", "/v2/processes/{p}", ONE, 200),
        // Over already, so that it cannot be cancelled.
        endpoint("DELETE", "/v2/processes/{p}", ONE, 400),
        endpoint("GET", "/v2/processes/{p}/info", READ, 200),
        endpoint("POST", "/v2/processes/{p}/resend", WRITE, 400),
        endpoint("POST", "/v2/processes/{p}/schedule-validation-call", WRITE, 400).body(|| json!({})),
        endpoint("POST", "/v2/processes/{p}/send-subscriber-agreement", WRITE, 400).body(|| json!({})),
        endpoint("POST", "/v2/processes/{p}/add-note", WRITE, 400).body(|| json!({})),
        endpoint("GET", "/v2/customers/alice/notifications", READ, 200),
        endpoint("GET", "/v2/customers/alice/notifications/poll", READ, 200),
        endpoint("GET", "/v2/customers/alice/notifications/{n}", READ, 200),
        endpoint("POST", "/v2/customers/alice/notifications/{n}/ack", WRITE, 200),
        // Subscriptions for ACME are announced and not there yet: a contract error, never 404.
        endpoint("GET", "/v2/ssl/acme", BOTH, 400),
        endpoint("POST", "/v2/ssl/acme", BOTH, 400).body(|| json!({})),
        endpoint("GET", "/v2/ssl/acme/1", ONE, 400),
        endpoint("DELETE", "/v2/ssl/acme/1", ONE, 400),
        endpoint("POST", "/v2/ssl/acme/1/update", WRITE, 400).body(|| json!({})),
        endpoint("POST", "/v2/ssl/acme/1/renew", WRITE, 400).body(|| json!({})),
        endpoint("POST", "/v2/ssl/acme/1/credentials", WRITE, 400),
    ]
}

fn csr_of(name: &str) -> Value {
    json!({"csr": csr(&[name])})
}

pub(super) fn rows(stage: &Stage) -> Vec<Row> {
    let own = Ids(stage.new, stage.reissue, stage.notification);
    let nobodys = Ids(999_999, 999_999, 999_999);
    let mut rows = Vec::new();
    for endpoint in endpoints() {
        let name = format!("{} {}", endpoint.method, endpoint.path);
        let calls = |ids: Ids, slash: &str| endpoint.call(endpoint.method, ids, slash);
        for (what, slash) in [("", ""), (" with a slash", "/")] {
            let row = row(format!("3 {name}{what}"), calls(own, slash)).status(endpoint.status);
            // 400 alone could be anything: it has to be an answer of this path.
            rows.push(if endpoint.status == 400 { row.json("/type", Shape::Text).no_header("allow") } else { row });
        }
        rows.push(row(format!("3 {name} without a key"), calls(own, "").by(Who::Nobody)).refused(401, "AuthenticationError"));
        if endpoint.path.contains('{') {
            let missing = |row: Row| row.bad("ObjectDoesNotExist");
            // These bodies are refused before anything is looked for.
            let by_body = endpoint.status == 400 && endpoint.body.is_some();
            if !by_body {
                rows.push(missing(row(format!("3 {name} of what is not there"), calls(nobodys, ""))));
                rows.push(missing(row(format!("3 {name} of another's"), calls(own, "").by(Who::Bob))));
            }
        }
        let is_first = endpoint.methods[0] == endpoint.method;
        let wrong = METHODS.iter().filter(|method| is_first && !endpoint.methods.contains(method));
        for method in wrong {
            let mut row = row(format!("3 {method} {} is not possible", endpoint.path), endpoint.call(method, own, ""));
            row = row.refused(405, "InvalidMessage");
            for right in endpoint.methods {
                row = row.header("allow", Shape::Has((*right).to_owned()));
            }
            rows.push(row);
        }
    }
    rows
}
