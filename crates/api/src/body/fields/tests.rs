//! What is wrong with an object, and that all of it is said.

use http_body_util::BodyExt as _;
use serde_json::json;

use super::*;
use crate::error::MOST_VIOLATIONS;

async fn settled(body: Value, read: impl FnOnce(&mut Fields<'_, '_>)) -> Option<Value> {
    let Value::Object(object) = body else {
        panic!("not an object")
    };
    let mut findings = Findings::default();
    let mut fields = Fields::of(&object, &mut findings);
    read(&mut fields);
    fields.finish();
    let failure = findings.settle().err()?;
    let response = failure.respond(crate::answer::RequestId::default());
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    Some(serde_json::from_slice(&bytes).unwrap())
}

#[tokio::test]
async fn every_violation_is_reported_with_its_path() {
    let body = json!({
        "city": "", "san": ["a.example", "B.example"], "period": 0,
        "approver": {"email": "X@example.com"},
        "dcv": [{"commonName": "a.example"}, {"commonName": "Foo"}]
    });
    let answer = settled(body, |fields| {
        fields.required_text("csr", Text::Document);
        fields.text("city", Text::Length(1, 60));
        fields.texts("san", Text::Domain);
        fields.required_integer("period", 1, 99);
        fields.object("approver", |approver| approver.text("email", Text::Email));
        fields.objects("dcv", |entry| {
            entry.required_text("commonName", Text::Domain)
        });
    })
    .await
    .unwrap();
    assert_eq!(answer["type"], "ConstraintViolationException");
    let paths: Vec<_> = answer["violations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|violation| violation["field"].as_str().unwrap())
        .collect();
    assert_eq!(
        paths,
        [
            "csr",
            "city",
            "san[1]",
            "period",
            "approver.email",
            "dcv[1].commonName"
        ]
    );
    assert_eq!(answer["violations"][5]["value"], "Foo");
}

#[tokio::test]
async fn nasty_005_unknown_properties_and_wrong_types_come_first_and_are_all_named() {
    let body = json!({
        "csr": 1, "sans": [], "approver": {"phone": 1}, "san": ["a.example", null],
        "dcv": [7], "authKey": "true", "period": 12.0, "city": ""
    });
    let answer = settled(body, |fields| {
        fields.required_text("csr", Text::Document);
        fields.object("approver", |_| ());
        fields.texts("san", Text::Domain);
        fields.objects("dcv", |_| ());
        fields.boolean("authKey");
        fields.required_integer("period", 1, 99);
        fields.text("city", Text::Length(1, 60));
    })
    .await
    .unwrap();
    assert_eq!(answer["type"], "UnrecognizedPropertyException");
    assert_eq!(answer["property"], "csr");
    let message = answer["message"].as_str().unwrap();
    for path in [
        "csr",
        "sans",
        "approver.phone",
        "san[1]",
        "dcv[0]",
        "authKey",
        "period",
    ] {
        assert!(message.contains(&format!("`{path}`")), "{path}: {message}");
    }
    assert!(!message.contains("city"), "{message}");
}

#[tokio::test]
async fn null_is_absent_and_values_are_trimmed() {
    let body = json!({"csr": null, "city": "  Zwolle\n", "san": null, "approver": null});
    let answer = settled(body, |fields| {
        assert_eq!(fields.text("csr", Text::Document), None);
        assert_eq!(
            fields.text("city", Text::Length(1, 6)).as_deref(),
            Some("Zwolle")
        );
        assert_eq!(fields.texts("san", Text::Domain), None);
        assert!(fields.object("approver", |_| ()).is_none());
    })
    .await;
    assert_eq!(answer, None);
}

#[tokio::test]
async fn a_document_is_never_shown() {
    let answer = settled(json!({"csr": " "}), |fields| {
        fields.required_text("csr", Text::Document);
    })
    .await
    .unwrap();
    assert_eq!(
        answer["violations"],
        json!([{"field": "csr", "message": "may not be empty"}])
    );
}

#[tokio::test]
async fn an_answer_stays_short_however_much_is_wrong() {
    let names: Vec<_> = (0..20_000).map(|_| "X").collect();
    let answer = settled(json!({"san": names}), |fields| {
        fields.texts("san", Text::Domain);
    })
    .await
    .unwrap();
    assert_eq!(
        answer["violations"].as_array().unwrap().len(),
        MOST_VIOLATIONS
    );
}
