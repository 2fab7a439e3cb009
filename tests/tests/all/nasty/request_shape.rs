//! Rules section 11, numbers 1 to 15, and 143 to 145: the shape of requests.

use serde_json::json;

use crate::support::csr::{csr, self_signed};
use crate::support::http::{Client, exchange, request};
use crate::support::server::Server;

const REISSUE: &str = "/v2/ssl/certificates/1/reissue";

#[test]
fn nasty_001_a_body_that_is_not_a_json_object_is_an_invalid_message() {
    let server = Server::start();
    for body in [
        &b""[..],
        b"x",
        b"[]",
        b"null",
        b"\"csr\"",
        b"{",
        b"{}{}",
        b"\xff",
    ] {
        server
            .alice
            .post_raw(REISSUE, body)
            .refused(400, "InvalidMessage");
    }
}

#[test]
fn nasty_002_003_other_content_types_and_compressed_bodies_are_refused() {
    let server = Server::start();
    for headers in [
        &["Content-Type: text/plain"][..],
        &["Content-Type: application/json; charset=utf-16"],
        &[],
        &["Content-Type: application/json", "Content-Encoding: gzip"],
    ] {
        server
            .alice
            .call("POST", REISSUE, headers, b"{}")
            .refused(400, "InvalidMessage");
    }
}

#[test]
fn nasty_004_duplicate_keys_are_refused() {
    let server = Server::start();
    for body in [
        r#"{"csr":"a","csr":"b"}"#,
        r#"{"csr":"a","approver":{"email":"a","email":"b"}}"#,
    ] {
        server
            .alice
            .post_raw(REISSUE, body.as_bytes())
            .refused(400, "InvalidMessage");
    }
}

#[test]
fn nasty_005_006_unknown_and_unchangeable_fields_are_named() {
    let server = Server::start();
    for field in [
        "sans", "notAfter", "serial", "country", "product", "period", "customer",
    ] {
        let answer = server
            .alice
            .post(REISSUE, &json!({"csr": "x", field: "NL"}));
        let answer = answer.refused(400, "UnrecognizedPropertyException");
        assert_eq!(answer["property"], field);
    }
    let answer = server
        .alice
        .post(REISSUE, &json!({"csr": 1}))
        .refused(400, "UnrecognizedPropertyException");
    assert_eq!(answer["property"], "csr", "a wrong type");
}

#[test]
fn d_13_nobody_can_say_that_a_name_is_validated_already() {
    let server = Server::start();
    for field in ["validated", "validations", "authorizations", "dcvStatus"] {
        let answer = server
            .alice
            .post(REISSUE, &json!({"csr": "x", field: true}))
            .refused(400, "UnrecognizedPropertyException");
        assert_eq!(answer["property"], field);
    }
    for field in ["status", "validated"] {
        let entry = json!({"commonName": "reseal.dev", "type": "DNS", field: "VALIDATED"});
        let answer = server
            .alice
            .post(REISSUE, &json!({"csr": "x", "dcv": [entry]}))
            .refused(400, "UnrecognizedPropertyException");
        let property = answer["property"].as_str().unwrap();
        assert!(property.ends_with(field), "{property}");
    }
}

