//! How fast a campaign is, what it waits for, and what it keeps to itself.

use std::process::{Command, Stdio};

use rcgen::KeyPair;
use serde_json::json;

use super::{CAMPAIGNS, begin, body, campaign, report, wait};
use crate::renewal_info::{ask, name_of};
use crate::support::csr::{csr, with_key};
use crate::support::server::{Server, binary};

#[test]
fn a_pace_is_kept_and_a_paused_campaign_begins_nothing() {
    let server = Server::start();
    for index in 0..6 {
        server.order("ssl_dv", &csr(&[&format!("c{index}.reseal.dev")]));
    }
    let mut request = body("keep", "status=ACTIVE");
    // One in five seconds.
    request["perCustomer"] = 720.into();
    let plan = server
        .operator
        .post(&format!("{CAMPAIGNS}?dryRun=true"), &request)
        .expect(200);
    assert_eq!(plan["duration"], 30);
    let id = begin(&server, &request);
    server.wait_until(&format!("{CAMPAIGNS}/{id}"), |body| {
        body["outcomes"]["REISSUED"] == 1
    });
    campaign(&server, &["pause", &id.to_string()]);
    let paused = server
        .operator
        .get(&format!("{CAMPAIGNS}/{id}"))
        .expect(200);
    assert_eq!(paused["status"], "PAUSED");
    std::thread::sleep(std::time::Duration::from_secs(7));
    let still = server
        .operator
        .get(&format!("{CAMPAIGNS}/{id}"))
        .expect(200);
    let done = still["done"].as_i64().unwrap();
    assert!((1..=2).contains(&done), "{still}");
    let twice = server
        .operator
        .post(&format!("{CAMPAIGNS}/{id}/pause"), &json!({}));
    let refused = twice.refused(400, "ObjectStatusProhibitsOperation");
    assert!(
        refused.to_string().contains("expected RUNNING"),
        "{refused}"
    );
    server
        .operator
        .post(&format!("{CAMPAIGNS}/{id}/resume"), &json!({}))
        .expect(200);
    server.wait_until(&format!("{CAMPAIGNS}/{id}"), |body| {
        body["outcomes"]["REISSUED"].as_i64().unwrap() > done
    });
    let cancelled = campaign(&server, &["cancel", &id.to_string()]);
    assert!(cancelled.contains("CANCELLED"), "{cancelled}");
    let left = server
        .operator
        .get(&format!("{CAMPAIGNS}/{id}"))
        .expect(200);
    assert!(left["outcomes"]["WAITING"].as_i64().unwrap() > 0, "{left}");
}

/// The pace is one of reissues: whoever is told waits for nobody's turn.
#[test]
fn customers_are_told_at_once_whatever_the_pace() {
    let server = Server::start();
    for index in 0..5 {
        server.order("ssl_dv", &csr(&[&format!("c{index}.reseal.dev")]));
    }
    let mut request = body("notify", "status=ACTIVE");
    request["perIssuer"] = 1.into();
    request["perCustomer"] = 1.into();
    let path = format!("{CAMPAIGNS}?dryRun=true");
    let plan = server.operator.post(&path, &request).expect(200);
    assert_eq!(plan["duration"], 0, "{plan}");
    let id = begin(&server, &request);
    server.wait_until(&format!("{CAMPAIGNS}/{id}"), |body| {
        body["outcomes"]["NOTIFIED"] == 5
    });
}

/// Not even by those that are reissued before them.
#[test]
fn who_needs_a_new_key_is_told_while_others_wait_for_their_turn() {
    let server = Server::start();
    // More than are looked at at the same time.
    for index in 0..24 {
        server.order("ssl_dv", &csr(&[&format!("c{index}.reseal.dev")]));
    }
    let key = KeyPair::generate().unwrap();
    let blocked = server.order("ssl_dv", &with_key(&key, &["reseal.org"]));
    let block = json!({"keys": [key.public_key_pem()], "reason": "found in a repository"});
    server.operator.post("/v2/blocked-keys", &block).expect(200);
    // It is as urgent as can be, so that it would be the first: all others have to be before it.
    let last = format!("UPDATE certificate SET revocation_scheduled = NULL WHERE id = {blocked}");
    server.database().run(&last);
    let mut request = body("keep", "status=ACTIVE");
    request["perIssuer"] = 1.into();
    let id = begin(&server, &request);
    let path = format!("{CAMPAIGNS}/{id}");
    server.wait_until(&path, |body| {
        body["outcomes"]["NOTIFIED"] == 1 && body["outcomes"]["REISSUED"] == 1
    });
    let outcomes = report(&server, id);
    let told = outcomes.iter().find(|item| item.0 == blocked).unwrap();
    assert_eq!(told.1, "NOTIFIED");
    let body = server.operator.get(&path).expect(200);
    assert_eq!(body["outcomes"]["WAITING"], 23, "{body}");
}

