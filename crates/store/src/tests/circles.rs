//! What nodes hold at the same time, they take in one order: over PostgreSQL, whoever waits for who waits for him is undone.

use std::sync::Arc;

use jiff::SignedDuration;
use reseal_lifecycle::certificate::Revocation;
use reseal_lifecycle::compromise::{Cause, CompromiseStore as _, Duty, KeyBlock, RevocationOrder};
use reseal_lifecycle::customer::{AccountStore as _, Customer, Scope};
use reseal_lifecycle::event::{Event, EventKind};
use reseal_lifecycle::process::{Action, Check, Opening, Process};
use reseal_lifecycle::store::{Change, Store as _, StoreError};

use super::distrust;
use super::hands::Hands;
use super::nodes::two;
use super::sample::{self, in_days, now};
use super::vetting;
use crate::SqlStore;

/// A step that ends a process holds that process and then the certificate it replaces; whoever wants to replace the
/// certificate too holds it first and then waits for the process: a circle, unless all take them in one order.
#[tokio::test]
async fn r_1_reissues_that_end_and_reissues_that_begin_wait_for_each_other_in_one_order() {
    let Some((world, other)) = two().await else {
        return;
    };
    let hands = world.hands();
    let mut id = world.import(sample::certificate("acme", 1)).await.id;
    let subscription = Some(world.certificate(id).await.subscription);
    let stores = [Arc::new(world.store), Arc::new(other)];
    for round in 0..20_u64 {
        let number = 100 + round;
        let opening = || {
            let mut change = sample::opening_with_reservation("acme", subscription, number);
            change.process.source = Some(id);
            change
        };
        let process = stores[0].open(opening()).await.unwrap();
        let calls: Vec<_> = (0..8)
            .map(|call| {
                let store = Arc::clone(&stores[call % 2]);
                let opening = opening();
                tokio::spawn(async move { store.open(opening).await })
            })
            .collect();
        let done = stores[1]
            .advance(sample::completion(process, number, Some(id)))
            .await;
        id = done.unwrap().certificate.unwrap();
        for call in calls {
            let answer = call.await.unwrap();
            assert!(
                matches!(
                    answer,
                    Err(StoreError::OpenProcess(_)
                        | StoreError::SourceGone
                        | StoreError::Exists("serial"))
                ),
                "{answer:?}"
            );
        }
    }
    assert_eq!(circles(&hands).await, [0]);
}

/// How often somebody waited for who waited for him.
async fn circles(hands: &Hands) -> Vec<i64> {
    // Sessions tell of what they met with about once a second.
    tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
    let met = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
    hands.rows(met, &[], |row| row.get::<i64>(0))
}

/// Who blocks a key holds the list and then its certificates, to schedule their revocation; a reissue that reserves its serial
/// at once holds the certificate and looks at the list.
#[tokio::test]
async fn x_4_reissues_and_who_blocks_their_predecessors_key_wait_for_each_other_in_one_order() {
    let Some((world, other)) = two().await else {
        return;
    };
    let hands = world.hands();
    let mut old = Vec::new();
    for number in 0..40 {
        old.push(world.import(sample::certificate("acme", number)).await);
    }
    let stores = [Arc::new(world.store), Arc::new(other)];
    for (number, old) in (100..).zip(old) {
        let mut change = sample::opening_with_reservation("acme", Some(old.subscription), number);
        change.process.source = Some(old.id);
        let (reissues, blocks) = (Arc::clone(&stores[0]), Arc::clone(&stores[1]));
        let reissue = tokio::spawn(async move { reissues.open(change).await });
        let keys = vec![old.spki_sha256];
        let delay = SignedDuration::from_hours(20);
        let block = KeyBlock::certain(keys, "found", "house/op", now(), delay);
        let block = tokio::spawn(async move { blocks.block_keys(block).await });
        block.await.unwrap().unwrap();
        let reissue = reissue.await.unwrap();
        assert!(
            matches!(reissue, Ok(_) | Err(StoreError::SourceGone)),
            "{reissue:?}"
        );
    }
    assert_eq!(circles(&hands).await, [0]);
}

