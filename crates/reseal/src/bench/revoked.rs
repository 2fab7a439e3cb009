//! `reseal bench revoked`: whether very many revoked certificates make issuing slower.
//!
//! Two servers with equal stores run side by side, but for the lists: the one has as many further entries on them as
//! wanted. They reissue in turn, several times, so that what else the machine does meets both.

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::json;

use super::fill::{Contents, Filled};
use super::growth::{CAA_REUSE, WRITERS, reissues};
use super::load::{self, Pace, Service, Summary, Task};
use super::server::Server;
use super::table::{Table, figure};
use super::{measured_for, millis};
use crate::console;

/// Certificates of each server.
const CERTIFICATES: u32 = 10_000;
/// How often each server has its turn.
const ROUNDS: u32 = 4;

/// A server, and what is left to be sent to it.
struct Side {
    /// Further entries on its lists.
    entries: u32,
    filled: Filled,
    server: Server,
    tasks: Vec<Task>,
    rounds: Vec<Summary>,
}

impl Side {
    async fn start(folder: &Path, entries: u32, measured: Duration) -> anyhow::Result<Self> {
        let contents = Contents::years(CERTIFICATES).with_lost(entries);
        let filled = Filled::make(folder, contents, CAA_REUSE, "").await?;
        let server = Server::start(filled.folder()).await?;
        // Its lists are signed then.
        server.settle().await?;
        let tasks = reissues(&filled, measured * ROUNDS)?;
        Ok(Self {
            entries,
            filled,
            server,
            tasks,
            rounds: Vec::new(),
        })
    }

    async fn measure(&mut self, measured: Duration) -> anyhow::Result<()> {
        let service = Service {
            authority: self.server.authority.clone(),
            key: Some(self.filled.key.clone()),
            server: Some(self.server.processes()),
            database: None,
        };
        let tasks = std::mem::take(&mut self.tasks);
        let (tasks, summary) = load::run(&service, tasks, measured, Pace::Full).await?;
        self.tasks = tasks;
        self.rounds.push(summary);
        Ok(())
    }

    /// Means of all rounds: calls a second, and the server's processor time for a call in milliseconds.
    fn means(&self) -> (f64, f64) {
        let count = self.rounds.len().max(1) as f64;
        let sum = |of: fn(&Summary) -> f64| self.rounds.iter().map(of).sum::<f64>() / count;
        (sum(|round| round.rate), sum(processor))
    }
}

/// Measures each server [`ROUNDS`] times for `seconds`, in turn, and prints the figures.
pub(super) async fn run(entries: u32, seconds: u64, as_json: bool) -> anyhow::Result<()> {
    let measured = measured_for(seconds)?;
    let folder = tempfile::tempdir().context("no temporary folder can be made")?;
    let mut sides = Vec::new();
    for (name, entries) in [("few", 0), ("many", entries)] {
        sides.push(Side::start(&folder.path().join(name), entries, measured).await?);
    }
    for round in 1..=ROUNDS {
        for side in &mut sides {
            super::progress(format!("round {round}, {} further entries", side.entries));
            side.measure(measured).await?;
        }
    }
    if as_json {
        console::line(json_of(&sides));
    } else {
        lines_of(&sides, seconds).iter().for_each(console::line);
    }
    for side in sides {
        side.server.stop().await?;
    }
    Ok(())
}

fn processor(summary: &Summary) -> f64 {
    summary.processor().map_or(0.0, millis)
}

fn lines_of(sides: &[Side], seconds: u64) -> Vec<String> {
    let figures = [
        "further entries",
        "round",
        "calls/s",
        "p50 ms",
        "p99 ms",
        "CPU ms",
    ];
    let mut table = Table::new(&["what"], &figures);
    for side in sides {
        for (round, summary) in (1..).zip(&side.rounds) {
            let round: u32 = round;
            table.add([
                "reissue".to_owned(),
                side.entries.to_string(),
                round.to_string(),
                figure(summary.rate),
                figure(millis(summary.median)),
                figure(millis(summary.p99)),
                figure(processor(summary)),
            ]);
        }
    }
    let mut lines = vec![
        format!(
            "Two servers on SQLite with {CERTIFICATES} certificates each, in turn; {WRITERS} connections, {seconds} s a row."
        ),
        String::new(),
    ];
    lines.extend(table.lines());
    if let [few, many] = sides {
        let ((rate, time), (rate_many, time_many)) = (few.means(), many.means());
        lines.push(String::new());
        lines.push(format!(
            "With {} further entries: {:.3} times the calls a second, {:.3} times the processor time.",
            many.entries,
            rate_many / rate,
            time_many / time
        ));
    }
    lines
}

fn json_of(sides: &[Side]) -> String {
    let sides = sides.iter().map(|side| {
        let rounds = side.rounds.iter().map(|summary| {
            json!({
                "callsPerSecond": summary.rate,
                "p50Ms": millis(summary.median),
                "p99Ms": millis(summary.p99),
                "processorMs": processor(summary),
            })
        });
        json!({"furtherEntries": side.entries, "rounds": rounds.collect::<Vec<_>>()})
    });
    json!({"revoked": sides.collect::<Vec<_>>()}).to_string()
}
