//! A full disk, a lock that stays, a file that is no database.

use std::sync::Arc;
use std::time::Duration;

use reseal_lifecycle::compromise::{CompromiseStore as _, KeyBlock};
use reseal_lifecycle::customer::{AccountStore as _, Customer, Scope};
use reseal_lifecycle::store::{Store as _, StoreError};
use rusqlite::Connection;

use super::World;
use super::sample::{self, now};
use crate::database;
use crate::{Source, SqlStore};

fn sqlite(connection: &database::Connection) -> &Connection {
    match connection.engine() {
        database::Engine::Sqlite(connection) => connection,
        database::Engine::Postgres(_) => panic!("no file"),
    }
}

/// The fault "disk full": the file may not grow any more. Works on the writer's own connection.
async fn forbid_growth(store: &SqlStore, forbid: bool) {
    store
        .writer
        .write(move |connection: &database::Connection| {
            let connection = sqlite(connection);
            let pages: i64 = connection
                .query_row("PRAGMA page_count", [], |row| row.get(0))
                .unwrap();
            let most = if forbid { pages } else { 1 << 30 };
            connection
                .query_row(&format!("PRAGMA max_page_count = {most}"), [], |_| Ok(()))
                .unwrap();
            Ok(())
        })
        .await
        .unwrap();
}

fn assert_try_later(error: &StoreError) {
    let StoreError::Unavailable { retry_after, .. } = error else {
        panic!("{error}")
    };
    assert!((Duration::from_secs(1)..=Duration::from_secs(5)).contains(retry_after));
}

#[tokio::test]
async fn a_full_disk_is_unavailable_leaves_nothing_and_passes() {
    let world = World::sqlite().await;
    let store = Arc::new(world.store);
    forbid_growth(&store, true).await;
    let open = |number| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            store
                .open(sample::opening_with_reservation("acme", None, number))
                .await
        })
    };
    // More than fits into the pages there are, at once and one after the other.
    let calls: Vec<_> = (0..100).map(open).collect();
    let (mut stored, mut refused) = (Vec::new(), 0);
    for call in calls {
        match call.await.unwrap() {
            Ok(process) => stored.push(process),
            Err(error) => {
                assert_try_later(&error);
                refused += 1;
            }
        }
    }
    assert!(refused > 50, "{refused} refused");
    for number in 100..105 {
        if let Err(error) = open(number).await.unwrap() {
            assert_try_later(&error);
        }
    }
    // Reading goes on, and finds what was answered and nothing else.
    for process in &stored {
        assert_eq!(
            store
                .process(&Scope::Everything, process.id)
                .await
                .unwrap()
                .as_ref(),
            Some(process)
        );
        assert_eq!(store.timeline(process.id).await.unwrap().len(), 4);
    }
    let halves = store
        .writer
        .write(|connection: &database::Connection| {
            let connection = sqlite(connection);
            let half =
                "SELECT COUNT(*) FROM process WHERE id NOT IN (SELECT process FROM reservation)";
            Ok(connection
                .query_row(half, [], |row| row.get::<_, i64>(0))
                .unwrap())
        })
        .await
        .unwrap();
    assert_eq!(halves, 0);
    forbid_growth(&store, false).await;
    for number in 200..220 {
        open(number).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_small_write_is_done_beside_one_that_does_not_fit() {
    let world = World::sqlite().await;
    let path = world.path();
    let store = Arc::new(world.store);
    forbid_growth(&store, true).await;
    let other = Connection::open(path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let large = {
        let store = Arc::clone(&store);
        let reason = "x".repeat(1 << 20);
        let block = KeyBlock::claimed("acme", vec![[1; 32]], &reason, "acme/api", now());
        tokio::spawn(async move { store.block_keys(block).await })
    };
    let small = {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            store
                .create_customer(
                    Customer {
                        handle: "small".to_owned(),
                        created: now(),
                    },
                    "house/op",
                )
                .await
        })
    };
    tokio::time::sleep(Duration::from_millis(100)).await;
    other.execute_batch("COMMIT").unwrap();
    assert_try_later(&large.await.unwrap().unwrap_err());
    small.await.unwrap().unwrap();
    assert!(store.customer_exists("small").await.unwrap());
    assert!(!store.key_history("acme", &[1; 32]).await.unwrap().blocked);
}

#[tokio::test]
async fn a_lock_that_stays_is_unavailable_and_passes() {
    let world = World::sqlite().await;
    world
        .store
        .writer
        .write(|connection: &database::Connection| {
            let connection = sqlite(connection);
            connection.busy_timeout(Duration::from_millis(50)).unwrap();
            Ok(())
        })
        .await
        .unwrap();
    let other = Connection::open(world.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = world
        .store
        .open(sample::opening("acme", None))
        .await
        .unwrap_err();
    assert_try_later(&error);
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(
        world
            .store
            .open(sample::opening("acme", None))
            .await
            .unwrap()
            .id,
        1
    );
}

#[tokio::test]
async fn a_write_that_panics_fails_alone() {
    let world = World::sqlite().await;
    let error = world
        .store
        .writer
        .write(
            |connection: &database::Connection| -> Result<(), StoreError> {
                let connection = sqlite(connection);
                connection
                    .execute("UPDATE customer SET created = 0", [])
                    .unwrap();
                panic!("a fault for this test");
            },
        )
        .await
        .unwrap_err();
    assert!(matches!(error, StoreError::Fault(_)), "{error}");
    assert_eq!(world.store.customers().await.unwrap()[0].created, now());
    world.store.ping().await.unwrap();
}

#[test]
fn a_file_that_is_no_database_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("reseal.db");
    std::fs::write(
        &path,
        "this is not a database, but long enough to look like one".repeat(50),
    )
    .unwrap();
    let Err(error) = SqlStore::open(&Source::Sqlite(path.clone())) else {
        panic!("opened")
    };
    assert!(matches!(error, StoreError::Fault(_)), "{error}");
    let Err(error) = SqlStore::open(&Source::Sqlite(folder.path().join("no/such/folder.db")))
    else {
        panic!("opened")
    };
    assert_try_later(&error);
}

#[test]
fn a_database_of_a_newer_program_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("reseal.db");
    drop(SqlStore::open(&Source::Sqlite(path.clone())).unwrap());
    let newer = Connection::open(&path).unwrap();
    newer
        .execute("INSERT INTO schema_migration (version, name, checksum, applied) VALUES (99, 'x', 'x', 0)", [])
        .unwrap();
    drop(newer);
    let Err(error) = SqlStore::open(&Source::Sqlite(path.clone())) else {
        panic!("opened")
    };
    assert!(error.to_string().contains("schema version 99"), "{error}");
}

#[tokio::test]
async fn a_reader_cannot_write() {
    let world = World::new().await;
    let error = world
        .store
        .points
        .read(|connection| {
            let statement = "UPDATE customer SET created = 0";
            Ok(connection.execute(statement, database::params![])?)
        })
        .await
        .unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("readonly") || text.contains("read-only"),
        "{text}"
    );
}
