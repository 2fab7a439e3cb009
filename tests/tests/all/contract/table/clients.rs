//! Section 7: what the SDKs and one billing module send beyond the documents, as they send it.

use serde_json::{Value, json};

use super::row::{Call, Row, Shape, call, delete, get, post, row};
use super::stage::{Stage, order, with};
use crate::support::csr::csr;

const FORM: &str = "Content-Type: application/x-www-form-urlencoded";
const JSON: &str = "Content-Type: application/json";
const CERTIFICATES: &str = "/v2/ssl/certificates";

pub(super) fn rows(stage: &Stage) -> Vec<Row> {
    let mut rows = body_rows(stage);
    rows.extend(header_rows(stage));
    rows.extend(query_rows(stage));
    rows.extend(shape_rows(stage));
    rows
}

fn empty_post(path: String) -> Call {
    call("POST", path)
}

/// Bodies that are not there, with either content type.
fn body_rows(stage: &Stage) -> Vec<Row> {
    let resend = format!("/v2/processes/{}/resend", stage.email);
    let ack = format!("/v2/customers/alice/notifications/{}/ack", stage.notification);
    let mut rows = Vec::new();
    for (name, path) in [("resend", &resend), ("ack", &ack)] {
        // What is not proved yet is told as a warning in JSON; else there is neither a body nor a content type.
        let done = |row: Row| match name {
            "resend" => row.status(200).header("content-type", "application/json").json("/warning", Shape::Text),
            _ => row.empty(200),
        };
        rows.extend([
            done(row(format!("7.2 {name} with nothing, said to be JSON"), empty_post(path.clone()).header(JSON))),
            done(row(format!("7.2 {name} with nothing, said to be a form"), empty_post(path.clone()).header(FORM))),
            done(row(format!("7.2 {name} with nothing at all"), empty_post(path.clone()))),
            done(row(format!("7.2 {name} with an empty object"), post(path, &json!({})))),
            done(row(format!("7.1 {name} with a slash"), post(format!("{path}/"), &json!({})))),
            row(format!("7.2 {name} with a list"), call("POST", path.clone()).header(JSON).body("[]")).bad("InvalidMessage"),
        ]);
    }
    for path in [CERTIFICATES.to_owned(), format!("/v2/processes/{}", stage.reissue), "/v2/ssl/products".to_owned()] {
        rows.push(row(format!("7.2 GET {path} that claims to have JSON"), get(path).header(JSON)).status(200));
    }
    rows.push(row("7.2 DELETE that claims to have JSON", delete("/v2/processes/999999").header(JSON)).bad("ObjectDoesNotExist"));
    rows
}

fn header_rows(stage: &Stage) -> Vec<Row> {
    let one = || get(format!("{CERTIFICATES}/{}", stage.new));
    let download = || get(format!("{CERTIFICATES}/{}/download?format=CRT", stage.new));
    let mut rows: Vec<Row> = [
        ("application/json, text/plain, */*", 200),
        ("text/html", 200),
        ("application/xml;q=1.0, */*;q=0", 200),
        ("*/*", 200),
        ("nonsense", 200),
    ]
    .into_iter()
    .map(|(accept, status)| row(format!("7.7 Accept: {accept}"), one().header(format!("Accept: {accept}")))
        .status(status).header("content-type", "application/json"))
    .collect();
    rows.extend([
        row("7.7 no Accept", one()).status(200).header("content-type", "application/json"),
        row("7.7 a download whatever is accepted", download().header("Accept: application/json"))
            .status(200).header("content-type", "application/octet-stream"),
        row("7.7 an answer that is not compressed can be read by all", one().header("Accept-Encoding: gzip, compress, deflate, br"))
            .status(200).json("/id", stage.new),
        row("7.7 axios", one().header("User-Agent: axios/1.21.0")).status(200),
        row("7.7 Guzzle", one().header("User-Agent: GuzzleHttp/7")).status(200),
        row("7.7 no user agent is asked for", one()).status(200).no_header("vary"),
        row("7.2 a JSON body without its content type", call("POST", "/v2/ssl/decodecsr").body(json!({"csr": csr(&["a.dev"])}).to_string()))
            .bad("InvalidMessage"),
        row("4.4 a DELETE with nothing and Content-Length 0", delete("/v2/processes/999999")).bad("ObjectDoesNotExist"),
    ]);
    rows
}

