//! `reseal revocation due`: what has to be revoked by when.

use std::path::Path;

use jiff::Timestamp;
use reseal_lifecycle::compromise::{CompromiseStore as _, DueRevocation};
use serde_json::{Value, json};

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

fn cause(due: &DueRevocation) -> &str {
    due.duty
        .as_ref()
        .map_or("replaced by a reissue", |duty| duty.cause.as_str())
}

/// Moment, deadline, certificate, customer, name, cause; with tabs between.
fn line(due: &DueRevocation, now: Timestamp) -> String {
    let overdue = if due.is_overdue(now) { "OVERDUE" } else { "" };
    format!(
        "{:.0}\t{:.0}\t{overdue}\t{}\t{}\t{}\t{}",
        due.scheduled,
        due.deadline(),
        due.certificate,
        due.customer,
        due.domain_name,
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
        object["reason"] = json!(duty.reason);
    }
    object
}
