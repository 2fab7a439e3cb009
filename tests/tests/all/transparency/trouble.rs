//! Logs that are down, slow, or lie.

use std::fs;
use std::thread;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use super::{NAME, World};
use crate::support::csr::csr;
use crate::support::ct_log::Mischief;
use crate::support::database::is_postgres;

#[test]
fn nasty_138_another_log_promises_in_the_place_of_one_that_fails() {
    let mut world = World::with_logs_of(&["a", "b", "c", "d"]);
    let mut id = world.order();
    assert_eq!(world.promised_by(id), [0, 1, 2]);
    for mischief in [
        Mischief::Down,
        Mischief::Slow,
        Mischief::Busy(60),
        Mischief::Refuse,
        Mischief::Nonsense,
        Mischief::OtherSignature,
        Mischief::OtherLog,
        Mischief::Future,
        Mischief::LoseAnswer,
    ] {
        // So that nobody knows any more how the log fared.
        world.restart(None);
        let asked = world.logs[0].submitted().len();
        world.logs[0].misbehave(mischief);
        id = world.reissued(id);
        assert_eq!(world.promised_by(id), [1, 2, 3], "{mischief:?}");
        let again = world.logs[0].submitted().len();
        assert_eq!(
            again - asked,
            usize::from(mischief != Mischief::Down),
            "{mischief:?}"
        );
        world.logs[0].behave();
    }
    world.is_sound();
}

#[test]
fn nasty_138_p_8_too_few_promises_are_waited_for_under_the_same_serial() {
    let world = World::with_logs_of(&["a", "b", "c"]);
    let id = world.order();
    let before: Vec<usize> = world.logs.iter().map(|log| log.submitted().len()).collect();
    world.logs[1].misbehave(Mischief::Down);
    world.logs[2].misbehave(Mischief::Down);
    let process = world.reissue(id);
    let waits = world.waits_for_logs(process);
    let detail = waits["statusDetail"].as_str().unwrap();
    assert!(detail.contains("1 of 3 have promised"), "{detail}");
    // Signing has begun: it cannot be cancelled.
    let refused = world
        .house()
        .alice
        .delete(&format!("/v2/processes/{process}"));
    assert_eq!(refused.status, 400, "{}", refused.text());
    // It counts as issued, and is good.
    let serials = world.reserved(process);
    let said = world.ocsp(&serials[0]);
    assert!(said.contains(": good"), "{said}");
    world.is_sound();

    world.logs[1].behave();
    world.logs[2].behave();
    world.house().wait_for(process, "COMPLETED");
    let new = world.house().certificate_of(process);
    assert_eq!(world.promised_by(new), [0, 1, 2]);
    assert_eq!(world.reserved(process), serials, "no other serial");
    let count = |index: usize| world.logs[index].submitted().len() - before[index];
    assert_eq!(count(0), 1, "what was promised is not asked for again");
    assert!((1..=3).contains(&count(1)), "{}", count(1));
    let first = world.logs[0].submitted().pop().unwrap();
    assert_eq!(
        world.logs[1].submitted().pop().unwrap(),
        first,
        "the same precertificate"
    );
    assert!(world.ocsp(&serials[0]).contains(": good"));
    // Said once, however often it was looked at.
    assert_eq!(world.around.events(process, "waiting").len(), 1);
    world.is_sound();
}

#[test]
fn nasty_138_a_log_that_wants_to_be_left_alone_is() {
    let world = World::with_logs_of(&["a", "b", "c"]);
    let id = world.order();
    world.logs[2].misbehave(Mischief::Busy(77));
    let before = Timestamp::now();
    let process = world.reissue(id);
    world.waits_for_logs(process);
    let select = format!("SELECT next_run FROM process WHERE id = {process}");
    let wait = world.house().database().number(&select) - before.as_millisecond();
    assert!((76_000..85_000).contains(&wait), "{wait}");
    // Another process does not ask it either.
    let asked = world.logs[2].submitted().len();
    let (other, record) = world.around.ask("shop.good.dev");
    world.around.publish(&record, &[]);
    world.house().resend(other);
    world.waits_for_logs(other);
    assert_eq!(world.logs[2].submitted().len(), asked);
}

