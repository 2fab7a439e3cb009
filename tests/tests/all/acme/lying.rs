//! An upstream that does what no honest one does, and one whose answers are lost.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{NAMES, World};
use crate::support::acme_stub::{AcmeStub, Mischief};
use crate::support::csr::csr;
use crate::support::dns_stub::DnsStub;

const CONTENT: &str = "Content-Type: application/json";

pub(super) fn world() -> World<AcmeStub> {
    let dns = DnsStub::start();
    let mut world = World::over(dns, AcmeStub::start(), "", AcmeStub::table);
    world.house.start(None);
    world
}

/// Waits until the stub has heard `count` requests to paths that begin so; their payloads.
#[track_caller]
pub(super) fn wait_until_heard(world: &World<AcmeStub>, path: &str, count: usize) -> Vec<Value> {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let heard = world.pebble.heard(path);
        if heard.len() >= count {
            return heard;
        }
        assert!(
            Instant::now() < deadline,
            "{path} was asked {} times",
            heard.len()
        );
        thread::sleep(Duration::from_millis(100));
    }
}

/// Orders, publishes, and waits until the process has failed; what it says.
#[track_caller]
fn fails(world: &World<AcmeStub>) -> String {
    let process = world.request(NAMES).process();
    world.publish(&world.asked_for(process));
    world.house.resend(process);
    let failed = world.house.wait_for(process, "FAILED");
    failed["statusDetail"].as_str().unwrap().to_owned()
}

#[test]
fn nasty_141_what_was_not_ordered_is_not_delivered_and_is_revoked_there() {
    let world = world();
    for (told, (mischief, part)) in [
        (Mischief::OtherKey, "another key"),
        (Mischief::OtherNames, "`other.dev`"),
        (Mischief::TooLong, "valid for"),
    ]
    .into_iter()
    .enumerate()
    {
        world.pebble.misbehave(mischief);
        let said = fails(&world);
        assert!(
            said.contains(part) && said.contains("discarded"),
            "{mischief:?}: {said}"
        );
        let revoked = wait_until_heard(&world, "/revoke", told + 1);
        assert_eq!(revoked[told]["reason"], 4);
        world.pebble.behave();
    }
    let database = world.house.database();
    assert_eq!(database.number("SELECT count(*) FROM certificate"), 0);
    let incidents = "SELECT count(*) FROM audit WHERE action = 'incident.upstream'";
    assert_eq!(database.number(incidents), 3);
    world.is_sound();
}

#[test]
fn nasty_140_r_13_a_limit_is_waited_for_as_long_as_the_upstream_says() {
    let world = world();
    world.pebble.misbehave(Mischief::RateLimit);
    let before = jiff::Timestamp::now();
    let process = world.request(NAMES).process();
    world.says(process, "SUSPENDED", "rateLimited");
    let next = world
        .house
        .database()
        .number("SELECT next_run FROM process");
    let wait = next - before.as_millisecond();
    assert!((17_000..30_000).contains(&wait), "{wait}");
    // It goes on by itself.
    world.finish(process);
}

#[test]
fn nasty_140_refusals_are_told_in_the_upstreams_words() {
    let world = world();
    world.pebble.misbehave(Mischief::BadCsr);
    let said = fails(&world);
    assert!(said.contains("so it is: badCSR"), "{said}");
    world.pebble.behave();
    world.pebble.misbehave(Mischief::Caa);
    let process = world.request(NAMES).process();
    world.says(process, "FAILED", "so it is: caa");
}

#[test]
fn nasty_140_r_12_a_reissue_says_what_it_replaces_where_that_is_taken() {
    let world = world();
    let old = world.order();
    let reissue = |id: i64| {
        let path = format!("/v2/ssl/certificates/{id}/reissue");
        let reply = world.house.alice.post(&path, &json!({"csr": csr(NAMES)}));
        assert_eq!(reply.status, 202, "{}", reply.text());
        world.finish(reply.process())
    };
    world.pebble.misbehave(Mischief::AlreadyReplaced);
    let new = reissue(old);
    let orders = world.pebble.heard("/new-order");
    assert_eq!(orders.len(), 3, "{orders:?}");
    assert!(
        orders[1]["replaces"].as_str().unwrap().contains('.'),
        "{orders:?}"
    );
    assert_eq!(orders[2].get("replaces"), None);
    world.pebble.behave();
    reissue(new);
    let orders = world.pebble.heard("/new-order");
    assert_eq!(orders.len(), 4, "{orders:?}");
    assert_ne!(orders[1]["replaces"], orders[3]["replaces"]);
}

