//! Sections 1.1 to 1.3: whereabouts, encoding, authentication. Their rules for single fields stand with the fields.

use serde_json::json;

use super::row::{Row, Shape, Who, call, get, post, row};
use super::stage::Stage;
use crate::support::csr::csr;

const CERTIFICATES: &str = "/v2/ssl/certificates";

pub(super) fn rows(stage: &Stage) -> Vec<Row> {
    let mut rows = key_rows(stage);
    rows.extend(encoding_rows(stage));
    rows.extend(alias_rows(stage));
    rows
}

fn key_rows(stage: &Stage) -> Vec<Row> {
    let bare = || get("/v2/processes?limit=1").by(Who::Nobody);
    let refused = |row: Row| row.refused(401, "AuthenticationError");
    vec![
        row("1.2 ApiKey", bare().header(stage.key_as("ApiKey"))).status(200),
        row("1.2 the scheme in lower case", bare().header(stage.key_as("apikey"))).status(200),
        refused(row("1.2 no key", bare())),
        row("1.2 no key: WWW-Authenticate", bare()).header("www-authenticate", "ApiKey"),
        refused(row("1.2 an unknown key", bare().header("Authorization: ApiKey YWxpY2UvYXBpOng="))),
        refused(row("1.2 an empty key", bare().header("Authorization: ApiKey "))),
        refused(row("1.2 a revoked key", bare().header(stage.revoked_key()))),
        refused(row("1.2 a key without its last character", bare().header({
            let mut header = stage.key_as("ApiKey");
            header.truncate(header.trim_end_matches('=').len() - 1);
            header
        }))),
        refused(row("1.2 the scheme Session", bare().header(stage.key_as("Session")))),
        refused(row("1.2 the scheme Basic", bare().header(stage.key_as("Basic")))),
        refused(row("1.2 the scheme Bearer", bare().header(stage.key_as("Bearer")))),
        refused(row("1.2 the key without a scheme", bare().header(format!("Authorization: {}", stage.key())))),
        refused(row("1.2 X-API-KEY is no header", bare().header(format!("X-API-KEY: {}", stage.key())))),
        refused(row("1.2 a key in the query", get(format!("/v2/processes?apiKey={}", stage.key())).by(Who::Nobody))),
        refused(row("1.2 two keys", bare().header(stage.key_as("ApiKey")).header(stage.key_as("ApiKey")))),
        row("1.2 who ordered is handle and login", get(format!("/v2/processes/{}", stage.reissue)))
            .json("/user", Shape::Like("handle, slash, login", |user| user.starts_with("alice/") && user.len() > 6)),
        row("1.2 an operator sees everybody's", get(format!("{CERTIFICATES}/{}", stage.new)).by(Who::Operator)).status(200),
        row("1.2 nobody else does", get(format!("{CERTIFICATES}/{}", stage.new)).by(Who::Bob)).bad("ObjectDoesNotExist"),
        row("1.2 lists hold one's own", get(CERTIFICATES).by(Who::Bob)).json("/pagination/total", 0),
    ]
}

fn encoding_rows(stage: &Stage) -> Vec<Row> {
    let one = format!("{CERTIFICATES}/{}", stage.new);
    let decode = |content_type: &str| {
        let body = json!({"csr": csr(&["chain.dev"])}).to_string();
        call("POST", "/v2/ssl/decodecsr").header(content_type).body(body)
    };
    let mut rows = vec![
        row("1.1 an answer is JSON and says so", get(&one)).header("content-type", "application/json"),
        row("1.1 a list is JSON and says so", get(CERTIFICATES)).header("content-type", "application/json"),
        row("1.1 a body of JSON", decode("Content-Type: application/json")).status(200),
        row("1.1 a body of JSON that names its characters", decode("Content-Type: application/json; charset=utf-8")).status(200),
        row("1.1 a body of JSON with a content type in capitals", decode("Content-Type: APPLICATION/JSON")).status(200),
        row("1.1 a body of JSON in other characters", decode("Content-Type: application/json; charset=utf-16"))
            .bad("InvalidMessage"),
        row("1.1 a body that says it is a form", decode("Content-Type: application/x-www-form-urlencoded")).bad("InvalidMessage"),
        row("1.1 a body that says it is text", decode("Content-Type: text/plain")).bad("InvalidMessage"),
        row("1.1 ids are decimal", get(format!("{CERTIFICATES}/0x10"))).bad("ObjectDoesNotExist"),
    ];
    for (what, body) in [("null", "null"), ("a list", "[]"), ("a text", "\"csr\""), ("a number", "1"), ("half an object", "{\"csr\":"), ("two objects", "{}{}")] {
        let call = call("POST", "/v2/ssl/decodecsr").header("Content-Type: application/json").body(body);
        rows.push(row(format!("1.1 a body that is {what}"), call).bad("InvalidMessage"));
    }
    for path in ["/v2/ssl/decodecsr", "/v2/ssl/import", "/v2/ssl/certificates", "/v2/ssl/certificates/{latest}/reissue"] {
        let call = call("POST", path).header("Content-Type: application/json");
        rows.push(row(format!("1.1 {path} needs a body"), call).bad("InvalidMessage"));
    }
    rows
}

fn alias_rows(stage: &Stage) -> Vec<Row> {
    let alias = "/v2/customers/alice/certificates";
    vec![
        row("1.1 certificates below the customer", get(alias)).status(200).json("/pagination/total", Shape::Integer),
        row("1.1 one certificate below the customer", get(format!("{alias}/{}", stage.new))).json("", stage.shown.clone()),
        row("1.1 below another customer", get("/v2/customers/bob/certificates")).bad("ObjectDoesNotExist"),
        row("1.1 below nobody", get("/v2/customers/nobody/certificates")).bad("ObjectDoesNotExist"),
        row("7.8 a customer whose name is percent-encoded", get("/v2/customers/%61lice/certificates")).status(200),
        row("1.1 a quote of an unknown certificate", post(format!("{CERTIFICATES}/999999/reissue?quote=true"), &json!({"csr": csr(&["chain.dev"])})))
            .bad("ObjectDoesNotExist"),
    ]
}
