//! Climbing the tree (RFC 8659 section 3, S-8, S-9).

use jiff::Timestamp;
use reseal_pki::name::DnsName;

use super::{CaaObservation, CaaOutcome, CaaRecord, CaaSet};
use crate::dns::{DnsAnswer, DnsOutcome, FailureCause, RecordKind, Resolver};

/// Asks for CAA at the name and at each parent, the top-level domain included, until a record set
/// is found. A level that fails is asked once more; if it fails again, so does the whole: what
/// stands above it must not be used (S-9, S-17).
pub(crate) async fn climb(resolver: &Resolver, name: &DnsName) -> CaaObservation {
    let at = Timestamp::now();
    let mut levels = Vec::new();
    let mut outcome = CaaOutcome::None;
    let mut relevant = None;
    let mut ttl = None;
    let mut level = Some(name.fqdn());
    while let Some(asked) = level {
        let mut answer = resolver.lookup(asked, RecordKind::Caa).await;
        if !answer.is_usable() {
            levels.push(answer);
            answer = resolver.lookup(asked, RecordKind::Caa).await;
        }
        let found = CaaRecord::all(&answer);
        let failed = failure(&answer, asked);
        let shortest = answer.records.iter().map(|record| record.ttl).min();
        levels.push(answer.trimmed(|_| false));
        if let Some(failed) = failed {
            outcome = failed;
            break;
        }
        if !found.is_empty() {
            outcome = CaaOutcome::Found;
            ttl = shortest;
            relevant = Some(CaaSet {
                found_at: asked.to_owned(),
                records: found,
            });
            break;
        }
        level = asked.split_once('.').map(|(_, parent)| parent);
    }
    CaaObservation {
        name: name.fqdn().to_owned(),
        levels,
        relevant,
        outcome,
        ttl,
        at,
    }
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
