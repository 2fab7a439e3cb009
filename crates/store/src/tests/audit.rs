//! The audit log: what goes into it with each write, and that nothing can be done to it unseen.

use reseal_lifecycle::audit::chain::Hash;
use reseal_lifecycle::audit::{AuditEntry, AuditStore as _};
use reseal_lifecycle::customer::{AccountStore as _, Role};
use reseal_lifecycle::event::{Event, EventKind};
use reseal_lifecycle::note::NoteStore as _;
use reseal_lifecycle::process::Action;
use reseal_lifecycle::store::{Change, Store as _};
use serde_json::json;

use super::World;
use super::hands::Hands;
use super::sample::{self, hash, in_days, now};
use crate::database::{Dialect, Value};
use crate::{Finding, Head, Source, SqlStore, Verified};

/// A world with entries of each kind, and events with and without a note.
async fn filled() -> World {
    fill(World::new().await).await
}

pub(super) async fn fill(world: World) -> World {
    let store = &world.store;
    let id = store
        .add_api_key("acme", "api", Role::Customer, hash(1), now(), "house/op")
        .await
        .unwrap();
    store.revoke_api_key(id, now(), "house/op").await.unwrap();
    let imported = world.import(sample::certificate("acme", 1)).await;
    let (process, events) = sample::process("acme", Action::Request, None);
    let process = store.open(Change::new(process, events)).await.unwrap();
    let note = EventKind::NoteAdded {
        user: "acme/api".to_owned(),
        by_house: false,
        message: "hello".to_owned(),
    };
    let note = Event::new(now(), note);
    store.add_note(process.id, note.clone()).await.unwrap();
    store.add_note(imported.process, note).await.unwrap();
    let (process, events) = process.fail("gone".to_owned(), now()).unwrap();
    let mut change = Change::new(process, events);
    let mut entry = AuditEntry::new(now(), "house/op", "validation.reject", "process/2");
    entry.reason = Some("because".to_owned());
    entry.note = Some("\u{202e}\0 and so on".to_owned());
    change
        .audit
        .push(entry.with("facts", json!({"deep": [1, null, "x"]})));
    store.advance(change).await.unwrap();
    world
}

pub(super) fn verify(source: &Source, heads: &[Head]) -> (Verified, Vec<Finding>) {
    let mut findings = Vec::new();
    let verified = SqlStore::verify_audit(source, heads, in_days(4000), &mut |finding| {
        findings.push(finding);
    });
    let verified = verified.unwrap();
    assert_eq!(verified.findings, findings.len() as u64);
    (verified, findings)
}

/// Somebody who can write to the database and knows how the log defends itself.
pub(super) fn intruder(world: &World) -> Hands {
    let hands = world.hands();
    let defences = match hands.dialect() {
        Dialect::Sqlite => {
            "PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON;
             DROP TRIGGER audit_is_never_changed; DROP TRIGGER audit_is_never_shortened;
             DROP TRIGGER event_is_never_changed; DROP TRIGGER event_is_never_removed;"
        }
        Dialect::Postgres => {
            "SET session_replication_role = replica;
             ALTER TABLE audit DROP CONSTRAINT audit_previous_check, DROP CONSTRAINT audit_hash_check;"
        }
    };
    hands.batch(defences).unwrap();
    hands
}

/// Other values of the same column.
fn others(value: &Value) -> Vec<Value> {
    match value {
        Value::Null => vec![
            Value::Integer(1),
            Value::Text("x".into()),
            Value::Blob(vec![7; 32]),
        ],
        Value::Integer(number) => vec![Value::Integer(number + 1000), Value::Null],
        Value::Real(_) => vec![],
        Value::Text(text) => vec![
            Value::Text(format!("{text} ")),
            Value::Text(String::new()),
            Value::Null,
        ],
        Value::Blob(bytes) => {
            let mut flipped = bytes.clone();
            flipped[31] ^= 1;
            vec![Value::Blob(flipped), Value::Blob(vec![0; 32]), Value::Null]
        }
    }
}

const AUDIT: [&str; 14] = [
    "id", "at", "actor", "action", "object", "reason", "note", "detail", "step", "ordinal",
    "events", "digest", "previous", "hash",
];
const EVENT: [&str; 5] = ["process", "step", "ordinal", "at", "kind"];

