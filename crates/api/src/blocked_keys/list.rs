//! `GET` of the list.

use reseal_lifecycle::compromise::require_operator;

use super::wire::{BlockedKeyBody, FIELDS};
use crate::auth::{Call, Outcome};
use crate::query::ListRequest;

/// Keys that are blocked.
pub(crate) async fn list(call: Call) -> Outcome {
    require_operator(&call.caller)?;
    let request = ListRequest::read(&call.query(), FIELDS)?;
    let services = call.services();
    let page = services.blocked_keys(&call.caller, &request.query).await?;
    request.answer(&page, BlockedKeyBody::of)
}