/// The process of a new customer's certificate, number `number`, which rests on a proof of its own: what is condemned stays so.
async fn issued_on_a_proof(store: &SqlStore, number: u64) -> Process {
    let customer = format!("proved-{number}");
    let known = Customer {
        handle: customer.clone(),
        created: now(),
    };
    store.create_customer(known, "house/op").await.unwrap();
    let opening = Change {
        authorizations: vec![distrust::proof(&customer)],
        ..sample::opening_with_reservation(&customer, None, number)
    };
    let process = store.open(opening).await.unwrap();
    let mut change = sample::completion(process, number, None);
    if let Some(issuance) = &mut change.issuance {
        issuance.subscription = Some(sample::subscription(&customer));
    }
    store.advance(change).await.unwrap()
}

/// What an operator orders who finds that `certificate` was validated badly: it is held, and then its proofs are.
fn condemning(certificate: i64) -> RevocationOrder {
    let duty = Duty::of(Cause::UnreliableValidation, now(), "seen");
    RevocationOrder {
        certificates: vec![certificate],
        moment: duty.usual_moment(),
        duty,
        actor: "console/op".to_owned(),
        at: now(),
    }
}

/// The only step of a process that revokes `certificate`, the one of `issued`.
fn revoking(issued: &Process, certificate: i64) -> Change {
    let user = "house/op";
    let opening = Opening {
        customer: issued.customer.clone(),
        user: user.to_owned(),
        action: Action::Revoke,
        command: serde_json::json!({ "certificateId": certificate }),
        source: Some(certificate),
        subscription: issued.subscription,
    };
    let event = EventKind::Revoked {
        certificate,
        user: user.to_owned(),
        reason: None,
        note: None,
    };
    let events = vec![Event::new(now(), event)];
    let (process, events) = Process::done(opening, "reseal-sample.com".to_owned(), events, now());
    let revocation = Revocation {
        at: now(),
        reason: None,
        note: None,
    };
    Change {
        revocation: Some((certificate, revocation)),
        ..Change::new(process, events)
    }
}

/// Has two nodes meet forty times, each time over certificates with another number, and nobody wait in a circle.
async fn meet(meeting: impl AsyncFn([&SqlStore; 2], u64)) {
    let Some((world, other)) = two().await else {
        return;
    };
    let hands = world.hands();
    for number in 1000..1040 {
        meeting([&world.store, &other], number).await;
    }
    assert_eq!(circles(&hands).await, [0]);
}

/// What took its time looks at its proofs once more, and takes the place of a certificate that is being condemned.
#[tokio::test]
async fn r_11_what_took_its_time_and_who_condemns_its_predecessor_wait_for_each_other_in_one_order()
{
    meet(async |[here, there], number| {
        let first = issued_on_a_proof(here, number).await;
        let old = first.certificate.unwrap();
        let mut change =
            sample::opening_with_reservation(&first.customer, first.subscription, 1000 + number);
        change.process.source = Some(old);
        let process = here.open(change).await.unwrap();

        let mut change = sample::completion(process, 1000 + number, Some(old));
        if let Some(issuance) = &mut change.issuance {
            issuance.is_late = true;
        }
        let order = there.order_revocations(condemning(old));
        let (late, condemned) = tokio::join!(here.advance(change), order);
        condemned.unwrap();
        assert!(
            matches!(late, Ok(_) | Err(StoreError::ProofDistrusted(_))),
            "{late:?}"
        );
    })
    .await;
}

