//! The decision over the relevant record set (S-10 to S-14). Pure.

use super::{CaaDecision, CaaObservation, CaaOutcome, CaaRecord, CaaRequest, CaaStatus};
use crate::{evidence::excerpt, issue_value::IssueValue};

/// Property tags that are understood, so that their critical flag is harmless (S-11).
const KNOWN_TAGS: [&str; 7] = [
    "issue",
    "issuewild",
    "iodef",
    "contactemail",
    "contactphone",
    "issuemail",
    "issuevmc",
];

/// Decides whether the observed CAA records permit an issuance. Failures never permit (S-17).
pub fn decide(observation: &CaaObservation, request: &CaaRequest<'_>) -> CaaDecision {
    match &observation.outcome {
        CaaOutcome::None => permit(
            CaaStatus::Empty,
            format!("no CAA records from `{}` upwards", observation.name),
        ),
        CaaOutcome::Failed {
            reason,
            at_level,
            timeout,
        } => refuse(
            if *timeout {
                CaaStatus::Timeout
            } else {
                CaaStatus::Unknown
            },
            format!("the CAA lookup at `{at_level}` failed: {reason}"),
        ),
        CaaOutcome::Malformed { reason, at_level } => refuse(
            CaaStatus::MalformedResponse,
            format!("the CAA answer at `{at_level}` cannot be used: {reason}"),
        ),
        CaaOutcome::Found => match &observation.relevant {
            Some(set) => decide_set(&set.found_at, &set.records, request),
            None => refuse(
                CaaStatus::Unknown,
                "the CAA records were not kept".to_owned(),
            ),
        },
    }
}

fn decide_set(found_at: &str, records: &[CaaRecord], request: &CaaRequest<'_>) -> CaaDecision {
    let unknown = records
        .iter()
        .find(|record| record.critical && !KNOWN_TAGS.contains(&record.tag.as_str()));
    if let Some(record) = unknown {
        let tag = excerpt(record.tag.as_bytes());
        return refuse(
            CaaStatus::UnrecognizedCriticalTag,
            format!("CAA at `{found_at}` has the critical tag `{tag}`, which is not understood"),
        );
    }
    let applicable = applicable(records, request.wildcard);
    if applicable.is_empty() {
        let reason = format!("CAA at `{found_at}` restricts no issuer for this kind of name");
        return permit(CaaStatus::Valid, reason);
    }
    let mut refusals = Vec::new();
    for record in &applicable {
        match refusal(record, request) {
            None => {
                let value = excerpt(record.value.as_bytes());
                let reason = format!("CAA at `{found_at}` permits: {} `{value}`", record.tag);
                return permit(CaaStatus::Valid, reason);
            }
            Some(reason) => refusals.push(reason),
        }
    }
    refuse(
        CaaStatus::Invalid,
        format!(
            "CAA at `{found_at}` does not permit `{}`: {}",
            request.identities.join("`, `"),
            refusals.join("; ")
        ),
    )
}

/// The records that decide: `issuewild` rules wildcards if there is any, else `issue` does.
fn applicable(records: &[CaaRecord], wildcard: bool) -> Vec<&CaaRecord> {
    let tagged = |tag: &str| -> Vec<&CaaRecord> {
        records.iter().filter(|record| record.tag == tag).collect()
    };
    let wild = if wildcard {
        tagged("issuewild")
    } else {
        Vec::new()
    };
    if wild.is_empty() {
        tagged("issue")
    } else {
        wild
    }
}

/// Why a record does not permit the request; `None` if it does.
fn refusal(record: &CaaRecord, request: &CaaRequest<'_>) -> Option<String> {
    let shown = format!("{} `{}`", record.tag, excerpt(record.value.as_bytes()));
    let value = match IssueValue::parse(&record.value) {
        Ok(value) => value,
        Err(problem) => return Some(format!("{shown} is malformed, {problem}")),
    };
    if value.issuer.is_empty() {
        return Some(format!("{shown} permits nobody"));
    }
    let ours = request
        .identities
        .iter()
        .any(|identity| identity.eq_ignore_ascii_case(value.issuer));
    if !ours {
        return Some(format!("{shown} permits another issuer"));
    }
    parameter_refusal(&value, request).map(|problem| format!("{shown}: {problem}"))
}

/// RFC 8657: account and methods that the record is restricted to (S-13, S-14).
fn parameter_refusal(value: &IssueValue<'_>, request: &CaaRequest<'_>) -> Option<String> {
    match value.parameter("accounturi") {
        Err(_) => return Some("`accounturi` is given twice".to_owned()),
        Ok(Some(account)) if account != request.account_uri => {
            return Some(format!(
                "`accounturi` is not `{}`",
                excerpt(request.account_uri.as_bytes())
            ));
        }
        Ok(_) => {}
    }
    match value.parameter("validationmethods") {
        Err(_) => Some("`validationmethods` is given twice".to_owned()),
        Ok(None) => None,
        Ok(Some(methods)) => {
            let well_formed = methods.split(',').all(|method| {
                !method.is_empty()
                    && method
                        .bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            });
            if !well_formed {
                return Some("`validationmethods` is malformed".to_owned());
            }
            let labels = request.method.caa_labels();
            let allowed = methods.split(',').any(|method| {
                labels
                    .iter()
                    .any(|label| label.eq_ignore_ascii_case(method))
            });
            (!allowed).then(|| format!("`validationmethods` has none of `{}`", labels.join("`, `")))
        }
    }
}

fn permit(status: CaaStatus, reason: String) -> CaaDecision {
    CaaDecision {
        permitted: true,
        status,
        reason,
    }
}

fn refuse(status: CaaStatus, reason: String) -> CaaDecision {
    CaaDecision {
        permitted: false,
        status,
        reason,
    }
}

#[cfg(test)]
mod tests;
