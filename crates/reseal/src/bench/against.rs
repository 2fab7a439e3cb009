//! `reseal bench against PROGRAM`: whether this program is faster than another build of it.
//!
//! A machine is half as fast in one hour as in another, and the same program differs by a fifth from run to run. So both
//! servers run side by side, and the loads are theirs in turn, each round in the other order: what else the machine does
//! meets both, and a ratio is of two measurements right after each other.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use serde_json::json;

use super::load::{self, Pace, Summary};
use super::server::Server;
use super::table::{Table, figure};
use super::world::World;
use super::{measured_for, millis};
use crate::console;

/// `dcv.caa_reuse` of both: without questions to a name server, which is the same for both.
const CAA_REUSE: &str = "8h";
/// Connections of the loads at full speed.
const CONNECTIONS: [usize; 3] = [8, 32, 128];
/// Connections of the load at half the rate that the slower of the two has with as many.
const PACED: usize = 32;

/// A server and its customer.
struct Side {
    world: World,
    server: Server,
}

impl Side {
    async fn start(folder: &Path, program: &Path) -> anyhow::Result<Self> {
        let mut world = World::make(folder, CAA_REUSE, String::new()).await?;
        let server = Server::start_program(program, world.folder()).await?;
        let most = CONNECTIONS.into_iter().max().unwrap_or(PACED).max(PACED);
        world.prove(&server, most).await?;
        Ok(Self { world, server })
    }

    async fn measure(&mut self, load: &Load, measured: Duration) -> anyhow::Result<Summary> {
        let tasks = self
            .world
            .reissue_tasks(load.connections, measured, load.pace)?;
        let service = self.world.service(&self.server);
        let (tasks, summary) = load::run(&service, tasks, measured, load.pace).await?;
        self.world.take_back(tasks);
        Ok(summary)
    }
}

/// A load, and what it gave: this program's figures and the other's, one pair a round.
struct Load {
    what: &'static str,
    connections: usize,
    pace: Pace,
    pairs: Vec<[Summary; 2]>,
}

impl Load {
    fn full(connections: usize) -> Self {
        Self {
            what: "reissue",
            connections,
            pace: Pace::Full,
            pairs: Vec::new(),
        }
    }

    /// Half of what the slower side had in the first pair of `full`.
    fn half(full: &Self) -> Self {
        let rates = full.pairs.iter().flatten().map(|summary| summary.rate);
        Self {
            what: "reissue, half that rate",
            connections: full.connections,
            pace: Pace::half(rates.fold(f64::INFINITY, f64::min)),
            pairs: Vec::new(),
        }
    }

    /// Measures both `sides`; the second is first when `turned`.
    async fn round(
        &mut self,
        sides: &mut [Side; 2],
        measured: Duration,
        turned: bool,
    ) -> anyhow::Result<()> {
        let [this, other] = sides;
        let pair = if turned {
            let second = other.measure(self, measured).await?;
            [this.measure(self, measured).await?, second]
        } else {
            let first = this.measure(self, measured).await?;
            [first, other.measure(self, measured).await?]
        };
        self.pairs.push(pair);
        Ok(())
    }

    /// The medians of what `of` takes from each pair, this program's and the other's, and that of the ratios with the lowest
    /// and the highest of them.
    fn compare(&self, of: fn(&Summary) -> f64) -> Comparison {
        let side = |index: usize| self.pairs.iter().map(move |pair| of(&pair[index]));
        let mut ratios: Vec<f64> = side(0).zip(side(1)).map(|(a, b)| a / b).collect();
        ratios.sort_by(f64::total_cmp);
        Comparison {
            this: median(side(0).collect()),
            other: median(side(1).collect()),
            lowest: ratios.first().copied().unwrap_or(f64::NAN),
            highest: ratios.last().copied().unwrap_or(f64::NAN),
            ratio: median(ratios),
        }
    }
}

struct Comparison {
    this: f64,
    other: f64,
    ratio: f64,
    lowest: f64,
    highest: f64,
}

