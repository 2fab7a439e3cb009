use jiff::SignedDuration;

use super::super::{ProcessStatus, ResumeType};
use super::*;
use crate::process::sample::{now, work};

fn opened(proved: bool) -> Process {
    let opening = Opening {
        customer: "acme".to_owned(),
        user: "acme/admin".to_owned(),
        action: Action::Request,
        command: serde_json::json!({}),
        source: None,
        subscription: None,
    };
    Process::open(opening, work(proved), now()).0
}

#[test]
fn a_certificate_is_completed_only_from_a_reservation_and_that_only_with_every_proof() {
    let unproved = opened(false);
    assert!(unproved.clone().complete(now(), now()).is_err());
    assert!(
        unproved
            .reserve("01".to_owned(), "embedded".to_owned(), b"tbs", now())
            .is_err()
    );
    let (signing, events) = opened(true)
        .reserve("01".to_owned(), "embedded".to_owned(), b"tbs", now())
        .unwrap();
    assert!(matches!(events[0].kind, EventKind::Reserved { .. }));
    assert_eq!(signing.status(), ProcessStatus::Running);
    let (done, events) = signing.complete(now(), now()).unwrap();
    assert_eq!(done.status(), ProcessStatus::Completed);
    assert!(matches!(events[0].kind, EventKind::Issued { .. }));
    assert_eq!(done.next_run, None);
}

#[test]
fn r_10_signing_and_ended_processes_cannot_be_cancelled() {
    let (suspended, _) = opened(false)
        .suspend("waits".to_owned(), None, now())
        .unwrap();
    assert_eq!(suspended.status(), ProcessStatus::Suspended);
    assert_eq!(
        suspended.resume_types(),
        [ResumeType::Resend, ResumeType::Cancel]
    );
    let (cancelled, _) = suspended.cancel("acme/admin".to_owned(), now()).unwrap();
    assert_eq!(cancelled.status(), ProcessStatus::Cancelled);
    assert!(cancelled.clone().resume(now()).is_err());
    assert!(cancelled.fail("late".to_owned(), now()).is_err());

    let (signing, _) = opened(true)
        .reserve("01".to_owned(), "embedded".to_owned(), b"tbs", now())
        .unwrap();
    let refused = signing.cancel("acme/admin".to_owned(), now()).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "a process that is RUNNING cannot be cancelled"
    );
}

#[test]
fn r_11_an_abandoned_reservation_is_recorded_and_leads_back_to_checking() {
    let later = now() + SignedDuration::from_secs(5);
    let (signing, _) = opened(true)
        .reserve("0a".to_owned(), "embedded".to_owned(), b"tbs", now())
        .unwrap();
    let (checking, events) = signing.abandon("too old".to_owned(), later).unwrap();
    assert!(
        matches!(&events[0].kind, EventKind::ReservationAbandoned { serial, .. } if serial == "0a")
    );
    assert!(matches!(checking.state(), State::Checking { .. }));
    assert_eq!(checking.next_run, Some(later));
}

#[test]
fn a_stored_state_reads_back_as_it_was() {
    let (suspended, _) = opened(true)
        .suspend("waits".to_owned(), None, now())
        .unwrap();
    let text = serde_json::to_string(suspended.state()).unwrap();
    let read: State = serde_json::from_str(&text).unwrap();
    assert_eq!(&read, suspended.state());
}
