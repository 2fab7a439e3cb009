//! Processes: what a request has come to, and what can be done to one that waits.

mod agreement;
mod call;
mod cancel;
pub(crate) mod describe;
mod get;
mod info;
mod note;
mod resend;
mod timeline;
mod wire;

use axum::response::Response;
use http::header::LOCATION;
use http::{HeaderName, HeaderValue};
use reseal_lifecycle::process::ProcessId;

pub(crate) use agreement::send_subscriber_agreement;
pub(crate) use call::schedule_validation_call;
pub(crate) use cancel::cancel;
pub(crate) use get::{get, list};
#[cfg(test)]
pub(crate) use info::tests;
pub(crate) use info::{InfoBody, info};
pub(crate) use note::add_note;
pub(crate) use resend::resend;
pub(crate) use timeline::timeline;

pub(crate) const X_PROCESS_ID: HeaderName = HeaderName::from_static("x-process-id");

/// Says which process an answer is about, the only place where it stands, and where what it led to is found.
pub(crate) fn refer_to(response: &mut Response, process: ProcessId, location: Option<&str>) {
    let headers = response.headers_mut();
    headers.insert(X_PROCESS_ID, HeaderValue::from(process));
    if let Some(location) = location.and_then(|location| HeaderValue::from_str(location).ok()) {
        headers.insert(LOCATION, location);
    }
}