#[test]
fn p_9_what_a_log_promised_before_it_was_taken_out_is_replaced() {
    let mut world = World::with_logs_of(&["a", "b", "c", "d"]);
    let id = world.order();
    world.logs[2].misbehave(Mischief::Down);
    world.logs[3].misbehave(Mischief::Down);
    let process = world.reissue(id);
    let waits = world.waits_for_logs(process);
    let detail = waits["statusDetail"].as_str().unwrap();
    assert!(detail.contains("2 of 3 have promised"), "{detail}");
    let path = world.house().data().join("reseal.toml");
    let text = fs::read_to_string(&path).unwrap();
    let first = format!("{}, ", world.logs[0].entry("a", ""));
    assert!(text.contains(&first), "{text}");
    fs::write(&path, text.replace(&first, "")).unwrap();
    world.logs[2].behave();
    world.logs[3].behave();
    world.restart(None);
    world.house().wait_for(process, "COMPLETED");
    let new = world.house().certificate_of(process);
    assert_eq!(world.promised_by(new), [1, 2, 3]);
    world.is_sound();
}

#[test]
fn s_19_caa_is_not_asked_again_between_a_logged_precertificate_and_its_certificate() {
    let world = World::with_logs_of(&["a", "b", "c"]);
    let id = world.order();
    world.logs[2].misbehave(Mischief::Down);
    let process = world.reissue(id);
    world.waits_for_logs(process);
    let serials = world.reserved(process);
    let asked = world.around.events(process, "caaChecked").len();
    assert!(asked > 0);
    world.around.knot.add(
        "good.dev.",
        "www.good.dev.",
        "CAA",
        "0 issue \"other.example\"",
    );
    // Older than what a reservation without a precertificate may rest on.
    let old = Timestamp::now() - jiff::SignedDuration::from_hours(3);
    let state = if is_postgres() {
        format!("jsonb_set(state::jsonb, '{{work,caa,0,checked}}', '\"{old}\"')::text")
    } else {
        format!("json_set(state, '$.work.caa[0].checked', '{old}')")
    };
    let update = format!("UPDATE process SET state = {state} WHERE id = {process}");
    world.house().database().run(&update);
    world.logs[2].behave();
    world.house().wait_for(process, "COMPLETED");
    assert_eq!(world.reserved(process), serials);
    assert_eq!(world.around.events(process, "caaChecked").len(), asked);
    // The next certificate needs its own permission.
    let new = world.house().certificate_of(process);
    let refused = world.reissue(new);
    let waits = world.house().wait_for(refused, "SUSPENDED");
    assert!(
        waits["statusDetail"]
            .as_str()
            .unwrap()
            .contains("CAA does not permit"),
        "{waits}"
    );
}

/// A campaign leaves something to be stopped, and slots for others, when certificates do not come as fast as processes.
#[test]
fn a_campaign_begins_no_more_than_it_can_end_while_logs_are_down() {
    let world = World::with_logs_of(&["a", "b", "c"]);
    let house = world.house();
    world.order();
    for _ in 0..84 {
        let body = json!({"customer": "alice", "product": "ssl_dv", "period": 12, "csr": csr(&[NAME]), "san": []});
        let reply = house.alice.post("/v2/ssl/certificates", &body);
        assert!([201, 202].contains(&reply.status), "{}", reply.text());
        house.wait_for(reply.process(), "COMPLETED");
    }
    for log in &world.logs {
        log.misbehave(Mischief::Down);
    }
    let selection = [
        "--where",
        "status=ACTIVE",
        "--key",
        "keep",
        "--reason",
        "drill",
    ];
    let id = house.told(&[&["campaign", "start"], &selection[..]].concat());
    let count = |outcome: &str| {
        let of = format!("SELECT COUNT(*) FROM campaign_item WHERE outcome = '{outcome}'");
        house.database().number(&of)
    };
    house.wait_until(1, || (count("OPEN") >= 64).then_some(()));
    thread::sleep(Duration::from_secs(4));
    // Those that were being begun when there were 64 came in addition.
    let open = count("OPEN");
    assert!((64..80).contains(&open), "{open}");
    assert_eq!(count("WAITING"), 85 - open);
    // What was begun goes on, and nothing more is begun.
    house.told(&["campaign", "pause", &id]);
    for log in &world.logs {
        log.behave();
    }
    house.wait_until(1, || (count("REISSUED") > 0).then_some(()));
    assert_eq!(count("WAITING"), 85 - open);
}
