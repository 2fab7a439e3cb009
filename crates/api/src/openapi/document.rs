//! The document as a whole.

use schemars::SchemaGenerator;
use serde_json::{Map, Value, json};

use super::operation::Operation;
use super::{list, schema};
use crate::error::{Body, TYPES};

/// What stands above everything.
const INTRODUCTION: &str = "\
Certificates by API: order, prove control of the names, issue, reissue, renew, revoke.

- Every call needs a key in the header `Authorization: ApiKey <key>`, except where it says otherwise.
- Bodies are JSON objects in UTF-8. White space around texts is dropped before anything else; lengths are counted in \
bytes; `null` counts as absent; unknown fields are refused. In answers, a field without a value is absent.
- Dates are UTC with seconds, such as `2026-11-24T12:00:00Z`; any offset, and fractions, are understood.
- A slash at the end of a path changes nothing.
- `X-Request-Id` in every answer names the call in the server's log.";

/// The headings, in their order.
const TAGS: &[(&str, &str)] = &[
    (
        "Certificates",
        "Asking for certificates, replacing, fetching and revoking them.",
    ),
    (
        "Processes",
        "What a request has come to, and what can be done while it waits.",
    ),
    ("Products", "What may be ordered."),
    (
        "Notifications",
        "What happened, to be fetched or sent to a receiver.",
    ),
    (
        "Validations",
        "What operators decide about organizations. For their keys only.",
    ),
    ("Campaigns", "Mass reissues. For operators' keys only."),
    (
        "Keys",
        "Keys that are compromised, and never certified again.",
    ),
    (
        "Not offered",
        "Calls of the contract that this server refuses with `ValidationError`.",
    ),
    ("Public", "What anybody may fetch, without a key."),
];

/// A route with what the document says about it.
pub(crate) struct Described {
    /// In lower case.
    pub(crate) method: &'static str,
    /// As the router wants it.
    pub(crate) path: &'static str,
    pub(crate) operation: Operation,
    /// Whether it needs no key.
    pub(crate) open: bool,
}

impl Described {
    /// The path as the document has it: a parameter is a parameter, however many segments it takes.
    pub(crate) fn template(&self) -> String {
        self.path.replace("{*", "{")
    }
}

/// The document of `routes`.
pub(crate) fn assemble(routes: &[Described]) -> Value {
    let mut generator = schema::generator();
    let mut paths = Map::new();
    for route in routes {
        let path = route.template();
        let described = route
            .operation
            .describe((route.method, &path), route.open, &mut generator);
        let path = paths.entry(path).or_insert_with(|| json!({}));
        path[route.method] = described;
    }
    let tags = TAGS
        .iter()
        .map(|(name, text)| json!({"name": name, "description": text}));
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Reseal",
            "version": env!("CARGO_PKG_VERSION"),
            "description": INTRODUCTION,
            "license": {"name": "Apache-2.0 OR MIT", "identifier": "Apache-2.0 OR MIT"},
        },
        "servers": [{"url": "/"}],
        "security": [{"ApiKey": []}],
        "tags": tags.collect::<Vec<_>>(),
        "paths": paths,
        "components": components(generator),
    })
}

fn components(mut generator: SchemaGenerator) -> Value {
    let responses = refusals(&mut generator);
    let mut parameters = list::common();
    parameters["IdempotencyKey"] = json!({
        "name": "Idempotency-Key", "in": "header",
        "description": "Any text: for 24 hours a second call with the same one, path, query and body is not carried out again but \
            answered as the first. With another path, query or body it is refused. A refused call leaves its key free. \
            Calls that only ask (`quote`, `dryRun`, `decodecsr`, `authkey`) and the setting of a webhook take no notice of it.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
    });
    json!({
        "securitySchemes": {"ApiKey": {
            "type": "apiKey", "in": "header", "name": "Authorization",
            "description": "`ApiKey`, a space, and the key: `Authorization: ApiKey <key>`.",
        }},
        "parameters": parameters,
        "headers": {
            "X-Process-Id": {
                "description": "The process that the call opened.",
                "required": true,
                "schema": {"type": "integer", "format": "int64"},
            },
            "Location": {
                "description": "Where to look on: the certificate if it was issued within the call, otherwise the process.",
                "schema": {"type": "string", "format": "uri-reference"},
            },
            "Retry-After": {
                "description": "Seconds after which the call may be repeated.",
                "schema": {"type": "integer", "minimum": 1},
            },
        },
        "responses": responses,
        "schemas": generator.take_definitions(true),
    })
}

/// Refusals by their status: the same body everywhere, with the types that the status has.
fn refusals(generator: &mut SchemaGenerator) -> Value {
    let body = generator.subschema_for::<Body<'static>>().to_value();
    let mut responses: Map<String, Value> = Map::new();
    for (status, text) in [
        (400, "The request is refused; `type` says why."),
        (401, "There is no key, or not a good one."),
        (403, "The key may not do this."),
        (404, "There is nothing at this path."),
        (408, "The body did not arrive in time."),
        (413, "The body is too large."),
        (429, "Too many calls."),
        (
            500,
            "The server failed; the message has a reference to its log.",
        ),
        (503, "The server cannot do this now."),
    ] {
        let types: Vec<_> = TYPES
            .iter()
            .filter(|(_, statuses)| statuses.contains(&status))
            .map(|(name, _)| *name)
            .collect();
        let mut response = json!({
            "description": text,
            "content": {"application/json": {"schema": {
                "allOf": [body, {"properties": {"type": {"enum": types}}}],
            }}},
        });
        if matches!(status, 429 | 503) {
            response["headers"] =
                json!({"Retry-After": {"$ref": "#/components/headers/Retry-After"}});
        }
        responses.insert(status.to_string(), response);
    }
    Value::Object(responses)
}
