//! `/renewal-info/…`: when a certificate should be replaced (RFC 9773 section 4).

use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::{CACHE_CONTROL, RETRY_AFTER};
use http::{HeaderValue, StatusCode};
use reseal_lifecycle::renewal_info::RenewalInfo;
use serde_json::json;

use super::answer;
use crate::answer::{Shared, json};
use crate::auth::Outcome;
use crate::error::Failure;

const PATH: &str = "/renewal-info/";
/// When to ask again.
const AGAIN: Duration = Duration::from_hours(6);
/// A copy may be used for as long as it may take until it is known that a certificate must go.
const CACHE: &str = "public, max-age=900";

/// The window of the certificate in the path: `base64url(key identifier of its signer).base64url(serial number)`.
pub(crate) async fn renewal_info(shared: Arc<Shared>, request: Request) -> Outcome {
    let id = request.uri().path().strip_prefix(PATH).unwrap_or_default();
    let found = find(&shared, id).await?;
    let mut body = json!({
        "suggestedWindow": {
            "start": format!("{:.0}", found.start),
            "end": format!("{:.0}", found.end),
        },
    });
    if found.reason.is_some() {
        let base = &shared.services.settings().public_url;
        body["explanationURL"] = format!("{base}{PATH}{id}/explanation").into();
    }
    let mut response = json(StatusCode::OK, &body);
    let headers = response.headers_mut();
    headers.insert(RETRY_AFTER, HeaderValue::from(AGAIN.as_secs()));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(CACHE));
    Ok(response)
}

/// Why it is that window, for people.
pub(crate) async fn explanation(shared: Arc<Shared>, request: Request) -> Outcome {
    let path = request.uri().path();
    let id = path
        .strip_prefix(PATH)
        .and_then(|rest| rest.strip_suffix("/explanation"))
        .unwrap_or_default();
    let reason = find(&shared, id).await?.reason;
    let reason = reason.unwrap_or_else(|| {
        "Nothing is wrong with it: it is replaced as every other, some time before it ends."
            .to_owned()
    });
    Ok(answer(
        StatusCode::OK,
        "text/plain; charset=utf-8",
        CACHE,
        format!("About the certificate {id}:\n{reason}\n"),
    ))
}

async fn find(shared: &Shared, id: &str) -> Result<RenewalInfo, Failure> {
    let none = || Failure::no_route("No such certificate was issued by this server");
    let (key_identifier, serial) = parse(id).ok_or_else(none)?;
    let found = shared.services.renewal_info(&key_identifier, &serial).await;
    found.map_err(|error| match error.kind {
        reseal_lifecycle::Kind::NotFound => none(),
        _ => error.into(),
    })
}

/// Both parts of a certificate's name (RFC 9773 section 4.1), the serial number without the octet that is there for its
/// sign.
fn parse(id: &str) -> Option<(Vec<u8>, Vec<u8>)> {
    let (key_identifier, serial) = id.split_once('.')?;
    let decode = |part: &str| {
        URL_SAFE_NO_PAD
            .decode(part)
            .ok()
            .filter(|part| !part.is_empty())
    };
    let (key_identifier, mut serial) = (decode(key_identifier)?, decode(serial)?);
    if let [0, 0x80..=0xff, ..] = serial.as_slice() {
        serial.remove(0);
    }
    Some((key_identifier, serial))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn x_11_a_certificate_is_named_by_its_signers_key_and_its_serial_number() {
        // RFC 9773 section 4.1
        let (key, serial) = parse("aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE").unwrap();
        assert_eq!(key.len(), 20);
        assert_eq!(serial, [0x87, 0x65, 0x43, 0x21]);
        for wrong in [
            "",
            ".",
            "a.b",
            "aYhba4dGQEHhs3uEe6CuLN4ByNQ",
            "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE=",
            "a%20.b",
        ] {
            assert!(parse(wrong).is_none(), "{wrong}");
        }
    }
}
