//! The audit log of a running server, as the command line shows and checks it.

#![expect(
    clippy::unwrap_used,
    reason = "what is wrong here fails a test; the lint knows test functions only"
)]

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::csr::csr;
use crate::support::database::is_postgres;
use crate::support::http::Client;
use crate::support::server::{Server, binary, reseal};

/// Everything in the log.
fn entries(server: &Server) -> Vec<Value> {
    let data = server.data();
    let text = reseal(&["audit", "export", "--data", data.to_str().unwrap()]);
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn with_action(server: &Server, action: &str) -> Vec<Value> {
    let mut entries = entries(server);
    entries.retain(|entry| entry["action"] == action);
    entries
}

#[test]
fn a_1_a_10_the_life_of_a_certificate_is_in_the_log_with_its_evidence() {
    let server = Server::start();
    let id = server.certificate();
    let request = csr(&["reseal.dev"]);
    let reply = server.alice.post(
        &format!("/v2/ssl/certificates/{id}/reissue"),
        &json!({"csr": request}),
    );
    let successor = server.finish(&reply);
    server
        .alice
        .delete(&format!("/v2/ssl/certificates/{successor}"));
    server
        .operator
        .delete(&format!("/v2/ssl/certificates/{id}"));

    let entries = entries(&server);
    let find = |action: &str, event: &str| -> &Value {
        let found = entries.iter().find(|entry| {
            entry["action"] == action && entry["detail"]["events"].get(event).is_some()
        });
        found.unwrap_or_else(|| panic!("no {action} with {event}: {entries:#?}"))
    };
    let opened = find("request.opened", "accepted");
    assert_eq!(opened["detail"]["customer"], "alice");
    assert!(
        opened["actor"].as_str().unwrap().starts_with("alice/"),
        "{opened}"
    );
    assert_eq!(opened["events"][0]["kind"]["event"], "accepted");
    let proved = find("request.step", "proved");
    assert_eq!(proved["actor"], "reseal");
    let attempt = proved["events"]
        .as_array()
        .unwrap()
        .iter()
        .find(|event| event["kind"]["event"] == "attempt");
    assert!(
        attempt.unwrap()["kind"]["evidence"].is_object()
            || attempt.unwrap()["kind"]["evidence"].is_array(),
        "{proved}"
    );
    // what the signature rests on was written down before it was made.
    let reserved = find("request.step", "reserved");
    let events = reserved["events"].as_array().unwrap();
    let reserved = events
        .iter()
        .find(|event| event["kind"]["event"] == "reserved");
    let ticket = &reserved.unwrap()["kind"]["ticket"];
    assert_eq!(ticket["names"].as_array().unwrap().len(), 2, "{ticket}");
    for (field, length) in [("tbsSha256", 64), ("keySha256", 64)] {
        assert_eq!(ticket[field].as_str().unwrap().len(), length, "{ticket}");
    }
    find("request.ended", "issued");
    find("reissue.ended", "replaced");
    let revoked: Vec<&str> = entries
        .iter()
        .filter(|entry| entry["action"] == "revoke.done")
        .map(|entry| entry["actor"].as_str().unwrap().split('/').next().unwrap())
        .collect();
    assert_eq!(revoked, ["alice", "house"]);
    server.verify_audit();
}

#[test]
fn a_1_a_start_after_a_crash_and_what_changed_meanwhile_are_in_the_log() {
    let mut server = Server::start();
    assert_eq!(with_action(&server, "server.crash"), [] as [Value; 0]);
    let loaded = with_action(&server, "ca.key.load");
    let made = with_action(&server, "ca.key.create");
    assert_eq!(loaded[0]["detail"]["key"], made[1]["detail"]["key"]);
    server.change_catalogue(|catalogue| {
        catalogue.replacen("warranty = 50000", "warranty = 50001", 1)
    });
    let path = server.data().join("reseal.toml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{text}\n[webhook]\ntimeout = \"7s\"\n")).unwrap();
    // Killed, and started again.
    server.restart_at("");
    assert_eq!(with_action(&server, "server.start").len(), 2);
    assert_eq!(with_action(&server, "server.crash").len(), 1);
    let last = |action: &str| with_action(&server, action).pop().unwrap();
    assert_eq!(
        last("catalogue.change")["detail"]["changed"],
        json!(["ssl_ov"])
    );
    assert_eq!(
        last("configuration.change")["detail"]["changed"],
        json!(["webhook"])
    );

    // In order this time.
    server.terminate();
    assert_eq!(with_action(&server, "server.stop").len(), 1);
    server.restart_at("");
    assert_eq!(with_action(&server, "server.crash").len(), 1);
    let heads = fs::read_to_string(server.data().join("audit-heads.log")).unwrap();
    let occasions: Vec<&str> = heads
        .lines()
        .map(|line| line.split(' ').nth(1).unwrap())
        .collect();
    assert_eq!(occasions, ["start", "start", "stop", "start"]);
    let shown = server.verify_audit();
    assert!(shown.contains("4 noted heads found again"), "{shown}");
}

