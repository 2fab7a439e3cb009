//! `GET` of one process and of the list (contract.md section 4.9).

use super::wire::{FIELDS, ProcessBody};
use crate::auth::{Call, Outcome};
use crate::query::{self, ListRequest};

/// One process.
pub(crate) async fn get(call: Call) -> Outcome {
    let process = call.services().process(&call.caller, call.id()).await?;
    query::one(&call.query(), FIELDS, &ProcessBody::of(&process))
}

/// The processes that the caller may see.
pub(crate) async fn list(call: Call) -> Outcome {
    let request = ListRequest::read(&call.query(), FIELDS)?;
    let page = call
        .services()
        .processes(&call.caller, &request.query)
        .await?;
    request.answer(&page, ProcessBody::of)
}
