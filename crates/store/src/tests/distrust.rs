//! Proofs that turned out to be worth nothing, and certificates whose place no other may take.

use reseal_lifecycle::authorization::{Authorization, AuthorizationStore as _, Distrust};
use reseal_lifecycle::compromise::{Cause, CompromiseStore as _, Duty, RevocationOrder};
use reseal_lifecycle::customer::Scope;
use reseal_lifecycle::process::Process;
use reseal_lifecycle::query::AuthorizationQuery;
use reseal_lifecycle::store::{Change, Store as _, StoreError};
use reseal_pki::method::Method;

use super::World;
use super::sample::{self, in_days, now};

const NAME: &str = "reseal-sample.com";

/// The proof that the samples of `customer` rely on for [`NAME`].
pub(super) fn proof(customer: &str) -> Authorization {
    Authorization {
        id: 0,
        customer: customer.to_owned(),
        adn: NAME.to_owned(),
        method: Method::DnsChange,
        only_itself: false,
        obtained: in_days(-10),
        process: 0,
        witnesses: Vec::new(),
        alias: None,
        distrusted: None,
    }
}

async fn prove(world: &World, customer: &str) -> Process {
    let change = Change {
        authorizations: vec![proof(customer)],
        ..sample::opening(customer, None)
    };
    world.store.open(change).await.unwrap()
}

async fn of(world: &World, customer: &str) -> Vec<Authorization> {
    let query = AuthorizationQuery::default();
    let found = world.store.find_authorizations(&query).await.unwrap();
    let proofs = found.entities.into_iter().map(|relied| relied.proof);
    proofs.filter(|proof| proof.customer == customer).collect()
}

#[tokio::test]
async fn v_3_x_1_what_took_its_time_is_not_stored_on_a_proof_that_was_distrusted_meanwhile() {
    let world = World::new().await;
    let opened = Change {
        authorizations: vec![proof("acme")],
        ..sample::opening_with_reservation("acme", None, 1)
    };
    let process = world.store.open(opened).await.unwrap();
    let proofs = of(&world, "acme").await.iter().map(|one| one.id).collect();
    let distrust = Distrust {
        proofs,
        reason: "the alias led astray".to_owned(),
        actor: "console/op".to_owned(),
        at: now(),
    };
    assert_eq!(world.store.distrust(distrust).await.unwrap(), 1);
    let mut change = sample::completion(process.clone(), 1, None);
    if let Some(issuance) = &mut change.issuance {
        issuance.subscription = Some(sample::subscription("acme"));
        issuance.is_late = true;
    }
    let refused = world.store.advance(change).await;
    assert!(
        matches!(&refused, Err(StoreError::ProofDistrusted(name)) if name == NAME),
        "{refused:?}"
    );
    let kept = world.store.process(&Scope::Everything, process.id).await;
    assert_eq!(kept.unwrap(), Some(process), "nothing is half written");
}

#[tokio::test]
async fn v_3_x_1_nothing_is_reserved_on_a_proof_that_is_distrusted() {
    let world = World::new().await;
    let (ours, theirs) = (prove(&world, "acme").await, prove(&world, "rival").await);
    let proofs: Vec<i64> = of(&world, "acme")
        .await
        .iter()
        .map(|proof| proof.id)
        .collect();
    let distrust = Distrust {
        proofs,
        reason: "the alias led astray".to_owned(),
        actor: "console/op".to_owned(),
        at: now(),
    };
    assert_eq!(world.store.distrust(distrust.clone()).await.unwrap(), 1);
    assert_eq!(world.store.distrust(distrust).await.unwrap(), 0);

    let names = [NAME.to_owned()];
    let reusable = world.store.authorizations("acme", &names);
    assert_eq!(reusable.await.unwrap(), []);
    assert_eq!(
        of(&world, "acme").await[0]
            .distrusted
            .map(jiff::Timestamp::as_millisecond),
        Some(now().as_millisecond())
    );
    assert_eq!(world.store.distrusted_names(&ours).await.unwrap(), [NAME]);
    let reserving = |process: Process, number| Change {
        reservation: Some(sample::reservation(number)),
        ..Change::new(process, Vec::new())
    };
    let refused = world.store.advance(reserving(ours, 1)).await;
    assert!(
        matches!(&refused, Err(StoreError::ProofDistrusted(name)) if name == NAME),
        "{refused:?}"
    );
    let at_once = world
        .store
        .open(sample::opening_with_reservation("acme", None, 2))
        .await;
    assert!(
        matches!(at_once, Err(StoreError::ProofDistrusted(_))),
        "{at_once:?}"
    );
    // Somebody else's proof of the same name stands.
    world.store.advance(reserving(theirs, 3)).await.unwrap();
}

#[tokio::test]
async fn x_1_x_2_no_other_takes_the_place_of_what_the_subscriber_lost_the_right_to() {
    let world = World::new().await;
    for (number, cause, allowed) in [
        (1, Cause::MisIssued, true),
        (2, Cause::Misused, false),
        (3, Cause::NameNotAllowed, false),
    ] {
        let old = world.import(sample::certificate("acme", number)).await;
        let duty = Duty::of(cause, now(), "seen");
        let order = RevocationOrder {
            certificates: vec![old.id],
            moment: duty.usual_moment(),
            duty,
            actor: "console/op".to_owned(),
            at: now(),
        };
        world.store.order_revocations(order).await.unwrap();
        let mut reissue =
            sample::opening_with_reservation("acme", Some(old.subscription), 10 + number);
        reissue.process.source = Some(old.id);
        let opened = world.store.open(reissue).await;
        match opened {
            Ok(_) => assert!(allowed, "{cause}"),
            Err(StoreError::SourceGone) => assert!(!allowed, "{cause}"),
            Err(error) => panic!("{cause}: {error}"),
        }
    }
}
