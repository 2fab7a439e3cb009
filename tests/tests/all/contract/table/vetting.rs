//! Sections 4.8, 5.1 and 6.4 where an organization is checked: the calls of its process, what its certificate shows, and
//! who may decide.

use serde_json::{Value, json};

use super::objects::{absence_rows, field_rows};
use super::row::{Row, Shape, Who, get, post, row};
use super::stage::Stage;
use super::texts::{emails, presence_rows};

pub(super) fn rows(stage: &Stage) -> Vec<Row> {
    let mut rows = agreement_rows(stage);
    rows.extend(call_rows(stage));
    rows.extend(certificate_rows(stage));
    rows.extend(decision_rows(stage));
    rows.extend(key_rows());
    rows.extend(campaign_rows());
    rows
}

fn agreement_rows(stage: &Stage) -> Vec<Row> {
    const SECTION: &str = "4.8 send-subscriber-agreement:";
    let path = format!("/v2/processes/{}/send-subscriber-agreement", stage.extended);
    let send = |body: Value| post(&path, &body);
    let taken = |row: Row| row.empty(200);
    let mut rows = presence_rows(SECTION, "email", true, send(json!({})), send(json!({"email": null})), taken);
    rows.extend(emails().iter().filter(|edge| !edge.is_taken()).map(|edge| {
        edge.row(SECTION, "email", send(json!({"email": edge.value()})), taken)
    }));
    for word in ["EN", "NL", "FR", "DE"] {
        let fact = format!("4.8 send-subscriber-agreement: language {word} is one it has");
        let body = json!({"email": format!("ada-{}@org.dev", word.to_ascii_lowercase()), "language": word});
        rows.push(row(fact, send(body)).empty(200));
    }
    for word in ["IT", "ES", "CN", "XX", ""] {
        let fact = format!("4.8 send-subscriber-agreement: language `{word}` is none");
        rows.push(row(fact, send(json!({"email": "ada@org.dev", "language": word}))).violates("language"));
    }
    let elsewhere = format!("/v2/processes/{}/send-subscriber-agreement", stage.dns);
    rows.push(row("6.3 an agreement for a product without one", post(elsewhere, &json!({"email": "ada@dns.dev"})))
        .bad("ObjectStatusProhibitsOperation"));
    rows.push(row("4.8 send-subscriber-agreement: another field", send(json!({"email": "ada@org.dev", "to": "x"})))
        .unrecognized("to"));
    rows
}

fn call_rows(stage: &Stage) -> Vec<Row> {
    let path = format!("/v2/processes/{}/schedule-validation-call", stage.extended);
    let send = |date: Value| post(&path, &json!({ "date": date }));
    let php = |date: &str| json!({"date": date, "timezone_type": 3, "timezone": "UTC"});
    vec![
        row("4.8 schedule-validation-call: a date", send(json!("2037-03-12T10:00:00Z"))).empty(200),
        row("7.6 schedule-validation-call: a date object as PHP sends it", send(php("2037-03-13 10:00:00.000000"))).empty(200),
        row("1.3 a date with milliseconds is read", send(json!("2037-03-12T10:00:00.000Z"))).empty(200),
        row("1.3 a date with an offset is read", send(json!("2037-03-12T11:00:00+01:00"))).empty(200),
        row("6.3 a validation call for a product without one", post(format!("/v2/processes/{}/schedule-validation-call", stage.dns), &json!({"date": "2037-03-12T10:00:00Z"})))
            .bad("ObjectStatusProhibitsOperation"),
        row("4.8 schedule-validation-call: date that is absent", post(&path, &json!({}))).violates("date"),
        row("4.8 schedule-validation-call: date that is null", send(Value::Null)).violates("date"),
        row("4.8 schedule-validation-call: date that is no date", send(json!("tomorrow"))).violates("date"),
        row("4.8 schedule-validation-call: date that is empty", send(json!(""))).violates("date"),
        row("4.8 schedule-validation-call: date that is a number", send(json!(1_800_000_000))).unrecognized("date"),
        row("4.8 schedule-validation-call: another field", post(&path, &json!({"date": "2037-03-12T10:00:00Z", "at": 1})))
            .unrecognized("at"),
        row("7.6 schedule-validation-call: a date object without its date", send(json!({"timezone": "UTC"})))
            .violates("date.date"),
        row("7.6 schedule-validation-call: a date object of nonsense", send(php("soon"))).violates("date.date"),
    ]
}

/// What a certificate shows when somebody is named in it.
fn certificate_rows(stage: &Stage) -> Vec<Row> {
    const SECTION: &str = "5.1 certificate of an organization:";
    let one = || get(format!("/v2/ssl/certificates/{}", stage.vetted));
    let mut rows = field_rows(SECTION, one, vec![
        ("validationType", "ORGANIZATION_VALIDATION".into()),
        ("organization", "Reseal B.V.".into()),
        ("city", "Zwolle".into()),
        ("state", "Overijssel".into()),
        ("postalCode", "8011 AA".into()),
        ("country", "NL".into()),
        ("coc", "1234567".into()),
        ("addressLine", json!(["Plein 1"]).into()),
    ]);
    rows.extend(absence_rows(SECTION, one, &["department", "contact"]));
    let found = |filter: &str| get(format!("/v2/ssl/certificates?id={}&{filter}", stage.vetted));
    for filter in ["organization=Reseal+B.V.", "postalCode=8011%20AA", "addressLine=Plein+1", "coc=1234567"] {
        rows.push(row(format!("4.5 filter {filter}"), found(filter)).ids(&[stage.vetted]));
    }
    rows
}

