//! Several nodes on one PostgreSQL database. Nothing is tested here unless the tests run against it.

use std::sync::Arc;

use jiff::SignedDuration;
use reseal_lifecycle::Taken;
use reseal_lifecycle::compromise::{CompromiseStore as _, KeyBlock};
use reseal_lifecycle::customer::Scope;
use reseal_lifecycle::idempotency::{ABANDONED, Claim, IdempotencyStore as _, KeyedCall};
use reseal_lifecycle::query::ProcessQuery;
use reseal_lifecycle::store::{Change, Store as _, StoreError};

use super::given_up::{KEY, giving_up};
use super::hands::Hands;
use super::sample::{self, in_days, now};
use super::{World, cluster, idempotency};
use crate::SqlStore;
use crate::database::Lock;

/// A world, and a further node on its database.
pub(super) async fn two() -> Option<(World, SqlStore)> {
    if !cluster::is_wanted() {
        return None;
    }
    let world = World::new().await;
    let other = SqlStore::open_as_node(&world.source).unwrap();
    Some((world, other))
}

#[tokio::test]
async fn what_a_living_node_leased_is_its_own_and_what_a_dead_one_leased_is_not() {
    let Some((world, other)) = two().await else {
        return;
    };
    let process = world
        .store
        .open(sample::opening("acme", None))
        .await
        .unwrap();
    assert_eq!(other.release_leases().await.unwrap(), 0);
    assert_eq!(
        other.claim(process.id, now(), in_days(2)).await.unwrap(),
        None
    );
    // As when it is killed: the server notices that the connection is gone.
    world.store.close();
    assert_eq!(other.release_leases().await.unwrap(), 1);
    let taken = other.claim(process.id, now(), in_days(2)).await.unwrap();
    assert_eq!(taken, Some(process));
}

#[tokio::test]
async fn a_command_line_s_lease_ends_by_its_time_alone() {
    let Some((world, _other)) = two().await else {
        return;
    };
    let command = SqlStore::open(&world.source).unwrap();
    let process = command.open(sample::opening("acme", None)).await.unwrap();
    command.close();
    assert_eq!(world.store.release_leases().await.unwrap(), 0);
    assert_eq!(
        world
            .store
            .claim(process.id, now(), in_days(2))
            .await
            .unwrap(),
        None
    );
    let late = world.store.claim(process.id, in_days(3), in_days(4)).await;
    assert!(late.unwrap().is_some());
}

/// As when a node is stopped for longer than its lease, and goes on.
#[tokio::test]
async fn a_lease_that_another_node_has_by_now_is_left_to_it() {
    let Some((world, other)) = two().await else {
        return;
    };
    let slow = &world.store;
    let process = slow.open(sample::opening("acme", None)).await.unwrap();
    slow.extend_lease(process.id, in_days(2)).await.unwrap();
    assert_eq!(
        slow.claim(process.id, now(), in_days(2)).await.unwrap(),
        None
    );
    let taken = other.claim(process.id, in_days(2), in_days(4)).await;
    assert_eq!(taken.unwrap(), Some(process.clone()));
    slow.extend_lease(process.id, in_days(3)).await.unwrap();
    slow.release_lease(process.id, in_days(9)).await.unwrap();
    assert_eq!(
        slow.claim(process.id, in_days(3), in_days(9))
            .await
            .unwrap(),
        None
    );
    other.extend_lease(process.id, in_days(6)).await.unwrap();
    assert_eq!(
        slow.claim(process.id, in_days(5), in_days(9))
            .await
            .unwrap(),
        None
    );
    let again = slow.claim(process.id, in_days(6), in_days(9)).await;
    assert_eq!(again.unwrap(), Some(process));
}

#[tokio::test]
async fn what_a_node_has_taken_it_knows_and_gives_back_alone() {
    let Some((world, other)) = two().await else {
        return;
    };
    let store = &world.store;
    let process = store.open(sample::opening("acme", None)).await.unwrap();
    let Claim::First(call) = store.claim_key(idempotency::call("acme", 1)).await.unwrap() else {
        panic!("taken");
    };
    let (later, until) = (in_days(1), in_days(2));
    let both = Taken {
        processes: vec![process.id],
        calls: vec![call],
    };
    assert_eq!(store.taken(until, later).await.unwrap(), both);
    assert_eq!(other.taken(until, later).await.unwrap(), Taken::default());
    // Not what was taken just now: somebody may be about to say that they have it.
    let just_now = Taken::default();
    assert_eq!(store.taken(in_days(1), now()).await.unwrap(), just_now);

    other.release_lease(process.id, until).await.unwrap();
    store.release_lease(process.id, in_days(1)).await.unwrap();
    assert_eq!(other.claim(process.id, now(), until).await.unwrap(), None);
    store.release_lease(process.id, until).await.unwrap();
    assert!(
        other
            .claim(process.id, now(), until)
            .await
            .unwrap()
            .is_some()
    );
    store.free_key(call).await.unwrap();
    assert_eq!(store.taken(until, later).await.unwrap(), Taken::default());
}

