//! `reseal caa check NAME`.

use std::path::Path;
use std::process::ExitCode;

use reseal_lifecycle::issuance::{CaaFinding, CaaLook};
use reseal_pki::calendar::method_allowed;
use reseal_pki::method::Method;
use reseal_pki::name::DnsName;
use reseal_validation::caa::{CaaOutcome, CaaRequest, CaaStatus, Levels};
use serde_json::{Value, json};

use super::{Lookout, Report, configuration};
use crate::args;
use crate::console::printable;

/// Stands for a customer that was not named; no handle has it in it.
const NOBODY: &str = "?";

/// What CAA means for one way of proving the name.
struct Decided {
    method: Method,
    permitted: bool,
    reason: String,
    rules: &'static str,
    finding: Option<CaaFinding>,
}

/// Looks up CAA for `name` and says whether a certificate whose name is proved by `proved_by`, or by anything, would be
/// permitted.
pub(crate) async fn run(
    name: &str,
    proved_by: Option<args::Method>,
    from: &args::Place,
    config: Option<&Path>,
) -> anyhow::Result<ExitCode> {
    let lookout = Lookout::new(&configuration(from.data.as_deref(), config)?)?;
    let mut report = Report::default();
    report.set("name", name);
    if let Some(name) = lookout.name(name, &mut report) {
        check(&lookout, &name, proved_by, from, &mut report).await;
    }
    report.show("permitted", from.json)
}

async fn check(
    lookout: &Lookout,
    name: &DnsName,
    proved_by: Option<args::Method>,
    from: &args::Place,
    report: &mut Report,
) {
    let methods = methods(proved_by, name);
    if methods.is_empty() {
        let reason = format!(
            "not permitted: a file can only prove the name it lies under, never the wildcard `{name}` [D-21]"
        );
        return report.end(false, &reason);
    }
    let customer = from.customer.as_deref();
    let account = lookout.settings.account_uri(customer.unwrap_or(NOBODY));
    let identity = &lookout.settings.caa_identity;
    report.fact("name", name.as_str());
    report.fact(
        "issuer",
        &match customer {
            Some(_) => format!("{identity}, account {account} [S-12, S-13]"),
            None => format!("{identity} [S-12]"),
        },
    );
    lookout.introduce(report);
    let alone = !methods.iter().any(|method| method.needs_corroboration());
    let look = CaaLook::take(&lookout.panel, name, &Levels::default(), alone, lookout.now).await;
    tell_look(&look, report);
    let names_accounts = look.here.relevant.iter().flat_map(|set| &set.records);
    let names_accounts = names_accounts
        .map(|record| record.value.to_ascii_lowercase())
        .any(|value| value.contains("accounturi"));
    if customer.is_none() && names_accounts {
        report.line("note: a record names an account; `--customer HANDLE` says whose certificate it is [S-13]");
    }
    let decided: Vec<Decided> = methods
        .into_iter()
        .map(|method| decide(lookout, &look, name, &account, method))
        .collect();
    report.line("decision, by how the name is proved [S-15]");
    for one in &decided {
        tell_decision(one, report);
    }
    report.set("decisions", decided.iter().map(object).collect::<Value>());
    conclude(lookout, &decided, report);
}

/// The methods of this server that `proved_by` may mean and that can prove `name`.
fn methods(proved_by: Option<args::Method>, name: &DnsName) -> Vec<Method> {
    let by_dns = [Method::DnsChange, Method::PersistentTxt];
    let by_file = [Method::Website];
    let by_mail = [Method::ConstructedEmail, Method::CaaEmail, Method::TxtEmail];
    let wanted = match proved_by {
        Some(args::Method::Dns) => by_dns.to_vec(),
        Some(args::Method::File) => by_file.to_vec(),
        Some(args::Method::Email) => by_mail.to_vec(),
        None => [&by_dns[..], &by_file, &by_mail].concat(),
    };
    let fits = |method: &Method| !name.is_wildcard() || method.covers_wildcards();
    wanted.into_iter().filter(fits).collect()
}

