//! The figures of a campaign.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::super::server::Server;
use super::super::table::{Table, figure};
use super::LOOKED_AT;

const MEBIBYTE: u64 = 1 << 20;

/// How a server stood at a moment.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Moment {
    /// Since what is measured began.
    after: Duration,
    /// Processor time that it used since then.
    processor: Duration,
    /// Bytes.
    memory: u64,
}

impl Moment {
    /// Now, of what began at `begun` when the server had used `used`.
    pub(super) fn of(server: &Server, begun: Instant, used: Duration) -> anyhow::Result<Self> {
        Ok(Self {
            after: begun.elapsed(),
            processor: server.processes().processor_time()?.saturating_sub(used),
            memory: server.memory()?,
        })
    }
}

#[derive(Default)]
pub(super) struct Report {
    pub(super) certificates: u32,
    /// Memory before anything was asked, bytes.
    pub(super) at_rest: u64,
    pub(super) planned: Moment,
    /// When all certificates of the campaign were known.
    pub(super) collected: Moment,
    /// At [`LOOKED_AT`].
    pub(super) moments: Vec<Moment>,
    pub(super) ended: Moment,
}

impl Report {
    /// Certificates a second, from the beginning to the end.
    fn rate(&self) -> f64 {
        f64::from(self.certificates) / self.ended.after.as_secs_f64()
    }

    /// Processor time for one certificate, ms.
    fn each(&self) -> f64 {
        self.ended.processor.as_secs_f64() * 1e3 / f64::from(self.certificates)
    }

    /// Lines that are Markdown.
    pub(super) fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!(
            "{} certificates, each reissued once: {} a second, {} ms of the server's processor time each; server at rest \
             {} MiB.",
            figure(self.certificates.into()),
            figure(self.rate()),
            figure(self.each()),
            self.at_rest / MEBIBYTE
        )];
        if cfg!(debug_assertions) {
            lines.push("**A build without optimization: not what a release costs.**".to_owned());
        }
        lines.push(String::new());
        lines.extend(self.moments().lines());
        lines
    }

    fn moments(&self) -> Table {
        let mut table = Table::new(&["until"], &["s", "CPU s", "server MiB"]);
        let mut add = |what: String, moment: &Moment| {
            table.add([
                what,
                figure(moment.after.as_secs_f64()),
                figure(moment.processor.as_secs_f64()),
                (moment.memory / MEBIBYTE).to_string(),
            ]);
        };
        add("plan, by itself".to_owned(), &self.planned);
        add("collected".to_owned(), &self.collected);
        for (percent, moment) in LOOKED_AT.iter().zip(&self.moments) {
            add(format!("{percent} % done"), moment);
        }
        add("end".to_owned(), &self.ended);
        table
    }

    pub(super) fn json(&self) -> Value {
        let moment = |moment: &Moment| {
            json!({
                "seconds": moment.after.as_secs_f64(),
                "serverCpuSeconds": moment.processor.as_secs_f64(),
                "serverBytes": moment.memory,
            })
        };
        let done: Vec<Value> = LOOKED_AT
            .iter()
            .zip(&self.moments)
            .map(|(percent, at)| json!({ "percent": percent, "at": moment(at) }))
            .collect();
        json!({
            "optimized": !cfg!(debug_assertions),
            "certificates": self.certificates,
            "serverBytesAtRest": self.at_rest,
            "plan": moment(&self.planned),
            "collected": moment(&self.collected),
            "done": done,
            "end": moment(&self.ended),
            "certificatesPerSecond": self.rate(),
            "serverCpuMs": self.each(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_campaign_is_told_with_its_rate_and_its_moments() {
        let moment = |seconds, memory| Moment {
            after: Duration::from_secs(seconds),
            processor: Duration::from_secs(seconds * 2),
            memory: memory * MEBIBYTE,
        };
        let report = Report {
            certificates: 50_000,
            at_rest: 40 * MEBIBYTE,
            planned: moment(1, 41),
            collected: moment(2, 42),
            moments: vec![moment(5, 43), moment(12, 44), moment(24, 45)],
            ended: moment(25, 46),
        };
        let text = report.lines().join("\n");
        let told = "50,000 certificates, each reissued once: 2,000 a second, 1.00 ms";
        assert!(text.starts_with(told), "{text}");
        assert!(
            text.contains("| 50 % done       | 12.0 |  24.0 |         44 |"),
            "{text}"
        );
        assert!(
            text.ends_with("| end             | 25.0 |  50.0 |         46 |"),
            "{text}"
        );
    }
}
