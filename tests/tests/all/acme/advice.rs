//! When an upstream wants its certificates replaced (RFC 9773).

use std::thread;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{NAMES, World};
use crate::support::acme_stub::{AcmeStub, Mischief};
use crate::support::csr::csr;
use crate::support::dns_stub::DnsStub;
use crate::support::http::{Reply, exchange, request};

const WHY: &str = "https://stub.example/incident";

/// Waits until the stub was asked `count` times; the path of the last time.
#[track_caller]
fn wait_until_asked(world: &World<AcmeStub>, count: usize) -> String {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let asked = world.pebble.asked("/renewal-info");
        if asked.len() >= count {
            assert_eq!(asked.len(), count, "{asked:?}");
            return asked[count - 1].clone();
        }
        assert!(Instant::now() < deadline, "asked {} times", asked.len());
        thread::sleep(Duration::from_millis(50));
    }
}

/// Waits until that many answers are stored, and nothing is asked any more at this time.
#[track_caller]
fn wait_until_stored(world: &World<AcmeStub>, count: &str) {
    let deadline = Instant::now() + Duration::from_secs(30);
    let stored = format!("SELECT count(*) FROM upstream_certificate WHERE {count}");
    while world.house.database().number(&stored) != 1 {
        assert!(Instant::now() < deadline, "{count}");
        thread::sleep(Duration::from_millis(50));
    }
}

fn moment(offset: SignedDuration) -> String {
    format!("{:.0}", Timestamp::now() + offset)
}

fn ours(world: &World<AcmeStub>, path: &str) -> Reply {
    exchange(world.house.alice.address, &request("GET", path, &[], b""))
}

#[track_caller]
fn told(world: &World<AcmeStub>) -> Vec<Value> {
    let path = "/v2/customers/alice/notifications?eventType=REISSUE_ADVISED";
    let told = world.house.alice.get(path).expect(200);
    told["entities"].as_array().unwrap().clone()
}

#[test]
fn x_11_r_6_the_upstreams_window_is_passed_on_and_the_customer_told_when_it_moves_forward() {
    let mut world = World::over(DnsStub::start(), AcmeStub::start(), "", AcmeStub::table);
    let days = |days: i64| SignedDuration::from_hours(24 * days);
    let usual = [moment(days(57)), moment(days(58))];
    world.pebble.advise(&usual[0], &usual[1], "");
    world.house.start(None);
    let id = world.order();
    let path = wait_until_asked(&world, 1);
    wait_until_stored(&world, "window_start IS NOT NULL");
    let window = ours(&world, &path).expect(200);
    assert_eq!(
        window["suggestedWindow"],
        json!({"start": usual[0], "end": usual[1]})
    );
    let certificate = world.house.alice.get(&format!("/v2/ssl/certificates/{id}"));
    assert_eq!(
        certificate.header("x-reissue-advised-from"),
        Some(usual[0].as_str())
    );
    assert_eq!(told(&world), [Value::Null; 0]);

    // It is asked when it wanted to be asked.
    let soon = [moment(-days(1)), moment(-days(1) / 2)];
    world.pebble.advise(&soon[0], &soon[1], WHY);
    for (round, offset) in ["+7h", "+14h"].into_iter().enumerate() {
        world.house.kill();
        world.house.start_at(offset);
        wait_until_asked(&world, 2 + round);
        let condition = format!("window_end < {}", Timestamp::now().as_millisecond());
        wait_until_stored(&world, &condition);
        let told = told(&world);
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!(told[0]["certificateId"], id);
        assert_eq!(
            told[0]["payload"]["windowEnd"],
            soon[1].as_str(),
            "{told:?}"
        );
        assert_eq!(told[0]["payload"]["explanationUrl"], WHY);
    }
    let window = ours(&world, &path).expect(200);
    assert_eq!(window["suggestedWindow"]["end"], soon[1].as_str());
    let why = ours(&world, &format!("{path}/explanation")).text();
    assert!(why.contains(WHY), "{why}");

    // An answer of no use takes away nothing, and is asked for again.
    world.pebble.misbehave(Mischief::Nonsense);
    world.house.kill();
    world.house.start_at("+21h");
    wait_until_stored(&world, "attempts = 1");
    let window = ours(&world, &path).expect(200);
    assert_eq!(window["suggestedWindow"]["end"], soon[1].as_str());
    world.pebble.behave();

    // What was replaced is not asked about any more.
    let reissue = format!("/v2/ssl/certificates/{id}/reissue");
    let reply = world
        .house
        .alice
        .post(&reissue, &json!({"csr": csr(NAMES)}));
    assert_eq!(reply.status, 202, "{}", reply.text());
    world.finish(reply.process());
    world.house.kill();
    world.house.start_at("+48h");
    wait_until_stored(&world, &format!("certificate = {id} AND ask IS NULL"));
    world.is_sound();
}
