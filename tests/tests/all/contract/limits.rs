//! Rates: 429 in the contract's two types, with `Retry-After` (contract.md section 2, design decision 17).

use serde_json::json;

use crate::support::csr::csr;
use crate::support::http::{Client, Reply, exchange, request};
use crate::support::server::Server;

fn limited(lines: &str) -> Server {
    Server::limiting(&format!("enabled = true\n{lines}"))
}

/// The first refusal among `attempts` calls.
#[track_caller]
fn refusal(attempts: usize, call: impl Fn() -> Reply) -> Reply {
    (0..attempts)
        .map(|_| call())
        .find(|reply| reply.status == 429)
        .unwrap_or_else(|| panic!("{attempts} calls were taken"))
}

#[track_caller]
fn waits(reply: &Reply, at_most: u64) {
    let seconds: u64 = reply.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=at_most).contains(&seconds), "{seconds}");
}

#[test]
fn too_many_calls_of_a_key_are_refused_and_others_are_not() {
    let server = limited("per_key = 1");
    let reply = refusal(20, || server.alice.get("/v2/processes"));
    reply.refused(429, "TooManyRequests");
    waits(&reply, 1);
    server.bob.get("/v2/processes").expect(200);
}

#[test]
fn the_keys_of_a_customer_share_its_measure() {
    let server = limited("per_customer = 1");
    refusal(20, || server.alice.get("/v2/processes"));
    let key = server.another_key("alice");
    let second = Client {
        key,
        ..server.alice.clone()
    };
    second.get("/v2/processes").refused(429, "TooManyRequests");
}

#[test]
fn failed_authentications_are_limited_and_the_right_key_is_not_shut_out() {
    let server = limited("failed_authentications = 2");
    let stranger = Client {
        key: "bm9ib2R5".into(),
        ..server.alice.clone()
    };
    stranger
        .get("/v2/processes")
        .refused(401, "AuthenticationError");
    let reply = refusal(20, || stranger.get("/v2/processes"));
    reply.refused(429, "AuthenticationRatelimitedError");
    waits(&reply, 30);
    server.alice.get("/v2/processes").expect(200);
}

#[test]
fn r_13_nasty_031_a_loop_of_reissues_is_stopped() {
    let server = limited("reissues_per_day = 3");
    let mut id = server.certificate();
    let mut reissue = || {
        let path = format!("/v2/ssl/certificates/{id}/reissue");
        let reply = server
            .alice
            .post(&path, &json!({"csr": csr(&["reseal.dev"])}));
        if reply.status == 201 {
            id = reply.json()["certificateId"].as_i64().unwrap();
        }
        reply
    };
    reissue().expect(201);
    reissue().expect(201);
    let reply = reissue();
    reply.refused(429, "TooManyRequests");
    waits(&reply, 24 * 60 * 60);
    let seconds: u64 = reply.header("retry-after").unwrap().parse().unwrap();
    assert!(seconds > 23 * 60 * 60, "{seconds}");
    // A quote is no reissue, and the certificate is what it was.
    let path = format!("/v2/ssl/certificates/{id}");
    let body = json!({"csr": csr(&["reseal.dev"])});
    server
        .alice
        .post(&format!("{path}/reissue?quote=true"), &body)
        .expect(200);
    assert_eq!(server.alice.get(&path).expect(200)["status"], "ACTIVE");
}

#[test]
fn d_19_nasty_134_links_cannot_be_guessed_and_a_good_one_is_never_shut_out() {
    let server = limited("failed_authentications = 5");
    let visit = |path: &str| {
        let bytes = request("GET", path, &[], b"");
        exchange(server.alice.address, &bytes)
    };
    let body = json!({"customer": "alice", "product": "ssl_dv", "period": 12, "csr": csr(&["reseal.dev"]),
        "dcv": [{"commonName": "reseal.dev", "type": "EMAIL", "email": "admin@reseal.dev"}]});
    server.alice.post("/v2/ssl/certificates", &body).expect(202);
    let link = server.wait_for_link(1);
    let token = link.rsplit('/').next().unwrap();
    // 128 bits, as hexadecimal digits.
    assert_eq!(token.len(), 32);
    assert!(token.bytes().all(|byte| byte.is_ascii_hexdigit()));

    let mut statuses = Vec::new();
    for number in 0..12 {
        statuses.push(visit(&format!("/dcv/approve/{number:032x}")).status);
    }
    assert_eq!(statuses[..10], [404; 10]);
    assert_eq!(statuses[10..], [429; 2]);
    let refused = visit(&format!("/agreement/{:032x}", 1));
    assert_eq!(refused.status, 429);
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    assert_eq!(visit(&format!("/dcv/approve/{token}")).status, 200);
}
