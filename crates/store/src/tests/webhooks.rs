//! Webhooks: whose they are, who works off their queues, what becomes of attempts.

use reseal_lifecycle::notification::{Health, NotificationId, NotificationStore as _, Webhook};
use reseal_lifecycle::store::Store as _;

use super::World;
use super::notifications::all;
use super::sample::{self, in_days, now};

fn webhook(customer: &str) -> Webhook {
    Webhook {
        customer: customer.to_owned(),
        url: "https://hooks.reseal-sample.com/".to_owned(),
        login: None,
        sealed: vec![1, 2, 3],
        created: now(),
        failures: 0,
        next_attempt: now(),
        last_error: None,
    }
}

#[tokio::test]
async fn notifications_wait_for_the_webhook_that_was_set_before_them() {
    let world = World::new().await;
    let tell = async |customer: &str| {
        let opening = sample::opening(customer, None);
        world.store.open(opening).await.unwrap();
    };
    tell("acme").await;
    world
        .store
        .set_webhook(webhook("acme"), "house/op")
        .await
        .unwrap();
    assert_eq!(world.store.next_delivery("acme").await.unwrap(), None);
    assert!(claim(&world).await);
    tell("acme").await;
    tell("acme").await;
    tell("rival").await;
    let (hook, waiting) = world.store.webhook("acme").await.unwrap().unwrap();
    assert_eq!((hook, waiting), (webhook("acme"), 2));
    assert_eq!(world.store.webhook("rival").await.unwrap(), None);

    let ids: Vec<_> = all(&world).await.iter().map(|told| told.id).collect();
    for id in &ids[1..] {
        let (_, told) = world.store.next_delivery("acme").await.unwrap().unwrap();
        assert_eq!(told.id, *id);
        assert!(delivered(&world, *id, (in_days(2), in_days(2))).await);
    }
    assert_eq!(world.store.next_delivery("acme").await.unwrap(), None);
    let taken = all(&world).await;
    let taken: Vec<_> = taken.iter().map(|told| told.delivered).collect();
    assert_eq!(taken, [None, Some(now()), Some(now())]);
}

/// Whether the claim that lasts until `held` goes on until `lease` after a delivery to [`webhook`].
async fn delivered(
    world: &World,
    id: NotificationId,
    (held, lease): (jiff::Timestamp, jiff::Timestamp),
) -> bool {
    let hook = webhook("acme");
    let delivered = world.store.delivered(&hook, id, now(), held, lease);
    delivered.await.unwrap()
}

async fn due(world: &World, health: Health, at: jiff::Timestamp) -> Vec<String> {
    world.store.due_webhooks(health, at, 10).await.unwrap()
}

async fn claim(world: &World) -> bool {
    let claimed = world.store.claim_webhook("acme", in_days(1), in_days(2));
    claimed.await.unwrap()
}

#[tokio::test]
async fn a_queue_is_claimed_by_one_and_failing_ones_stand_apart() {
    let mut world = World::new().await;
    for customer in ["acme", "rival"] {
        world
            .store
            .set_webhook(webhook(customer), "house/op")
            .await
            .unwrap();
    }
    assert_eq!(
        due(&world, Health::Good, in_days(1)).await,
        Vec::<String>::new()
    );
    world
        .store
        .open(sample::opening("acme", None))
        .await
        .unwrap();
    assert_eq!(
        due(&world, Health::Good, in_days(-1)).await,
        Vec::<String>::new()
    );
    assert_eq!(due(&world, Health::Good, in_days(1)).await, ["acme"]);
    assert!(claim(&world).await);
    assert!(!claim(&world).await);
    assert_eq!(
        due(&world, Health::Good, in_days(1)).await,
        Vec::<String>::new()
    );
    assert_eq!(due(&world, Health::Good, in_days(2)).await, ["acme"]);
    world.restart().await;
    assert!(claim(&world).await);
    let release = world.store.release_webhook("acme", in_days(2));
    release.await.unwrap();
    assert!(claim(&world).await);

    let failed = webhook("acme");
    let failed = world
        .store
        .delivery_failed(&failed, "status 500", in_days(3), in_days(2));
    failed.await.unwrap();
    assert_eq!(
        due(&world, Health::Good, in_days(9)).await,
        Vec::<String>::new()
    );
    assert_eq!(
        due(&world, Health::Failing, in_days(2)).await,
        Vec::<String>::new()
    );
    assert_eq!(due(&world, Health::Failing, in_days(3)).await, ["acme"]);
    let (hook, _) = world.store.webhook("acme").await.unwrap().unwrap();
    assert_eq!(
        (hook.failures, hook.last_error.as_deref()),
        (1, Some("status 500"))
    );
    // A new receiver begins anew, with what waited for the old one.
    world
        .store
        .set_webhook(webhook("acme"), "house/op")
        .await
        .unwrap();
    assert_eq!(due(&world, Health::Good, in_days(1)).await, ["acme"]);
    let all = world.store.webhooks().await.unwrap();
    assert_eq!(all, [webhook("acme"), webhook("rival")]);

    assert!(
        world
            .store
            .remove_webhook("acme", now(), "house/op")
            .await
            .unwrap()
    );
    assert!(
        !world
            .store
            .remove_webhook("acme", now(), "house/op")
            .await
            .unwrap()
    );
    world
        .store
        .set_webhook(webhook("acme"), "house/op")
        .await
        .unwrap();
    assert_eq!(world.store.next_delivery("acme").await.unwrap(), None);
}

