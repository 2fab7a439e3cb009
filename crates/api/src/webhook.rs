//! `/v2/customers/{customer}/webhook`: where a customer's notifications are sent. Beyond the vendor's API,
//! which has this in its portal only. Secrets go in, and never come out again.

use http::StatusCode;
use reseal_lifecycle::notification::{Webhook, WebhookSetting};
use schemars::JsonSchema;
use serde::Serialize;

use crate::answer;
use crate::auth::{Call, Outcome};
use crate::body::Fields;
use crate::body::syntax::Text;
use crate::date::Date;

/// A webhook. Optional fields without a value are absent, never null.
#[derive(JsonSchema, Serialize)]
#[schemars(rename = "Webhook")]
#[serde(rename_all = "camelCase")]
struct WebhookBody<'a> {
    customer: &'a str,
    url: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<&'a str>,
    created_date: Date,
    /// Notifications that were not taken yet.
    waiting: u64,
    /// Attempts that failed since the last success.
    failures: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_attempt_date: Option<Date>,
    /// Only where it was just made.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<&'a str>,
}

impl<'a> WebhookBody<'a> {
    fn of(webhook: &'a Webhook, waiting: u64, secret: Option<&'a str>) -> Self {
        Self {
            customer: &webhook.customer,
            url: &webhook.url,
            username: webhook.login.as_deref(),
            created_date: Date(webhook.created),
            waiting,
            failures: webhook.failures,
            last_error: webhook.last_error.as_deref(),
            next_attempt_date: (webhook.failures > 0).then_some(Date(webhook.next_attempt)),
            secret,
        }
    }
}

/// The webhook, and how it is doing.
pub(crate) async fn get(call: Call) -> Outcome {
    let caller = call.below_customer().await?;
    let (webhook, waiting) = call.services().webhook(&caller.customer).await?;
    let body = WebhookBody::of(&webhook, waiting, None);
    Ok(answer::json(StatusCode::OK, &body))
}

/// Sets the webhook, in place of an earlier one.
pub(crate) async fn set(call: Call) -> Outcome {
    let body = call.body()?;
    let setting = Fields::read(&body, read)?;
    let caller = call.below_customer().await?;
    let services = call.services();
    let (webhook, made) = services.set_webhook(&caller, setting).await?;
    let (_, waiting) = services.webhook(&caller.customer).await?;
    let body = WebhookBody::of(&webhook, waiting, made.as_deref());
    Ok(answer::json(StatusCode::OK, &body))
}

fn read(fields: &mut Fields<'_, '_>) -> WebhookSetting {
    WebhookSetting {
        url: fields.required_text("url", Text::Document),
        secret: fields.text("secret", Text::Document),
        login: fields.text("username", Text::Length(1, 100)),
        password: fields.text("password", Text::Document),
    }
}

/// Removes the webhook.
pub(crate) async fn remove(call: Call) -> Outcome {
    let caller = call.below_customer().await?;
    call.services().remove_webhook(&caller).await?;
    Ok(answer::empty(StatusCode::OK))
}

/// What the document says about the three.
pub(crate) mod describe {
    use super::{WebhookBody, read};
    use crate::openapi::Operation;

    const TAG: &str = "Notifications";

    pub(crate) fn get() -> Operation {
        Operation::new(TAG, "getWebhook", "Where notifications are sent")
            .json::<WebhookBody<'static>>(200, "The receiver, and how it is doing.")
    }

    pub(crate) fn set() -> Operation {
        Operation::new(TAG, "setWebhook", "Send notifications to a receiver")
            .details("In place of an earlier receiver. Each notification is a POST with the header `Signature`: the base64 of HMAC-SHA256 over the body.")
            .body(read, &[
                ("url", "Where to: an https URL."),
                ("secret", "Key of the signatures, 16 to 255 bytes; without it one is made, which the answer shows."),
                ("username", "For the receiver's HTTP authentication."),
                ("password", "To it."),
            ])
            .json::<WebhookBody<'static>>(200, "The receiver as it is now.")
    }

    pub(crate) fn remove() -> Operation {
        Operation::new(TAG, "removeWebhook", "Send notifications nowhere any more")
            .answer(200, "Done.")
    }
}
