//! Which processes a worker gets, and for how long.

use std::collections::HashMap;

use reseal_lifecycle::Capacity;
use reseal_lifecycle::store::{Change, Store as _};

use super::World;
use super::sample::{self, in_days, now};

/// Room for that many processes, whosever they are.
fn room(total: usize) -> Capacity {
    Capacity {
        total,
        share: total,
        taken: HashMap::new(),
    }
}

#[tokio::test]
async fn a_customer_with_many_due_processes_leaves_room_for_others() {
    let world = World::new().await;
    let free = |customer| Change {
        lease: None,
        ..sample::opening(customer, None)
    };
    // More than are looked at at once.
    for _ in 0..300 {
        world.store.open(free("acme")).await.unwrap();
    }
    let other = world.store.open(free("rival")).await.unwrap();
    let room = Capacity {
        total: 4,
        share: 3,
        taken: HashMap::from([("acme".to_owned(), 1)]),
    };
    let claimed = world
        .store
        .claim_due(now(), in_days(1), room)
        .await
        .unwrap();
    let ids: Vec<i64> = claimed.iter().map(|process| process.id).collect();
    assert_eq!(ids, [1, 2, other.id]);
}

#[tokio::test]
async fn a_process_that_cannot_be_read_does_not_stop_the_others() {
    let world = World::new().await;
    let free = || Change {
        lease: None,
        ..sample::opening("acme", None)
    };
    let broken = world.store.open(free()).await.unwrap();
    let sound = world.store.open(free()).await.unwrap();
    world
        .hands()
        .execute(
            "UPDATE process SET state = '{}' WHERE id = $1",
            &[broken.id.into()],
        )
        .unwrap();
    let claim = || world.store.claim_due(now(), in_days(1), room(10));
    assert_eq!(claim().await.unwrap(), [sound]);
    // Nor is it tried again at once.
    assert_eq!(claim().await.unwrap(), []);
}

#[tokio::test]
async fn a_lease_is_extended_while_it_is_held() {
    let mut world = World::new().await;
    let store = &world.store;
    let process = store.open(sample::opening("acme", None)).await.unwrap();
    store.extend_lease(process.id, in_days(3)).await.unwrap();
    let early = store.claim(process.id, in_days(2), in_days(4)).await;
    assert_eq!(early.unwrap(), None);
    world.restart().await;
    let store = &world.store;
    // It ended in the meantime.
    store.extend_lease(process.id, in_days(3)).await.unwrap();
    let taken = store.claim(process.id, now(), in_days(4)).await.unwrap();
    assert_eq!(taken, Some(process));
}

#[tokio::test]
async fn a_due_process_is_claimed_once_until_its_lease_ends() {
    let mut world = World::new().await;
    let store = &world.store;
    let free = Change {
        lease: None,
        ..sample::opening("acme", None)
    };
    let process = store.open(free).await.unwrap();
    let held = store.open(sample::opening("acme", None)).await.unwrap();
    assert!(
        store
            .claim_due(in_days(-1), in_days(1), room(10))
            .await
            .unwrap()
            .is_empty(),
        "not due yet"
    );
    let claimed = store.claim_due(now(), in_days(2), room(10)).await.unwrap();
    assert_eq!(claimed, std::slice::from_ref(&process));
    assert!(
        store
            .claim_due(now(), in_days(2), room(10))
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        store.claim(process.id, now(), in_days(2)).await.unwrap(),
        None
    );
    assert_eq!(
        store
            .claim(process.id, in_days(2), in_days(4))
            .await
            .unwrap(),
        Some(process.clone())
    );
    assert_eq!(store.claim(999, now(), in_days(2)).await.unwrap(), None);

    assert_eq!(world.restart().await, 2);
    let store = &world.store;
    let again: Vec<i64> = store
        .claim_due(now(), in_days(2), room(1))
        .await
        .unwrap()
        .iter()
        .map(|process| process.id)
        .collect();
    assert_eq!(again, [process.id]);
    let (ended, events) = held.cancel("acme/admin".to_owned(), now()).unwrap();
    let ended = store.advance(Change::new(ended, events)).await.unwrap();
    assert_eq!(
        store
            .claim(ended.id, in_days(9), in_days(10))
            .await
            .unwrap(),
        None
    );
    // The lease that ran out did not change the version: whoever decided on it can go on.
    let (step, events) = process
        .suspend("waits".to_owned(), Some(in_days(5)), now())
        .unwrap();
    let stored = store.advance(Change::new(step, events)).await.unwrap();
    assert_eq!(stored.next_run, Some(in_days(5)));
    assert!(
        store
            .claim_due(in_days(4), in_days(9), room(10))
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        store
            .claim_due(in_days(5), in_days(9), room(10))
            .await
            .unwrap(),
        [stored]
    );
}
