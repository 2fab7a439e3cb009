//! `POST /v2/processes/{id}/schedule-validation-call` (contract.md section 4.8).

use http::StatusCode;
use jiff::Timestamp;

use crate::auth::{Call, Outcome};
use crate::body::Fields;
use crate::{answer, date};

/// Notes when the customer wants to be called.
pub(crate) async fn schedule_validation_call(call: Call) -> Outcome {
    let body = call.body()?;
    let date = Fields::read(&body, read)?;
    call.services()
        .schedule_validation_call(&call.caller, call.id(), date)
        .await?;
    Ok(answer::empty(StatusCode::OK))
}

/// When.
pub(super) fn read(fields: &mut Fields<'_, '_>) -> Timestamp {
    date::required(fields, "date")
}
