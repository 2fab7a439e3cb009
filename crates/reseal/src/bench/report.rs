//! The figures of a run, for people and for programs.

use std::time::Duration;

use serde_json::{Value, json};

use super::floor::Floor;
use super::load::Summary;
use super::millis;
use super::table::{Table, figure, figure_or_dash};

const MEBIBYTE: u64 = 1 << 20;
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
    /// Names of other servers, and what the same load gave there right after.
    pub(super) beside: Vec<(String, Summary)>,
}

impl Row {
    fn label(&self) -> String {
        let pace = if self.paced { ", half that rate" } else { "" };
        format!("{}{pace}", self.what)
    }
}

/// How a server began.
pub(super) struct Start {
    /// From the start of its process to its first answer.
    pub(super) answered: Duration,
    /// What it had in memory at rest, bytes.
    pub(super) memory: u64,
}

pub(super) struct Report {
    pub(super) floor: Floor,
    /// Of a server that has its keys and nothing else.
    pub(super) start: Start,
    pub(super) seconds: u64,
    /// What kept the data, such as `PostgreSQL 15.18`.
    pub(super) database: String,
    pub(super) rows: Vec<Row>,
}

impl Report {
    /// Lines that are Markdown.
    pub(super) fn lines(&self) -> Vec<String> {
        let mut lines = vec![
            format!(
                "{}, each commit on the disk before its answer; {} cores for everything, load generator and name server \
                 included; {} s a row.",
                self.database,
                cores(),
                self.seconds
            ),
            format!(
                "Crypto floor: P-256 verify {} ms + sign {} ms = {} ms.",
                figure(millis(self.floor.verify)),
                figure(millis(self.floor.sign)),
                figure(millis(self.floor.total()))
            ),
            format!(
                "A server without data: {} ms from its start to its first answer, {} MiB at rest.",
                figure(millis(self.start.answered)),
                self.start.memory / MEBIBYTE
            ),
            format!(
                "Time in which the processor itself was slower than usual: {:.1} %; calls that met it, which \"steady p99\" \
                 leaves out: {:.0} %.",
                self.mean(|summary| summary.slowed) * 100.0,
                self.mean(|summary| summary.touched) * 100.0
            ),
        ];
        if UNOPTIMIZED {
            lines.push("**A build without optimization: not what a release costs.**".to_owned());
        }
        for table in [self.loads(), self.comparison()] {
            let table = table.lines();
            if !table.is_empty() {
                lines.push(String::new());
                lines.extend(table);
            }
        }
        lines
    }

    /// Mean of all rows.
    fn mean(&self, of: fn(&Summary) -> f64) -> f64 {
        let shares = self.rows.iter().map(|row| of(&row.summary));
        shares.sum::<f64>() / self.rows.len().max(1) as f64
    }

    fn loads(&self) -> Table {
        let mut table = Table::new(
            &["what", "`caa_reuse`"],
            &[
                "connections",
                "calls/s",
                "p50 ms",
                "p99 ms",
                "steady p99",
                "CPU ms",
                "of the floor",
                "database CPU ms",
            ],
        );
        for row in &self.rows {
            let Summary { server, .. } = row.summary;
            table.add([
                row.label(),
                row.caa_reuse.unwrap_or("–").to_owned(),
                row.connections.to_string(),
                figure(row.summary.rate),
                figure(millis(row.summary.median)),
                figure(millis(row.summary.p99)),
                figure_or_dash(row.summary.steady_p99.map(millis)),
                figure_or_dash(server.map(millis)),
                figure_or_dash(ratio(server, Some(self.floor.total()))),
                figure_or_dash(row.summary.database.map(millis)),
            ]);
        }
        table
    }

