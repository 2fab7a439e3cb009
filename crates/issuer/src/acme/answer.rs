//! What answers mean: what was asked for, or why not, and whether something was done all the same.

use http::StatusCode;
use reseal_lifecycle::upstream::{Delivered, OrderState, UpstreamError};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde::de::DeserializeOwned;

use super::wire::{Order, Problem};
use crate::https::{Answer, Place, SendError, shown};

/// Most certificates of a chain.
const LONGEST_CHAIN: usize = 10;

pub(super) fn placed(answer: &Answer) -> Result<(String, OrderState), UpstreamError> {
    let url = location(answer)?;
    Ok((url, read::<Order>(answer)?.state(answer.retry_after())))
}

pub(super) fn location(answer: &Answer) -> Result<String, UpstreamError> {
    let url = answer
        .header("location")
        .filter(|url| Place::parse(url).is_ok());
    let url = url.map(str::to_owned);
    url.ok_or_else(|| UpstreamError::Lost("the answer does not say where it is".to_owned()))
}

/// A certificate and its issuers, from PEM (RFC 8555 section 9.1).
pub(super) fn delivered(body: &[u8]) -> Result<Delivered, UpstreamError> {
    let all = CertificateDer::pem_slice_iter(body)
        .take(LONGEST_CHAIN + 1)
        .collect::<Result<Vec<_>, _>>();
    let mut all = all
        .map_err(|error| own(&format!("what it calls a certificate is not PEM: {error}")))?
        .into_iter()
        .map(|der| der.to_vec());
    let leaf = all
        .next()
        .ok_or_else(|| own("what it calls a certificate is empty"))?;
    Ok(Delivered {
        leaf,
        chain: all.collect(),
    })
}

pub(super) fn read<T: DeserializeOwned>(answer: &Answer) -> Result<T, UpstreamError> {
    serde_json::from_slice(&answer.body).map_err(|error| {
        UpstreamError::Lost(shown(&format!("the answer is not understood: {error}")))
    })
}

/// What a bad answer means.
pub(super) fn refusal(answer: &Answer) -> UpstreamError {
    let problem: Problem = serde_json::from_slice(&answer.body).unwrap_or_default();
    let (kind, detail) = (problem.kind(), problem.detail());
    let status = answer.status;
    let said = if detail.is_empty() {
        format!("status {status}")
    } else {
        format!("{detail} ({kind}, status {status})")
    };
    if status == StatusCode::TOO_MANY_REQUESTS
        || status == StatusCode::SERVICE_UNAVAILABLE
        || kind == "rateLimited"
    {
        return UpstreamError::Unavailable {
            reason: said,
            retry_after: answer.retry_after(),
            is_general: true,
        };
    }
    if status.is_server_error() || kind.is_empty() {
        return UpstreamError::Lost(said);
    }
    UpstreamError::Refused { kind, detail }
}

/// No answer to a request that may have changed something.
pub(super) fn unanswered(error: SendError) -> UpstreamError {
    match error {
        SendError::NotSent(reason) => UpstreamError::Unavailable {
            reason,
            retry_after: None,
            is_general: true,
        },
        SendError::Lost(reason) => UpstreamError::Lost(reason),
    }
}

/// The same, of a request that changes nothing.
pub(super) fn nothing_done(error: UpstreamError) -> UpstreamError {
    match error {
        unavailable @ UpstreamError::Unavailable { .. } => unavailable,
        other => own(&other.to_string()),
    }
}

/// The same, of a request without which there are no others.
pub(super) fn nothing_works(error: UpstreamError) -> UpstreamError {
    match nothing_done(error) {
        UpstreamError::Unavailable {
            reason,
            retry_after,
            ..
        } => UpstreamError::Unavailable {
            reason,
            retry_after,
            is_general: true,
        },
        other => other,
    }
}

pub(super) fn own(reason: &str) -> UpstreamError {
    UpstreamError::not_now(reason)
}
