//! Records that are published in the DNS, and removed.

use reseal_lifecycle::dns_hook::{HookStore as _, Left, Out};
use reseal_lifecycle::process::{Action, Opening, Process, Publication};
use reseal_lifecycle::store::{Change, Store as _};
use serde_json::json;

use super::World;
use super::sample::{self, in_days, now};

fn out(value: &str) -> Out {
    Out {
        hook: "knot".to_owned(),
        name: "_x.reseal-sample.com.".to_owned(),
        value: value.to_owned(),
    }
}

impl World {
    /// An open process that has published `value`.
    async fn published(&self, value: &str) -> Process {
        let opening = Opening {
            customer: "acme".to_owned(),
            user: "acme/api".to_owned(),
            action: Action::Request,
            command: json!({}),
            source: None,
            subscription: None,
        };
        let mut work = sample::work(&["reseal-sample.com"]);
        let Out { hook, name, value } = out(value);
        work.publications.push(Publication {
            record: name.clone(),
            value,
            hook,
            name,
            published: Some(now()),
            failures: 0,
            next: now(),
            problem: None,
        });
        let record = out(&work.publications[0].value);
        let (process, events) = Process::open(opening, work, now());
        let change = Change {
            out: vec![record],
            ..Change::new(process, events)
        };
        self.store.open(change).await.unwrap()
    }

    async fn left(&self, day: i64) -> Vec<Left> {
        let (now, lease) = (in_days(day), in_days(day + 1));
        self.store.take_left_records(now, lease, 10).await.unwrap()
    }
}

#[tokio::test]
async fn what_was_published_is_removed_once_its_process_has_ended_by_one_node_at_a_time() {
    let world = World::new().await;
    let process = world.published("one").await;
    let other = world.published("one").await;
    assert_eq!(world.left(9).await, []);
    let (failed, events) = process.fail("no".to_owned(), now()).unwrap();
    let failed = world
        .store
        .advance(Change::new(failed, events))
        .await
        .unwrap();
    let left = Left {
        process: failed.id,
        record: out("one"),
        attempts: 0,
        needed: true,
    };
    assert_eq!(world.left(9).await, std::slice::from_ref(&left));
    assert_eq!(world.left(9).await, [], "it is somebody else's");
    let why = "the server is down";
    world
        .store
        .record_not_removed(&left, why, in_days(12))
        .await
        .unwrap();
    assert_eq!(world.left(11).await, []);
    let (cancelled, events) = other.cancel("acme/api".to_owned(), in_days(13)).unwrap();
    world
        .store
        .advance(Change::new(cancelled, events))
        .await
        .unwrap();
    let again = world.left(13).await;
    let seen: Vec<_> = again
        .iter()
        .map(|left| (left.attempts, left.needed))
        .collect();
    assert_eq!(seen, [(1, false), (0, false)]);
    // Somebody may have been publishing when each ended: it is removed a second time, and then forgotten.
    for (day, count) in [(20, 2), (21, 0)] {
        for left in &again {
            let removed = world.store.record_removed(left, in_days(20)).await;
            removed.unwrap();
        }
        assert_eq!(world.left(day).await.len(), count, "{day}");
    }
    assert_eq!(world.left(99).await, []);
}
