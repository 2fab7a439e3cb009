//! What anybody may fetch without a key: health, issuer certificates, revocation
//! lists, the status of certificates, when to replace a certificate, the pages behind mailed links.

mod agreement;
mod approval;
mod caching;
mod crl;
pub(crate) mod describe;
mod health;
mod issuer;
mod metrics;
mod ocsp;
mod renewal_info;

pub(crate) use agreement::{agreement, answer_agreement};
pub(crate) use approval::{approval, decide};
pub(crate) use crl::revocation_list;
pub(crate) use health::{Readiness, health, ready};
pub(crate) use issuer::issuer_certificate;
pub(crate) use metrics::metrics;
pub(crate) use ocsp::{status_by_body, status_by_path};
pub(crate) use renewal_info::{explanation, renewal_info};

use axum::body::Body;
use axum::response::Response;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};

/// An answer with a fixed content type and a word on how long it may be kept.
pub(crate) fn answer(
    status: StatusCode,
    content_type: &'static str,
    cache: &'static str,
    body: impl Into<Body>,
) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(cache));
    response
}

/// The form's token when it decides anything.
#[cfg(fuzzing)]
pub(crate) fn submitted(form: &crate::query::Parameters) -> Option<&str> {
    approval::submitted(form).map(|(form_token, _)| form_token)
}