#[test]
fn nasty_007_deep_nesting_huge_numbers_and_lone_surrogates_are_refused() {
    let server = Server::start();
    let deep = format!("{{\"csr\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
    for body in [&*deep, r#"{"csr":1e999}"#, r#"{"csr":"\ud800"}"#] {
        let reply = server.alice.post_raw(REISSUE, body.as_bytes());
        reply.refused(400, "InvalidMessage");
    }
}

#[test]
fn nasty_008_an_absent_a_null_and_an_empty_san_differ() {
    let server = Server::start();
    let names_with = |body: serde_json::Value| {
        let id = server.certificate();
        let mut body = body;
        body["csr"] = csr(&["reseal.dev"]).into();
        let new = server
            .alice
            .post(&format!("/v2/ssl/certificates/{id}/reissue"), &body)
            .expect(201)["certificateId"]
            .clone();
        server
            .alice
            .get(&format!("/v2/ssl/certificates/{new}"))
            .expect(200)["san"]
            .to_string()
            .contains("www.reseal.dev")
    };
    assert!(names_with(json!({})));
    assert!(names_with(json!({"san": null})));
    assert!(!names_with(json!({"san": []})));
}

#[test]
fn nasty_009_strange_ids_are_refused() {
    let server = Server::start();
    let body = json!({"csr": csr(&["reseal.dev"])});
    for id in [
        "0",
        "-1",
        "1e3",
        "9223372036854775808",
        "12;drop",
        "%2e%2e",
        "1.0",
        "%00",
        "x",
    ] {
        let reply = server
            .alice
            .post(&format!("/v2/ssl/certificates/{id}/reissue"), &body);
        reply.refused(400, "ObjectDoesNotExist");
        let reply = server.alice.get(&format!("/v2/processes/{id}"));
        reply.refused(400, "ObjectDoesNotExist");
    }
    // More segments than an id has are another path.
    let reply = server
        .alice
        .post("/v2/ssl/certificates/../1/reissue", &body);
    reply.refused(404, "ObjectDoesNotExist");
}

#[test]
fn nasty_010_anothers_certificate_answers_byte_for_byte_like_none() {
    let server = Server::start();
    let id = server.certificate();
    let body = json!({"csr": csr(&["reseal.dev"])});
    let ask = |id: i64| {
        let reply = server
            .bob
            .post(&format!("/v2/ssl/certificates/{id}/reissue"), &body);
        reply.refused(400, "ObjectDoesNotExist");
        let is_its_own =
            |line: &&str| line.starts_with("x-request-id:") || line.starts_with("date:");
        let head: Vec<_> = reply
            .head
            .lines()
            .filter(|line| !is_its_own(line))
            .collect();
        format!("{head:?} {}", reply.text()).replace(&format!(" {id} "), " ID ")
    };
    // As many digits, so that even the lengths are the same.
    assert_eq!(ask(id), ask(id + 1));
    // A wrong body is no way to find out either.
    let wrong = |id: i64| {
        let path = format!("/v2/ssl/certificates/{id}/reissue");
        server
            .bob
            .post(&path, &json!({"csr": "x", "san": ["-"]}))
            .text()
    };
    assert_eq!(wrong(id), wrong(id + 1));
}

#[test]
fn nasty_011_a_key_opens_no_account_but_its_own() {
    let server = Server::start();
    let id = server.certificate();
    let order = |customer: &str| {
        let body = json!({"customer": customer, "product": "ssl_dv", "period": 12, "csr": csr(&["reseal.dev"])});
        let reply = server.bob.post("/v2/ssl/certificates", &body);
        reply
            .refused(400, "ObjectDoesNotExist")
            .to_string()
            .replace(customer, "WHO")
    };
    assert_eq!(order("alice"), order("nobody"));
    let import = |customer: &str| {
        let body = json!({"customer": customer, "certificate": self_signed("x.dev")});
        let reply = server.bob.post("/v2/ssl/import", &body);
        reply
            .refused(400, "ObjectDoesNotExist")
            .to_string()
            .replace(customer, "WHO")
    };
    assert_eq!(import("alice"), import("nobody"));
    let list = |customer: &str, rest: &str| {
        let reply = server
            .bob
            .get(&format!("/v2/customers/{customer}/certificates{rest}"));
        reply
            .refused(400, "ObjectDoesNotExist")
            .to_string()
            .replace(customer, "WHO")
    };
    assert_eq!(list("alice", ""), list("nobody", ""));
    let one = format!("/{id}");
    assert_eq!(list("alice", &one), list("nobody", &one));
}

#[test]
fn nasty_012_only_a_living_key_in_the_header_opens() {
    let server = Server::start();
    let path = "/v2/ssl/products";
    server
        .with_revoked_key()
        .get(path)
        .refused(401, "AuthenticationError");
    for key in ["", "x", "YWxpY2UvYXBpOng="] {
        let client = Client {
            key: key.to_owned(),
            ..server.alice.clone()
        };
        client.get(path).refused(401, "AuthenticationError");
    }
    let in_query = format!("{path}?apiKey={}", server.alice.key);
    exchange(server.alice.address, &request("GET", &in_query, &[], b""))
        .refused(401, "AuthenticationError");
}

#[test]
fn nasty_143_unknown_download_formats_are_refused() {
    let server = Server::start();
    let id = server.certificate();
    for format in ["../../", "PEM", "crt%00", ""] {
        server
            .alice
            .get(&format!(
                "/v2/ssl/certificates/{id}/download?format={format}"
            ))
            .violates("format");
    }
}

#[test]
fn nasty_144_control_and_bidirectional_characters_in_texts_are_refused() {
    let server = Server::start();
    let id = server.certificate();
    let path = format!("/v2/ssl/certificates/{id}/reissue?quote=true");
    let send = |text: &str| {
        server.alice.post(
            &path,
            &json!({"csr": csr(&["reseal.dev"]), "organization": text}),
        )
    };
    for text in ["a\u{202e}b", "a\u{0}b", "a\nb", "a\u{7f}b"] {
        send(text).violates("organization");
    }
    for text in ["<script>", "=cmd()"] {
        send(text).expect(200);
    }
}

#[test]
fn nasty_145_languages_are_those_of_the_list() {
    let server = Server::start();
    let id = server.certificate();
    let path = format!("/v2/ssl/certificates/{id}/reissue?quote=true");
    let send = |language: serde_json::Value| {
        server.alice.post(
            &path,
            &json!({"csr": csr(&["reseal.dev"]), "language": language}),
        )
    };
    for language in ["XX", "ENG", "en-GB"] {
        send(language.into()).violates("language");
    }
    for language in [
        "EN", "NL", "FR", "CN", "DE", "IT", "JP", "KR", "PT", "RU", "ES", "DK", "SE", "TR", "en",
    ] {
        send(language.into()).expect(200);
    }
    send(json!(null)).expect(200);
}
