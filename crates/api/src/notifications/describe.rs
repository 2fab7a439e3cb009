//! What the document says about the calls around notifications.

use reseal_lifecycle::query::NotificationField;

use super::poll::PollBody;
use super::wire::{FIELDS, NotificationBody};
use crate::openapi::Operation;

const TAG: &str = "Notifications";

pub(crate) fn list() -> Operation {
    Operation::new(TAG, "listNotifications", "List notifications")
        .list::<NotificationField, NotificationBody<'static>>("Those of the customer.", FIELDS)
}

pub(crate) fn get() -> Operation {
    Operation::new(TAG, "getNotification", "Get a notification")
        .selected::<NotificationBody<'static>>("The notification.", FIELDS)
}

pub(crate) fn poll() -> Operation {
    Operation::new(
        TAG,
        "pollNotifications",
        "Get the oldest unread notification",
    )
    .details("The same one until it is acknowledged.")
    .json::<PollBody<'static>>(200, "How many there are, and the oldest.")
}

pub(crate) fn acknowledge() -> Operation {
    Operation::new(TAG, "acknowledgeNotification", "Acknowledge a notification")
        .body(|_| (), &[])
        .body_is_optional()
        .answer(200, "Done, also if it was before.")
}
