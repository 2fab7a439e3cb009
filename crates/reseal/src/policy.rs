//! `reseal policy show`: the calendar of rules as it stands on a day.

use jiff::{SignedDuration, Timestamp};
use reseal_lifecycle::services::Trust;
use reseal_pki::calendar::{Rules, method_allowed, method_ends, next_change, rules_at};
use reseal_pki::method::Method;
use serde_json::{Value, json};

use crate::clock;
use crate::console;

/// Shows what holds for a certificate that is signed at `date`, now if there is none, and every change after it.
pub(crate) fn show(date: Option<Timestamp>, json: bool) -> anyhow::Result<()> {
    let date = match date {
        Some(date) => date,
        None => clock::clock(Trust::Private)?.now(),
    };
    if json {
        console::line(serde_json::to_string_pretty(&as_json(date))?);
    } else {
        for line in as_text(date) {
            console::line(line);
        }
    }
    Ok(())
}

fn as_text(date: Timestamp) -> Vec<String> {
    let rules = rules_at(date);
    let mut lines = vec![format!("signed at {date:.0}")];
    let facts = [
        ("longest validity", days(rules.maximum_validity)),
        ("validity used", days(rules.default_validity)),
        ("evidence of names", days(rules.evidence_reuse)),
        ("data of organizations", days(rules.organization_reuse)),
        ("remote perspectives", rules.remote_perspectives.to_string()),
    ];
    lines.extend(facts.map(|(what, value)| format!("  {what:<23}{value}")));
    lines.push("methods (BR)".to_owned());
    lines.extend(Method::ALL.map(|method| {
        let allowed = if method_allowed(method, date) {
            "allowed"
        } else {
            "forbidden"
        };
        let end = method_ends(method).map(|end| format!(", forbidden from {}", day(end)));
        let end = end
            .filter(|_| method_allowed(method, date))
            .unwrap_or_default();
        format!(
            "  {:<12}{:<32}{allowed}{end}",
            method.br_section(),
            method.title()
        )
    }));
    lines.push("changes ahead".to_owned());
    let ahead: Vec<String> = changes_after(date)
        .map(|(from, before, after)| format!("  {}  {}", day(from), changes(&before, &after, from)))
        .collect();
    if ahead.is_empty() {
        lines.push("  none is known".to_owned());
    }
    lines.extend(ahead);
    lines
}

fn as_json(date: Timestamp) -> Value {
    let methods = Method::ALL.map(|method| {
        json!({
            "method": method.br_section(),
            "title": method.title(),
            "allowed": method_allowed(method, date),
            "forbiddenFrom": method_ends(method).map(day),
        })
    });
    let ahead: Vec<Value> = changes_after(date)
        .map(|(from, _, rules)| {
            let mut change = facts(&rules);
            change["from"] = day(from).into();
            change
        })
        .collect();
    let mut shown = facts(&rules_at(date));
    shown["signedAt"] = format!("{date:.0}").into();
    shown["methods"] = json!(methods);
    shown["changes"] = ahead.into();
    shown
}

fn facts(rules: &Rules) -> Value {
    json!({
        "maximumValiditySeconds": rules.maximum_validity.as_secs(),
        "defaultValiditySeconds": rules.default_validity.as_secs(),
        "evidenceReuseSeconds": rules.evidence_reuse.as_secs(),
        "organizationReuseSeconds": rules.organization_reuse.as_secs(),
        "remotePerspectives": rules.remote_perspectives,
    })
}

/// Each change after `date`: when, what held before, what holds from then on.
fn changes_after(date: Timestamp) -> impl Iterator<Item = (Timestamp, Rules, Rules)> {
    let mut at = date;
    std::iter::from_fn(move || {
        let before = rules_at(at);
        let (from, after) = next_change(at)?;
        at = from;
        Some((from, before, after))
    })
}

fn changes(before: &Rules, after: &Rules, from: Timestamp) -> String {
    let mut changes = Vec::new();
    let mut durations = |what: &str, before: SignedDuration, after: SignedDuration| {
        if before != after {
            changes.push(format!(
                "{what} {} instead of {}",
                days(after),
                days(before)
            ));
        }
    };
    durations("validity", before.maximum_validity, after.maximum_validity);
    durations(
        "evidence of names",
        before.evidence_reuse,
        after.evidence_reuse,
    );
    durations(
        "data of organizations",
        before.organization_reuse,
        after.organization_reuse,
    );
    if before.remote_perspectives != after.remote_perspectives {
        let (after, before) = (after.remote_perspectives, before.remote_perspectives);
        changes.push(format!("{after} remote perspectives instead of {before}"));
    }
    for method in Method::ALL {
        if method_ends(method) == Some(from) {
            changes.push(format!("no {} ({})", method.title(), method.br_section()));
        }
    }
    changes.join(", ")
}

fn days(duration: SignedDuration) -> String {
    format!("{} days", duration.as_hours() / 24)
}

fn day(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%d").to_string()
}
