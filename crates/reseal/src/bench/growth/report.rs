//! The figures of each size beside those of the smallest.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::load::Summary;

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

    pub(super) fn table(&self) -> Vec<String> {
        let mut lines = vec![
            format!(
                "{} s each; times in ms; CPU: the server's for one call",
                self.seconds
            ),
            "time×, CPU×: to the smallest store that has the row; * beyond 1.5".to_owned(),
        ];
        for size in &self.sizes {
            lines.push(String::new());
            let database = match size.octets {
                Some(octets) => format!("SQLite synchronous=FULL, {} MiB", octets / MEBIBYTE),
                None => "PostgreSQL".to_owned(),
            };
            lines.push(format!(
                "{} certificates, {database}, server {} MiB at rest, {} MiB at the end",
                size.certificates,
                size.idle / MEBIBYTE,
                size.busy / MEBIBYTE
            ));
            lines.push(format!(
                "{:<24} {:>5} {:>9} {:>8} {:>8} {:>8} {:>6} {:>6}",
                "what", "conns", "calls/s", "p50", "p99", "CPU", "time×", "CPU×"
            ));
            lines.extend(size.rows.iter().map(|row| self.line(row)));
        }
        if cfg!(debug_assertions) {
            lines.push("Built without optimization: figures to compare with nothing.".to_owned());
        }
        lines
    }

    fn line(&self, row: &Row) -> String {
        let (time, processor) = self.ratios(row).unwrap_or((1.0, 1.0));
        let mark = if is_flat(time, processor) { "" } else { " *" };
        format!(
            "{:<24} {:>5} {:>9.0} {:>8} {:>8} {:>8} {time:>6.2} {processor:>6.2}{mark}",
            row.what,
            row.connections,
            row.summary.rate,
            millis(row.summary.median),
            millis(row.summary.p99),
            millis(used(row)),
        )
    }

    pub(super) fn json(&self) -> Value {
        let row = |row: &Row| {
            let (time, processor) = self.ratios(row).unwrap_or((1.0, 1.0));
            json!({
                "what": row.what,
                "connections": row.connections,
                "calls": row.summary.calls,
                "callsPerSecond": row.summary.rate,
                "p50Ms": row.summary.median.as_secs_f64() * 1e3,
                "p99Ms": row.summary.p99.as_secs_f64() * 1e3,
                "serverCpuMs": used(row).as_secs_f64() * 1e3,
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

fn millis(duration: Duration) -> String {
    format!("{:.3}", duration.as_secs_f64() * 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(certificates: u32, rate: f64, processor: u64) -> Size {
        let summary = Summary {
            calls: 1,
            rate,
            median: Duration::from_millis(1),
            p99: Duration::from_millis(2),
            server: Some(Duration::from_micros(processor)),
            database: None,
        };
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
        let table = report.table();
        let marked: Vec<bool> = table
            .iter()
            .filter(|line| line.starts_with("reissue"))
            .map(|line| line.ends_with('*'))
            .collect();
        assert_eq!(marked, [false, false, true]);
        let json = report.json();
        assert_eq!(json["sizes"][2]["rows"][0]["timeToSmallest"], 2.0);
        assert_eq!(json["sizes"][2]["rows"][0]["flat"], false);
    }
}
