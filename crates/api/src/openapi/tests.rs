//! The document against the router and against itself.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::*;
use crate::router::routes;

fn operations(document: &Value) -> impl Iterator<Item = (&str, &str, &Value)> {
    let paths = document["paths"].as_object().unwrap().iter();
    paths.flat_map(|(path, methods)| {
        let methods = methods.as_object().unwrap().iter();
        methods.map(move |(method, operation)| (method.as_str(), path.as_str(), operation))
    })
}

#[test]
fn every_route_is_described_and_nothing_else() {
    let document = document();
    let described: BTreeSet<_> = operations(&document)
        .map(|(method, path, _)| (method, path))
        .collect();
    let routes = routes();
    let routed: Vec<_> = routes
        .described()
        .iter()
        .map(|route| (route.method, route.template()))
        .collect();
    let routed: BTreeSet<_> = routed
        .iter()
        .map(|(method, path)| (*method, path.as_str()))
        .collect();
    assert_eq!(described, routed);
    assert_eq!(routed.len(), routes.described().len());
}

#[test]
fn operations_have_names_of_their_own_and_known_headings() {
    let document = document();
    let tags: Vec<_> = document["tags"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tag| &tag["name"])
        .collect();
    let mut ids = BTreeSet::new();
    for (method, path, operation) in operations(&document) {
        assert!(
            ids.insert(operation["operationId"].as_str().unwrap()),
            "{method} {path}"
        );
        assert!(tags.contains(&&operation["tags"][0]), "{method} {path}");
        let statuses: Vec<_> = operation["responses"].as_object().unwrap().keys().collect();
        assert!(!statuses.is_empty(), "{method} {path}");
        let open = operation.get("security") == Some(&json!([]));
        assert_eq!(open, !path.starts_with("/v2/"), "{method} {path}");
        // What keeps this one is a token, not an API key.
        let needs_token = path == "/metrics";
        assert_eq!(
            !open || needs_token,
            operation["responses"].get("401").is_some(),
            "{method} {path}"
        );
    }
}

#[test]
fn every_reference_leads_somewhere() {
    fn check(value: &Value, document: &Value) {
        if let Some(reference) = value.get("$ref").and_then(Value::as_str) {
            let target = document.pointer(reference.strip_prefix('#').unwrap());
            assert!(target.is_some(), "{reference}");
        }
        match value {
            Value::Object(object) => object.values().for_each(|value| check(value, document)),
            Value::Array(values) => values.iter().for_each(|value| check(value, document)),
            _ => {}
        }
    }
    let document = document();
    check(&document, &document);
}

/// Bodies and path parameters are explained field by field.
#[test]
fn every_field_of_a_body_says_what_it_means() {
    fn check(schema: &Value, place: &str) {
        let fields = schema["properties"].as_object().into_iter().flatten();
        for (name, field) in fields {
            let own_name = [
                "firstName",
                "lastName",
                "jobTitle",
                "email",
                "product",
                "action",
            ];
            let parts = field.get("items").unwrap_or(field);
            let explained = field.get("description").is_some() || own_name.contains(&name.as_str());
            assert!(explained, "{place}.{name}");
            check(parts, &format!("{place}.{name}"));
        }
    }
    let document = document();
    for (_, path, operation) in operations(&document) {
        let json = operation.pointer("/requestBody/content/application~1json/schema");
        check(json.unwrap_or(&Value::Null), path);
    }
}

#[test]
fn a_reissue_carries_every_restriction_of_the_contract() {
    let document = document();
    let operation = &document["paths"]["/v2/ssl/certificates/{id}/reissue"]["post"];
    let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
    assert_eq!(schema["required"], json!(["csr"]));
    assert_eq!(schema["additionalProperties"], false);
    let fields = &schema["properties"];
    for (name, least, most) in [
        ("domainName", 4, 255),
        ("organization", 1, 64),
        ("department", 1, 60),
        ("state", 1, 60),
        ("address", 1, 60),
        ("postalCode", 1, 10),
        ("city", 1, 60),
        ("coc", 1, 32),
        ("uniqueValue", 1, 20),
    ] {
        assert_eq!(fields[name]["minLength"], least, "{name}");
        assert_eq!(fields[name]["maxLength"], most, "{name}");
    }
    let name =
        r"^(?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?:[a-z][a-z0-9-]{0,61}[a-z0-9])$";
    assert_eq!(fields["domainName"]["pattern"], name);
    assert_eq!(fields["san"]["items"]["pattern"], name);
    assert_eq!(
        fields["dcv"]["items"]["properties"]["commonName"]["pattern"],
        name
    );
    assert_eq!(fields["uniqueValue"]["pattern"], "^[a-zA-Z0-9]+$");
    let languages = [
        "EN", "NL", "FR", "CN", "DE", "IT", "JP", "KR", "PT", "RU", "ES", "DK", "SE", "TR",
    ];
    let description = fields["language"]["description"].as_str().unwrap();
    assert!(description.contains(&languages.join(", ")), "{description}");
    let approver = &fields["approver"];
    assert_eq!(
        approver["required"],
        json!(["firstName", "lastName", "email", "voice"])
    );
    assert_eq!(
        approver["properties"]["voice"]["pattern"],
        r"^\+[0-9]{1,3}\.[0-9]{1,14}$"
    );
    let dcv = &fields["dcv"]["items"];
    assert_eq!(dcv["required"], json!(["commonName", "type"]));
    assert_eq!(
        dcv["properties"]["type"]["enum"],
        json!(["EMAIL", "FILE", "DNS"])
    );
    assert_eq!(dcv["allOf"][0]["then"]["required"], json!(["email"]));
    let answers = operation["responses"].as_object().unwrap();
    let statuses: Vec<_> = answers.keys().map(String::as_str).collect();
    let expected = [
        "200", "201", "202", "400", "401", "403", "408", "413", "429", "500", "503",
    ];
    assert_eq!(statuses, expected);
    assert!(answers["202"]["headers"].get("X-Process-Id").is_some());
}