fn tell_look(look: &CaaLook, report: &mut Report) {
    report.line("lookups, from the name upwards until there are records [S-8]");
    for answer in &look.here.levels {
        report.answer(answer);
    }
    let relevant = match (&look.here.relevant, &look.here.outcome) {
        (Some(set), _) => format!(
            "`{}`: its records count, and nothing above it [S-8]",
            printable(&set.found_at)
        ),
        (None, CaaOutcome::None) => "no level has records [S-8]".to_owned(),
        (None, _) => "unknown: a level that fails is never skipped [S-9]".to_owned(),
    };
    report.fact("relevant", &relevant);
    report.set("observation", json!(look.here));
}

fn decide(
    lookout: &Lookout,
    look: &CaaLook,
    name: &DnsName,
    account: &str,
    method: Method,
) -> Decided {
    if !method_allowed(method, lookout.now) {
        return Decided {
            method,
            permitted: false,
            reason: format!("proofs by {} are no longer allowed", method.title()),
            rules: "D-39",
            finding: None,
        };
    }
    let request = CaaRequest {
        identities: std::slice::from_ref(&lookout.settings.caa_identity),
        wildcard: name.is_wildcard(),
        account_uri: account,
        method,
    };
    let finding = look.judge(&request, lookout.settings.quorum, lookout.now);
    let decision = &finding.decision;
    let here = reseal_validation::caa::decide(&look.here, &request);
    let rules = if here.permitted && !decision.permitted {
        "M-2, M-4"
    } else {
        rules(decision.status)
    };
    Decided {
        method,
        permitted: decision.permitted,
        reason: decision.reason.clone(),
        rules,
        finding: Some(finding),
    }
}

/// The rules that a status follows from.
fn rules(status: CaaStatus) -> &'static str {
    match status {
        CaaStatus::Empty | CaaStatus::Valid => "S-10",
        CaaStatus::Invalid => "S-10, S-12 to S-14",
        CaaStatus::UnrecognizedCriticalTag => "S-10, S-11",
        CaaStatus::MalformedResponse => "S-2, S-9",
        CaaStatus::Timeout | CaaStatus::Unknown | CaaStatus::Waiting => "S-9, S-17",
    }
}

fn tell_decision(one: &Decided, report: &mut Report) {
    let word = if one.permitted {
        "permitted"
    } else {
        "refused"
    };
    report.line(format!(
        "  {:<11}{:<32}{word}: {} [{}]",
        one.method.br_section(),
        one.method.title(),
        printable(&one.reason),
        one.rules
    ));
    let corroboration = one
        .finding
        .iter()
        .flat_map(|finding| &finding.corroboration);
    for sighting in corroboration.flat_map(|all| &all.perspectives) {
        let word = if sighting.permitted {
            "permitted"
        } else {
            "refused"
        };
        report.line(format!(
            "    seen from `{}`: {word}: {}",
            sighting.name,
            printable(&sighting.reason)
        ));
    }
}

fn object(one: &Decided) -> Value {
    let finding = one.finding.as_ref();
    json!({
        "method": one.method.br_section(),
        "title": one.method.title(),
        "permitted": one.permitted,
        "status": finding.map(|finding| finding.decision.status),
        "reason": one.reason,
        "rules": one.rules.split(", ").collect::<Value>(),
        "corroboration": finding.and_then(|finding| finding.corroboration.as_ref()),
    })
}

fn conclude(lookout: &Lookout, decided: &[Decided], report: &mut Report) {
    let permitted = decided.iter().filter(|one| one.permitted);
    let ways: Vec<&str> = permitted.map(|one| one.method.title()).collect();
    if ways.is_empty() {
        return report.end(false, "not permitted: no certificate would be signed");
    }
    if let Some(refusal) = lookout.settings.signing_refused(lookout.now) {
        let reason = format!("CAA permits it, but nothing would be signed: {refusal} [M-10, S-1]");
        return report.end(false, &reason);
    }
    let reason = if ways.len() == decided.len() {
        "permitted: CAA keeps nothing from being signed".to_owned()
    } else {
        format!("permitted when proved by {}", ways.join(", or by "))
    };
    report.end(true, &reason);
}
