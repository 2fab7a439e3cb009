//! Notifications: written with what they tell of, told of once.

use reseal_lifecycle::certificate::{Certificate, CertificateStatus};
use reseal_lifecycle::customer::Scope;
use reseal_lifecycle::notification::{
    Health, Mark, Notification, NotificationId, NotificationStore as _, Occasion, Webhook,
};
use reseal_lifecycle::process::Action;
use reseal_lifecycle::query::{
    FilterValue, NotificationField as N, NotificationQuery, Operator, Query,
};
use reseal_lifecycle::store::{Change, Store as _, StoreError};

use super::World;
use super::lists::{filter, text};
use super::sample::{self, in_days, now};

fn own() -> Scope {
    Scope::Customer("acme".to_owned())
}

/// Everything that `acme` was told, in that order.
pub(super) async fn all(world: &World) -> Vec<Notification> {
    let query = Query {
        order: vec![(N::Id, false)],
        limit: None,
        ..Query::default()
    };
    let page = world.store.notifications(&own(), &query).await.unwrap();
    page.entities
}

/// What the expiry watch would write.
pub(super) async fn draft(world: &World) -> Notification {
    let told = all(world).await.pop().unwrap();
    Notification {
        id: 0,
        occasion: Occasion::Expiring,
        ..told
    }
}

#[tokio::test]
async fn a_reissue_leaves_two_notifications_that_name_process_and_certificate() {
    let world = World::new().await;
    let old = world.import(sample::certificate("acme", 1)).await;
    let change = sample::opening_with_reservation("acme", Some(old.subscription), 2);
    let commits = world.store.commits();
    let process = world.store.open(change).await.unwrap();
    let change = sample::completion(process, 2, Some(old.id));
    let process = world.store.advance(change).await.unwrap();
    // The last one is counted after its caller was answered.
    assert!((1..=2).contains(&(world.store.commits() - commits)));
    let told = all(&world).await;
    let seen: Vec<_> = told
        .iter()
        .map(|one| (one.occasion, one.process, one.certificate))
        .collect();
    assert_eq!(
        seen,
        [
            (Occasion::Accepted, Some(process.id), None),
            (Occasion::Issued, Some(process.id), process.certificate)
        ]
    );
    assert_eq!(told[1].payload["replaced"]["certificateId"], old.id);
    assert_eq!(told[1].fired, now());
    assert_eq!(told[1].product.as_deref(), Some("ssl_dv"));
}

#[tokio::test]
async fn a_refused_step_tells_nothing() {
    let world = World::new().await;
    let change = sample::opening("acme", None);
    let process = world.store.open(change).await.unwrap();
    let (cancelled, events) = process
        .clone()
        .cancel("acme/admin".to_owned(), now())
        .unwrap();
    world
        .store
        .advance(Change::new(cancelled, events))
        .await
        .unwrap();
    let (failed, events) = process.fail("late".to_owned(), now()).unwrap();
    let refused = world.store.advance(Change::new(failed, events)).await;
    assert!(matches!(refused, Err(StoreError::Stale)));
    let occasions: Vec<_> = all(&world).await.iter().map(|one| one.occasion).collect();
    assert_eq!(occasions, [Occasion::Accepted, Occasion::Cancelled]);
}

#[tokio::test]
async fn the_oldest_unread_one_comes_until_it_is_acknowledged() {
    let world = World::new().await;
    assert_eq!(world.store.unread("acme").await.unwrap().count, 0);
    for customer in ["acme", "acme", "rival"] {
        let change = sample::opening(customer, None);
        world.store.open(change).await.unwrap();
    }
    let unread = world.store.unread("acme").await.unwrap();
    assert_eq!(unread.count, 2);
    let oldest = unread.oldest.unwrap();
    world.store.mark_read(oldest.id, in_days(1)).await.unwrap();
    world.store.mark_read(oldest.id, in_days(2)).await.unwrap();
    let again = world.store.unread("acme").await.unwrap().oldest.unwrap();
    assert_eq!((again.id, again.read), (oldest.id, Some(in_days(1))));

    let rival = Scope::Customer("rival".to_owned());
    let foreign = world.store.acknowledge(&rival, oldest.id, now()).await;
    assert!(!foreign.unwrap());
    for day in [3, 4] {
        let done = world
            .store
            .acknowledge(&own(), oldest.id, in_days(day))
            .await;
        assert!(done.unwrap());
    }
    let seen = world.store.notification(&own(), oldest.id).await.unwrap();
    assert_eq!(seen.unwrap().acknowledged, Some(in_days(3)));
    let unread = world.store.unread("acme").await.unwrap();
    assert_eq!(unread.count, 1);
    assert!(unread.oldest.unwrap().id > oldest.id);
    assert_eq!(
        world.store.notification(&rival, oldest.id).await.unwrap(),
        None
    );
}

