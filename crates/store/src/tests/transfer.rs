//! Everything is moved from SQLite to PostgreSQL. Nothing is tested here unless the tests run against it.

use reseal_lifecycle::audit::AuditStore as _;
use reseal_lifecycle::customer::{AccountStore as _, Customer, Scope};
use reseal_lifecycle::query::ProcessQuery;
use reseal_lifecycle::store::{Store as _, StoreError};

use super::audit::{fill, verify};
use super::sample::{self, now};
use super::{World, cluster, postgres_source};
use crate::database::Value;
use crate::{Source, SqlStore};

fn empty() -> (Source, crate::PostgresUrl) {
    let source = postgres_source();
    let Source::Postgres(url) = &source else {
        panic!("no PostgreSQL")
    };
    let url = url.clone();
    (source, url)
}

#[tokio::test]
async fn everything_arrives_and_goes_on_with_the_same_numbers() {
    if !cluster::is_wanted() {
        return;
    }
    let world = fill(World::sqlite().await).await;
    let certificate = world.import(sample::certificate("acme", 7)).await;
    let open = sample::opening_with_reservation("acme", Some(certificate.subscription), 8);
    let open = world.store.open(open).await.unwrap();
    // A number that somebody saw, of a row that is gone.
    let hands = world.hands();
    let gone = "INSERT INTO notification (id, customer, occasion, subject_status, fired, message, domain_name, payload) \
        VALUES (4711, 'acme', '', '', 0, '', '', ''); DELETE FROM notification WHERE id = 4711";
    hands.batch(gone).unwrap();
    let head = world.store.audit_head().await.unwrap();
    world.store.close();

    let (source, url) = empty();
    let mut told = Vec::new();
    let transfer = SqlStore::transfer(&world.path(), &url, &mut |progress| told.push(progress));
    assert_eq!(transfer.unwrap().moved.tables, 38);
    assert!(
        told.iter()
            .any(|progress| progress.table == "audit" && progress.comparing)
    );
    assert!(
        told.iter().all(|progress| progress.done == progress.of),
        "{told:?}"
    );
    let (verified, findings) = verify(&source, &[]);
    assert_eq!((findings.as_slice(), verified.last), ([].as_slice(), head));

    let store = SqlStore::open_as_node(&source).unwrap();
    let everything = Scope::Everything;
    let found = store
        .certificate(&everything, certificate.id)
        .await
        .unwrap();
    assert_eq!(found, Some(certificate));
    assert_eq!(
        store.process(&everything, open.id).await.unwrap(),
        Some(open.clone())
    );
    let query = ProcessQuery::default();
    let page = store.processes(&everything, &query).await.unwrap();
    assert!(page.entities.contains(&open));
    let next = store.open(sample::opening("acme", None)).await.unwrap();
    assert!(next.id > open.id);
    let newest = "SELECT MAX(id) FROM notification";
    let newest = super::hands::Hands::on(&source).rows(newest, &[], |row| row.get::<Value>(0));
    assert_eq!(newest, [Value::Integer(4712)]);
}

#[tokio::test]
async fn what_has_customers_is_not_written_to() {
    if !cluster::is_wanted() {
        return;
    }
    let world = World::sqlite().await;
    world.store.close();
    let (source, url) = empty();
    let store = SqlStore::open(&source).unwrap();
    let customer = Customer {
        handle: "other".to_owned(),
        created: now(),
    };
    store.create_customer(customer, "house/op").await.unwrap();
    let refused = SqlStore::transfer(&world.path(), &url, &mut |_| ());
    assert!(matches!(refused.err(), Some(StoreError::Exists(_))));
}

/// Of a command line that has opened the file before, or opens it meanwhile.
#[tokio::test]
async fn what_is_written_beside_a_transfer_waits_and_is_lost_in_no_case() {
    if !cluster::is_wanted() {
        return;
    }
    let world = World::sqlite().await;
    let store = std::sync::Arc::new(world.store);
    let customer = |handle: &str| Customer {
        handle: handle.to_owned(),
        created: now(),
    };
    let write = |handle: &str| {
        let (store, customer) = (std::sync::Arc::clone(&store), customer(handle));
        tokio::spawn(async move { store.create_customer(customer, "house/op").await })
    };
    let moment = std::time::Duration::from_millis(300);
    let Source::Sqlite(path) = &world.source else {
        panic!("no file")
    };

    // Nothing comes of it: whoever waited goes on.
    let transfer = SqlStore::transfer(path, &empty().1, &mut |_| ()).unwrap();
    let waits = write("first");
    tokio::time::sleep(moment).await;
    assert!(!waits.is_finished());
    drop(transfer);
    waits.await.unwrap().unwrap();

    // It is switched over: whoever waited is told, and so is whoever comes later.
    let (source, url) = empty();
    let transfer = SqlStore::transfer(path, &url, &mut |_| ()).unwrap();
    let waits = write("second");
    tokio::time::sleep(moment).await;
    assert!(!waits.is_finished());
    transfer.retire_source().unwrap();
    let later = write("third");
    for refused in [waits, later] {
        let refused = refused.await.unwrap().unwrap_err();
        assert!(refused.to_string().contains("was moved"), "{refused}");
    }
    let refused = SqlStore::open(&world.source).err().unwrap();
    assert!(refused.to_string().contains("was moved"), "{refused}");
    let moved = SqlStore::open(&source).unwrap().customers().await.unwrap();
    assert_eq!(store.customers().await.unwrap(), moved);
    assert_eq!(moved.len(), 3);

    // Whoever did not come to the end after that begins again.
    let again = SqlStore::transfer(path, &empty().1, &mut |_| ()).unwrap();
    again.retire_source().unwrap();
}

/// A table or column that only SQLite got would be forgotten.
#[tokio::test]
async fn both_databases_have_the_same_tables_and_columns() {
    if !cluster::is_wanted() {
        return;
    }
    let (file, server) = (World::sqlite().await, World::new().await);
    let text = |row: &crate::database::Row<'_>| Ok((row.get::<String>(0)?, row.get::<String>(1)?));
    let mut own = file.hands().rows(
        "SELECT m.name, c.name FROM sqlite_master AS m JOIN pragma_table_info(m.name) AS c \
         WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%'",
        &[],
        text,
    );
    let mut other = server.hands().rows(
        "SELECT table_name::TEXT, column_name::TEXT FROM information_schema.columns JOIN information_schema.tables \
         USING (table_schema, table_name) WHERE table_schema = 'public' AND table_type = 'BASE TABLE' \
         AND column_name NOT IN ('node', 'lease_node')",
        &[],
        text,
    );
    own.sort();
    other.sort();
    assert_eq!(own, other);
    let mut tables: Vec<_> = own.into_iter().map(|(table, _)| table).collect();
    tables.dedup();
    let mut moved = crate::transfer::names();
    moved.sort_unstable();
    assert_eq!(moved, tables);
}
