use jiff::SignedDuration;
use reseal_pki::method::Method;

use super::*;
use crate::process::sample::{now, work};
use crate::process::{Opening, State, Work};

fn opened(proved: bool) -> (Process, Vec<Event>) {
    let opening = Opening {
        customer: "acme".to_owned(),
        user: "acme/login".to_owned(),
        action: Action::Reissue,
        command: json!({}),
        source: Some(7),
        subscription: Some(3),
    };
    let work = Work {
        rounds: 1,
        ..work(proved)
    };
    Process::open(opening, work, now())
}

fn occasions(told: &[Notification]) -> Vec<Occasion> {
    told.iter().map(|one| one.occasion).collect()
}

fn in_the_way(name: &str) -> Event {
    let kind = EventKind::AttentionNeeded {
        name: name.to_owned(),
        expected: "a CNAME".to_owned(),
        seen: "nothing".to_owned(),
        advice: "Publish it.".to_owned(),
    };
    Event::new(now(), kind)
}

#[test]
fn a_reissue_with_proofs_at_hand_tells_of_its_acceptance_and_of_its_certificate() {
    let (process, mut events) = opened(true);
    let (process, reserved) = process
        .reserve("0a".to_owned(), "embedded".to_owned(), b"tbs", now())
        .unwrap();
    events.extend(reserved);
    let told = of_step(&process, &events);
    assert_eq!(occasions(&told), [Occasion::Accepted]);
    assert_eq!(told[0].payload["source"], 7);
    assert_eq!(told[0].product.as_deref(), Some("ssl_dv"));

    let end = now() + SignedDuration::from_hours(24 * 90);
    let (process, mut events) = process.complete(end, now()).unwrap();
    events.push(Event::new(
        now(),
        EventKind::Replaced {
            certificate: 7,
            status: "REISSUED".to_owned(),
            revocation_scheduled_at: Some(end),
        },
    ));
    let told = of_step(&process, &events);
    assert_eq!(occasions(&told), [Occasion::Issued]);
    assert_eq!(told[0].expires, Some(end));
    assert_eq!(told[0].payload["replaced"]["certificateId"], 7);
    assert!(
        told[0]
            .message
            .contains("certificate 7, which will be revoked at"),
        "{}",
        told[0].message
    );
}

#[test]
fn everything_in_the_way_is_one_notification_with_what_was_seen() {
    let (process, _) = opened(false);
    let events: Vec<_> = (0..300)
        .map(|n| in_the_way(&format!("n{n}.test")))
        .collect();
    let told = of_step(&process, &events);
    assert_eq!(occasions(&told), [Occasion::AttentionNeeded]);
    let message = &told[0].message;
    assert!(message.contains("for n0.test, expected a CNAME; saw nothing. Publish it."));
    assert!(
        message.ends_with("299 more names need attention too."),
        "{message}"
    );
    assert_eq!(told[0].payload["count"], 300);
    assert_eq!(told[0].payload["names"].as_array().unwrap().len(), 25);
}

#[test]
fn only_the_last_proof_validates() {
    let proved = Event::new(
        now(),
        EventKind::Proved {
            name: "reseal.net".to_owned(),
            adn: "reseal.net".to_owned(),
            method: Method::DnsChange,
        },
    );
    let (open, _) = opened(false);
    assert_eq!(of_step(&open, std::slice::from_ref(&proved)), []);
    let (done, _) = opened(true);
    let told = of_step(&done, &[proved]);
    assert_eq!(occasions(&told), [Occasion::Validated]);
}

#[test]
fn an_ended_process_says_how_and_nothing_else() {
    let (process, _) = opened(false);
    let (failed, mut events) = process.clone().fail("too late".to_owned(), now()).unwrap();
    events.push(in_the_way("reseal.net"));
    let told = of_step(&failed, &events);
    assert_eq!(occasions(&told), [Occasion::Failed]);
    assert_eq!(told[0].reason.as_deref(), Some("too late"));
    assert_eq!(
        told[0].message,
        "The reissue of the certificate for reseal.net failed: too late."
    );
    let (cancelled, events) = process.cancel("acme/login".to_owned(), now()).unwrap();
    let told = of_step(&cancelled, &events);
    assert_eq!(occasions(&told), [Occasion::Cancelled]);
}

#[test]
fn a_reason_of_several_lines_is_told_in_one_and_kept_as_it_is() {
    let (process, _) = opened(false);
    let reason = "moved:\r\n\tto another host";
    let revoked = Event::new(
        now(),
        EventKind::Revoked {
            certificate: 7,
            user: "acme/login".to_owned(),
            reason: None,
            note: Some(reason.to_owned()),
        },
    );
    let told = of_step(&process, &[revoked]);
    assert_eq!(told[0].reason.as_deref(), Some(reason));
    assert_eq!(
        told[0].message,
        "Certificate 7 for reseal.net was revoked: moved: to another host."
    );
}

#[test]
fn words_are_read_as_they_are_written() {
    for occasion in Occasion::ALL {
        assert_eq!(Occasion::from_word(occasion.as_str()), Some(occasion));
    }
    assert_eq!(Occasion::from_word("accepted"), None);
}

#[test]
fn an_objection_of_an_operator_is_told_with_its_reason() {
    let (mut process, _) = opened(true);
    process = organization(process);
    let (process, events) = process
        .object(
            &[Check::Docs, Check::Voice],
            "house/admin",
            "unreadable",
            now(),
        )
        .unwrap();
    let told = of_step(&process, &events);
    assert_eq!(occasions(&told), [Occasion::AttentionNeeded]);
    assert_eq!(told[0].reason.as_deref(), Some("unreadable"));
    assert!(
        told[0].message.ends_with(
            "needs your attention: the validation of its documents, the telephone call: unreadable"
        ),
        "{}",
        told[0].message
    );
    assert_eq!(told[0].payload["checks"][1]["check"], "voice");
}

#[test]
fn only_the_last_check_validates() {
    let (mut process, _) = opened(true);
    process = organization(process);
    let approve = |process: Process, checks: &[Check]| {
        process
            .approve(checks, "house/admin", None, now(), now())
            .unwrap()
    };
    let (process, events) = approve(process, &[Check::Organization, Check::Docs]);
    assert_eq!(of_step(&process, &events), []);
    let (process, events) = approve(process, &[Check::Voice]);
    let told = of_step(&process, &events);
    assert_eq!(occasions(&told), [Occasion::Validated]);
    assert!(told[0].message.contains("and so is the organization"));
}

/// The same, for an organization validated product.
fn organization(process: Process) -> Process {
    let mut work = process.work().unwrap().clone();
    work.order.validation = ValidationType::Organization;
    process.with_state(State::Checking {
        work: Box::new(work),
    })
}
