//! Keys of calls: taken once, answered again, forgotten.

use std::time::Duration;

use reseal_lifecycle::idempotency::{
    ABANDONED, Claim, IdempotencyStore as _, KeptAnswer, KeyedCall, REMEMBERED,
};
use reseal_lifecycle::store::{Change, Store as _, StoreError};

use super::World;
use super::nodes::two;
use super::sample::{self, hash, now};

pub(super) fn call(customer: &str, fingerprint: u64) -> KeyedCall {
    KeyedCall {
        customer: customer.to_owned(),
        key: hash(1),
        fingerprint: hash(fingerprint),
        at: now(),
    }
}

fn answer() -> KeptAnswer {
    KeptAnswer {
        status: 202,
        headers: vec![("x-process-id".to_owned(), "7".to_owned())],
        body: b"{}".to_vec(),
    }
}

impl World {
    async fn claim(&self, call: KeyedCall) -> Claim {
        self.store.claim_key(call).await.unwrap()
    }

    async fn first(&self, call: KeyedCall) -> i64 {
        match self.claim(call).await {
            Claim::First(id) => id,
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn r_9_a_call_is_the_first_once_and_then_answered_again() {
    let world = World::new().await;
    let id = world.first(call("acme", 2)).await;
    assert_eq!(world.claim(call("acme", 2)).await, Claim::Running);
    world.store.keep_answer(id, answer()).await.unwrap();
    assert_eq!(
        world.claim(call("acme", 2)).await,
        Claim::Answered(answer())
    );
    // Another call, and the same of another customer.
    assert_eq!(world.claim(call("acme", 3)).await, Claim::OtherCall);
    world.first(call("rival", 2)).await;
}

#[tokio::test]
async fn a_refused_call_frees_its_key_unless_it_opened_a_process() {
    let mut world = World::new().await;
    let id = world.first(call("acme", 2)).await;
    world.store.free_key(id).await.unwrap();
    let id = world.first(call("acme", 3)).await;
    let change = Change {
        claim: Some(id),
        ..sample::opening("acme", None)
    };
    let process = world.store.open(change).await.unwrap();
    world.store.free_key(id).await.unwrap();
    assert_eq!(
        world.claim(call("acme", 3)).await,
        Claim::Opened(process.id)
    );
    // A restart gives up only what left nothing behind.
    world.first(call("rival", 2)).await;
    world.restart().await;
    assert_eq!(
        world.claim(call("acme", 3)).await,
        Claim::Opened(process.id)
    );
    world.first(call("rival", 2)).await;
}

#[tokio::test]
async fn a_call_that_was_believed_dead_opens_nothing_and_meets_nobody_elses_row() {
    let world = World::new().await;
    let late = world.first(call("acme", 2)).await;
    let again = KeyedCall {
        at: now().checked_add(ABANDONED * 2).unwrap(),
        ..call("acme", 2)
    };
    let second = world.first(again.clone()).await;
    assert_ne!(second, late);
    let opening = |claim| Change {
        claim: Some(claim),
        ..sample::opening("acme", None)
    };
    let refused = world.store.open(opening(late)).await;
    assert!(matches!(refused, Err(StoreError::Stale)), "{refused:?}");
    world.store.keep_answer(late, answer()).await.unwrap();
    assert_eq!(world.claim(again.clone()).await, Claim::Running);
    let process = world.store.open(opening(second)).await.unwrap();
    assert_eq!(world.claim(again).await, Claim::Opened(process.id));
    // A call opens one process.
    let refused = world.store.open(opening(second)).await;
    assert!(matches!(refused, Err(StoreError::Stale)), "{refused:?}");
}

#[tokio::test]
async fn a_key_is_free_again_after_its_time() {
    let world = World::new().await;
    let later = |call: KeyedCall, age| KeyedCall {
        at: now().checked_add(age).unwrap(),
        ..call
    };
    let second = jiff::SignedDuration::from_secs(1);
    world.first(call("acme", 2)).await;
    let claim = world.claim(later(call("acme", 2), ABANDONED)).await;
    assert_eq!(claim, Claim::Running);
    let id = world
        .first(later(call("acme", 2), ABANDONED + second))
        .await;
    world.store.keep_answer(id, answer()).await.unwrap();
    let claim = world.claim(later(call("acme", 3), REMEMBERED)).await;
    assert_eq!(claim, Claim::OtherCall);
    let after = ABANDONED + REMEMBERED + second + second;
    world.first(later(call("acme", 3), after)).await;
}

/// A node gives back what its calls left behind when nobody has them in hand any more: one may have ended well meanwhile.
#[tokio::test]
async fn r_9_a_key_that_was_answered_is_not_freed_any_more() {
    let world = World::new().await;
    let id = world.first(call("acme", 2)).await;
    world.store.keep_answer(id, answer()).await.unwrap();
    world.store.free_key(id).await.unwrap();
    assert_eq!(
        world.claim(call("acme", 2)).await,
        Claim::Answered(answer())
    );
}

/// Whoever takes a key forgets old ones, as do all others at that moment: nobody waits for that.
#[tokio::test]
async fn r_9_old_keys_that_another_node_forgets_keep_nobody_waiting() {
    let Some((world, other)) = two().await else {
        return;
    };
    world.first(call("acme", 2)).await;
    let hands = world.hands();
    hands.batch("BEGIN").unwrap();
    assert_eq!(
        hands.execute("DELETE FROM idempotency_key", &[]).unwrap(),
        1
    );
    let late = KeyedCall {
        key: hash(7),
        at: now() + REMEMBERED + REMEMBERED,
        ..call("rival", 3)
    };
    let claimed = tokio::time::timeout(Duration::from_secs(5), other.claim_key(late)).await;
    assert!(matches!(claimed, Ok(Ok(Claim::First(_)))), "{claimed:?}");
    hands.batch("ROLLBACK").unwrap();
    assert_eq!(world.claim(call("acme", 2)).await, Claim::Running);
}
