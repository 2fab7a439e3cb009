//! `/v2/customers/{customer}/notifications…`.

#![expect(
    clippy::unwrap_used,
    reason = "what is wrong here fails a test; the lint knows test functions only"
)]

use serde_json::{Value, json};

use crate::support::csr::csr;
use crate::support::server::Server;

const BASE: &str = "/v2/customers/alice/notifications";

/// Alice's notifications that match, oldest first.
#[track_caller]
fn told(server: &Server, query: &str) -> Vec<Value> {
    let path = format!("{BASE}?order=id&limit=250&{query}");
    let list = server.alice.get(&path).expect(200);
    assert_eq!(
        list["pagination"]["total"],
        list["entities"].as_array().unwrap().len()
    );
    list["entities"].as_array().unwrap().clone()
}

fn events(told: &[Value]) -> Vec<&str> {
    told.iter()
        .map(|one| one["eventType"].as_str().unwrap())
        .collect()
}

#[track_caller]
fn request(server: &Server) -> i64 {
    let body = json!({"customer": "alice", "product": "ssl_dv", "period": 12, "csr": csr(&["reseal.dev"])});
    let reply = server.alice.post("/v2/ssl/certificates", &body);
    reply.expect(202);
    reply.process()
}

#[track_caller]
fn reissue(server: &Server, id: i64) -> i64 {
    let path = format!("/v2/ssl/certificates/{id}/reissue");
    let reply = server
        .alice
        .post(&path, &json!({"csr": csr(&["reseal.dev"])}));
    reply.expect(201)["certificateId"].as_i64().unwrap()
}

#[test]
fn an_order_is_told_from_its_acceptance_to_its_certificate() {
    let server = Server::start();
    let id = server.certificate();
    let told = told(&server, "");
    let events = events(&told);
    assert_eq!(events.first(), Some(&"ACCEPTED"));
    assert_eq!(&events[events.len() - 2..], ["VALIDATED", "ISSUED"]);
    let certificate = server
        .alice
        .get(&format!("/v2/ssl/certificates/{id}"))
        .expect(200);
    for one in &told {
        // What one SDK cannot do without.
        for (field, is_right) in [
            ("id", one["id"].is_i64()),
            ("fireDate", one["fireDate"].as_str().unwrap().ends_with('Z')),
            ("message", !one["message"].as_str().unwrap().is_empty()),
            ("isAsync", one["isAsync"].is_boolean()),
            ("payload", one["payload"].is_object()),
            (
                "notificationType",
                one["notificationType"] == "SSLCertificateNotification",
            ),
            ("process", one["process"] == certificate["process"]),
            (
                "processIdentifier",
                one["processIdentifier"] == "reseal.dev",
            ),
            ("customer", one["customer"] == "alice"),
        ] {
            assert!(is_right, "{field}: {one}");
        }
        assert_eq!(one.get("acknowledgeDate"), None);
    }
    let issued = told.last().unwrap();
    assert_eq!(issued["certificateId"], id);
    assert_eq!(issued["expiryDate"], certificate["expiryDate"]);
    assert_eq!(issued["subjectStatus"], "COMPLETED");
    assert_eq!(told[0].get("certificateId"), None);
}

#[test]
fn a_reissue_in_the_call_is_told_twice_and_says_what_was_replaced() {
    let server = Server::start();
    let old = server.certificate();
    let last = told(&server, "").last().unwrap()["id"].clone();
    let new = reissue(&server, old);
    let told = told(&server, &format!("id%3Agt={last}"));
    assert_eq!(events(&told), ["ACCEPTED", "ISSUED"]);
    assert_eq!(
        told[0]["payload"],
        json!({"action": "reissue", "source": old})
    );
    assert_eq!(told[1]["certificateId"], new);
    assert_eq!(
        told[1]["payload"]["replaced"],
        json!({"certificateId": old, "status": "REISSUED"})
    );
}

#[test]
fn what_keeps_a_name_from_being_proved_is_told_once_with_what_was_seen() {
    let server = Server::start();
    let process = request(&server);
    server.wait_for(process, "SUSPENDED");
    let info = server
        .alice
        .get(&format!("/v2/processes/{process}/info"))
        .expect(200);
    let record = info["validations"]["dcv"][0]["dnsRecord"].as_str().unwrap();
    server.dns.cname(record, "elsewhere.test.");
    for _ in 0..3 {
        let path = format!("/v2/processes/{process}/resend");
        server.alice.post_raw(&path, b"");
    }
    let told = told(&server, "eventType=attention_needed");
    let seen: Vec<_> = told
        .iter()
        .filter(|one| one["message"].as_str().unwrap().contains("elsewhere.test"))
        .collect();
    assert_eq!(seen.len(), 1, "{told:?}");
    let name = &seen[0]["payload"]["names"][0];
    assert_eq!(name["commonName"], "reseal.dev");
    for field in ["expected", "seen", "advice"] {
        assert!(!name[field].as_str().unwrap().is_empty(), "{name}");
    }
    assert_eq!(seen[0]["subjectStatus"], "WARNING");
}