    /// This server's figures, another's, and the ratio of the two.
    fn comparison(&self) -> Table {
        let mut table = Table::new(
            &["beside", "`caa_reuse`"],
            &[
                "connections",
                "calls/s",
                "its",
                "ratio",
                "p99 ms",
                "its",
                "ratio",
                "CPU ms",
                "its",
                "ratio",
            ],
        );
        for (row, name, other) in self.pairs() {
            let own = &row.summary;
            table.add([
                name.to_owned(),
                row.caa_reuse.unwrap_or("–").to_owned(),
                row.connections.to_string(),
                figure(own.rate),
                figure(other.rate),
                figure(own.rate / other.rate),
                figure(millis(own.p99)),
                figure(millis(other.p99)),
                figure_or_dash(ratio(Some(own.p99), Some(other.p99))),
                figure_or_dash(own.processor().map(millis)),
                figure_or_dash(other.processor().map(millis)),
                figure_or_dash(ratio(own.processor(), other.processor())),
            ]);
        }
        table
    }

    /// Each row with each server beside it, those of one server together.
    fn pairs(&self) -> Vec<(&Row, &str, &Summary)> {
        let mut pairs: Vec<_> = self
            .rows
            .iter()
            .flat_map(|row| {
                let others = row.beside.iter();
                others.map(move |(name, other)| (row, name.as_str(), other))
            })
            .collect();
        pairs.sort_by_key(|(_, name, _)| *name);
        pairs
    }

    /// The same, times in milliseconds.
    pub(super) fn json(&self) -> Value {
        let rows: Vec<Value> = self.rows.iter().map(|row| self.row_json(row)).collect();
        json!({
            "cores": cores(),
            "optimized": !UNOPTIMIZED,
            "seconds": self.seconds,
            "database": self.database,
            "verifyMs": millis(self.floor.verify),
            "signMs": millis(self.floor.sign),
            "startMs": millis(self.start.answered),
            "restBytes": self.start.memory,
            "rows": rows,
        })
    }

    fn row_json(&self, row: &Row) -> Value {
        let beside = row.beside.iter().map(|(name, other)| {
            json!({
                "name": name,
                "figures": summary_json(other),
                "rateRatio": row.summary.rate / other.rate,
                "p99Ratio": ratio(Some(row.summary.p99), Some(other.p99)),
                "cpuRatio": ratio(row.summary.processor(), other.processor()),
            })
        });
        json!({
            "what": row.what,
            "caaReuse": row.caa_reuse,
            "connections": row.connections,
            "speed": if row.paced { "half" } else { "full" },
            "figures": summary_json(&row.summary),
            "cpuPerFloor": ratio(row.summary.server, Some(self.floor.total())),
            "beside": beside.collect::<Vec<_>>(),
        })
    }
}

fn summary_json(summary: &Summary) -> Value {
    json!({
        "calls": summary.calls,
        "callsPerSecond": summary.rate,
        "p50Ms": millis(summary.median),
        "p99Ms": millis(summary.p99),
        "steadyP99Ms": summary.steady_p99.map(millis),
        "slowedShare": summary.slowed,
        "touchedShare": summary.touched,
        "serverCpuMs": summary.server.map(millis),
        "databaseCpuMs": summary.database.map(millis),
    })
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, Into::into)
}

