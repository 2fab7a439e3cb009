//! `POST /v2/customers/{customer}/notifications/{id}/ack`.

use http::StatusCode;

use crate::answer;
use crate::auth::{Call, Outcome};
use crate::body::Fields;

/// Acknowledges a notification. One SDK sends no body, the other an empty object.
pub(crate) async fn acknowledge(call: Call) -> Outcome {
    let body = call.optional_body()?.unwrap_or_default();
    Fields::read(&body, |_| ())?;
    let caller = call.below_customer().await?;
    call.services().acknowledge(&caller, call.id()).await?;
    Ok(answer::empty(StatusCode::OK))
}
