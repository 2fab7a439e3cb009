//! `DELETE /v2/processes/{id}`.

use http::StatusCode;

use crate::answer;
use crate::auth::{Call, Outcome};

/// Withdraws a process that has not begun to sign.
pub(crate) async fn cancel(call: Call) -> Outcome {
    call.services().cancel(&call.caller, call.id()).await?;
    Ok(answer::empty(StatusCode::OK))
}
