//! `reseal validation …`: what waits for an operator, and what the operator says, straight in the database. A running
//! server goes on with a decided process within a second.

use std::path::Path;

use anyhow::{anyhow, bail};
use jiff::Timestamp;
use reseal_lifecycle::audit::{AuditEntry, AuditStore as _};
use reseal_lifecycle::customer::Scope;
use reseal_lifecycle::process::{Approver, Check, CheckState, Process, ProcessId, Work};
use reseal_lifecycle::query::{ValidationField, ValidationQuery};
use reseal_lifecycle::store::Store as _;
use reseal_lifecycle::vetting::{Decision, VettingStore as _, decide};
use reseal_pki::name::DnsName;
use serde_json::Value;

use crate::console;
use crate::house::House;

/// Lists every process that waits, the oldest first: a line each, fields separated by tabs.
pub(crate) async fn list(data: &Path, config: Option<&Path>) -> anyhow::Result<()> {
    let query = ValidationQuery {
        limit: None,
        order: vec![(ValidationField::Process, false)],
        ..ValidationQuery::default()
    };
    let house = House::open(data, config)?;
    for process in house.store.validations(&query).await?.entities {
        let Some(work) = process.work() else { continue };
        let fields = [
            process.id.to_string(),
            process.customer.clone(),
            work.order.product.clone(),
            process.identifier.clone(),
            organization(work),
            address(work),
            work.order.approver.as_ref().map(person).unwrap_or_default(),
            work.vetting
                .call
                .map(|at| format!("call {at:.0}"))
                .unwrap_or_default(),
            open(work),
        ];
        console::line(fields.map(|field| or_dash(&field)).join("\t"));
    }
    Ok(())
}

/// Shows one process with each of its checks, and what was decided about it.
pub(crate) async fn show(data: &Path, config: Option<&Path>, id: ProcessId) -> anyhow::Result<()> {
    let house = House::open(data, config)?;
    let process = house.store.process(&Scope::Everything, id).await?;
    let found = process.as_ref().and_then(|process| {
        let work = process.work()?;
        work.checks().next().map(|_| (process, work))
    });
    let Some((process, work)) = found else {
        bail!("process {id} has nothing to validate: `reseal validation list` shows what waits");
    };
    for (name, text) in facts(process, work) {
        console::line(format!("{name:<13}{}", or_dash(&text)));
    }
    for (check, state) in work.checks() {
        console::line(format!("{:<13}{}", check.as_str(), in_words(state)));
    }
    let decisions = house.store.audit_of(&AuditEntry::process(id)).await?;
    for entry in decisions {
        console::line(decision(&entry));
    }
    Ok(())
}

/// Records what an operator says; prints how the process stands.
pub(crate) async fn say(
    data: &Path,
    config: Option<&Path>,
    id: ProcessId,
    decision: &Decision,
) -> anyhow::Result<()> {
    let house = House::open(data, config)?;
    let now = house.clock.now();
    let process = decide(&house.store, &console::actor(), id, decision, now, None)
        .await
        .map_err(|error| anyhow!("{}", refusal(&error)))?;
    let left = process.work().map(open).filter(|open| !open.is_empty());
    console::line(match left {
        _ if !process.is_open() => format!("process {id} is {}", process.status().as_str()),
        Some(left) => format!("process {id} still needs {left}"),
        None => format!("process {id} needs no more decisions"),
    });
    Ok(())
}

fn facts(process: &Process, work: &Work) -> Vec<(&'static str, String)> {
    let order = &work.order;
    let names: Vec<&str> = order.names.iter().map(DnsName::as_str).collect();
    let unproved = work.proofs.iter().filter(|proof| !proof.is_proved());
    let unproved: Vec<&str> = unproved.map(|proof| proof.name.as_str()).collect();
    vec![
        ("process", process.id.to_string()),
        ("status", process.status().as_str().to_owned()),
        ("customer", process.customer.clone()),
        ("asked by", process.user.clone()),
        ("product", order.product.clone()),
        ("names", names.join(", ")),
        ("unproved", unproved.join(", ")),
        ("organization", organization(work)),
        ("address", address(work)),
        (
            "approver",
            order.approver.as_ref().map(person).unwrap_or_default(),
        ),
        ("language", order.language.code().to_owned()),
        (
            "call",
            work.vetting
                .call
                .map(|at| format!("{at:.0}"))
                .unwrap_or_default(),
        ),
        ("agreement to", agreement(work)),
        (
            "agreed to by",
            work.vetting.signer.clone().unwrap_or_default(),
        ),
    ]
}

fn organization(work: &Work) -> String {
    let name = work.order.subject.as_ref();
    let name = name.map(|subject| subject.organization.clone());
    let coc = work.order.coc.as_ref().map(|coc| format!("({coc})"));
    [name, coc]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(" ")
}

fn address(work: &Work) -> String {
    let Some(subject) = &work.order.subject else {
        return String::new();
    };
    let parts = [
        subject.street.as_deref(),
        subject.postal_code.as_deref(),
        subject.locality.as_deref(),
        subject.state.as_deref(),
        Some(subject.country.as_str()),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn person(approver: &Approver) -> String {
    let title = approver.job_title.as_ref();
    let title = title.map(|title| format!(" ({title})")).unwrap_or_default();
    format!(
        "{} {}{title} <{}> {}",
        approver.first_name, approver.last_name, approver.email, approver.voice
    )
}

fn agreement(work: &Work) -> String {
    let Some(mail) = &work.vetting.agreement else {
        return String::new();
    };
    let sent = mail.sent.map_or_else(
        || "not sent yet".to_owned(),
        |at: Timestamp| format!("sent {at:.0}"),
    );
    format!("{}, {sent}", mail.address)
}

fn open(work: &Work) -> String {
    let open: Vec<&str> = work.open_checks().map(Check::as_str).collect();
    open.join(",")
}

fn in_words(state: &CheckState) -> String {
    match state {
        CheckState::Waiting => "WAITING".to_owned(),
        CheckState::Attention { reason } => format!("ATTENTION: {reason}"),
        CheckState::Validated {
            obtained,
            relied_on: None,
        } => format!("VALIDATED, obtained {obtained:.0}"),
        CheckState::Validated {
            obtained,
            relied_on: Some(process),
        } => format!("VALIDATED in process {process}, obtained {obtained:.0}"),
    }
}

fn decision(entry: &AuditEntry) -> String {
    let checks = entry.detail.get("checks").and_then(Value::as_array);
    let checks: Vec<&str> = checks
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let fields = [
        format!("{:.0}", entry.at),
        entry.actor.clone(),
        entry.action.clone(),
        checks.join(","),
        entry.reason.clone().unwrap_or_default(),
        entry.note.clone().unwrap_or_default(),
    ];
    fields.map(|field| or_dash(&field)).join("\t")
}

fn or_dash(text: &str) -> String {
    if text.is_empty() { "-" } else { text }.to_owned()
}

/// Every violation, in the words of the command line.
fn refusal(error: &reseal_lifecycle::Error) -> String {
    if error.violations.is_empty() {
        return error.to_string();
    }
    let lines = error.violations.iter().map(|violation| {
        let flag = match violation.field.as_str() {
            field if field.starts_with("checks") => "check",
            field => field,
        };
        format!("--{flag}: {}", violation.message)
    });
    lines.collect::<Vec<_>>().join("\n")
}
