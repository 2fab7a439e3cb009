//! `POST /v2/validations/{process}/approve` and `…/reject`.

use http::StatusCode;
use reseal_lifecycle::process::Check;
use reseal_lifecycle::vetting::{Decision, Verdict, require_operator};
use serde_json::Value;

use super::wire::ValidationBody;
use crate::answer;
use crate::auth::{Call, Outcome};
use crate::body::syntax::Text;
use crate::body::{Fields, Findings};
use crate::date;

const CHECKS: &[&str] = &["organization", "docs", "voice", "whois", "agreement"];

/// Approves some checks, or every open one.
pub(crate) async fn approve(call: Call) -> Outcome {
    decide(call, |fields| Verdict::Approve {
        obtained: date::read(fields, "obtained"),
    })
    .await
}

/// Rejects some checks, which then wait for the customer, or the request, which then fails.
pub(crate) async fn reject(call: Call) -> Outcome {
    decide(call, |_| Verdict::Reject).await
}

async fn decide(mut call: Call, verdict: impl FnOnce(&mut Fields<'_, '_>) -> Verdict) -> Outcome {
    require_operator(&call.caller)?;
    let body = call.optional_body().await?.unwrap_or_default();
    let mut findings = Findings::default();
    let mut fields = Fields::of(&body, &mut findings);
    let checks = fields.texts("checks", Text::Word(CHECKS));
    let decision = Decision {
        verdict: verdict(&mut fields),
        checks: checks_of(checks.as_deref().unwrap_or_default()),
        reason: fields.text("reason", Text::Length(1, 1000)),
        note: fields.text("note", Text::Length(1, 1000)),
    };
    let none = |checks: &Value| checks.as_array().is_some_and(Vec::is_empty);
    if body.get("checks").is_some_and(none) {
        fields.violation("checks", "may not be empty: leave it out to mean all", None);
    }
    fields.finish();
    findings.settle()?;
    let services = call.services();
    let process = services
        .decide_validation(&call.caller, call.id(), &decision)
        .await?;
    Ok(answer::json(StatusCode::OK, &ValidationBody::of(&process)))
}

/// Words that are none were refused already.
fn checks_of(words: &[String]) -> Vec<Check> {
    words.iter().filter_map(|word| word.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_can_be_named() {
        assert_eq!(CHECKS, Check::ALL.map(Check::as_str));
    }
}
