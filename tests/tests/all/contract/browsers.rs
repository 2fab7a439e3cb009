//! Scripts in browsers: what they may call and see, by the operator's word only.

use serde_json::json;

use crate::support::csr::csr;
use crate::support::http::{Reply, exchange, request};
use crate::support::server::Server;

const SHOP: &str = "Origin: https://shop.example";
const OTHER: &str = "Origin: https://other.example";

fn asked(server: &Server, origin: &str) -> Reply {
    let headers = [
        origin,
        "Access-Control-Request-Method: POST",
        "Access-Control-Request-Headers: authorization,content-type,idempotency-key",
    ];
    let bytes = request("OPTIONS", "/v2/ssl/certificates/1/reissue", &headers, b"");
    exchange(server.alice.address, &bytes)
}

fn seen<'r>(reply: &'r Reply, header: &str) -> Option<&'r str> {
    reply.header(&format!("access-control-{header}"))
}

#[test]
fn no_page_may_call_unless_it_is_listed() {
    let server = Server::start();
    let reply = server.alice.call("GET", "/v2/processes", &[SHOP], b"");
    assert_eq!(reply.status, 200);
    assert!(
        !reply.head.to_lowercase().contains("access-control"),
        "{}",
        reply.head
    );
    asked(&server, SHOP).refused(405, "InvalidMessage");
}

#[test]
fn a_listed_page_may_ask_call_and_see_the_process() {
    let server = Server::configured("[server]\ncors_origins = [\"https://shop.example\"]");
    let may = asked(&server, SHOP);
    assert_eq!(may.status, 204);
    assert!(may.body.is_empty());
    assert_eq!(seen(&may, "allow-origin"), Some("https://shop.example"));
    assert_eq!(seen(&may, "allow-methods"), Some("GET, POST, DELETE"));
    let headers = "Authorization, Content-Type, Idempotency-Key";
    assert_eq!(seen(&may, "allow-headers"), Some(headers));
    assert_eq!(may.header("vary"), Some("Origin"));

    let order =
        json!({"customer": "alice", "product": "ssl_dv", "period": 12, "csr": csr(&["cors.dev"])});
    let json = "Content-Type: application/json";
    let body = order.to_string();
    let reply = server.alice.call(
        "POST",
        "/v2/ssl/certificates",
        &[SHOP, json],
        body.as_bytes(),
    );
    assert_eq!(reply.status, 202);
    assert_eq!(seen(&reply, "allow-origin"), Some("https://shop.example"));
    assert_eq!(
        seen(&reply, "expose-headers"),
        Some("X-Process-Id, Location, Retry-After")
    );
    assert_eq!(seen(&reply, "allow-credentials"), None);

    // Refusals, too: a page has to be able to tell why.
    for (method, path) in [
        ("GET", "/v2/nothing"),
        ("PUT", "/v2/processes"),
        ("GET", "/v2/processes?x=1"),
    ] {
        let reply = server.alice.call(method, path, &[SHOP], b"");
        assert!(reply.status >= 400);
        assert_eq!(
            seen(&reply, "allow-origin"),
            Some("https://shop.example"),
            "{path}"
        );
    }

    let other = server.alice.call("GET", "/v2/processes", &[OTHER], b"");
    assert_eq!(other.status, 200);
    assert_eq!(seen(&other, "allow-origin"), None);
    assert_eq!(other.header("vary"), Some("Origin"));
    asked(&server, OTHER).refused(405, "InvalidMessage");
}

#[test]
fn every_page_may_call_when_the_operator_says_so() {
    let server = Server::configured("[server]\ncors_origins = [\"*\"]");
    assert_eq!(seen(&asked(&server, OTHER), "allow-origin"), Some("*"));
    let reply = server.alice.call("GET", "/v2/processes", &[OTHER], b"");
    assert_eq!(seen(&reply, "allow-origin"), Some("*"));
    assert_eq!(reply.header("vary"), None);
}