/// A figure, and where it is taken from.
type Figure = (&'static str, fn(&Summary) -> f64);

/// What is compared.
const FIGURES: [Figure; 4] = [
    ("calls/s", |summary| summary.rate),
    ("p99 ms", |summary| millis(summary.p99)),
    ("steady p99 ms", |summary| {
        summary.steady_p99.map_or(f64::NAN, millis)
    }),
    ("CPU ms", |summary| {
        summary.processor().map_or(f64::NAN, millis)
    }),
];

/// Measures this program and `program` for `seconds` a load, `rounds` times in turn, and prints the figures.
pub(super) async fn run(
    program: PathBuf,
    rounds: u32,
    seconds: u64,
    as_json: bool,
) -> anyhow::Result<()> {
    let measured = measured_for(seconds)?;
    let this = std::env::current_exe().context("this program cannot be found")?;
    let folder = tempfile::tempdir().context("no temporary folder can be made")?;
    // First whatever may not be there.
    let other = Side::start(&folder.path().join("other"), &program).await?;
    let this = Side::start(&folder.path().join("this"), &this).await?;
    let mut sides = [this, other];
    let mut loads = CONNECTIONS.map(Load::full);
    let mut half = None;
    for round in 0..rounds {
        super::progress(format!("round {} of {rounds}", round + 1));
        let turned = round % 2 == 1;
        for load in &mut loads {
            load.round(&mut sides, measured, turned).await?;
            if load.connections == PACED {
                let half = half.get_or_insert_with(|| Load::half(load));
                half.round(&mut sides, measured, turned).await?;
            }
        }
    }
    let mut loads = Vec::from(loads);
    loads.extend(half);
    // What is of as many connections stands together.
    loads.sort_by_key(|load| load.connections);
    if as_json {
        console::line(json_of(&loads));
    } else {
        lines_of(&loads, &program, rounds, seconds)
            .iter()
            .for_each(console::line);
    }
    for side in sides {
        side.server.stop().await?;
    }
    Ok(())
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    let middle = figures.len() / 2;
    match figures.len() % 2 {
        0 => match (figures.get(middle.wrapping_sub(1)), figures.get(middle)) {
            (Some(low), Some(high)) => f64::midpoint(*low, *high),
            _ => f64::NAN,
        },
        _ => figures[middle],
    }
}

fn lines_of(loads: &[Load], program: &Path, rounds: u32, seconds: u64) -> Vec<String> {
    let columns = ["connections", "this", "other", "ratio", "lowest", "highest"];
    let mut table = Table::new(&["what", "of"], &columns);
    for load in loads {
        for (of, take) in FIGURES {
            let compared = load.compare(take);
            table.add([
                load.what.to_owned(),
                of.to_owned(),
                load.connections.to_string(),
                figure(compared.this),
                figure(compared.other),
                figure(compared.ratio),
                figure(compared.lowest),
                figure(compared.highest),
            ]);
        }
    }
    let mut lines = vec![
        format!(
            "This program and {}, each on SQLite of its own, in turn: {rounds} rounds, {seconds} s a load, `caa_reuse` \
             {CAA_REUSE}.",
            program.display()
        ),
        "Medians of all rounds; a ratio is this program's figure divided by the other's."
            .to_owned(),
        String::new(),
    ];
    lines.extend(table.lines());
    lines
}

fn json_of(loads: &[Load]) -> String {
    let figures = |summary: &Summary| {
        json!({
            "callsPerSecond": summary.rate,
            "p50Ms": millis(summary.median),
            "p99Ms": millis(summary.p99),
            "steadyP99Ms": summary.steady_p99.map(millis),
            "processorMs": summary.processor().map(millis),
        })
    };
    let loads = loads.iter().map(|load| {
        let rounds = load
            .pairs
            .iter()
            .map(|[this, other]| json!({ "this": figures(this), "other": figures(other) }));
        json!({
            "what": load.what,
            "connections": load.connections,
            "rounds": rounds.collect::<Vec<_>>(),
        })
    });
    json!({ "against": loads.collect::<Vec<_>>() }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(rate: f64) -> Summary {
        Summary::sample(rate, Duration::from_millis(3))
    }

    #[test]
    fn ratios_are_of_pairs_and_not_of_medians() {
        let mut load = Load::full(32);
        // The machine was half as fast in the second round, for both.
        for (this, other) in [(220.0, 200.0), (110.0, 100.0), (260.0, 200.0)] {
            load.pairs.push([summary(this), summary(other)]);
        }
        let compared = load.compare(|summary| summary.rate);
        let seen = [compared.this, compared.other, compared.ratio];
        for (seen, expected) in seen.into_iter().zip([220.0, 200.0, 1.1]) {
            assert!((seen - expected).abs() < 1e-9, "{seen} {expected}");
        }
        let ends = [compared.lowest, compared.highest];
        for (seen, expected) in ends.into_iter().zip([1.1, 1.3]) {
            assert!((seen - expected).abs() < 1e-9, "{seen} {expected}");
        }
    }

    #[test]
    fn a_median_is_in_the_middle() {
        assert!((median(vec![3.0, 1.0, 2.0]) - 2.0).abs() < 1e-9);
        assert!((median(vec![4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < 1e-9);
        assert!(median(Vec::new()).is_nan());
    }

    #[test]
    fn half_the_rate_is_that_of_the_slower_one() {
        let mut full = Load::full(32);
        full.pairs.push([summary(300.0), summary(200.0)]);
        let Pace::Every(interval) = Load::half(&full).pace else {
            panic!("a pace was expected");
        };
        assert_eq!(interval, Duration::from_millis(10));
    }
}