#[test]
fn a_customers_own_process_is_waited_for_and_takes_nobodys_place() {
    let server = Server::start();
    let first = server.order("ssl_dv_md", &csr(&["reseal.dev"]));
    let second = server.order("ssl_dv", &csr(&["reseal.org"]));
    // A name that is not proved yet keeps it open.
    let own = json!({"csr": csr(&["reseal.dev"]), "san": ["new.reseal.net"]});
    let path = format!("/v2/ssl/certificates/{first}/reissue");
    let own = server.alice.post(&path, &own);
    assert_eq!(own.status, 202, "{}", own.text());
    let own = own.process();
    let mut request = body("keep", "status=ACTIVE");
    // One an hour: if the first took a place, the second would have none.
    request["perIssuer"] = 1.into();
    let path = format!("{CAMPAIGNS}?dryRun=true");
    let plan = server.operator.post(&path, &request).expect(200);
    assert_eq!(
        (&plan["atOnce"], &plan["afterProcess"]),
        (&json!(1), &json!(1)),
        "{plan}"
    );
    let id = begin(&server, &request);
    server.wait_until(&format!("{CAMPAIGNS}/{id}"), |body| {
        body["outcomes"]["REISSUED"] == 1
    });
    let outcomes = report(&server, id);
    assert_eq!(outcomes[0], (first, "WAITING".to_owned(), None));
    assert_eq!((outcomes[1].0, &*outcomes[1].1), (second, "REISSUED"));
    let page = server
        .operator
        .get(&format!("{CAMPAIGNS}/{id}/certificates"));
    let why = page.expect(200)["entities"][0]["detail"].to_string();
    assert!(why.contains(&format!("Process {own} is open")), "{why}");
}

/// Whoever did not do what they were told by the deadline is told by renewal information that it is over.
#[test]
fn x_11_what_was_missed_is_still_to_be_replaced() {
    let mut server = Server::start();
    let old = server.order("ssl_dv", &csr(&["reseal.dev"]));
    let id = begin(&server, &body("notify", "status=ACTIVE"));
    let path = format!("{CAMPAIGNS}/{id}");
    server.wait_until(&path, |body| body["outcomes"]["NOTIFIED"] == 1);
    let told = server
        .alice
        .get("/v2/customers/alice/notifications?eventType=ATTENTION_NEEDED")
        .expect(200);
    let window = told["entities"][0]["payload"].clone();
    let about = format!("/renewal-info/{}", name_of(&server, old));
    let info = ask(&server, &about).expect(200);
    let same = |name: &str, said: &str| {
        let [one, other]: [jiff::Timestamp; 2] = [&info["suggestedWindow"][name], &window[said]]
            .map(|value| value.as_str().unwrap().parse().unwrap());
        assert_eq!(one.as_second(), other.as_second(), "{name}");
    };
    same("start", "windowStart");
    same("end", "windowEnd");
    server.restart_at("+25h");
    wait(&server, id, "COMPLETED");
    assert_eq!(report(&server, id), [(old, "MISSED".to_owned(), None)]);
    let still = ask(&server, &about).expect(200);
    assert_eq!(still["suggestedWindow"], info["suggestedWindow"]);
}

/// What could not be written is not passed over in silence.
#[test]
fn a_report_that_does_not_fit_on_the_disk_fails() {
    let server = Server::start();
    let id = begin(&server, &body("notify", "status=ACTIVE"));
    let full = std::fs::File::options()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let mut command = Command::new(binary());
    command.args(["campaign", "report", &id.to_string(), "--data"]);
    command
        .arg(server.data())
        .stdout(full)
        .stderr(Stdio::piped());
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        !output.status.success() && said.contains("standard output"),
        "{said}"
    );
}