#[test]
fn s_13_caa_is_asked_for_the_upstreams_names_before_it_is_told() {
    let world = world();
    world.dns.caa_issue("reseal.dev", "other.example");
    let process = world.request(NAMES).process();
    world.publish(&world.asked_for(process));
    world.house.resend(process);
    world.house.wait_until(process, || {
        let info = world.house.info(process);
        (info["validations"]["dcv"][0]["caaRecordStatus"] == "INVALID").then_some(())
    });
    assert_eq!(world.pebble.heard("/challenge").len(), 0);
    world.dns.clear("reseal.dev");
    world
        .dns
        .caa_issue("reseal.dev", "stub.example; validationmethods=dns-01");
    world.house.resend(process);
    world.house.wait_for(process, "COMPLETED");
}

#[test]
fn an_order_that_is_lost_before_anything_was_asked_for_is_replaced_but_not_for_ever() {
    let world = world();
    let process = world.request(NAMES).process();
    world.asked_for(process);
    world.house.wait_until(process, || {
        world.publish(&world.house.info(process));
        world.pebble.lose_orders();
        world.house.resend(process);
        (world.count(process, "failed") == 1).then_some(())
    });
    assert_eq!(world.pebble.heard("/new-order").len(), 4);
    world.says(process, "FAILED", "has lost 4 orders");
    let process = world.request(NAMES).process();
    world.asked_for(process);
    world.pebble.lose_orders();
    world.house.wait_until(process, || {
        world.publish(&world.house.info(process));
        world.house.resend(process);
        (world.pebble.issued() == 1).then_some(())
    });
    world.house.wait_for(process, "COMPLETED");
    world.is_sound();
}

#[test]
fn an_account_that_the_upstream_has_lost_is_made_again() {
    let world = world();
    let old = world.order();
    world.pebble.lose_account();
    let process = world.request(NAMES).process();
    world.says(process, "SUSPENDED", "/account/2 takes its place");
    world.house.resend(process);
    world.finish(process);
    // Revocations find it too.
    world.pebble.lose_account();
    let path = format!("/v2/ssl/certificates/{old}");
    let reply = world.house.alice.delete(&path);
    assert!(reply.status < 300, "{}", reply.text());
    let database = world.house.database();
    let deadline = Instant::now() + Duration::from_secs(30);
    while database.number("SELECT count(*) FROM upstream_revocation WHERE done IS NOT NULL") != 1 {
        assert!(Instant::now() < deadline);
        thread::sleep(Duration::from_millis(50));
    }
    let made = "SELECT count(*) FROM audit WHERE action = 'issuer.account'";
    assert_eq!(database.number(made), 3);
    world.is_sound();
}

#[test]
fn r_13_what_an_upstream_has_said_before_a_limit_is_not_asked_again() {
    let world = world();
    world.pebble.misbehave(Mischief::LimitReads);
    let process = world.request(NAMES).process();
    world.says(process, "SUSPENDED", "rateLimited");
    world.house.resend(process);
    world.asked_for(process);
    assert_eq!(world.pebble.heard("/authz/0/0").len(), 1);
    world.finish(process);
}

#[test]
fn two_processes_never_share_an_order() {
    let world = world();
    let first = world.request(NAMES).process();
    world.asked_for(first);
    world.pebble.misbehave(Mischief::SameOrder);
    let second = world.request(NAMES).process();
    world.says(second, "SUSPENDED", "another process");
    world.finish(first);
    assert_eq!(world.pebble.issued(), 1);
    world.pebble.behave();
    world.house.resend(second);
    world.finish(second);
    assert_eq!(world.pebble.issued(), 2);
    world.is_sound();
}

#[test]
fn what_a_process_that_ended_has_ordered_is_the_next_ones() {
    let world = world();
    world.pebble.misbehave(Mischief::SameOrder);
    let cancelled = world.request(NAMES).process();
    world.asked_for(cancelled);
    let reply = world
        .house
        .alice
        .delete(&format!("/v2/processes/{cancelled}"));
    assert!(reply.status < 300, "{}", reply.text());
    world.pebble.misbehave(Mischief::BadCsr);
    let refused = world.request(NAMES).process();
    world.publish(&world.asked_for(refused));
    world.house.resend(refused);
    world.house.wait_for(refused, "FAILED");
    world.pebble.behave();
    world.pebble.misbehave(Mischief::SameOrder);
    let process = world.request(NAMES).process();
    world.house.wait_for(process, "COMPLETED");
    assert_eq!(world.pebble.issued(), 1);
    // What has led to a certificate leads to no other.
    let next = world.request(NAMES).process();
    world.says(next, "SUSPENDED", "another process");
    world.is_sound();
}

