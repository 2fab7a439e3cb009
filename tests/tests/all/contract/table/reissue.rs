//! Section 4.1: the fields of a reissue, through the real call. What is taken is carried out: each such row reissues the
//! chain's newest certificate within the call.

use serde_json::{Value, json};

use super::row::{Call, Row, post, row};
use super::stage::{Stage, with};
use super::texts::{
    Edge, domains, emails, lengths, presence_rows, text_rows, unique_values, voices,
};
use crate::support::csr::{csr, stored};

const PATH: &str = "/v2/ssl/certificates/{latest}/reissue";
const SECTION: &str = "4.1 reissue:";

pub(super) const LANGUAGES: &[&str] = &[
    "EN", "NL", "FR", "CN", "DE", "IT", "JP", "KR", "PT", "RU", "ES", "DK", "SE", "TR",
];

/// The optional texts with their most bytes.
pub(super) const TEXTS: &[(&str, usize)] = &[
    ("organization", 64),
    ("department", 60),
    ("state", 60),
    ("address", 60),
    ("postalCode", 10),
    ("city", 60),
    ("coc", 32),
];

fn base() -> Value {
    json!({"csr": csr(&["chain.dev"])})
}

fn reissue(field: &str, value: impl Into<Value>) -> Call {
    post(PATH, &with(base(), field, value))
}

fn approver() -> Value {
    json!({"firstName": "Ada", "lastName": "Bakker", "jobTitle": "Clerk", "email": "ada@chain.dev", "voice": "+31.384530759"})
}

fn issued(row: Row) -> Row {
    row.status(201)
}

pub(super) fn rows(stage: &Stage) -> Vec<Row> {
    let mut rows = csr_rows();
    rows.extend(TEXTS.iter().flat_map(|(field, most)| {
        let null = presence_rows(SECTION, field, false, post(PATH, &base()), reissue(field, Value::Null), issued);
        let texts = text_rows(SECTION, field, &lengths(*most), |value| reissue(field, value), issued);
        // That nothing at all is needed but the CSR is a row of its own.
        null.into_iter().skip(1).chain(texts)
    }));
    rows.extend(text_rows(SECTION, "uniqueValue", &unique_values(), |value| reissue("uniqueValue", value), issued));
    rows.extend(name_rows(stage));
    rows.extend(word_rows());
    rows.extend(approver_rows());
    rows.extend(dcv_rows(stage));
    rows.extend(unknown_rows());
    rows
}

fn csr_rows() -> Vec<Row> {
    let absent = |row: Row| row.violates("csr");
    vec![
        row("4.1 reissue: a CSR is all that is needed", post(PATH, &base())).status(201),
        absent(row("4.1 reissue: csr that is absent", post(PATH, &json!({})))),
        absent(row("4.1 reissue: csr that is null", post(PATH, &json!({"csr": null})))),
        absent(row("4.1 reissue: csr that is empty", post(PATH, &json!({"csr": ""})))),
        row("4.1 reissue: csr that is a number", post(PATH, &json!({"csr": 1}))).unrecognized("csr"),
        row("4.1 reissue: csr that is no CSR", post(PATH, &json!({"csr": "x"}))).bad("InvalidCSRException"),
        row(
            "4.1 reissue: csr with a key of 1024 bits",
            post(PATH, &json!({"csr": stored("csr/rsa-1024.pem")})),
        )
        .bad("InvalidCSRException"),
        row(
            "4.1 reissue: csr between blanks",
            post(PATH, &json!({"csr": format!("\n {} \n", csr(&["chain.dev"]))})),
        )
        .status(201),
    ]
}

