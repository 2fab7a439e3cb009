//! The TXT record that stays (BR 3.2.2.4.22): looked for beside each challenge, and all that a reissue needs.

use serde_json::{Value, json};

use super::World;
use crate::support::csr::csr;

const RECORD: &str = "_validation-persist.good.dev.";
const OURS: &str = "reseal.invalid; accounturi=acct:alice@reseal.invalid";

impl World {
    #[track_caller]
    fn publish_persistent(&self, contents: &str) {
        let text = format!("\"{contents}\"");
        self.knot.add("good.dev.", RECORD, "TXT", &text);
    }

    /// Looks again; how the first name then stands.
    #[track_caller]
    fn status_after_a_look(&self, process: i64) -> Value {
        self.house.resend(process);
        self.house.wait_for(process, "SUSPENDED");
        self.house.info(process)["validations"]["dcv"][0]["status"].clone()
    }

    #[track_caller]
    fn reissue(&self, id: i64, names: &[&str]) -> crate::support::http::Reply {
        let path = format!("/v2/ssl/certificates/{id}/reissue");
        self.house.alice.post(&path, &json!({"csr": csr(names)}))
    }

    #[track_caller]
    fn proofs_of(&self, id: i64) -> String {
        let process = self.house.certificate(id)["process"].as_i64().unwrap();
        self.house.timeline(process)
    }
}

#[test]
fn d_33_d_35_nasty_129_a_reissue_after_ten_days_finds_the_record_within_its_call() {
    let mut world = World::start();
    let names = ["www.good.dev", "*.good.dev"];
    let reply = world.ask(&names, &json!({"type": "DNS"}));
    let info = reply.json();
    for entry in info["validations"]["dcv"].as_array().unwrap() {
        assert_eq!(entry["dnsType"], "CNAME", "{entry}");
        assert_eq!(entry["persistentDnsRecord"], RECORD, "{entry}");
        assert_eq!(
            entry["persistentDnsContents"],
            format!("{OURS}; policy=wildcard"),
            "{entry}"
        );
    }
    let contents = info["validations"]["dcv"][0]["persistentDnsContents"].clone();
    world.publish_persistent(contents.as_str().unwrap());
    let first = world.complete(reply.process());
    world.verifies(first, "a.good.dev");
    let timeline = world.proofs_of(first);
    assert!(timeline.contains(r#""method":"3.2.2.4.22""#), "{timeline}");
    assert!(!timeline.contains(r#""method":"3.2.2.4.7""#), "{timeline}");

    // Young evidence is relied on, without a look.
    let second = world.reissue(first, &names).expect(201)["certificateId"].as_i64();
    let timeline = world.proofs_of(second.unwrap());
    assert!(!timeline.contains(r#""event":"attempt""#), "{timeline}");

    // After ten days it is not, and the look is made within the call.
    world.house.kill();
    world.house.start_at("+264h");
    let third = world.reissue(second.unwrap(), &names).expect(201)["certificateId"].as_i64();
    let timeline = world.proofs_of(third.unwrap());
    assert!(timeline.contains(r#""event":"attempt""#), "{timeline}");
    assert!(timeline.contains(r#""method":"3.2.2.4.22""#), "{timeline}");

    // Without the record nothing is left of it after ten more.
    world.knot.remove("good.dev.", RECORD, "TXT");
    world.house.kill();
    world.house.start_at("+528h");
    let reply = world.reissue(third.unwrap(), &names);
    reply.expect(202);
    let timeline = world.house.timeline(reply.process());
    assert!(!timeline.contains("3.2.2.4.22"), "{timeline}");
}

#[test]
fn nasty_128_a_record_that_does_not_say_all_of_it_proves_nothing() {
    let world = World::start();
    let wildcard = world
        .ask(&["*.good.dev"], &json!({"type": "DNS"}))
        .process();
    for (contents, part) in [
        (
            format!("{OURS}; policy=wildcard; persistUntil=1700000000"),
            "`persistUntil` ended at 2023-11-14T22:13:20Z",
        ),
        (
            "reseal.invalid; policy=wildcard".to_owned(),
            "it has no `accounturi`",
        ),
        (
            "reseal.invalid; accounturi=acct:bob@reseal.invalid; policy=wildcard".to_owned(),
            "another account's",
        ),
        (format!("{OURS}; {OURS}"), "malformed"),
        (
            format!("{OURS}; policy=wildcard; policy=wildcard"),
            "`policy` is given twice",
        ),
        (
            "ca.example; accounturi=acct:alice@reseal.invalid; policy=wildcard".to_owned(),
            "another issuer",
        ),
        (OURS.to_owned(), "lacks `policy=wildcard`"),
    ] {
        world.publish_persistent(&contents);
        let status = world.status_after_a_look(wildcard);
        assert_eq!(status, "ATTENTION", "{contents}");
        let timeline = world.house.timeline(wildcard);
        assert!(timeline.contains(part), "{contents}: {timeline}");
        assert!(!timeline.contains(r#""event":"proved""#), "{timeline}");
        if contents != OURS {
            world.knot.remove("good.dev.", RECORD, "TXT");
        }
    }
    // The last of them is good for its own name, and for nothing below.
    let itself = world.house.alice.post(
        "/v2/ssl/certificates",
        &json!({"customer": "alice", "product": "ssl_dv_md", "period": 12, "csr": csr(&["good.dev"])}),
    );
    let itself = itself.expect(201)["certificateId"].as_i64().unwrap();
    world.verifies(itself, "good.dev");
    let below = world
        .ask(&["www.good.dev"], &json!({"type": "DNS"}))
        .process();
    assert_eq!(world.status_after_a_look(below), "ATTENTION");
    world.knot.remove("good.dev.", RECORD, "TXT");
    world.publish_persistent(&format!("{OURS}; policy=wildcard; persistUntil=4102444800"));
    world.complete(wildcard);
}

#[test]
fn s_14_caa_may_permit_the_record_alone() {
    let world = World::start();
    world.knot.add(
        "good.dev.",
        "good.dev.",
        "CAA",
        r#"0 issue "reseal.invalid; validationmethods=dns-persist-01""#,
    );
    let reply = world.ask(&["shop.good.dev"], &json!({"type": "DNS"}));
    // Not refused while the name may yet be proved by the record.
    let info = reply.json();
    assert_eq!(
        info["validations"]["dcv"][0]["caaRecordStatus"], "VALID",
        "{info}"
    );
    world.publish_persistent(&format!("{OURS}; policy=wildcard"));
    let id = world.complete(reply.process());
    world.verifies(id, "shop.good.dev");
}

#[test]
fn d_33_a_product_may_take_no_persistent_records() {
    let mut world = World::start();
    world.house.kill();
    let catalogue = world.house.data().join("products.toml");
    let text = std::fs::read_to_string(&catalogue).unwrap();
    let line = "product = \"ssl_dv_md\"\n";
    let text = text.replacen(line, &format!("{line}dcv_persistent = false\n"), 1);
    std::fs::write(&catalogue, text).unwrap();
    world.house.start(None);
    world.publish_persistent(&format!("{OURS}; policy=wildcard"));
    let reply = world.ask(&["www.good.dev"], &json!({"type": "DNS"}));
    let entry = &reply.json()["validations"]["dcv"][0];
    assert_eq!(entry.get("persistentDnsRecord"), None, "{entry}");
    assert_eq!(world.status_after_a_look(reply.process()), "ATTENTION");
}
