//! An upstream that does not say, or does not know, what became of an order.

use serde_json::json;

use super::lying::{wait_until_heard, world};
use super::{NAMES, World};
use crate::crash::HELD;
use crate::support::acme_stub::{AcmeStub, Mischief};
use crate::support::csr::csr;

#[test]
fn r_11_a_lost_answer_is_a_doubt_that_reading_the_order_ends() {
    let mut world = world();
    world.pebble.misbehave(Mischief::LoseAnswer);
    let process = world.request(NAMES).process();
    world.finish(process);
    assert_eq!(world.pebble.heard("/finalize").len(), 1);
    assert_eq!(world.pebble.heard("/new-order").len(), 1);
    assert!(world.house.timeline(process).contains("answer was lost"));
    assert_eq!(world.pebble.issued(), 1);
    // Only when the upstream says itself that it has no CSR, it is sent one again, for the same order.
    world.pebble.misbehave(Mischief::LoseRequest);
    let process = world.request(&["reseal.org"]).process();
    world.publish(&world.asked_for(process));
    world.house.resend(process);
    world.house.wait_for(process, "IN_DOUBT");
    // It may still be at work, as far as anybody can see.
    world.house.resend(process);
    assert_eq!(world.pebble.heard("/finalize").len(), 2);
    world.house.kill();
    world.house.start_at("+6m");
    world.house.wait_for(process, "COMPLETED");
    assert_eq!(world.pebble.heard("/finalize").len(), 3);
    assert_eq!(world.pebble.heard("/new-order").len(), 2);
    assert_eq!(world.pebble.issued(), 2);
    world.is_sound();
}

#[test]
fn r_11_a_doubt_about_an_order_that_is_forgotten_ends_and_nothing_is_ordered_again() {
    let mut world = world();
    let process = world.request(NAMES).process();
    world.publish(&world.asked_for(process));
    // Once it was asked for the certificate, it forgets.
    world.house.kill();
    world.house.start(Some("finalized"));
    let looking = world
        .house
        .send(&format!("/v2/processes/{process}/resend"), b"");
    world.house.wait_for_line(HELD);
    world.pebble.misbehave(Mischief::ForgetOrders);
    world.house.kill();
    drop(looking);
    world.house.start(None);
    world.says(process, "IN_DOUBT", "read again");
    world.house.kill();
    world.house.start_at("+8d");
    let failed = world.house.wait_for(process, "FAILED");
    let said = failed["statusDetail"].as_str().unwrap();
    assert!(
        said.contains("what became of that is not known") && said.contains("malformed"),
        "{said}"
    );
    let database = world.house.database();
    let incidents = "SELECT count(*) FROM audit WHERE action = 'incident.upstream'";
    assert_eq!(database.number(incidents), 1);
    assert_eq!(world.pebble.heard("/new-order").len(), 1);
    world.is_sound();
}

#[test]
fn r_11_an_order_that_is_never_fulfilled_keeps_nothing_waiting_for_ever() {
    let mut world = world();
    let old = world.order();
    world.pebble.misbehave(Mischief::StaysProcessing);
    let path = format!("/v2/ssl/certificates/{old}/reissue");
    let reissue = |world: &World<AcmeStub>| {
        let body = json!({"csr": csr(NAMES)});
        world.house.alice.post(&path, &body)
    };
    let process = reissue(&world).process();
    world.publish(&world.asked_for(process));
    world.house.resend(process);
    world.house.wait_until(process, || {
        let asked = world.pebble.heard("/finalize").len();
        (asked == 2).then_some(())
    });
    assert_ne!(reissue(&world).status, 202);
    world.house.kill();
    world.house.start_at("+8d");
    world.says(process, "FAILED", "still not fulfilled");
    let database = world.house.database();
    let incidents = "SELECT count(*) FROM audit WHERE action = 'incident.upstream'";
    assert_eq!(database.number(incidents), 1);
    assert_eq!(reissue(&world).status, 202);
    world.is_sound();
}

#[test]
fn r_11_an_operator_ends_a_doubt_and_nothing_else() {
    let world = world();
    let process = world.request(NAMES).process();
    let give_up = |process: i64| {
        let id = process.to_string();
        [
            "issuer",
            "give-up",
            &id,
            "--reason",
            "the upstream has no record",
        ]
        .map(str::to_owned)
    };
    let refused = |arguments: [String; 5], part: &str| {
        let said = world.house.refused(&arguments.each_ref().map(|one| &**one));
        assert!(said.contains(part), "{said}");
    };
    world.publish(&world.asked_for(process));
    refused(give_up(process), "not in doubt");
    refused(give_up(process + 99), "Process");
    world.pebble.misbehave(Mischief::StaysProcessing);
    world.house.resend(process);
    wait_until_heard(&world, "/finalize", 1);
    refused(give_up(process), "less than an hour ago");
    world.pebble.lose_orders();
    world.house.wait_for(process, "IN_DOUBT");
    let arguments = give_up(process);
    world.house.told(&arguments.each_ref().map(|one| &**one));
    world.says(process, "FAILED", "the upstream has no record");
    let incidents = "SELECT count(*) FROM audit WHERE action = 'incident.upstream'";
    assert_eq!(world.house.database().number(incidents), 1);
    refused(give_up(process), "FAILED and not in doubt");
    world.is_sound();
}

#[test]
fn r_11_what_was_certainly_not_asked_for_is_no_doubt() {
    let world = world();
    world.pebble.misbehave(Mischief::LimitCsr);
    let process = world.request(NAMES).process();
    world.publish(&world.asked_for(process));
    world.house.resend(process);
    world.says(process, "SUSPENDED", "rateLimited");
    // It is asked again at once, and a refusal is the end of it.
    world.pebble.misbehave(Mischief::BadCsr);
    world.house.resend(process);
    world.says(process, "FAILED", "so it is: badCSR");
    let incidents = "SELECT count(*) FROM audit WHERE action = 'incident.upstream'";
    assert_eq!(world.house.database().number(incidents), 0);
    world.is_sound();
}
