//! The figures of each size beside those of the smallest.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::load::Summary;
use super::super::millis;
use super::super::table::{Table, figure};

/// A curve counts as flat up to this.
const FLAT: f64 = 1.5;
const MEBIBYTE: u64 = 1 << 20;

/// One measurement.
pub(super) struct Row {
    pub(super) what: &'static str,
    pub(super) connections: usize,
    pub(super) summary: Summary,
}

/// Everything measured over a store.
pub(super) struct Size {
    pub(super) certificates: u32,
    /// Of its database, where that is a file.
    pub(super) octets: Option<u64>,
    /// The server's memory before anything was asked and after everything was, bytes.
    pub(super) idle: u64,
    pub(super) busy: u64,
    pub(super) rows: Vec<Row>,
}

pub(super) struct Report {
    sizes: Vec<Size>,
    seconds: u64,
}

impl Report {
    /// `sizes` with the smallest first.
    pub(super) fn new(sizes: Vec<Size>, seconds: u64) -> Self {
        Self { sizes, seconds }
    }

    /// How a row stands to that of the smallest store that has it: time and processor time for one call.
    fn ratios(&self, row: &Row) -> Option<(f64, f64)> {
        let all = self.sizes.iter().flat_map(|size| &size.rows);
        let first = all.into_iter().find(|other| other.what == row.what)?;
        let processor = |row: &Row| used(row).as_secs_f64();
        Some((
            first.summary.rate / row.summary.rate,
            processor(row) / processor(first),
        ))
    }

    /// Lines that are Markdown.
    pub(super) fn lines(&self) -> Vec<String> {
        let mut lines = vec![
            format!(
                "{}, each commit on the disk before its answer; {} s a row. CPU: processor time of the server for one call.",
                self.database(),
                self.seconds
            ),
            "\"Time ×\" and \"CPU ×\" are to the smallest store that has the row; * is beyond 1.5."
                .to_owned(),
        ];
        if cfg!(debug_assertions) {
            lines.push("**A build without optimization: not what a release costs.**".to_owned());
        }
        for table in [self.stores(), self.curves()] {
            lines.push(String::new());
            lines.extend(table.lines());
        }
        lines
    }

    /// A file is SQLite's.
    fn database(&self) -> &'static str {
        let is_file = self.sizes.iter().any(|size| size.octets.is_some());
        if is_file { "SQLite" } else { "PostgreSQL" }
    }

    fn stores(&self) -> Table {
        let mut table = Table::new(
            &[],
            &[
                "certificates",
                "database MiB",
                "server at rest MiB",
                "server at the end MiB",
            ],
        );
        for size in &self.sizes {
            let mebibytes = |octets: u64| (octets / MEBIBYTE).to_string();
            let database = size.octets.map(mebibytes);
            table.add([
                figure(size.certificates.into()),
                database.unwrap_or_else(|| "–".to_owned()),
                mebibytes(size.idle),
                mebibytes(size.busy),
            ]);
        }
        table
    }

    /// What was measured over several stores stands below each other.
    fn curves(&self) -> Table {
        let mut table = Table::new(
            &["what"],
            &[
                "connections",
                "certificates",
                "calls/s",
                "p50 ms",
                "p99 ms",
                "CPU ms",
                "time ×",
                "CPU ×",
            ],
        );
        let mut order: Vec<&str> = Vec::new();
        for row in self.sizes.iter().flat_map(|size| &size.rows) {
            if !order.contains(&row.what) {
                order.push(row.what);
            }
        }
        for what in order {
            for size in &self.sizes {
                let rows = size.rows.iter().filter(|row| row.what == what);
                rows.for_each(|row| table.add(self.cells(size.certificates, row)));
            }
        }
        table
    }

    fn cells(&self, certificates: u32, row: &Row) -> [String; 9] {
        let (time, processor) = self.ratios(row).unwrap_or((1.0, 1.0));
        let marked = |ratio: f64| {
            let mark = if ratio <= FLAT { "" } else { " *" };
            format!("{ratio:.2}{mark}")
        };
        [
            row.what.to_owned(),
            row.connections.to_string(),
            figure(certificates.into()),
            figure(row.summary.rate),
            figure(millis(row.summary.median)),
            figure(millis(row.summary.p99)),
            figure(millis(used(row))),
            marked(time),
            marked(processor),
        ]
    }

    pub(super) fn json(&self) -> Value {
        let row = |row: &Row| {
            let (time, processor) = self.ratios(row).unwrap_or((1.0, 1.0));
            json!({
                "what": row.what,
                "connections": row.connections,
                "calls": row.summary.calls,
                "callsPerSecond": row.summary.rate,
                "p50Ms": millis(row.summary.median),
                "p99Ms": millis(row.summary.p99),
                "serverCpuMs": millis(used(row)),
                "timeToSmallest": time,
                "cpuToSmallest": processor,
                "flat": is_flat(time, processor),
            })
        };
        let sizes: Vec<Value> = self
            .sizes
            .iter()
            .map(|size| {
                json!({
                    "certificates": size.certificates,
                    "databaseBytes": size.octets,
                    "serverBytesAtRest": size.idle,
                    "serverBytesAtEnd": size.busy,
                    "rows": size.rows.iter().map(row).collect::<Vec<_>>(),
                })
            })
            .collect();
        json!({
            "optimized": !cfg!(debug_assertions),
            "seconds": self.seconds,
            "sizes": sizes,
        })
    }
}

fn is_flat(time: f64, processor: f64) -> bool {
    time <= FLAT && processor <= FLAT
}

/// Of the server for one call; its process is one that can be seen.
fn used(row: &Row) -> Duration {
    row.summary.processor().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(certificates: u32, rate: f64, processor: u64) -> Size {
        let summary = Summary::sample(rate, Duration::from_micros(processor));
        Size {
            certificates,
            octets: Some(1),
            idle: 1,
            busy: 1,
            rows: vec![Row {
                what: "reissue",
                connections: 1,
                summary,
            }],
        }
    }

    #[test]
    fn what_grows_beyond_half_as_much_again_is_marked() {
        let sizes = vec![size(10, 100.0, 10), size(20, 70.0, 15), size(30, 50.0, 10)];
        let report = Report::new(sizes, 5);
        let lines = report.lines();
        let marked: Vec<bool> = lines
            .iter()
            .filter(|line| line.starts_with("| reissue"))
            .map(|line| line.contains('*'))
            .collect();
        assert_eq!(marked, [false, false, true]);
        let json = report.json();
        assert_eq!(json["sizes"][2]["rows"][0]["timeToSmallest"], 2.0);
        assert_eq!(json["sizes"][2]["rows"][0]["flat"], false);
    }
}
