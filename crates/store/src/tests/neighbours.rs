//! Many callers at once, and other programs on the same file.

use std::sync::Arc;

use reseal_lifecycle::customer::{AccountStore as _, Customer, Scope};
use reseal_lifecycle::store::{Store as _, StoreError};

use super::World;
use super::sample::{self, now};
use crate::{Source, SqlStore};

fn customer(number: u64) -> Customer {
    Customer {
        handle: format!("customer-{number}"),
        created: now(),
    }
}

#[tokio::test]
async fn many_writes_share_a_commit_and_a_refused_one_disturbs_none() {
    let world = World::sqlite().await;
    let path = world.path();
    let store = Arc::new(world.store);
    let before = store.commits();
    // While another program holds the lock, the queue fills; then everything goes in few commits.
    let other = rusqlite::Connection::open(path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let calls: Vec<_> = (0..200)
        .map(|number| {
            let store = Arc::clone(&store);
            // Every fourth wants a handle that is taken.
            let number = if number % 4 == 3 { number - 1 } else { number };
            tokio::spawn(async move { store.create_customer(customer(number), "house/op").await })
        })
        .collect();
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    other.execute_batch("COMMIT").unwrap();
    let (mut done, mut refused) = (0, 0);
    for call in calls {
        match call.await.unwrap() {
            Ok(()) => done += 1,
            Err(StoreError::Exists("customer")) => refused += 1,
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!((done, refused), (150, 50));
    assert_eq!(store.customers().await.unwrap().len(), 2 + 150);
    assert!(
        store.commits() - before <= 3,
        "{} commits",
        store.commits() - before
    );
}

#[tokio::test]
async fn readers_do_not_wait_for_a_writer() {
    let world = World::sqlite().await;
    let certificate = world.import(sample::certificate("acme", 1)).await;
    let other = rusqlite::Connection::open(world.path()).unwrap();
    other
        .execute_batch("BEGIN IMMEDIATE; UPDATE customer SET created = 0")
        .unwrap();
    let read = world.store.certificate(&Scope::Everything, certificate.id);
    let found = tokio::time::timeout(std::time::Duration::from_secs(2), read)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found, Some(certificate));
    assert_eq!(
        world.store.customers().await.unwrap()[0].created,
        now(),
        "nothing uncommitted is seen"
    );
    other.execute_batch("ROLLBACK").unwrap();
}

#[tokio::test]
async fn two_programs_write_to_one_database() {
    let world = World::new().await;
    let stores = [
        Arc::new(SqlStore::open(&world.source).unwrap()),
        Arc::new(world.store),
    ];
    let calls: Vec<_> = (0..100)
        .map(|number| {
            let store = Arc::clone(&stores[usize::try_from(number % 2).unwrap()]);
            tokio::spawn(async move {
                let process = store
                    .open(sample::opening_with_reservation("acme", None, number))
                    .await?;
                let mut change = sample::completion(process, number, None);
                if let Some(issuance) = &mut change.issuance {
                    issuance.subscription = Some(sample::subscription("acme"));
                }
                store.advance(change).await
            })
        })
        .collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    for store in &stores {
        let query = reseal_lifecycle::query::CertificateQuery {
            limit: Some(0),
            ..Default::default()
        };
        let page = store
            .certificates(&Scope::Everything, &query, now())
            .await
            .unwrap();
        assert_eq!(page.total, Some(100));
    }
}

#[test]
fn a_new_file_may_be_opened_by_several_programs_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("reseal.db");
    std::thread::scope(|scope| {
        let opened: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| SqlStore::open(&Source::Sqlite(path.clone())).map(drop)))
            .collect();
        for opened in opened {
            opened.join().unwrap().unwrap();
        }
    });
}

#[tokio::test]
async fn the_log_is_copied_while_writing_goes_on() {
    let world = World::sqlite().await;
    let path = world.path();
    let store = Arc::new(world.store);
    for round in 0..20_u64 {
        let calls: Vec<_> = (0..128)
            .map(|number| {
                let store = Arc::clone(&store);
                let change = sample::opening_with_reservation("acme", None, round * 128 + number);
                tokio::spawn(async move { store.open(change).await })
            })
            .collect();
        for call in calls {
            call.await.unwrap().unwrap();
        }
    }
    // Nothing but a checkpoint writes to the database file itself.
    let size = || std::fs::metadata(&path).unwrap().len();
    for _ in 0..50 {
        if size() > 1 << 20 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert!(size() > 1 << 20, "{} bytes", size());
    store.close();
    assert!(
        !path.with_extension("db-wal").exists(),
        "the last connection removes the log"
    );
}
