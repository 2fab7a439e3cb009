//! Mass reissues: what is planned, what becomes of each certificate, pace, pause, and kills in the middle.

#![expect(
    clippy::unwrap_used,
    reason = "what is wrong here fails a test; the lint knows test functions only"
)]

mod course;

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};
use rcgen::KeyPair;
use serde_json::{Value, json};

use crate::crash::{house, publish};
use crate::support::csr::{csr, self_signed, with_key};
use crate::support::dns_stub::DnsStub;
use crate::support::server::{Server, reseal};
use crate::world::house::House;

const CAMPAIGNS: &str = "/v2/ssl/campaigns";

fn in_hours(hours: i64) -> String {
    (Timestamp::now() + SignedDuration::from_hours(hours)).to_string()
}

fn body(key: &str, selection: &str) -> Value {
    json!({
        "where": selection,
        "key": key,
        "deadline": in_hours(24),
        "reason": "the intermediate is replaced",
    })
}

fn begin(server: &Server, body: &Value) -> i64 {
    let begun = server.operator.post(CAMPAIGNS, body).expect(201);
    begun["id"].as_i64().unwrap()
}

fn wait(server: &Server, id: i64, status: &str) -> Value {
    let path = format!("{CAMPAIGNS}/{id}");
    server.wait_until(&path, |body| body["status"] == status);
    server.operator.get(&path).expect(200)
}

fn campaign(server: &Server, arguments: &[&str]) -> String {
    let data = server.data();
    let mut all = vec!["campaign"];
    all.extend(arguments);
    all.extend(["--data", data.to_str().unwrap()]);
    reseal(&all)
}

/// Certificate, outcome, successor of each.
fn report(server: &Server, id: i64) -> Vec<(i64, String, Option<i64>)> {
    let text = campaign(server, &["report", &id.to_string(), "--format", "json"]);
    let read = |line: &str| {
        let item: Value = serde_json::from_str(line).unwrap();
        let outcome = item["outcome"].as_str().unwrap().to_owned();
        let certificate = item["certificateId"].as_i64().unwrap();
        (certificate, outcome, item["successorId"].as_i64())
    };
    text.lines().map(read).collect()
}

#[test]
fn everything_is_reissued_once_for_its_own_key_and_its_own_names() {
    let server = Server::start();
    let names: Vec<String> = (0..12)
        .map(|index| format!("c{index}.reseal.dev"))
        .collect();
    let old: Vec<i64> = names
        .iter()
        .map(|name| server.order("ssl_dv", &csr(&[name])))
        .collect();
    let request = body("keep", "issuer=embedded and status=ACTIVE");
    let plan = server
        .operator
        .post(&format!("{CAMPAIGNS}?dryRun=true"), &request)
        .expect(200);
    assert_eq!(
        (&plan["total"], &plan["atOnce"]),
        (&json!(12), &json!(12)),
        "{plan}"
    );
    assert_eq!(
        server.operator.get(CAMPAIGNS).expect(200)["entities"],
        json!([])
    );

    let id = begin(&server, &request);
    let ended = wait(&server, id, "COMPLETED");
    assert_eq!(ended["outcomes"]["REISSUED"], 12, "{ended}");
    let report = report(&server, id);
    assert_eq!(report.iter().map(|item| item.0).collect::<Vec<_>>(), old);
    for (certificate, outcome, successor) in report {
        assert_eq!(outcome, "REISSUED");
        let get = |id: i64| {
            server
                .alice
                .get(&format!("/v2/ssl/certificates/{id}"))
                .expect(200)
        };
        let (before, after) = (get(certificate), get(successor.unwrap()));
        assert_eq!(
            (&before["status"], &after["status"]),
            (&json!("REISSUED"), &json!("ACTIVE"))
        );
        for same in [
            "domainName",
            "san",
            "publicKeySize",
            "csr",
            "subscriptionEndDate",
        ] {
            assert_eq!(before[same], after[same], "{same}");
        }
    }
    // It goes on until all is done, and begins nothing anew: the new certificates are none of its business.
    let all = server.operator.get("/v2/ssl/certificates").expect(200);
    assert_eq!(all["pagination"]["total"], 24);
    let csv = campaign(&server, &["report", &id.to_string()]);
    assert!(
        csv.starts_with("certificate,customer,issuer,urgent,outcome"),
        "{csv}"
    );
    assert_eq!(csv.lines().count(), 13);
    let audit = server.verify_audit();
    assert!(audit.contains("as it was written"), "{audit}");
}

