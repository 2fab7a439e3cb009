//! FILE: a real host, redirects, and changing over to it.

use serde_json::{Value, json};

use super::World;

fn place(info: &Value) -> (String, String) {
    let entry = &info["validations"]["dcv"][0];
    let text = |field: &str| entry[field].as_str().unwrap().to_owned();
    (text("fileLocation"), text("fileContents"))
}

#[test]
fn a_file_is_found_behind_a_redirect_to_another_host() {
    let world = World::start();
    for host in ["www.good.dev.", "cdn.good.dev."] {
        world.knot.add("good.dev.", host, "A", "127.0.0.1");
    }
    let reply = world.ask(&["www.good.dev"], &json!({"type": "FILE"}));
    let (location, contents) = place(&reply.json());
    let target = "cdn.good.dev/proofs/here.txt";
    let port = world.web.address.port();
    world.web.redirect(
        &location,
        &format!("http://cdn.good.dev:{port}/proofs/here.txt"),
    );
    world.web.file(target, &contents);
    let id = world.complete(reply.process());
    world.verifies(id, "www.good.dev");
    let asked = world.web.asked();
    assert!(asked.contains(&location), "{asked:?}");
    assert!(asked.iter().any(|one| one == target), "{asked:?}");
    let timeline = world.house.timeline(reply.process());
    assert!(timeline.contains("cdn.good.dev"), "{timeline}");
}

#[test]
fn a_2_a_wrong_file_waits_with_evidence_and_the_right_one_completes() {
    let world = World::start();
    world
        .knot
        .add("good.dev.", "www.good.dev.", "A", "127.0.0.1");
    let reply = world.ask(&["www.good.dev"], &json!({"type": "FILE"}));
    let process = reply.process();
    let (location, contents) = place(&reply.json());
    world.web.file(&location, "somebody else's words");
    world.house.resend(process);
    world.house.wait_until(process, || {
        let timeline = world.house.timeline(process);
        timeline.contains("somebody else's words").then_some(())
    });
    world.house.wait_for(process, "SUSPENDED");
    world.web.file(&location, &contents);
    world.complete(process);
}

#[test]
fn changing_the_method_kills_the_old_challenge() {
    let world = World::start();
    world
        .knot
        .add("good.dev.", "www.good.dev.", "A", "127.0.0.1");
    let reply = world.ask(&["www.good.dev"], &json!({"type": "DNS"}));
    let process = reply.process();
    world.resend_as(process, "www.good.dev", "FILE");
    // What the abandoned method asked for comes too late.
    world.publish("good.dev.", &reply.json());
    world.house.resend(process);
    world.house.wait_for(process, "SUSPENDED");
    let info = world.house.info(process);
    assert_eq!(info["validations"]["dcv"][0]["type"], "FILE");
    assert_ne!(info["validations"]["dcv"][0]["status"], "VALIDATED");
    let (location, contents) = place(&info);
    world.web.file(&location, &contents);
    world.complete(process);
}
