//! What a step rests on may be gone since it was decided on: the key, the certificate to be replaced.

use reseal_lifecycle::certificate::Certificate;
use reseal_lifecycle::compromise::{CompromiseStore as _, KeyBlock};
use reseal_lifecycle::customer::Scope;
use reseal_lifecycle::process::Process;
use reseal_lifecycle::store::{Change, Store as _, StoreError};

use super::World;
use super::sample::{self, now};

#[tokio::test]
async fn r_1_a_certificate_has_one_successor_and_none_once_revoked() {
    let world = World::new().await;
    let old = world.import(sample::certificate("acme", 1)).await;
    let reissue = |number| {
        let mut change = sample::opening_with_reservation("acme", Some(old.subscription), number);
        change.process.source = Some(old.id);
        change
    };
    let process = world.store.open(reissue(2)).await.unwrap();
    let completion = sample::completion(process, 2, Some(old.id));
    world.store.advance(completion).await.unwrap();
    let late = world.store.open(reissue(3)).await;
    assert!(matches!(late, Err(StoreError::SourceGone)), "{late:?}");
    // Nor may a step that was let in otherwise put another in the successor's place.
    let stray = sample::opening_with_reservation("acme", Some(old.subscription), 4);
    let stray = world.store.open(stray).await.unwrap();
    let late = world
        .store
        .advance(sample::completion(stray, 4, Some(old.id)))
        .await;
    assert!(matches!(late, Err(StoreError::SourceGone)), "{late:?}");
}

#[tokio::test]
async fn c_24_a_certificate_is_not_stored_once_its_key_is_blocked() {
    let world = World::new().await;
    let change = sample::opening_with_reservation("acme", None, 2);
    let process = world.store.open(change).await.unwrap();
    let completion = sample::completion(process, 2, None);
    let key = sample::certificate("acme", 2).spki_sha256;
    let block = KeyBlock::claimed("acme", vec![key], "lost", "acme/api", now());
    world.store.block_keys(block).await.unwrap();
    let late = world.store.advance(completion).await;
    assert!(matches!(late, Err(StoreError::KeyBlocked)), "{late:?}");
}

#[tokio::test]
async fn c_24_no_serial_is_reserved_for_a_key_that_may_not_be_certified() {
    let world = World::new().await;
    let store = &world.store;
    let key = [0xab; 32];
    let at_once = |customer, number| {
        let change = sample::opening_with_reservation(customer, None, number);
        let asked = &change.process.work().unwrap().order.spki_sha256;
        assert_eq!(*asked, hex::encode(key));
        store.open(change)
    };
    let later = |process: &Process, number| {
        let reserving = Change {
            reservation: Some(sample::reservation(number)),
            ..Change::new(process.clone(), Vec::new())
        };
        store.advance(reserving)
    };
    let unchanged = async |process: &Process| {
        let kept = store.process(&Scope::Everything, process.id).await;
        assert_eq!(kept.unwrap().as_ref(), Some(process));
    };

    let theirs = store.open(sample::opening("rival", None)).await.unwrap();
    let ours = store.open(sample::opening("acme", None)).await.unwrap();
    let with_key = Certificate {
        spki_sha256: key,
        ..sample::certificate("acme", 1)
    };
    world.import(with_key).await;
    let refused = at_once("rival", 2).await;
    assert!(matches!(refused, Err(StoreError::KeyTaken)), "{refused:?}");
    let refused = later(&theirs, 3).await;
    assert!(matches!(refused, Err(StoreError::KeyTaken)), "{refused:?}");
    unchanged(&theirs).await;
    at_once("acme", 4).await.unwrap();

    let block = KeyBlock::claimed("acme", vec![key], "lost", "acme/api", now());
    store.block_keys(block).await.unwrap();
    let refused = at_once("acme", 5).await;
    assert!(
        matches!(refused, Err(StoreError::KeyBlocked)),
        "{refused:?}"
    );
    let refused = later(&ours, 6).await;
    assert!(
        matches!(refused, Err(StoreError::KeyBlocked)),
        "{refused:?}"
    );
    unchanged(&ours).await;
}
