//! Sections 1.6, 1.7, 4.2 and 4.3: request and renewal, priced with `quote=true`, which checks everything and does
//! nothing.

use serde_json::{Value, json};

use super::reissue::{LANGUAGES, TEXTS};
use super::row::{Call, Row, Shape, get, post, row};
use super::stage::{Stage, order, organization_of, with};
use super::texts::{domains, emails, presence_rows, text_rows};
use crate::support::csr::{common_name_only, csr};

const REQUEST: &str = "/v2/ssl/certificates?quote=true";

/// Everything that may be acknowledged (section 1.6).
const ACTIONS: &[&str] = &[
    "CREATE", "REQUEST", "TRANSFER", "RENEW", "RESTORE", "TRANSFER_RESTORE", "UPDATE", "REGISTRANT_CHANGE",
    "LOCAL_CONTACT", "NEGATIVE_MARKUP", "PRIVACY_PROTECT", "EXTRA_WILDCARD", "EXTRA_DOMAIN", "REGISTRY_LOCK",
];

fn base() -> Value {
    order("ssl_dv", &["quoted.dev"])
}

fn request(field: &str, value: impl Into<Value>) -> Call {
    post(REQUEST, &with(base(), field, value))
}

fn without(mut body: Value, field: &str) -> Value {
    body.as_object_mut().unwrap().remove(field);
    body
}

fn quoted(row: Row) -> Row {
    row.status(200).json("/quote/total", Shape::Integer)
}

pub(super) fn rows(stage: &Stage) -> Vec<Row> {
    let mut rows = request_rows();
    rows.extend(who_rows());
    rows.extend(period_rows("4.2 request:", |period| request("period", period)));
    rows.extend(shared_rows("4.2 request:", request));
    let renew = format!("/v2/ssl/certificates/{}/renew?quote=true", stage.monthly);
    let renewal = || json!({"csr": csr(&["monthly.dev"]), "period": 12});
    let renewed = |field: &str, value: Value| post(&renew, &with(renewal(), field, value));
    rows.extend(period_rows("4.3 renew:", |period| renewed("period", period)));
    rows.extend(shared_rows("4.3 renew:", renewed));
    rows.extend(renew_rows(&renew, renewal));
    rows.extend(quote_rows(stage));
    rows.extend(billable_rows());
    rows
}

fn request_rows() -> Vec<Row> {
    const SECTION: &str = "4.2 request:";
    let mut rows = presence_rows(SECTION, "csr", true, post(REQUEST, &without(base(), "csr")), request("csr", Value::Null), quoted);
    rows.extend(text_rows(
        SECTION,
        "domainName",
        &domains(),
        |value| {
            let body = json!({"customer": "alice", "product": "ssl_dv", "period": 12, "csr": common_name_only("reseal.dev")});
            post(REQUEST, &with(body, "domainName", value))
        },
        quoted,
    ));
    rows.extend(text_rows(SECTION, "saEmail", &emails(), |value| request("saEmail", value), quoted));
    rows.extend(LANGUAGES.iter().map(|word| quoted(row(format!("4.2 request: saLanguage {word}"), request("saLanguage", *word)))));
    rows.push(row("4.2 request: saLanguage that nobody has", request("saLanguage", "XX")).violates("saLanguage"));
    rows.push(quoted(row("4.2 request: saLanguage in lower case", request("saLanguage", "nl"))));
    for (what, value, taken) in [
        ("of two letters", "NL", true),
        ("in lower case", "nl", true),
        ("between blanks", " NL ", true),
        ("of one byte", "N", false),
        ("of three bytes", "NLD", false),
        ("of one character of two bytes", "é", false),
        ("of two digits", "12", false),
        ("that is empty", "", false),
    ] {
        let row = row(format!("4.2 request: country {what}"), request("country", value));
        rows.push(if taken { quoted(row) } else { row.violates("country") });
    }
    rows.push(row("4.2 request: country that is a number", request("country", 31)).unrecognized("country"));
    for field in ["organization", "address", "postalCode", "city", "country", "approver"] {
        let body = without(organization_of(order("ssl_ov", &["org.dev"])), field);
        rows.push(row(format!("5.2 {field} that the product requires"), post(REQUEST, &body)).violates(field));
    }
    for field in ["certificateId", "notAfter", "validity", "sans", "emailAddress"] {
        rows.push(row(format!("4.2 request: {field} is not taken"), request(field, 1)).unrecognized(field));
    }
    rows
}

