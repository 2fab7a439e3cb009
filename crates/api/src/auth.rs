//! Who is calling, and what a handler gets to see of the call.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRequestParts as _, MatchedPath, RawPathParams, Request, State};
use axum::response::Response;
use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderMap, Method};
use reseal_lifecycle::customer::Caller;
use reseal_lifecycle::{Error, Kind, Services};
use serde_json::{Map, Value};

use crate::answer::{RequestId, Shared, Trace};
use crate::body::receive;
use crate::error::Failure;
use crate::idempotency;
use crate::load::Place;
use crate::query::Parameters;
use crate::server::Peer;

/// What handlers answer with.
pub(crate) type Outcome = Result<Response, Failure>;

/// An authenticated call.
pub(crate) struct Call {
    pub(crate) caller: Caller,
    shared: Arc<Shared>,
    parts: Parts,
    parameters: Option<RawPathParams>,
    body: Bytes,
    _place: Place,
}

/// An id that no object has: a path segment that is no id at all is looked up as this one, so that the
/// answer cannot differ from that for an unknown id.
const NO_ID: i64 = -1;

impl Call {
    pub(crate) fn services(&self) -> &Arc<Services> {
        &self.shared.services
    }

    /// The path parameter `id`.
    pub(crate) fn id(&self) -> i64 {
        self.segment("id").map_or(NO_ID, parse_id)
    }

    /// A path parameter, percent-decoded; `None` when it is not UTF-8.
    pub(crate) fn segment(&self, name: &str) -> Option<&str> {
        let parameters = self.parameters.as_ref()?;
        parameters
            .iter()
            .find_map(|(key, value)| (key == name).then_some(value))
    }

    /// The query.
    pub(crate) fn query(&self) -> Parameters {
        Parameters::parse(self.parts.uri.query().unwrap_or_default())
    }

    pub(crate) fn method(&self) -> &Method {
        &self.parts.method
    }

    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.parts.headers
    }

    /// Path and query.
    pub(crate) fn target(&self) -> &str {
        self.parts
            .uri
            .path_and_query()
            .map_or("", PathAndQuery::as_str)
    }

    /// The bytes of the body.
    pub(crate) fn bytes(&self) -> &Bytes {
        &self.body
    }

    /// The JSON object in the body, `None` when there is no body.
    pub(crate) fn optional_body(&self) -> Result<Option<Map<String, Value>>, Failure> {
        receive::object(&self.parts.headers, &self.body)
    }

    /// The JSON object in the body.
    pub(crate) fn body(&self) -> Result<Map<String, Value>, Failure> {
        self.optional_body()?
            .ok_or_else(|| Failure::unreadable("The request has no body: expected a JSON object"))
    }

    /// The caller, seeing nothing but the objects of the customer in the path; a customer that it may not see
    /// does not exist.
    pub(crate) async fn below_customer(&self) -> Result<Caller, Failure> {
        // What is not UTF-8 is no handle.
        let customer = self.segment("customer").unwrap_or_default();
        Ok(self.services().narrowed(&self.caller, customer).await?)
    }
}

/// Wraps a handler of the API: it is called only with a known caller.
pub(crate) async fn authenticated<F, Fut>(
    State(shared): State<Arc<Shared>>,
    request: Request,
    handler: F,
) -> Response
where
    F: FnOnce(Call) -> Fut + Send + 'static,
    Fut: Future<Output = Outcome> + Send + 'static,
{
    let (mut parts, body) = request.into_parts();
    let id = parts.extensions.get().copied().unwrap_or_default();
    let route = parts.extensions.remove::<MatchedPath>();
    let mut customer = None;
    let outcome = match admit(&shared, &parts).await {
        Ok(caller) => {
            customer = Some(caller.customer.clone());
            let (services, user) = (Arc::clone(&shared.services), caller.user.clone());
            let outcome = match begin(shared, caller, parts, body).await {
                Ok(call) => idempotency::once(call, handler).await,
                Err(failure) => Err(failure),
            };
            if outcome.as_ref().is_err_and(Failure::is_forbidden) {
                services.refusals().forbidden(&user);
            }
            outcome
        }
        Err(failure) => Err(failure),
    };
    finish(outcome, id, Trace { route, customer })
}

