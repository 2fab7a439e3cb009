//! `GET /v2/processes/{id}/timeline`: each thing that happened, with its evidence. A route of our own, so
//! times keep their milliseconds: they show the order.

use crate::auth::{Call, Outcome};
use crate::query::whole;

/// Everything that happened to a process, oldest first.
pub(crate) async fn timeline(call: Call) -> Outcome {
    let events = call.services().timeline(&call.caller, call.id()).await?;
    Ok(whole(events))
}