/// `customer` and `product`, which have to exist.
fn who_rows() -> Vec<Row> {
    const SECTION: &str = "4.2 request:";
    let mut rows = Vec::new();
    for (field, least, over) in [("customer", 3, 41), ("product", 1, 256)] {
        let absent = post(REQUEST, &without(base(), field));
        rows.extend(presence_rows(SECTION, field, true, absent, request(field, Value::Null), quoted));
        let most = "a".repeat(over - 1);
        for known in ["a".repeat(least), most, "A-b_c@d.e".to_owned()] {
            let fact = format!("4.2 request: {field} that nobody is called, of {} bytes", known.len());
            rows.push(row(fact, request(field, known)).bad("ObjectDoesNotExist"));
        }
        let mut refused = vec!["a".repeat(over), String::new()];
        if field == "customer" {
            refused.extend(["ab", "a b", "a/b", "a:b", "käse"].map(str::to_owned));
        }
        for value in refused {
            let shown = &value[..value.len().min(10)];
            let fact = format!("4.2 request: {field} `{shown}` of {} bytes", value.len());
            rows.push(row(fact, request(field, value.as_str())).violates(field));
        }
        rows.push(row(format!("4.2 request: {field} that is a number"), request(field, 1)).unrecognized(field));
    }
    rows.push(row("4.2 request: customer that is another's", request("customer", "bob")).bad("ObjectDoesNotExist"));
    rows.push(quoted(row("4.2 request: customer between blanks", request("customer", " alice "))));
    rows.push(quoted(row("4.2 request: product between blanks", request("product", " ssl_dv "))));
    rows
}

/// `period`, required, in months as the product has them.
fn period_rows(section: &str, send: impl Fn(Value) -> Call) -> Vec<Row> {
    let row = |what: &str, value: Value| row(format!("{section} period {what}"), send(value));
    let mut rows: Vec<Row> = [1, 3, 6, 12, 24, 36]
        .into_iter()
        .map(|months| quoted(row(&format!("of {months} months"), json!(months))))
        .collect();
    for months in [0, 2, 7, 37, -12] {
        rows.push(row(&format!("of {months} months"), json!(months)).violates("period"));
    }
    rows.extend([
        row("that is null", Value::Null).violates("period"),
        row("as a text", json!("12")).unrecognized("period"),
        row("with a fraction of nothing", json!(12.0)).unrecognized("period"),
        row("as a truth", json!(true)).unrecognized("period"),
    ]);
    rows
}

/// The fields that request and renewal have in common with a reissue: each is there, with its most bytes.
fn shared_rows(section: &str, send: impl Fn(&str, Value) -> Call) -> Vec<Row> {
    let mut rows = Vec::new();
    for (field, most) in TEXTS.iter().copied().chain([("uniqueValue", 20)]) {
        let taken = send(field, json!("a".repeat(most)));
        rows.push(quoted(row(format!("{section} {field} of {most} bytes"), taken)));
        let over = send(field, json!("a".repeat(most + 1)));
        rows.push(row(format!("{section} {field} of {} bytes", most + 1), over).violates(field));
    }
    let approver = json!({"firstName": "Ada", "lastName": "Bakker", "email": "ada@quoted.dev", "voice": "+31.384530759"});
    for (field, value, bad, path) in [
        ("language", json!("NL"), json!("XX"), "language"),
        ("san", json!([]), json!(["-"]), "san[0]"),
        ("approver", approver.clone(), with(approver, "voice", "1"), "approver.voice"),
        ("dcv", json!([]), json!([{"commonName": "-", "type": "DNS"}]), "dcv[0].commonName"),
        ("saEmail", json!("ada@quoted.dev"), json!("ada"), "saEmail"),
    ] {
        rows.push(quoted(row(format!("{section} {field}"), send(field, value))));
        rows.push(row(format!("{section} {field} that is bad"), send(field, bad)).violates(path));
        rows.push(row(format!("{section} {field} that is a truth"), send(field, json!(true))).unrecognized(field));
    }
    rows.push(quoted(row(format!("{section} authKey false"), send("authKey", json!(false)))));
    rows.push(row(format!("{section} authKey as a text"), send("authKey", json!("false"))).unrecognized("authKey"));
    rows
}

