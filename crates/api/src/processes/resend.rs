//! `POST /v2/processes/{id}/resend` (contract.md section 4.8).

use http::StatusCode;
use serde::Serialize;

use crate::answer;
use crate::auth::{Call, Outcome};
use crate::body::{Fields, Findings};
use crate::certificates::dcv_choices;

#[derive(Serialize)]
struct Warning<'a> {
    warning: &'a str,
}

/// Checks again now, perhaps by another method. One SDK sends no body, the other an empty object.
pub(crate) async fn resend(mut call: Call) -> Outcome {
    let mut dcv = None;
    if let Some(body) = call.optional_body().await? {
        let mut findings = Findings::default();
        let mut fields = Fields::of(&body, &mut findings);
        dcv = dcv_choices(&mut fields);
        fields.finish();
        findings.settle()?;
    }
    let dcv = dcv.filter(|choices| !choices.is_empty());
    let warning = call.services().resend(&call.caller, call.id(), dcv).await?;
    Ok(match warning {
        Some(warning) => answer::json(StatusCode::OK, &Warning { warning: &warning }),
        None => answer::empty(StatusCode::OK),
    })
}
