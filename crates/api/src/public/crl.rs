//! `/crl/…`: revocation lists, where the CRL pointers of our certificates lead.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use jiff::{SignedDuration, Timestamp};
use reseal_lifecycle::crl::CrlState;

use super::caching::Caching;
use crate::answer::{Shared, empty};
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
    // A number is never used twice for lists of one name.
    let tag = format!("\"{:x}\"", crl.state.number);
    let caching = Caching {
        tag: &tag,
        modified: crl.state.this_update,
        lasts: freshness(&crl.state, now),
        control: "",
    };
    let mut response = if caching.is_unchanged(request.headers()) {
        empty(StatusCode::NOT_MODIFIED)
    } else {
        let mut response = Response::new(Body::from(crl.der));
        let kind = HeaderValue::from_static("application/pkix-crl");
        response.headers_mut().insert(CONTENT_TYPE, kind);
        response
    };
    caching.mark(response.headers_mut(), now);
    Ok(response)
}

fn freshness(state: &CrlState, now: Timestamp) -> SignedDuration {
    let left = now.duration_until(state.next_update);
    left.clamp(SignedDuration::ZERO, LONGEST_CACHING)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_are_kept_for_a_while_and_never_beyond_the_next_update() {
        let this_update = Timestamp::from_second(1_700_000_000).unwrap();
        let state = CrlState {
            name: "root".to_owned(),
            number: 0xabc,
            this_update,
            next_update: this_update + SignedDuration::from_hours(1),
            entries: 0,
            addresses: Vec::new(),
        };
        for (age, seconds) in [(0, 900), (45 * 60, 900), (50 * 60, 600), (7200, 0)] {
            let now = this_update + SignedDuration::from_secs(age);
            assert_eq!(freshness(&state, now).as_secs(), seconds, "{age}");
        }
    }
}
