//! Certificates of the embedded issuer that nobody had to publish anything for.

use serde_json::json;

use super::{World, body};
use crate::support::csr::csr;
use crate::support::knot::OPEN;
use crate::support::server::reseal;

#[test]
fn d_28_an_order_and_a_reissue_need_nobody_and_leave_nothing_behind() {
    let mut world = World::new();
    world.house.start(None);
    world.knot.add(OPEN, "www.good.dev.", "TXT", "somebodys");
    let names = ["www.good.dev", "*.www.good.dev", "shop.good.dev"];
    let reply = world.request(&names);
    let old = world.completes(&reply);
    let published = world.events(reply.process(), "recordPublished");
    assert_eq!(published.len(), 2, "{published:?}");
    assert_eq!(published[0]["hook"], "knot");
    assert_eq!(world.knot.wait_for_texts(OPEN, 1)[0].1, "somebodys");
    // Another name, which no earlier proof covers.
    let names = ["www.good.dev", "*.www.good.dev", "api.good.dev"];
    let reply = world.reissue(old, &names);
    let new = world.completes(&reply);
    assert_eq!(world.house.certificate(old)["status"], "REISSUED");
    assert_eq!(world.house.certificate(new)["status"], "ACTIVE");
    world.knot.remove(OPEN, "www.good.dev.", "TXT");
    world.is_clean(reply.process());
    world.is_sound();
}

#[test]
fn d_28_within_the_call_it_is_answered_with_the_certificate() {
    let mut world = World::new();
    world.house.start(None);
    let first = world.request(&["a.good.dev"]);
    world.completes(&first);
    // The resolver is warm, the zone signed: there is nothing to wait for.
    let statuses: Vec<u16> = (0..3)
        .map(|number| world.request(&[&format!("b{number}.good.dev")]).status)
        .collect();
    assert!(statuses.contains(&201), "{statuses:?}");
}

#[test]
fn who_is_not_served_publishes_by_hand() {
    let mut world = World::with(&[("customers", "[\"bob\"]")]);
    let data = world.house.data();
    let path = data.to_str().unwrap();
    reseal(&["customer", "create", "bob", "--data", path]);
    let key = reseal(&["api-key", "create", "--customer", "bob", "--data", path]);
    world.house.start(None);
    let reply = world.request(&["www.good.dev"]);
    let process = reply.process();
    world.house.wait_for(process, "SUSPENDED");
    world.house.resend(process);
    world.house.wait_until(process, || {
        let seen = world.events(process, "waiting").len();
        (seen > 1).then_some(())
    });
    assert_eq!(world.knot.texts(OPEN), []);
    assert!(!world.house.timeline(process).contains("recordPublished"));
    let info = world.house.info(process);
    let entry = &info["validations"]["dcv"][0];
    let text = |field: &str| entry[field].as_str().unwrap();
    world
        .knot
        .add(OPEN, text("dnsRecord"), "TXT", text("dnsContents"));
    world.house.resend(process);
    world.house.wait_for(process, "COMPLETED");
    // Nobody removes what it has not published.
    assert_eq!(world.knot.texts(OPEN).len(), 1);
    world.knot.remove(OPEN, text("dnsRecord"), "TXT");

    let bob = crate::support::http::Client {
        key,
        ..world.house.alice.clone()
    };
    let mut body = body(&["www.good.dev"]);
    body["customer"] = json!("bob");
    let reply = bob.post("/v2/ssl/certificates", &body);
    assert!(reply.status < 300, "{}", reply.text());
    let path = format!("/v2/processes/{}", reply.process());
    world.house.wait_until(process, || {
        (bob.get(&path).expect(200)["status"] == "COMPLETED").then_some(())
    });
    world.is_clean(process);
}

#[test]
fn a_record_is_published_where_an_alias_leads() {
    let mut world = World::new();
    let path = world.house.data().join("products.toml");
    let catalogue = std::fs::read_to_string(&path).unwrap();
    let catalogue = catalogue.replace(
        "validation_type = \"DOMAIN_VALIDATION\"\n",
        "validation_type = \"DOMAIN_VALIDATION\"\nchallenge = \"digicert-like\"\n",
    );
    std::fs::write(path, catalogue).unwrap();
    world.house.start(None);
    // From a zone that no hook writes, through one that is an alias itself.
    let knot = &world.knot;
    knot.add(
        "plain.dev.",
        "_dnsauth.www.plain.dev.",
        "CNAME",
        "one.good.dev.",
    );
    knot.add(OPEN, "one.good.dev.", "CNAME", "two.good.dev.");
    let reply = world.request(&["www.plain.dev"]);
    world.completes(&reply);
    let published = world.events(reply.process(), "recordPublished");
    assert_eq!(published[0]["name"], "two.good.dev.", "{published:?}");
    world.is_clean(reply.process());

    // One that leads out of the zones.
    knot.add(OPEN, "_dnsauth.out.good.dev.", "CNAME", "out.plain.dev.");
    let process = world.request(&["out.good.dev"]).process();
    world.fails(process, "is an alias");
    assert_eq!(world.knot.texts(OPEN), []);
    world.is_sound();
}

#[test]
fn several_processes_publish_at_the_same_name_and_each_removes_its_own() {
    // What was published stays for a while before anybody looks.
    let mut world = World::with(&[("settle", "\"6s\"")]);
    world.house.start(None);
    let request = csr(&["www.good.dev"]);
    let processes = [(); 2].map(|()| {
        let mut body = body(&["www.good.dev"]);
        // The same CSR: both look at the same name.
        body["csr"] = json!(request);
        let reply = world.house.alice.post("/v2/ssl/certificates", &body);
        assert_eq!(reply.status, 202, "{}", reply.text());
        reply.process()
    });
    let texts = world.knot.wait_for_texts(OPEN, 2);
    assert_eq!(texts[0].0, texts[1].0);
    assert_ne!(texts[0].1, texts[1].1);
    let info = world.house.info(processes[1]);
    let path = format!("/v2/processes/{}", processes[0]);
    let cancelled = world.house.alice.delete(&path);
    assert!(cancelled.status < 300, "{}", cancelled.text());
    let left = world.knot.wait_for_texts(OPEN, 1);
    assert_eq!(info["validations"]["dcv"][0]["dnsContents"], left[0].1);
    world.house.wait_for(processes[1], "COMPLETED");
    world.is_clean(processes[1]);
    // Of the one that was cancelled it is made sure some minutes later. The row of the other goes when its record is gone.
    let rows = "SELECT count(*) FROM dns_record";
    world.house.wait_until(processes[1], || {
        (world.house.database().number(rows) == 1).then_some(())
    });
    world.house.kill();
    world.house.start_at("+10m");
    world.house.wait_until(processes[0], || {
        (world.house.database().number(rows) == 0).then_some(())
    });
    world.is_sound();
}
