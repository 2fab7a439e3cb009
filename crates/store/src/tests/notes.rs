//! Notes between the steps of a process.

use reseal_lifecycle::event::{Event, EventKind};
use reseal_lifecycle::note::NoteStore as _;
use reseal_lifecycle::process::Process;
use reseal_lifecycle::store::{Change, Store as _};

use super::World;
use super::sample::{self, now};

fn note(message: &str) -> Event {
    let kind = EventKind::NoteAdded {
        user: "acme/admin".to_owned(),
        by_house: false,
        message: message.to_owned(),
    };
    Event::new(now(), kind)
}

fn suspended(process: Process, detail: &str) -> Change {
    let (process, events) = process.suspend(detail.to_owned(), None, now()).unwrap();
    Change::new(process, events)
}

#[tokio::test]
async fn a_note_stands_where_it_was_written_and_disturbs_nobody() {
    let world = World::new().await;
    let process = world
        .store
        .open(sample::opening("acme", None))
        .await
        .unwrap();
    let id = process.id;
    for message in ["first", "second"] {
        world.store.add_note(id, note(message)).await.unwrap();
    }
    // Whoever works on the process has read it before, and goes on.
    let process = world
        .store
        .advance(suspended(process, "waits"))
        .await
        .unwrap();
    world.store.add_note(id, note("third")).await.unwrap();
    let (process, _) = process.resume(now()).unwrap();
    world
        .store
        .advance(Change::new(process, Vec::new()))
        .await
        .unwrap();
    world.store.add_note(id, note("fourth")).await.unwrap();

    let said = |events: &[Event]| -> Vec<String> {
        let words = events.iter().map(|event| match &event.kind {
            EventKind::NoteAdded { message, .. } => message.clone(),
            EventKind::Waiting { reason, .. } => format!("({reason})"),
            EventKind::Accepted { .. } => "(accepted)".to_owned(),
            _ => "(…)".to_owned(),
        });
        words.filter(|word| word != "(…)").collect()
    };
    let timeline = world.store.timeline(id).await.unwrap();
    assert_eq!(
        said(&timeline),
        [
            "(accepted)",
            "first",
            "second",
            "(waits)",
            "third",
            "fourth"
        ]
    );
    let notes = world.store.notes(id).await.unwrap();
    assert_eq!(said(&notes), ["first", "second", "third", "fourth"]);
    assert!(world.store.notes(id + 1).await.unwrap().is_empty());
    assert!(world.store.add_note(id + 1, note("nowhere")).await.is_err());
}
