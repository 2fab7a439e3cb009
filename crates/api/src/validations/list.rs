//! `GET` of the open validations and of one.

use http::StatusCode;
use reseal_lifecycle::audit::AuditEntry;
use reseal_lifecycle::vetting::require_operator;

use super::wire::{DecidedBody, FIELDS, ValidationBody};
use crate::answer;
use crate::auth::{Call, Outcome};
use crate::query::ListRequest;

/// Processes with checks that nobody has approved.
pub(crate) async fn list(call: Call) -> Outcome {
    require_operator(&call.caller)?;
    let request = ListRequest::read(&call.query(), FIELDS)?;
    let services = call.services();
    let page = services.validations(&call.caller, &request.query).await?;
    request.answer(&page, ValidationBody::of)
}

/// One process, decided or not, and what was decided about it.
pub(crate) async fn get(call: Call) -> Outcome {
    let services = call.services();
    let process = services.validation(&call.caller, call.id()).await?;
    let object = AuditEntry::process(process.id);
    let decisions = services.store().audit_of(&object).await;
    let decisions = decisions.map_err(reseal_lifecycle::Error::from)?;
    let body = DecidedBody::of(&process, &decisions);
    Ok(answer::json(StatusCode::OK, &body))
}
