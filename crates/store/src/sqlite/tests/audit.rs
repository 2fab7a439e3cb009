//! The audit log: what goes into it with each write, and that nothing can be done to it unseen.

use std::path::Path;

use reseal_lifecycle::audit::chain::Hash;
use reseal_lifecycle::audit::{AuditEntry, AuditStore as _};
use reseal_lifecycle::customer::Role;
use reseal_lifecycle::event::{Event, EventKind};
use reseal_lifecycle::note::NoteStore as _;
use reseal_lifecycle::process::Action;
use reseal_lifecycle::store::{Change, Store as _};
use rusqlite::types::Value;
use rusqlite::{Connection, params};
use serde_json::json;

use super::World;
use super::sample::{self, hash, in_days, now};
use crate::{Finding, Head, SqliteStore, Verified};

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

pub(super) fn verify(path: &Path, heads: &[Head]) -> (Verified, Vec<Finding>) {
    let mut findings = Vec::new();
    let verified = SqliteStore::verify_audit(path, heads, in_days(4000), &mut |finding| {
        findings.push(finding);
    });
    let verified = verified.unwrap();
    assert_eq!(verified.findings, findings.len() as u64);
    (verified, findings)
}

/// A connection of somebody who can write the file and knows how the log defends itself.
pub(super) fn intruder(path: &Path) -> Connection {
    let connection = Connection::open(path).unwrap();
    connection
        .execute_batch(
            "PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON;
             DROP TRIGGER audit_is_never_changed; DROP TRIGGER audit_is_never_shortened;
             DROP TRIGGER event_is_never_changed; DROP TRIGGER event_is_never_removed;",
        )
        .unwrap();
    connection
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

fn columns(connection: &Connection, table: &str) -> Vec<String> {
    let select = connection
        .prepare(&format!("SELECT * FROM {table} LIMIT 0"))
        .unwrap();
    select.column_names().map(str::to_owned).collect()
}

#[tokio::test]
async fn a_1_each_write_has_an_entry_and_each_step_names_its_events() {
    let world = filled().await;
    let mut entries = Vec::new();
    SqliteStore::export_audit(
        &world.path(),
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
    let (verified, findings) = verify(&world.path(), &[]);
    assert_eq!(findings, []);
    assert_eq!(
        (verified.entries, verified.events, verified.first),
        (10, 7, 1)
    );
}

#[tokio::test]
async fn a_4_a_change_of_any_column_of_any_entry_is_found_and_named() {
    let world = filled().await;
    let intruder = intruder(&world.path());
    let columns = columns(&intruder, "audit");
    assert_eq!(columns.len(), 14);
    let mut tried = 0;
    for id in 1..=10_i64 {
        for column in &columns {
            let was: Value = intruder
                .query_row(
                    &format!("SELECT {column} FROM audit WHERE id = ?1"),
                    [id],
                    |row| row.get(0),
                )
                .unwrap();
            for other in others(&was).into_iter().filter(|other| *other != was) {
                let set = format!("UPDATE audit SET {column} = ?1 WHERE id = ?2");
                // A strict table takes no other type.
                if intruder.execute(&set, params![other, id]).is_err() {
                    continue;
                }
                tried += 1;
                let (_, findings) = verify(&world.path(), &[]);
                let text = |finding: &Finding| finding.to_string();
                let names = |finding: &Finding| {
                    text(finding).starts_with(&format!("entry {id}:"))
                        || text(finding).starts_with(&format!("entries {id} to "))
                };
                assert!(
                    findings.iter().any(names),
                    "{column} of {id} to {other:?}: {findings:?}"
                );
                let moved = match (&other, column.as_str()) {
                    (Value::Integer(number), "id") => *number,
                    _ => id,
                };
                intruder.execute(&set, params![was, moved]).unwrap();
            }
        }
    }
    assert!(tried > 150, "{tried}");
    assert_eq!(verify(&world.path(), &[]).1, []);
}

#[tokio::test]
async fn a_4_a_change_of_any_column_of_any_event_is_found_and_named() {
    let world = filled().await;
    let intruder = intruder(&world.path());
    let columns = columns(&intruder, "event");
    let keys: Vec<[i64; 3]> = intruder
        .prepare("SELECT process, step, ordinal FROM event")
        .unwrap()
        .query_map([], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?]))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(keys.len(), 7);
    for key in keys {
        for (index, column) in columns.iter().enumerate() {
            let find = "WHERE process = ?1 AND step = ?2 AND ordinal = ?3";
            let select = format!("SELECT {column} FROM event {find}");
            let was: Value = intruder.query_row(&select, key, |row| row.get(0)).unwrap();
            let [process, step, ordinal] = key;
            for other in others(&was).into_iter().filter(|other| *other != was) {
                let set = format!("UPDATE event SET {column} = ?4 {find}");
                let values = params![process, step, ordinal, other];
                if intruder.execute(&set, values).is_err() {
                    continue;
                }
                let (_, findings) = verify(&world.path(), &[]);
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
                let [process, step, ordinal] = moved;
                let values = params![process, step, ordinal, was];
                intruder.execute(&set, values).unwrap();
            }
        }
    }
    assert_eq!(verify(&world.path(), &[]).1, []);
}