fn renew_rows(path: &str, base: impl Fn() -> Value) -> Vec<Row> {
    const SECTION: &str = "4.3 renew:";
    let send = |field: &str, value: Value| post(path, &with(base(), field, value));
    let mut rows = vec![
        row("4.3 renew: period that is absent", post(path, &json!({"csr": csr(&["monthly.dev"])}))).violates("period"),
        row("4.3 renew: csr that is absent", post(path, &json!({"period": 12}))).violates("csr"),
        quoted(row("4.3 renew: without product it is the same", post(path, &base()))),
        quoted(row("4.3 renew: product that is null", send("product", Value::Null))),
        quoted(row("4.3 renew: the same product", send("product", json!("ssl_dv")))),
        quoted(row("4.3 renew: a product that may be renewed from it", send("product", json!("ssl_dv_md")))),
        row("4.3 renew: a product that may not", send("product", json!("ssl_ev"))).violates("product"),
        row("4.3 renew: a product that is not there", send("product", json!("ssl_none"))).bad("ObjectDoesNotExist"),
        row("4.3 renew: product that is a number", send("product", json!(1))).unrecognized("product"),
        quoted(row("4.3 renew: billables", send("billables", json!([])))),
    ];
    for (field, value) in [("country", json!("NL")), ("customer", json!("alice")), ("saLanguage", json!("NL")), ("renewFrom", json!("ssl_dv"))] {
        rows.push(row(format!("{SECTION} {field} is not taken"), send(field, value)).unrecognized(field));
    }
    rows
}