#[tokio::test]
async fn a_list_is_filtered_by_what_is_kept() {
    let world = World::new().await;
    let old = world.import(sample::certificate("acme", 1)).await;
    let change = sample::opening_with_reservation("acme", Some(old.subscription), 2);
    let process = world.store.open(change).await.unwrap();
    let change = sample::completion(process, 2, Some(old.id));
    world.store.advance(change).await.unwrap();
    for (field, operator, values, expected) in [
        (N::EventType, Operator::Eq, vec![text("ISSUED")], 1),
        (
            N::SubjectStatus,
            Operator::In,
            vec![text("NEW"), text("COMPLETED")],
            2,
        ),
        (N::CertificateId, Operator::Null, vec![], 1),
        (N::ProcessType, Operator::Eq, vec![text("certificate")], 2),
        (
            N::ProcessIdentifier,
            Operator::Like,
            vec![text("reseal%")],
            2,
        ),
        (N::AcknowledgeDate, Operator::NotNull, vec![], 0),
        (N::TransferType, Operator::Null, vec![], 2),
        (
            N::FireDate,
            Operator::Lte,
            vec![FilterValue::Date(now())],
            2,
        ),
        (
            N::NotificationType,
            Operator::Eq,
            vec![text("SSLCertificateNotification")],
            2,
        ),
    ] {
        let query = NotificationQuery {
            filters: vec![filter(field, operator, &values)],
            ..NotificationQuery::default()
        };
        let page = world.store.notifications(&own(), &query).await.unwrap();
        assert_eq!(page.total, Some(expected), "{field:?}");
    }
}

#[tokio::test]
async fn the_calendar_is_looked_through_once() {
    let world = World::new().await;
    let ends = |number: u64, days: i64| Certificate {
        not_after: in_days(days),
        ..sample::certificate("acme", number)
    };
    let mut ids = Vec::new();
    for (number, days) in [(1, 20), (2, 20), (3, 25), (4, 40), (5, 10)] {
        ids.push(world.import(ends(number, days)).await.id);
    }
    world
        .import(Certificate {
            stored_status: CertificateStatus::Reissued,
            ..ends(6, 21)
        })
        .await;
    let find = async |after: Mark, limit: u32| -> Vec<i64> {
        let found = world
            .store
            .ending_certificates(after, in_days(30), limit)
            .await;
        found.unwrap().iter().map(|one| one.id).collect()
    };
    let start = Mark {
        at: in_days(14),
        id: i64::MAX,
    };
    assert_eq!(find(start, 1).await, [ids[0]]);
    let first = Mark {
        at: in_days(20),
        id: ids[0],
    };
    assert_eq!(find(first, 10).await, [ids[1], ids[2]]);

    world
        .store
        .open(sample::opening("acme", None))
        .await
        .unwrap();
    let told = draft(&world).await;
    assert_eq!(world.store.watched("w").await.unwrap(), None);
    let announce = |before, after| world.store.announce("w", before, after, vec![told.clone()]);
    announce(None, first).await.unwrap();
    let again = announce(None, first).await;
    assert!(matches!(again, Err(StoreError::Stale)));
    announce(Some(first), start).await.unwrap();
    assert!(announce(Some(first), start).await.is_err());
    assert_eq!(world.store.watched("w").await.unwrap(), Some(start));
    let told = all(&world).await;
    let expiring = told.iter().filter(|one| one.occasion == Occasion::Expiring);
    assert_eq!(expiring.count(), 2);
}

#[tokio::test]
async fn ending_subscriptions_come_with_their_newest_certificate() {
    let world = World::new().await;
    let old = world.import(sample::certificate("acme", 1)).await;
    let (process, events) = sample::process("acme", Action::Reissue, Some(old.subscription));
    let process = world
        .store
        .open(Change::new(process, events))
        .await
        .unwrap();
    let (process, events) = process
        .reserve("01".to_owned(), "embedded".to_owned(), b"tbs", now())
        .unwrap();
    let process = world
        .store
        .advance(Change::new(process, events))
        .await
        .unwrap();
    let process = world
        .store
        .advance(sample::completion(process, 2, Some(old.id)))
        .await
        .unwrap();
    let after = Mark {
        at: in_days(0),
        id: i64::MAX,
    };
    let found = world
        .store
        .ending_subscriptions(after, in_days(365), 10)
        .await
        .unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].0.id, old.subscription);
    assert_eq!(Some(found[0].1), process.certificate);
}

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
    store.set_webhook(old.clone(), "house/op").await.unwrap();
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
