//! `reseal bench`: how fast reissues with reused authorizations are on this machine, and what they cost.
//!
//! - [`server`]: the real server, a process of its own so that its processor time can be told apart
//! - [`client`]: one keep-alive connection to it
//! - [`world`]: the customer's subscriptions, each name proved once by DNS
//! - [`load`]: many connections at once, measured
//! - [`floor`]: what the cryptography alone costs, in the same run
//! - [`report`]: the figures, as a table or as JSON
//! - [`growth`]: the same with many certificates in the store, which [`fill`] puts there
//!
//! The database is SQLite with every commit synced, as always, in a folder below the system's temporary folder
//! (`TMPDIR`). Nothing survives.

mod client;
mod fill;
mod floor;
mod growth;
mod load;
mod report;
mod server;
mod world;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail};

use crate::args::BenchOf;
use crate::console;
pub(crate) use growth::SMALLEST;
use load::{Pace, Summary, Task};
use report::{Report, Row};
use server::Server;
use world::World;

/// Connections of the measurements; each owns one subscription.
const CONNECTIONS: [usize; 3] = [1, 8, 32];
/// Connections that read.
const READERS: usize = 8;
/// `dcv.caa_reuse` of the measurements: CAA asked at every issuance, and an answer kept as long as allowed.
const CAA_REUSE: [&str; 2] = ["0s", "8h"];
/// Longest time that requests are made for in advance; they are kept in memory.
const LONGEST: u64 = 60;

/// Measures each load for `seconds`; writes JSON instead of a table when `json` is set.
pub(crate) async fn run(seconds: u64, json: bool) -> anyhow::Result<()> {
    if !(1..=LONGEST).contains(&seconds) {
        bail!("--seconds: expected 1 to {LONGEST}, saw {seconds}");
    }
    let measured = Duration::from_secs(seconds);
    let folder = tempfile::tempdir().context("no temporary folder can be made")?;
    let floor = floor::measure()?;
    let [first, ..] = CAA_REUSE;
    let connections = CONNECTIONS.into_iter().max().unwrap_or(1);
    let mut world = World::make(&folder.path().join("data"), first).await?;
    let mut rows = Vec::new();
    for reuse in CAA_REUSE {
        world.configure(reuse)?;
        let server = Server::start(world.folder()).await?;
        world.prove(&server, connections).await?;
        rows.extend(reissues(&mut world, &server, reuse, measured).await?);
        if reuse == first {
            rows.extend(reads(&mut world, &server, measured).await?);
        }
        server.stop().await?;
    }
    // What was read stands below what was written.
    rows.sort_by_key(|row| row.what != Row::REISSUE);
    let report = Report::new(floor, seconds, rows);
    if json {
        console::line(report.json());
    } else {
        report.table().iter().for_each(console::line);
    }
    Ok(())
}

/// The other benchmarks.
pub(crate) async fn run_other(of: BenchOf) -> anyhow::Result<()> {
    match of {
        BenchOf::Growth {
            sizes,
            seconds,
            json,
        } => growth::run(&sizes, seconds, json).await,
    }
}

/// Reissues at full speed on ever more connections, then at half of the last rate.
async fn reissues(
    world: &mut World,
    server: &Server,
    caa_reuse: &'static str,
    measured: Duration,
) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    let mut pace = Pace::Full;
    let mut loads: Vec<usize> = CONNECTIONS.to_vec();
    loads.extend(CONNECTIONS.last());
    for (round, connections) in loads.into_iter().enumerate() {
        if round == CONNECTIONS.len() {
            pace = Pace::half(rows.last().map_or(0.0, |row: &Row| row.summary.rate));
        }
        progress(format!(
            "reissues, caa_reuse {caa_reuse}, {connections} connections"
        ));
        let tasks = world.reissue_tasks(connections, measured, pace)?;
        let (tasks, summary) = load::run(server, world.key(), tasks, measured, pace).await?;
        world.take_back(tasks);
        rows.push(Row {
            what: Row::REISSUE,
            caa_reuse: Some(caa_reuse),
            connections,
            paced: matches!(pace, Pace::Every(_)),
            summary,
        });
    }
    Ok(rows)
}

/// Reads of a certificate and of a process.
async fn reads(world: &mut World, server: &Server, measured: Duration) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for (what, tasks) in [
        ("GET certificate", world.certificate_tasks(READERS)),
        ("GET process", world.process_tasks(READERS)),
    ] {
        progress(format!("{what}, {READERS} connections"));
        let (_, summary): (Vec<Task>, Summary) =
            load::run(server, world.key(), tasks, measured, Pace::Full).await?;
        rows.push(Row {
            what,
            caa_reuse: None,
            connections: READERS,
            paced: false,
            summary,
        });
    }
    Ok(rows)
}

fn progress(what: impl std::fmt::Display) {
    console::notice(format!("measuring: {what}"));
}

/// The configuration of the measured server.
fn configuration(resolver: &str, caa_reuse: &str, anchor: &Path) -> String {
    format!(
        r#"# Made by `reseal bench`.
[server]
listen = "127.0.0.1:0"
public_url = "http://127.0.0.1"

[policy]
profile = "private"
internal_names = ["demo.internal"]

[dcv]
resolvers = ["{resolver}"]
dnssec = "validate"
trust_anchor_file = "{}"
caa_reuse = "{caa_reuse}"
allow_networks = ["127.0.0.0/8"]

[mail]
url = "maildir"

# One key does what a day's customers would.
[limits]
enabled = false
"#,
        anchor.display()
    )
}
