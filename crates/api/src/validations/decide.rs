//! `POST /v2/validations/{process}/approve` and `…/reject`.

use http::StatusCode;
use reseal_lifecycle::process::Check;
use reseal_lifecycle::vetting::{Decision, Verdict, require_operator};

use super::wire::ValidationBody;
use crate::answer;
use crate::auth::{Call, Outcome};
use crate::body::Fields;
use crate::body::syntax::Text;
use crate::date;

const CHECKS: &[&str] = &["organization", "docs", "voice", "whois", "agreement"];

/// Approves some checks, or every open one.
pub(crate) async fn approve(call: Call) -> Outcome {
    decide(call, read_approval).await
}

/// Rejects some checks, which then wait for the customer, or the request, which then fails.
pub(crate) async fn reject(call: Call) -> Outcome {
    decide(call, read_rejection).await
}

async fn decide(call: Call, read: fn(&mut Fields<'_, '_>) -> Decision) -> Outcome {
    require_operator(&call.caller)?;
    let body = call.optional_body()?.unwrap_or_default();
    let decision = Fields::read(&body, read)?;
    let services = call.services();
    let process = services
        .decide_validation(&call.caller, call.id(), &decision)
        .await?;
    Ok(answer::json(StatusCode::OK, &ValidationBody::of(&process)))
}

/// The body of an approval.
pub(super) fn read_approval(fields: &mut Fields<'_, '_>) -> Decision {
    let obtained = date::read(fields, "obtained");
    read(fields, Verdict::Approve { obtained })
}

/// The body of a rejection.
pub(super) fn read_rejection(fields: &mut Fields<'_, '_>) -> Decision {
    read(fields, Verdict::Reject)
}

fn read(fields: &mut Fields<'_, '_>, verdict: Verdict) -> Decision {
    let checks = fields.texts("checks", Text::Word(CHECKS));
    fields.describe_as("checks", |schema| schema["minItems"] = 1.into());
    if fields.is_empty_list("checks") {
        fields.violation("checks", "may not be empty: leave it out to mean all", None);
    }
    Decision {
        verdict,
        checks: checks_of(checks.as_deref().unwrap_or_default()),
        reason: fields.text("reason", Text::Length(1, 1000)),
        note: fields.text("note", Text::Length(1, 1000)),
    }
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
