//! Every error type of the contract that this server has, and every route behind a key.

use serde_json::json;

use crate::support::csr::csr;
use crate::support::http::{exchange, request};
use crate::support::server::Server;

/// Method and path of each route below `/v2`.
const ROUTES: &[(&str, &str)] = &[
    ("GET", "/v2/ssl/certificates"),
    ("POST", "/v2/ssl/certificates"),
    ("GET", "/v2/ssl/certificates/1"),
    ("DELETE", "/v2/ssl/certificates/1"),
    ("POST", "/v2/ssl/certificates/1/reissue"),
    ("POST", "/v2/ssl/certificates/1/renew"),
    ("GET", "/v2/ssl/certificates/1/download"),
    ("POST", "/v2/ssl/import"),
    ("POST", "/v2/ssl/decodecsr"),
    ("GET", "/v2/ssl/dcvemailaddresslist/reseal.dev"),
    ("GET", "/v2/customers/alice/certificates"),
    ("GET", "/v2/customers/alice/certificates/1"),
    ("GET", "/v2/ssl/products"),
    ("GET", "/v2/ssl/products/ssl_dv"),
    ("GET", "/v2/processes"),
    ("GET", "/v2/processes/1"),
    ("DELETE", "/v2/processes/1"),
    ("GET", "/v2/processes/1/info"),
    ("GET", "/v2/processes/1/timeline"),
    ("POST", "/v2/processes/1/resend"),
    ("POST", "/v2/processes/1/add-note"),
];

#[test]
fn every_route_wants_a_key_and_has_a_twin_with_a_slash() {
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
fn unknown_routes_are_404_and_unknown_methods_405() {
    let server = Server::start();
    server
        .alice
        .get("/v2/nothing")
        .refused(404, "ObjectDoesNotExist");
    let reply = server.alice.call("PUT", "/v2/ssl/certificates", &[], b"");
    assert_eq!(reply.status, 405);
    assert!(reply.header("allow").is_some());
}

#[test]
fn another_customers_name_in_the_body_is_refused() {
    let server = Server::start();
    let body =
        json!({"customer": "bob", "product": "ssl_dv", "period": 12, "csr": csr(&["reseal.dev"])});
    let reply = server.alice.post("/v2/ssl/certificates", &body);
    assert!(matches!(reply.status, 400 | 403), "{}", reply.text());
    let here = server.alice.get("/v2/customers/bob/certificates");
    assert!(matches!(here.status, 400 | 403), "{}", here.text());
}

#[test]
fn unknown_products_and_periods_are_refused() {
    let server = Server::start();
    let order = |product: &str, period: i64| {
        let body = json!({"customer": "alice", "product": product, "period": period, "csr": csr(&["reseal.dev"])});
        server.alice.post("/v2/ssl/certificates", &body)
    };
    order("ssl_none", 12).refused(400, "ObjectDoesNotExist");
    order("ssl_dv", 7).violates("period");
}

#[test]
fn fields_that_a_product_requires_are_named() {
    let server = Server::start();
    let body = json!({"customer": "alice", "product": "ssl_ov", "period": 12, "csr": csr(&["reseal.dev"])});
    let answer = server
        .alice
        .post("/v2/ssl/certificates", &body)
        .refused(400, "ConstraintViolationException");
    let text = answer["violations"].to_string();
    for field in [
        "organization",
        "address",
        "postalCode",
        "city",
        "country",
        "approver",
    ] {
        assert!(text.contains(&format!("\"{field}\"")), "{field}: {text}");
    }
}

#[test]
fn an_open_reissue_is_an_existing_object() {
    let server = Server::start();
    let id = server.order("ssl_dv_md", &csr(&["reseal.dev"]));
    let path = format!("/v2/ssl/certificates/{id}/reissue");
    let body = json!({"csr": csr(&["reseal.dev", "new.dev"])});
    let first = server.alice.post(&path, &body);
    first.expect(202);
    let answer = server.alice.post(&path, &body).refused(400, "ObjectExists");
    assert!(
        answer["message"]
            .as_str()
            .unwrap()
            .contains(&first.process().to_string()),
        "{answer}"
    );
}

#[test]
fn health_is_open_to_everybody() {
    let server = Server::start();
    for path in ["/healthz", "/readyz"] {
        assert_eq!(
            exchange(server.alice.address, &request("GET", path, &[], b"")).status,
            200
        );
    }
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
