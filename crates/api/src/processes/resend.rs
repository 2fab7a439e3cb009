//! `POST /v2/processes/{id}/resend` (contract.md section 4.8).

use http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;

use crate::answer;
use crate::auth::{Call, Outcome};
use crate::body::Fields;
use crate::certificates::dcv_choices;

/// Why the check did not succeed, and which choices came too late.
#[derive(JsonSchema, Serialize)]
pub(super) struct Warning<'a> {
    warning: &'a str,
}

/// Checks again now, perhaps by another method. One SDK sends no body, the other an empty object.
pub(crate) async fn resend(call: Call) -> Outcome {
    let body = call.optional_body()?.unwrap_or_default();
    let dcv = Fields::read(&body, dcv_choices)?.filter(|choices| !choices.is_empty());
    let warning = call.services().resend(&call.caller, call.id(), dcv).await?;
    Ok(match warning {
        Some(warning) => answer::json(StatusCode::OK, &Warning { warning: &warning }),
        None => answer::empty(StatusCode::OK),
    })
}
