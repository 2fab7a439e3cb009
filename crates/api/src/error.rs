//! Errors on the wire (contract.md section 2): the only place that turns a refusal of the layers below into
//! a status and a contract type.

use std::fmt::Write as _;
use std::time::Duration;

use axum::response::Response;
use http::header::{CONNECTION, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use reseal_lifecycle::issuance::Quote;
use reseal_lifecycle::{Error, Kind, Violation};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::answer::{RequestId, json};
use crate::quote::Price;

/// Characters of a received value that are shown again (design decision 3).
const LONGEST_VALUE: usize = 255;

/// How long a client is asked to stay away at most: a store that was stuck may go on at any moment.
const LONGEST_RETRY: Duration = Duration::from_secs(30);

/// Violations in one answer; a body can hold some ten thousand of them.
pub(crate) const MOST_VIOLATIONS: usize = 100;

/// Every type of the contract with the statuses that it comes with (contract.md section 2.1; 404, 405, 408 and 413 are
/// ours, for what the contract's API does not get to see).
pub(crate) const TYPES: &[(&str, &[u16])] = &[
    ("AuthenticationError", &[401]),
    ("AuthenticationRatelimitedError", &[429]),
    ("AuthorizationError", &[403]),
    ("BillableAcknowledgmentNeededException", &[400]),
    ("ConstraintViolationException", &[400]),
    ("InsufficientCreditException", &[400]),
    ("InternalSRSError", &[500]),
    ("InvalidCSRException", &[400]),
    ("InvalidMessage", &[400, 405, 408, 413]),
    ("NoContractException", &[400]),
    ("ObjectDoesNotExist", &[400, 404]),
    ("ObjectExists", &[400]),
    ("ObjectStatusProhibitsOperation", &[400]),
    ("ProcessError", &[400]),
    ("ProviderConnectionError", &[502]),
    ("ProviderUnavailable", &[503]),
    ("TooManyRequests", &[429]),
    ("UnrecognizedPropertyException", &[400]),
    ("UnsupportedTld", &[400]),
    ("ValidationError", &[400]),
];

/// A call that is refused or failed.
#[derive(Debug)]
pub(crate) struct Failure(Box<Refusal>);

#[derive(Debug)]
struct Refusal {
    status: StatusCode,
    contract_type: &'static str,
    message: String,
    /// `Some` exactly for the types whose clients read it.
    violations: Option<Vec<Violation>>,
    property: Option<String>,
    /// `Some` exactly for the type whose clients read it.
    quote: Option<Value>,
    retry_after: Option<Duration>,
    /// The request was not read to its end: nothing can follow on this connection.
    close: bool,
    /// For the log only.
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Failure {
    fn new(status: StatusCode, contract_type: &'static str, message: impl Into<String>) -> Self {
        Self(Box::new(Refusal {
            status,
            contract_type,
            message: message.into(),
            violations: None,
            property: None,
            quote: None,
            retry_after: None,
            close: false,
            source: None,
        }))
    }

    /// A request that cannot be read.
    pub(crate) fn unreadable(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "InvalidMessage", message)
    }

    /// A request whose rest will not be read.
    pub(crate) fn abandoned(status: StatusCode, message: impl Into<String>) -> Self {
        let mut failure = Self::new(status, "InvalidMessage", message);
        failure.0.close = true;
        failure
    }

    /// Properties that the body may not have, or whose JSON type is another: each path with its problem.
    pub(crate) fn unrecognized(first: String, message: String) -> Self {
        let mut failure = Self::new(
            StatusCode::BAD_REQUEST,
            "UnrecognizedPropertyException",
            message,
        );
        failure.0.property = Some(first);
        failure
    }

    /// Fields or parameters that break their restrictions.
    pub(crate) fn constraints(violations: Vec<Violation>) -> Self {
        Error::constraint(violations).into()
    }

    /// Charges that the caller's acknowledgments do not cover (contract.md section 1.7).
    pub(crate) fn unacknowledged(quote: &Quote) -> Self {
        let mut failure = Self::new(
            StatusCode::BAD_REQUEST,
            "BillableAcknowledgmentNeededException",
            "Not every charge is acknowledged: send `billables` that cover those listed here, or none",
        );
        match serde_json::to_value(Price::of(quote)) {
            Ok(price) => failure.0.quote = Some(price),
            Err(error) => return Self::internal(error),
        }
        failure
    }

    /// A rule that well-formed input breaks.
    pub(crate) fn rule(message: impl Into<String>) -> Self {
        Error::new(Kind::Rule, message).into()
    }

    /// Whether the caller may not do this.
    pub(crate) fn is_forbidden(&self) -> bool {
        self.0.status == StatusCode::FORBIDDEN
    }

    /// A path that leads nowhere.
    pub(crate) fn no_route(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "ObjectDoesNotExist", message)
    }

    /// A path that has other methods.
    pub(crate) fn no_method(message: impl Into<String>) -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "InvalidMessage", message)
    }

    /// A call that comes too soon after others.
    pub(crate) fn too_many(message: &str, wait: Duration) -> Self {
        let mut failure: Self = Error::new(Kind::RateLimited, message).into();
        failure.0.retry_after = Some(wait);
        failure
    }

    /// A call that was not begun, because others have to wait for `backlog` already.
    pub(crate) fn overloaded(why: &str, backlog: Duration) -> Self {
        let message =
            format!("{why}: nothing was done; repeat this call after the time in `Retry-After`");
        let mut failure: Self = Error::new(Kind::Unavailable, message).into();
        failure.0.retry_after = Some(backlog.min(LONGEST_RETRY));
        failure
    }

    /// One failed authentication too many.
    pub(crate) fn too_many_failures(wait: Duration) -> Self {
        let message = "Too many failed authentications: check the key before the next attempt";
        let mut failure = Self::too_many(message, wait);
        failure.0.contract_type = "AuthenticationRatelimitedError";
        failure
    }

    /// A fault of our own.
    pub(crate) fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Error::internal(source).into()
    }

    /// The answer to send; what is for the log only goes there.
    pub(crate) fn respond(self, request: RequestId) -> Response {
        let mut refusal = *self.0;
        debug_assert!(
            TYPES
                .iter()
                .any(|(name, statuses)| *name == refusal.contract_type
                    && statuses.contains(&refusal.status.as_u16())),
            "{} with {} is not in the table",
            refusal.contract_type,
            refusal.status
        );
        if let Some(source) = &refusal.source {
            log_source(request, refusal.contract_type, source.as_ref());
        }
        if refusal.status == StatusCode::INTERNAL_SERVER_ERROR {
            refusal.message = format!("Internal failure, reference {request}");
        }
        let mut response = json(
            refusal.status,
            &Body {
                r#type: refusal.contract_type,
                message: &refusal.message,
                property: refusal.property.as_deref(),
                violations: refusal.violations.as_deref().map(Violations),
                quote: refusal.quote.as_ref(),
                billables: refusal
                    .quote
                    .as_ref()
                    .and_then(|quote| quote.get("billables")),
            },
        );
        let headers = response.headers_mut();
        if refusal.status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("ApiKey"));
        }
        if let Some(wait) = refusal.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(whole_seconds(wait)));
        }
        if refusal.close {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

/// `wait` rounded up: whoever comes back earlier comes in vain.
fn whole_seconds(wait: Duration) -> u64 {
    (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1)
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let (status, contract_type) = on_the_wire(error.kind);
        let about_fields = match error.kind {
            Kind::Constraint | Kind::InvalidCsr => true,
            _ => !error.violations.is_empty(),
        };
        Self(Box::new(Refusal {
            status,
            contract_type,
            message: error.message,
            violations: about_fields.then_some(error.violations),
            property: None,
            quote: None,
            retry_after: error.retry_after.or(match error.kind {
                Kind::RateLimited | Kind::Unavailable => Some(Duration::from_secs(1)),
                _ => None,
            }),
            close: false,
            source: error.source,
        }))
    }
}