#[tokio::test]
async fn a_1_each_write_has_an_entry_and_each_step_names_its_events() {
    let world = filled().await;
    let mut entries = Vec::new();
    SqlStore::export_audit(
        &world.source,
        jiff::Timestamp::MIN,
        jiff::Timestamp::MAX,
        &mut |row, events| {
            let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
            let detail: serde_json::Value = serde_json::from_slice(&row.detail).unwrap();
            let told = detail["events"].as_object().map(|events| {
                events
                    .iter()
                    .map(|(name, count)| format!("{name}={count}"))
                    .collect::<Vec<_>>()
                    .join(" ")
            });
            entries.push(format!(
                "{} {} {} {} {}",
                text(&row.actor),
                text(&row.action),
                text(&row.object),
                events.len(),
                told.unwrap_or_default()
            ));
            true
        },
    )
    .unwrap();
    assert_eq!(
        entries,
        [
            "house/op customer.create customer/acme 0 ",
            "house/op customer.create customer/rival 0 ",
            "house/op api-key.create api-key/1 0 ",
            "house/op api-key.revoke api-key/1 0 ",
            "acme/admin import.done process/1 1 imported=1",
            "acme/admin request.opened process/2 3 accepted=1 proofReused=2",
            "acme/api note.add process/2 1 noteAdded=1",
            "acme/api note.add process/1 1 noteAdded=1",
            "reseal request.ended process/2 1 failed=1",
            "house/op validation.reject process/2 0 ",
        ]
    );
    let (verified, findings) = verify(&world.source, &[]);
    assert_eq!(findings, []);
    assert_eq!(
        (verified.entries, verified.events, verified.first),
        (10, 7, 1)
    );
}

#[tokio::test]
async fn a_4_a_change_of_any_column_of_any_entry_is_found_and_named() {
    let world = filled().await;
    let intruder = intruder(&world);
    let mut tried = 0;
    for id in 1..=10_i64 {
        for column in AUDIT {
            let select = format!("SELECT {column} FROM audit WHERE id = $1");
            let was = intruder.rows(&select, &[id.into()], |row| row.get::<Value>(0));
            let was = was[0].clone();
            for other in others(&was).into_iter().filter(|other| *other != was) {
                let set = format!("UPDATE audit SET {column} = $1 WHERE id = $2");
                // A strict table takes no other type.
                if intruder.execute(&set, &[other.clone(), id.into()]).is_err() {
                    continue;
                }
                tried += 1;
                let (_, findings) = verify(&world.source, &[]);
                let text = |finding: &Finding| finding.to_string();
                let names = |finding: &Finding| {
                    text(finding).starts_with(&format!("entry {id}:"))
                        || text(finding).starts_with(&format!("entries {id} to "))
                };
                assert!(
                    findings.iter().any(names),
                    "{column} of {id} to {other:?}: {findings:?}"
                );
                let moved = match (&other, column) {
                    (Value::Integer(number), "id") => *number,
                    _ => id,
                };
                intruder
                    .execute(&set, &[was.clone(), moved.into()])
                    .unwrap();
            }
        }
    }
    assert!(tried > 150, "{tried}");
    assert_eq!(verify(&world.source, &[]).1, []);
}

#[tokio::test]
async fn a_4_a_change_of_any_column_of_any_event_is_found_and_named() {
    let world = filled().await;
    let intruder = intruder(&world);
    let select = "SELECT process, step, ordinal FROM event";
    let keys: Vec<[i64; 3]> = intruder.rows(select, &[], |row| {
        Ok([row.get(0)?, row.get(1)?, row.get(2)?])
    });
    assert_eq!(keys.len(), 7);
    for key in keys {
        for (index, column) in EVENT.iter().enumerate() {
            let find = "WHERE process = $1 AND step = $2 AND ordinal = $3";
            let select = format!("SELECT {column} FROM event {find}");
            let place = key.map(Value::from);
            let was = intruder.rows(&select, &place, |row| row.get::<Value>(0));
            let was = was[0].clone();
            let [process, step, _] = key;
            for other in others(&was).into_iter().filter(|other| *other != was) {
                let set = format!(
                    "UPDATE event SET {column} = $1 WHERE process = $2 AND step = $3 AND ordinal = $4"
                );
                let set = |[process, step, ordinal]: [i64; 3], value: &Value| {
                    let values = [value.clone(), process.into(), step.into(), ordinal.into()];
                    intruder.execute(&set, &values)
                };
                if set(key, &other).is_err() {
                    continue;
                }
                let (_, findings) = verify(&world.source, &[]);
                let named = format!("of process {process}, step {step}:");
                assert!(
                    findings
                        .iter()
                        .any(|finding| finding.to_string().contains(&named)),
                    "{column} of {key:?} to {other:?}: {findings:?}"
                );
                let mut moved = key;
                if let (Value::Integer(number), 0..3) = (&other, index) {
                    moved[index] = *number;
                }
                set(moved, &was).unwrap();
            }
        }
    }
    assert_eq!(verify(&world.source, &[]).1, []);
}

