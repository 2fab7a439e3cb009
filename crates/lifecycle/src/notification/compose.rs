//! From what a step records to what the customer is told. Pure: the same events give the same words.

use jiff::Timestamp;
use reseal_pki::profile::ValidationType;
use serde_json::json;

use super::{Notification, Occasion};
use crate::event::{Event, EventKind};
use crate::process::{Action, Check, Process};

/// Names that one notification explains; a certificate can have hundreds.
const MOST_EXPLAINED: usize = 25;

/// The notifications that belong to a step of `process`, which stands as the step leaves it.
pub(crate) fn of_step(process: &Process, events: &[Event]) -> Vec<Notification> {
    let mut told: Vec<Notification> = Vec::new();
    let mut open: Vec<Problem<'_>> = Vec::new();
    let mut objections: Vec<(Check, &str)> = Vec::new();
    let mut proved = None;
    for Event { at, kind } in events {
        match kind {
            EventKind::Accepted { .. } => told.push(accepted(process, *at)),
            EventKind::AttentionNeeded {
                name,
                expected,
                seen,
                advice,
            } => open.push(Problem {
                name,
                expected,
                seen,
                advice,
            }),
            EventKind::CheckNeedsAttention { check, reason, .. } => {
                objections.push((*check, reason));
            }
            EventKind::Proved { .. }
            | EventKind::CheckApproved { .. }
            | EventKind::AgreementAnswered { accepted: true, .. } => {
                proved = Some(process.updated);
            }
            EventKind::Issued { not_after, .. } => told.push(issued(process, *not_after, *at)),
            EventKind::Replaced {
                certificate,
                status,
                revocation_scheduled_at,
            } => {
                if let Some(issued) = told.last_mut() {
                    add_replaced(issued, *certificate, status, *revocation_scheduled_at);
                }
            }
            EventKind::Failed { reason } => told.push(ended(
                process,
                Occasion::Failed,
                &format!("failed: {reason}"),
                Some(reason),
                *at,
            )),
            EventKind::Cancelled { user } => told.push(ended(
                process,
                Occasion::Cancelled,
                &format!("was cancelled by {user}"),
                None,
                *at,
            )),
            EventKind::Revoked {
                certificate, note, ..
            } => told.push(revoked(process, *certificate, note.as_deref(), *at)),
            _ => {}
        }
    }
    if process.is_open() {
        told.extend(attention(process, &open));
        told.extend(objected(process, &objections));
        told.extend(proved.and_then(|at| validated(process, at)));
    }
    told
}

/// A name that keeps the process from going on.
struct Problem<'a> {
    name: &'a str,
    expected: &'a str,
    seen: &'a str,
    advice: &'a str,
}

fn new(process: &Process, occasion: Occasion, at: Timestamp) -> Notification {
    let order = process.work().map(|work| &work.order);
    let mut told = Notification {
        product: order.map(|order| order.product.clone()),
        validation: order.map(|order| order.validation),
        status_detail: process.status_detail().map(str::to_owned),
        ..Notification::new(&process.customer, occasion, &process.identifier, at)
    };
    let action = process.action.as_str();
    told.payload.insert("action".to_owned(), json!(action));
    told
}

/// What was asked for, as the beginning of a sentence.
fn subject(process: &Process) -> String {
    let name = &process.identifier;
    match process.action {
        Action::Request => format!("The request for a certificate for {name}"),
        Action::Reissue => format!("The reissue of the certificate for {name}"),
        Action::Renew => format!("The renewal of the certificate for {name}"),
        Action::Revoke => format!("The revocation of the certificate for {name}"),
        Action::Import => format!("The import of a certificate for {name}"),
    }
}

fn accepted(process: &Process, at: Timestamp) -> Notification {
    let mut told = new(process, Occasion::Accepted, at);
    told.message = format!("{} was accepted.", subject(process));
    if let Some(source) = process.source {
        told.payload.insert("source".to_owned(), json!(source));
    }
    told
}

