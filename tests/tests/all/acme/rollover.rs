//! Another key for the account (RFC 8555 section 7.3.5): nothing that happens meanwhile loses the account.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Output, Stdio};

use serde_json::json;

use super::{NAMES, World};
use crate::crash::HELD;
use crate::support::acme_stub::{AcmeStub, Mischief};
use crate::support::csr::csr;
use crate::support::dns_stub::DnsStub;
use crate::support::server::binary;

fn command<U>(world: &World<U>, arguments: &[&str]) -> Command {
    let mut command = Command::new(binary());
    command
        .arg("issuer")
        .args(arguments)
        .arg("--data")
        .arg(world.house.data());
    command
}

fn rollover<U>(world: &World<U>) -> Output {
    command(world, &["rollover", "pebble"]).output().unwrap()
}

#[track_caller]
fn said(output: &Output, success: bool) -> String {
    let said = [&output.stdout[..], &output.stderr].concat();
    let said = String::from_utf8(said).unwrap();
    assert_eq!(output.status.success(), success, "{said}");
    said
}

fn key<U>(world: &World<U>) -> String {
    let select = "SELECT sealed FROM upstream_account";
    world.house.database().value(select).unwrap()
}

/// Whether a change is under way.
fn is_open<U>(world: &World<U>) -> bool {
    let select = "SELECT count(*) FROM upstream_account WHERE next IS NOT NULL";
    world.house.database().number(select) == 1
}

#[track_caller]
fn reissue<U>(world: &World<U>, old: i64) -> i64 {
    let path = format!("/v2/ssl/certificates/{old}/reissue");
    let reply = world.house.alice.post(&path, &json!({"csr": csr(NAMES)}));
    assert_eq!(reply.status, 202, "{}", reply.text());
    reply.process()
}

#[test]
fn a_running_server_goes_on_with_the_new_key() {
    let mut world = World::new();
    world.house.start(None);
    let early = said(&rollover(&world), false);
    assert!(early.contains("no account at `pebble` yet"), "{early}");
    let old = world.order();
    let first = key(&world);
    // What is to be published is made with the key: an open process asks for something else then.
    let process = reissue(&world, old);
    let before = world.asked_for(process);
    world.publish(&before);
    let changed = said(&rollover(&world), true);
    assert!(changed.contains("has another key"), "{changed}");
    assert!(key(&world) != first && !is_open(&world));
    world.house.resend(process);
    let after = world.house.wait_until(process, || {
        let info = world.house.info(process);
        let contents =
            |info: &serde_json::Value| info["validations"]["dcv"][0]["dnsContents"].clone();
        (contents(&info) != contents(&before)).then_some(info)
    });
    world.publish(&after);
    world.house.resend(process);
    world.house.wait_for(process, "COMPLETED");
    let new = world.house.certificate_of(process);
    assert_eq!(world.house.certificate(old)["status"], "REISSUED");
    let revoked = world
        .house
        .alice
        .delete(&format!("/v2/ssl/certificates/{new}"));
    assert!(revoked.status < 300, "{}", revoked.text());
    let told = "SELECT count(*) FROM upstream_revocation WHERE done IS NOT NULL";
    world.house.wait_until(process, || {
        (world.house.database().number(told) == 1).then_some(())
    });
    let list = said(&command(&world, &["list"]).output().unwrap(), true);
    assert!(
        list.starts_with("pebble\thttps://")
            && list.contains("\talice\t")
            && list.contains("key of 20"),
        "{list}"
    );
    let audit = "SELECT count(*) FROM audit WHERE action = 'issuer.key'";
    assert_eq!(world.house.database().number(audit), 1);
    said(&rollover(&world), true);
    assert_eq!(world.house.database().number(audit), 2);
    world.is_sound();
}

