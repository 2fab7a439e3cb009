//! Checks of organizations, and the audit log.

use reseal_lifecycle::audit::{AuditEntry, AuditStore as _};
use reseal_lifecycle::process::{Action, Check, Process, State};
use reseal_lifecycle::query::Filter;
use reseal_lifecycle::query::{
    Field as _, FilterValue, Operator, ValidationField, ValidationQuery,
};
use reseal_lifecycle::store::{Change, Store as _, StoreError};
use reseal_lifecycle::vetting::{Facts, VettedCheck, VettingStore as _};
use reseal_pki::profile::ValidationType;
use serde_json::json;

use super::World;
use super::sample::{in_days, now, organization, process, reservation};
use crate::SqlStore;
use crate::database::Dialect;
use crate::sql::tests::query_plan;

/// A stored OV process of `customer`.
pub(super) async fn ov(store: &SqlStore, customer: &str) -> Process {
    let (process, events) = process(customer, Action::Request, None);
    let mut work = process.work().unwrap().clone();
    work.order.validation = ValidationType::Organization;
    work.order.subject = Some(organization());
    let process = process.with_state(State::Checking {
        work: Box::new(work),
    });
    store.open(Change::new(process, events)).await.unwrap()
}

/// Everything that `process` needs is approved, and may be relied on from now on.
pub(super) fn approved(process: Process) -> Change {
    let needed = Check::needed_for(ValidationType::Organization);
    let (process, events) = process
        .approve(needed, "house/admin", None, in_days(0), now())
        .unwrap();
    let mut change = Change::new(process, events);
    let kept = needed
        .iter()
        .map(|check| vetted(&change.process, *check, 0));
    change.vetted = kept.collect();
    change
}

fn vetted(process: &Process, check: Check, days: i64) -> VettedCheck {
    VettedCheck {
        customer: process.customer.clone(),
        check,
        facts: Facts::of(&process.work().unwrap().order).unwrap(),
        obtained: in_days(days),
        process: process.id,
    }
}

async fn waiting(world: &World) -> Vec<i64> {
    let query = ValidationQuery::default();
    let page = world.store.validations(&query).await.unwrap();
    assert_eq!(page.total, Some(page.entities.len() as u64));
    page.entities.iter().map(|process| process.id).collect()
}

#[tokio::test]
async fn a_process_waits_for_operators_until_it_is_decided_or_over() {
    let world = World::new().await;
    let (first, second) = (
        ov(&world.store, "acme").await,
        ov(&world.store, "rival").await,
    );
    let (dv, events) = process("acme", Action::Request, None);
    world.store.open(Change::new(dv, events)).await.unwrap();
    assert_eq!(waiting(&world).await, [second.id, first.id]);

    let query = ValidationQuery {
        filters: vec![Filter {
            field: ValidationField::Customer,
            operator: Operator::Eq,
            values: vec![FilterValue::Text("acme".to_owned())],
        }],
        order: vec![(ValidationField::ID, false)],
        ..ValidationQuery::default()
    };
    let page = world.store.validations(&query).await.unwrap();
    assert_eq!(page.entities, std::slice::from_ref(&first));

    let needed = Check::needed_for(ValidationType::Organization);
    let (approved, events) = first
        .approve(needed, "house/admin", None, now(), now())
        .unwrap();
    world
        .store
        .advance(Change::new(approved, events))
        .await
        .unwrap();
    assert_eq!(waiting(&world).await, [second.id]);
    let (rejected, events) = second.reject("house/admin", "no", now()).unwrap();
    world
        .store
        .advance(Change::new(rejected, events))
        .await
        .unwrap();
    assert_eq!(waiting(&world).await, [] as [i64; 0]);
}

