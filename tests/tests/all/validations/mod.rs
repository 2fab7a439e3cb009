//! OV and EV: what operators decide, what customers arrange, and what comes of it.

#![expect(
    clippy::unwrap_used,
    reason = "what is wrong here fails a test; the lint knows test functions only"
)]

mod agreement;
mod call;
mod crash;
mod journey;
mod operator;
mod outlawed;
mod reuse;

use serde_json::{Value, json};

use crate::support::csr::csr;
use crate::support::http::Reply;
use crate::support::server::{Server, reseal};

/// Reseal's own policy arc; the last number is the level.
const POLICY: &str =
    "Policy: 1.2.840.113556.1.8000.2554.48825.14774.49448.19283.47886.7811455.11258629.";

/// An order for `reseal.dev` in the name of an organization.
fn order(product: &str, further: &Value) -> Value {
    let mut body = json!({
        "customer": "alice", "product": product, "period": 12, "csr": csr(&["reseal.dev"]),
        "organization": "Bäckerei <Müller> GmbH", "address": "Domplatz 1", "postalCode": "50667",
        "city": "Köln", "country": "DE", "coc": "HRB 12345", "language": "DE",
        "approver": {"firstName": "Anna", "lastName": "Müller", "jobTitle": "CEO",
            "email": "anna@reseal.dev", "voice": "+49.221123456"},
    });
    for (name, value) in further.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

#[track_caller]
fn ask(server: &Server, product: &str) -> Reply {
    ask_for(server, &order(product, &json!({})))
}

#[track_caller]
fn ask_for(server: &Server, order: &Value) -> Reply {
    let reply = server.alice.post("/v2/ssl/certificates", order);
    reply.expect(202);
    reply
}

/// Asks, and proves control of the names: nothing is missing but the organization.
#[track_caller]
fn proved(server: &Server, product: &str) -> i64 {
    proved_as(server, &order(product, &json!({})))
}

/// The same for an order.
#[track_caller]
fn proved_as(server: &Server, order: &Value) -> i64 {
    let reply = ask_for(server, order);
    let process = reply.process();
    server.publish(&reply.json());
    let resend = format!("/v2/processes/{process}/resend");
    server.alice.post_raw(&resend, b"");
    server.wait_until(&format!("/v2/processes/{process}"), |body| {
        let detail = body["statusDetail"].as_str().unwrap_or_default();
        body["status"] == "SUSPENDED" && detail.starts_with("waits for the validation of")
    });
    process
}

#[track_caller]
fn info(server: &Server, process: i64) -> Value {
    let path = format!("/v2/processes/{process}/info");
    server.alice.get(&path).expect(200)
}

#[track_caller]
fn timeline(server: &Server, process: i64) -> Vec<Value> {
    let path = format!("/v2/processes/{process}/timeline");
    let shown = server.alice.get(&path).expect(200);
    shown["entities"].as_array().unwrap().clone()
}

/// The events called `name` of a process.
#[track_caller]
fn events(server: &Server, process: i64, name: &str) -> Vec<Value> {
    let mut events = timeline(server, process);
    events.retain(|event| event["event"] == name);
    events
}

/// As an operator: `what` is `approve` or `reject`.
fn decide(server: &Server, process: i64, what: &str, body: &Value) -> Reply {
    let path = format!("/v2/validations/{process}/{what}");
    server.operator.post(&path, body)
}

#[track_caller]
fn approve_all(server: &Server, process: i64) {
    decide(server, process, "approve", &json!({})).expect(200);
    server.wait_for(process, "COMPLETED");
}

/// The certificate that a process led to.
#[track_caller]
fn certificate_of(server: &Server, process: i64) -> i64 {
    let path = format!("/v2/ssl/certificates?process%3Aeq={process}");
    let found = server.alice.get(&path).expect(200);
    assert_eq!(found["pagination"]["total"], 1, "{found}");
    found["entities"][0]["id"].as_i64().unwrap()
}

/// What was decided about processes in the audit log, as it lies in the database: actor, action, object, reason, note.
#[track_caller]
fn audit(server: &Server) -> Vec<[Option<String>; 5]> {
    let rows = server.database().rows(
        "SELECT actor, action, object, reason, note FROM audit \
         WHERE step IS NULL AND object LIKE 'process/%' ORDER BY id",
    );
    rows.into_iter()
        .map(|row| row.try_into().unwrap())
        .collect()
}

/// `reseal validation …` on the server's folder.
#[track_caller]
fn console(server: &Server, arguments: &[&str]) -> String {
    let data = server.data();
    let data = data.to_str().unwrap();
    reseal(&[&["validation"], arguments, &["--data", data]].concat())
}
