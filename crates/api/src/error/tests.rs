//! Refusals on the wire.

use http_body_util::BodyExt as _;
use serde_json::{Value, json};

use super::*;

async fn body(failure: Failure) -> Value {
    let response = failure.respond(RequestId::default());
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    serde_json::from_slice(&bytes).unwrap()
}

#[tokio::test]
async fn a_constraint_violation_has_the_contracts_shape() {
    let violations = vec![
        Violation::new("csr", "may not be null", None),
        Violation::new("san[3]", "must match", Some("Foo")),
    ];
    assert_eq!(
        body(Failure::constraints(violations)).await,
        json!({
            "type": "ConstraintViolationException",
            "message": "Constraint violation",
            "violations": [
                {"field": "csr", "message": "may not be null"},
                {"field": "san[3]", "message": "must match", "value": "Foo"}
            ]
        })
    );
}

#[tokio::test]
async fn violations_are_there_even_when_none_is_named() {
    for kind in [Kind::Constraint, Kind::InvalidCsr] {
        let body = body(Error::new(kind, "no").into()).await;
        assert_eq!(body["violations"], json!([]), "{kind:?}");
    }
}

#[tokio::test]
async fn values_are_cut_at_255_characters_and_private_keys_never_shown() {
    let long = "é".repeat(256);
    let key = "x -----BEGIN PRIVATE KEY----- y";
    let body = body(Failure::constraints(vec![
        Violation::new("city", "too long", Some(&long)),
        Violation::new("city", "too long", Some(key)),
    ]))
    .await;
    assert_eq!(body["violations"][0]["value"], "é".repeat(255));
    assert_eq!(body["violations"][1].get("value"), None);
}

#[tokio::test]
async fn an_internal_failure_shows_its_reference_only() {
    let body = body(Failure::internal("table certificate is corrupt")).await;
    assert_eq!(body["type"], "InternalSRSError");
    let message = body["message"].as_str().unwrap();
    assert!(
        message.ends_with(&RequestId::default().to_string()),
        "{message}"
    );
    assert!(!message.contains("corrupt"));
}

#[test]
fn waiting_times_and_closed_connections_are_announced() {
    let busy = Error::unavailable("busy", Duration::from_millis(300), "locked");
    let response = Failure::from(busy).respond(RequestId::default());
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(response.headers()[RETRY_AFTER], "1");
    let large = Failure::abandoned(StatusCode::PAYLOAD_TOO_LARGE, "too large");
    let response = large.respond(RequestId::default());
    assert_eq!(response.headers()[CONNECTION], "close");
}
