//! SIGKILL at every step of a process with an upstream: it completes after a restart, and the upstream makes one
//! certificate for it.

use super::{NAMES, World};
use crate::crash::HELD;

#[track_caller]
fn survives(point: &str) {
    let mut world = World::new();
    let is_early = matches!(point, "accepted" | "ordered" | "order-recorded");
    world.house.start(is_early.then_some(point));
    let body = serde_json::json!({"customer": "alice", "product": "ssl_dv_md", "period": 12,
        "csr": crate::support::csr::csr(NAMES), "san": NAMES});
    let call = world
        .house
        .send("/v2/ssl/certificates", body.to_string().as_bytes());
    if is_early {
        world.house.wait_for_line(HELD);
        world.house.kill();
        world.house.start(None);
    }
    drop(call);
    let found = "SELECT id FROM process";
    let database = world.house.database();
    let process: i64 = loop {
        if let [row] = &*database.rows(found) {
            break row[0].as_ref().unwrap().parse().unwrap();
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    };
    let info = world.asked_for(process);
    if is_early {
        world.finish(process);
    } else {
        world.house.kill();
        world.publish(&info);
        world.house.start(Some(point));
        let looking = world
            .house
            .send(&format!("/v2/processes/{process}/resend"), b"");
        world.house.wait_for_line(HELD);
        world.house.kill();
        drop(looking);
        // An order that may have been asked for is asked for again only when no signing takes longer.
        world.house.start_at("+6m");
        world.house.wait_for(process, "COMPLETED");
    }
    world.house.kill();
    assert_eq!(database.number("SELECT count(*) FROM certificate"), 1);
    assert_eq!(
        database.number("SELECT count(*) FROM process WHERE open = 1"),
        0
    );
    assert_eq!(world.pebble.issued(), 1, "{}", world.pebble.log());
    world.is_sound();
}

#[test]
fn r_11_killed_before_the_order_is_placed() {
    survives("accepted");
}

#[test]
fn r_11_killed_before_the_order_is_recorded() {
    survives("ordered");
}

#[test]
fn r_11_killed_after_the_order_is_recorded() {
    survives("order-recorded");
}

#[test]
fn r_11_killed_before_the_upstream_is_asked() {
    survives("finalizing");
}

#[test]
fn r_11_killed_after_the_upstream_was_asked() {
    survives("finalized");
}

#[test]
fn r_11_killed_with_the_certificate_in_memory() {
    survives("signed");
}

#[test]
fn r_11_killed_when_it_is_stored() {
    survives("completed");
}