/// A revocation needs no proofs, and holds its certificate late.
#[tokio::test]
async fn x_1_who_revokes_a_certificate_and_who_condemns_it_wait_for_each_other_in_one_order() {
    meet(async |[here, there], number| {
        let first = issued_on_a_proof(here, number).await;
        let old = first.certificate.unwrap();
        let order = there.order_revocations(condemning(old));
        let (revoked, condemned) = tokio::join!(here.open(revoking(&first, old)), order);
        condemned.unwrap();
        assert!(
            matches!(revoked, Ok(_) | Err(StoreError::Stale)),
            "{revoked:?}"
        );
    })
    .await;
}

/// Whoever blocks a key comes to its certificates by way of the key; an order names them.
#[tokio::test]
async fn x_4_who_blocks_a_key_and_who_orders_a_revocation_wait_for_each_other_in_one_order() {
    meet(async |[here, there], number| {
        let first = issued_on_a_proof(here, number).await;
        let old = first.certificate.unwrap();
        let found = here.certificate(&Scope::Everything, old).await;
        let keys = vec![found.unwrap().unwrap().spki_sha256];
        let delay = SignedDuration::from_hours(20);
        let block = KeyBlock::certain(keys, "found", "house/op", now(), delay);
        let order = there.order_revocations(condemning(old));
        let (blocked, condemned) = tokio::join!(here.block_keys(block), order);
        condemned.unwrap();
        blocked.unwrap();
    })
    .await;
}

/// A reissue without a name that older certificates have takes them along; so does an order that is about all of them.
#[tokio::test]
async fn r_4_who_narrows_a_certificate_and_who_condemns_its_line_wait_for_each_other_in_one_order()
{
    meet(async |[here, there], number| {
        let first = issued_on_a_proof(here, number).await;
        let oldest = first.certificate.unwrap();
        let reissuing = |source, number| {
            let mut change =
                sample::opening_with_reservation(&first.customer, first.subscription, number);
            change.process.source = Some(source);
            change
        };
        let second = here.open(reissuing(oldest, 1000 + number)).await;
        let change = sample::completion(second.unwrap(), 1000 + number, Some(oldest));
        let second = here.advance(change).await.unwrap();
        let old = second.certificate.unwrap();
        let third = here.open(reissuing(old, 2000 + number)).await;
        let mut change = sample::completion(third.unwrap(), 2000 + number, Some(old));
        if let Some(replacement) = change.issuance.as_mut().and_then(|it| it.replaces.as_mut()) {
            replacement.revoke_at = Some(in_days(3));
            replacement.siblings_with = vec!["reseal-sample.com".to_owned()];
        }
        let mut order = condemning(oldest);
        order.certificates.push(old);
        let order = there.order_revocations(order);
        let (narrowed, condemned) = tokio::join!(here.advance(change), order);
        condemned.unwrap();
        narrowed.unwrap();
        let revoked = here.certificate(&Scope::Everything, oldest).await;
        assert!(revoked.unwrap().unwrap().revocation_scheduled.is_some());
    })
    .await;
}

/// A certificate is reserved on the ground of approvals, which are held first; who does not believe them any more ends the
/// process and takes them back.
#[tokio::test]
async fn v_5_who_relies_on_approvals_and_who_takes_them_back_wait_for_each_other_in_one_order() {
    meet(async |[here, there], number| {
        let process = vetting::ov(here, "acme").await;
        let process = here.advance(vetting::approved(process)).await.unwrap();
        let mut reserving = Change::new(process.clone(), Vec::new());
        reserving.reservation = Some(sample::reservation(number));
        let (rejected, events) = process.reject("house/admin", "fraud", now()).unwrap();
        let mut rejecting = Change::new(rejected, events);
        rejecting.withdrawn = vec![Check::Voice, Check::Organization];
        let (reserved, rejected) = tokio::join!(here.advance(reserving), there.advance(rejecting));
        match (&reserved, &rejected) {
            (Ok(_), Err(StoreError::Stale))
            | (Err(StoreError::Stale | StoreError::ApprovalWithdrawn(_)), Ok(_)) => {}
            other => panic!("{other:?}"),
        }
    })
    .await;
}
