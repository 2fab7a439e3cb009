//! Routes that need no key, and those that lead nowhere.

use serde_json::json;

use crate::support::csr::csr;
use crate::support::der;
use crate::support::http::{Reply, exchange, request};
use crate::support::server::Server;

#[track_caller]
fn visit(server: &Server, method: &str, path: &str) -> Reply {
    exchange(server.alice.address, &request(method, path, &[], b""))
}

/// Every call of contract.md section 3 about ACME subscriptions.
const ACME: &[(&str, &str)] = &[
    ("GET", "/v2/ssl/acme"),
    ("POST", "/v2/ssl/acme"),
    ("GET", "/v2/ssl/acme/1"),
    ("DELETE", "/v2/ssl/acme/1"),
    ("POST", "/v2/ssl/acme/1/update"),
    ("POST", "/v2/ssl/acme/1/renew"),
    ("POST", "/v2/ssl/acme/1/credentials"),
];

#[test]
fn acme_subscriptions_are_answered_with_a_contract_error() {
    let server = Server::start();
    let json = "Content-Type: application/json";
    let form = "Content-Type: application/x-www-form-urlencoded";
    for (method, path) in ACME {
        for path in [
            (*path).to_owned(),
            format!("{path}/"),
            format!("{path}?quote=true"),
            format!("{path}/?quote=false"),
        ] {
            visit(&server, method, &path).refused(401, "AuthenticationError");
            for (header, body) in [
                (json, &b""[..]),
                (json, b"{}"),
                (
                    json,
                    b"{\"customer\":\"alice\",\"product\":\"ssl_acme\",\"period\":12}",
                ),
                (form, b""),
            ] {
                let reply = server.alice.call(method, &path, &[header], body);
                let answer = reply.refused(400, "ValidationError");
                let message = answer["message"].as_str().unwrap();
                assert!(
                    message.contains("ACME") && message.contains("not offered"),
                    "{answer}"
                );
            }
        }
    }
    let reply = server.alice.call("PUT", "/v2/ssl/acme/1", &[], b"");
    assert_eq!(reply.status, 405);
}

#[test]
fn unknown_routes_are_404_with_and_without_a_key() {
    let server = Server::start();
    let long = format!("/{}", "x".repeat(5000));
    for path in [
        "/",
        "/v2",
        "/v1/ssl/certificates",
        "/v2/ssl",
        "/v2/ssl/certificates/1/reissue/now",
        "/v2/ssl/certificates/1/2",
        "/console/../v2/processes",
        "/.git/config",
        "/dcv/approve",
        "/dcv/approve/a/b",
        "/ca",
        &long,
    ] {
        visit(&server, "GET", path).refused(404, "ObjectDoesNotExist");
        let answer = server.alice.get(path).refused(404, "ObjectDoesNotExist");
        assert!(answer["message"].as_str().unwrap().len() < 200, "{answer}");
    }
}

#[test]
fn wrong_methods_are_405_and_say_which_are_right() {
    let server = Server::start();
    for (method, path, right) in [
        ("PUT", "/v2/ssl/certificates", &["GET", "POST"][..]),
        ("PATCH", "/v2/ssl/certificates/1", &["GET", "DELETE"]),
        ("GET", "/v2/ssl/certificates/1/reissue", &["POST"]),
        ("DELETE", "/v2/ssl/certificates/1/reissue/", &["POST"]),
        ("POST", "/v2/ssl/certificates/1/download", &["GET"]),
        ("POST", "/v2/processes/1/info", &["GET"]),
        ("GET", "/v2/ssl/import", &["POST"]),
        ("OPTIONS", "/v2/processes", &["GET"]),
        ("POST", "/healthz", &["GET"]),
        ("TRACE", "/readyz", &["GET"]),
        ("PUT", "/dcv/approve/x", &["GET", "POST"]),
        ("POST", "/ca/root.pem", &["GET"]),
        ("BREW", "/v2/processes", &["GET"]),
    ] {
        let reply = server.alice.call(method, path, &[], b"");
        reply.refused(405, "InvalidMessage");
        let allowed = reply.header("allow").unwrap();
        for method in right {
            assert!(
                allowed.split([',', ' ']).any(|one| one == *method),
                "{path}: {allowed}"
            );
        }
    }
}

#[test]
fn health_and_readiness_are_plain_words() {
    let server = Server::start();
    for (path, word) in [
        ("/healthz", "ok\n"),
        ("/healthz/", "ok\n"),
        ("/readyz", "ready\n"),
    ] {
        let reply = visit(&server, "GET", path);
        assert_eq!((reply.status, reply.text().as_str()), (200, word));
        assert_eq!(reply.header("cache-control"), Some("no-store"));
        let reply = visit(&server, "HEAD", path);
        assert_eq!((reply.status, reply.body.len()), (200, 0));
    }
    // A proxy that forbids a path by its name is not walked around.
    for path in ["/readyz/", "/metrics/"] {
        assert_eq!(visit(&server, "GET", path).status, 404);
    }
}

