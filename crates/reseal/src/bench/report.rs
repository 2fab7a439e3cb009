//! The figures of a run, for people and for programs.

use std::time::Duration;

use serde_json::{Value, json};

use super::floor::Floor;
use super::load::Summary;

/// The measured server is this same program.
const UNOPTIMIZED: bool = cfg!(debug_assertions);

/// One measurement.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) what: &'static str,
    /// `dcv.caa_reuse`, where it matters.
    pub(super) caa_reuse: Option<&'static str>,
    pub(super) connections: usize,
    /// At half of the full rate instead of as fast as possible.
    pub(super) paced: bool,
    pub(super) summary: Summary,
}

impl Row {
    pub(super) const REISSUE: &'static str = "reissue";
}

pub(super) struct Report {
    floor: Floor,
    cores: usize,
    seconds: u64,
    rows: Vec<Row>,
}

impl Report {
    pub(super) fn new(floor: Floor, seconds: u64, rows: Vec<Row>) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, Into::into);
        Self {
            floor,
            cores,
            seconds,
            rows,
        }
    }

    /// Server's processor time for one call, in crypto floors.
    fn ratio(&self, row: &Row) -> f64 {
        row.summary.processor.as_secs_f64() / self.floor.total().as_secs_f64()
    }

    /// Lines, times in milliseconds.
    pub(super) fn table(&self) -> Vec<String> {
        let mut lines = vec![
            format!(
                "{} cores, {} s each, SQLite synchronous=FULL; load and name server on the same cores",
                self.cores, self.seconds
            ),
            format!(
                "crypto floor: P-256 verify {} ms + sign {} ms = {} ms",
                millis(self.floor.verify),
                millis(self.floor.sign),
                millis(self.floor.total())
            ),
            String::new(),
            format!(
                "{:<16} {:>9} {:>5} {:>6} {:>9} {:>8} {:>8} {:>8} {:>7}",
                "what",
                "caa_reuse",
                "conns",
                "speed",
                "calls/s",
                "p50 ms",
                "p99 ms",
                "CPU ms",
                "/floor"
            ),
        ];
        lines.extend(self.rows.iter().map(|row| {
            format!(
                "{:<16} {:>9} {:>5} {:>6} {:>9.0} {:>8} {:>8} {:>8} {:>7.2}",
                row.what,
                row.caa_reuse.unwrap_or("-"),
                row.connections,
                speed(row),
                row.summary.rate,
                millis(row.summary.median),
                millis(row.summary.p99),
                millis(row.summary.processor),
                self.ratio(row)
            )
        }));
        lines.push(String::new());
        lines.push("CPU: the server's processor time for one call, user and system.".to_owned());
        if UNOPTIMIZED {
            lines.push("Built without optimization: figures to compare with nothing.".to_owned());
        }
        lines
    }

    /// The same, times in milliseconds.
    pub(super) fn json(&self) -> Value {
        let rows: Vec<Value> = self
            .rows
            .iter()
            .map(|row| {
                json!({
                    "what": row.what,
                    "caaReuse": row.caa_reuse,
                    "connections": row.connections,
                    "speed": speed(row),
                    "calls": row.summary.calls,
                    "callsPerSecond": row.summary.rate,
                    "p50Ms": row.summary.median.as_secs_f64() * 1e3,
                    "p99Ms": row.summary.p99.as_secs_f64() * 1e3,
                    "serverCpuMs": row.summary.processor.as_secs_f64() * 1e3,
                    "cpuPerFloor": self.ratio(row),
                })
            })
            .collect();
        json!({
            "cores": self.cores,
            "optimized": !UNOPTIMIZED,
            "seconds": self.seconds,
            "verifyMs": self.floor.verify.as_secs_f64() * 1e3,
            "signMs": self.floor.sign.as_secs_f64() * 1e3,
            "rows": rows,
        })
    }
}

fn speed(row: &Row) -> &'static str {
    if row.paced { "half" } else { "full" }
}

fn millis(duration: Duration) -> String {
    format!("{:.3}", duration.as_secs_f64() * 1e3)
}
