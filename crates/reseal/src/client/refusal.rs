//! What a refusal of the API says, for a person (contract.md section 2).

use std::fmt::Write as _;

use http::StatusCode;
use serde_json::Value;

use super::http::Reply;
use crate::console::printable;

/// Type, message and each field that is wrong; and what to do about refusals that are not about the request.
pub(super) fn in_words(reply: &Reply) -> String {
    let body: Value = serde_json::from_str(&reply.text).unwrap_or_default();
    let text = |value: &Value| value.as_str().map(printable);
    let (Some(kind), Some(message)) = (text(&body["type"]), text(&body["message"])) else {
        return format!(
            "the server answered {} and nothing that is understood",
            reply.status
        );
    };
    let mut words = format!("the server refused: {message} ({kind})");
    if let Some(property) = text(&body["property"]) {
        let _ = write!(words, "\n  {property}: not known to this server");
    }
    for violation in body["violations"].as_array().into_iter().flatten() {
        let field = text(&violation["field"]).unwrap_or_default();
        let message = text(&violation["message"]).unwrap_or_default();
        let _ = write!(words, "\n  {field}: {message}");
    }
    for billable in body["billables"].as_array().into_iter().flatten() {
        let _ = write!(words, "\n  charged: {}", printable(&billable.to_string()));
    }
    let hint = match reply.status {
        StatusCode::UNAUTHORIZED => {
            "is `--api-key` the key that `api-key create` printed, and not revoked?"
        }
        StatusCode::FORBIDDEN => "the key may not do this",
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            "repeat the command later"
        }
        StatusCode::INTERNAL_SERVER_ERROR => "the server's operator finds the reference in its log",
        _ => return words,
    };
    let _ = write!(words, "\n{hint}");
    words
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(status: u16, body: &Value) -> String {
        in_words(&Reply {
            status: StatusCode::from_u16(status).unwrap(),
            process: None,
            retry_after: None,
            text: body.to_string(),
        })
    }

    #[test]
    fn every_field_is_named_and_nothing_speaks_to_the_terminal() {
        let body = json!({"type": "ConstraintViolationException", "message": "2 fields\u{1b}[2J", "violations": [
            {"field": "dcv[0].commonName", "message": "not a name", "value": "x"}, {"field": "csr", "message": "bad"},
        ]});
        assert_eq!(
            said(400, &body),
            "the server refused: 2 fields\\u{1b}[2J (ConstraintViolationException)\n  dcv[0].commonName: not a name\n  csr: bad"
        );
        let body = json!({"type": "AuthenticationError", "message": "no"});
        assert!(said(401, &body).ends_with("not revoked?"));
        assert!(said(502, &Value::Null).contains("502 Bad Gateway"));
    }
}