#[test]
fn a_1_calls_that_are_refused_for_who_makes_them_are_counted_in_the_log() {
    let mut server = Server::start();
    for key in ["", "bm90L2E6a2V5"] {
        for _ in 0..3 {
            let stranger = Client {
                key: key.to_owned(),
                ..server.alice.clone()
            };
            assert_eq!(stranger.get("/v2/processes").status, 401);
        }
    }
    assert_eq!(server.with_revoked_key().get("/v2/processes").status, 401);
    for _ in 0..2 {
        server
            .alice
            .get("/v2/blocked-keys")
            .refused(403, "AuthorizationError");
    }
    server.terminate();
    let refused = with_action(&server, "access.refused");
    let calls = |status: u16| -> u64 {
        let told = refused.iter().map(|entry| &entry["detail"]);
        told.filter(|told| told["status"] == status)
            .map(|told| told["calls"].as_u64().unwrap())
            .sum()
    };
    assert_eq!((calls(401), calls(403)), (7, 2), "{refused:?}");
    let actors: Vec<_> = refused.iter().map(|entry| &entry["actor"]).collect();
    assert!(actors.contains(&&json!("address/127.0.0.1")), "{actors:?}");
    assert!(
        actors
            .iter()
            .any(|actor| actor.as_str().unwrap().starts_with("alice/"))
    );
    assert!(!json!(refused).to_string().contains("bm90L2E6a2V5"));
}

#[test]
fn a_4_a_log_that_was_changed_beside_a_running_server_is_named() {
    let server = Server::start();
    server.certificate();
    server.verify_audit();
    let data = server.data();
    let table = if is_postgres() { "ON event" } else { "" };
    server.database().run(&format!(
        "DROP TRIGGER event_is_never_changed {table}; UPDATE event \
         SET kind = replace(kind, 'reseal.dev', 'victim.dev') WHERE kind LIKE '{{\"event\":\"proved\"%'"
    ));
    let output = Command::new(binary())
        .args(["audit", "verify", "--data", data.to_str().unwrap()])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("events of process "), "{text}");
    assert!(text.contains("was changed"), "{text}");
}

#[test]
fn c_2_a_key_that_was_shown_is_blocked_in_the_log() {
    let server = Server::start();
    let key = rcgen::KeyPair::generate().unwrap();
    let reply = server
        .alice
        .post("/v2/ssl/decodecsr", &json!({"csr": key.serialize_pem()}));
    assert_eq!(reply.status, 400);
    let blocked = with_action(&server, "key.block");
    assert_eq!(blocked.len(), 1, "{blocked:?}");
    assert!(blocked[0]["actor"].as_str().unwrap().starts_with("alice/"));
    assert!(blocked[0]["object"].as_str().unwrap().starts_with("key/"));
    let all = json!(entries(&server)).to_string();
    assert!(!all.contains("PRIVATE KEY"));
}

#[test]
fn a_4_a_log_without_any_noted_head_is_not_taken_for_whole() {
    let mut server = Server::start();
    server.terminate();
    let data = server.data();
    let verify = || {
        Command::new(binary())
            .args(["audit", "verify", "--data", data.to_str().unwrap()])
            .output()
            .unwrap()
    };
    assert!(verify().status.success());
    fs::remove_file(data.join("audit-heads.log")).unwrap();
    let output = verify();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("no head is noted"), "{said}");
}

#[test]
fn a_5_the_random_value_of_an_open_process_is_exported_only_once_it_proves_nothing_more() {
    let server = Server::start();
    let body = json!({"customer": "alice", "product": "ssl_dv_md", "period": 12, "csr": csr(&["reseal.dev"])});
    let reply = server.alice.post("/v2/ssl/certificates", &body);
    let info = reply.expect(202);
    let select = format!("SELECT state FROM process WHERE id = {}", reply.process());
    let state = server.database().value(&select).unwrap();
    let state: Value = serde_json::from_str(&state).unwrap();
    let random = state["work"]["random"].as_str().unwrap();
    assert!(info.to_string().contains(random));
    let timeline = format!("/v2/processes/{}/timeline", reply.process());
    server.wait_until(&timeline, |told| told.to_string().contains(random));
    let exported = || json!(entries(&server)).to_string();
    let text = exported();
    assert!(!text.contains(random), "{text}");
    assert!(text.contains("[random value]"), "{text}");
    server.publish(&info);
    server.alice.post(
        &format!("/v2/processes/{}/resend", reply.process()),
        &json!({}),
    );
    server.wait_for(reply.process(), "COMPLETED");
    assert!(exported().contains(random));
    server.verify_audit();
}
