//! Sections 1.4, 1.5, 4.5, 4.9 and 4.10: lists, their parameters and what filters find. That each field has the operators
//! of its type, and no others, is proved for all of them in `contract::lists`.

use serde_json::json;

use super::row::{Call, Row, Shape, get, row};
use super::stage::Stage;

const CERTIFICATES: &str = "/v2/ssl/certificates";
const PROCESSES: &str = "/v2/processes";
const PRODUCTS: &str = "/v2/ssl/products";
const NOTIFICATIONS: &str = "/v2/customers/alice/notifications";

/// Fields that a list shows and does not filter by.
const NO_FILTERS: &[(&str, &str, &[&str])] = &[
    ("4.5 certificates", CERTIFICATES, &["csr", "certificate", "addressline", "nothing"]),
    ("4.9 processes", PROCESSES, &["statusDetail", "command", "user", "resumeTypes"]),
    ("4.10 products", PRODUCTS, &["requiredFields", "optionalFields", "renewFrom"]),
    ("5.8 notifications", NOTIFICATIONS, &["payload", "isAsync", "customer"]),
];

pub(super) fn rows(stage: &Stage) -> Vec<Row> {
    let mut rows = envelope_rows();
    rows.extend(no_filter_rows());
    rows.extend(operator_rows(stage));
    rows.extend(selection_rows(stage));
    rows.extend(product_rows());
    rows.extend(process_rows(stage));
    rows
}

/// What every list has.
fn envelope_rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for path in [CERTIFICATES, PROCESSES, PRODUCTS, NOTIFICATIONS] {
        let list = |query: &str| get(format!("{path}?{query}"));
        let row = |fact: &str, call: Call| row(format!("1.4 {path}: {fact}"), call);
        rows.extend([
            row("entities", get(path)).status(200).json("/entities", Shape::List),
            row("limit is 10 when it is not given", get(path)).json("/pagination/limit", 10),
            row("offset is 0 when it is not given", get(path)).json("/pagination/offset", 0),
            row("total is there when it is not given", get(path)).json("/pagination/total", Shape::Integer),
            row("total=true", list("total=true")).json("/pagination/total", Shape::Integer),
            row("total=false", list("total=false")).status(200).lacks("/pagination/total"),
            row("limit=0 counts only", list("limit=0")).json("/entities", json!([])),
            row("limit=0 has a total", list("limit=0")).json("/pagination/total", Shape::Integer),
            row("limit=1", list("limit=1")).json("/pagination/limit", 1).lacks("/entities/1"),
            row("limit=250", list("limit=250")).json("/pagination/limit", 250),
            row("limit=251", list("limit=251")).violates("limit"),
            row("limit=-1", list("limit=-1")).violates("limit"),
            row("limit that is no number", list("limit=many")).violates("limit"),
            row("offset=1", list("offset=1")).json("/pagination/offset", 1),
            row("offset beyond the end", list("offset=100000"))
                .json("/entities", json!([])).json("/pagination/total", Shape::Integer),
            row("offset=-1", list("offset=-1")).violates("offset"),
            row("offset that is no number", list("offset=x")).violates("offset"),
            row("total that is neither true nor false", list("total=1")).violates("total"),
            row("export=true has entities", list("export=true")).status(200).json("/entities", Shape::List),
            row("export=false is none", list("export=false")).json("/pagination/limit", 10),
            row("export with limit", list("export=true&limit=5")).violates("limit"),
            row("export with offset", list("export=true&offset=5")).violates("offset"),
            row("export that is neither true nor false", list("export=yes")).violates("export"),
            row("order by what is no field", list("order=nothing")).violates("order"),
            row("fields that it does not have", list("fields=nothing")).violates("fields"),
            row("an unknown parameter is no filter", list("nothing=1")).violates("nothing"),
            row("q that nothing has", list("q=no-such-text-anywhere")).ids(&[]),
        ]);
    }
    rows
}

fn no_filter_rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for (section, path, fields) in NO_FILTERS {
        for field in *fields {
            let fact = format!("{section}: no filter by {field}");
            rows.push(row(fact, get(format!("{path}?{field}=1"))).violates(*field));
        }
    }
    rows
}

