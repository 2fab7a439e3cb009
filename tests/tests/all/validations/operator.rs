//! `/v2/validations…` and `reseal validation …`: who may, and every way to get it wrong.

use std::process::Command;

use serde_json::json;

use super::{ask, audit, console, decide, info, proved};
use crate::support::csr::csr;
use crate::support::server::{Server, binary};

#[test]
fn validations_are_for_operators_only() {
    let server = Server::start();
    let process = ask(&server, "ssl_ov").process();
    let base = format!("/v2/validations/{process}");
    for customer in [&server.alice, &server.bob] {
        for reply in [
            customer.get("/v2/validations"),
            customer.get(&base),
            customer.get("/v2/validations/999999"),
            customer.post(&format!("{base}/approve"), &json!({})),
            customer.post(&format!("{base}/reject"), &json!({"reason": "x"})),
            customer.post_raw(&format!("{base}/reject"), b"no JSON"),
        ] {
            reply.refused(403, "AuthorizationError");
        }
    }
    assert_eq!(info(&server, process)["validations"]["docs"], "WAITING");
    assert_eq!(audit(&server).len(), 0);
}

#[test]
fn the_list_has_what_an_operator_works_with() {
    let server = Server::start();
    let process = ask(&server, "ssl_ov").process();
    server.order("ssl_dv", &csr(&["reseal.org"]));
    let list = server.operator.get("/v2/validations/").expect(200);
    assert_eq!(list["pagination"]["total"], 1, "{list}");
    let one = &list["entities"][0];
    for (field, value) in [
        ("process", json!(process)),
        ("customer", json!("alice")),
        ("product", json!("ssl_ov")),
        ("commonName", json!("reseal.dev")),
        ("organization", json!("Bäckerei <Müller> GmbH")),
        ("address", json!("Domplatz 1")),
        ("coc", json!("HRB 12345")),
        ("language", json!("DE")),
        ("open", json!(["organization", "docs", "voice"])),
    ] {
        assert_eq!(one[field], value, "{field}: {one}");
    }
    assert_eq!(one["approver"]["voice"], "+49.221123456");
    let total = |query: &str| {
        let list = server.operator.get(&format!("/v2/validations?{query}"));
        list.expect(200)["pagination"]["total"].clone()
    };
    assert_eq!(total("customer=alice"), 1);
    assert_eq!(total("customer=bob"), 0);
    assert_eq!(total("q=reseal.dev&limit=0"), 1);
    assert_eq!(total("status%3Ain=COMPLETED"), 0);
    server
        .operator
        .get("/v2/validations?organization=x")
        .violates("organization");
    let single = server.operator.get(&format!("/v2/validations/{process}"));
    let single = single.expect(200);
    assert_eq!(single["decisions"], json!([]));
    assert_eq!(single["process"], process);
}

#[test]
fn decisions_that_make_no_sense_are_refused_and_leave_nothing() {
    let server = Server::start();
    let ov = proved(&server, "ssl_ov");
    let dv = {
        let body = json!({"customer": "alice", "product": "ssl_dv", "period": 12, "csr": csr(&["reseal.org"])});
        server.alice.post("/v2/ssl/certificates", &body).process()
    };
    let approve = |body| decide(&server, ov, "approve", &body);
    let reject = |body| decide(&server, ov, "reject", &body);
    for id in ["999999", "0", "x"] {
        for reply in [
            server.operator.get(&format!("/v2/validations/{id}")),
            server
                .operator
                .post(&format!("/v2/validations/{id}/approve"), &json!({})),
        ] {
            reply.refused(400, "ObjectDoesNotExist");
        }
    }
    let dv_path = format!("/v2/validations/{dv}");
    server
        .operator
        .get(&dv_path)
        .refused(400, "ObjectDoesNotExist");
    decide(&server, dv, "approve", &json!({})).refused(400, "ObjectStatusProhibitsOperation");
    reject(json!({})).violates("reason");
    reject(json!({"reason": ""})).violates("reason");
    reject(json!({"reason": "r".repeat(1001)})).violates("reason");
    reject(json!({"reason": "a\u{202e}b"})).violates("reason");
    approve(json!({"note": "a\nb"})).violates("note");
    approve(json!({"checks": []})).violates("checks");
    approve(json!({"checks": ["dcv"]})).violates("checks[0]");
    approve(json!({"checks": ["docs", "whois"]})).violates("checks[1]");
    approve(json!({"obtained": "2020-01-01"})).violates("obtained");
    approve(json!({"obtained": "2099-01-01T00:00:00Z"})).violates("obtained");
    approve(json!({"obtained": "soon"})).violates("obtained");
    let beyond = approve(json!({"obtained": "9999-12-31T00:00:00Z"})).violates("obtained");
    assert!(
        beyond.to_string().contains("9999-12-30T22:00:00Z"),
        "{beyond}"
    );
    let php = json!({"date": "9999-12-31 00:00:00.000000", "timezone_type": 3, "timezone": "UTC"});
    approve(json!({"obtained": php})).violates("obtained.date");
    for body in [
        json!({"checks": "docs"}),
        json!({"reason": 7}),
        json!({"verdict": "approve"}),
    ] {
        approve(body).refused(400, "UnrecognizedPropertyException");
    }
    reject(json!({"reason": "r", "obtained": "2026-01-01"}))
        .refused(400, "UnrecognizedPropertyException");
    assert_eq!(audit(&server).len(), 0);

    approve(json!({"checks": ["docs"]})).expect(200);
    approve(json!({"checks": ["docs"]})).refused(400, "ObjectStatusProhibitsOperation");
    assert_eq!(audit(&server).len(), 1);
    let path = format!("/v2/processes/{ov}");
    assert_eq!(server.alice.delete(&path).status, 200);
    approve(json!({})).refused(400, "ObjectStatusProhibitsOperation");
    reject(json!({"reason": "r"})).refused(400, "ObjectStatusProhibitsOperation");
    let shown = server
        .operator
        .get(&format!("/v2/validations/{ov}"))
        .expect(200);
    assert_eq!(shown["status"], "CANCELLED");
    assert_eq!(shown["decisions"].as_array().unwrap().len(), 1);
}

#[test]
fn the_command_line_says_what_was_wrong() {
    let server = Server::start();
    let process = ask(&server, "ssl_ov").process().to_string();
    let fails = |arguments: &[&str], code: i32, part: &str| {
        let output = Command::new(binary())
            .arg("validation")
            .args(arguments)
            .arg("--data")
            .arg(server.data())
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        assert!(said.contains(part), "{arguments:?}: {said}");
    };
    fails(&["approve", "999999"], 1, "Process does not exist");
    fails(&["show", "999999"], 1, "nothing to validate");
    fails(&["reject", &process], 2, "--reason");
    fails(&["reject", &process, "--reason", " "], 1, "--reason");
    fails(
        &["approve", &process, "--check", "dcv"],
        2,
        "organization, docs",
    );
    fails(&["approve", &process, "--check", "whois"], 1, "--check");
    fails(
        &["approve", &process, "--obtained", "soon"],
        2,
        "2026-11-24",
    );
    fails(
        &["approve", &process, "--obtained", "2099-01-01"],
        1,
        "--obtained",
    );
    assert_eq!(audit(&server).len(), 0);
    let said = console(&server, &["reject", &process, "--reason", "unknown"]);
    assert_eq!(said, format!("process {process} is FAILED"));
    fails(&["approve", &process], 1, "FAILED");
}