/// Status and contract type of each kind. No wildcard arm: a new kind has to be thought about here.
fn on_the_wire(kind: Kind) -> (StatusCode, &'static str) {
    match kind {
        Kind::Constraint => (StatusCode::BAD_REQUEST, "ConstraintViolationException"),
        Kind::InvalidCsr => (StatusCode::BAD_REQUEST, "InvalidCSRException"),
        Kind::Rule => (StatusCode::BAD_REQUEST, "ValidationError"),
        Kind::NotFound => (StatusCode::BAD_REQUEST, "ObjectDoesNotExist"),
        Kind::Exists => (StatusCode::BAD_REQUEST, "ObjectExists"),
        Kind::Status => (StatusCode::BAD_REQUEST, "ObjectStatusProhibitsOperation"),
        Kind::Unauthenticated => (StatusCode::UNAUTHORIZED, "AuthenticationError"),
        Kind::Forbidden => (StatusCode::FORBIDDEN, "AuthorizationError"),
        Kind::RateLimited => (StatusCode::TOO_MANY_REQUESTS, "TooManyRequests"),
        Kind::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "ProviderUnavailable"),
        Kind::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "InternalSRSError"),
    }
}

fn log_source(
    request: RequestId,
    contract_type: &str,
    source: &(dyn std::error::Error + Send + Sync + 'static),
) {
    let mut text = source.to_string();
    let mut cause = source.source();
    while let Some(inner) = cause {
        let _ = write!(text, ": {inner}");
        cause = inner.source();
    }
    tracing::error!(%request, r#type = contract_type, "{text}");
}

/// A refusal.
#[derive(JsonSchema, Serialize)]
#[schemars(rename = "Error")]
pub(crate) struct Body<'a> {
    #[schemars(extend("enum" = TYPES.iter().map(|(name, _)| name).collect::<Vec<_>>()))]
    r#type: &'static str,
    /// For people.
    message: &'a str,
    /// The first field that is unknown or has another JSON type, with `UnrecognizedPropertyException`.
    #[serde(skip_serializing_if = "Option::is_none")]
    property: Option<&'a str>,
    /// Each field that breaks its restrictions, with `ConstraintViolationException` and `InvalidCSRException`.
    #[schemars(with = "Vec<ViolationBody>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    violations: Option<Violations<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quote: Option<&'a Value>,
    /// The same as in the quote: clients look here or there.
    #[serde(skip_serializing_if = "Option::is_none")]
    billables: Option<&'a Value>,
}

struct Violations<'a>(&'a [Violation]);

impl Serialize for Violations<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let shown = self.0.iter().take(MOST_VIOLATIONS);
        serializer.collect_seq(shown.map(|violation| ViolationBody {
            field: &violation.field,
            message: &violation.message,
            value: violation.value.as_deref().and_then(shown_value),
        }))
    }
}

/// A field that breaks a restriction.
#[derive(JsonSchema, Serialize)]
#[schemars(rename = "Violation")]
struct ViolationBody<'a> {
    /// Its path, such as `dcv[0].commonName`.
    field: &'a str,
    /// For people.
    message: &'a str,
    /// The beginning of what was received.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<&'a str>,
}

/// The beginning of what was received; nothing of a private key, wherever it was pasted.
fn shown_value(value: &str) -> Option<&str> {
    if value.contains("PRIVATE KEY") {
        return None;
    }
    Some(first_characters(value, LONGEST_VALUE))
}

/// At most `count` characters from the start of `text`.
pub(crate) fn first_characters(text: &str, count: usize) -> &str {
    text.char_indices()
        .nth(count)
        .map_or(text, |(end, _)| &text[..end])
}

#[cfg(test)]
mod tests;