/// Each operator with each type of value, on three certificates: the reissued one, its successor and the revoked one.
fn operator_rows(stage: &Stage) -> Vec<Row> {
    let (old, new, gone) = (stage.old, stage.new, stage.revoked);
    let all = [gone, new, old];
    let known = format!("{old}%2C{new}%2C{gone}");
    let list = |filter: &str| get(format!("{CERTIFICATES}?id%3Ain={known}&{filter}"));
    let start = stage.shown["startDate"].as_str().unwrap();
    let (past, future) = ("2020-01-01T00:00:00Z", "2099-01-01T00:00:00Z");
    let mut rows: Vec<Row> = [
        // Text
        ("domainName=reseal.dev".to_owned(), &[new, old][..]),
        ("domainName%3Aeq=gone.dev".to_owned(), &[gone]),
        ("domainName%3Ane=gone.dev".to_owned(), &[new, old]),
        ("domainName%3Alike=%25ese%25".to_owned(), &[new, old]),
        ("domainName%3Alike=reseal".to_owned(), &[]),
        ("domainName%3Anot_like=%25ese%25".to_owned(), &[gone]),
        ("domainName%3Agt=gone.dev".to_owned(), &[new, old]),
        ("domainName%3Alt=reseal.dev".to_owned(), &[gone]),
        ("domainName%3Agte=gone.dev".to_owned(), &all),
        ("domainName%3Alte=gone.dev".to_owned(), &[gone]),
        ("domainName%3Anull=".to_owned(), &[]),
        ("domainName%3Anot_null=".to_owned(), &all),
        ("coc%3Anull=".to_owned(), &all),
        ("coc%3Anot_null=".to_owned(), &[]),
        ("domainName%3Ain=gone.dev%2Cother.dev".to_owned(), &[gone]),
        ("domainName%3Anot_in=gone.dev%2Cother.dev".to_owned(), &[new, old]),
        // Enumeration
        ("status=ACTIVE".to_owned(), &[new]),
        ("status%3Ane=ACTIVE".to_owned(), &[gone, old]),
        ("status%3Alike=RE%25".to_owned(), &[gone, old]),
        ("status%3Anot_like=RE%25".to_owned(), &[new]),
        ("status%3Anull=".to_owned(), &[]),
        ("status%3Anot_null=".to_owned(), &all),
        ("status%3Ain=ACTIVE%2CREVOKED".to_owned(), &[gone, new]),
        ("status%3Anot_in=ACTIVE%2CREVOKED".to_owned(), &[old]),
        ("status=active".to_owned(), &[new]),
        // Integer
        (format!("id={new}"), &[new]),
        (format!("id%3Ane={new}"), &[gone, old]),
        (format!("id%3Agt={old}"), &[gone, new]),
        (format!("id%3Alt={gone}"), &[new, old]),
        (format!("id%3Agte={new}"), &[gone, new]),
        (format!("id%3Alte={new}"), &[new, old]),
        ("id%3Anull=".to_owned(), &[]),
        ("id%3Anot_null=".to_owned(), &all),
        (format!("id%3Anot_in={old}"), &[gone, new]),
        // Date
        (format!("startDate={start}&id={new}"), &[new]),
        (format!("startDate%3Ane={past}"), &all),
        (format!("startDate%3Agt={past}"), &all),
        (format!("startDate%3Alt={future}"), &all),
        (format!("startDate%3Agte={future}"), &[]),
        (format!("startDate%3Alte={past}"), &[]),
        ("startDate%3Anull=".to_owned(), &[]),
        ("startDate%3Anot_null=".to_owned(), &all),
        // List of texts
        ("san=www.gone.dev".to_owned(), &[gone]),
        ("san%3Alike=www.re%25".to_owned(), &[new, old]),
        ("san%3Agt=www.gone.dev".to_owned(), &[new, old]),
        ("san%3Alt=h".to_owned(), &[gone]),
        ("san%3Agte=www.reseal.dev".to_owned(), &[new, old]),
        ("san%3Alte=gone.dev".to_owned(), &[gone]),
        ("san%3Anull=".to_owned(), &[]),
        ("san%3Anot_null=".to_owned(), &all),
        ("san%3Ain=www.gone.dev%2Cother.dev".to_owned(), &[gone]),
        ("san%3Anot_in=www.gone.dev%2Cother.dev".to_owned(), &[new, old]),
        // How they go together
        ("status%3Anot_in=ACTIVE&status%3Anot_in=REVOKED".to_owned(), &[old]),
        ("domainName%3Agt=a&domainName%3Alt=h".to_owned(), &[gone]),
        ("status:in=ACTIVE,REVOKED".to_owned(), &[gone, new]),
        ("q=eseal.d".to_owned(), &[new, old]),
        ("q=eseal.d&status=ACTIVE".to_owned(), &[new]),
        ("q=status%3AACTIVE".to_owned(), &[]),
        // Dates as clients write them
        ("startDate%3Alt=2099-01-01T00%3A00%3A00.000Z".to_owned(), &all),
        ("startDate%3Alt=2099-01-01T00%3A00%3A00%2B01%3A00".to_owned(), &all),
        ("startDate%3Alt=2099-01-01T00:00:00+01:00".to_owned(), &all),
        ("startDate%3Alte=9999-12-31".to_owned(), &all),
        ("startDate%3Agt=9999-12-31T23:59:59Z".to_owned(), &[]),
        ("coc%3Anull=ignored".to_owned(), &all),
        // White space around values
        ("domainName=+gone.dev%20".to_owned(), &[gone]),
        ("domainName%3Alike=+gone%25+".to_owned(), &[gone]),
        (format!("id=%09{new}%0A"), &[new]),
        ("status=+active".to_owned(), &[new]),
        ("q=+eseal.d+".to_owned(), &[new, old]),
    ]
    .into_iter()
    .map(|(filter, ids)| {
        let shown = filter.replace(&known, "…").replace(start, "START");
        let shown = [(old, "OLD"), (new, "NEW"), (gone, "GONE")].iter().fold(shown, |text, (id, name)| {
            text.replace(&format!("={id}"), &format!("={name}"))
        });
        row(format!("1.4 filter {shown}"), list(&filter)).ids(ids)
    })
    .collect();
    for (filter, field) in [
        ("id=x", "id"),
        ("id=1.0", "id"),
        ("id%3Ain=1%2Cx", "id:in"),
        ("startDate%3Agt=yesterday", "startDate:gt"),
        ("status=ALIVE", "status"),
        ("validationType=DV", "validationType"),
        ("certificateType=SINGLE", "certificateType"),
        ("publicKeyAlgorithm=DSA", "publicKeyAlgorithm"),
    ] {
        rows.push(row(format!("1.4 filter {filter} is of a wrong type"), list(filter)).violates(field));
    }
    rows
}