/// Words that the server takes in any case are not forbidden by the document.
#[test]
fn words_of_any_case_are_described_so() {
    let document = document();
    let certificates = &document["paths"]["/v2/ssl/certificates"];
    let body = &certificates["post"]["requestBody"]["content"]["application/json"]["schema"];
    let parameters = certificates["get"]["parameters"].as_array().unwrap();
    let filters = parameters.iter().find(|one| one["name"] == "filters");
    let filters = &filters.unwrap()["schema"];
    let lists = filters["patternProperties"].as_object().unwrap();
    let of_status = |operator: &str| {
        let name = format!("status:{operator}");
        let mut found = lists.iter().filter(|(names, _)| is_match(names, &name));
        found.next().unwrap().1
    };
    for (schema, good, bad) in [
        (&body["properties"]["language"], ["nl", "Nl", "NL"], "NLD"),
        (&body["properties"]["saLanguage"], ["tr", "tR", "TR"], "T"),
        (
            &filters["properties"]["status"],
            ["active", "Active", "ACTIVE"],
            "ACTIVE,EXPIRED",
        ),
        (of_status("ne"), ["active", "Active", "ACTIVE"], "OLD"),
        (
            of_status("in"),
            ["active", "Active,EXPIRED", "ACTIVE,expired"],
            "ACTIVE,",
        ),
    ] {
        assert!(schema.get("enum").is_none(), "{schema}");
        let pattern = schema["pattern"].as_str().unwrap();
        for text in good {
            assert!(is_match(pattern, text), "{pattern} {text}");
        }
        assert!(!is_match(pattern, bad), "{pattern} {bad}");
    }
}

fn is_match(pattern: &str, text: &str) -> bool {
    fancy_regex::Regex::new(pattern)
        .unwrap()
        .is_match(text)
        .unwrap()
}

/// Whoever sends a body that nobody asked for can be too slow or send too much as well.
#[test]
fn a_call_that_changes_something_may_be_refused_for_its_body() {
    let document = document();
    for (method, path, operation) in operations(&document) {
        let needs_key = path.starts_with("/v2/");
        for status in ["408", "413"] {
            let is_there = operation["responses"].get(status).is_some();
            assert!(
                !needs_key || is_there == (method != "get"),
                "{method} {path}"
            );
        }
    }
}

#[test]
fn what_is_answered_says_which_fields_are_always_there() {
    let document = document();
    let schemas = &document["components"]["schemas"];
    let certificate = &schemas["Certificate"];
    let required = certificate["required"].as_array().unwrap();
    for name in [
        "id",
        "process",
        "product",
        "status",
        "publicKeyAlgorithm",
        "certificate",
    ] {
        assert!(required.contains(&json!(name)), "{name}");
    }
    assert!(!required.contains(&json!("organization")));
    assert_eq!(certificate["properties"]["id"]["format"], "int64");
    assert_eq!(
        certificate["properties"]["startDate"]["format"],
        "date-time"
    );
    assert_eq!(
        schemas["CertificateStatus"]["enum"],
        json!(["ACTIVE", "EXPIRED", "REVOKED", "REISSUED", "RENEWED"])
    );
    assert_eq!(schemas["CertificatePart"]["required"], json!(["id"]));
    assert_eq!(
        schemas["Error"]["properties"]["type"]["enum"]
            .as_array()
            .unwrap()
            .len(),
        20
    );
    let text = schemas.to_string();
    assert!(!text.contains("\"null\""), "what has no value is absent");
}
