//! That a node shows itself to others, and what becomes of the others' work. Nothing is tested here unless the tests run
//! against PostgreSQL.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use reseal_lifecycle::Taken;
use reseal_lifecycle::idempotency::{Claim, IdempotencyStore as _};
use reseal_lifecycle::store::{Change, Store as _, StoreError};

use super::cluster::Cluster;
use super::hands::Hands;
use super::nodes::two;
use super::sample::{self, in_days};
use super::{World, cluster, idempotency};
use crate::database::Connection;
use crate::{PostgresUrl, Source, SqlStore, postgres};

/// Longest time until something is noticed that should be at once.
const SOON: Duration = Duration::from_secs(3);

/// The numbers of the nodes that are seen, the first to have come first.
fn seen(hands: &Hands) -> Vec<i64> {
    let seen = "SELECT node FROM living_node ORDER BY node";
    hands.rows(seen, &[], |row| row.get(0))
}

/// Ends the connection that shows node `number`, by which its lock is free.
fn end_presence(hands: &Hands, number: i64) {
    let held = "SELECT pg_terminate_backend(pid) FROM pg_locks \
        WHERE locktype = 'advisory' AND granted AND classid = 1919251302 AND objid = $1::BIGINT::OID \
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    assert_eq!(
        hands.rows(held, &[number.into()], |row| row.get::<bool>(0)),
        [true]
    );
}

/// Somebody who has the lock of node `number` from the moment on at which it is lost.
fn ghost_of(world: &World, number: i64) -> Hands {
    let (ghost, ends) = (world.hands(), world.hands());
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| {
            let take =
                format!("DO $$ BEGIN PERFORM pg_advisory_lock(1919251302, {number}); END $$");
            ghost.batch(&take).unwrap();
        });
        let waiting = "SELECT COUNT(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted \
            AND classid = 1919251302 AND objid = $1::BIGINT::OID \
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
        while ends.rows(waiting, &[number.into()], |row| row.get::<i64>(0)) == [0] {
            std::thread::sleep(Duration::from_millis(10));
        }
        end_presence(&ends, number);
        waits.join().unwrap();
    });
    ghost
}

/// Closes `store` on a thread of its own; whether that is done soon.
fn closes_soon(store: SqlStore) -> bool {
    let (done, closed) = mpsc::channel();
    std::thread::spawn(move || {
        store.close();
        done.send(())
    });
    closed.recv_timeout(SOON).is_ok()
}

#[tokio::test]
async fn a_node_whose_lock_is_held_by_its_own_ghost_hears_of_work_and_stops() {
    let Some((world, other)) = two().await else {
        return;
    };
    let number = seen(&world.hands())[0];
    let _ghost = ghost_of(&world, number);
    // What may have been said while it was not connected.
    let arrives = || tokio::time::timeout(SOON, world.store.work_arrives());
    while arrives().await.is_ok() {}
    let waits = Change {
        lease: None,
        ..sample::opening("acme", None)
    };
    other.open(waits).await.unwrap();
    arrives().await.unwrap();
    assert!(closes_soon(world.store));
}

#[tokio::test]
async fn a_node_whose_number_somebody_else_holds_does_not_wait_for_it() {
    let Some((world, _other)) = two().await else {
        return;
    };
    let holds = world.hands();
    holds
        .batch("DO $$ BEGIN PERFORM pg_advisory_lock(1919251302, last_value::INTEGER + 1) FROM node; END $$")
        .unwrap();
    let (said, opened) = mpsc::channel();
    let source = world.source.clone();
    std::thread::spawn(move || said.send(SqlStore::open_as_node(&source).map(drop)));
    let Err(StoreError::Unavailable { reason, .. }) = opened.recv_timeout(SOON).unwrap() else {
        panic!("two nodes have one number");
    };
    assert!(reason.contains("start it again"), "{reason}");
    SqlStore::open_as_node(&world.source).unwrap();
}

