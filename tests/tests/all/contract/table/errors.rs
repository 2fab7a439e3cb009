//! Section 2: types, statuses and bodies of refusals, and the order in which they are found (design decision 3).

use serde_json::json;

use super::row::{Row, Shape, Who, call, delete, get, post, row};
use super::stage::{Stage, order, with};
use crate::support::csr::csr;

const REISSUE: &str = "/v2/ssl/certificates/{latest}/reissue";

pub(super) fn rows(stage: &Stage) -> Vec<Row> {
    let mut rows = type_rows(stage);
    rows.extend(body_rows(stage));
    rows.extend(order_rows(stage));
    rows
}

/// How to come by each type.
fn type_rows(stage: &Stage) -> Vec<Row> {
    let csr_of = |name: &str| json!({"csr": csr(&[name])});
    let reissue = |id: i64, name: &str| post(format!("/v2/ssl/certificates/{id}/reissue"), &csr_of(name));
    let acknowledged = json!([{"product": "ssl_dv_md", "action": "EXTRA_DOMAIN"}]);
    let charged = with(order("ssl_dv_md", &["charged.dev"]), "billables", acknowledged);
    let missing = |what: &str, path: &str| row(format!("2.1 ObjectDoesNotExist: {what}"), get(path)).bad("ObjectDoesNotExist");
    let prohibited = |what: &str, id: i64, name: &str| {
        row(format!("2.1 ObjectStatusProhibitsOperation: reissue of {what}"), reissue(id, name))
            .bad("ObjectStatusProhibitsOperation")
    };
    vec![
        row("2.1 AuthenticationError", get("/v2/processes").by(Who::Nobody)).refused(401, "AuthenticationError"),
        row("2.1 ConstraintViolationException", post(REISSUE, &json!({}))).bad("ConstraintViolationException"),
        row("2.1 InvalidMessage", call("POST", REISSUE).header("Content-Type: application/json").body("{")).bad("InvalidMessage"),
        row("2.1 UnrecognizedPropertyException: an unknown field", post(REISSUE, &json!({"nothing": 1})))
            .bad("UnrecognizedPropertyException"),
        row("2.1 UnrecognizedPropertyException: a wrong type", post(REISSUE, &json!({"csr": []})))
            .bad("UnrecognizedPropertyException"),
        row("2.1 InvalidCSRException", post(REISSUE, &json!({"csr": "x"}))).bad("InvalidCSRException"),
        row("2.1 ValidationError", post(REISSUE, &json!({"csr": csr(&["chain.dev"]), "authKey": true}))).bad("ValidationError"),
        row("2.1 ObjectExists: a reissue while another is open", reissue(stage.busy, "busy.dev")).bad("ObjectExists"),
        row("2.1 ObjectExists names the process", reissue(stage.busy, "busy.dev"))
            .json("/message", Shape::Has(stage.open.to_string())),
        row("2.1 ObjectExists: an import of the same certificate", post("/v2/ssl/import", &stage.foreign)).bad("ObjectExists"),
        prohibited("what is REVOKED", stage.revoked, "gone.dev"),
        prohibited("what is REISSUED", stage.old, "reseal.dev"),
        prohibited("what was issued elsewhere", stage.imported, "elsewhere.dev"),
        row("2.1 ObjectStatusProhibitsOperation: the successor is named", reissue(stage.old, "reseal.dev"))
            .json("/message", Shape::Has(stage.new.to_string())),
        row("2.1 BillableAcknowledgmentNeededException", post("/v2/ssl/certificates", &charged))
            .bad("BillableAcknowledgmentNeededException"),
        missing("a certificate", "/v2/ssl/certificates/999999"),
        missing("a process", "/v2/processes/999999"),
        missing("the info of a process", "/v2/processes/999999/info"),
        missing("a product", "/v2/ssl/products/ssl_none"),
        missing("a notification", "/v2/customers/alice/notifications/999999"),
        missing("a customer", "/v2/customers/nobody/notifications"),
        row("2.1 ObjectDoesNotExist: nobody's is like another's", delete(format!("/v2/ssl/certificates/{}", stage.new)).by(Who::Bob))
            .bad("ObjectDoesNotExist"),
        row("2.3 a path that leads nowhere", get("/v2/nothing")).refused(404, "ObjectDoesNotExist"),
        row("2.3 a path below an object that leads nowhere", get(format!("/v2/ssl/certificates/{}/nothing", stage.new)))
            .refused(404, "ObjectDoesNotExist"),
    ]
}

