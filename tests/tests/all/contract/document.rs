//! The OpenAPI document against the server that serves it. `scripts/schemathesis` goes further.

use serde_json::Value;

use crate::support::http::{Reply, exchange, request};
use crate::support::server::{Server, reseal};

#[track_caller]
fn visit(server: &Server, method: &str, path: &str) -> Reply {
    exchange(server.alice.address, &request(method, path, &[], b""))
}

/// A path with something in the place of its parameters.
fn concrete(path: &str) -> String {
    let segments = path.split('/').map(|segment| match segment {
        "{id}" => "1",
        "{customer}" => "alice",
        "{product}" => "ssl_dv",
        "{name}" => "example.nl",
        "{file}" => "root.crl",
        other => other.trim_start_matches('{').trim_end_matches('}'),
    });
    segments.collect::<Vec<_>>().join("/")
}

#[test]
fn the_document_is_served_and_printed() {
    let server = Server::start();
    let printed: Value = serde_json::from_str(&reseal(&["openapi"])).unwrap();
    assert_eq!(printed["openapi"], "3.1.0");
    for path in ["/openapi.json", "/openapi.json/"] {
        assert_eq!(visit(&server, "GET", path).expect(200), printed);
    }
}

#[test]
fn the_page_shows_every_operation_and_needs_nothing_else() {
    let server = Server::start();
    let document = visit(&server, "GET", "/openapi.json").expect(200);
    let reply = visit(&server, "GET", "/docs");
    assert_eq!(reply.status, 200);
    assert_eq!(
        reply.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    let policy = reply.header("content-security-policy").unwrap();
    assert!(
        policy.starts_with("default-src 'none'; style-src 'sha256-"),
        "{policy}"
    );
    assert!(!policy.contains("unsafe"), "{policy}");
    let html = reply.text();
    for (path, methods) in document["paths"].as_object().unwrap() {
        assert!(html.contains(path.as_str()), "{path}");
        for operation in methods.as_object().unwrap().values() {
            let anchor = format!("id=\"{}\"", operation["operationId"].as_str().unwrap());
            assert!(html.contains(&anchor), "{anchor}");
        }
    }
    assert!(!html.contains("<script"));
}

/// Without a key, a call that exists asks for one and a call that does not exist says so: both ways round.
#[test]
fn what_is_described_is_served_and_what_is_not_is_not() {
    let server = Server::start();
    let document = visit(&server, "GET", "/openapi.json").expect(200);
    let mut checked = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        let target = concrete(path);
        for method in ["GET", "POST", "DELETE", "PUT", "PATCH"] {
            let reply = visit(&server, method, &target);
            let Some(operation) = methods.get(method.to_lowercase()) else {
                reply.refused(405, "InvalidMessage");
                let allowed = reply.header("allow").unwrap();
                assert!(!allowed.contains(method), "{method} {path}: {allowed}");
                continue;
            };
            let status = reply.status.to_string();
            assert!(
                operation["responses"].get(&status).is_some(),
                "{method} {path}: {status}"
            );
            if path.starts_with("/v2/") {
                assert_eq!(reply.status, 401, "{method} {path}");
            }
            checked += 1;
        }
    }
    assert!(checked > 50, "{checked}");
    visit(&server, "GET", "/v2/ssl/nothing").refused(404, "ObjectDoesNotExist");
}

#[test]
fn the_examples_work() {
    let server = Server::start();
    let document = visit(&server, "GET", "/openapi.json").expect(200);
    for (path, status) in [
        ("/v2/ssl/decodecsr", 200),
        ("/v2/ssl/authkey", 200),
        ("/v2/ssl/import", 201),
        ("/v2/ssl/certificates", 202),
    ] {
        let body = &document["paths"][path]["post"]["requestBody"]["content"]["application/json"];
        let mut example = body["example"].clone();
        if example.get("customer").is_some() {
            example["customer"] = "alice".into();
        }
        let reply = server.alice.post(path, &example);
        assert_eq!(reply.status, status, "{path}: {}", reply.text());
    }
}
