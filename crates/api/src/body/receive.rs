//! Taking a body from the network: no longer, no slower and in no other form than expected.

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::Body as _;
use serde_json::{Map, Value};
use tokio::time::timeout;

use super::json;
use crate::answer::ApiConfig;
use crate::error::{Failure, first_characters};

/// The JSON object in a body; `None` when the body is empty, whatever content type it claims: clients send
/// one with nothing (contract.md section 7).
pub(crate) fn object(
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Option<Map<String, Value>>, Failure> {
    if body.is_empty() {
        return Ok(None);
    }
    check_headers(headers)?;
    json::object(body).map(Some).map_err(|error| {
        Failure::unreadable(format!(
            "The body is not a JSON object that can be read: {error}"
        ))
    })
}

/// All bytes of a body. What is too large is not read to its end; what is too slow is given up.
pub(crate) async fn bytes(body: Body, config: &ApiConfig) -> Result<Bytes, Failure> {
    let limit = config.max_body;
    // An announced length is believed when it is too large: nothing has to be read for that.
    if body.size_hint().lower() > limit as u64 {
        return Err(too_large(limit));
    }
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    match timeout(config.body_timeout, collect(body, limit)).await {
        Ok(outcome) => outcome,
        Err(_) => Err(Failure::abandoned(
            StatusCode::REQUEST_TIMEOUT,
            format!(
                "The body did not arrive within {} seconds: send it at once",
                config.body_timeout.as_secs()
            ),
        )),
    }
}

async fn collect(mut body: Body, limit: usize) -> Result<Bytes, Failure> {
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| {
            tracing::debug!(%error, "a body broke off");
            Failure::abandoned(StatusCode::BAD_REQUEST, "The body broke off")
        })?;
        let Ok(data) = frame.into_data() else {
            continue; // trailers
        };
        if first.len() + rest.len() + data.len() > limit {
            return Err(too_large(limit));
        }
        if first.is_empty() {
            first = data;
        } else {
            rest.extend_from_slice(&data);
        }
    }
    // Nearly every body comes in one piece and is not copied.
    if rest.is_empty() {
        return Ok(first);
    }
    let mut whole = BytesMut::with_capacity(first.len() + rest.len());
    whole.extend_from_slice(&first);
    whole.extend_from_slice(&rest);
    Ok(whole.freeze())
}

fn too_large(limit: usize) -> Failure {
    Failure::abandoned(
        StatusCode::PAYLOAD_TOO_LARGE,
        format!("The body is too large: at most {limit} bytes are read"),
    )
}

/// Plain JSON in UTF-8, nothing else.
fn check_headers(headers: &HeaderMap) -> Result<(), Failure> {
    for value in headers.get_all(CONTENT_ENCODING) {
        if !value.as_bytes().eq_ignore_ascii_case(b"identity") {
            return Err(Failure::unreadable(format!(
                "Expected an uncompressed body, saw `Content-Encoding: {}`",
                first_characters(&String::from_utf8_lossy(value.as_bytes()), 100)
            )));
        }
    }
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    match (types.next(), types.next()) {
        (Some(value), None) if value.to_str().is_ok_and(is_json) => Ok(()),
        (seen, _) => {
            let seen = seen.map_or(std::borrow::Cow::Borrowed("none"), |value| {
                String::from_utf8_lossy(value.as_bytes())
            });
            Err(Failure::unreadable(format!(
                "Expected one header `Content-Type: application/json` (UTF-8), saw `{}`",
                first_characters(&seen, 100)
            )))
        }
    }
}

