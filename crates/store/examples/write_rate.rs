//! How many reissues a second the store takes: two writes each, and the reads that come before them.
//!
//! `cargo run --release -p reseal-store --example write_rate [FOLDER | postgres://…]` writes into a new database in FOLDER
//! (a temporary one by default), or into an empty one of PostgreSQL, and prints rates, processor time and latencies for
//! 1, 8 and 32 callers.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a measurement for people"
)]

#[path = "../src/tests/sample.rs"]
#[expect(dead_code, reason = "the tests need more of it")]
mod sample;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use reseal_lifecycle::customer::{AccountStore as _, Customer, Role, Scope};
use reseal_lifecycle::store::{Change, Store};
use reseal_store::{PostgresUrl, Source, SqlStore};
use sample::{hash, in_days, now};

const MEASURED: Duration = Duration::from_secs(5);

#[tokio::main]
async fn main() {
    let place = std::env::args().nth(1);
    let (source, _folder) = match place {
        Some(url) if url.starts_with("postgres") => {
            let url = PostgresUrl::parse(&url, None).unwrap();
            (Source::Postgres(url), None)
        }
        place => {
            let folder = place.map_or_else(std::env::temp_dir, Into::into);
            let folder = tempfile::tempdir_in(folder).unwrap();
            (Source::Sqlite(folder.path().join("bench.db")), Some(folder))
        }
    };
    let store = Arc::new(SqlStore::open(&source).unwrap());
    store
        .create_customer(
            Customer {
                handle: "acme".to_owned(),
                created: now(),
            },
            "house/op",
        )
        .await
        .unwrap();
    store
        .add_api_key("acme", "bench", Role::Customer, hash(0), now(), "house/op")
        .await
        .unwrap();
    let next = Arc::new(AtomicU64::new(1));
    println!("reissues: 4 reads, open with reservation, advance with issuance");
    for callers in [1, 8, 32] {
        measure("reads and writes", callers, &store, &next, true).await;
    }
    println!("the two writes alone");
    for callers in [1, 8, 32] {
        measure("writes", callers, &store, &next, false).await;
    }
}

async fn measure(
    what: &str,
    callers: usize,
    store: &Arc<SqlStore>,
    next: &Arc<AtomicU64>,
    reads: bool,
) {
    let (started, cpu, commits) = (Instant::now(), processor_time(), store.commits());
    let tasks: Vec<_> = (0..callers)
        .map(|_| {
            let (store, next) = (Arc::clone(store), Arc::clone(next));
            tokio::spawn(async move {
                let mut latencies = Vec::new();
                let first = next.fetch_add(1, Ordering::Relaxed);
                let process = store
                    .open(sample::import(sample::certificate("acme", first)))
                    .await
                    .unwrap();
                let (subscription, mut id) = (process.subscription, process.certificate.unwrap());
                while started.elapsed() < MEASURED {
                    let begun = Instant::now();
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if reads {
                        read(&*store, id, number).await;
                    }
                    id = reissue(&*store, subscription, id, number).await;
                    latencies.push(begun.elapsed());
                }
                latencies
            })
        })
        .collect();
    let mut latencies = Vec::new();
    for task in tasks {
        latencies.extend(task.await.unwrap());
    }
    latencies.sort_unstable();
    let count = latencies.len();
    let rate = count as f64 / started.elapsed().as_secs_f64();
    let used = processor_time();
    let [all, writer, readers] = std::array::from_fn(|index| {
        used[index].saturating_sub(cpu[index]).as_secs_f64() * 1e6 / count as f64
    });
    let share = |share: usize| latencies[(count * share / 1000).min(count - 1)].as_secs_f64() * 1e3;
    let together = (2 * count) as f64 / (store.commits() - commits) as f64;
    println!(
        "{what:>18}, {callers:2} callers: {rate:6.0}/s, µs CPU each: {all:4.0} (writer {writer:3.0}, \
         readers {readers:3.0}), {together:4.1} writes a commit, p50 {:.2} ms, p99 {:.2} ms, p99.9 {:.2} ms",
        share(500),
        share(990),
        share(999)
    );
}

async fn read(store: &dyn Store, id: i64, number: u64) {
    let scope = Scope::Customer("acme".to_owned());
    store.api_key(&hash(0)).await.unwrap().unwrap();
    store.certificate(&scope, id).await.unwrap().unwrap();
    let adns = ["example.com", "www.example.com"].map(str::to_owned);
    store.authorizations("acme", &adns).await.unwrap();
    store.key_history("acme", &hash(number)).await.unwrap();
}

async fn reissue(store: &dyn Store, subscription: Option<i64>, id: i64, number: u64) -> i64 {
    let change: Change = sample::opening_with_reservation("acme", subscription, number);
    assert_eq!(change.lease, Some(in_days(1)));
    let process = store.open(change).await.unwrap();
    let process = store
        .advance(sample::completion(process, number, Some(id)))
        .await
        .unwrap();
    process.certificate.unwrap()
}

/// Processor time in user space and in the kernel: of this program, and of its threads by the store.
fn processor_time() -> [Duration; 3] {
    let mut of_writer = Duration::ZERO;
    let mut of_readers = Duration::ZERO;
    for task in std::fs::read_dir("/proc/self/task").unwrap().flatten() {
        let (name, time) = times(&task.path().join("stat"));
        match name.as_str() {
            "store-writer" => of_writer += time,
            name if name.starts_with("store-read") => of_readers += time,
            _ => {}
        }
    }
    let (_, of_all) = times(std::path::Path::new("/proc/self/stat"));
    [of_all, of_writer, of_readers]
}

/// Name and processor time in a file of proc(5) stat: fields 2, 14 and 15, the times in hundredths of a second.
fn times(path: &std::path::Path) -> (String, Duration) {
    let stat = std::fs::read_to_string(path).unwrap();
    let (before, after) = stat.rsplit_once(')').unwrap();
    let fields: Vec<&str> = after.split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    (
        before.split_once('(').unwrap().1.to_owned(),
        Duration::from_millis(ticks * 10),
    )
}