#[test]
fn the_authoritys_certificates_are_served_in_both_forms() {
    let server = Server::start();
    let intermediate = std::fs::read_to_string(server.data().join("ca/intermediate.pem")).unwrap();
    for (name, kept) in [
        ("intermediate", intermediate),
        (
            "root",
            std::fs::read_to_string(server.data().join("ca/root.pem")).unwrap(),
        ),
    ] {
        let binary = visit(&server, "GET", &format!("/ca/{name}.cer"));
        assert_eq!(binary.status, 200);
        assert_eq!(binary.header("content-type"), Some("application/pkix-cert"));
        assert_eq!(binary.body, der::der(&kept));
        let text = visit(&server, "GET", &format!("/ca/{name}.pem"));
        assert_eq!(der::der(&text.text()), binary.body);
        assert!(text.header("cache-control").unwrap().contains("max-age"));
    }
    for name in [
        "root.key",
        "unlock.key",
        "intermediate",
        "root.txt",
        "..%2freseal.db",
        "%00",
        "root.pem.pem",
    ] {
        visit(&server, "GET", &format!("/ca/{name}")).refused(404, "ObjectDoesNotExist");
    }
}

#[test]
fn a_certificate_names_where_its_issuer_is_served() {
    let server = Server::configured("[server]\npublic_url = \"http://ca.reseal.dev\"\n");
    let text = server.issued(server.certificate());
    assert!(
        text.contains("URI:http://ca.reseal.dev/ca/intermediate"),
        "{text}"
    );
}

#[test]
fn d_19_every_unknown_link_is_one_and_the_same_page() {
    let server = Server::start();
    let token = "0123456789abcdef0123456789abcdef";
    let page = visit(&server, "GET", &format!("/dcv/approve/{token}"));
    assert_eq!(page.status, 404);
    assert_eq!(
        page.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    assert_eq!(page.header("cache-control"), Some("no-store"));
    assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
    assert_eq!(page.header("x-frame-options"), Some("DENY"));
    assert!(
        page.header("content-security-policy")
            .unwrap()
            .contains("default-src 'none'")
    );
    let long = "f".repeat(4000);
    for token in [
        token,
        "x",
        "%00",
        "..%2f..%2fx",
        "'; DROP TABLE mail_token; --",
        &long,
    ] {
        let path = format!("/dcv/approve/{}", token.replace(' ', "%20"));
        assert_eq!(visit(&server, "GET", &path).text(), page.text(), "{token}");
        assert_eq!(visit(&server, "HEAD", &path).status, 404);
        let headers = ["Content-Type: application/x-www-form-urlencoded"];
        for form in [
            "",
            "form_token=x&approve=approve",
            "form_token=x&reject=reject",
            "\0\u{fffd}=&&&",
        ] {
            let bytes = request("POST", &path, &headers, form.as_bytes());
            let reply = exchange(server.alice.address, &bytes);
            assert_eq!(
                (reply.status, reply.text()),
                (404, page.text()),
                "{token} {form}"
            );
        }
    }
    let long = request("POST", &format!("/dcv/approve/{token}"), &[], &[b'a'; 5000]);
    assert_eq!(exchange(server.alice.address, &long).status, 413);
}

#[test]
fn a_certificate_is_found_by_the_number_its_provider_gave_it() {
    let server = Server::start();
    let id = server.certificate();
    server.order("ssl_dv", &csr(&["other.dev"]));
    let path = format!("/v2/ssl/certificates/{id}");
    let number = server.alice.get(&path).expect(200)["providerId"]
        .as_str()
        .unwrap()
        .to_owned();
    for (filter, total) in [
        (format!("providerId={number}"), 1),
        (format!("providerId={}", number.to_uppercase()), 1),
        (format!("providerId%3Ain={number}%2C00"), 1),
        (format!("providerId%3Ane={number}"), 1),
        (format!("providerId%3Alike={}%25", &number[..12]), 1),
        (
            format!("providerId%3Agte={number}&providerId%3Alte={number}"),
            1,
        ),
        ("providerId%3Anot_null=".to_owned(), 2),
        ("providerId=00".to_owned(), 0),
        ("providerId=xyz".to_owned(), 0),
        (format!("q={number}"), 1),
    ] {
        let found = server
            .alice
            .get(&format!("/v2/ssl/certificates?{filter}"))
            .expect(200);
        assert_eq!(
            found["pagination"],
            json!({"limit": 10, "offset": 0, "total": total}),
            "{filter}"
        );
    }
}
