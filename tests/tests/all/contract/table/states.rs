//! Section 6: 201 and 202, what their headers and bodies hold, and the states that follow.

use serde_json::json;

use super::calls::digits;
use super::row::{Row, Shape, get, post, row};
use super::stage::{Stage, order, with};
use crate::support::csr::csr;

pub(super) fn rows(stage: &Stage) -> Vec<Row> {
    let mut rows = created_rows();
    rows.extend(accepted_rows());
    rows.extend(status_rows(stage));
    rows
}

fn created_rows() -> Vec<Row> {
    let done = || post("/v2/ssl/certificates/{latest}/reissue", &json!({"csr": csr(&["chain.dev"])}));
    vec![
        row("6.1 201: the certificate was issued within the call", done()).status(201).json("/certificateId", Shape::Integer),
        row("6.1 201: X-Process-Id", done()).header("x-process-id", Shape::Like("digits", digits)),
        row("6.1 201: Location is the certificate", done()).header("location", Shape::Like("a certificate", |text| {
            text.strip_prefix("/v2/ssl/certificates/").is_some_and(digits)
        })),
        row("6.1 201: the body is JSON", done()).header("content-type", "application/json").json("", Shape::Object),
        row("6.1 201: commonName", done()).json("/commonName", "chain.dev"),
        row("6.1 201: nothing needs attention", done()).json("/requiresAttention", false),
        row("6.1 201: every entry is VALIDATED", done()).json("/validations/dcv/0/status", "VALIDATED"),
        row("6.1 201: the body does not hold the process", done()).lacks("/processId"),
    ]
}

fn accepted_rows() -> Vec<Row> {
    let waits = || post("/v2/ssl/certificates", &order("ssl_dv_md", &["waiting.dev"]));
    let by = |method: &str| {
        let dcv = json!([{"commonName": "waiting.dev", "type": method, "email": "admin@waiting.dev"}]);
        post("/v2/ssl/certificates", &with(order("ssl_dv_md", &["waiting.dev"]), "dcv", dcv))
    };
    vec![
        row("6.1 202: validation is pending", waits()).status(202).lacks("/certificateId"),
        row("6.1 202: X-Process-Id", waits()).header("x-process-id", Shape::Like("digits", digits)),
        row("6.1 202: Location is the process", waits()).header("location", Shape::Like("a process", |text| {
            text.strip_prefix("/v2/processes/").is_some_and(digits)
        })),
        row("6.1 202: the body is JSON", waits()).header("content-type", "application/json").json("", Shape::Object),
        row("6.1 202: commonName", waits()).json("/commonName", "waiting.dev"),
        row("6.1 202: requiresAttention", waits()).json("/requiresAttention", Shape::Boolean),
        row("6.1 202: validations.dcv", waits()).json("/validations/dcv", Shape::List),
        row("6.1 202: what is to be published", waits()).json("/validations/dcv/0/dnsRecord", Shape::Text),
        row("6.1 202: the body does not hold the process", waits()).lacks("/processId"),
        row("6.1 202: with a file", by("FILE")).status(202).json("/validations/dcv/0/fileContents", Shape::Text),
        row("6.1 202: with a mail", by("EMAIL")).status(202).json("/validations/dcv/0/email", "admin@waiting.dev"),
        row("1.6 quote=false is as if it were absent", post("/v2/ssl/certificates?quote=false", &order("ssl_dv_md", &["waiting.dev"])))
            .status(202),
    ]
}

fn status_rows(stage: &Stage) -> Vec<Row> {
    let certificate = |id: i64| get(format!("/v2/ssl/certificates/{id}"));
    let process = |id: i64| get(format!("/v2/processes/{id}"));
    let end = stage.shown["subscriptionEndDate"].clone();
    vec![
        row("6.2 what was reissued is REISSUED", certificate(stage.old)).json("/status", "REISSUED"),
        row("6.2 a successor is ACTIVE", certificate(stage.new)).json("/status", "ACTIVE"),
        row("6.2 a successor has an id of its own", certificate(stage.new)).json("/id", stage.new),
        row("6.2 a successor's process is the reissue", certificate(stage.new)).json("/process", stage.reissue),
        row("6.2 a successor is of the same subscription", certificate(stage.old)).json("/subscriptionEndDate", end),
        row("6.2 what was revoked is REVOKED", certificate(stage.revoked)).json("/status", "REVOKED"),
        row("6.2 while a reissue waits the old one is ACTIVE", certificate(stage.busy)).json("/status", "ACTIVE"),
        row("6.2 a certificate with a reissue that waits has no successor", get(format!("/v2/ssl/certificates?process={}", stage.open)))
            .ids(&[]),
        row("6.3 a process that issued is COMPLETED", process(stage.reissue)).json("/status", "COMPLETED"),
        row("6.3 a process that waits for a record is SUSPENDED", process(stage.file)).json("/status", "SUSPENDED").soon(),
        row("6.3 a process that waits for a mail is SUSPENDED", process(stage.email)).json("/status", "SUSPENDED").soon(),
        row("6.3 a process that was withdrawn is CANCELLED", process(stage.cancelled)).json("/status", "CANCELLED"),
        row("6.3 a waiting reissue is SUSPENDED", process(stage.open)).json("/status", "SUSPENDED").soon().json("/action", "reissue"),
        row("6.3 a waiting reissue can be cancelled", process(stage.open)).json("/resumeTypes/1", "CANCEL").soon(),
        row("6.4 requiresAttention while a mail waits", get(format!("/v2/processes/{}/info", stage.email)))
            .json("/requiresAttention", true),
    ]
}
