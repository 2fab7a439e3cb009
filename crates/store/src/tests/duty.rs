//! What must be revoked by when, for causes that do not concern the key.

use jiff::SignedDuration;
use reseal_lifecycle::certificate::{Certificate, RevocationReason};
use reseal_lifecycle::compromise::{Cause, CompromiseStore as _, Duty, KeyBlock, RevocationOrder};
use reseal_lifecycle::customer::Scope;
use reseal_lifecycle::import;
use reseal_lifecycle::notification::NotificationStore as _;
use reseal_lifecycle::query::NotificationQuery;

use super::World;
use super::sample::{self, in_days, now};

fn hours(count: i64) -> SignedDuration {
    SignedDuration::from_hours(count)
}

fn order(certificates: &[&Certificate], ground: Cause) -> RevocationOrder {
    let duty = Duty::of(ground, now(), "seen");
    RevocationOrder {
        certificates: certificates.iter().map(|one| one.id).collect(),
        moment: duty.usual_moment(),
        duty,
        actor: "console/op".to_owned(),
        at: now(),
    }
}

#[tokio::test]
async fn x_2_an_order_schedules_and_tells_and_leaves_alone_what_cannot_be_revoked() {
    let world = World::new().await;
    let certificate = world.import(sample::certificate("acme", 1)).await;
    let foreign = Certificate {
        issuer: import::ISSUER.to_owned(),
        ..sample::certificate("acme", 2)
    };
    let foreign = world.import(foreign).await;
    let expired = Certificate {
        not_after: in_days(-1),
        ..sample::certificate("acme", 3)
    };
    let expired = world.import(expired).await;
    let ordered = order(&[&certificate, &foreign, &expired], Cause::MisIssued);
    let affected = world
        .store
        .order_revocations(ordered.clone())
        .await
        .unwrap();
    let ids: Vec<i64> = affected.iter().map(|one| one.certificate).collect();
    assert_eq!(ids, [certificate.id]);
    let stored = world.certificate(certificate.id).await;
    assert_eq!(stored.revocation_scheduled, Some(now() + hours(116)));
    let due = world.store.scheduled_revocations().await.unwrap();
    assert_eq!(due.len(), 1);
    assert_eq!(due[0].duty.as_ref(), Some(&ordered.duty));
    let query = NotificationQuery::default();
    let told = world.store.notifications(&Scope::Everything, &query);
    assert_eq!(told.await.unwrap().entities.len(), 1);
    // Once more changes nothing, sooner does.
    let again = world
        .store
        .order_revocations(ordered.clone())
        .await
        .unwrap();
    assert_eq!(again, []);
    let sooner = RevocationOrder {
        moment: now() + hours(1),
        ..order(&[&certificate], Cause::Inaccurate)
    };
    let sooner = world.store.order_revocations(sooner).await.unwrap();
    assert_eq!(sooner[0].scheduled, now() + hours(1));
    assert_eq!(sooner[0].deadline, now() + hours(120));
    // For the cause that stands.
    let told = world.store.notifications(&Scope::Everything, &query);
    let told = &told.await.unwrap().entities[0].message;
    assert!(told.contains("was not issued as the rules say"), "{told}");
}

#[tokio::test]
async fn x_1_x_2_a_worse_cause_takes_the_place_of_the_first_and_no_other_does() {
    let world = World::new().await;
    let certificate = world.import(sample::certificate("acme", 1)).await;
    let first = order(&[&certificate], Cause::Misused);
    world.store.order_revocations(first).await.unwrap();
    let duty = Duty::of(Cause::NameNotAllowed, in_days(2), "seen");
    let later = RevocationOrder {
        moment: duty.usual_moment(),
        duty,
        ..order(&[&certificate], Cause::NameNotAllowed)
    };
    assert_eq!(world.store.order_revocations(later).await.unwrap(), []);
    let known = async || world.store.revocation_duty(certificate.id).await.unwrap();
    let duty = known().await.unwrap();
    assert_eq!(duty.reason, Some(RevocationReason::PrivilegeWithdrawn));
    let bar = Some(duty.cause);
    assert_eq!(duty.bar, bar);

    // The key leaks when a day is left: time does not begin anew.
    let leaked = in_days(0) + hours(115);
    let block = KeyBlock::certain(
        vec![certificate.spki_sha256],
        "found",
        "console/op",
        leaked,
        hours(20),
    );
    let blocked = world.store.block_keys(block).await.unwrap();
    assert_eq!(blocked.certificates.len(), 1);
    assert_eq!(blocked.certificates[0].deadline, now() + hours(120));
    let duty = known().await.unwrap();
    assert_eq!(duty.reason, Some(RevocationReason::KeyCompromise));
    assert_eq!(duty.cause, "found");
    // A customer who proves that the key is compromised gets no successor by that.
    assert_eq!(duty.bar, bar);

    // Nothing is worse than that.
    let last = RevocationOrder {
        duty: Duty::of(Cause::NotAuthorized, now(), "seen"),
        ..order(&[&certificate], Cause::NotAuthorized)
    };
    world.store.order_revocations(last).await.unwrap();
    let reason = known().await.unwrap().reason;
    assert_eq!(reason, Some(RevocationReason::KeyCompromise));
    let due = world.store.scheduled_revocations().await.unwrap();
    assert_eq!(due[0].deadline(), now() + hours(24));
}
