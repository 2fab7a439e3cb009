//! `reseal revocation …`: what has to be revoked by when, straight in the database. A running server revokes what is
//! scheduled.

use std::path::Path;

use anyhow::{anyhow, bail};
use jiff::Timestamp;
use reseal_lifecycle::compromise::{
    Affected, Cause, CompromiseStore as _, DueRevocation, Duty, RevocationOrder, order_revocation,
};
use reseal_lifecycle::error::Error;
use serde_json::{Value, json};

use crate::args::Order;
use crate::console;
use crate::house::House;

/// Lists everything whose revocation is scheduled, the soonest first.
pub(crate) async fn due(data: &Path, config: Option<&Path>, as_json: bool) -> anyhow::Result<()> {
    let house = House::open(data, config)?;
    let now = house.clock.now();
    let found = house.store.scheduled_revocations().await?;
    if as_json {
        let list: Value = found.iter().map(|due| object(due, now)).collect();
        console::line(serde_json::to_string_pretty(&list)?);
        return Ok(());
    }
    for due in &found {
        console::line(line(due, now));
    }
    Ok(())
}

/// Orders the revocation of certificates; prints what will be revoked when.
pub(crate) async fn order(data: &Path, config: Option<&Path>, order: Order) -> anyhow::Result<()> {
    let house = House::open(data, config)?;
    let now = house.clock.now();
    let received = order.received.unwrap_or(now);
    let duty = Duty::of(order.cause, received, &order.reason);
    let deadline = duty.deadline;
    let moment = match order.at {
        Some(at) if at > deadline => bail!(
            "--at: {at:.0} is too late: `{}` leaves until {deadline:.0}",
            order.cause
        ),
        Some(at) if at < now => bail!("--at: {at:.0} is in the past; say `--now`"),
        Some(at) => at,
        None if order.now => now,
        None if order.cause == Cause::KeyCompromise => {
            duty.moment(house.config.policy.revoke_compromised_after)
        }
        None => duty.usual_moment(),
    };
    let order = RevocationOrder {
        certificates: order.certificates,
        duty,
        moment,
        actor: console::actor(),
        at: now,
    };
    let affected = order_revocation(&house.store, order).await;
    let affected = affected.map_err(in_words)?;
    if affected.is_empty() {
        console::line("nothing is new: each will be revoked as early already");
    }
    tell(&affected);
    Ok(())
}

/// A line for each certificate that has to go.
pub(crate) fn tell(affected: &[Affected]) {
    for one in affected {
        console::line(format!(
            "certificate {} of {} for {} will be revoked at {:.0}; it must be by {:.0}",
            one.certificate, one.customer, one.domain_name, one.scheduled, one.deadline
        ));
    }
}

/// A refusal, with the option that it is about.
pub(crate) fn in_words(error: Error) -> anyhow::Error {
    match error.violations.first() {
        Some(violation) => anyhow!("--{}: {}", violation.field, violation.message),
        None => anyhow!(error),
    }
}

fn cause(due: &DueRevocation) -> &str {
    due.duty
        .as_ref()
        .map_or("replaced by a reissue", |duty| duty.cause.as_str())
}

/// Moment, deadline, certificate, customer, name, cause with its ground; with tabs between.
fn line(due: &DueRevocation, now: Timestamp) -> String {
    let overdue = if due.is_overdue(now) { "OVERDUE" } else { "" };
    let ground = due.duty.as_ref().map(|duty| format!("{}: ", duty.ground));
    format!(
        "{:.0}\t{:.0}\t{overdue}\t{}\t{}\t{}\t{}{}",
        due.scheduled,
        due.deadline(),
        due.certificate,
        due.customer,
        due.domain_name,
        ground.unwrap_or_default(),
        cause(due)
    )
}

fn object(due: &DueRevocation, now: Timestamp) -> Value {
    let shown = |moment: Timestamp| format!("{moment:.0}");
    let mut object = json!({
        "certificateId": due.certificate,
        "customer": due.customer,
        "domainName": due.domain_name,
        "serial": hex::encode(&due.serial),
        "expiryDate": shown(due.not_after),
        "revocationDate": shown(due.scheduled),
        "deadline": shown(due.deadline()),
        "overdue": due.is_overdue(now),
        "cause": cause(due),
    });
    if let Some(duty) = &due.duty {
        object["receivedDate"] = shown(duty.received).into();
        object["deadline24h"] = shown(duty.deadline_24h).into();
        object["deadline5d"] = shown(duty.deadline_5d).into();
        object["ground"] = json!(duty.ground);
        object["reason"] = json!(duty.reason);
    }
    object
}
