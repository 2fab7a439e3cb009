use jiff::SignedDuration;
use reseal_pki::dn::OrganizationSubject;
use reseal_pki::profile::ValidationType;

use super::*;
use crate::process::sample::{now, work};
use crate::process::{Action, CheckState, Opening, ProcessStatus};

fn process(level: ValidationType) -> Process {
    let opening = Opening {
        customer: "acme".to_owned(),
        user: "acme/login".to_owned(),
        action: Action::Request,
        command: json!({}),
        source: None,
        subscription: None,
    };
    let mut work = work(true);
    work.order.validation = level;
    work.order.subject = Some(OrganizationSubject {
        organization: "Acme B.V.".to_owned(),
        country: "NL".to_owned(),
        state: None,
        locality: Some("Zwolle".to_owned()),
        postal_code: None,
        street: None,
    });
    let (mut process, _) = Process::open(opening, work, now());
    process.id = 12;
    process
}

fn ov() -> Process {
    process(ValidationType::Organization)
}

fn approval(checks: &[Check]) -> Decision {
    Decision {
        verdict: Verdict::Approve { obtained: None },
        checks: checks.to_vec(),
        reason: None,
        note: Some("seen in the register".to_owned()),
    }
}

fn rejection(checks: &[Check]) -> Decision {
    Decision {
        verdict: Verdict::Reject,
        reason: Some("no such company".to_owned()),
        ..approval(checks)
    }
}

fn decided_on(process: Process, decision: &Decision) -> Result<Change, Error> {
    decided(process, "house/admin", decision, now())
}

#[test]
fn an_approval_brings_along_what_may_be_relied_on_and_who_said_so() {
    let change = decided_on(ov(), &approval(&[])).unwrap();
    let checks: Vec<Check> = change.vetted.iter().map(|vetted| vetted.check).collect();
    assert_eq!(checks, [Check::Organization, Check::Docs, Check::Voice]);
    assert!(
        change
            .vetted
            .iter()
            .all(|vetted| vetted.process == 12 && vetted.obtained == now())
    );
    assert_eq!(change.withdrawn, []);
    let entry = &change.audit[0];
    assert_eq!(
        (&*entry.actor, &*entry.action, &*entry.object),
        ("house/admin", "validation.approve", "process/12")
    );
    assert_eq!(entry.note.as_deref(), Some("seen in the register"));
    assert_eq!(entry.detail["organization"], "Acme B.V.");
    assert_eq!(
        entry.detail["checks"],
        json!(["organization", "docs", "voice"])
    );
}

#[test]
fn the_note_is_for_the_house_alone() {
    for decision in [approval(&[]), rejection(&[]), rejection(&[Check::Docs])] {
        let change = decided_on(ov(), &decision).unwrap();
        let told = format!("{:?}{:?}", change.events, change.notifications);
        assert!(!told.contains("seen in the register"), "{told}");
    }
}

#[test]
fn a_rejection_of_a_check_waits_and_one_of_everything_fails() {
    let change = decided_on(ov(), &rejection(&[Check::Docs])).unwrap();
    let work = change.process.work().unwrap();
    assert!(matches!(
        work.vetting.state(Check::Docs),
        CheckState::Attention { .. }
    ));
    assert_eq!(change.withdrawn, [Check::Docs]);
    assert_eq!(
        change.notifications[0].reason.as_deref(),
        Some("no such company")
    );

    let change = decided_on(ov(), &rejection(&[])).unwrap();
    assert_eq!(change.process.status(), ProcessStatus::Failed);
    assert_eq!(change.withdrawn.len(), 3);
    assert_eq!(change.audit[0].reason.as_deref(), Some("no such company"));
}

#[test]
fn what_cannot_be_decided_is_refused() {
    let refused = |process: Process, decision: &Decision| {
        let error = decided_on(process, decision).err().unwrap();
        let fields = error.violations.iter().map(|one| one.field.clone());
        (error.kind, fields.collect::<Vec<_>>())
    };
    let dv = process(ValidationType::Domain);
    assert_eq!(refused(dv, &approval(&[])), (Kind::Status, vec![]));
    assert_eq!(
        refused(ov(), &approval(&[Check::Docs, Check::Whois])),
        (Kind::Constraint, vec!["checks[1]".to_owned()])
    );
    let done = decided_on(ov(), &approval(&[])).unwrap().process;
    assert_eq!(refused(done, &approval(&[])), (Kind::Status, vec![]));
    let failed = decided_on(ov(), &rejection(&[])).unwrap().process;
    assert_eq!(refused(failed, &approval(&[])), (Kind::Status, vec![]));
}

#[test]
fn v_5_what_is_too_old_or_not_yet_there_cannot_be_relied_on() {
    let at = |age: SignedDuration| {
        let decision = Decision {
            verdict: Verdict::Approve {
                obtained: Some(now() - age),
            },
            ..approval(&[])
        };
        decided_on(ov(), &decision)
    };
    let day = SignedDuration::from_hours(24);
    assert_eq!(at(day * 397).unwrap().vetted[0].obtained, now() - day * 397);
    for age in [day * 398, -day] {
        assert_eq!(at(age).err().unwrap().violations[0].field, "obtained");
    }
}

#[test]
fn texts_are_one_line_and_a_rejection_has_a_reason() {
    let fields = |decision: &Decision| match check_texts(decision) {
        Ok(()) => Vec::new(),
        Err(error) => error
            .violations
            .iter()
            .map(|one| one.field.clone())
            .collect(),
    };
    assert!(fields(&approval(&[])).is_empty());
    assert!(fields(&rejection(&[])).is_empty());
    let said = |reason: Option<&str>, note: &str| Decision {
        reason: reason.map(str::to_owned),
        note: Some(note.to_owned()),
        ..rejection(&[])
    };
    assert_eq!(fields(&said(None, "n")), ["reason"]);
    assert_eq!(fields(&said(Some(" "), "n")), ["reason"]);
    assert_eq!(
        fields(&said(Some("a\nb"), "c\u{1b}[2J")),
        ["reason", "note"]
    );
    assert_eq!(fields(&said(Some(&"r".repeat(1001)), "n")), ["reason"]);
}