/// As after a restart of the server: writers come back at once, and nobody is seen for a moment.
#[tokio::test]
async fn nobody_is_taken_for_dead_while_all_connect_again() {
    let Some((world, other)) = two().await else {
        return;
    };
    let both = take_both(&world).await;
    let hands = world.hands();
    let nodes = seen(&hands);
    hands
        .batch("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()")
        .unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    let began = Instant::now();
    while began.elapsed() < SOON {
        assert_eq!(other.release_leases().await.unwrap(), 0);
        assert_eq!(world.store.release_leases().await.unwrap(), 0);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(held_by(&world).await, both);
    assert_eq!(seen(&hands), nodes);
    // Who does not come back is missed in time.
    world.store.close();
    while other.release_leases().await.unwrap() == 0 {
        assert!(
            began.elapsed() < Duration::from_secs(40),
            "missed by nobody"
        );
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test]
async fn a_node_that_is_not_seen_itself_gives_up_nothing() {
    let Some((world, _other)) = two().await else {
        return;
    };
    take_both(&world).await;
    // Another node takes both over, which nobody sees.
    let unseen = |connection: &Connection| {
        connection.batch(
            "SET LOCAL reseal.node = '4711'; UPDATE process SET lease_until = lease_until; \
             UPDATE idempotency_key SET node = this_node()",
        )?;
        Ok(postgres::release_of_the_dead(connection)?)
    };
    assert_eq!(world.store.writer.write(unseen).await.unwrap(), 0);
    let keys = "SELECT COUNT(*) FROM idempotency_key";
    let left = || world.hands().rows(keys, &[], |row| row.get::<i64>(0));
    assert_eq!(left(), [1]);
    assert_eq!(world.store.release_leases().await.unwrap(), 1);
    assert_eq!(left(), [0]);
}

/// A process and a call that are in the hands of the first node.
async fn take_both(world: &World) -> Taken {
    let opened = world.store.open(sample::opening("acme", None)).await;
    let claim = world.store.claim_key(idempotency::call("acme", 1)).await;
    let Ok(Claim::First(call)) = claim else {
        panic!("{claim:?}");
    };
    Taken {
        processes: vec![opened.unwrap().id],
        calls: vec![call],
    }
}

async fn held_by(world: &World) -> Taken {
    world.store.taken(in_days(2), in_days(1)).await.unwrap()
}

/// Each asks after a machine that says nothing more, which may be gone without a word.
#[tokio::test]
async fn server_and_node_soon_ask_whether_the_other_is_there() {
    if !cluster::is_wanted() {
        return;
    }
    let world = World::new().await;
    let Source::Postgres(url) = &world.source else {
        panic!("{}", world.source)
    };
    let (_, name) = url.target.shown().rsplit_once('/').unwrap();
    let port = Cluster::get().port;
    let url = format!("postgres://reseal@127.0.0.1:{port}/{name}");
    let over_tcp = Source::Postgres(PostgresUrl::parse(&url, None).unwrap());
    let _node = SqlStore::open_as_node(&over_tcp).unwrap();
    let select = "SELECT client_port::BIGINT FROM pg_stat_activity JOIN pg_locks USING (pid) \
        WHERE locktype = 'advisory' AND classid = 1919251302 AND client_port > 0 AND datname = current_database()";
    let ports = world.hands().rows(select, &[], |row| row.get::<i64>(0));
    let client = u16::try_from(ports[0]).unwrap();
    let asks = until_asked(port, client);
    assert!(asks <= Duration::from_secs(2), "{asks:?}");
    let asks = until_asked(client, port);
    assert!(asks <= Duration::from_secs(5), "{asks:?}");
}

/// When the system asks next whether `other` is there, at its end `own` of a connection on this host (proc_pid_net(5)).
fn until_asked(own: u16, other: u16) -> Duration {
    let ends = format!(" 0100007F:{own:04X} 0100007F:{other:04X} ");
    for _ in 0..100 {
        let connections = std::fs::read_to_string("/proc/net/tcp").unwrap();
        let line = connections.lines().find(|line| line.contains(&ends));
        let timer = line.unwrap().split_whitespace().nth(5).unwrap();
        // 01 means that an answer to something else is waited for.
        if let Some(ticks) = timer.strip_prefix("02:") {
            let ticks = u64::from_str_radix(ticks, 16).unwrap();
            return Duration::from_millis(ticks * 10);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("nobody is asked");
}