fn body_rows(stage: &Stage) -> Vec<Row> {
    let charged = || post("/v2/ssl/certificates", &with(order("ssl_dv_md", &["charged.dev"]), "billables", json!([{"product": "ssl_dv_md", "action": "EXTRA_DOMAIN"}])));
    let long = json!({"csr": "x", "city": "c".repeat(400)});
    let several = json!({
        "domainName": "-bad", "organization": "", "postalCode": "12345678901", "language": "XX", "uniqueValue": "a.b",
        "approver": {"firstName": "F"}, "dcv": [{"commonName": "x", "type": "HTTP"}],
    });
    let violations = || post(REISSUE, &several);
    let mut rows = vec![
        row("2.2 violations are a list", violations()).json("/violations", Shape::List),
        row("2.2 a violation: field", violations()).json("/violations/0/field", "csr"),
        row("2.2 a violation: message", violations()).json("/violations/0/message", Shape::Text),
        row("2.2 a violation of what is not there has no value", violations()).lacks("/violations/0/value"),
        row("2.2 a violation: value is what was received", violations()).json("/violations/1/value", "-bad"),
        row("2.2 a value is cut at 255 characters", post(REISSUE, &long)).json("/violations/0/value", "c".repeat(255)),
        row("2.2 the value of a bad CSR is not shown", post(REISSUE, &json!({"csr": "secret"})))
            .json("/violations/0/field", "csr").lacks("/violations/0/value"),
        row("2.2 InvalidCSRException has violations as well", post(REISSUE, &json!({"csr": "x"})))
            .json("/violations/0/message", Shape::Text),
        row("2.2 a U-label is shown its A-label", post("/v2/ssl/certificates?quote=true", &with(order("ssl_dv", &["a.dev"]), "domainName", "münchen.dev")))
            .json("/violations/0/message", Shape::Has("xn--mnchen-3ya.dev".to_owned())),
        row("2.2 property is the offending name", post(REISSUE, &json!({"sans": []}))).json("/property", "sans"),
        row("2.2 property has the path of what is nested", post(REISSUE, &json!({"approver": {"phone": "1"}})))
            .json("/property", "approver.phone"),
        row("2.2 property counts the entries of a list", post(REISSUE, &json!({"dcv": [{"a": 1}]})))
            .json("/property", "dcv[0].a"),
        row("2.2 BillableAcknowledgmentNeededException: quote", charged()).json("/quote/total", 500),
        row("2.2 BillableAcknowledgmentNeededException: quote has billables", charged())
            .json("/quote/billables/0/action", "REQUEST"),
        row("2.2 BillableAcknowledgmentNeededException: billables on top", charged()).json("/billables/0/action", "REQUEST"),
        row("2.2 and nothing is left behind", get("/v2/processes?identifier=charged.dev")).json("/pagination/total", 0),
        row("2.2 ConstraintViolationException of a parameter names it", get("/v2/processes?limit=x"))
            .json("/violations/0/field", "limit"),
        row("2.2 a refusal has no process", post(REISSUE, &json!({}))).no_header("x-process-id"),
        row("2.2 a refusal has no Location", post(REISSUE, &json!({}))).no_header("location"),
        row("2.2 an ordinary refusal says nothing of waiting", get(format!("/v2/ssl/certificates/{}", stage.new + 100_000)))
            .no_header("retry-after"),
    ];
    let fields = [
        "csr", "domainName", "organization", "postalCode", "language", "uniqueValue", "approver.lastName", "approver.email",
        "approver.voice", "dcv[0].commonName", "dcv[0].type",
    ];
    let all = row("2.2 every violation is told at once", violations()).lacks(format!("/violations/{}", fields.len()));
    rows.push(fields.into_iter().enumerate().fold(all, |row, (index, field)| {
        row.json(format!("/violations/{index}/field"), field)
    }));
    for (what, call) in [
        ("a path that leads nowhere", get("/v2/nothing")),
        ("a wrong method", call("PUT", "/v2/processes")),
        ("no key", get("/v2/processes").by(Who::Nobody)),
    ] {
        rows.push(row(format!("2.2 {what}: type, message and JSON all the same"), call)
            .json("/type", Shape::Text).json("/message", Shape::Text).header("content-type", "application/json"));
    }
    rows
}

/// Each stage is over before the next begins.
fn order_rows(stage: &Stage) -> Vec<Row> {
    let broken = |path: &str| call("POST", path).header("Content-Type: application/json").body("{");
    let unknown = "/v2/ssl/certificates/999999/reissue";
    let revoked = format!("/v2/ssl/certificates/{}/reissue", stage.revoked);
    vec![
        row("2 order: the key comes before JSON", broken(REISSUE).by(Who::Nobody)).refused(401, "AuthenticationError"),
        row("2 order: JSON comes before existence", broken(unknown)).bad("InvalidMessage"),
        row("2 order: unknown properties come before constraints", post(REISSUE, &json!({"city": "", "town": "x"})))
            .unrecognized("town"),
        row("2 order: wrong types come before constraints", post(REISSUE, &json!({"city": "", "state": 1})))
            .unrecognized("state"),
        row("2 order: constraints come before existence", post(unknown, &json!({"csr": "x", "city": ""}))).violates("city"),
        row("2 order: existence comes before the CSR", post(unknown, &json!({"csr": "x"}))).bad("ObjectDoesNotExist"),
        row("2 order: status comes before the CSR", post(&revoked, &json!({"csr": "x"}))).bad("ObjectStatusProhibitsOperation"),
        row("2 order: the CSR comes before rules for names", post(REISSUE, &json!({"csr": "x", "domainName": "other.dev"})))
            .bad("InvalidCSRException"),
    ]
}
