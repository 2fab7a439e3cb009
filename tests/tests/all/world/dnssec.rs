//! Zones that deny by hashes, and zones whose signatures are too old.

use serde_json::{Value, json};

use super::World;
use crate::support::csr::csr;
use crate::support::knot::BRIEF;

impl World {
    /// The events of a kind in a process's timeline.
    #[track_caller]
    fn events(&self, process: i64, kind: &str) -> Vec<Value> {
        let timeline: Value = serde_json::from_str(&self.house.timeline(process)).unwrap();
        let all = timeline["entities"].as_array().unwrap();
        let of_kind = all.iter().filter(|event| event["event"] == kind);
        of_kind.cloned().collect()
    }

    /// What the last look at a challenge was answered, one answer after the other: outcome and security.
    #[track_caller]
    fn answers(&self, process: i64) -> Vec<(String, String)> {
        let last = self.events(process, "attempt").pop().unwrap();
        let answers = last["evidence"]["answers"].as_array().unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        answers
            .iter()
            .map(|answer| (text(&answer["outcome"]["kind"]), text(&answer["security"])))
            .collect()
    }

    #[track_caller]
    fn issues_nothing(&self, process: i64) {
        self.house.resend(process);
        self.house.wait_for(process, "SUSPENDED");
        assert_eq!(self.events(process, "reserved"), [] as [Value; 0]);
    }
}

#[test]
fn s_1_s_10_names_that_are_denied_by_nsec3_are_provably_absent() {
    let world = World::start();
    let reply = world.ask(&["www.hashed.dev"], &json!({"type": "DNS"}));
    let process = reply.process();
    world.issues_nothing(process);
    let denied = ("noName".to_owned(), "secure".to_owned());
    assert_eq!(world.answers(process), [denied.clone(), denied]);
    world.publish("hashed.dev.", &reply.json());
    let id = world.complete(process);
    world.verifies(id, "www.hashed.dev");
    let (outcome, security) = world.answers(process).remove(0);
    assert_eq!((&*outcome, &*security), ("records", "secure"));
    let caa = world.events(process, "caaChecked");
    let caa = serde_json::to_string(&caa).unwrap();
    assert!(caa.contains(r#""security":"secure""#), "{caa}");
    assert!(!caa.contains("insecure") && !caa.contains("bogus"), "{caa}");
}

#[test]
fn s_8_s_10_caa_above_a_name_that_nsec3_denies_forbids() {
    let world = World::start();
    let first = world.certificate("hashed.dev.", &["hashed.dev"]);
    world
        .knot
        .add("hashed.dev.", "hashed.dev.", "CAA", r#"0 issue ";""#);
    let path = "/v2/ssl/certificates";
    let body = json!({"customer": "alice", "product": "ssl_dv_md", "period": 12, "csr": csr(&["a.b.hashed.dev"])});
    let reply = world.house.alice.post(path, &body);
    let info = reply.expect(202);
    assert_eq!(
        info["validations"]["dcv"][0]["caaRecordStatus"], "INVALID",
        "{info}"
    );
    world.issues_nothing(reply.process());
    world.knot.remove("hashed.dev.", "hashed.dev.", "CAA");
    let id = world.complete(reply.process());
    assert_ne!(id, first);
    world.verifies(id, "a.b.hashed.dev");
}

#[test]
fn s_1_d_30_an_answer_by_wildcard_counts_when_nsec3_proves_that_nothing_is_closer() {
    let world = World::start();
    let reply = world.ask(&["www.hashed.dev"], &json!({"type": "DNS"}));
    let entry = reply.json()["validations"]["dcv"][0].clone();
    let contents = entry["dnsContents"].as_str().unwrap();
    world
        .knot
        .add("hashed.dev.", "*.www.hashed.dev.", "CNAME", contents);
    world.complete(reply.process());
    let look = world.events(reply.process(), "attempt").pop().unwrap();
    assert_eq!(look["evidence"]["wildcardAnswer"], true, "{look}");
    assert_eq!(
        look["evidence"]["answers"][0]["security"], "secure",
        "{look}"
    );
}

#[test]
fn s_5_where_opt_out_leaves_room_for_unsigned_zones_nothing_is_taken_for_bogus() {
    let world = World::start();
    let id = world.certificate("optout.dev.", &["www.optout.dev"]);
    world.verifies(id, "www.optout.dev");
    // The DS of a zone below is denied by a span that only says: nothing signed is in here.
    let id = world.certificate("plain.optout.dev.", &["www.plain.optout.dev"]);
    world.verifies(id, "www.plain.optout.dev");
    let process = world.house.certificate(id)["process"].as_i64().unwrap();
    let (outcome, security) = world.answers(process).remove(0);
    assert_eq!((&*outcome, &*security), ("records", "insecure"));
}

#[test]
fn s_2_s_17_nasty_117_signatures_that_are_too_old_neither_prove_nor_permit() {
    let mut world = World::start();
    world.knot.thaw(BRIEF);
    let id = world.certificate(BRIEF, &["www.expired.dev"]);
    let reply = world.ask(&["new.expired.dev"], &json!({"type": "FILE"}));
    let process = reply.process();
    world.knot.let_expire(BRIEF);
    // When no earlier answer of CAA may be relied on.
    world.house.kill();
    world.house.start_at("+9h");

    // The proof is good, and CAA cannot be asked: what cannot be asked never permits.
    let path = format!("/v2/ssl/certificates/{id}/reissue");
    let body = json!({"csr": csr(&["www.expired.dev"])});
    let reissue = world.house.alice.post(&path, &body);
    let info = reissue.expect(202);
    let entry = &info["validations"]["dcv"][0];
    assert_eq!(entry["status"], "VALIDATED", "{info}");
    world.issues_nothing(reissue.process());
    let timeline = world.house.timeline(reissue.process());
    assert!(timeline.contains(r#""kind":"bogus""#), "{timeline}");

    // The contents are there, under a signature that is over.
    world.resend_as(process, "new.expired.dev", "DNS");
    let info = world.house.info(process);
    world.publish(BRIEF, &info);
    // What is changed is signed with the change.
    world.knot.let_expire(BRIEF);
    world.issues_nothing(process);
    let look = world.events(process, "attempt").pop().unwrap();
    assert_eq!(look["verdict"], "refused", "{look}");

    world.knot.thaw(BRIEF);
    world.complete(process);
    world.complete(reissue.process());
}
