use jiff::SignedDuration;
use reseal_pki::profile::ValidationType;

use super::super::{Action, Opening, State};
use super::*;
use crate::process::ProcessStatus;
use crate::process::sample::{now, work};

fn opened(level: ValidationType) -> Process {
    let opening = Opening {
        customer: "acme".to_owned(),
        user: "acme/admin".to_owned(),
        action: Action::Request,
        command: serde_json::json!({}),
        source: None,
        subscription: None,
    };
    let mut work = work(true);
    work.order.validation = level;
    Process::open(opening, work, now()).0
}

fn waiting(level: ValidationType) -> Process {
    let waits = opened(level).suspend("waits".to_owned(), None, now());
    waits.unwrap().0
}

fn approve(process: Process, checks: &[Check]) -> Result<Step, IllegalTransition> {
    process.approve(checks, "house/admin", Some("seen"), now(), now())
}

fn reservable(process: &Process) -> bool {
    let reserved = process
        .clone()
        .reserve("01".to_owned(), "embedded".to_owned(), b"tbs", now());
    reserved.is_ok()
}

fn open(process: &Process) -> Vec<Check> {
    process.work().unwrap().open_checks().collect()
}

#[test]
fn a_serial_is_reserved_only_when_every_check_of_the_level_is_approved() {
    for level in [ValidationType::Organization, ValidationType::Extended] {
        let mut process = opened(level);
        for check in Check::needed_for(level) {
            assert!(!reservable(&process), "{level:?} {check:?}");
            let (next, events) = approve(process, &[*check]).unwrap();
            assert!(matches!(
                &events[0].kind,
                EventKind::CheckApproved { user, reason: Some(reason), .. }
                    if user == "house/admin" && reason == "seen"
            ));
            process = next;
        }
        assert!(reservable(&process), "{level:?}");
    }
    assert!(reservable(&opened(ValidationType::Domain)));
}

#[test]
fn a_decision_wakes_the_process() {
    let process = waiting(ValidationType::Organization);
    assert_eq!(process.next_run, None);
    let (approved, _) = approve(process.clone(), &[Check::Docs]).unwrap();
    assert_eq!(approved.next_run, Some(now()));
    let (objected, _) = process
        .object(&[Check::Docs], "house/admin", "unreadable", now())
        .unwrap();
    assert_eq!(objected.next_run, Some(now()));
}

#[test]
fn what_an_operator_objects_to_needs_attention_until_it_is_approved() {
    let (process, _) = approve(
        waiting(ValidationType::Organization),
        Check::needed_for(ValidationType::Organization),
    )
    .unwrap();
    assert!(!process.requires_attention());
    let (process, events) = process
        .object(&[Check::Docs], "house/admin", "unreadable", now())
        .unwrap();
    assert!(
        matches!(&events[0].kind, EventKind::CheckNeedsAttention { check: Check::Docs, reason, .. } if reason == "unreadable")
    );
    assert!(process.requires_attention());
    assert_eq!(open(&process), [Check::Docs]);
    let (process, _) = approve(process, &[Check::Docs]).unwrap();
    assert!(!process.requires_attention());
    assert_eq!(open(&process), []);
}

#[test]
fn a_rejection_ends_the_process_and_says_who_and_why() {
    let (process, events) = waiting(ValidationType::Extended)
        .reject("house/admin", "no such company", now())
        .unwrap();
    assert_eq!(process.status(), ProcessStatus::Failed);
    assert_eq!(process.status_detail(), Some("no such company"));
    assert!(
        matches!(&events[0].kind, EventKind::ValidationRejected { user } if user == "house/admin")
    );
    assert!(matches!(events[1].kind, EventKind::Failed { .. }));
    assert!(approve(process, &[Check::Docs]).is_err());
}

#[test]
fn nothing_is_decided_that_the_level_does_not_need_or_once_signing_has_begun() {
    assert!(approve(waiting(ValidationType::Domain), &[Check::Organization]).is_err());
    assert!(approve(waiting(ValidationType::Organization), &[Check::Whois]).is_err());
    let (process, _) = approve(opened(ValidationType::Extended), &Check::ALL).unwrap();
    let (signing, _) = process
        .reserve("01".to_owned(), "embedded".to_owned(), b"tbs", now())
        .unwrap();
    assert!(matches!(signing.state(), State::Signing { .. }));
    assert!(
        signing
            .clone()
            .object(&[Check::Docs], "house/admin", "late", now())
            .is_err()
    );
    assert!(signing.reject("house/admin", "late", now()).is_err());
}

#[test]
fn a_call_is_scheduled_only_while_it_is_open() {
    let date = now() + SignedDuration::from_hours(48);
    let call = |process: Process| process.schedule_call(date, "acme/admin", now());
    let (process, events) = call(waiting(ValidationType::Organization)).unwrap();
    assert_eq!(process.work().unwrap().vetting.call, Some(date));
    assert!(matches!(events[0].kind, EventKind::CallScheduled { date: at, .. } if at == date));
    assert!(call(waiting(ValidationType::Domain)).is_err());
    let (spoken, _) = approve(process, &[Check::Voice]).unwrap();
    assert!(call(spoken).is_err());
}

#[test]
fn an_agreement_is_answered_once_and_declining_it_needs_the_customer() {
    let mail = AgreementMail::new("ceo@acme.example".to_owned(), None);
    let ask = |process: Process| process.request_agreement(mail.clone(), "acme/admin", now());
    assert!(ask(waiting(ValidationType::Organization)).is_err());
    let (asked, _) = ask(waiting(ValidationType::Extended)).unwrap();
    assert_eq!(asked.agreement_mail(), Some(&mail));

    let (accepted, _) = asked.clone().answer_agreement(true, now()).unwrap();
    assert!(!open(&accepted).contains(&Check::Agreement));
    assert_eq!(accepted.agreement_mail(), None);
    assert!(accepted.clone().answer_agreement(true, now()).is_err());
    assert!(ask(accepted).is_err());

    let (declined, events) = asked.answer_agreement(false, now()).unwrap();
    assert!(declined.requires_attention());
    assert!(
        matches!(&events[1].kind, EventKind::CheckNeedsAttention { check: Check::Agreement, user: None, reason } if reason.contains("ceo@acme.example"))
    );
    let (again, _) = ask(declined).unwrap();
    assert!(!again.requires_attention());
}

#[test]
fn v_5_an_outdated_check_waits_again() {
    let (process, _) = approve(opened(ValidationType::Extended), &Check::ALL).unwrap();
    let (same, events) = process.clone().outdate_checks(|_| true, now()).unwrap();
    assert_eq!((events.len(), open(&same).len()), (0, 0));
    let (stale, events) = process.outdate_checks(|_| false, now()).unwrap();
    assert_eq!((events.len(), open(&stale).len()), (5, 5));
    assert!(!reservable(&stale));
}