#[tokio::test]
async fn a_4_what_is_removed_or_added_is_found_and_named() {
    let world = filled().await;
    let intruder = intruder(&world.path());
    intruder.execute_batch("CREATE TABLE kept AS SELECT * FROM audit; CREATE TABLE kept_event AS SELECT * FROM event").unwrap();
    let put_back = || {
        intruder
            .execute_batch(
                "DELETE FROM audit; INSERT INTO audit SELECT * FROM kept;
                 DELETE FROM event; INSERT INTO event SELECT * FROM kept_event;",
            )
            .unwrap();
        assert_eq!(verify(&world.path(), &[]).1, []);
    };
    let found = |statement: &str| {
        intruder.execute_batch(statement).unwrap();
        let (_, findings) = verify(&world.path(), &[]);
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
    let (verified, findings) = verify(&world.path(), std::slice::from_ref(&good));
    assert_eq!((verified.heads, findings.as_slice()), (1, [].as_slice()));

    let intruder = intruder(&world.path());
    // Whatever the entries were about goes too: by itself the log shows nothing.
    intruder
        .execute_batch(
            "DELETE FROM audit WHERE id > 8; DELETE FROM event WHERE process = 2 AND step = 1;",
        )
        .unwrap();
    assert_eq!(verify(&world.path(), &[]).1, []);
    let (_, findings) = verify(&world.path(), std::slice::from_ref(&good));
    assert_eq!(findings, [Finding::CutOff(good.clone(), 8)]);

    // The store goes on from there, with the same numbers and other hashes.
    let entry = || AuditEntry::new(now(), "reseal", "server.start", "server");
    world
        .store
        .append_audit(vec![entry(), entry()])
        .await
        .unwrap();
    assert_eq!(verify(&world.path(), &[]).1, []);
    let (_, findings) = verify(&world.path(), std::slice::from_ref(&good));
    assert_eq!(findings, [Finding::Replaced(good)]);
}

#[tokio::test]
async fn a_4_several_programs_append_to_one_chain() {
    let world = World::new().await;
    let other = SqliteStore::open(&world.path()).unwrap();
    let entry = |actor: &str| AuditEntry::new(now(), actor, "x", "server");
    let append = async |store: &SqliteStore, actor: &str| {
        for _ in 0..20 {
            store.append_audit(vec![entry(actor)]).await.unwrap();
        }
    };
    tokio::join!(append(&world.store, "one"), append(&other, "two"));
    let (verified, findings) = verify(&world.path(), &[]);
    assert_eq!(findings, []);
    assert_eq!(verified.entries, 42);
    let last = other.last_audit_of("server").await.unwrap().unwrap();
    assert_eq!(last.action, "x");
}

#[tokio::test]
async fn a_4_neither_entries_nor_events_can_be_changed_by_a_mere_statement() {
    let world = filled().await;
    let connection = Connection::open(world.path()).unwrap();
    for statement in [
        "UPDATE audit SET actor = 'nobody'",
        "DELETE FROM audit",
        "UPDATE event SET at = 0",
        "DELETE FROM event",
    ] {
        assert!(connection.execute(statement, []).is_err(), "{statement}");
    }
}