/// `fields`, on lists and on single objects (section 1.5).
fn selection_rows(stage: &Stage) -> Vec<Row> {
    let new = stage.new;
    let (id, status) = (json!(new), json!("ACTIVE"));
    let some = json!({"id": id, "status": status});
    let more = json!({"id": id, "domainName": "reseal.dev", "status": status});
    let list = |query: &str| get(format!("{CERTIFICATES}?id={new}&{query}"));
    let one = |query: &str| get(format!("{CERTIFICATES}/{new}?{query}"));
    let mut rows = vec![
        row("1.4 an element of a list is what the single call shows", list("")).json("/entities/0", stage.shown.clone()),
        row("1.4 an export shows identifying fields only", list("export=true")).json("/entities/0", json!({ "id": id })),
        row("1.4 an export shows more by fields", list("export=true&fields=status")).json("/entities/0", some.clone()),
        row("1.5 fields of a process", get(format!("{PROCESSES}/{}?fields=status", stage.reissue)))
            .json("", json!({"id": stage.reissue, "status": "COMPLETED"})),
        row("1.5 fields of process info", get(format!("{PROCESSES}/{}/info?fields=requiresAttention", stage.reissue)))
            .json("", json!({"commonName": "reseal.dev", "requiresAttention": false})),
        row("1.5 fields of a product", get(format!("{PRODUCTS}/ssl_dv?fields=brand")))
            .json("", json!({"product": "ssl_dv", "brand": "Reseal"})),
        row("1.5 fields of a notification", get(format!("{NOTIFICATIONS}/{}?fields=isAsync", stage.notification)))
            .json("", json!({"id": stage.notification, "isAsync": true})),
        row("1.4 products are identified by product", get(format!("{PRODUCTS}?product=ssl_dv&fields=brand")))
            .json("/entities/0", json!({"product": "ssl_dv", "brand": "Reseal"})),
        row("1.4 an export of products", get(format!("{PRODUCTS}?product=ssl_dv&export=true")))
            .json("/entities/0", json!({"product": "ssl_dv"})),
        row("1.4 an export of processes", get(format!("{PROCESSES}?id={}&export=true", stage.reissue)))
            .json("/entities/0", json!({"id": stage.reissue})),
        row("1.4 an export of notifications", get(format!("{NOTIFICATIONS}?id={}&export=true", stage.notification)))
            .json("/entities/0", json!({"id": stage.notification})),
    ];
    for (query, expected) in [
        ("fields=id,status", &some),
        ("fields=status", &some),
        ("fields=id%2Cstatus", &some),
        ("fields=id&fields=status", &some),
        ("fields=status,id&fields=domainName", &more),
        ("fields%5B0%5D=id&fields%5B1%5D=status", &some),
        ("fields[]=status&fields[]=domainName", &more),
        ("fields=%20status%20", &some),
    ] {
        rows.push(row(format!("1.5 {query} on one object"), one(query)).json("", expected.clone()));
    }
    rows.push(row("1.5 fields that an object does not have", one("fields=nothing")).violates("fields"));
    rows.push(row("7.10 an unknown parameter is ignored on a single object", one("nothing=1")).status(200));
    rows
}

