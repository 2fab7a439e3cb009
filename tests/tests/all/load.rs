//! More calls than can be carried out: refused at once, with nothing done, while reads go on.

#![expect(
    clippy::unwrap_used,
    reason = "what is wrong here fails a test; the lint knows test functions only"
)]

use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::csr::csr;
use crate::support::http::{Client, Reply, exchange_in_trouble};
use crate::support::server::Server;

fn reissue(client: &Client, certificate: i64, key: &str) -> Reply {
    let path = format!("/v2/ssl/certificates/{certificate}/reissue");
    let body = json!({"csr": csr(&["reseal.dev"])}).to_string();
    let key = format!("Idempotency-Key: {key}");
    let headers = ["Content-Type: application/json", key.as_str()];
    let request = client.bytes("POST", &path, &headers, body.as_bytes());
    exchange_in_trouble(client.address, &request)
}

/// Refused in less than a moment; the seconds to stay away.
#[track_caller]
fn turned_away(call: impl FnOnce() -> Reply) -> u64 {
    let began = Instant::now();
    let reply = call();
    let answer = reply.refused(503, "ProviderUnavailable");
    assert!(began.elapsed() < Duration::from_millis(900), "{answer}");
    let message = answer["message"].as_str().unwrap();
    assert!(message.contains("nothing was done"), "{message}");
    reply.header("retry-after").unwrap().parse().unwrap()
}

/// With one line for the table `server`, and the store held up since `held`: a further reissue is turned away, while reads go
/// on. Once the store goes on, the first one and, by the key of the one turned away, another one are carried out. The
/// seconds that it was told to stay away.
fn turned_away_with(line: &str, held: Duration) -> u64 {
    let server = Server::configured(&format!("[server]\n{line}"));
    let id = server.certificate();
    let lock = server.database().hold_up();
    let client = server.alice.clone();
    let first = thread::spawn(move || reissue(&client, id, "first"));
    thread::sleep(held);
    let wait = turned_away(|| reissue(&server.alice, id, "second"));
    let path = format!("/v2/ssl/certificates/{id}");
    assert_eq!(server.alice.get(&path).expect(200)["status"], "ACTIVE");
    drop(lock);
    let first = first.join().unwrap().expect(201);
    let next = first["certificateId"].as_i64().unwrap();
    reissue(&server.alice, next, "second").expect(201);
    wait
}

#[test]
fn while_all_places_are_taken_others_are_turned_away_and_reads_go_on() {
    let wait = turned_away_with("open_calls = 1", Duration::from_millis(500));
    assert_eq!(wait, 1);
}

#[test]
fn while_writes_wait_too_long_no_other_is_begun() {
    let wait = turned_away_with("longest_wait = \"1s\"", Duration::from_millis(2_500));
    assert!((2..=30).contains(&wait), "{wait}");
}
