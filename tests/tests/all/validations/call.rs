//! `POST /v2/processes/{id}/schedule-validation-call`.

use serde_json::{Value, json};

use super::{ask, decide, events, proved};
use crate::support::csr::csr;
use crate::support::server::Server;

const FUTURE: &str = "2037-03-02T10:00:00Z";

fn call(server: &Server, process: i64, body: &Value) -> crate::support::http::Reply {
    let path = format!("/v2/processes/{process}/schedule-validation-call");
    server.alice.post(&path, body)
}

#[track_caller]
fn planned(server: &Server, process: i64) -> Value {
    let shown = server.operator.get(&format!("/v2/validations/{process}"));
    shown.expect(200)["callDate"].clone()
}

#[test]
fn both_shapes_of_a_date_are_taken_and_the_operator_sees_the_last() {
    let server = Server::start();
    let process = ask(&server, "ssl_ov").process();
    let reply = call(&server, process, &json!({ "date": FUTURE }));
    assert_eq!(
        (reply.status, reply.body.len()),
        (200, 0),
        "{}",
        reply.text()
    );
    assert_eq!(planned(&server, process), FUTURE);
    let date = json!({"date": "2037-03-03 11:30:00.000000", "timezone_type": 3, "timezone": "Europe/Amsterdam"});
    assert_eq!(call(&server, process, &json!({ "date": date })).status, 200);
    assert_eq!(planned(&server, process), "2037-03-03T10:30:00Z");
    // Saying it again changes nothing.
    assert_eq!(call(&server, process, &json!({ "date": date })).status, 200);
    let calls = events(&server, process, "callScheduled");
    assert_eq!(calls.len(), 2);
    assert!(calls[1]["user"].as_str().unwrap().starts_with("alice/"));
    let listed = super::console(&server, &["list"]);
    assert!(listed.contains("\tcall 2037-03-03T10:30:00Z\t"), "{listed}");
}

#[test]
fn a_call_that_makes_no_sense_is_refused() {
    let server = Server::start();
    let process = ask(&server, "ssl_ov").process();
    let refused = |body: &Value| call(&server, process, body);
    for date in [
        json!("tomorrow"),
        json!(""),
        json!("2020-01-01T10:00:00Z"),
        json!("2037-13-01T10:00:00Z"),
        json!(null),
    ] {
        refused(&json!({ "date": date })).violates("date");
    }
    refused(&json!({})).violates("date");
    let php = |date: &str, zone: &str| json!({"date": {"date": date, "timezone_type": 3, "timezone": zone}});
    refused(&php("2020-01-01 10:00:00.000000", "UTC")).violates("date");
    refused(&php("soon", "UTC")).violates("date.date");
    refused(&php("2037-03-02 10:00:00.000000", "Mars/Olympus")).violates("date.timezone");
    refused(&json!({"date": {"timezone": "UTC"}})).violates("date.date");
    for body in [
        json!({"date": 1_900_000_000}),
        json!({ "date": [FUTURE] }),
        json!({"date": {"date": "2037-03-02 10:00:00.000000", "timezone": "UTC", "era": "AD"}}),
        json!({"date": FUTURE, "time": "10:00"}),
    ] {
        refused(&body).refused(400, "UnrecognizedPropertyException");
    }
    let path = format!("/v2/processes/{process}/schedule-validation-call");
    server
        .alice
        .post_raw(&path, b"")
        .refused(400, "InvalidMessage");
    server
        .alice
        .post_raw(&path, b"[]")
        .refused(400, "InvalidMessage");
    assert_eq!(planned(&server, process), Value::Null);
}

#[test]
fn a_call_is_scheduled_only_by_its_customer_and_while_it_is_open() {
    let server = Server::start();
    let body = json!({ "date": FUTURE });
    let process = proved(&server, "ssl_ov");
    let path = format!("/v2/processes/{process}/schedule-validation-call");
    let foreign = server.bob.post(&path, &body);
    let unknown = server
        .bob
        .post("/v2/processes/999999/schedule-validation-call", &body);
    foreign.refused(400, "ObjectDoesNotExist");
    assert_eq!(foreign.body, unknown.body);
    decide(&server, process, "approve", &json!({"checks": ["voice"]})).expect(200);
    call(&server, process, &body).refused(400, "ObjectStatusProhibitsOperation");
    server.alice.delete(&format!("/v2/processes/{process}"));
    call(&server, process, &body).refused(400, "ObjectStatusProhibitsOperation");

    let order = json!({"customer": "alice", "product": "ssl_dv", "period": 12, "csr": csr(&["reseal.org"])});
    let dv = server.alice.post("/v2/ssl/certificates", &order).process();
    call(&server, dv, &body).refused(400, "ObjectStatusProhibitsOperation");
}