fn attention(process: &Process, open: &[Problem<'_>]) -> Option<Notification> {
    let first = open.first()?;
    let mut told = new(process, Occasion::AttentionNeeded, process.updated);
    let more = match open.len() - 1 {
        0 => String::new(),
        1 => " One more name needs attention too.".to_owned(),
        more => format!(" {more} more names need attention too."),
    };
    told.message = format!(
        "{} needs your attention: for {}, expected {}; saw {}. {}{more}",
        subject(process),
        first.name,
        first.expected,
        first.seen,
        first.advice
    );
    let names: Vec<_> = open
        .iter()
        .take(MOST_EXPLAINED)
        .map(|problem| {
            json!({
                "commonName": problem.name,
                "expected": problem.expected,
                "seen": problem.seen,
                "advice": problem.advice,
            })
        })
        .collect();
    told.payload.insert("names".to_owned(), json!(names));
    told.payload.insert("count".to_owned(), json!(open.len()));
    Some(told)
}

/// What is in the way of the organization's validation.
fn objected(process: &Process, objections: &[(Check, &str)]) -> Option<Notification> {
    let (_, reason) = objections.first()?;
    let mut told = new(process, Occasion::AttentionNeeded, process.updated);
    let what: Vec<_> = objections
        .iter()
        .map(|(check, _)| check.in_words())
        .collect();
    told.message = format!(
        "{} needs your attention: the validation of {}: {reason}",
        subject(process),
        what.join(", "),
    );
    told.reason = Some((*reason).to_owned());
    let checks: Vec<_> = objections
        .iter()
        .map(|(check, reason)| json!({ "check": check, "reason": reason }))
        .collect();
    told.payload.insert("checks".to_owned(), json!(checks));
    Some(told)
}

/// Only when the step proved the last thing that was open. Proofs that were there before are no news.
fn validated(process: &Process, at: Timestamp) -> Option<Notification> {
    let work = process.work()?;
    if !work.all_proved() || !work.organization_done() {
        return None;
    }
    let mut told = new(process, Occasion::Validated, at);
    let organization = match work.order.validation {
        ValidationType::Domain => "",
        ValidationType::Organization | ValidationType::Extended => ", and so is the organization",
    };
    told.message = format!(
        "{} is validated: control of every name is proved{organization}.",
        subject(process)
    );
    Some(told)
}

fn issued(process: &Process, not_after: Timestamp, at: Timestamp) -> Notification {
    let mut told = new(process, Occasion::Issued, at);
    told.message = format!(
        "The certificate for {} was issued. It is valid until {not_after:.0}.",
        process.identifier
    );
    told.expires = Some(not_after);
    told
}

/// What became of the certificate before: a revocation to come breaks whatever still uses it.
fn add_replaced(
    issued: &mut Notification,
    certificate: i64,
    status: &str,
    revocation: Option<Timestamp>,
) {
    let mut replaced = json!({ "certificateId": certificate, "status": status });
    let what_follows = match revocation {
        Some(at) => {
            replaced["revocationDate"] = json!(format!("{at:.0}"));
            format!(", which will be revoked at {at:.0}: install the new one before")
        }
        None => String::new(),
    };
    let sentence = format!(" It replaces certificate {certificate}{what_follows}.");
    issued.message.push_str(&sentence);
    issued.payload.insert("replaced".to_owned(), replaced);
}

fn ended(
    process: &Process,
    occasion: Occasion,
    how: &str,
    reason: Option<&str>,
    at: Timestamp,
) -> Notification {
    Notification {
        message: format!("{} {how}.", subject(process)),
        reason: reason.map(str::to_owned),
        ..new(process, occasion, at)
    }
}

fn revoked(process: &Process, certificate: i64, note: Option<&str>, at: Timestamp) -> Notification {
    // The message is a sentence; what was written over several lines stands whole in `reason`.
    let in_one_line = |note: &str| note.split_whitespace().collect::<Vec<_>>().join(" ");
    let why = note
        .map(|note| format!(": {}", in_one_line(note)))
        .unwrap_or_default();
    Notification {
        message: format!(
            "Certificate {certificate} for {} was revoked{why}.",
            process.identifier
        ),
        reason: note.map(str::to_owned),
        certificate: Some(certificate),
        ..new(process, Occasion::Revoked, at)
    }
}

#[cfg(test)]
mod tests;
