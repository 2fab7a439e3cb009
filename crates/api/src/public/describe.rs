//! What the document says about what anybody may fetch.

use serde_json::{Value, json};

use crate::openapi::Operation;

const TAG: &str = "Public";

fn text(example: &str) -> Value {
    json!({"type": "string", "minLength": 1, "example": example})
}

pub(crate) fn health() -> Operation {
    Operation::new(TAG, "getHealth", "Whether the server answers").media(
        200,
        "It does.",
        "text/plain",
    )
}

pub(crate) fn ready() -> Operation {
    Operation::new(TAG, "getReadiness", "Whether the server can work")
        .media(200, "It can.", "text/plain")
        .refused(&[500, 503])
}

pub(crate) fn metrics() -> Operation {
    Operation::new(TAG, "getMetrics", "What is counted and measured, for Prometheus")
        .details("Asks for `Authorization: Bearer TOKEN` with the token in the file `metrics.token_file`; without one configured there is nothing here.")
        .media(200, "The text format of Prometheus.", "text/plain")
        .refused(&[401, 404, 500])
}

pub(crate) fn issuer_certificate() -> Operation {
    let file = json!({
        "type": "string",
        "pattern": "^(root|intermediate(-[0-9a-f]{16})?)\\.(cer|pem)$",
        "examples": ["root.cer", "intermediate.pem"],
    });
    Operation::new(TAG, "getIssuerCertificate", "A certificate of the CA")
        .path("file", file)
        .media(200, "DER as `.cer`.", "application/pkix-cert")
        .or_media("application/x-pem-file")
        .refused(&[404])
}

pub(crate) fn revocation_list() -> Operation {
    list("getRevocationList").path("file", text("root.crl"))
}

pub(crate) fn revocation_list_of_authority() -> Operation {
    list("getRevocationListOfAuthority")
        .path("authority", text("1"))
        .path("file", text("0.crl"))
}

fn list(id: &'static str) -> Operation {
    Operation::new(TAG, id, "A revocation list")
        .media(200, "DER.", "application/pkix-crl")
        .answer(
            304,
            "It is the one that `If-None-Match` or `If-Modified-Since` speaks of.",
        )
        .refused(&[404, 500, 503])
}

pub(crate) fn status_by_body() -> Operation {
    status("getStatus")
        .binary("application/ocsp-request")
        .refused(&[400, 404, 408, 413])
}

pub(crate) fn status_by_path() -> Operation {
    status("getStatusByPath")
        .path("request", text("MGgwZjBkMGIwYDANBglghkgBZQMEAgEFAAQg"))
        .details(
            "The path is the request in base64. Answers without a nonce may be kept for minutes.",
        )
        .answer(
            304,
            "It is the answer that `If-None-Match` or `If-Modified-Since` speaks of.",
        )
        .refused(&[404])
}

fn status(id: &'static str) -> Operation {
    Operation::new(TAG, id, "Whether certificates are good (OCSP, RFC 6960)").media(
        200,
        "An OCSPResponse; its status says whether the request could be answered.",
        "application/ocsp-response",
    )
}

pub(crate) fn renewal_info() -> Operation {
    Operation::new(
        TAG,
        "getRenewalInfo",
        "When a certificate should be replaced (RFC 9773)",
    )
    .path("id", text("aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE"))
    .media(
        200,
        "The window; `Retry-After` says when to ask again.",
        "application/json",
    )
    .refused(&[404, 500, 503])
}

pub(crate) fn explanation() -> Operation {
    Operation::new(
        TAG,
        "getRenewalExplanation",
        "Why it is that window, for people",
    )
    .path("id", text("aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE"))
    .media(200, "Words.", "text/plain")
    .refused(&[404, 500, 503])
}

pub(crate) fn approval() -> Operation {
    page(
        "getApproval",
        "The page behind the link in an approval mail",
    )
}

pub(crate) fn decide() -> Operation {
    form("decideApproval", "The decision taken on that page")
}

pub(crate) fn agreement() -> Operation {
    page(
        "getAgreement",
        "The page behind the link in a mail with the subscriber agreement",
    )
}

pub(crate) fn answer_agreement() -> Operation {
    form("answerAgreement", "The answer given on that page")
}

fn page(id: &'static str, summary: &'static str) -> Operation {
    Operation::new(TAG, id, summary)
        .path("token", text("t"))
        .media(200, "The page; it changes nothing.", "text/html")
        .media(404, "The link is not valid.", "text/html")
        .media(
            429,
            "Too many links that are not valid: wait for `Retry-After`.",
            "text/html",
        )
        .media(503, "Later.", "text/html")
        .refused(&[500])
}

fn form(id: &'static str, summary: &'static str) -> Operation {
    Operation::new(TAG, id, summary)
        .path("token", text("t"))
        .form(json!({
            "type": "object",
            "properties": {
                "form_token": {"type": "string"},
                "approve": {"type": "string"},
                "reject": {"type": "string"},
            },
            "required": ["form_token"],
            "description": "One of the two buttons.",
        }))
        .media(200, "It is recorded.", "text/html")
        .media(404, "The link is not valid.", "text/html")
        .media(
            429,
            "Too many links that are not valid: wait for `Retry-After`.",
            "text/html",
        )
        .media(503, "Later.", "text/html")
        .refused(&[400, 408, 413, 500])
}