#[test]
fn cancelling_and_revoking_are_told() {
    let server = Server::start();
    let process = request(&server);
    server.wait_for(process, "SUSPENDED");
    let cancelled = server.alice.delete(&format!("/v2/processes/{process}"));
    assert_eq!(cancelled.status, 200);
    let id = server.certificate();
    let path = format!("/v2/ssl/certificates/{id}");
    let body = br#"{"reason": "moved house"}"#;
    let headers = ["Content-Type: application/json"];
    assert_eq!(
        server.alice.call("DELETE", &path, &headers, body).status,
        200
    );
    let cancelled = told(&server, "eventType=CANCELLED");
    assert_eq!(cancelled.len(), 1);
    assert_eq!(cancelled[0]["process"], process);
    let revoked = told(&server, "eventType=REVOKED");
    assert_eq!(revoked.len(), 1);
    assert_eq!(revoked[0]["certificateId"], id);
    assert_eq!(revoked[0]["reason"], "moved house");
    assert_eq!(revoked[0]["product"], "ssl_dv");
}

#[test]
fn the_same_one_is_polled_until_it_is_acknowledged() {
    let server = Server::start();
    let poll = || server.alice.get(&format!("{BASE}/poll")).expect(200);
    assert_eq!(poll(), json!({"count": 0}));
    let process = request(&server);
    server.wait_for(process, "SUSPENDED");
    let count = told(&server, "").len();
    let first = poll();
    assert_eq!(first["count"], count);
    assert_eq!(first["notification"]["eventType"], "ACCEPTED");
    assert!(first["notification"]["readDate"].is_string());
    assert_eq!(poll(), first);
    let id = first["notification"]["id"].as_i64().unwrap();
    // One SDK sends an empty object and a slash, the other nothing at all, and either may do it twice.
    for (path, body) in [("/ack/", &b"{}"[..]), ("/ack", b"")] {
        let reply = server.alice.post_raw(&format!("{BASE}/{id}{path}"), body);
        assert_eq!((reply.status, reply.body.as_slice()), (200, &b""[..]));
        assert_eq!(reply.header("content-type"), None);
    }
    assert_eq!(poll()["count"], count - 1);
    let one = server.alice.get(&format!("{BASE}/{id}")).expect(200);
    assert!(one["acknowledgeDate"].is_string());
    let unread = told(&server, "acknowledgeDate%3Anull=");
    assert!(unread.iter().all(|one| one["id"] != id));
}

#[test]
fn lists_are_filtered_projected_and_paged() {
    let server = Server::start();
    let id = server.certificate();
    reissue(&server, id);
    let get = |query: &str| server.alice.get(&format!("{BASE}/?{query}")).expect(200);
    let page = get("limit=1&offset=1&order=id");
    assert_eq!(page["entities"].as_array().unwrap().len(), 1);
    assert!(page["pagination"]["total"].as_i64().unwrap() >= 5);
    let newest = get("limit=2")["entities"].clone();
    assert!(newest[0]["id"].as_i64() > newest[1]["id"].as_i64());
    let projected = get("eventType%3Ain=issued&fields=message&fields=certificateId&limit=1");
    let fields: Vec<_> = projected["entities"][0]
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect();
    assert_eq!(fields, ["id", "message", "certificateId"]);
    assert_eq!(get("q=was+issued")["pagination"]["total"], 2);
    assert_eq!(
        get("limit=0&processType=certificate")["entities"],
        json!([])
    );
    server
        .alice
        .get(&format!("{BASE}?eventType=unheard_of"))
        .violates("eventType");
    server
        .alice
        .get(&format!("{BASE}?isAsync=true"))
        .violates("isAsync");
}

