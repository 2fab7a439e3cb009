//! Calls by scripts in browsers (Fetch standard, section 3.3): from the origins that the operator lists, else none.
//!
//! Browsers never send a key by themselves, so an origin that is admitted can do no more than whoever has one.

use std::str::FromStr;

use axum::extract::Request;
use axum::response::Response;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN,
    VARY,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};

use crate::answer::empty;

/// Methods, request headers and response headers of the API that scripts may use.
const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, DELETE");
const REQUEST_HEADERS: HeaderValue =
    HeaderValue::from_static("Authorization, Content-Type, Idempotency-Key");
const RESPONSE_HEADERS: HeaderValue =
    HeaderValue::from_static("X-Process-Id, Location, Retry-After");

/// Seconds for which a browser remembers what it may do.
const MEMORY: HeaderValue = HeaderValue::from_static("600");

/// An origin whose scripts may call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Every one.
    Any,
    /// This one: scheme, host and, where it is not the scheme's own, port.
    Exact(HeaderValue),
}

/// A text that is no origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoOrigin;

impl FromStr for Origin {
    type Err = NoOrigin;

    /// `*`, or an origin in the one spelling that browsers use (RFC 6454 section 6.2).
    fn from_str(text: &str) -> Result<Self, NoOrigin> {
        if text == "*" {
            return Ok(Self::Any);
        }
        let uri: Uri = text.parse().map_err(|_| NoOrigin)?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(NoOrigin);
        };
        let own = match scheme {
            "http" => 80,
            "https" => 443,
            _ => return Err(NoOrigin),
        };
        let port = match authority.port_u16() {
            Some(port) if port == own => return Err(NoOrigin),
            Some(port) => format!(":{port}"),
            None => String::new(),
        };
        let spelled = format!("{scheme}://{}{port}", authority.host().to_ascii_lowercase());
        if spelled != text || text.contains('*') {
            return Err(NoOrigin);
        }
        HeaderValue::from_str(text)
            .map(Self::Exact)
            .map_err(|_| NoOrigin)
    }
}

/// The origins that are admitted.
#[derive(Debug, Default)]
pub(crate) struct Cors(Vec<Origin>);

impl Cors {
    pub(crate) fn new(origins: Vec<Origin>) -> Self {
        Self(origins)
    }

    /// What an answer must name for the page that asks to see it; `None` when it may not.
    pub(crate) fn admitted(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let asking = headers.get(ORIGIN)?;
        self.0.iter().find_map(|origin| match origin {
            Origin::Any => Some(HeaderValue::from_static("*")),
            Origin::Exact(origin) => (origin == asking).then(|| origin.clone()),
        })
    }

    /// The answer to the question, asked by a browser of its own accord, whether a call may be made. It needs no key:
    /// it says nothing about what is there.
    pub(crate) fn preflight(request: &Request, admitted: Option<&HeaderValue>) -> Option<Response> {
        let asks = request.method() == Method::OPTIONS
            && request
                .headers()
                .contains_key(ACCESS_CONTROL_REQUEST_METHOD);
        if !asks || admitted.is_none() {
            return None;
        }
        let mut response = empty(StatusCode::NO_CONTENT);
        response.headers_mut().extend([
            (ACCESS_CONTROL_ALLOW_METHODS, METHODS),
            (ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_HEADERS),
            (ACCESS_CONTROL_MAX_AGE, MEMORY),
        ]);
        Some(response)
    }

    /// Lets the page that was `admitted` see the answer.
    pub(crate) fn mark(&self, response: &mut Response, admitted: Option<HeaderValue>) {
        if self.0.is_empty() {
            return;
        }
        let headers = response.headers_mut();
        if !self.0.contains(&Origin::Any) {
            // Whoever keeps answers has to keep one for each origin.
            headers.append(VARY, HeaderValue::from_static("Origin"));
        }
        if let Some(origin) = admitted {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, RESPONSE_HEADERS);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_spelled_as_browsers_do() {
        assert_eq!("*".parse(), Ok(Origin::Any));
        for good in [
            "https://shop.example",
            "http://localhost:3000",
            "https://[::1]:8443",
        ] {
            let origin = HeaderValue::from_str(good).unwrap();
            assert_eq!(good.parse(), Ok(Origin::Exact(origin)), "{good}");
        }
        for bad in [
            "",
            "null",
            "shop.example",
            "https://shop.example/",
            "https://shop.example/x",
            "https://Shop.example",
            "https://shop.example:443",
            "http://shop.example:80",
            "https://a@shop.example",
            "ftp://shop.example",
            "https://*.example",
            "https://shop.example?x",
        ] {
            assert_eq!(bad.parse::<Origin>(), Err(NoOrigin), "{bad}");
        }
    }

    #[test]
    fn nobody_is_admitted_who_is_not_listed() {
        let asking = |origin: &'static str| {
            HeaderMap::from_iter([(ORIGIN, HeaderValue::from_static(origin))])
        };
        let listed = Cors::new(vec!["https://a.example".parse().unwrap()]);
        let own = listed.admitted(&asking("https://a.example"));
        assert_eq!(own.unwrap(), "https://a.example");
        for other in ["https://b.example", "http://a.example", "null", "*", ""] {
            assert_eq!(listed.admitted(&asking(other)), None, "{other}");
        }
        assert_eq!(listed.admitted(&HeaderMap::new()), None);
        let any = Cors::new(vec![Origin::Any]);
        assert_eq!(any.admitted(&asking("null")).unwrap(), "*");
        assert_eq!(Cors::default().admitted(&asking("https://a.example")), None);
    }
}