fn name_rows(stage: &Stage) -> Vec<Row> {
    let many = format!("/v2/ssl/certificates/{}/reissue?quote=true", stage.many);
    let san = |names: Value| post(&many, &with(json!({"csr": csr(&["many.dev"])}), "san", names));
    let list = |name: &str| json!(["many.dev", name]);
    let single = |names: Value| reissue("san", names);
    let mut rows = vec![
        row("4.1 reissue: domainName equal to the CSR's common name", reissue("domainName", "chain.dev")).status(201),
        row("4.1 reissue: domainName with www is the same certificate", reissue("domainName", "www.chain.dev")).status(201),
        row("4.1 reissue: domainName that is null", reissue("domainName", Value::Null)).status(201),
        row("4.1 reissue: domainName of somebody else", reissue("domainName", "other.dev")).violates("domainName"),
        row("4.1 reissue: domainName that is a number", reissue("domainName", 1)).unrecognized("domainName"),
        row("4.1 reissue: domainName that is a list", reissue("domainName", json!(["chain.dev"]))).unrecognized("domainName"),
        row("4.1 reissue: without san the free www name is there", post(PATH, &base()))
            .status(201).json("/validations/dcv/1/commonName", "www.chain.dev"),
        row("4.1 reissue: san that is null is absent", single(Value::Null))
            .json("/validations/dcv/1/commonName", "www.chain.dev"),
        row("4.1 reissue: an empty san drops the free www name", single(json!([]))).status(201).lacks("/validations/dcv/1"),
        row("4.1 reissue: san with another name on a single-domain product", single(json!(["other.dev"]))).violates("san[0]"),
        row("4.1 reissue: san that is a text", single(json!("www.chain.dev"))).unrecognized("san"),
        row("4.1 reissue: san that holds a number", single(json!(["www.chain.dev", 1]))).unrecognized("san[1]"),
        row("4.1 reissue: san that holds null", single(json!([null]))).unrecognized("san[0]"),
        row("4.1 reissue: san of several names", san(list("more.dev"))).status(200),
        row("4.1 reissue: san with a wildcard where the product has them", san(list("*.many.dev"))).status(200),
        row("4.1 reissue: san with the same name twice", san(json!(["many.dev", "more.dev", "more.dev"]))).status(200),
        row("4.1 reissue: san of 250 names, the product's most", san(names(250))).status(200),
        row("4.1 reissue: san of 251 names", san(names(251))).violates("san"),
    ];
    let taken = |row: Row| row.status(200);
    for (field, call) in [("domainName", None), ("san[1]", Some(&san))] {
        for edge in domains() {
            let value = edge.value().to_owned();
            let call = match call {
                // The common name of a multi-domain product may be any.
                None => post(&many, &json!({"csr": csr(&["many.dev"]), "domainName": value})),
                Some(san) => san(list(&value)),
            };
            rows.push(edge.row(SECTION, field, call, taken));
        }
    }
    rows
}

/// So many names, `many.dev` among them.
fn names(count: usize) -> Value {
    let below = (1..count).map(|index| format!("n{index}.many.dev"));
    json!(std::iter::once("many.dev".to_owned()).chain(below).collect::<Vec<_>>())
}

fn word_rows() -> Vec<Row> {
    let mut rows: Vec<Row> = LANGUAGES
        .iter()
        .map(|word| row(format!("4.1 reissue: language {word}"), reissue("language", *word)).status(201))
        .collect();
    rows.extend([
        row("4.1 reissue: language that nobody has", reissue("language", "XX")).violates("language"),
        row("4.1 reissue: language in lower case", reissue("language", "en")).status(201),
        row("4.1 reissue: language that is empty", reissue("language", "")).violates("language"),
        row("4.1 reissue: language that is null", reissue("language", Value::Null)).status(201),
        row("4.1 reissue: language that is a number", reissue("language", 1)).unrecognized("language"),
        row("4.1 reissue: authKey false", reissue("authKey", false)).status(201),
        row("4.1 reissue: authKey that is null", reissue("authKey", Value::Null)).status(201),
        row("4.1 reissue: authKey as a text", reissue("authKey", "true")).unrecognized("authKey"),
        row("4.1 reissue: authKey as a number", reissue("authKey", 1)).unrecognized("authKey"),
        row("4.1 reissue: authKey true without a key made before", reissue("authKey", true)).bad("ValidationError"),
    ]);
    rows
}

fn approver_rows() -> Vec<Row> {
    let send = |field: &str, value: Value| reissue("approver", with(approver(), field, value));
    let without = |field: &str| {
        let mut approver = approver();
        approver.as_object_mut().unwrap().remove(field);
        reissue("approver", approver)
    };
    let mut rows = vec![
        row("4.1 reissue: approver that is null", reissue("approver", Value::Null)).status(201),
        row("4.1 reissue: approver that is a text", reissue("approver", "Ada Bakker")).unrecognized("approver"),
        row("4.1 reissue: approver that is a list", reissue("approver", json!([approver()]))).unrecognized("approver"),
        row("4.1 reissue: approver with another field", send("phone", json!("1"))).unrecognized("approver.phone"),
    ];
    for (field, required, edges) in [
        ("firstName", true, lengths(40)),
        ("lastName", true, lengths(40)),
        ("jobTitle", false, lengths(40)),
        ("email", true, emails()),
        ("voice", true, voices()),
    ] {
        let path = format!("approver.{field}");
        rows.extend(presence_rows(SECTION, &path, required, without(field), send(field, Value::Null), issued));
        rows.extend(text_rows(SECTION, &path, &edges, |value| send(field, value), issued));
    }
    rows
}