#[tokio::test]
async fn workers_of_other_nodes_hear_of_work() {
    let Some((world, other)) = two().await else {
        return;
    };
    // What was there before.
    other.work_arrives().await;
    let waits = Change {
        lease: None,
        ..sample::opening("acme", None)
    };
    let arrives = tokio::time::timeout(std::time::Duration::from_secs(10), other.work_arrives());
    let (opened, arrived) = tokio::join!(world.store.open(waits), arrives);
    opened.unwrap();
    arrived.unwrap();
}

#[tokio::test]
async fn r_1_of_many_reissues_on_two_nodes_one_is_open() {
    let Some((world, other)) = two().await else {
        return;
    };
    let certificate = world.import(sample::certificate("acme", 1)).await;
    let stores = [Arc::new(world.store), Arc::new(other)];
    let calls: Vec<_> = (0..50)
        .map(|number| {
            let store = Arc::clone(&stores[number % 2]);
            let opening = sample::opening("acme", Some(certificate.subscription));
            tokio::spawn(async move { store.open(opening).await })
        })
        .collect();
    let mut opened = Vec::new();
    for call in calls {
        match call.await.unwrap() {
            Ok(process) => opened.push(process.id),
            Err(StoreError::OpenProcess(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(opened.len(), 1);
}

#[tokio::test]
async fn a_key_is_taken_on_one_node() {
    let Some((world, other)) = two().await else {
        return;
    };
    let stores = [Arc::new(world.store), Arc::new(other)];
    let calls: Vec<_> = (0..20)
        .map(|number| {
            let store = Arc::clone(&stores[number % 2]);
            tokio::spawn(async move { store.claim_key(idempotency::call("acme", 1)).await })
        })
        .collect();
    let mut claims = Vec::new();
    for call in calls {
        claims.push(call.await.unwrap().unwrap());
    }
    let first = |claim: &&Claim| matches!(claim, Claim::First(_));
    assert_eq!(claims.iter().filter(first).count(), 1, "{claims:?}");
    let running = |claim: &&Claim| **claim == Claim::Running;
    assert_eq!(claims.iter().filter(running).count(), 19, "{claims:?}");
}

/// The call that took it was slower than anybody believed: it opens its process while another takes the key for free.
#[tokio::test]
async fn r_9_a_key_whose_call_got_an_outcome_since_the_look_is_not_taken_away() {
    let Some((world, other)) = two().await else {
        return;
    };
    let call = idempotency::call("acme", 1);
    let Claim::First(claim) = world.store.claim_key(call.clone()).await.unwrap() else {
        panic!("taken")
    };
    let process = world.store.open(sample::opening("acme", None)).await;
    let process = process.unwrap().id;
    let (slow, looking) = (world.hands(), world.hands());
    let opens = format!("UPDATE idempotency_key SET process = {process} WHERE id = {claim}");
    slow.batch(&format!("BEGIN; {opens}")).unwrap();
    let late = now().checked_add(ABANDONED * 2).unwrap();
    let again = KeyedCall { at: late, ..call };
    let again = tokio::spawn(async move { other.claim_key(again).await });
    until_somebody_waits(&looking).await;
    slow.batch("COMMIT").unwrap();
    assert_eq!(again.await.unwrap().unwrap(), Claim::Opened(process));
}

/// While the list of blocked keys grows, no certificate is stored by anybody.
#[tokio::test]
async fn x_4_whoever_names_keys_that_are_known_has_nobody_wait() {
    let Some((world, other)) = two().await else {
        return;
    };
    let key = sample::hash(77);
    let day = SignedDuration::from_hours(24);
    let proof = || KeyBlock::certain(vec![key; 1000], "found", "house/op", now(), day);
    let claim = || KeyBlock::claimed("acme", vec![key; 1000], "lost", "acme/api", now());
    for block in [proof(), claim()] {
        assert_eq!(world.store.block_keys(block).await.unwrap().new, 1);
    }
    // As somebody who stores a certificate.
    let stores = world.hands();
    stores.begin_with(Lock::BlockedKeysStay).unwrap();
    for block in [proof(), claim()] {
        let again =
            tokio::time::timeout(std::time::Duration::from_secs(8), other.block_keys(block));
        assert_eq!(again.await.unwrap().unwrap().new, 0);
    }
    let new = KeyBlock::certain(vec![sample::hash(78)], "found", "house/op", now(), day);
    let new = tokio::spawn(async move { other.block_keys(new).await });
    until_somebody_waits(&world.hands()).await;
    stores.batch("COMMIT").unwrap();
    assert_eq!(new.await.unwrap().unwrap().new, 1);
}

/// While the list of blocked keys grows, no serial is given up by anybody for another reason.
#[tokio::test]
async fn x_3_a_serial_that_is_given_up_while_its_key_is_blocked_is_revoked_for_that() {
    let Some((world, other)) = two().await else {
        return;
    };
    let opened = sample::opening_with_reservation("acme", None, 2);
    let process = world.store.open(opened).await.unwrap();
    let blocks = blocking(&world, &KEY);
    let late = tokio::spawn(async move { other.advance(giving_up(process, 2)).await });
    until_somebody_waits(&world.hands()).await;
    blocks.batch("COMMIT").unwrap();
    late.await.unwrap().unwrap();
    let select = "SELECT reason FROM crl_entry";
    let reasons = world.hands().rows(select, &[], |row| row.get::<String>(0));
    assert_eq!(reasons, ["KEY_COMPROMISE"]);
}

#[tokio::test]
async fn c_24_no_serial_is_reserved_for_a_key_that_is_being_blocked() {
    let Some((world, other)) = two().await else {
        return;
    };
    let change = sample::opening_with_reservation("acme", None, 2);
    let key = change.process.work().unwrap().order.spki_sha256.clone();
    let key = hex::decode(key).unwrap();
    let blocks = blocking(&world, &key);
    let late = tokio::spawn(async move { other.open(change).await });
    until_somebody_waits(&world.hands()).await;
    blocks.batch("COMMIT").unwrap();
    let late = late.await.unwrap();
    assert!(matches!(late, Err(StoreError::KeyBlocked)), "{late:?}");
}

/// Somebody who has blocked `key`, but for the commit.
fn blocking(world: &World, key: &[u8]) -> Hands {
    let blocks = world.hands();
    blocks.begin_with(Lock::BlockedKeysGrow).unwrap();
    let insert = "INSERT INTO blocked_key (spki_sha256, reason, actor, created) VALUES ($1, 'found', 'house/op', 0)";
    blocks.execute(insert, &[key.to_vec().into()]).unwrap();
    blocks
}

/// Until a statement on the same database waits for what another transaction holds.
async fn until_somebody_waits(hands: &Hands) {
    const WAITING: &str = "SELECT COUNT(*) FROM pg_stat_activity \
        WHERE datname = current_database() AND wait_event_type = 'Lock'";
    for _ in 0..200 {
        if hands.rows(WAITING, &[], |row| row.get::<i64>(0)) != [0] {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("nobody waits");
}

#[tokio::test]
async fn a_4_many_writers_of_two_nodes_append_to_one_chain() {
    let Some((world, other)) = two().await else {
        return;
    };
    let source = world.source.clone();
    let stores = [Arc::new(world.store), Arc::new(other)];
    let calls: Vec<_> = (0..200_u64)
        .map(|number| {
            let store = Arc::clone(&stores[(number % 2) as usize]);
            let opening = sample::opening_with_reservation("acme", None, number);
            tokio::spawn(async move { store.open(opening).await })
        })
        .collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    let (verified, findings) = super::audit::verify(&source, &[]);
    assert_eq!(findings, []);
    assert_eq!(verified.entries, 202);
}

#[tokio::test]
async fn a_connection_that_the_server_ends_is_made_again() {
    let Some((world, _other)) = two().await else {
        return;
    };
    let hands = world.hands();
    for _ in 0..3 {
        hands
            .batch("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()")
            .unwrap();
        // Whatever is begun after that finds a connection: the end of the old one has been heard.
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        world
            .store
            .open(sample::opening("acme", None))
            .await
            .unwrap();
        world.store.ping().await.unwrap();
    }
    let query = ProcessQuery {
        limit: Some(0),
        ..ProcessQuery::default()
    };
    let page = world.store.processes(&Scope::Everything, &query).await;
    assert_eq!(page.unwrap().total, Some(3));
}
