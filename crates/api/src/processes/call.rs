//! `POST /v2/processes/{id}/schedule-validation-call` (contract.md section 4.8).

use http::StatusCode;

use crate::auth::{Call, Outcome};
use crate::body::{Fields, Findings};
use crate::{answer, date};

/// Notes when the customer wants to be called.
pub(crate) async fn schedule_validation_call(mut call: Call) -> Outcome {
    let body = call.body().await?;
    let mut findings = Findings::default();
    let mut fields = Fields::of(&body, &mut findings);
    let date = date::required(&mut fields, "date");
    fields.finish();
    findings.settle()?;
    call.services()
        .schedule_validation_call(&call.caller, call.id(), date)
        .await?;
    Ok(answer::empty(StatusCode::OK))
}
