//! Hooks that do not work: somebody can publish by hand, the operator is told what is wrong.

use std::fs;

use super::{World, hook};
use crate::support::knot::{Knot, OPEN};
use crate::support::server::binary;

/// What the doctor says of hooks, and whether it found nothing that fails.
#[track_caller]
fn doctor(world: &World) -> (String, bool) {
    let output = std::process::Command::new(binary())
        .args(["doctor", "--data"])
        .arg(world.house.data())
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = said
        .lines()
        .filter(|line| line.contains("DNS hook") || line.contains("dns_hook"))
        .collect();
    let fine = lines.iter().all(|line| line.starts_with("ok"));
    (lines.join("\n"), fine)
}

/// The hook fails for a reason with that part, the doctor says the same, and publishing by hand goes on.
#[track_caller]
fn is_told(mut world: World, name: &str, zone: &str, part: &str) {
    let (said, fine) = doctor(&world);
    assert!(!fine && said.contains(part), "{said}");
    world.house.start(None);
    let process = world.request(&[name]).process();
    world.fails(process, part);
    let info = world.house.info(process);
    let entry = &info["validations"]["dcv"][0];
    let text = |field: &str| entry[field].as_str().unwrap();
    world
        .knot
        .add(zone, text("dnsRecord"), "TXT", text("dnsContents"));
    world.house.resend(process);
    world.house.wait_for(process, "COMPLETED");
    world.is_sound();
}

#[test]
fn a_key_that_the_server_does_not_know() {
    let world = World::with(&[("key_name", "\"stranger\"")]);
    is_told(world, "www.good.dev", OPEN, "BADKEY");
}

#[test]
fn another_secret_of_the_key() {
    let world = World::new();
    let key = world.house.data().join("tsig");
    fs::write(key, "YW5vdGhlciBzZWNyZXQsIG9mIG5vYm9keSBoZXJlLg==").unwrap();
    is_told(world, "www.good.dev", OPEN, "BADSIG");
}

#[test]
fn a_key_that_may_not_update() {
    let world = World::with(&[("key_name", "\"reader\"")]);
    is_told(world, "www.good.dev", OPEN, "May the key update TXT");
}

#[test]
fn a_zone_that_may_not_be_updated() {
    let world = World::with(&[("zones", "[\"plain.dev\"]")]);
    is_told(
        world,
        "www.plain.dev",
        "plain.dev.",
        "May the key update TXT",
    );
}

#[test]
fn a_zone_that_is_no_zone_there() {
    let world = World::with(&[("zones", "[\"www.good.dev\"]")]);
    is_told(world, "www.good.dev", OPEN, "is it the primary of the zone");
}

#[test]
fn what_is_down_is_asked_again_and_what_was_published_meanwhile_is_removed_later() {
    let mut world = World::new();
    let (said, fine) = doctor(&world);
    assert!(fine && said.contains("zone `good.dev`"), "{said}");
    world.house.start(None);
    world.knot.kill();
    let process = world.request(&["www.good.dev"]).process();
    world.fails(process, "Is the server up");
    world.knot.start_again();
    world.house.wait_for(process, "COMPLETED");
    world.is_clean(process);

    // Down when something is to be removed.
    world
        .knot
        .add(OPEN, "api.good.dev.", "CAA", "0 issue \"other.example\"");
    let process = world.request(&["api.good.dev"]).process();
    world.knot.wait_for_texts(OPEN, 1);
    world.knot.kill();
    let path = format!("/v2/processes/{process}");
    assert!(world.house.alice.delete(&path).status < 300);
    world
        .house
        .wait_for_line("a published record was not removed");
    // What Knot had not written to its disk is in its journal.
    world.knot.start_again();
    assert_eq!(world.knot.texts(OPEN).len(), 1);
    world.is_clean(process);
    world.is_sound();
}

#[test]
fn a_configuration_that_cannot_be_used_is_refused_at_the_start() {
    let knot = Knot::start();
    let lines = hook(&knot, &[("key_file", "\"nowhere\"")]);
    let world = World::over(knot, &lines);
    let output = std::process::Command::new(binary())
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(world.house.data())
        .output()
        .unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("`dns_hook.knot.key_file`"), "{said}");
    fs::write(world.house.data().join("nowhere"), "c2hvcnQ=").unwrap();
    let (said, fine) = doctor(&world);
    assert!(!fine && said.contains("at least 16 bytes"), "{said}");
}