/// How PHP and TypeScript write their queries.
fn query_rows(stage: &Stage) -> Vec<Row> {
    let (new, old) = (stage.new, stage.old);
    let list = |query: &str| get(format!("{CERTIFICATES}/?{query}"));
    vec![
        row("7.8 a colon in a name that is encoded", list(&format!("id%3Ain={new}%2C{old}"))).ids(&[new, old]),
        row("7.8 a colon in a name that is not", list(&format!("id:in={new},{old}"))).ids(&[new, old]),
        row("7.8 in small letters", list(&format!("id%3ain={new}%2c{old}"))).ids(&[new, old]),
        row("7.8 a plus is a blank", list("domainName=reseal+dev")).ids(&[]),
        row("7.8 a plus that is encoded is a plus", list("domainName=reseal%2Bdev")).ids(&[]),
        row("7.8 a blank between words is a plus", get("/v2/ssl/products?name=Domain+validated")).json("/pagination/total", 1),
        row("7.8 a blank between words is encoded", get("/v2/ssl/products?name=Domain%20validated")).json("/pagination/total", 1),
        row("1.4 TS repeats not_in", list(&format!("id%3Ain={new}%2C{old}&status%3Anot_in=REVOKED&status%3Anot_in=REISSUED")))
            .ids(&[new]),
        row("1.4 TS sends null without a value", list(&format!("id={new}&coc%3Anull="))).ids(&[new]),
        row("7.9 PHP counts fields", list(&format!("id={new}&fields%5B0%5D=id&fields%5B1%5D=status")))
            .json("/entities/0", json!({"id": new, "status": "ACTIVE"})),
        row("7.8 a product in the path", get("/v2/ssl/products/ssl%5Fdv")).json("/product", "ssl_dv"),
        row("7.8 an encoded slash is no slash", get("/v2/ssl/products/ssl_dv%2F")).bad("ObjectDoesNotExist"),
        row("7.8 an encoded wildcard in the path", get("/v2/ssl/dcvemailaddresslist/%2A.reseal.dev")).json("/0", Shape::Text),
        row("7.10 booleans in small letters only", list("total=True")).violates("total"),
        row("4.10 the module pages products", get("/v2/ssl/products?limit=10&offset=10&certificateType%3Ane=ACME_SUBSCRIPTION"))
            .json("/pagination/total", 8).json("/entities", json!([])),
        row("1.4 export as PHP asks for it", list(&format!("id={new}&export=true&fields=id%2CdomainName")))
            .json("/entities/0", json!({"id": new, "domainName": "reseal.dev"})),
    ]
}

/// What bodies look like in the wild.
fn shape_rows(stage: &Stage) -> Vec<Row> {
    let reissue = |field: &str, value: Value| {
        post("/v2/ssl/certificates/{latest}/reissue", &with(json!({"csr": csr(&["chain.dev"])}), field, value))
    };
    let dcv = |email: Value| json!([{"commonName": "chain.dev", "type": "DNS", "email": email}]);
    vec![
        row("7.11 email null in a DNS entry", reissue("dcv", dcv(Value::Null))).status(201),
        row("7.11 an address in a DNS entry is ignored", reissue("dcv", dcv(json!("admin@chain.dev")))).status(201),
        row("7.11 nonsense as the address of a DNS entry is ignored", reissue("dcv", dcv(json!("")))).status(201),
        row("7.12 authKey false", reissue("authKey", json!(false))).status(201),
        row("7.12 domainName that equals the common name", reissue("domainName", json!("chain.dev"))).status(201),
        row("7.12 domainName that equals it where the product does not list it", post("/v2/ssl/certificates?quote=true", &with(order("ssl_dv_wc", &["*.wild.dev"]), "domainName", "*.wild.dev")))
            .status(200),
        row("7.12 the entry of the common name first", reissue("dcv", json!([{"commonName": "chain.dev", "type": "DNS", "email": null}, {"commonName": "www.chain.dev", "type": "DNS", "email": null}])))
            .status(201),
        row("1.1 null inside an approver", reissue("approver", json!({"firstName": "A", "lastName": "B", "jobTitle": null, "email": "ada@chain.dev", "voice": "+31.38"})))
            .status(201),
        row("7.13 country on a reissue", reissue("country", json!("NL"))).unrecognized("country"),
        row("7.14 dcv as one object", reissue("dcv", json!({"commonName": "chain.dev", "type": "DNS"}))).unrecognized("dcv"),
        row("7.15 [object Object] is no id", delete("/v2/ssl/certificates/[object%20Object]")).bad("ObjectDoesNotExist"),
        row("7.17 ids are integers", get(format!("/v2/processes/{}", stage.reissue))).json("/id", Shape::Integer),
        row("7.4 an info is never null", get(format!("/v2/processes/{}/info", stage.reissue))).json("", Shape::Object),
        row("7.4 an empty list is a list", get(format!("{CERTIFICATES}?id=999999"))).json("/entities", json!([])),
        row("7.1 requests with a slash", post(format!("{CERTIFICATES}/?quote=true"), &order("ssl_dv", &["slash.dev"])))
            .status(200),
        row("7.1 reissues with a slash", post("/v2/ssl/certificates/{latest}/reissue/", &json!({"csr": csr(&["chain.dev"])})))
            .status(201).no_header("refresh"),
    ]
}
