//! What a check found, for people line by line and for programs as one JSON object.

use std::fmt::Write as _;
use std::process::ExitCode;

use reseal_validation::dns::{DnsAnswer, DnsOutcome, RecordValue, Security};
use reseal_validation::{FileObservation, FileOutcome};
use serde_json::{Map, Value};

use crate::console::{self, printable};

/// Characters of a word in front of a fact.
const LABEL_WIDTH: usize = 14;

/// What was found so far.
#[derive(Default)]
pub(super) struct Report {
    lines: Vec<String>,
    json: Map<String, Value>,
    holds: bool,
}

impl Report {
    pub(super) fn line(&mut self, text: impl Into<String>) {
        self.lines.push(text.into());
    }

    /// A line with a label.
    pub(super) fn fact(&mut self, label: &str, text: &str) {
        self.lines.push(format!("{label:<LABEL_WIDTH$}{text}"));
    }

    /// For programs only.
    pub(super) fn set(&mut self, key: &str, value: impl Into<Value>) {
        self.json.insert(key.to_owned(), value.into());
    }

    /// One answer of the DNS with its records.
    pub(super) fn answer(&mut self, answer: &DnsAnswer) {
        self.lines.extend(answer_lines(answer));
    }

    /// One fetch with its requests.
    pub(super) fn fetch(&mut self, observation: &FileObservation) {
        self.lines.extend(fetch_lines(observation));
    }

    /// The outcome, and whether the check `holds`.
    pub(super) fn end(&mut self, holds: bool, reason: &str) {
        self.holds = holds;
        self.lines.push(reason.to_owned());
        self.set("reason", reason);
    }

    /// Shows everything; the outcome is `key` of the JSON object.
    pub(super) fn show(mut self, key: &str, as_json: bool) -> anyhow::Result<ExitCode> {
        self.set(key, self.holds);
        if as_json {
            console::line(serde_json::to_string_pretty(&self.json)?);
        } else {
            for line in &self.lines {
                console::line(line);
            }
        }
        Ok(if self.holds {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}

fn answer_lines(answer: &DnsAnswer) -> Vec<String> {
    let outcome = match &answer.outcome {
        DnsOutcome::Records => match answer.records.len() + answer.omitted {
            1 => "1 record".to_owned(),
            several => format!("{several} records"),
        },
        DnsOutcome::NoRecords => "no such record".to_owned(),
        DnsOutcome::NoName => "the name does not exist".to_owned(),
        DnsOutcome::Failure { reason, .. } => format!("failed: {reason}"),
        DnsOutcome::Bogus { reason } => format!("bogus: {reason}"),
    };
    let security = match answer.security {
        Security::Secure => "DNSSEC: secure",
        Security::Insecure => "DNSSEC: provably unsigned",
        Security::NotChecked => "DNSSEC: not validated",
        Security::Indeterminate => "DNSSEC: cannot be established",
        Security::Bogus => "DNSSEC: bogus",
    };
    let mut lines = vec![format!(
        "  {} {}: {} ({security}, {} ms)",
        answer.name,
        answer.kind,
        printable(&outcome),
        answer.elapsed_ms
    )];
    lines.extend(answer.records.iter().map(|record| {
        let (kind, value) = match &record.value {
            RecordValue::A(_) => ("A", record.value.to_string()),
            RecordValue::Aaaa(_) => ("AAAA", record.value.to_string()),
            RecordValue::Cname(_) => ("CNAME", record.value.to_string()),
            RecordValue::Txt(text) => ("TXT", format!("\"{text}\"")),
            RecordValue::Caa { .. } => ("CAA", record.value.to_string()),
        };
        let owner = printable(&record.name);
        format!("    {owner} {} {kind} {}", record.ttl, printable(&value))
    }));
    if answer.omitted > 0 {
        lines.push(format!("    and {} more", answer.omitted));
    }
    lines
}

fn fetch_lines(observation: &FileObservation) -> Vec<String> {
    let mut lines = Vec::new();
    for hop in &observation.hops {
        let addresses: Vec<String> = hop.resolved.iter().map(ToString::to_string).collect();
        let mut line = format!("  GET {}", printable(&hop.url));
        if !addresses.is_empty() {
            let _ = write!(line, ", which has {}", addresses.join(", "));
        }
        if let Some(address) = hop.address {
            let _ = write!(line, ", from {address}");
        }
        if let Some(status) = hop.status {
            let _ = write!(line, ": status {status}");
        }
        if let Some(location) = &hop.location {
            let _ = write!(line, ", to {}", printable(location));
        }
        lines.push(line);
    }
    let end = match &observation.outcome {
        FileOutcome::Fetched => format!("body `{}`", observation.body_excerpt),
        FileOutcome::Status => return lines,
        FileOutcome::BadAnswer { reason }
        | FileOutcome::NoAddress { reason }
        | FileOutcome::Refused { reason }
        | FileOutcome::Unreachable { reason } => printable(reason),
    };
    lines.push(format!("    {end} ({} ms)", observation.elapsed_ms));
    lines
}
