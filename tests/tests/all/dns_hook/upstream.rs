//! Challenges of an upstream that nobody had to publish.

use super::{World, hook};
use crate::crash::HELD;
use crate::support::knot::{Knot, OPEN};
use crate::support::pebble::{Manners, Pebble};

fn world() -> (World, Pebble) {
    let knot = Knot::start();
    let pebble = Pebble::start(knot.address, &Manners::default());
    let tables = hook(&knot, &[]) + &pebble.table();
    let world = World::over(knot, &tables);
    let path = world.house.data().join("products.toml");
    let catalogue = std::fs::read_to_string(&path).unwrap();
    let catalogue = catalogue.replace(
        "validation_type = \"DOMAIN_VALIDATION\"\n",
        "validation_type = \"DOMAIN_VALIDATION\"\nissuer = \"pebble\"\n",
    );
    std::fs::write(path, catalogue).unwrap();
    (world, pebble)
}

#[test]
fn d_36_an_order_and_a_reissue_at_an_upstream_need_nobody() {
    let (mut world, pebble) = world();
    world.house.start(None);
    let knot = &world.knot;
    knot.add(
        OPEN,
        "_acme-challenge.www.good.dev.",
        "CNAME",
        "x.good.dev.",
    );
    // A wildcard beside its base name asks for two texts at one name.
    let names = ["good.dev", "*.good.dev", "www.good.dev"];
    let reply = world.request(&names);
    let old = world.completes(&reply);
    let published = world.events(reply.process(), "recordPublished");
    let mut at: Vec<&str> = published
        .iter()
        .map(|one| one["name"].as_str().unwrap())
        .collect();
    at.sort_unstable();
    let base = "_acme-challenge.good.dev.";
    assert_eq!(at, [base, base, "x.good.dev."], "{published:?}");
    world.is_clean(reply.process());

    let reply = world.reissue(old, &names);
    world.completes(&reply);
    assert_eq!(world.house.certificate(old)["status"], "REISSUED");
    assert_eq!(pebble.issued(), 2, "{}", pebble.log());
    world.is_clean(reply.process());
    world.is_sound();
}

#[test]
fn r_11_killed_between_publishing_for_an_upstream_and_recording_that() {
    let (mut world, pebble) = world();
    world.house.start(Some("record-published"));
    let reply = world.request(&["www.good.dev"]);
    world.house.wait_for_line(HELD);
    world.house.kill();
    assert_eq!(world.knot.texts(OPEN).len(), 1);
    world.house.start(None);
    world.completes(&reply);
    assert_eq!(pebble.issued(), 1, "{}", pebble.log());
    world.is_clean(reply.process());
    world.is_sound();
}