#[test]
fn whoever_needs_a_new_key_is_told_once_and_given_until_the_deadline() {
    let mut server = Server::start();
    let key = KeyPair::generate().unwrap();
    let blocked = server.order("ssl_dv", &with_key(&key, &["reseal.dev"]));
    let replaced = server.order("ssl_dv", &csr(&["reseal.org"]));
    let imported = json!({"customer": "alice", "certificate": self_signed("reseal.net")});
    let reply = server.alice.post("/v2/ssl/import", &imported);
    assert_eq!(reply.status, 201);
    let block = json!({"keys": [key.public_key_pem()], "reason": "found in a repository"});
    server.operator.post("/v2/blocked-keys", &block).expect(200);
    // Which of both keys is good makes no difference to who is told.
    let id = begin(&server, &body("notify", "status=ACTIVE"));
    server.wait_until(&format!("{CAMPAIGNS}/{id}"), |body| {
        body["outcomes"]["NOTIFIED"] == 2 && body["outcomes"]["SKIPPED"] == 1
    });
    let told = server
        .alice
        .get("/v2/customers/alice/notifications?eventType=ATTENTION_NEEDED&order=id")
        .expect(200);
    assert_eq!(told["pagination"]["total"], 2, "{told}");
    let mut each = told["entities"].as_array().unwrap().iter();
    let told = each.find(|one| one["certificateId"] == replaced).unwrap();
    let message = told["message"].as_str().unwrap();
    assert!(
        message.contains("the intermediate is replaced"),
        "{message}"
    );
    assert!(told["payload"]["windowEnd"].is_string(), "{told}");

    let again = json!({"csr": csr(&["reseal.org"])});
    let reply = server
        .alice
        .post(&format!("/v2/ssl/certificates/{replaced}/reissue"), &again);
    let successor = server.finish(&reply);
    let outcome = |server: &Server, certificate| {
        let all = report(server, id);
        let found = all.iter().find(|item| item.0 == certificate).unwrap();
        (found.1.clone(), found.2)
    };
    assert_eq!(
        outcome(&server, replaced),
        ("SETTLED".to_owned(), Some(successor))
    );
    assert_eq!(outcome(&server, blocked), ("NOTIFIED".to_owned(), None));
    server.restart_at("+25h");
    wait(&server, id, "COMPLETED");
    // The key's own deadline came first.
    let last = outcome(&server, blocked).0;
    assert!(["SETTLED", "MISSED"].contains(&last.as_str()), "{last}");
}

#[test]
fn a_blocked_key_is_never_certified_again_by_a_campaign() {
    let server = Server::start();
    let key = KeyPair::generate().unwrap();
    let old = server.order("ssl_dv", &with_key(&key, &["reseal.dev"]));
    let block = json!({"keys": [key.public_key_pem()], "reason": "found"});
    server.operator.post("/v2/blocked-keys", &block).expect(200);
    let id = begin(&server, &body("keep", &format!("id={old}")));
    server.wait_until(&format!("{CAMPAIGNS}/{id}"), |body| {
        body["outcomes"]["NOTIFIED"] == 1
    });
    let all = server.operator.get("/v2/ssl/certificates").expect(200);
    assert_eq!(all["pagination"]["total"], 1);
}

