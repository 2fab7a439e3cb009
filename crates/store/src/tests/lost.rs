//! Transactions that PostgreSQL ends by itself, tested only where the tests run against it; and what is heard late.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use reseal_lifecycle::customer::{AccountStore as _, Customer};
use reseal_lifecycle::store::{Store as _, StoreError};

use super::sample::{self, now};
use super::{World, cluster};
use crate::database::params;

const END_OWN_CONNECTION: &str = "SELECT pg_terminate_backend(pg_backend_pid())";

#[tokio::test]
async fn what_was_lost_before_its_commit_is_written_again() {
    if !cluster::is_wanted() {
        return;
    }
    let world = World::new().await;
    let attempts = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&attempts);
    let written = world.store.writer.write(move |connection| {
        let statement = "UPDATE heartbeat SET beats = beats + 1";
        connection.execute(statement, params![])?;
        if counted.fetch_add(1, Ordering::Relaxed) == 0 {
            connection.batch(END_OWN_CONNECTION)?;
        }
        Ok(())
    });
    written.await.unwrap();
    assert_eq!(attempts.load(Ordering::Relaxed), 2);
    let beats = world
        .hands()
        .rows("SELECT beats FROM heartbeat", &[], |row| row.get::<i64>(0));
    assert_eq!(beats, [1]);
}

#[tokio::test]
async fn nobody_says_that_a_commit_was_made_or_not_whose_answer_was_lost() {
    if !cluster::is_wanted() {
        return;
    }
    let world = World::new().await;
    // At the very end of the transaction, when it has begun to commit.
    let trap = "CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(1); RETURN NULL; END $$;
        CREATE CONSTRAINT TRIGGER trap AFTER INSERT ON customer DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION cut();";
    let hands = world.hands();
    hands.batch(trap).unwrap();
    let customer = Customer {
        handle: "late".to_owned(),
        created: now(),
    };
    let error = world
        .store
        .create_customer(customer.clone(), "house/op")
        .await;
    let error = error.unwrap_err();
    assert!(matches!(error, StoreError::Unknown(_)), "{error}");
    // It goes on by itself, and here a look tells that it was not made.
    hands.batch("DROP TRIGGER trap ON customer").unwrap();
    world
        .store
        .create_customer(customer, "house/op")
        .await
        .unwrap();
}

#[tokio::test]
async fn who_lost_a_deadlock_writes_again() {
    if !cluster::is_wanted() {
        return;
    }
    let world = World::new().await;
    let (hands, eyes) = (world.hands(), world.hands());
    // The store is the first of the two that looks whether it waits for ever, and has to find that it does: the other is on
    // its way by then, and looks later.
    hands
        .batch("SET deadlock_timeout = '1min'; BEGIN; UPDATE customer SET created = 1 WHERE handle = 'acme'")
        .unwrap();
    let attempts = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&attempts);
    let written = world.store.writer.write(move |connection| {
        counted.fetch_add(1, Ordering::Relaxed);
        connection.batch("SET LOCAL deadlock_timeout = '3s'")?;
        for handle in ["rival", "acme"] {
            let statement = "UPDATE customer SET created = created + 1 WHERE handle = $1";
            connection.execute(statement, [handle])?;
        }
        Ok(())
    });
    let other = async {
        tokio::task::spawn_blocking(move || {
            const WAITS: &str = "SELECT 1::BIGINT FROM pg_stat_activity WHERE datname = current_database() \
                AND wait_event_type = 'Lock'";
            while eyes.rows(WAITS, &[], |row| row.get::<i64>(0)).is_empty() {
                std::thread::sleep(Duration::from_millis(5));
            }
            hands.batch("UPDATE customer SET created = 1 WHERE handle = 'rival'; COMMIT")
        })
        .await
        .unwrap()
    };
    let (written, other) = tokio::join!(written, other);
    other.unwrap();
    written.unwrap();
    assert!(attempts.load(Ordering::Relaxed) >= 2);
    let created: Vec<i64> = world
        .store
        .customers()
        .await
        .unwrap()
        .iter()
        .map(|customer| customer.created.as_millisecond())
        .collect();
    assert_eq!(created, [2, 2]);
}

/// A statement that was refused leaves a transaction that takes nothing more: whoever swallows that must not be told that
/// all is well.
#[tokio::test]
async fn a_refusal_that_nobody_noticed_is_an_error() {
    if !cluster::is_wanted() {
        return;
    }
    let world = World::new().await;
    let written = world.store.writer.write(|connection| {
        let again = "INSERT INTO customer (handle, created) VALUES ('acme', 0)";
        drop(connection.execute(again, params![]));
        Ok(())
    });
    let error = written.await.unwrap_err();
    assert!(matches!(error, StoreError::Fault(_)), "{error}");
    world
        .store
        .open(sample::opening("acme", None))
        .await
        .unwrap();
}

#[tokio::test]
async fn what_is_refused_after_the_work_is_its_own_callers_business() {
    let world = World::new().await;
    let calls = (0..40_i64).map(|number| {
        world.store.writer.write(move |connection| {
            let handle = if number % 4 == 0 {
                "acme".to_owned()
            } else {
                format!("customer-{number}")
            };
            let insert = "INSERT INTO customer (handle, created) VALUES ($1, 0)";
            connection.send(insert, [handle])?;
            Ok(number)
        })
    });
    let answers = futures_util::future::join_all(calls).await;
    for (number, answer) in (0..).zip(answers) {
        assert_eq!(answer.is_ok(), number % 4 != 0, "{number}: {answer:?}");
    }
    assert_eq!(world.store.customers().await.unwrap().len(), 2 + 30);
}

/// What began before a statement that cannot be prepared has begun by then: its refusal undoes its own caller's part, and not
/// that of whoever wrote before.
#[tokio::test]
async fn a_statement_that_cannot_be_prepared_undoes_nobody_elses_work() {
    let world = World::new().await;
    let calls = (0..40_i64).map(|number| {
        world.store.writer.write(move |connection| {
            if number % 4 == 3 {
                let unknown = format!("UPDATE nowhere_{number} SET created = 0");
                connection.execute(&unknown, params![])?;
            }
            let insert = "INSERT INTO customer (handle, created) VALUES ($1, 0)";
            connection.execute(insert, [format!("customer-{number}")])?;
            Ok(())
        })
    });
    let answers = futures_util::future::join_all(calls).await;
    for (number, answer) in (0..).zip(answers) {
        assert_eq!(answer.is_ok(), number % 4 != 3, "{number}: {answer:?}");
    }
    assert_eq!(world.store.customers().await.unwrap().len(), 2 + 30);
}
