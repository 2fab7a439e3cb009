//! A store that does not answer: later, and never a wrong good.

use std::thread;
use std::time::{Duration, Instant};

use super::client::{Client, answering, fields, refused};
use crate::support::database::is_postgres;
use crate::support::server::Server;

#[test]
fn x_9_without_the_store_nothing_is_said_but_later() {
    let server = answering();
    let (good, bad) = (server.certificate(), server.certificate());
    let client = Client::of(&server);
    let leaves = [client.leaf(good), client.leaf(bad)];
    let path = format!("/v2/ssl/certificates/{bad}");
    assert_eq!(server.alice.delete(&path).status, 200);
    let requests: Vec<_> = leaves
        .iter()
        .map(|leaf| client.request(&["-cert", leaf, "-no_nonce"]))
        .collect();
    let unknown = client.request(&["-serial", "0x1234567890", "-no_nonce"]);
    let database = server.database();

    database.run("ALTER TABLE certificate RENAME TO certificate_away");
    for der in requests.iter().chain([&unknown]) {
        refused(&client.post(der), 3);
        refused(&client.get(der, &["If-None-Match: *"]), 3);
    }
    database.run("ALTER TABLE certificate_away RENAME TO certificate");
    // The list has the last word on what is revoked.
    database.run("ALTER TABLE crl_entry RENAME TO crl_entry_away");
    refused(&client.post(&requests[1]), 3);
    refused(&client.post(&unknown), 3);
    let said = client.asked(&["-cert", &leaves[0]]);
    assert_eq!(fields(&said, "Cert Status:"), ["good"]);
    database.run("ALTER TABLE crl_entry_away RENAME TO crl_entry");
    let said = client.asked(&["-cert", &leaves[1]]);
    assert_eq!(fields(&said, "Cert Status:"), ["revoked"]);
}

#[test]
fn x_9_a_responder_that_cannot_be_recorded_does_not_answer() {
    let server = answering();
    let id = server.certificate();
    let client = Client::of(&server);
    let leaf = client.leaf(id);
    let der = client.request(&["-cert", &leaf, "-no_nonce"]);
    let database = server.database();
    database.run("ALTER TABLE audit RENAME TO audit_away");
    refused(&client.post(&der), 3);
    database.run("ALTER TABLE audit_away RENAME TO audit");
    // Nobody makes it try more often.
    thread::sleep(Duration::from_millis(1100));
    let said = client.asked(&["-cert", &leaf]);
    assert_eq!(fields(&said, "Cert Status:"), ["good"]);
}

#[test]
fn x_9_a_store_that_is_slow_is_not_waited_for_without_end() {
    // A reader of SQLite waits for nobody.
    if !is_postgres() {
        return;
    }
    let server = answering();
    let id = server.certificate();
    let client = Client::of(&server);
    let leaf = client.leaf(id);
    let der = client.request(&["-cert", &leaf, "-no_nonce"]);
    assert!(client.post(&der).header("etag").is_some());
    thread::scope(|scope| {
        scope.spawn(|| {
            server.database().run(
                "BEGIN; LOCK TABLE certificate IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(9); COMMIT",
            );
        });
        thread::sleep(Duration::from_millis(500));
        let begun = Instant::now();
        refused(&client.post(&der), 3);
        assert!(begun.elapsed() < Duration::from_secs(8));
    });
    answers_again(&server, &leaf);
}

fn answers_again(server: &Server, leaf: &str) {
    let client = Client::of(server);
    let said = client.asked(&["-cert", leaf]);
    assert_eq!(fields(&said, "Cert Status:"), ["good"]);
}
