//! `Idempotency-Key`: what is sent twice is done once (design.md section 5).

use std::thread;

use serde_json::{Value, json};

use crate::support::csr::{csr, self_signed};
use crate::support::http::{Client, Reply};
use crate::support::server::Server;

fn post(client: &Client, path: &str, key: &str, body: &Value) -> Reply {
    let key = format!("Idempotency-Key: {key}");
    let headers = ["Content-Type: application/json", key.as_str()];
    client.call("POST", path, &headers, body.to_string().as_bytes())
}

fn processes(client: &Client) -> Value {
    client.get("/v2/processes?limit=0").expect(200)["pagination"]["total"].clone()
}

#[test]
fn r_9_the_same_reissue_again_gives_the_same_answer() {
    let server = Server::start();
    let id = server.certificate();
    let path = format!("/v2/ssl/certificates/{id}/reissue");
    let body = json!({"csr": csr(&["reseal.dev"])});
    let first = post(&server.alice, &path, "k-1", &body);
    first.expect(201);
    let before = processes(&server.alice);
    // With a trailing slash it is the same path.
    for path in [path.clone(), format!("{path}/")] {
        let again = post(&server.alice, &path, "k-1", &body);
        assert_eq!(again.status, 201);
        assert_eq!(again.body, first.body);
        for header in ["x-process-id", "location", "content-type"] {
            assert_eq!(again.header(header), first.header(header), "{header}");
        }
    }
    assert_eq!(processes(&server.alice), before);
    // Without the key, or with another, it is a second reissue of a certificate that has a successor.
    for reply in [
        server.alice.post(&path, &body),
        post(&server.alice, &path, "k-2", &body),
    ] {
        reply.refused(400, "ObjectStatusProhibitsOperation");
    }
}

#[test]
fn nasty_015_another_body_under_the_same_key_is_refused() {
    let server = Server::start();
    let body = |name: &str| json!({"customer": "alice", "product": "ssl_dv_md", "period": 12, "csr": csr(&[name])});
    let first = post(
        &server.alice,
        "/v2/ssl/certificates",
        "order 7",
        &body("one.dev"),
    );
    first.expect(202);
    let refused = post(
        &server.alice,
        "/v2/ssl/certificates",
        "order 7",
        &body("two.dev"),
    );
    let message = refused.refused(400, "ValidationError")["message"].to_string();
    assert!(message.contains("Idempotency-Key"), "{message}");
    assert_eq!(processes(&server.alice), 1);
    // The key is the customer's own.
    let mut theirs = body("two.dev");
    theirs["customer"] = "bob".into();
    let reply = post(&server.bob, "/v2/ssl/certificates", "order 7", &theirs);
    reply.expect(202);
}

#[test]
fn r_9_the_same_call_at_the_same_moment_is_carried_out_once() {
    let server = Server::start();
    let body = json!({"customer": "alice", "product": "ssl_dv_md", "period": 12, "csr": csr(&["one.dev"])});
    let replies: Vec<Reply> = thread::scope(|scope| {
        let call = || post(&server.alice, "/v2/ssl/certificates", "k", &body);
        let calls: Vec<_> = (0..6).map(|_| scope.spawn(call)).collect();
        calls.into_iter().map(|call| call.join().unwrap()).collect()
    });
    for reply in &replies {
        assert_eq!(reply.status, 202, "{}", reply.text());
        assert_eq!(reply.process(), replies[0].process());
    }
    assert_eq!(processes(&server.alice), 1);
}

#[test]
fn a_refusal_leaves_the_key_free() {
    let server = Server::start();
    let mut body = json!({"customer": "alice", "product": "ssl_dv_md", "period": 12, "csr": "x"});
    let bad = post(&server.alice, "/v2/ssl/certificates", "k", &body);
    bad.refused(400, "InvalidCSRException");
    body["csr"] = csr(&["one.dev"]).into();
    post(&server.alice, "/v2/ssl/certificates", "k", &body).expect(202);
}

#[test]
fn an_unusable_key_is_refused_and_other_methods_take_no_notice() {
    let server = Server::start();
    let long = "k".repeat(256);
    for key in ["", long.as_str(), "schl\u{fc}ssel"] {
        let reply = post(&server.alice, "/v2/ssl/decodecsr", key, &json!({}));
        reply.refused(400, "ValidationError");
    }
    let reply = server
        .alice
        .call("GET", "/v2/processes", &["Idempotency-Key: k"], b"");
    reply.expect(200);
}

/// Calls that open no process are answered again too, bodiless answers as well.
#[test]
fn every_post_takes_a_key() {
    let server = Server::start();
    let request = json!({"customer": "alice", "product": "ssl_dv_md", "period": 12, "csr": csr(&["one.dev"])});
    let process = server
        .alice
        .post("/v2/ssl/certificates", &request)
        .process();
    for (path, body) in [
        (
            "/v2/ssl/decodecsr".to_owned(),
            json!({"csr": csr(&["one.dev"])}),
        ),
        (format!("/v2/processes/{process}/resend"), json!({})),
    ] {
        let replies = [(); 2].map(|()| post(&server.alice, &path, &path, &body));
        assert_eq!(replies[0].status, 200, "{}", replies[0].text());
        assert_eq!(replies[0].body, replies[1].body);
    }
    let timeline = server
        .alice
        .get(&format!("/v2/processes/{process}/timeline"))
        .text();
    assert_eq!(
        timeline.matches(r#""event":"resent""#).count(),
        1,
        "{timeline}"
    );
}

/// A flag that the route does not know makes nothing of the key.
#[test]
fn r_9_only_what_only_asks_is_carried_out_again() {
    let server = Server::start();
    for path in ["/v2/ssl/import?dryRun=true", "/v2/ssl/import?quote=true"] {
        let import = json!({"customer": "alice", "certificate": self_signed("elsewhere.dev")});
        let replies = [(); 2].map(|()| post(&server.alice, path, path, &import));
        assert_eq!(replies[1].status, 201, "{}", replies[1].text());
        assert_eq!(replies[0].process(), replies[1].process());
    }
    let campaign = json!({"where": "id=0", "key": "notify", "deadline": "2099-01-01T00:00:00Z", "reason": "drill"});
    let path = "/v2/ssl/campaigns?quote=true";
    let replies = [(); 2].map(|()| post(&server.operator, path, "drill", &campaign).expect(201));
    assert_eq!(replies[0]["id"], replies[1]["id"]);
    let path = "/v2/ssl/campaigns?dryRun=true";
    for _ in 0..2 {
        post(&server.operator, path, "plan", &campaign).expect(200);
    }
    let kept = server.operator.get("/v2/ssl/campaigns").expect(200);
    assert_eq!(kept["entities"].as_array().unwrap().len(), 1);
}
