//! `/crl/…`: revocation lists, where the CRL pointers of our certificates lead.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use http::header::{
    CACHE_CONTROL, CONTENT_TYPE, ETAG, EXPIRES, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use jiff::fmt::rfc2822::{DateTimeParser, DateTimePrinter};
use jiff::{SignedDuration, Timestamp};
use reseal_lifecycle::crl::CrlState;

use crate::answer::Shared;
use crate::auth::Outcome;
use crate::error::Failure;

/// Longest time that a copy is used without asking: a revocation is to be seen soon. Asking costs little, since
/// an unchanged list is not sent again.
const LONGEST_CACHING: SignedDuration = SignedDuration::from_mins(15);

/// A list by its name, DER (RFC 5280 section 4.2.1.13).
pub(crate) async fn revocation_list(shared: Arc<Shared>, request: Request) -> Outcome {
    let path = request.uri().path();
    let name = path
        .strip_prefix("/crl/")
        .and_then(|rest| rest.strip_suffix(".crl"))
        .unwrap_or_default();
    let Some(crl) = shared.services.crl(name).await? else {
        return Err(Failure::no_route("There is no revocation list here"));
    };
    let now = shared.services.clock().now();
    let mut response = if is_unchanged(request.headers(), &crl.state) {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response
    } else {
        let mut response = Response::new(Body::from(crl.der));
        let kind = HeaderValue::from_static("application/pkix-crl");
        response.headers_mut().insert(CONTENT_TYPE, kind);
        response
    };
    for (name, value) in caching(&crl.state, now) {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(name, value);
        }
    }
    Ok(response)
}

/// A number is never used twice for lists of one name.
fn tag(state: &CrlState) -> String {
    format!("\"{:x}\"", state.number)
}

fn caching(state: &CrlState, now: Timestamp) -> Vec<(HeaderName, String)> {
    let fresh = now
        .duration_until(state.next_update)
        .clamp(SignedDuration::ZERO, LONGEST_CACHING);
    let date = |moment: Timestamp| {
        DateTimePrinter::new()
            .timestamp_to_rfc9110_string(&moment)
            .ok()
    };
    let mut headers = vec![
        (ETAG, tag(state)),
        (
            CACHE_CONTROL,
            format!("public, max-age={}", fresh.as_secs()),
        ),
    ];
    headers.extend(date(state.this_update).map(|date| (LAST_MODIFIED, date)));
    headers.extend(
        now.checked_add(fresh)
            .ok()
            .and_then(date)
            .map(|date| (EXPIRES, date)),
    );
    headers
}

/// RFC 9110 section 13.2.2: tags decide when there are any, otherwise the date does.
fn is_unchanged(headers: &HeaderMap, state: &CrlState) -> bool {
    let tags = headers.get_all(IF_NONE_MATCH);
    if tags.iter().next().is_some() {
        let ours = tag(state);
        return tags
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .map(|one| one.trim().trim_start_matches("W/"))
            .any(|one| one == ours || one == "*");
    }
    headers
        .get(IF_MODIFIED_SINCE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| DateTimeParser::new().parse_timestamp(value).ok())
        .is_some_and(|since| state.this_update <= since)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> CrlState {
        let this_update = Timestamp::from_second(1_700_000_000).unwrap();
        CrlState {
            name: "root".to_owned(),
            number: 0xabc,
            this_update,
            next_update: this_update + SignedDuration::from_hours(1),
            entries: 0,
            addresses: Vec::new(),
        }
    }

    #[test]
    fn copies_are_kept_for_a_while_and_never_beyond_the_next_update() {
        let state = state();
        for (age, seconds) in [(0, 900), (45 * 60, 900), (50 * 60, 600), (7200, 0)] {
            let now = state.this_update + SignedDuration::from_secs(age);
            let (_, value) = &caching(&state, now)[1];
            assert_eq!(*value, format!("public, max-age={seconds}"), "{age}");
        }
    }

    #[test]
    fn only_a_copy_of_the_newest_list_is_unchanged() {
        for (name, value, unchanged) in [
            (IF_NONE_MATCH, "\"abc\"", true),
            (IF_NONE_MATCH, "\"1\", W/\"abc\"", true),
            (IF_NONE_MATCH, "*", true),
            (IF_NONE_MATCH, "\"abd\"", false),
            (IF_MODIFIED_SINCE, "Tue, 14 Nov 2023 22:13:20 GMT", true),
            (IF_MODIFIED_SINCE, "Tue, 14 Nov 2023 22:13:19 GMT", false),
            (IF_MODIFIED_SINCE, "yesterday", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(name, HeaderValue::from_static(value));
            assert_eq!(is_unchanged(&headers, &state()), unchanged, "{value}");
        }
        assert!(!is_unchanged(&HeaderMap::new(), &state()));
    }
}
