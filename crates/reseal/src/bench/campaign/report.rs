//! The figures of a campaign.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::super::server::Server;
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

    pub(super) fn table(&self) -> Vec<String> {
        let mut lines = vec![
            format!(
                "{} certificates, each reissued once; server at rest {} MiB",
                self.certificates,
                self.at_rest / MEBIBYTE
            ),
            line("plan", &self.planned),
            line("collected", &self.collected),
        ];
        for (percent, moment) in LOOKED_AT.iter().zip(&self.moments) {
            lines.push(line(&format!("{percent} % done"), moment));
        }
        lines.push(line("end", &self.ended));
        lines.push(format!(
            "{:.0} certificates a second, {:.3} ms of the server's processor time each",
            self.rate(),
            self.each()
        ));
        if cfg!(debug_assertions) {
            lines.push("Built without optimization: figures to compare with nothing.".to_owned());
        }
        lines
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

fn line(what: &str, moment: &Moment) -> String {
    format!(
        "{what:<12} {:>8.1} s {:>8.1} s CPU {:>6} MiB",
        moment.after.as_secs_f64(),
        moment.processor.as_secs_f64(),
        moment.memory / MEBIBYTE
    )
}