#[track_caller]
fn survives(point: &str, knows_new: bool) {
    let mut world = World::new();
    world.house.start(None);
    let old = world.order();
    let first = key(&world);
    let mut child = command(&world, &["rollover", "pebble"])
        .env("RESEAL_HOLD_AT", point)
        .env("RESEAL_LOG", "warn")
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains(HELD)));
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(key(&world) == first && is_open(&world));
    // The account can be used: the upstream is asked which key it knows.
    let process = reissue(&world, old);
    world.finish(process);
    assert_eq!(key(&world) != first, knows_new);
    assert_eq!(is_open(&world), !knows_new);
    let finished = said(&rollover(&world), true);
    assert!(finished.contains("another key"), "{finished}");
    assert!(key(&world) != first && !is_open(&world));
    world.finish(reissue(&world, world.house.certificate_of(process)));
    assert_eq!(world.pebble.issued(), 3, "{}", world.pebble.log());
    world.is_sound();
}

#[test]
fn r_11_killed_before_the_upstream_hears_of_the_key() {
    survives("key-kept", false);
}

#[test]
fn r_11_killed_before_it_is_recorded_that_the_upstream_has_the_key() {
    survives("key-changed", true);
}

/// A world with an account at an upstream that behaves as it is told; a certificate from there, and the account's key.
fn with_account() -> (World<AcmeStub>, i64, String) {
    let dns = DnsStub::start();
    let mut world = World::over(dns, AcmeStub::start(), "", AcmeStub::table);
    world.house.start(None);
    let process = world.request(NAMES).process();
    let certificate = world.finish(process);
    let key = key(&world);
    (world, certificate, key)
}

#[test]
fn r_11_a_lost_answer_is_settled_by_asking_which_key_is_known() {
    let (world, old, first) = with_account();
    world.pebble.misbehave(Mischief::LoseKeyAnswer);
    let changed = said(&rollover(&world), true);
    assert!(changed.contains("has another key"), "{changed}");
    let second = key(&world);
    assert!(second != first && !is_open(&world));
    // It never came there: the key is kept, and used by the next attempt.
    world.pebble.misbehave(Mischief::LoseKeyRequest);
    let lost = said(&rollover(&world), false);
    assert!(lost.contains("run the command again"), "{lost}");
    assert!(key(&world) == second && is_open(&world));
    world.finish(reissue(&world, old));
    assert!(key(&world) == second && is_open(&world));
    said(&rollover(&world), true);
    assert!(key(&world) != second && !is_open(&world));
    assert_eq!(world.pebble.heard("/key").len(), 3);
    let found: Vec<_> = world.pebble.heard("/account");
    let made = found
        .iter()
        .filter(|payload| payload["onlyReturnExisting"] != true);
    assert_eq!(made.count(), 1);
    world.is_sound();
}

#[test]
fn r_11_an_upstream_that_does_not_say_what_it_does_not_know_is_asked_for_what_it_knows() {
    let (world, old, first) = with_account();
    world.pebble.misbehave(Mischief::MisunderstandKeys);
    world.pebble.misbehave(Mischief::LoseKeyRequest);
    let lost = said(&rollover(&world), false);
    assert!(lost.contains("run the command again"), "{lost}");
    assert!(key(&world) == first && is_open(&world));
    // The account can be used, and its key changed in the end.
    world.finish(reissue(&world, old));
    assert!(key(&world) == first && is_open(&world));
    let changed = said(&rollover(&world), true);
    assert!(changed.contains("has another key"), "{changed}");
    assert!(key(&world) != first && !is_open(&world));
    world.is_sound();
}

#[test]
fn what_is_refused_to_a_key_that_is_changed_at_that_moment_is_asked_again() {
    let dns = DnsStub::start();
    let mut world = World::over(dns, AcmeStub::start(), "", AcmeStub::table);
    world.house.start(None);
    let process = world.request(NAMES).process();
    world.finish(process);
    world.pebble.misbehave(Mischief::RefuseLate);
    // It is answered while the order is under way.
    let process = world.request(&["reseal.org"]).process();
    said(&rollover(&world), true);
    world.house.wait_until(process, || {
        let timeline = world.house.timeline(process);
        timeline
            .contains("was changed at the same moment")
            .then_some(())
    });
    world.finish(process);
    // When the key is the same, no means no.
    world.pebble.misbehave(Mischief::RefuseLate);
    let process = world.request(&["other.org"]).process();
    world.house.wait_for(process, "FAILED");
    world.is_sound();
}