/// A receiver that hangs is replaced while somebody still waits for it: what it says then is not said of the new one.
#[tokio::test]
async fn the_failure_of_a_webhook_is_not_that_of_the_one_in_its_place() {
    let world = World::new().await;
    let store = &world.store;
    let old = webhook("acme");
    assert!(!store.has_sealed().await.unwrap());
    store.set_webhook(old.clone(), "house/op").await.unwrap();
    assert!(store.has_sealed().await.unwrap());
    store.open(sample::opening("acme", None)).await.unwrap();
    assert!(claim(&world).await);
    let new = Webhook {
        created: in_days(1),
        ..webhook("acme")
    };
    store.set_webhook(new.clone(), "house/op").await.unwrap();
    store
        .delivery_failed(&old, "no answer", in_days(9), in_days(2))
        .await
        .unwrap();
    let (found, waiting) = store.webhook("acme").await.unwrap().unwrap();
    assert_eq!((found, waiting), (new, 1));
    assert_eq!(due(&world, Health::Good, in_days(1)).await, ["acme"]);
    assert!(claim(&world).await, "the claim was not given up");
}

/// A node that was stopped while it delivered wakes up when another one has claimed the queue.
#[tokio::test]
async fn whoever_slept_through_a_claims_end_does_not_end_the_next_ones() {
    let world = World::new().await;
    let store = &world.store;
    let hook = webhook("acme");
    store.set_webhook(hook.clone(), "house/op").await.unwrap();
    store.open(sample::opening("acme", None)).await.unwrap();
    let told = all(&world).await[0].id;
    let (early, late) = (in_days(2), in_days(4));
    assert!(store.claim_webhook("acme", now(), early).await.unwrap());
    assert!(store.claim_webhook("acme", early, late).await.unwrap());
    assert!(!delivered(&world, told, (early, in_days(9))).await);
    store.release_webhook("acme", early).await.unwrap();
    let failed = store.delivery_failed(&hook, "no answer", in_days(9), early);
    failed.await.unwrap();
    let claimed = store.claim_webhook("acme", in_days(3), in_days(5)).await;
    assert!(!claimed.unwrap(), "taken from whoever had it");
    assert!(delivered(&world, told, (late, in_days(6))).await);
    let claimed = store.claim_webhook("acme", in_days(5), in_days(7)).await;
    assert!(!claimed.unwrap(), "it was lengthened");
}

/// What an old receiver took is not the new one's success.
#[tokio::test]
async fn a_delivery_to_a_webhook_is_not_one_to_that_in_its_place() {
    let world = World::new().await;
    let store = &world.store;
    let old = webhook("acme");
    store.set_webhook(old, "house/op").await.unwrap();
    store.open(sample::opening("acme", None)).await.unwrap();
    let told = all(&world).await[0].id;
    assert!(claim(&world).await);
    let new = Webhook {
        created: in_days(1),
        ..webhook("acme")
    };
    store.set_webhook(new.clone(), "house/op").await.unwrap();
    let failed = store.delivery_failed(&new, "status 500", in_days(3), in_days(1));
    failed.await.unwrap();
    assert!(!delivered(&world, told, (in_days(2), in_days(9))).await);
    let (found, waiting) = store.webhook("acme").await.unwrap().unwrap();
    assert_eq!((found.failures, waiting), (1, 0), "it was delivered");
}

/// A step that is written while a webhook is taken away may still leave a notification for it.
#[tokio::test]
async fn a_new_webhook_is_not_told_what_was_left_of_an_old_one() {
    let world = World::new().await;
    let store = &world.store;
    store.open(sample::opening("acme", None)).await.unwrap();
    let hands = world.hands();
    let left = "UPDATE notification SET waiting = 1";
    assert!(hands.execute(left, &[]).unwrap() > 0);
    let hook = webhook("acme");
    store.set_webhook(hook.clone(), "house/op").await.unwrap();
    assert_eq!(store.webhook("acme").await.unwrap(), Some((hook, 0)));
    assert_eq!(store.next_delivery("acme").await.unwrap(), None);

    // What waits for the new one stays, however often it is set: nothing but its removal takes that away.
    let kept = hands.execute(left, &[]).unwrap() as u64;
    let hook = webhook("acme");
    store.set_webhook(hook.clone(), "house/op").await.unwrap();
    assert_eq!(store.webhook("acme").await.unwrap(), Some((hook, kept)));
}
