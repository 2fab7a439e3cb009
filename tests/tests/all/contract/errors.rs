//! Refusals that are alike, and those that leave nothing behind; each type by itself is in the table.

use serde_json::json;

use crate::support::csr::csr;
use crate::support::http::{exchange, request};
use crate::support::server::Server;

/// Routes that the contract does not have; those that it has are in the table.
const ROUTES: &[(&str, &str)] = &[
    ("GET", "/v2/processes/1/timeline"),
    ("GET", "/v2/customers/alice/webhook"),
    ("POST", "/v2/customers/alice/webhook"),
    ("DELETE", "/v2/customers/alice/webhook"),
];

#[test]
fn every_route_of_our_own_wants_a_key_and_has_a_twin_with_a_slash() {
    let server = Server::start();
    for (method, path) in ROUTES {
        for path in [(*path).to_owned(), format!("{path}/")] {
            let reply = exchange(server.alice.address, &request(method, &path, &[], b""));
            reply.refused(401, "AuthenticationError");
            let reply = server.alice.call(method, &path, &[], b"");
            assert!(
                !matches!(reply.status, 301..=308 | 401..=405),
                "{method} {path}: {}",
                reply.text()
            );
        }
    }
}

#[test]
fn what_was_never_there_and_what_is_anothers_look_the_same() {
    let server = Server::start();
    let id = server.certificate();
    let process = server
        .alice
        .get(&format!("/v2/ssl/certificates/{id}"))
        .expect(200)["process"]
        .clone();
    let body = json!({"csr": csr(&["reseal.dev"])});
    for (method, path) in [
        ("GET", "/v2/ssl/certificates/{c}"),
        ("DELETE", "/v2/ssl/certificates/{c}"),
        ("POST", "/v2/ssl/certificates/{c}/reissue"),
        ("GET", "/v2/ssl/certificates/{c}/download"),
        ("GET", "/v2/processes/{p}"),
        ("DELETE", "/v2/processes/{p}"),
        ("GET", "/v2/processes/{p}/info"),
        ("GET", "/v2/processes/{p}/timeline"),
        ("POST", "/v2/processes/{p}/resend"),
    ] {
        let ask = |certificate: &str, process: &str| {
            let path = path.replace("{c}", certificate).replace("{p}", process);
            let body = if path.ends_with("reissue") {
                body.to_string()
            } else {
                String::new()
            };
            let reply = server.bob.call(
                method,
                &path,
                &["Content-Type: application/json"],
                body.as_bytes(),
            );
            let answer = reply.refused(400, "ObjectDoesNotExist");
            answer
                .to_string()
                .replace(certificate, "ID")
                .replace(process, "ID")
        };
        assert_eq!(
            ask(&id.to_string(), &process.to_string()),
            ask("999", "999"),
            "{method} {path}"
        );
    }
    assert_eq!(
        server
            .operator
            .get(&format!("/v2/ssl/certificates/{id}"))
            .status,
        200
    );
}

#[test]
fn the_legacy_paths_show_a_customers_own_certificates_and_operators_everybodys() {
    let server = Server::start();
    let id = server.certificate();
    let path = |customer: &str, rest: &str| format!("/v2/customers/{customer}/certificates{rest}");
    let same = |one: &str, other: &str| {
        let [one, other] = [one, other].map(|path| server.alice.get(path).expect(200));
        assert_eq!(one, other);
    };
    same(&path("alice", ""), "/v2/ssl/certificates");
    same(
        &path("alice", &format!("/{id}/")),
        &format!("/v2/ssl/certificates/{id}"),
    );
    same(
        &path("alice", "/?fields=status&limit=1&status=ACTIVE"),
        "/v2/ssl/certificates?fields=status&limit=1&status=ACTIVE",
    );
    let of = |customer: &str| {
        server.operator.get(&path(customer, "")).expect(200)["pagination"]["total"].clone()
    };
    assert_eq!([of("alice"), of("bob"), of("house")], [1, 0, 0]);
    let shown = server.operator.get(&path("alice", &format!("/{id}")));
    assert_eq!(shown.expect(200)["id"], id);
    // Below another customer it is not, not even for operators.
    let [here, nowhere] = [id, id + 1000].map(|id| {
        let reply = server.operator.get(&path("bob", &format!("/{id}")));
        reply.refused(400, "ObjectDoesNotExist");
        reply.body
    });
    assert_eq!(here, nowhere);

    // Another's handle is an unknown one, whatever is asked for below it; operators know the difference.
    for rest in [
        String::new(),
        format!("/{id}"),
        "/987654321".to_owned(),
        "?limit=x".to_owned(),
    ] {
        let bodies = ["alice", "nobody", "a", "%ff", "x%2Fy"].map(|customer| {
            let reply = server.bob.get(&path(customer, &rest));
            reply.refused(400, "ObjectDoesNotExist");
            reply.body
        });
        assert!(bodies.iter().all(|body| *body == bodies[0]), "{rest}");
    }
    for customer in ["nobody", "Alice"] {
        let reply = server.operator.get(&path(customer, ""));
        reply.refused(400, "ObjectDoesNotExist");
    }
}
