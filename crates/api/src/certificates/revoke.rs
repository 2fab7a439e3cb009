//! `DELETE /v2/ssl/certificates/{id}` (contract.md section 4.4).

use http::StatusCode;
use reseal_lifecycle::process::ProcessStatus;

use crate::answer;
use crate::auth::{Call, Outcome};
use crate::body::Fields;
use crate::body::syntax::Text;
use crate::processes::refer_to;

/// Withdraws a certificate. The body is optional.
pub(crate) async fn revoke(call: Call) -> Outcome {
    let body = call.optional_body()?.unwrap_or_default();
    let reason = Fields::read(&body, read)?.filter(|reason| !reason.is_empty());
    let process = call
        .services()
        .revoke(&call.caller, call.id(), reason)
        .await?;
    // 200 when it is done, 202 while it goes on (design decision 20).
    let (status, location) = if process.status() == ProcessStatus::Completed {
        (StatusCode::OK, None)
    } else {
        let location = format!("/v2/processes/{}", process.id);
        (StatusCode::ACCEPTED, Some(location))
    };
    let mut response = answer::empty(status);
    refer_to(&mut response, process.id, location.as_deref());
    Ok(response)
}

/// Why.
pub(super) fn read(fields: &mut Fields<'_, '_>) -> Option<String> {
    fields.text("reason", Text::Lines(0, 255))
}