#[test]
fn names_that_need_proof_again_wait_for_it_and_are_counted_so() {
    let mut server = Server::start();
    let old = server.order("ssl_dv", &csr(&["reseal.dev"]));
    // Proofs are older than any rule lets them be.
    server.restart_at("+120d");
    let request = body("keep", "status=ACTIVE");
    let request = json!({"where": request["where"], "key": "keep", "deadline": in_hours(24 * 121), "reason": "r"});
    let plan = server
        .operator
        .post(&format!("{CAMPAIGNS}?dryRun=true"), &request)
        .expect(200);
    assert_eq!(
        (&plan["atOnce"], &plan["afterProof"]),
        (&json!(0), &json!(1)),
        "{plan}"
    );
    let id = begin(&server, &request);
    let open = server.wait_until(&format!("{CAMPAIGNS}/{id}"), |body| {
        body["outcomes"]["OPEN"] == 1
    });
    assert_eq!(open["done"], 0);
    let page = server
        .operator
        .get(&format!("{CAMPAIGNS}/{id}/certificates?after=0&limit=5"))
        .expect(200);
    let process = page["entities"][0]["processId"].as_i64().unwrap();
    assert_eq!(page["entities"][0]["certificateId"], old);
    let info = server
        .alice
        .get(&format!("/v2/processes/{process}/info"))
        .expect(200);
    server.publish(&info);
    let ended = wait(&server, id, "COMPLETED");
    assert_eq!(ended["outcomes"]["REISSUED"], 1, "{ended}");
}

/// SIGKILL while many are under way, three times: each certificate has one successor in the end.
#[test]
fn killed_in_the_middle_it_goes_on_and_reissues_nothing_twice() {
    let (mut house, dns) = house();
    house.start(None);
    let old: Vec<i64> = (0..20).map(|index| order(&house, &dns, index)).collect();
    house.kill();
    let data = house.data();
    let begun = reseal(&[
        "campaign",
        "start",
        "--where",
        "status=ACTIVE",
        "--key",
        "keep",
        "--reason",
        "drill",
        "--data",
        data.to_str().unwrap(),
    ]);
    assert_eq!(begun.trim(), "1");
    for step in ["reserved", "signed", "accepted"] {
        house.start(Some(step));
        house.wait_for_line("holding at fault point");
        house.kill();
    }
    house.start(None);
    let reissued = "SELECT COUNT(*) FROM campaign_item WHERE outcome = 'REISSUED'";
    house.wait_until(1, || {
        (house.database().number(reissued) == 20).then_some(())
    });
    let successors: HashSet<i64> = old
        .iter()
        .map(|id| {
            let rows = house.database().value(&format!(
                "SELECT successor FROM certificate WHERE id = {id}"
            ));
            rows.unwrap().parse().unwrap()
        })
        .collect();
    assert_eq!(successors.len(), 20);
    let count = house
        .database()
        .value("SELECT COUNT(*) FROM certificate")
        .unwrap();
    assert_eq!(count, "40");
    let serials = house
        .database()
        .value("SELECT COUNT(DISTINCT serial) FROM certificate")
        .unwrap();
    assert_eq!(serials, "40");
}

fn order(house: &House, dns: &DnsStub, index: usize) -> i64 {
    let name = format!("c{index}.reseal.dev");
    let body =
        json!({"customer": "alice", "product": "ssl_dv", "period": 12, "csr": csr(&[&name])});
    let reply = house.alice.post("/v2/ssl/certificates", &body);
    publish(dns, &reply.expect(202));
    house.resend(reply.process());
    house.wait_for(reply.process(), "COMPLETED");
    house.certificate_of(reply.process())
}

