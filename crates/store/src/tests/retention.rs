//! What retention removes from the audit log, and what it leaves.

use reseal_lifecycle::audit::{AuditEntry, AuditStore as _};
use serde_json::json;

use super::World;
use super::audit::{fill, intruder, verify};
use super::sample::{self, in_days};
use crate::{Finding, Head};

#[tokio::test]
async fn a_3_the_oldest_entries_go_with_their_events_and_the_rest_is_still_proved() {
    let world = World::new().await;
    let made = AuditEntry::new(in_days(-3000), "console/op", "ca.key.create", "ca/root");
    let made = made.with("key", "ab");
    world.store.append_audit(vec![made]).await.unwrap();
    let world = fill(world).await;
    let store = &world.store;
    let late = AuditEntry::new(in_days(2000), "reseal", "server.start", "server");
    store.append_audit(vec![late.clone(), late]).await.unwrap();
    let noted = store.audit_head().await.unwrap().unwrap();

    // Two customers and the key come first: nothing is removed before all before it is old.
    let (before, today) = (in_days(-1), in_days(3000));
    assert_eq!(store.prune_audit(before, today).await.unwrap(), 0);
    assert_eq!(store.prune_audit(in_days(1), today).await.unwrap(), 11);
    assert_eq!(store.prune_audit(in_days(1), today).await.unwrap(), 0);

    let head = Head {
        id: noted.0,
        hash: noted.1,
        noted: in_days(2000),
        place: "elsewhere".to_owned(),
    };
    let (verified, findings) = verify(&world.source, std::slice::from_ref(&head));
    assert_eq!(findings, []);
    // Two late ones, the key's once more, and what was removed.
    assert_eq!(
        (verified.first, verified.entries, verified.events),
        (12, 4, 0)
    );
    assert_eq!(verified.heads, 1);
    // An entry that was the last one a moment before it was removed was not old.
    let early = Head {
        id: 11,
        hash: [7; 32],
        noted: in_days(2990),
        place: "elsewhere".to_owned(),
    };
    let (_, findings) = verify(&world.source, std::slice::from_ref(&early));
    assert!(findings.contains(&Finding::TooEarly(early)), "{findings:?}");
    let root = store.audit_of("ca/root").await.unwrap();
    assert_eq!(root.len(), 1);
    assert_eq!(
        (root[0].actor.as_str(), &root[0].detail["key"]),
        ("console/op", &json!("ab"))
    );
    assert_eq!(root[0].detail["carried"]["id"], 3);
    let pruned = store.last_audit_of("audit").await.unwrap().unwrap();
    assert_eq!(
        (&pruned.detail["through"], &pruned.detail["events"]),
        (&json!(11), &json!(7))
    );

    // What retention left is as hard to change as the rest.
    let intruder = intruder(&world);
    for (statement, word) in [
        (
            "UPDATE audit_checkpoint SET hash = (SELECT previous FROM audit WHERE id = 13)",
            "entry 12: ",
        ),
        (
            "UPDATE audit_checkpoint SET through = 10",
            "entry 11: it is missing",
        ),
        ("DELETE FROM audit WHERE id = 15", "up to 11: no entry says"),
    ] {
        intruder.batch(statement).unwrap();
        let (_, findings) = verify(&world.source, &[]);
        let text: Vec<_> = findings.iter().map(ToString::to_string).collect();
        assert!(
            text.iter().any(|text| text.contains(word)),
            "{statement}: {text:?}"
        );
        let back = [11.into(), old_hash(&pruned).into()];
        intruder
            .execute("UPDATE audit_checkpoint SET through = $1, hash = $2", &back)
            .unwrap();
    }
}

fn old_hash(pruned: &AuditEntry) -> Vec<u8> {
    hex::decode(pruned.detail["hash"].as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn a_3_entries_beside_a_moment_are_found() {
    let world = World::new().await;
    let entry = |days| AuditEntry::new(in_days(days), "reseal", "server.start", "server");
    let entries = [1, 2, 2, 5, 900].map(entry);
    world.store.append_audit(entries.to_vec()).await.unwrap();
    let around = async |days| world.store.audit_around(in_days(days)).await.unwrap();
    let pair = |before: Option<i64>, after: Option<i64>| (before.map(in_days), after.map(in_days));
    // The two customers of this world came first, a moment after that day began.
    assert_eq!(around(0).await, (None, Some(sample::now())));
    assert_eq!(around(1).await, pair(Some(1), Some(2)));
    assert_eq!(around(2).await, pair(Some(2), Some(5)));
    assert_eq!(around(899).await, pair(Some(5), Some(900)));
    assert_eq!(around(1000).await, pair(Some(900), None));
}

#[tokio::test]
async fn a_3_the_last_entry_stays_whatever_its_age() {
    let world = World::new().await;
    assert_eq!(
        world
            .store
            .prune_audit(in_days(1), in_days(1))
            .await
            .unwrap(),
        1
    );
    let (verified, findings) = verify(&world.source, &[]);
    assert_eq!((verified.entries, findings.len()), (2, 0));
}