/// The call, once all of it is there and there is a place for it. A body that comes slowly holds no place.
async fn begin(
    shared: Arc<Shared>,
    caller: Caller,
    mut parts: Parts,
    body: Body,
) -> Result<Call, Failure> {
    let body = if parts.method.is_safe() {
        Bytes::new()
    } else {
        receive::bytes(body, &shared.config).await?
    };
    let place = shared
        .load
        .enter(&parts.method, shared.services.backlog())?;
    Ok(Call {
        parameters: RawPathParams::from_request_parts(&mut parts, &())
            .await
            .ok(),
        caller,
        shared,
        parts,
        body,
        _place: place,
    })
}

/// Wraps a handler that anybody may call.
pub(crate) async fn open<F, Fut>(
    State(shared): State<Arc<Shared>>,
    request: Request,
    handler: F,
) -> Response
where
    F: FnOnce(Arc<Shared>, Request) -> Fut,
    Fut: Future<Output = Outcome>,
{
    let id = request.extensions().get().copied().unwrap_or_default();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let outcome = handler(shared, request).await;
    let trace = Trace {
        route,
        customer: None,
    };
    finish(outcome, id, trace)
}

fn finish(outcome: Outcome, id: RequestId, trace: Trace) -> Response {
    let mut response = outcome.unwrap_or_else(|failure| failure.respond(id));
    response.extensions_mut().insert(trace);
    response
}

/// The caller, if it may call now.
async fn admit(shared: &Shared, parts: &Parts) -> Result<Caller, Failure> {
    let found = authenticate(&shared.services, &parts.headers).await;
    if let (Err(error), Some(Peer(address))) = (&found, parts.extensions.get())
        && error.kind == Kind::Unauthenticated
    {
        shared.services.refusals().unauthenticated(*address);
    }
    let Some(limits) = &shared.limits else {
        return Ok(found?);
    };
    match found {
        Ok(caller) => limits.call(&caller).map(|()| caller),
        Err(error) => {
            if let (Kind::Unauthenticated, Some(Peer(address))) =
                (error.kind, parts.extensions.get())
            {
                limits.failed(*address)?;
            }
            Err(error.into())
        }
    }
}

/// The caller whose key is in the `Authorization` header, which must be there once.
async fn authenticate(services: &Services, headers: &HeaderMap) -> Result<Caller, Error> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(Error::new(
            Kind::Unauthenticated,
            "Expected one header `Authorization: ApiKey <key>`",
        ));
    };
    let Some(key) = value.to_str().ok().and_then(api_key) else {
        return Err(Error::new(
            Kind::Unauthenticated,
            "Expected `Authorization: ApiKey <key>`, saw another scheme",
        ));
    };
    services.authenticate(key).await
}

/// The key in the header's value; schemes are compared without regard to case (RFC 9110 section 11.1).
fn api_key(value: &str) -> Option<&str> {
    let (scheme, key) = value.trim().split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("ApiKey")
        .then(|| key.trim_start())
}

/// An id in its one spelling: decimal digits without sign or leading zeros.
fn parse_id(text: &str) -> i64 {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    plain.then(|| text.parse().ok()).flatten().unwrap_or(NO_ID)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nasty_009_what_is_no_id_is_looked_up_as_an_unknown_one() {
        assert_eq!(parse_id("7"), 7);
        assert_eq!(parse_id("9223372036854775807"), i64::MAX);
        for text in [
            "0",
            "-1",
            "+1",
            "1e3",
            "01",
            "9223372036854775808",
            "12;drop",
            "../",
            "",
            "１",
            "[object Object]",
        ] {
            assert_eq!(parse_id(text), NO_ID, "{text}");
        }
    }

    #[test]
    fn nasty_012_only_the_api_key_scheme_is_taken() {
        assert_eq!(api_key("ApiKey abc="), Some("abc="));
        assert_eq!(api_key("apikey  abc="), Some("abc="));
        for value in ["Session abc", "Basic abc", "ApiKey", "abc", ""] {
            assert_eq!(api_key(value), None, "{value}");
        }
    }
}
