//! `GET` of one notification and of the list.

use super::wire::{FIELDS, NotificationBody};
use crate::auth::{Call, Outcome};
use crate::query::{self, ListRequest};

/// One notification.
pub(crate) async fn get(call: Call) -> Outcome {
    let caller = call.below_customer().await?;
    let told = call.services().notification(&caller, call.id()).await?;
    query::one(&call.query(), FIELDS, &NotificationBody::of(&told))
}

/// The notifications of the customer in the path.
pub(crate) async fn list(call: Call) -> Outcome {
    let caller = call.below_customer().await?;
    let request = ListRequest::read(&call.query(), FIELDS)?;
    let page = call
        .services()
        .notifications(&caller, &request.query)
        .await?;
    request.answer(&page, NotificationBody::of)
}