#[test]
fn x_1_a_reason_that_an_upstream_does_not_take_is_left_out() {
    let world = world();
    let id = world.order();
    world.pebble.misbehave(Mischief::RefuseReasons);
    let body = json!({"reason": "AFFILIATION_CHANGED"});
    let path = format!("/v2/ssl/certificates/{id}");
    let reply = world
        .house
        .alice
        .call("DELETE", &path, &[CONTENT], body.to_string().as_bytes());
    assert!(reply.status < 300, "{}", reply.text());
    let told = wait_until_heard(&world, "/revoke", 2);
    assert_eq!(
        (&told[0]["reason"], told[1].get("reason")),
        (&json!(3), None)
    );
    let done = "SELECT count(*) FROM upstream_revocation WHERE done IS NOT NULL AND attempts = 0";
    let deadline = Instant::now() + Duration::from_secs(10);
    while world.house.database().number(done) != 1 {
        assert!(Instant::now() < deadline);
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn nasty_141_an_old_certificate_is_not_delivered_again_and_stays_in_force() {
    let world = world();
    let old = world.order();
    world.pebble.misbehave(Mischief::OldCertificate);
    let path = format!("/v2/ssl/certificates/{old}/reissue");
    let reply = world
        .house
        .alice
        .post(&path, &json!({"csr": world.download(old, "CSR")}));
    assert_eq!(reply.status, 202, "{}", reply.text());
    let process = reply.process();
    world.publish(&world.asked_for(process));
    world.house.resend(process);
    world.says(process, "FAILED", "exists");
    assert_eq!(world.house.certificate(old)["status"], "ACTIVE");
    let database = world.house.database();
    assert_eq!(
        database.number("SELECT count(*) FROM upstream_revocation"),
        0
    );
    let incidents = "SELECT count(*) FROM audit WHERE action = 'incident.upstream'";
    assert_eq!(database.number(incidents), 1);
    world.is_sound();
}

#[test]
fn x_1_an_upstream_that_does_not_revoke_is_told_again() {
    let world = world();
    let id = world.order();
    world.pebble.misbehave(Mischief::RefuseRevocation);
    let reply = world
        .house
        .alice
        .delete(&format!("/v2/ssl/certificates/{id}"));
    assert!(reply.status < 300, "{}", reply.text());
    wait_until_heard(&world, "/revoke", 2);
    let deadline = Instant::now() + Duration::from_secs(10);
    let database = world.house.database();
    while database.number("SELECT count(*) FROM upstream_revocation WHERE done IS NOT NULL") != 1 {
        assert!(Instant::now() < deadline);
        thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(
        database.number("SELECT attempts FROM upstream_revocation"),
        1
    );
}

#[test]
fn x_1_a_certificate_that_an_upstream_cannot_revoke_delays_no_other() {
    let world = world();
    let ids = [world.order(), world.order()];
    world.pebble.misbehave(Mischief::FailToRevoke);
    let revoke = |id: i64| {
        let path = format!("/v2/ssl/certificates/{id}");
        let reply = world.house.alice.delete(&path);
        assert!(reply.status < 300, "{}", reply.text());
    };
    revoke(ids[0]);
    wait_until_heard(&world, "/revoke", 1);
    let began = Instant::now();
    revoke(ids[1]);
    let told = wait_until_heard(&world, "/revoke", 2);
    assert_ne!(told[0]["certificate"], told[1]["certificate"]);
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[test]
fn what_is_no_acme_is_waited_out() {
    let world = world();
    for mischief in [Mischief::Nonsense, Mischief::Silent] {
        world.pebble.misbehave(mischief);
        let process = world.request(NAMES).process();
        let waits = world.house.wait_for(process, "SUSPENDED");
        let detail = waits["statusDetail"].as_str().unwrap();
        assert!(detail.contains("issuer `pebble`"), "{mischief:?}: {detail}");
        world
            .house
            .alice
            .delete(&format!("/v2/processes/{process}"));
        world.pebble.behave();
    }
}
