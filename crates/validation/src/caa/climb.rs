//! Climbing the tree (RFC 8659 section 3, S-8, S-9).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use reseal_pki::name::DnsName;
use tokio::sync::OnceCell;

use super::{CaaObservation, CaaOutcome, CaaRecord, CaaSet};
use crate::dns::{DnsAnswer, DnsOutcome, FailureCause, RecordKind, Resolver};

/// The levels that were asked in one look at the names of one request: what is above several of them is asked once, and
/// everything that is concluded from it is of one moment. Never kept for the next look.
#[derive(Clone, Debug, Default)]
pub struct Levels(Arc<Mutex<HashMap<String, Arc<OnceCell<Level>>>>>);

/// What one level says.
#[derive(Clone, Debug)]
struct Level {
    /// The answer; before it the one that failed, if it was asked twice.
    answers: Vec<DnsAnswer>,
    found: Vec<CaaRecord>,
    /// Seconds for which all of them may be kept.
    ttl: Option<u32>,
    failed: Option<CaaOutcome>,
}

impl Levels {
    /// What `name` says, asked by whoever wants it first.
    async fn ask(&self, resolver: &Resolver, name: &str) -> Level {
        let cell = {
            let mut levels = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(levels.entry(name.to_owned()).or_default())
        };
        cell.get_or_init(|| Level::ask(resolver, name))
            .await
            .clone()
    }
}

impl Level {
    /// A level that fails is asked once more (S-9, S-17).
    async fn ask(resolver: &Resolver, name: &str) -> Self {
        let mut answers = Vec::new();
        let mut answer = resolver.lookup(name, RecordKind::Caa).await;
        if !answer.is_usable() {
            answers.push(answer);
            answer = resolver.lookup(name, RecordKind::Caa).await;
        }
        let found = CaaRecord::all(&answer);
        let ttl = answer.records.iter().map(|record| record.ttl).min();
        let failed = failure(&answer, name);
        answers.push(answer.trimmed(|_| false));
        Self {
            answers,
            found,
            ttl,
            failed,
        }
    }
}

/// Asks for CAA at the name and at each parent, the top-level domain included, until a record set
/// is found. If a level fails, so does the whole: what stands above it must not be used (S-9).
pub(crate) async fn climb(resolver: &Resolver, name: &DnsName, levels: &Levels) -> CaaObservation {
    let mut seen = CaaObservation {
        name: name.fqdn().to_owned(),
        levels: Vec::new(),
        relevant: None,
        outcome: CaaOutcome::None,
        ttl: None,
        at: Timestamp::now(),
    };
    let mut level = Some(name.fqdn());
    while let Some(asked) = level {
        let said = levels.ask(resolver, asked).await;
        seen.levels.extend(said.answers);
        if let Some(failed) = said.failed {
            seen.outcome = failed;
            break;
        }
        if !said.found.is_empty() {
            seen.outcome = CaaOutcome::Found;
            seen.ttl = said.ttl;
            seen.relevant = Some(CaaSet {
                found_at: asked.to_owned(),
                records: said.found,
            });
            break;
        }
        level = asked.split_once('.').map(|(_, parent)| parent);
    }
    seen
}

fn failure(answer: &DnsAnswer, level: &str) -> Option<CaaOutcome> {
    let at_level = level.to_owned();
    match &answer.outcome {
        DnsOutcome::Records | DnsOutcome::NoRecords | DnsOutcome::NoName => None,
        DnsOutcome::Bogus { reason }
        | DnsOutcome::Failure {
            cause: FailureCause::Malformed,
            reason,
        } => Some(CaaOutcome::Malformed {
            reason: reason.clone(),
            at_level,
        }),
        DnsOutcome::Failure { cause, reason } => Some(CaaOutcome::Failed {
            reason: reason.clone(),
            at_level,
            timeout: *cause == FailureCause::Timeout,
        }),
    }
}

#[cfg(test)]
mod tests;
