//! The DNS challenge (BR 3.2.2.4.7, D-28 to D-32): the contents as CNAME or TXT at the record.

use jiff::Timestamp;

use super::{
    answer::{DnsAnswer, DnsOutcome, FailureCause, RecordKind, RecordValue},
    resolver::Resolver,
};
use crate::{
    challenge::random_value,
    evidence::{Attempt, Evidence, Verdict, excerpt},
};

/// Looks for `contents` at `record`.
pub(crate) async fn attempt(resolver: &Resolver, record: &str, contents: &str) -> Attempt {
    let at = Timestamp::now();
    let mut answers = Vec::new();
    if may_be_alias(record) {
        answers.push(resolver.lookup(record, RecordKind::Cname).await);
    }
    if !answers.iter().any(|answer| carries(answer, contents)) {
        answers.push(resolver.lookup(record, RecordKind::Txt).await);
    }
    conclude(
        resolver,
        record,
        contents,
        answers,
        expected(record, contents),
        at,
    )
    .await
}

/// Looks for `contents` as the text of a TXT record at `record` (RFC 8555 section 8.4). An alias may lead to such a
/// record, and is none itself.
pub(crate) async fn attempt_text(resolver: &Resolver, record: &str, contents: &str) -> Attempt {
    let at = Timestamp::now();
    let answers = vec![resolver.lookup(record, RecordKind::Txt).await];
    let expected = format!("`{record}` TXT `{contents}`");
    conclude(resolver, record, contents, answers, expected, at).await
}

/// What the answers mean, after a look at whether they are given to any question.
async fn conclude(
    resolver: &Resolver,
    record: &str,
    contents: &str,
    mut answers: Vec<DnsAnswer>,
    expected: String,
    at: Timestamp,
) -> Attempt {
    let Judgement {
        verdict,
        seen,
        advice,
    } = judge(&expected, contents, &answers);
    let mut wildcard_answer = false;
    if verdict == Verdict::Proved
        && let Some(found) = answers.last()
        && let Some(sibling) = sibling(record)
    {
        let sibling = resolver.lookup(&sibling, found.kind).await;
        wildcard_answer = carries(&sibling, contents);
        if wildcard_answer {
            answers.push(sibling);
        }
    }
    let answers = answers
        .into_iter()
        .map(|answer| answer.trimmed(|record| matches(&record.value, contents)))
        .collect();
    Attempt {
        verdict,
        expected,
        seen,
        advice,
        evidence: Evidence::Dns {
            answers,
            wildcard_answer,
        },
        at,
    }
}

struct Judgement {
    verdict: Verdict,
    seen: String,
    advice: String,
}

/// The verdict over the answers, which are about CNAME and, if that proved nothing, TXT.
fn judge(expected: &str, contents: &str, answers: &[DnsAnswer]) -> Judgement {
    let seen = answers.iter().map(describe).collect::<Vec<_>>().join("; ");
    let (verdict, advice) = if answers.iter().any(|answer| carries(answer, contents)) {
        (Verdict::Proved, String::new())
    } else if let Some(obstacle) = obstacle(answers) {
        obstacle
    } else {
        (Verdict::NotYet, format!("Publish {expected}."))
    };
    Judgement {
        verdict,
        seen,
        advice,
    }
}

/// What keeps the answers from saying anything, and what to do about it.
pub(crate) fn obstacle(answers: &[DnsAnswer]) -> Option<(Verdict, String)> {
    if let Some(reason) = answers.iter().find_map(bogus_reason) {
        let advice = format!("Repair DNSSEC of the zone: {reason}.");
        return Some((Verdict::Refused, advice));
    }
    answers.iter().any(is_outage).then(|| {
        let advice = "The name servers of the zone do not answer properly; the check is repeated.";
        (Verdict::Unreachable, advice.to_owned())
    })
}

/// Only a name made for validation may be an alias to the contents: at a name that is itself in
/// use, an alias would replace what is there.
fn may_be_alias(record: &str) -> bool {
    record.starts_with('_')
}

fn expected(record: &str, contents: &str) -> String {
    if may_be_alias(record) {
        format!("`{record}` CNAME `{contents}`, or a TXT record with the same contents")
    } else {
        format!("`{record}` TXT `{contents}`")
    }
}

/// Whether a usable answer carries the contents at the very name asked for: as alias target
/// there, or as any one of the TXT records (D-28).
pub(crate) fn carries(answer: &DnsAnswer, contents: &str) -> bool {
    if answer.outcome != DnsOutcome::Records {
        return false;
    }
    match answer.kind {
        RecordKind::Cname => answer
            .alias()
            .is_some_and(|target| same_name(target, contents)),
        _ => answer.texts().any(|text| same_text(text, contents)),
    }
}

pub(super) fn matches(value: &RecordValue, contents: &str) -> bool {
    match value {
        RecordValue::Cname(target) => same_name(target, contents),
        RecordValue::Txt(text) => same_text(text, contents),
        _ => false,
    }
}

fn same_name(left: &str, right: &str) -> bool {
    without_dot(left).eq_ignore_ascii_case(without_dot(right))
}

fn same_text(left: &str, right: &str) -> bool {
    without_dot(left) == without_dot(right)
}

fn without_dot(name: &str) -> &str {
    name.strip_suffix('.').unwrap_or(name)
}

fn bogus_reason(answer: &DnsAnswer) -> Option<&str> {
    match &answer.outcome {
        DnsOutcome::Bogus { reason } => Some(reason),
        _ => None,
    }
}

/// A broken alias chain is the customer's to mend; everything else that fails is an outage.
fn is_outage(answer: &DnsAnswer) -> bool {
    match &answer.outcome {
        DnsOutcome::Failure { cause, .. } => *cause != FailureCause::Chain,
        _ => false,
    }
}

/// An answer about CNAME, TXT or CAA in words.
pub(crate) fn describe(answer: &DnsAnswer) -> String {
    let kind = answer.kind;
    match &answer.outcome {
        DnsOutcome::NoName => format!("no {kind} record, the name does not exist"),
        DnsOutcome::NoRecords => format!("no {kind} record"),
        DnsOutcome::Failure { reason, .. } => format!("{kind}: {reason}"),
        DnsOutcome::Bogus { reason } => format!("{kind}: bogus, {reason}"),
        DnsOutcome::Records => {
            let values: Vec<&RecordValue> = answer
                .records
                .iter()
                .map(|record| &record.value)
                .filter(|value| {
                    kind == RecordKind::Cname || {
                        matches!(value, RecordValue::Txt(_) | RecordValue::Caa { .. })
                    }
                })
                .collect();
            let more = match values.len() {
                0 | 1 => String::new(),
                count => format!(" and {} more", count - 1),
            };
            let first = values.first().map(ToString::to_string).unwrap_or_default();
            format!("{kind} `{}`{more}", excerpt(first.as_bytes()))
        }
    }
}

/// A name beside `record` that nobody can have published on purpose.
pub(super) fn sibling(record: &str) -> Option<String> {
    let (_, parent) = record.split_once('.')?;
    Some(format!("_{}.{parent}", random_value().ok()?))
}

#[cfg(test)]
mod tests;
