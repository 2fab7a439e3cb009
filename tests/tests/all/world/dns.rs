//! DNS: DNSSEC as Knot signs it, CAA, reuse, and what becomes of a dropped name.

use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::World;
use crate::support::csr::csr;

#[test]
fn s_1_r_3_a_signed_zone_is_validated_and_a_reissue_relies_on_its_proof() {
    let world = World::start();
    let old = world.certificate("good.dev.", &["www.good.dev"]);
    world.verifies(old, "www.good.dev");
    let process = world.house.certificate(old)["process"].as_i64().unwrap();
    let timeline = world.house.timeline(process);
    assert!(timeline.contains(r#""security":"secure""#), "{timeline}");

    let path = format!("/v2/ssl/certificates/{old}/reissue");
    let reply = world
        .house
        .alice
        .post(&path, &json!({"csr": csr(&["www.good.dev"])}));
    let new = reply.expect(201)["certificateId"].as_i64().unwrap();
    assert_ne!(new, old);
    assert_eq!(world.house.certificate(old)["status"], "REISSUED");
    assert_eq!(world.house.certificate(new)["status"], "ACTIVE");
    world.verifies(new, "www.good.dev");
}

#[test]
fn s_5_a_zone_that_is_provably_unsigned_is_believed() {
    let world = World::start();
    let id = world.certificate("plain.dev.", &["www.plain.dev"]);
    world.verifies(id, "www.plain.dev");
    let process = world.house.certificate(id)["process"].as_i64().unwrap();
    let timeline = world.house.timeline(process);
    assert!(timeline.contains(r#""security":"insecure""#), "{timeline}");
}

#[test]
fn s_2_a_bogus_zone_never_leads_to_a_certificate() {
    let world = World::start();
    let reply = world.ask(&["www.bogus.dev"], &json!({"type": "DNS"}));
    world.publish("bogus.dev.", &reply.json());
    let process = reply.process();
    for _ in 0..3 {
        world.house.resend(process);
        world.house.wait_for(process, "SUSPENDED");
        thread::sleep(Duration::from_millis(200));
    }
    let found = world.house.alice.get("/v2/ssl/certificates").expect(200);
    assert_eq!(found["pagination"]["total"], 0, "{found}");
    let info = world.house.info(process);
    assert_ne!(info["validations"]["dcv"][0]["status"], "VALIDATED");
    let timeline = world.house.timeline(process);
    assert!(timeline.contains(r#""security":"bogus""#), "{timeline}");
    assert!(!timeline.contains(r#""event":"reserved""#), "{timeline}");
}

#[test]
fn names_that_do_not_exist_below_a_proved_domain_are_provably_without_caa() {
    let world = World::start();
    for (zone, domain) in [("good.dev.", "good.dev"), ("plain.dev.", "plain.dev")] {
        world.certificate(zone, &[domain]);
        // Neither `b` nor anything below it is in the zone: RFC 8659 section 3 climbs over both denials.
        let name = format!("a.b.{domain}");
        let body = json!({"customer": "alice", "product": "ssl_dv_md", "period": 12, "csr": csr(&[&name])});
        let reply = world.house.alice.post("/v2/ssl/certificates", &body);
        let id = reply.expect(201)["certificateId"].as_i64().unwrap();
        world.verifies(id, &name);
    }
}

#[test]
fn caa_that_forbids_holds_the_process_until_it_changes() {
    let world = World::start();
    world
        .knot
        .add("good.dev.", "shop.good.dev.", "CAA", r#"0 issue ";""#);
    let reply = world.ask(&["shop.good.dev"], &json!({"type": "DNS"}));
    let info = reply.json();
    assert_eq!(info["validations"]["dcv"][0]["caaRecordStatus"], "INVALID");
    world.publish("good.dev.", &info);
    let process = reply.process();
    world.house.resend(process);
    let info = world.house.wait_until(process, || {
        let info = world.house.info(process);
        (info["validations"]["dcv"][0]["status"] == "VALIDATED").then_some(info)
    });
    assert_eq!(info["validations"]["dcv"][0]["caaRecordStatus"], "INVALID");
    world.house.wait_for(process, "SUSPENDED");
    world.knot.remove("good.dev.", "shop.good.dev.", "CAA");
    let id = world.complete(process);
    world.verifies(id, "shop.good.dev");
}

#[test]
fn n_20_n_24_a_record_below_a_name_proves_nothing_about_it_whatever_method_it_had_before() {
    for (above, method) in [
        ("good.dev", json!({"type": "FILE"})),
        (
            "*.good.dev",
            json!({"type": "EMAIL", "email": "hostmaster@good.dev"}),
        ),
    ] {
        let world = World::start();
        let reply = world.ask(&[above, "sub.good.dev"], &method);
        let process = reply.process();
        let status = |name: &str, info: &Value| {
            let dcv = info["validations"]["dcv"].as_array().unwrap();
            let of_name = dcv.iter().find(|entry| entry["commonName"] == name);
            of_name.unwrap()["status"].clone()
        };
        let below = reply.json()["validations"]["dcv"][1].clone();
        assert_eq!(below["commonName"], "sub.good.dev");
        let record = below["dnsRecord"].as_str().unwrap();
        assert!(record.ends_with(".sub.good.dev."), "{record}");
        world.house.wait_for(process, "SUSPENDED");

        world.resend_as(process, above, "DNS");
        world.publish("good.dev.", &json!({"validations": {"dcv": [below]}}));
        world.house.resend(process);
        let info = world.house.wait_until(process, || {
            let info = world.house.info(process);
            (status("sub.good.dev", &info) == "VALIDATED").then_some(info)
        });
        assert_ne!(status(above, &info), "VALIDATED", "{info}");
        let timeline = world.house.timeline(process);
        assert!(!timeline.contains(r#""event":"reserved""#), "{timeline}");
        // Its own record does.
        world.publish("good.dev.", &info);
        world.complete(process);
    }
}

#[test]
fn r_4_a_dropped_name_schedules_the_revocation_of_the_old_certificate() {
    let mut world = World::start();
    let old = world.certificate("good.dev.", &["a.good.dev", "b.good.dev"]);
    let path = format!("/v2/ssl/certificates/{old}/reissue");
    let body = json!({"csr": csr(&["a.good.dev"]), "san": ["a.good.dev"]});
    let reply = world.house.alice.post(&path, &body);
    let new = reply.expect(201)["certificateId"].as_i64().unwrap();
    assert_eq!(world.house.certificate(old)["status"], "REISSUED");
    let timeline = world.house.timeline(reply.process());
    assert!(timeline.contains(r#""event":"replaced""#), "{timeline}");

    world.house.kill();
    let database = world.house.database();
    let of = |column: &str, id: i64| -> Option<i64> {
        let query = format!("SELECT {column} FROM certificate WHERE id = {id}");
        database.value(&query).map(|number| number.parse().unwrap())
    };
    let replaced = |column: &str| -> i64 {
        let query = format!(
            "SELECT {column} FROM process WHERE id = {}",
            reply.process()
        );
        database.number(&query)
    };
    let scheduled = of("revocation_scheduled", old).unwrap();
    let after = Duration::from_millis((scheduled - replaced("updated")).try_into().unwrap());
    let expected = Duration::from_hours(72);
    assert!(
        after.abs_diff(expected) < Duration::from_secs(5),
        "{after:?}"
    );
    assert_eq!(of("revoked_at", old), None);
    assert_eq!(of("revocation_scheduled", new), None);
}
