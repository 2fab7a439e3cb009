//! Rules section 11, numbers 21, 29, 30 and 98: what the date decides, by a clock that is shifted.

use std::thread;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::support::csr::csr;
use crate::support::server::Server;

const DAY: SignedDuration = SignedDuration::from_hours(24);
const MINUTES: SignedDuration = SignedDuration::from_mins(30);

/// First days with shorter certificates, and the days those then have (V-1; BR 6.3.2 SHOULD).
const SHORTER: [(&str, i64); 2] = [("2027-03-15T00:00:00Z", 99), ("2029-03-15T00:00:00Z", 46)];
/// The day from which evidence is good for ten days (V-3).
const TEN_DAYS: &str = "2029-03-15T00:00:00Z";
/// The day from which nothing is proved by mail (D-15).
const NO_MAIL: &str = "2028-03-15T00:00:00Z";

/// The shift that makes it `moment` now.
fn offset_to(moment: Timestamp) -> String {
    let seconds = moment.duration_since(Timestamp::now()).as_secs();
    format!("{}{}s", if seconds < 0 { '-' } else { '+' }, seconds.abs())
}

fn moment(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn date(certificate: &Value, field: &str) -> Timestamp {
    moment(certificate[field].as_str().unwrap())
}

fn reissue(server: &Server, id: i64) -> crate::support::http::Reply {
    let path = format!("/v2/ssl/certificates/{id}/reissue");
    server
        .alice
        .post(&path, &json!({"csr": csr(&["reseal.dev"])}))
}

fn certificate(server: &Server, id: i64) -> Value {
    server
        .alice
        .get(&format!("/v2/ssl/certificates/{id}"))
        .expect(200)
}

#[test]
fn nasty_021_half_an_hour_of_subscription_is_too_little() {
    let mut server = Server::start();
    let body =
        json!({"customer": "alice", "product": "ssl_dv", "period": 1, "csr": csr(&["reseal.dev"])});
    let reply = server.alice.post("/v2/ssl/certificates", &body);
    let id = server.finish(&reply);
    let end = date(&certificate(&server, id), "subscriptionEndDate");
    server.restart_at(&offset_to(end - MINUTES));
    let answer = reissue(&server, id).refused(400, "ObjectStatusProhibitsOperation");
    assert!(
        answer["message"].as_str().unwrap().contains("too short"),
        "{answer}"
    );
    server.restart_at(&offset_to(end - 2 * DAY));
    reissue(&server, id).expect(201);
}

#[test]
fn nasty_029_a_clock_that_jumps_signs_nothing_it_should_not() {
    let mut server = Server::start();
    let id = server.certificate();
    let now = Timestamp::now();
    // Back by a year: before the authority's own certificates, and the evidence lies in the future.
    server.restart_at("-365d");
    let reply = reissue(&server, id);
    let info = reply.expect(202);
    server.publish(&info);
    let path = format!("/v2/processes/{}", reply.process());
    server.alice.post_raw(&format!("{path}/resend"), b"");
    let process = server.alice.get(&path).expect(200);
    assert_eq!(process["status"], "SUSPENDED", "{process}");
    let detail = process["statusDetail"].as_str().unwrap();
    assert!(detail.contains("set the clock right"), "{detail}");
    let found = server.alice.get("/v2/ssl/certificates").expect(200);
    assert_eq!(found["pagination"]["total"], 1, "{found}");
    // Back in the present what was asked then is too old, and a new certificate starts in the present.
    server.restart_at("");
    server.wait_for(reply.process(), "FAILED");
    reissue(&server, id).expect(201);
    let found = server.alice.get("/v2/ssl/certificates?limit=1").expect(200);
    let start = date(&found["entities"][0], "startDate");
    assert!(
        (start.duration_since(now)).abs() < SignedDuration::from_hours(2),
        "{found}"
    );
}

#[test]
fn nasty_030_the_day_of_signing_decides_and_not_that_of_the_request() {
    let (first_day, days) = SHORTER
        .into_iter()
        .map(|(day, days)| (moment(day), days))
        .find(|(day, _)| *day > Timestamp::now() + 2 * DAY)
        .expect("a shorter validity to come");
    let mut server = Server::start();
    server.restart_at(&offset_to(first_day - MINUTES));
    let body = json!({"customer": "alice", "product": "ssl_dv", "period": 36, "csr": csr(&["reseal.dev"])});
    let reply = server.alice.post("/v2/ssl/certificates", &body);
    reply.expect(202);
    server.restart_at(&offset_to(first_day + MINUTES));
    let id = server.finish(&reply);
    let certificate = certificate(&server, id);
    let valid = date(&certificate, "expiryDate").duration_since(date(&certificate, "startDate"));
    // Both ends count (V-2).
    assert_eq!(
        valid + SignedDuration::from_secs(1),
        i32::try_from(days).unwrap() * DAY,
        "{certificate}"
    );
}

#[test]
fn v_8_nasty_030_old_evidence_follows_the_rules_of_the_day_of_signing() {
    let mut server = Server::start();
    let first_day = moment(TEN_DAYS);
    server.restart_at(&offset_to(first_day - 30 * DAY));
    let id = server.certificate();
    server.restart_at(&offset_to(first_day - MINUTES));
    let path = format!("/v2/ssl/certificates/{id}/reissue");
    let reply = server
        .alice
        .post(&path, &json!({"csr": csr(&["reseal.dev"])}));
    let newer = reply.expect(201)["certificateId"].as_i64().unwrap();
    server.restart_at(&offset_to(first_day + MINUTES));
    let info = reissue(&server, newer).expect(202);
    assert_ne!(
        info["validations"]["dcv"][0]["status"], "VALIDATED",
        "{info}"
    );
}

#[test]
fn v_3_nasty_030_evidence_that_dies_while_caa_is_asked_signs_nothing() {
    let (first_day, half) = (moment(TEN_DAYS), SignedDuration::from_millis(500));
    // The one wait is over within the call, before anything is recorded; the other is not.
    for wait in [Duration::from_millis(700), Duration::from_millis(2500)] {
        let mut server = Server::start();
        server.restart_at(&offset_to(first_day - 30 * DAY));
        let id = server.certificate();
        let offset = offset_to(first_day - SignedDuration::from_secs(4));
        let ahead: jiff::Span = offset.parse().unwrap();
        server.restart_at(&offset);
        server.dns.slow_caa("dev", wait);
        while Timestamp::now() + ahead < first_day - half {
            thread::sleep(Duration::from_millis(10));
        }
        let reply = reissue(&server, id);
        reply.expect(202);
        let path = format!("/v2/processes/{}/info", reply.process());
        server.wait_until(&path, |info| {
            let entry = &info["validations"]["dcv"][0];
            entry["status"] != "VALIDATED" && entry["dnsRecord"].is_string()
        });
        // Proved anew it goes on.
        let info = server.alice.get(&path).expect(200);
        server.publish(&info);
        let process = format!("/v2/processes/{}", reply.process());
        server.alice.post_raw(&format!("{process}/resend"), b"");
        server.wait_for(reply.process(), "COMPLETED");
    }
}

/// An order of `reseal.dev`, which its administrator has to approve.
fn by_mail() -> Value {
    let dcv = json!([{"commonName": "reseal.dev", "type": "EMAIL", "email": "admin@reseal.dev"}]);
    json!({"customer": "alice", "product": "ssl_dv", "period": 12, "csr": csr(&["reseal.dev"]), "dcv": dcv})
}

#[test]
fn d_15_nasty_098_mail_proves_nothing_any_more_from_its_last_day_on() {
    let mut server = Server::start();
    let first_day = moment(NO_MAIL);
    server.restart_at(&offset_to(first_day - DAY));
    let order = by_mail();
    let reply = server.alice.post("/v2/ssl/certificates", &order);
    reply.expect(202);
    let link = server.wait_for_link(1);
    super::proof::decide(&server, &link, "approve");
    server.wait_for(reply.process(), "COMPLETED");
    let found = server.alice.get("/v2/ssl/certificates").expect(200);
    let id = found["entities"][0]["id"].as_i64().unwrap();
    // The day before it is good for another certificate.
    let id = reissue(&server, id).expect(201)["certificateId"]
        .as_i64()
        .unwrap();
    server.restart_at(&offset_to(first_day + MINUTES));
    server
        .alice
        .post("/v2/ssl/certificates", &order)
        .violates("dcv[0].type");
    let info = reissue(&server, id).expect(202);
    let entry = &info["validations"]["dcv"][0];
    assert_eq!(
        (&entry["type"], entry["status"] == "VALIDATED"),
        (&json!("DNS"), false),
        "{info}"
    );
}

#[test]
fn an_address_whose_approval_is_too_old_is_asked_again() {
    let mut server = Server::start();
    let last_day = moment(NO_MAIL) - DAY;
    server.restart_at(&offset_to(last_day - 200 * DAY));
    let order = by_mail();
    let reply = server.alice.post("/v2/ssl/certificates", &order);
    super::proof::decide(&server, &server.wait_for_link(1), "approve");
    server.wait_for(reply.process(), "COMPLETED");
    let found = server.alice.get("/v2/ssl/certificates").expect(200);
    let id = found["entities"][0]["id"].as_i64().unwrap();
    // This one relies on the approval, and has to hand the address on.
    let id = reissue(&server, id).expect(201)["certificateId"]
        .as_i64()
        .unwrap();
    server.restart_at(&offset_to(last_day));
    let info = reissue(&server, id).expect(202);
    let entry = &info["validations"]["dcv"][0];
    assert_eq!(
        (&entry["type"], &entry["email"]),
        (&json!("EMAIL"), &json!("admin@reseal.dev")),
        "{info}"
    );
}