#[tokio::test]
async fn v_7_approvals_are_found_by_customer_and_organization_until_withdrawn() {
    let world = World::new().await;
    let process = ov(&world.store, "acme").await;
    let mut change = Change::new(process, Vec::new());
    change.vetted = vec![
        vetted(&change.process, Check::Docs, -9),
        vetted(&change.process, Check::Docs, -3),
        vetted(&change.process, Check::Voice, -1),
    ];
    let expected: Vec<_> = change.vetted.iter().rev().cloned().collect();
    let process = world.store.advance(change).await.unwrap();

    let name = organization().organization;
    let found = async |customer: &str, name: &str, days: i64| {
        let found = world.store.vetted_checks(customer, name, in_days(days));
        found.await.unwrap()
    };
    assert_eq!(found("acme", &name, -30).await, expected);
    assert_eq!(found("acme", &name, -3).await, expected[..2]);
    assert_eq!(found("rival", &name, -30).await, []);
    assert_eq!(found("acme", "Kaas B.V.", -30).await, []);

    let mut change = Change::new(process, Vec::new());
    change.withdrawn = vec![Check::Docs];
    world.store.advance(change).await.unwrap();
    assert_eq!(found("acme", &name, -30).await, expected[..1]);
}

#[tokio::test]
async fn v_5_nothing_is_reserved_on_an_approval_that_was_withdrawn() {
    let world = World::new().await;
    let first = ov(&world.store, "acme").await;
    let first = world.store.advance(approved(first)).await.unwrap();
    let second = ov(&world.store, "acme").await;
    let second = world.store.advance(approved(second)).await.unwrap();
    assert_eq!(world.store.withdrawn_checks(&first).await.unwrap(), []);

    let (rejected, events) = second.reject("house/admin", "fraud", now()).unwrap();
    let mut change = Change::new(rejected, events);
    change.withdrawn = vec![Check::Voice];
    world.store.advance(change).await.unwrap();
    let lost = world.store.withdrawn_checks(&first).await.unwrap();
    assert_eq!(lost, [Check::Voice]);
    let mut reserving = Change::new(first, Vec::new());
    reserving.reservation = Some(reservation(1));
    let refused = world.store.advance(reserving).await;
    assert!(
        matches!(refused, Err(StoreError::ApprovalWithdrawn(Check::Voice))),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_4_the_audit_log_is_written_with_its_change_and_only_grows() {
    let world = World::new().await;
    let process = ov(&world.store, "acme").await;
    let object = AuditEntry::process(process.id);
    let mut entry = AuditEntry::new(now(), "house/admin", "validation.approve", object.clone());
    entry.note = Some("seen".to_owned());
    entry.detail.insert("checks".to_owned(), json!(["docs"]));
    let change = |process: &Process| {
        let mut change = Change::new(process.clone(), Vec::new());
        change.audit.push(entry.clone());
        change
    };
    world.store.advance(change(&process)).await.unwrap();
    // Decided on a version that is no longer there: nothing of it is written.
    world.store.advance(change(&process)).await.unwrap_err();
    let log = world.store.audit_of(&object).await.unwrap();
    assert_eq!(log, std::slice::from_ref(&entry));
    assert_eq!(world.store.audit_of("process/0").await.unwrap(), []);

    let hands = world.hands();
    for statement in ["UPDATE audit SET actor = 'nobody'", "DELETE FROM audit"] {
        let refused = hands.execute(statement, &[]).unwrap_err();
        assert!(refused.to_string().contains("append-only"), "{refused}");
    }
}

#[tokio::test]
async fn the_list_begins_with_what_waits() {
    let world = World::sqlite().await;
    let select = crate::list::validations(Dialect::Sqlite, &ValidationQuery::default()).unwrap();
    let connection = rusqlite::Connection::open(world.path()).unwrap();
    for sql in [&select.rows, &select.count] {
        let steps = query_plan(&connection, sql);
        assert!(steps[0].contains("pending_validation"), "{steps:?}");
        assert!(steps[1].starts_with("SEARCH process"), "{steps:?}");
    }
}
