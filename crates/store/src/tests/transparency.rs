//! Precertificates: on record before logs see them, and issued as far as anybody asks.

use reseal_lifecycle::certificate::RevocationReason;
use reseal_lifecycle::ocsp::{Known, Signed, StatusStore as _};
use reseal_lifecycle::process::Process;
use reseal_lifecycle::store::{Change, Store as _, StoreError};
use reseal_lifecycle::transparency::{Precertificate, TransparencyStore as _};

use super::World;
use super::given_up::giving_up;
use super::sample::{self, now};

/// The precertificate under serial `number`.
pub(super) fn precertificate(number: u64) -> Precertificate {
    Precertificate {
        serial: sample::reservation(number).serial,
        issuer: "embedded".to_owned(),
        der: b"precertificate".to_vec(),
        created: now(),
    }
}

/// The step that records the precertificate of a process that has reserved serial `number`.
pub(super) fn precertified(process: Process, number: u64) -> Change {
    let (process, events) = process.precertify("ab".repeat(32), now()).unwrap();
    Change {
        precertificate: Some(precertificate(number)),
        ..Change::new(process, events)
    }
}

async fn known(world: &World, number: u64) -> Option<Known> {
    let serial = sample::reservation(number).serial;
    world.store.known("embedded", &serial).await.unwrap()
}

#[tokio::test]
async fn p_8_x_9_a_precertificate_counts_as_issued_from_its_record_on() {
    let world = World::new().await;
    let opened = sample::opening_with_reservation("acme", None, 2);
    let process = world.store.open(opened).await.unwrap();
    assert_eq!(known(&world, 2).await, None, "reserved, and not signed");
    assert_eq!(world.store.precertificate(process.id).await.unwrap(), None);

    let process = world.store.advance(precertified(process, 2)).await.unwrap();
    let kept = world.store.precertificate(process.id).await.unwrap();
    assert_eq!(kept, Some(precertificate(2)));
    let good = Known {
        signed: Signed::Precertificate(b"precertificate".to_vec()),
        revocation: None,
    };
    assert_eq!(known(&world, 2).await, Some(good));
    let other = world.store.known("other", &precertificate(2).serial).await;
    assert_eq!(other.unwrap(), None, "of another issuer");

    world.store.advance(giving_up(process, 2)).await.unwrap();
    let lost = known(&world, 2).await.unwrap();
    let superseded = Some((now(), Some(RevocationReason::Superseded)));
    assert_eq!(lost.revocation, superseded);
    assert!(matches!(lost.signed, Signed::Lost(Some(_))));
}

#[tokio::test]
async fn p_8_a_serial_has_one_precertificate() {
    let world = World::new().await;
    let mut processes = Vec::new();
    for number in [2, 3] {
        let opened = sample::opening_with_reservation("acme", None, number);
        processes.push(world.store.open(opened).await.unwrap());
    }
    let second = processes.pop().unwrap();
    let first = precertified(processes.pop().unwrap(), 2);
    world.store.advance(first).await.unwrap();
    let again = world.store.advance(precertified(second.clone(), 2)).await;
    let error = again.unwrap_err();
    assert!(
        matches!(error, StoreError::Exists("precertificate")),
        "{error}"
    );
    world.store.advance(precertified(second, 3)).await.unwrap();
}

#[tokio::test]
async fn r_11_the_certificate_takes_the_place_of_its_precertificate() {
    let world = World::new().await;
    let old = world.import(sample::certificate("acme", 1)).await;
    let opened = sample::opening_with_reservation("acme", Some(old.subscription), 2);
    let process = world.store.open(opened).await.unwrap();
    let process = world.store.advance(precertified(process, 2)).await.unwrap();
    let change = sample::completion(process, 2, Some(old.id));
    world.store.advance(change).await.unwrap();
    let known = known(&world, 2).await.unwrap();
    assert!(matches!(known.signed, Signed::Certificate(_)), "{known:?}");
    assert_eq!(known.revocation, None);
}

#[tokio::test]
async fn x_9_a_precertificate_is_answered_for_only_as_long_as_its_process_goes_on_or_a_list_has_it()
{
    let world = World::new().await;
    let opened = sample::opening_with_reservation("acme", None, 2);
    let process = world.store.open(opened).await.unwrap();
    let process = world.store.advance(precertified(process, 2)).await.unwrap();
    world.store.advance(giving_up(process, 2)).await.unwrap();
    let revoked = known(&world, 2).await.unwrap();
    assert!(revoked.revocation.is_some(), "{revoked:?}");
    // As a list does when the certificate would be long over.
    let drop = "DELETE FROM crl_entry";
    assert_eq!(world.hands().execute(drop, &[]).unwrap(), 1);
    assert_eq!(known(&world, 2).await, None);
}