#[test]
fn a_certificate_that_cannot_be_read_keeps_no_other_waiting() {
    let server = Server::start();
    let broken = server.order("ssl_dv", &csr(&["reseal.dev"]));
    let good = server.order("ssl_dv", &csr(&["reseal.org"]));
    let empty = format!("UPDATE certificate SET csr = substr(csr, 1, 5) WHERE id = {broken}");
    server.database().run(&empty);
    let id = begin(&server, &body("keep", "status=ACTIVE"));
    server.wait_until(&format!("{CAMPAIGNS}/{id}"), |body| {
        body["outcomes"]["REISSUED"] == 1
    });
    let page = server
        .operator
        .get(&format!("{CAMPAIGNS}/{id}/certificates"))
        .expect(200);
    let [one, other] = [0, 1].map(|index| page["entities"][index].clone());
    assert_eq!(
        (&one["certificateId"], &one["outcome"]),
        (&json!(broken), &json!("WAITING"))
    );
    // Tried once, and again only after a while.
    assert_eq!(
        (&one["attempts"], &one["detail"]),
        (&json!(1), &json!("Internal failure"))
    );
    assert_eq!(
        (&other["certificateId"], &other["outcome"]),
        (&json!(good), &json!("REISSUED"))
    );
}

#[test]
fn what_cannot_be_meant_is_refused_with_every_violation() {
    let server = Server::start();
    let bad = json!({"where": "colour=red", "key": "lose", "deadline": "tomorrow", "perIssuer": 0});
    let refused = server.operator.post(CAMPAIGNS, &bad);
    let refused = refused.refused(400, "ConstraintViolationException");
    let fields: Vec<_> = refused["violations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|violation| violation["field"].as_str().unwrap())
        .collect();
    assert_eq!(fields, ["where", "key", "deadline", "perIssuer", "reason"]);
    let mut late = body("keep", "id=1");
    late["deadline"] = in_hours(-1).into();
    let refused = server.operator.post(CAMPAIGNS, &late);
    let refused = refused.refused(400, "ValidationError");
    assert!(refused.to_string().contains("in the future"), "{refused}");
    server
        .alice
        .post(CAMPAIGNS, &body("keep", "id=1"))
        .refused(403, "AuthorizationError");
    server
        .operator
        .get(&format!("{CAMPAIGNS}/7"))
        .refused(400, "ObjectDoesNotExist");
    let page = format!("{CAMPAIGNS}/7/certificates?limit=1001");
    let reply = server.operator.get(&page);
    reply.violates("limit");
}

#[test]
fn whose_request_is_refused_today_is_told_to_bring_another() {
    let mut server = Server::start();
    let internal = server.order("ssl_dv_md", &csr(&["box.test"]));
    let public = server.order("ssl_dv", &csr(&["reseal.dev"]));
    server.change_configuration(|text| {
        text.replace("internal_names = [\"test\"]", "internal_names = []")
    });
    server.restart_at("");

    let request = body("keep", "status=ACTIVE");
    let plan = server
        .operator
        .post(&format!("{CAMPAIGNS}?dryRun=true"), &request)
        .expect(200);
    assert_eq!(
        (&plan["total"], &plan["atOnce"]),
        (&json!(2), &json!(1)),
        "{plan}"
    );
    let id = begin(&server, &request);
    let path = format!("{CAMPAIGNS}/{id}");
    server.wait_until(&path, |body| {
        body["outcomes"]["NOTIFIED"] == 1 && body["outcomes"]["REISSUED"] == 1
    });
    let outcomes: Vec<_> = report(&server, id)
        .into_iter()
        .map(|(certificate, outcome, _)| (certificate, outcome))
        .collect();
    assert_eq!(
        outcomes,
        [
            (internal, "NOTIFIED".to_owned()),
            (public, "REISSUED".to_owned())
        ]
    );
    let told = server
        .alice
        .get("/v2/customers/alice/notifications?order=-id&limit=50")
        .expect(200);
    assert!(
        told.to_string().contains("has to be replaced until"),
        "{told}"
    );
    assert!(
        told.to_string()
            .contains("Its request is refused today: reissue it with another one"),
        "{told}"
    );
}
