//! Who waits for whom when there are more reads than threads.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use reseal_lifecycle::customer::Scope;
use reseal_lifecycle::store::StoreError;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::World;
use crate::SqlStore;
use crate::database::{Connection, params};
use crate::store::LIST_READERS;

const PATIENCE: Duration = Duration::from_secs(20);

fn customer(handle: &str) -> Scope {
    Scope::Customer(handle.to_owned())
}

/// What the reads of a test have in common: how many go on, and until when they do.
#[derive(Clone)]
struct Gate {
    inside: Arc<AtomicUsize>,
    open: watch::Receiver<bool>,
}

impl Gate {
    async fn has_inside(&self, count: usize) {
        while self.inside.load(Ordering::SeqCst) < count {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// A read in `scope` that goes on until the gate is opened.
    async fn pass(self, store: Arc<SqlStore>, scope: Scope) -> Result<(), StoreError> {
        let runtime = tokio::runtime::Handle::current();
        let read = move |_: &Connection| {
            self.inside.fetch_add(1, Ordering::SeqCst);
            let mut open = self.open;
            runtime.block_on(open.wait_for(|open| *open)).unwrap();
            Ok(())
        };
        store.lists.read_in(&scope, read).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_never_has_all_threads_and_the_servers_own_reads_wait_for_no_list() {
    let world = World::new().await;
    let store = Arc::new(world.store);
    let (opener, open) = watch::channel(false);
    let inside = Arc::new(AtomicUsize::new(0));
    let gate = Gate { inside, open };
    let mut reads = JoinSet::new();
    for _ in 0..LIST_READERS * 3 {
        reads.spawn(gate.clone().pass(Arc::clone(&store), customer("acme")));
    }
    gate.has_inside(LIST_READERS / 2).await;
    let now = |connection: &Connection| {
        let found = connection.one("SELECT 1", params![], |row| row.get::<i64>(0))?;
        Ok(found)
    };
    let rival = customer("rival");
    let other = store.lists.read_in(&rival, now);
    let other = tokio::time::timeout(PATIENCE, other).await;
    assert_eq!(other.expect("the other waits").unwrap(), Some(1));
    assert_eq!(gate.inside.load(Ordering::SeqCst), LIST_READERS / 2);

    for _ in 0..LIST_READERS {
        reads.spawn(gate.clone().pass(Arc::clone(&store), Scope::Everything));
    }
    gate.has_inside(LIST_READERS).await;
    let own = tokio::time::timeout(PATIENCE, store.duties.read(now)).await;
    assert_eq!(own.expect("the server waits").unwrap(), Some(1));

    opener.send(true).unwrap();
    while let Some(ended) = reads.join_next().await {
        ended.unwrap().unwrap();
    }
    assert_eq!(gate.inside.load(Ordering::SeqCst), LIST_READERS * 4);
}