#[test]
fn what_is_anothers_looks_like_what_never_was() {
    let server = Server::start();
    let process = request(&server);
    server.wait_for(process, "SUSPENDED");
    let id = told(&server, "")[0]["id"].as_i64().unwrap();
    for (method, suffix) in [
        ("GET", String::new()),
        ("GET", "/poll".to_owned()),
        ("GET", format!("/{id}")),
        ("POST", format!("/{id}/ack")),
    ] {
        let [foreign, unknown] = ["alice", "nobody"].map(|customer| {
            let path = format!("/v2/customers/{customer}/notifications{suffix}");
            let reply = server.bob.call(method, &path, &[], b"");
            reply.refused(400, "ObjectDoesNotExist");
            reply.body
        });
        assert_eq!(foreign, unknown, "{method} {suffix}");
    }
    for (method, suffix) in [("GET", ""), ("POST", "/ack")] {
        let [foreign, unknown] = [id.to_string(), "987654321".to_owned()].map(|id| {
            let path = format!("/v2/customers/bob/notifications/{id}{suffix}");
            let reply = server.bob.call(method, &path, &[], b"");
            reply.refused(400, "ObjectDoesNotExist");
            reply.body
        });
        assert_eq!(foreign, unknown, "{method}");
    }
    let seen = server.operator.get(&format!("{BASE}/{id}")).expect(200);
    assert_eq!(seen["id"], id);
    let poll = server.operator.get(&format!("{BASE}/poll")).expect(200);
    assert_eq!(poll["notification"]["id"], id);
}

#[test]
fn the_end_of_a_certificate_is_told_once_for_each_number_of_days() {
    let mut server = Server::start();
    let id = server.certificate();
    let certificate = server
        .alice
        .get(&format!("/v2/ssl/certificates/{id}"))
        .expect(200);
    let (start, end) = (&certificate["startDate"], &certificate["expiryDate"]);
    let days = day(end) - day(start);
    let mut seen = Vec::new();
    // Twice at each moment: a restart tells nothing again.
    for (left, expected) in [
        (31, 0),
        (29, 1),
        (29, 1),
        (13, 2),
        (6, 3),
        (6, 3),
        (1, 4),
        (1, 4),
    ] {
        server.restart_at(&format!("+{}d", days - left));
        let path = format!("{BASE}?eventType=EXPIRING&order=id");
        let list = if expected == seen.len() {
            // Nothing must come, so wait for what comes after it at a start.
            std::thread::sleep(std::time::Duration::from_millis(700));
            server.alice.get(&path).expect(200)
        } else {
            server.wait_until(&path, |list| list["pagination"]["total"] == expected)
        };
        assert_eq!(list["pagination"]["total"], expected, "{left} days: {list}");
        seen.clone_from(list["entities"].as_array().unwrap());
    }
    let told_of: Vec<_> = seen.iter().map(|one| &one["payload"]["days"]).collect();
    assert_eq!(told_of, [30, 14, 7, 1]);
    for one in &seen {
        assert_eq!(one["certificateId"], id);
        assert_eq!(&one["expiryDate"], end);
        assert_eq!(one.get("process"), None);
        let message = one["message"].as_str().unwrap();
        assert!(message.contains("Reissue it"), "{message}");
    }
}

#[test]
fn the_end_of_a_subscription_is_told_once_and_after_a_long_stop_only_what_is_near() {
    let mut server = Server::start();
    let body =
        json!({"customer": "alice", "product": "ssl_dv", "period": 6, "csr": csr(&["reseal.dev"])});
    let id = server.finish(&server.alice.post("/v2/ssl/certificates", &body));
    let certificate = server
        .alice
        .get(&format!("/v2/ssl/certificates/{id}"))
        .expect(200);
    assert_eq!(
        certificate["expiryDate"],
        certificate["subscriptionEndDate"]
    );
    let (start, end) = (&certificate["startDate"], &certificate["expiryDate"]);
    let almost = format!("+{}d", day(end) - day(start) - 10);
    for _ in 0..2 {
        server.restart_at(&almost);
        server.wait_until(&format!("{BASE}?eventType=SUBSCRIPTION_ENDING"), |list| {
            list["pagination"]["total"] == 1
        });
    }
    let ending = told(&server, "eventType=SUBSCRIPTION_ENDING");
    assert_eq!(ending[0]["certificateId"], id);
    let expiring = told(&server, "eventType=EXPIRING");
    assert_eq!(expiring.len(), 1);
    let last = &expiring[0];
    assert_eq!(last["payload"]["days"], 14);
    assert!(last["message"].as_str().unwrap().contains("Renew it"));
}

/// Days since 1970 of a date on the wire.
fn day(date: &Value) -> i64 {
    let text = date.as_str().unwrap();
    let number = |range: std::ops::Range<usize>| text[range].parse::<i64>().unwrap();
    let (year, month, day) = (number(0..4), number(5..7), number(8..10));
    // March is the first month, so that the leap day is the last of a year.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 719_469
}
