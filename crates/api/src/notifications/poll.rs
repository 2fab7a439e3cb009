//! `GET /v2/customers/{customer}/notifications/poll`.

use http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;

use super::wire::NotificationBody;
use crate::answer;
use crate::auth::{Call, Outcome};

/// What was not acknowledged yet.
#[derive(JsonSchema, Serialize)]
#[schemars(rename = "Poll")]
pub(super) struct PollBody<'a> {
    /// How many.
    count: u64,
    /// The oldest one, the same until it is acknowledged.
    #[serde(skip_serializing_if = "Option::is_none")]
    notification: Option<NotificationBody<'a>>,
}

/// The oldest notification that was not acknowledged, and how many there are.
pub(crate) async fn poll(call: Call) -> Outcome {
    let caller = call.below_customer().await?;
    let unread = call.services().poll(&caller.customer).await?;
    let body = PollBody {
        count: unread.count,
        notification: unread.oldest.as_ref().map(NotificationBody::of),
    };
    Ok(answer::json(StatusCode::OK, &body))
}
