//! `/ocsp`: whether a certificate is good, where the AIA extension of ours points (RFC 6960 appendix A, RFC 5019).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, StatusCode};
use reseal_lifecycle::ocsp::{Answer, Freshness};

use super::caching::Caching;
use crate::answer::{ApiConfig, Shared, empty};
use crate::auth::Outcome;
use crate::body;
use crate::error::Failure;

/// Longest request in a path, in bytes; longer ones come by POST (RFC 5019 section 5).
const LONGEST_PATH: usize = 4096;

/// Longest request in a body, in bytes: certificates that sign it have room.
const LARGEST_BODY: usize = 16 * 1024;

/// Clients leave the padding out, or lose it on the way.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// A request in base64 in the path. The answer may be kept by whoever passes it on.
pub(crate) async fn status_by_path(shared: Arc<Shared>, request: Request) -> Outcome {
    let path = request.uri().path();
    let text = path.strip_prefix("/ocsp/").unwrap_or_default();
    let der = from_path(text).unwrap_or_default();
    let headers = request.headers();
    respond(&shared, &der, |freshness| {
        caching(&tag(freshness), freshness).is_unchanged(headers)
    })
    .await
}

/// A request in the body, DER.
pub(crate) async fn status_by_body(shared: Arc<Shared>, request: Request) -> Outcome {
    let limits = ApiConfig {
        max_body: LARGEST_BODY,
        ..shared.config.clone()
    };
    let der = body::receive::bytes(request.into_body(), &limits).await?;
    respond(&shared, &der, |_| false).await
}

async fn respond(shared: &Shared, der: &[u8], has: impl Fn(&Freshness) -> bool + Send) -> Outcome {
    let services = &shared.services;
    if !services.answers_ocsp() {
        return Err(Failure::no_route(
            "This server does not answer OCSP requests: certificates point to their revocation list",
        ));
    }
    let answer = services.ocsp(der, has).await;
    let now = services.clock().now();
    let mut response = match &answer {
        Answer::Response(der, _) => {
            let mut response = Response::new(Body::from(der.clone()));
            let kind = HeaderValue::from_static("application/ocsp-response");
            response.headers_mut().insert(CONTENT_TYPE, kind);
            response
        }
        Answer::Unchanged(_) => empty(StatusCode::NOT_MODIFIED),
    };
    match &answer {
        Answer::Response(_, Some(freshness)) | Answer::Unchanged(freshness) => {
            caching(&tag(freshness), freshness).mark(response.headers_mut(), now);
        }
        Answer::Response(_, None) => never_kept(response.headers_mut()),
    }
    Ok(response)
}

/// Weak: the signature is another each time, what is said is the same.
fn tag(freshness: &Freshness) -> String {
    format!("W/\"{}\"", freshness.tag)
}

fn caching<'a>(tag: &'a str, freshness: &Freshness) -> Caching<'a> {
    Caching {
        tag,
        modified: freshness.modified,
        lasts: freshness.lasts,
        control: ", no-transform, must-revalidate",
    }
}

fn never_kept(headers: &mut HeaderMap) {
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
}

/// The request in a path: base64, percent-encoded as a whole, in part or not at all.
fn from_path(text: &str) -> Option<Vec<u8>> {
    if text.len() > LONGEST_PATH {
        return None;
    }
    let mut text = percent_decoded(text)?;
    let end = text.trim_end_matches('=').len();
    text.truncate(end);
    // Slashes at the end of a path are gone before it comes here, and the length in the request says whether some are
    // missing from it.
    let digits = whole_length(&text)?.saturating_mul(8).div_ceil(6);
    let missing = digits.saturating_sub(text.len());
    if missing > 0 && digits <= LONGEST_PATH {
        text.extend(std::iter::repeat_n('/', missing));
    }
    BASE64.decode(text).ok()
}

/// How long the DER is that begins with these digits, as it says itself.
fn whole_length(digits: &str) -> Option<usize> {
    // Twelve digits are nine bytes: more than the longest header.
    let header = digits.get(..digits.len().min(12))?;
    let header = BASE64.decode(header).ok()?;
    match *header {
        [_, length, ..] if length < 0x80 => Some(2 + usize::from(length)),
        [_, 0x81, length, ..] => Some(3 + usize::from(length)),
        [_, 0x82, high, low, ..] => Some(4 + usize::from(high) * 256 + usize::from(low)),
        _ => None,
    }
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        let digits = after.get(..2)?;
        let byte = u8::from_str_radix(digits, 16).ok()?;
        decoded.push_str(before);
        decoded.push(byte.is_ascii().then(|| char::from(byte))?);
        rest = &after[2..];
    }
    decoded.push_str(rest);
    Some(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A SEQUENCE that ends with `end`, of `length` bytes in all.
    fn der(length: u8, end: &[u8]) -> Vec<u8> {
        let mut der = vec![0x30, length - 2];
        der.resize(usize::from(length) - end.len(), 0x5e);
        der.extend(end);
        der
    }

    fn text(der: &[u8]) -> String {
        base64::engine::general_purpose::STANDARD.encode(der)
    }

    #[test]
    fn x_9_a_path_is_base64_however_much_of_it_is_encoded() {
        let der = der(40, &[0xfb, 0xef, 0xbe, 0xff]);
        let text = text(&der);
        assert!(
            text.contains('+') && text.contains('/') && text.ends_with('='),
            "{text}"
        );
        let all = format!(
            "%{}",
            text.bytes()
                .map(|byte| format!("{byte:02x}"))
                .collect::<Vec<_>>()
                .join("%")
        );
        for form in [
            text.clone(),
            text.replace('+', "%2B")
                .replace('/', "%2F")
                .replace('=', "%3D"),
            text.replace('/', "%2f"),
            text.trim_end_matches('=').to_owned(),
            all,
        ] {
            assert_eq!(from_path(&form).as_ref(), Some(&der), "{form}");
        }
    }

    #[test]
    fn x_9_slashes_at_the_end_belong_to_the_request() {
        for (length, end) in [
            (42, &[0xff][..]),
            (42, &[0xff; 3]),
            (42, &[0xff; 20]),
            (42, &[0x3f]),
            (43, &[0xff, 0xff, 0xff, 0xf0]),
        ] {
            let der = der(length, end);
            let whole = text(&der);
            let cut = whole.trim_end_matches('/');
            assert_eq!(from_path(cut).as_ref(), Some(&der), "{whole}");
        }
    }

    #[test]
    fn what_is_no_request_is_none() {
        for text in [
            "",
            "%",
            "%4",
            "%zz",
            "%ff",
            "MA",
            "not base64 at all",
            "MIQ",
        ] {
            assert_eq!(from_path(text), None, "{text}");
        }
        assert_eq!(from_path(&"A".repeat(LONGEST_PATH + 1)), None);
        // It says that it is far longer than it is.
        assert!(from_path("MIL//w").is_none_or(|der| der.len() < 10));
    }
}