fn is_json(value: &str) -> bool {
    let mut parts = value.split(';').map(str::trim);
    let json = parts
        .next()
        .is_some_and(|media| media.eq_ignore_ascii_case("application/json"));
    json && parts.all(|parameter| match parameter.split_once('=') {
        Some((name, value)) if name.trim().eq_ignore_ascii_case("charset") => {
            value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
        }
        _ => true,
    })
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::pin::Pin;
    use std::task::{Context, Poll};
    use std::time::Duration;

    use http::HeaderValue;
    use hyper::body::Frame;

    use super::*;
    use crate::load::Capacity;

    const CONFIG: ApiConfig = ApiConfig {
        max_body: 16,
        body_timeout: Duration::from_millis(50),
        rates: None,
        capacity: Capacity {
            open_calls: 1,
            longest_wait: Duration::ZERO,
        },
        cors_origins: Vec::new(),
        metrics_token: None,
    };

    fn headers(pairs: &[(http::HeaderName, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.clone(), HeaderValue::from_static(value)))
            .collect()
    }

    fn status(failure: Failure) -> StatusCode {
        failure
            .respond(crate::answer::RequestId::default())
            .status()
    }

    #[test]
    fn nasty_002_other_types_and_charsets_are_refused() {
        for good in [
            "application/json",
            "application/json; charset=utf-8",
            "APPLICATION/JSON;charset=\"UTF-8\"",
            "application/json; boundary=x",
        ] {
            assert!(
                check_headers(&headers(&[(CONTENT_TYPE, good)])).is_ok(),
                "{good}"
            );
        }
        for bad in [
            "text/plain",
            "application/jsonp",
            "application/json; charset=iso-8859-1",
            "application/x-www-form-urlencoded",
            "",
        ] {
            assert!(
                check_headers(&headers(&[(CONTENT_TYPE, bad)])).is_err(),
                "{bad}"
            );
        }
        assert!(check_headers(&HeaderMap::new()).is_err());
    }

    #[test]
    fn nasty_003_a_compressed_body_is_refused() {
        let gzip = headers(&[
            (CONTENT_TYPE, "application/json"),
            (CONTENT_ENCODING, "gzip"),
        ]);
        assert!(check_headers(&gzip).is_err());
        let identity = headers(&[
            (CONTENT_TYPE, "application/json"),
            (CONTENT_ENCODING, "identity"),
        ]);
        assert!(check_headers(&identity).is_ok());
    }

    #[tokio::test]
    async fn nasty_003_a_body_over_the_limit_is_refused_whether_announced_or_not() {
        let at_limit = bytes(Body::from("x".repeat(16)), &CONFIG).await.unwrap();
        assert_eq!(at_limit.len(), 16);
        let announced = bytes(Body::from("x".repeat(17)), &CONFIG).await;
        assert_eq!(
            status(announced.unwrap_err()),
            StatusCode::PAYLOAD_TOO_LARGE
        );

        // Without end: the answer comes although the body never finishes.
        let endless = pieces(|| Some("0123456789"));
        let outcome = bytes(endless, &CONFIG).await;
        assert_eq!(status(outcome.unwrap_err()), StatusCode::PAYLOAD_TOO_LARGE);
    }

    #[tokio::test]
    async fn a_slow_body_times_out() {
        let outcome = bytes(Body::new(Silent), &CONFIG).await;
        assert_eq!(status(outcome.unwrap_err()), StatusCode::REQUEST_TIMEOUT);
    }

    #[tokio::test]
    async fn a_body_in_pieces_is_put_together() {
        let mut parts = ["{\"a\"", ":", "1}"].into_iter();
        let body = pieces(move || parts.next());
        assert_eq!(bytes(body, &CONFIG).await.unwrap(), "{\"a\":1}");
    }

    fn pieces(next: impl FnMut() -> Option<&'static str> + Send + Unpin + 'static) -> Body {
        Body::new(Pieces(next))
    }

    struct Pieces<F>(F);

    impl<F: FnMut() -> Option<&'static str> + Unpin> hyper::body::Body for Pieces<F> {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            let next = (self.0)();
            Poll::Ready(next.map(|piece| Ok(Frame::data(piece.into()))))
        }
    }

    /// Announces a body that never comes.
    struct Silent;

    impl hyper::body::Body for Silent {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            Poll::Pending
        }
    }
}