fn dcv_rows(stage: &Stage) -> Vec<Row> {
    let many = format!("/v2/ssl/certificates/{}/reissue?quote=true", stage.many);
    let wild = format!("/v2/ssl/certificates/{}/reissue?quote=true", stage.wildcard);
    let send = |entry: Value| reissue("dcv", json!([entry]));
    let entry = |method: &str| json!({"commonName": "chain.dev", "type": method});
    let quoted = |name: &str, entry: Value| json!({"csr": csr(&[name]), "dcv": [entry]});
    let mut rows = vec![
        row("4.1 reissue: dcv that is null", reissue("dcv", Value::Null)).status(201),
        row("4.1 reissue: dcv that is empty", reissue("dcv", json!([]))).status(201),
        row("4.1 reissue: dcv with one object instead of a list", reissue("dcv", entry("DNS"))).unrecognized("dcv"),
        row("4.1 reissue: dcv with a text in its list", reissue("dcv", json!(["DNS"]))).unrecognized("dcv[0]"),
        row("4.1 reissue: dcv with another field", send(with(entry("DNS"), "method", "CNAME"))).unrecognized("dcv[0].method"),
        row("4.1 reissue: dcv without commonName", send(json!({"type": "DNS"}))).violates("dcv[0].commonName"),
        row("4.1 reissue: dcv with commonName null", send(json!({"commonName": null, "type": "DNS"})))
            .violates("dcv[0].commonName"),
        row("4.1 reissue: dcv with commonName a number", send(json!({"commonName": 1, "type": "DNS"})))
            .unrecognized("dcv[0].commonName"),
        row("4.1 reissue: dcv with a name that is not asked for", send(with(entry("DNS"), "commonName", "other.dev")))
            .violates("dcv[0].commonName"),
        row("4.1 reissue: dcv without type", send(json!({"commonName": "chain.dev"}))).violates("dcv[0].type"),
        row("4.1 reissue: dcv type DNS", send(entry("DNS"))).status(201),
        row("4.1 reissue: dcv type FILE", post(&many, &quoted("many.dev", json!({"commonName": "many.dev", "type": "FILE"}))))
            .status(200),
        row("4.1 reissue: dcv type EMAIL with an address", post(&many, &quoted("many.dev", json!({"commonName": "many.dev", "type": "EMAIL", "email": "admin@many.dev"}))))
            .status(200),
        row("4.1 reissue: dcv type that nobody has", send(entry("HTTP"))).violates("dcv[0].type"),
        row("4.1 reissue: dcv type in lower case", send(entry("dns"))).violates("dcv[0].type"),
        row("4.1 reissue: dcv type that is a number", send(json!({"commonName": "chain.dev", "type": 1})))
            .unrecognized("dcv[0].type"),
        row("4.1 reissue: dcv type EMAIL without an address", send(entry("EMAIL"))).violates("dcv[0].email"),
        row("4.1 reissue: dcv type EMAIL with address null", send(with(entry("EMAIL"), "email", Value::Null)))
            .violates("dcv[0].email"),
        row("4.1 reissue: dcv type EMAIL with a number", send(with(entry("EMAIL"), "email", 1))).unrecognized("dcv[0].email"),
        row("4.1 reissue: dcv type EMAIL with an address that nobody may approve by", send(with(entry("EMAIL"), "email", "ada@chain.dev")))
            .violates("dcv[0].email"),
        row("4.1 reissue: dcv type FILE for a wildcard", post(&wild, &quoted("*.wild.dev", json!({"commonName": "*.wild.dev", "type": "FILE"}))))
            .violates("dcv[0].type"),
        row("4.1 reissue: dcv paths count entries", reissue("dcv", json!([entry("DNS"), {"commonName": "www.chain.dev", "type": "X"}])))
            .violates("dcv[1].type"),
    ];
    let bad = |edges: Vec<Edge>| edges.into_iter().filter(|edge| !edge.is_taken());
    rows.extend(bad(domains()).map(|edge| {
        let call = send(with(entry("DNS"), "commonName", edge.value()));
        edge.row(SECTION, "dcv[0].commonName", call, issued)
    }));
    rows.extend(bad(emails()).map(|edge| {
        let call = send(with(entry("EMAIL"), "email", edge.value()));
        edge.row(SECTION, "dcv[0].email", call, issued)
    }));
    rows
}

/// What other calls take and this one does not.
fn unknown_rows() -> Vec<Row> {
    [
        ("country", json!("NL")),
        ("customer", json!("alice")),
        ("product", json!("ssl_dv")),
        ("period", json!(12)),
        ("saEmail", json!("ada@chain.dev")),
        ("saLanguage", json!("EN")),
        ("billables", json!([])),
        ("sans", json!([])),
        ("CSR", json!("x")),
    ]
    .into_iter()
    .map(|(field, value)| row(format!("4.1 reissue: {field} is not taken"), reissue(field, value)).unrecognized(field))
    .collect()
}
