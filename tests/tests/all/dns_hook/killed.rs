//! SIGKILL around what is published: after a restart the process completes, and nothing stays in the DNS.

use super::{World, body};
use crate::crash::HELD;
use crate::support::knot::OPEN;

#[track_caller]
fn survives(point: &str, texts_then: usize) {
    let mut world = World::new();
    world.house.start(Some(point));
    let body = body(&["www.good.dev", "api.good.dev"]).to_string();
    let call = world.house.send("/v2/ssl/certificates", body.as_bytes());
    world.house.wait_for_line(HELD);
    world.house.kill();
    drop(call);
    assert_eq!(world.knot.texts(OPEN).len(), texts_then);
    let process = world.house.database().number("SELECT max(id) FROM process");
    world.house.start(None);
    world.house.wait_for(process, "COMPLETED");
    world.is_clean(process);
    world.house.wait_until(process, || {
        let rows = "SELECT count(*) FROM dns_record";
        // One that was taken when the server died is another's after the lease.
        (world.house.database().number(rows) == 0).then_some(())
    });
    world.is_sound();
}

#[test]
fn r_11_killed_when_it_is_recorded_that_a_record_will_be_published() {
    survives("record-intended", 0);
}

#[test]
fn r_11_killed_between_publishing_a_record_and_recording_that() {
    survives("record-published", 2);
}

#[test]
fn r_11_killed_before_records_are_removed() {
    let mut world = World::new();
    world.house.start(Some("record-left"));
    let reply = world.request(&["www.good.dev"]);
    world.house.wait_for_line(HELD);
    world.house.kill();
    assert_eq!(world.knot.texts(OPEN).len(), 1);
    // Somebody has taken it: it is everybody's again when that lease ends.
    world.house.start_at("+4m");
    world.house.wait_for(reply.process(), "COMPLETED");
    world.is_clean(reply.process());
    world.is_sound();
}
