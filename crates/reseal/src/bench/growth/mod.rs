//! `reseal bench growth`: whether a server with many certificates is as fast as one with few.
//!
//! - [`queries`]: what is asked of it
//! - [`report`]: the figures, and how they stand to those of the smallest store
//!
//! Each size has a folder of its own that is filled (see [`super::fill`]), measured and removed. What is read and reissued
//! is spread over the large customer's certificates, who has a quarter of all: pages of the database that nobody has read
//! lately are read then too.

mod queries;
mod report;

use std::collections::VecDeque;
use std::time::Duration;

use anyhow::{Context as _, bail};

use super::fill::{Contents, Filled, Slot, host};
use super::load::{self, Pace, Service, Summary, Target, Task};
use super::requests;
use super::server::Server;
use crate::console;
use queries::queries;
use report::{Report, Row, Size};

/// Connections that reissue, and connections that read single things.
pub(super) const WRITERS: usize = 32;
/// Reissues a second at most; a measurement whose requests run out ends early.
const MOST_REISSUES: usize = 4_000;
/// Certificates that are reissued, where there are so many: about as many as a store of ten thousand has, so that no
/// store has more names than another to ask CAA for.
const TARGETS: usize = 512;
/// Long enough for each of them to be reissued before anything is measured, so that CAA is known for its names.
const WARM_UP: Duration = Duration::from_secs(4);
/// As few are of no use.
pub(crate) const SMALLEST: u32 = 1_000;
/// Customers ask less often than this for CAA to be asked anew at each reissue; the plain benchmark measures that too.
pub(super) const CAA_REUSE: &str = "8h";

/// Measures each of `sizes` for `seconds` a row, over what `database` says; writes JSON instead of a table when `json` is set.
pub(crate) async fn run(
    sizes: &[u32],
    seconds: u64,
    database: &str,
    json: bool,
) -> anyhow::Result<()> {
    let each = super::measured_for(seconds)?;
    let mut sizes = sizes.to_vec();
    sizes.sort_unstable();
    sizes.dedup();
    if sizes.len() > 1 && !database.is_empty() {
        bail!(
            "--sizes: expected one size, for --database is filled only once, saw {}",
            sizes.len()
        );
    }
    let mut measured = Vec::new();
    for size in sizes {
        measured.push(measure(size, each, database).await?);
    }
    let report = Report::new(measured, seconds);
    if json {
        console::line(report.json());
    } else {
        report.lines().iter().for_each(console::line);
    }
    Ok(())
}

async fn measure(count: u32, measured: Duration, database: &str) -> anyhow::Result<Size> {
    let folder = tempfile::tempdir().context("no temporary folder can be made")?;
    let data = folder.path().join("data");
    let filled = Filled::make(&data, Contents::years(count), CAA_REUSE, database).await?;
    // Elsewhere it is not a file of ours.
    let is_file = database.is_empty();
    let octets = is_file
        .then(|| filled.folder().database_size())
        .transpose()?;
    let server = Server::start(filled.folder()).await?;
    server.settle().await?;
    let idle = server.memory()?;
    let service = Service {
        authority: server.authority.clone(),
        key: Some(filled.key.clone()),
        server: Some(server.processes()),
        database: None,
    };
    let mut rows = Vec::new();
    for query in queries(&filled) {
        let connections = query.connections;
        super::progress(format!("{count} certificates, {}", query.what));
        let tasks = spread(query.paths, connections);
        let summary = once(&service, tasks, measured).await?;
        rows.push(Row {
            what: query.what,
            connections,
            summary,
        });
    }
    super::progress(format!("{count} certificates, reissue"));
    let tasks = reissues(&filled, WARM_UP + measured)?;
    let (tasks, _) = load::run(&service, tasks, WARM_UP, Pace::Full).await?;
    let summary = once(&service, tasks, measured).await?;
    rows.insert(
        0,
        Row {
            what: "reissue",
            connections: WRITERS,
            summary,
        },
    );
    let busy = server.memory()?;
    server.stop().await?;
    Ok(Size {
        certificates: count,
        octets,
        idle,
        busy,
        rows,
    })
}

async fn once(service: &Service, tasks: Vec<Task>, measured: Duration) -> anyhow::Result<Summary> {
    let (_, summary) = load::run(service, tasks, measured, Pace::Full).await?;
    Ok(summary)
}

/// Deals `paths` out to so many connections.
fn spread(paths: Vec<String>, connections: usize) -> Vec<Task> {
    let mut hands = vec![VecDeque::new(); connections];
    for (path, hand) in paths.into_iter().zip((0..connections).cycle()) {
        hands[hand].push_back(path);
    }
    hands
        .into_iter()
        .map(|paths| Task::ReadAll { paths })
        .collect()
}

/// Reissues of as many certificates as can be, spread over all that there are.
pub(super) fn reissues(filled: &Filled, measured: Duration) -> anyhow::Result<Vec<Task>> {
    let all: Vec<(i64, &Slot)> = filled
        .large_customers()
        .filter(|(_, slot)| slot.is_reissuable())
        .collect();
    let stride = (all.len() / TARGETS).max(1);
    let chosen: Vec<_> = all.into_iter().step_by(stride).take(TARGETS).collect();
    if chosen.len() < WRITERS {
        bail!("only {} certificates can be reissued at once", chosen.len());
    }
    let wanted = usize::try_from(measured.as_secs())? * MOST_REISSUES;
    let each = u32::try_from(wanted.div_ceil(chosen.len()))?;
    let names: Vec<String> = chosen.iter().map(|(_, slot)| host(slot)).collect();
    let piles = requests::make(&names, each, "csr")?;
    let mut hands: Vec<VecDeque<Target>> = Vec::new();
    hands.resize_with(WRITERS, VecDeque::new);
    for (index, ((newest, _), bodies)) in chosen.into_iter().zip(piles).enumerate() {
        hands[index % WRITERS].push_back(Target { newest, bodies });
    }
    Ok(hands
        .into_iter()
        .map(|targets| Task::ReissueAll { targets })
        .collect())
}