/// Beyond the vendor's API: the list of keys is an operator's.
fn key_rows() -> Vec<Row> {
    const PATH: &str = "/v2/blocked-keys";
    let send = |body: Value| post(PATH, &body).by(Who::Operator);
    let hash = "0123456789abcdef".repeat(4);
    vec![
        row("2.1 AuthorizationError: a customer looks at blocked keys", get(PATH)).refused(403, "AuthorizationError"),
        row("1.4 blocked keys are a list as every other", get(format!("{PATH}?limit=1")).by(Who::Operator)).status(200)
            .json("/pagination/limit", 1),
        row("blocked-keys: a key by its hash", send(json!({"keys": [hash], "reason": "told"}))).json("/known", 0),
        row("blocked-keys: what is no key", send(json!({"keys": ["x"], "reason": "told"}))).violates("keys[0]"),
        row("blocked-keys: no keys", send(json!({"keys": [], "reason": "told"}))).violates("keys"),
        row("blocked-keys: no reason", send(json!({"keys": [hash]}))).violates("reason"),
        row("blocked-keys: another field", send(json!({"keys": [hash], "reason": "told", "key": 1}))).unrecognized("key"),
        row("blocked-keys: a customer without proof", post(PATH, &json!({"keys": [hash], "reason": "told"})))
            .violates("keys[0]"),
    ]
}

/// Beyond the vendor's API: mass reissues.
fn campaign_rows() -> Vec<Row> {
    const PATH: &str = "/v2/ssl/campaigns";
    let good = json!({"where": "id=0", "key": "notify", "deadline": "2099-01-01T00:00:00Z", "reason": "drill"});
    let with = |field: &str, value: Value| {
        let mut body = good.clone();
        body[field] = value;
        post(PATH, &body).by(Who::Operator)
    };
    let plan = post(format!("{PATH}?dryRun=true"), &good).by(Who::Operator);
    let mut rows = vec![
        row("2.1 AuthorizationError: a customer looks at campaigns", get(PATH)).refused(403, "AuthorizationError"),
        row("2.1 AuthorizationError: a customer begins a campaign", post(PATH, &good)).refused(403, "AuthorizationError"),
        row("campaigns: a plan", plan).status(200).json("/total", 0).json("/atOnce", 0),
        row("campaigns: a condition that cannot be read", with("where", json!("id ~ 5"))).violates("where"),
        row("campaigns: another word for keys", with("key", json!("lose"))).violates("key"),
        row("campaigns: no moment", with("deadline", json!("soon"))).violates("deadline"),
        row("campaigns: no pace", with("perIssuer", json!(0))).violates("perIssuer"),
        row("campaigns: half a pace", with("perCustomer", json!(1.5))).unrecognized("perCustomer"),
        row("campaigns: another field", with("speed", json!(1))).unrecognized("speed"),
        row("campaigns: a deadline that is over", with("deadline", json!("2020-01-01T00:00:00Z"))).refused(400, "ValidationError"),
        row("campaigns: none of that number", get(format!("{PATH}/999")).by(Who::Operator)).refused(400, "ObjectDoesNotExist"),
    ];
    for verb in ["pause", "resume", "cancel"] {
        let call = post(format!("{PATH}/999/{verb}"), &json!({})).by(Who::Operator);
        rows.push(row(format!("campaigns: {verb} none of that number"), call).refused(400, "ObjectDoesNotExist"));
    }
    rows
}

/// Decisions are an operator's; to all others they are forbidden.
fn decision_rows(stage: &Stage) -> Vec<Row> {
    let info = || get(format!("/v2/processes/{}/info", stage.vetting));
    let forbidden = |row: Row| row.refused(403, "AuthorizationError");
    let mut rows = vec![
        forbidden(row("2.1 AuthorizationError: a customer looks at checks", get("/v2/validations"))),
        forbidden(row("2.1 AuthorizationError: another customer", get("/v2/validations").by(Who::Bob))),
        forbidden(row("2.1 AuthorizationError: a customer approves itself",
            post(format!("/v2/validations/{}/approve", stage.organization), &json!({})))),
        row("6.4 requiresAttention when all is VALIDATED", info()).json("/requiresAttention", false),
        row("6.4 a check that was approved still has no link", info()).status(200).lacks("/oneTimeLink"),
    ];
    for check in ["organization", "docs", "voice"] {
        let fact = format!("6.4 {check} that was approved is VALIDATED");
        rows.push(row(fact, info()).json(format!("/validations/{check}"), "VALIDATED"));
    }
    rows.push(row("1.3 the date of a call that was asked for is a date", get(format!("/v2/validations/{}", stage.extended)).by(Who::Operator))
        .json("/callDate", Shape::Date));
    rows
}