/// The catalogue's own types: lists of words and of integers.
fn product_rows() -> Vec<Row> {
    let list = |filter: &str| get(format!("{PRODUCTS}?{filter}"));
    let count = |filter: &str, total: i64| row(format!("4.10 filter {filter}"), list(filter)).json("/pagination/total", total);
    vec![
        row("4.10 products in the catalogue's order", list("limit=2")).json("/entities/0/product", "ssl_dv"),
        count("certificateType%3Ane=ACME_SUBSCRIPTION", 8),
        count("certificateType=wildcard", 2),
        count("features=WILDCARD", 2),
        count("features%3Ain=WILDCARD%2CREISSUE", 8),
        count("features%3Alike=NON%25", 5),
        count("periods=36", 8),
        count("periods%3Agt=36", 0),
        count("periods%3Ain=5%2C6", 8),
        count("warranty%3Agte=50000", 5),
        count("validationType=DOMAIN_VALIDATION", 3),
        count("maxDomains%3Agt=2", 3),
        count("product%3Alike=%25_wc", 2),
        count("name%3Alike=%25wildcard%25", 2),
        count("q=extended", 2),
        count("product%3Anot_in=ssl_dv%2Cssl_ov", 6),
    ]
}

/// What real clients ask processes for.
fn process_rows(stage: &Stage) -> Vec<Row> {
    let list = |filter: &str| get(format!("{PROCESSES}?{filter}"));
    let ids = |filter: &str, id: i64| row(format!("4.9 filter {filter}"), list(filter)).ids(&[id]);
    vec![
        ids("identifier=dns.dev&type=certificate&order=-createdDate&limit=1", stage.dns),
        ids("identifier=cancelled.dev&status=cancelled", stage.cancelled),
        ids("identifier=cancelled.dev&status%3Ain=CANCELLED%2CFAILED", stage.cancelled),
        ids("identifier=reseal.dev&action=reissue&order=-updatedDate", stage.reissue),
        ids("identifier=email.dev&detailStatus=SSL_REQUIRES_ATTENTION", stage.email),
        row("4.9 the process of a certificate", list(&format!("id={}", stage.reissue))).ids(&[stage.reissue]),
        row("4.9 filter status=DONE is of a wrong type", list("status=DONE")).violates("status"),
        row("4.9 filter detailStatus=CALM is of a wrong type", list("detailStatus=CALM")).violates("detailStatus"),
        row("4.5 a certificate is found by its process", get(format!("{CERTIFICATES}?process%3Aeq={}", stage.reissue)))
            .ids(&[stage.new]),
        row("4.5 and is the only one", get(format!("{CERTIFICATES}?process%3Aeq={}", stage.reissue)))
            .json("/pagination/total", 1),
        row("1.2 the right to see processes is probed with a limit", list("limit=1")).status(200),
    ]
}