/// Section 1.6: the answer to `quote=true`.
fn quote_rows(stage: &Stage) -> Vec<Row> {
    let free = || post(REQUEST, &base());
    let names = ["a.dev", "b.dev", "c.dev", "d.dev", "e.dev", "f.dev", "g.dev", "*.w.dev"];
    let paid = || post(REQUEST, &order("ssl_dv_md", &names[..7]));
    let path = |id: i64, verb: &str| format!("/v2/ssl/certificates/{id}/{verb}?quote=true");
    let reissue = || post(path(stage.many, "reissue"), &json!({"csr": csr(&["many.dev"])}));
    let renew = || post(path(stage.monthly, "renew"), &json!({"csr": csr(&["monthly.dev"]), "period": 12}));
    let billable = |field: &str| format!("/quote/billables/0/{field}");
    let mut rows = vec![
        row("1.6 a quote is a JSON object with 200", free()).status(200).header("content-type", "application/json"),
        row("1.6 quote of a request: command", free()).json("/command", "RequestCertificateCommand"),
        row("1.6 quote of a reissue: command", reissue()).json("/command", "ReissueCertificateCommand"),
        row("1.6 quote of a renewal: command", renew()).json("/command", "RenewCertificateCommand"),
        row("1.6 quote: total of what is free is the integer 0", free()).json("/quote/total", 0),
        row("1.6 quote: currency is absent when all is free", free()).lacks("/quote/currency"),
        row("1.6 quote: billables are absent when all is free", free()).lacks("/quote/billables"),
        row("1.6 quote of a request: no process", free()).no_header("x-process-id"),
        row("1.6 quote of a reissue: no process", reissue()).no_header("x-process-id"),
        row("1.6 quote of a renewal: no process", renew()).no_header("x-process-id"),
        row("1.6 quote of a request: no Location", free()).no_header("location"),
        row("1.6 quote: total in cents", paid()).json("/quote/total", 700),
        row("1.6 quote: currency", paid()).json("/quote/currency", Shape::Like("three capitals", is_currency)),
        row("1.6 quote: billables", paid()).json("/quote/billables", Shape::List),
        row("1.6 billable: product", paid()).json(billable("product"), "ssl_dv_md"),
        row("1.6 billable: action", paid()).json(billable("action"), "REQUEST"),
        row("1.6 billable: action of added names", paid()).json("/quote/billables/1/action", "EXTRA_DOMAIN"),
        row("1.6 billable: quantity", paid()).json("/quote/billables/1/quantity", 2),
        row("1.6 billable: amount", paid()).json("/quote/billables/1/amount", 100),
        row("1.6 billable: refundable", paid()).json(billable("refundable"), Shape::Boolean),
        row("1.6 billable: total is quantity times amount", paid()).json("/quote/billables/1/total", 200),
        row("1.6 quote of a renewal that is charged: action", post(path(stage.monthly, "renew"), &json!({"csr": csr(&["monthly.dev"]), "period": 12, "product": "ssl_dv_md"})))
            .json(billable("action"), "RENEW"),
        row("1.6 quote checks as the call does", request("csr", "x")).bad("InvalidCSRException"),
        row("1.6 quote: whose names break rules", request("san", json!(["other.dev"]))).violates("san[0]"),
        row("1.6 quote of what was revoked", post(path(stage.revoked, "reissue"), &json!({"csr": csr(&["gone.dev"])})))
            .bad("ObjectStatusProhibitsOperation"),
        row("1.6 quotes leave no process behind", get("/v2/processes?identifier=quoted.dev")).json("/pagination/total", 0),
        row("1.6 quotes change no certificate", get(format!("/v2/ssl/certificates/{}", stage.many))).json("/status", "ACTIVE"),
    ];
    let reissue = "/v2/ssl/certificates/{latest}/reissue?quote=";
    for (word, taken) in [("false", true), ("TRUE", false), ("1", false), ("yes", false), ("", false), ("true&quote=false", false)] {
        let call = post(format!("{reissue}{word}"), &json!({"csr": csr(&["chain.dev"])}));
        let row = row(format!("1.6 quote={word} on a reissue"), call);
        rows.push(if taken { row.status(201) } else { row.violates("quote") });
    }
    rows
}

fn is_currency(text: &str) -> bool {
    text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// Section 1.7: `billables` in a request.
fn billable_rows() -> Vec<Row> {
    let send = |entry: Value| request("billables", json!([entry]));
    let entry = |action: &str| json!({"product": "ssl_dv", "action": action});
    let mut rows: Vec<Row> = ACTIONS
        .iter()
        .map(|action| quoted(row(format!("1.7 billables: action {action}"), send(entry(action)))))
        .collect();
    let path = |field: &str| format!("billables[0].{field}");
    rows.extend([
        quoted(row("1.7 billables that are null", request("billables", Value::Null))),
        quoted(row("1.7 billables: none", request("billables", json!([])))),
        quoted(row("1.7 billables: a quantity", send(with(entry("REQUEST"), "quantity", 3)))),
        quoted(row("1.7 billables: quantity that is null", send(with(entry("REQUEST"), "quantity", Value::Null)))),
        row("1.7 billables: action in lower case", send(entry("request"))).violates(path("action")),
        row("1.7 billables: action that PHP does not know", send(entry("UPDATE_ADMINISTRATION"))).violates(path("action")),
        row("1.7 billables without action", send(json!({"product": "ssl_dv"}))).violates(path("action")),
        row("1.7 billables without product", send(json!({"action": "REQUEST"}))).violates(path("product")),
        row("1.7 billables: quantity 0", send(with(entry("REQUEST"), "quantity", 0))).violates(path("quantity")),
        row("1.7 billables: quantity as a text", send(with(entry("REQUEST"), "quantity", "1")))
            .unrecognized("billables[0].quantity"),
        row("1.7 billables: a price", send(with(entry("REQUEST"), "amount", 1))).unrecognized("billables[0].amount"),
        row("1.7 billables as an object", request("billables", entry("REQUEST"))).unrecognized("billables"),
    ]);
    rows
}