/// `one` in units of `other`.
fn ratio(one: Option<Duration>, other: Option<Duration>) -> Option<f64> {
    let other = other.filter(|other| !other.is_zero())?;
    Some(one?.as_secs_f64() / other.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(rate: f64, server: u64, database: Option<u64>) -> Summary {
        Summary {
            calls: 100,
            rate,
            median: Duration::from_millis(2),
            p99: Duration::from_millis(8),
            steady_p99: Some(Duration::from_millis(5)),
            slowed: 0.03,
            touched: 0.1,
            server: Some(Duration::from_micros(server)),
            database: database.map(Duration::from_micros),
        }
    }

    fn report() -> Report {
        let row = |what, connections, paced, beside| Row {
            what,
            caa_reuse: Some("8h"),
            connections,
            paced,
            summary: summary(2_000.0, 600, Some(200)),
            beside,
        };
        let others = || {
            let slow = summary(1_000.0, 1_600, None);
            let fast = summary(4_000.0, 400, None);
            vec![("slow".to_owned(), slow), ("fast".to_owned(), fast)]
        };
        Report {
            floor: Floor {
                verify: Duration::from_micros(60),
                sign: Duration::from_micros(40),
            },
            start: Start {
                answered: Duration::from_millis(120),
                memory: 42 * MEBIBYTE,
            },
            seconds: 3,
            database: "PostgreSQL 15.18".to_owned(),
            rows: vec![
                row("reissue", 1, false, others()),
                row("reissue", 32, false, others()),
                row("reissue", 32, true, Vec::new()),
            ],
        }
    }

    #[test]
    fn the_tables_tell_the_loads_and_the_ratios() {
        let lines = report().lines();
        let text = lines.join("\n");
        assert!(text.starts_with("PostgreSQL 15.18, "), "{text}");
        assert!(
            text.contains("0.060 ms + sign 0.040 ms = 0.100 ms"),
            "{text}"
        );
        assert!(
            text.contains("120 ms from its start to its first answer, 42 MiB at rest."),
            "{text}"
        );
        assert!(text.contains("slower than usual: 3.0 %;"), "{text}");
        assert!(text.contains("leaves out: 10 %."), "{text}");
        let cells = |line: &str| -> Vec<String> {
            let cells = line.trim_matches('|').split('|');
            cells.map(|cell| cell.trim().to_owned()).collect()
        };
        let tables: Vec<Vec<String>> = lines
            .iter()
            .filter(|line| line.starts_with('|'))
            .map(|line| cells(line))
            .collect();
        let load = [
            "reissue", "8h", "1", "2,000", "2.00", "8.00", "5.00", "0.600", "6.00", "0.200",
        ];
        assert_eq!(tables[2], load);
        assert_eq!(tables[4][0], "reissue, half that rate");
        // Those of one server stand together; the processor time of the database counts in the comparison.
        let fast = [
            "fast", "8h", "1", "2,000", "4,000", "0.500", "8.00", "8.00", "1.00", "0.800", "0.400",
            "2.00",
        ];
        assert_eq!(tables[7], fast);
        let slow = [
            "slow", "8h", "32", "2,000", "1,000", "2.00", "8.00", "8.00", "1.00", "0.800", "1.60",
            "0.500",
        ];
        assert_eq!(tables[10], slow);
        assert_eq!(tables.len(), 11);
    }

    #[test]
    fn json_has_the_same_figures() {
        let json = report().json();
        assert_eq!(json["database"], "PostgreSQL 15.18");
        assert_eq!(json["startMs"], 120.0);
        assert_eq!(json["restBytes"], 42 << 20);
        let row = &json["rows"][0];
        assert_eq!(row["figures"]["callsPerSecond"], 2_000.0);
        assert_eq!(row["figures"]["databaseCpuMs"], 0.2);
        assert_eq!(row["beside"][0]["name"], "slow");
        assert_eq!(row["beside"][0]["rateRatio"], 2.0);
        assert_eq!(row["beside"][0]["cpuRatio"], 0.5);
        assert_eq!(json["rows"][2]["speed"], "half");
    }

    #[test]
    fn nothing_is_compared_with_what_is_not_known() {
        let one = Some(Duration::from_millis(1));
        assert_eq!(ratio(one, None), None);
        assert_eq!(ratio(None, one), None);
        assert_eq!(ratio(one, Some(Duration::ZERO)), None);
        let mut report = report();
        report.rows.truncate(1);
        report.rows[0].beside.clear();
        report.rows[0].summary.database = None;
        let lines = report.lines();
        let tables = lines.iter().filter(|line| line.starts_with('|')).count();
        assert_eq!(tables, 3, "{lines:?}");
        assert!(lines.last().unwrap().ends_with("– |"), "{lines:?}");
    }
}
