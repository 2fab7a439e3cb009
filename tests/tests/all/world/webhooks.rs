//! Notifications sent to a receiver over real HTTP: signed, in order, again until they are taken.

use std::fs;
use std::net::Ipv4Addr;
use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::support::csr::csr;
use crate::support::http::Client;
use crate::support::receiver::{Message, Receiver};
use crate::support::server::{Server, reseal};

const OPEN: &str =
    "[webhook]\nallow_networks = [\"127.0.0.0/8\"]\nallow_http = true\ntimeout = \"3s\"\n";
const WEBHOOK: &str = "/v2/customers/alice/webhook";

/// Sets the webhook of `customer`; the secret that was made.
#[track_caller]
fn set(client: &Client, customer: &str, url: &str) -> String {
    let path = format!("/v2/customers/{customer}/webhook");
    let answer = client.post(&path, &json!({ "url": url })).expect(200);
    answer["secret"].as_str().unwrap().to_owned()
}

/// Asks for a certificate and withdraws that: the process.
#[track_caller]
fn ask_and_withdraw(client: &Client, customer: &str) -> i64 {
    let body = json!({"customer": customer, "product": "ssl_dv", "period": 12, "csr": csr(&["reseal.dev"])});
    let reply = client.post("/v2/ssl/certificates", &body);
    reply.expect(202);
    let path = format!("/v2/processes/{}", reply.process());
    assert_eq!(client.delete(&path).status, 200);
    reply.process()
}

/// What a customer's list has, oldest first.
#[track_caller]
fn listed(client: &Client, customer: &str) -> Vec<Value> {
    let path = format!("/v2/customers/{customer}/notifications?order=id&limit=250");
    let list = client.get(&path).expect(200);
    list["entities"].as_array().unwrap().clone()
}

fn ids(messages: &[Message]) -> Vec<i64> {
    messages
        .iter()
        .map(|message| message.json()["id"].as_i64().unwrap())
        .collect()
}

#[track_caller]
fn is_signed(message: &Message, secret: &str) {
    let signature = STANDARD
        .decode(message.header("signature").unwrap())
        .unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    hmac::verify(&key, &message.body, &signature).unwrap();
}

#[test]
fn notifications_come_signed_and_in_order_as_they_are_listed() {
    let server = Server::configured(OPEN);
    let receiver = Receiver::start();
    let secret = set(&server.alice, "alice", &receiver.url());
    receiver.answer(&[200, 201, 202]);
    server.certificate();
    let told = listed(&server.alice, "alice");
    let messages = receiver.wait_for(told.len());
    let expected: Vec<_> = told.iter().map(|one| one["id"].as_i64().unwrap()).collect();
    assert_eq!(ids(&messages), expected);
    for (message, listed) in messages.iter().zip(&told) {
        is_signed(message, &secret);
        assert!(message.head.starts_with("POST /hook HTTP/1.1\r\n"));
        assert_eq!(message.header("content-type"), Some("application/json"));
        let mut listed = listed.clone();
        listed.as_object_mut().unwrap().remove("deliveryDate");
        assert_eq!(message.json(), listed);
    }
    server.wait_until(WEBHOOK, |webhook| webhook["waiting"] == 0);
    for one in listed(&server.alice, "alice") {
        assert!(one["deliveryDate"].is_string(), "{one}");
        assert_eq!(one.get("acknowledgeDate"), None);
    }
}

#[test]
fn a_failed_one_is_sent_again_before_those_behind_it_and_after_a_restart() {
    let mut server = Server::configured(OPEN);
    let receiver = Receiver::start();
    let secret = set(&server.alice, "alice", &receiver.url());
    receiver.answer(&[500]);
    ask_and_withdraw(&server.alice, "alice");
    let first = receiver.wait_for(1).remove(0);
    let webhook = server.wait_until(WEBHOOK, |webhook| webhook["failures"] == 1);
    let reason = webhook["lastError"].as_str().unwrap();
    assert!(
        reason.contains("saw 500") && reason.contains("said"),
        "{reason}"
    );
    assert!(webhook["nextAttemptDate"].is_string());
    assert!(webhook["waiting"].as_i64() >= Some(2), "{webhook}");

    server.restart_at("");
    let count = listed(&server.alice, "alice").len();
    let messages = receiver.wait_for(count + 1);
    assert_eq!(ids(&messages[1..2]), ids(&messages[..1]));
    assert_eq!(messages[1].body, first.body);
    let waited = messages[1].at - first.at;
    assert!(waited >= Duration::from_secs(9), "{waited:?}");
    let in_order: Vec<_> = ids(&messages[1..]);
    assert!(in_order.is_sorted(), "{in_order:?}");
    for message in &messages {
        is_signed(message, &secret);
    }
    let webhook = server.wait_until(WEBHOOK, |webhook| webhook["waiting"] == 0);
    assert_eq!(webhook["failures"], 0);
    assert_eq!(webhook.get("lastError"), None);
}

#[test]
fn a_dead_receiver_delays_its_own_customer_only() {
    let server = Server::configured(OPEN);
    let (dead, alive) = (Receiver::start(), Receiver::start());
    dead.die();
    set(&server.alice, "alice", &dead.url());
    set(&server.bob, "bob", &alive.url());
    ask_and_withdraw(&server.alice, "alice");
    let stuck = dead.wait_for(1).remove(0);
    ask_and_withdraw(&server.bob, "bob");
    let messages = alive.wait_for(2);
    let last = &messages[1];
    assert!(
        last.at - stuck.at < Duration::from_secs(3),
        "before the dead one is given up"
    );
    assert_eq!(last.json()["customer"], "bob");
    assert_eq!(dead.messages().len(), 1);
}