#[tokio::test]
async fn a_4_what_is_removed_or_added_is_found_and_named() {
    let world = filled().await;
    let intruder = intruder(&world);
    intruder.batch("CREATE TABLE kept AS SELECT * FROM audit; CREATE TABLE kept_event AS SELECT * FROM event").unwrap();
    let put_back = || {
        intruder
            .batch(
                "DELETE FROM audit; INSERT INTO audit SELECT * FROM kept;
                 DELETE FROM event; INSERT INTO event SELECT * FROM kept_event;",
            )
            .unwrap();
        assert_eq!(verify(&world.source, &[]).1, []);
    };
    let found = |statement: &str| {
        intruder.batch(statement).unwrap();
        let (_, findings) = verify(&world.source, &[]);
        put_back();
        findings
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("\n")
    };
    for id in 2..10 {
        let text = found(&format!("DELETE FROM audit WHERE id = {id}"));
        assert!(
            text.contains(&format!("entry {id}: it is missing")),
            "{text}"
        );
    }
    assert!(found("DELETE FROM audit WHERE id < 4").contains("entries 1 to 3: they are missing"));
    // Two entries in each other's place, each with its own hash.
    let swapped = found(
        "UPDATE audit SET id = 99 WHERE id = 3; UPDATE audit SET id = 3 WHERE id = 4; UPDATE audit SET id = 4 WHERE id = 99",
    );
    assert!(
        swapped.contains("entry 3: ") && swapped.contains("entry 4: "),
        "{swapped}"
    );
    let removed = found("DELETE FROM event WHERE process = 2 AND step = 0 AND ordinal = 1");
    assert!(
        removed.contains("process 2, step 0: event 1 is missing"),
        "{removed}"
    );
    let added = found("INSERT INTO event VALUES (2, 0, 9, 0, '{}'), (2, 7, 0, 0, '{}')");
    assert!(
        added.contains("event 9 of process 2, step 0: no entry"),
        "{added}"
    );
    assert!(
        added.contains("event 0 of process 2, step 7: no entry"),
        "{added}"
    );
}

#[tokio::test]
async fn a_4_a_log_cut_off_or_written_anew_is_found_by_its_noted_heads() {
    let world = filled().await;
    let (id, hash) = world.store.audit_head().await.unwrap().unwrap();
    assert_eq!(id, 10);
    let head = |id: i64, hash: Hash| Head {
        id,
        hash,
        noted: in_days(0),
        place: "elsewhere".to_owned(),
    };
    let good = head(id, hash);
    let (verified, findings) = verify(&world.source, std::slice::from_ref(&good));
    assert_eq!((verified.heads, findings.as_slice()), (1, [].as_slice()));

    let intruder = intruder(&world);
    // Whatever the entries were about goes too: by itself the log shows nothing.
    intruder
        .batch("DELETE FROM audit WHERE id > 8; DELETE FROM event WHERE process = 2 AND step = 1;")
        .unwrap();
    assert_eq!(verify(&world.source, &[]).1, []);
    let (_, findings) = verify(&world.source, std::slice::from_ref(&good));
    assert_eq!(findings, [Finding::CutOff(good.clone(), 8)]);

    // The store goes on from there, with the same numbers and other hashes.
    let entry = || AuditEntry::new(now(), "reseal", "server.start", "server");
    world
        .store
        .append_audit(vec![entry(), entry()])
        .await
        .unwrap();
    assert_eq!(verify(&world.source, &[]).1, []);
    let (_, findings) = verify(&world.source, std::slice::from_ref(&good));
    assert_eq!(findings, [Finding::Replaced(good)]);
}

#[tokio::test]
async fn a_4_several_programs_append_to_one_chain() {
    let world = World::new().await;
    let other = SqlStore::open(&world.source).unwrap();
    let entry = |actor: &str| AuditEntry::new(now(), actor, "x", "server");
    let append = async |store: &SqlStore, actor: &str| {
        for _ in 0..20 {
            store.append_audit(vec![entry(actor)]).await.unwrap();
        }
    };
    tokio::join!(append(&world.store, "one"), append(&other, "two"));
    let (verified, findings) = verify(&world.source, &[]);
    assert_eq!(findings, []);
    assert_eq!(verified.entries, 42);
    let last = other.last_audit_of("server").await.unwrap().unwrap();
    assert_eq!(last.action, "x");
}

#[tokio::test]
async fn a_4_neither_entries_nor_events_can_be_changed_by_a_mere_statement() {
    let world = filled().await;
    let connection = world.hands();
    for statement in [
        "UPDATE audit SET actor = 'nobody'",
        "DELETE FROM audit",
        "UPDATE event SET at = 0",
        "DELETE FROM event",
    ] {
        assert!(connection.execute(statement, &[]).is_err(), "{statement}");
    }
}
