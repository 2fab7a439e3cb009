//! Notifications: written with what they tell of, told of once.

use reseal_lifecycle::certificate::{Certificate, CertificateStatus};
use reseal_lifecycle::customer::Scope;
use reseal_lifecycle::notification::{Mark, Notification, NotificationStore as _, Occasion};
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