#[test]
fn nasty_142_private_addresses_are_refused_unless_allowed() {
    let server = Server::configured("[webhook]\nallow_http = true\n");
    let receiver = Receiver::start();
    let set = |url: &str| server.alice.post(WEBHOOK, &json!({ "url": url }));
    for url in [receiver.url(), "http://169.254.169.254/".to_owned()] {
        let answer = set(&url).violates("url");
        let message = answer["violations"][0]["message"].as_str().unwrap();
        assert!(message.contains("not a public address"), "{message}");
    }
    // A name that leads there is refused when it is sent to.
    server.dns.a("hooks.reseal.dev", Ipv4Addr::LOCALHOST);
    let port = receiver.address.port();
    set(&format!("http://hooks.reseal.dev:{port}/")).expect(200);
    ask_and_withdraw(&server.alice, "alice");
    let webhook = server.wait_until(WEBHOOK, |webhook| webhook["failures"] == 1);
    let reason = webhook["lastError"].as_str().unwrap();
    assert!(
        reason.contains("127.0.0.1 is not a public address"),
        "{reason}"
    );
    assert_eq!(receiver.messages().len(), 0);
}

#[test]
fn a_webhook_is_its_customers_and_its_secret_is_never_shown_again() {
    let server = Server::configured(OPEN);
    let url = "http://127.0.0.1:9999/";
    server.alice.get(WEBHOOK).refused(400, "ObjectDoesNotExist");
    server
        .alice
        .delete(WEBHOOK)
        .refused(400, "ObjectDoesNotExist");
    let body =
        json!({"url": url, "secret": "0123456789abcdef", "username": "u", "password": "p4ssw0rd"});
    let answer = server.alice.post(WEBHOOK, &body).expect(200);
    assert_eq!(answer.get("secret"), None);
    let shown = server.alice.get(&format!("{WEBHOOK}/")).expect(200);
    assert_eq!(
        (&shown["url"], &shown["username"]),
        (&json!(url), &json!("u"))
    );
    for text in [answer.to_string(), shown.to_string()] {
        assert!(
            !text.contains("0123456789abcdef") && !text.contains("p4ssw0rd"),
            "{text}"
        );
    }
    server.alice.post(WEBHOOK, &json!({})).violates("url");
    server
        .alice
        .post(WEBHOOK, &json!({"url": url, "secret": "short"}))
        .violates("secret");
    for method in ["GET", "DELETE", "POST"] {
        let headers = ["Content-Type: application/json"];
        let body = json!({ "url": url }).to_string();
        let [foreign, unknown] = ["alice", "nobody"].map(|customer| {
            let path = format!("/v2/customers/{customer}/webhook");
            let reply = server.bob.call(method, &path, &headers, body.as_bytes());
            reply.refused(400, "ObjectDoesNotExist");
            reply.body
        });
        assert_eq!(foreign, unknown, "{method}");
    }
    server
        .operator
        .post("/v2/customers/nobody/webhook", &json!({ "url": url }))
        .refused(400, "ObjectDoesNotExist");
    let removed = server.alice.delete(WEBHOOK);
    assert_eq!((removed.status, removed.body.len()), (200, 0));
    server.alice.get(WEBHOOK).refused(400, "ObjectDoesNotExist");
}

#[test]
fn the_command_line_sets_shows_lists_and_removes_while_the_server_runs() {
    let server = Server::configured(OPEN);
    let receiver = Receiver::start();
    let data = server.data();
    let run = |arguments: &[&str]| {
        let all = [&["webhook"], arguments, &["--data", data.to_str().unwrap()]].concat();
        reseal(&all)
    };
    let url = receiver.url();
    let secret = run(&["set", "--customer", "alice", "--url", &url]);
    assert!(secret.len() == 43 && !secret.contains(' '), "{secret}");
    let process = ask_and_withdraw(&server.alice, "alice");
    let messages = receiver.wait_for(2);
    is_signed(&messages[0], &secret);
    assert_eq!(messages[0].json()["process"], process);

    let file = data.join("secret");
    fs::write(&file, "a secret of the customer's\n").unwrap();
    let password = data.join("password");
    fs::write(&password, "open sesame").unwrap();
    let made = run(&[
        "set",
        "--customer",
        "alice",
        "--url",
        &url,
        "--secret-file",
        file.to_str().unwrap(),
        "--username",
        "ali",
        "--password-file",
        password.to_str().unwrap(),
    ]);
    assert_eq!(made, "");
    ask_and_withdraw(&server.alice, "alice");
    let count = listed(&server.alice, "alice").len();
    let last = receiver.wait_for(count).pop().unwrap();
    is_signed(&last, "a secret of the customer's");
    let login = format!("Basic {}", STANDARD.encode("ali:open sesame"));
    assert_eq!(last.header("authorization"), Some(&*login));

    let shown = run(&["show", "--customer", "alice"]);
    let list = run(&["list"]);
    assert!(shown.contains(&url) && shown.contains("ok"), "{shown}");
    assert!(list.starts_with("alice\t") && list.contains(&url), "{list}");
    for text in [shown, list] {
        assert!(
            !text.contains("secret of") && !text.contains("sesame"),
            "{text}"
        );
    }
    run(&["remove", "--customer", "alice"]);
    assert_eq!(run(&["list"]), "");
    ask_and_withdraw(&server.alice, "alice");
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(receiver.messages().len(), count);
}
