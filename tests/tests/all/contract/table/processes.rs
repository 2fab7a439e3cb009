//! Sections 5.3 and 5.4: what processes and their info look like, for each way of proving a name and each level of
//! validation; and their calls that every level has.

use serde_json::{Value, json};

use super::objects::{absence_rows, field_rows};
use super::row::{Row, Shape, delete, get, post, row};
use super::stage::{Stage, with};

const STATUSES: &[&str] = &[
    "NEW", "VALIDATED", "RUNNING", "COMPLETED", "INVALID", "CANCELLED", "FAILED", "IN_DOUBT", "SCHEDULED",
    "SUSPENDED",
];
const PROGRESS: &[&str] = &["WAITING", "ATTENTION", "VALIDATED"];
const CAA: &[&str] = &[
    "UNKNOWN", "VALID", "INVALID", "WAITING", "EMPTY", "TIMEOUT", "UNRECOGNIZED_CRITICAL_TAG",
    "MALFORMED_RESPONSE",
];

pub(super) fn rows(stage: &Stage) -> Vec<Row> {
    let mut rows = process_rows(stage);
    rows.extend(info_rows(stage));
    rows.extend(entry_rows(stage));
    rows.extend(level_rows(stage));
    rows.extend(resend_rows(stage));
    rows.extend(note_rows(stage));
    rows
}

fn process_rows(stage: &Stage) -> Vec<Row> {
    let of = |id: i64| get(format!("/v2/processes/{id}"));
    let mut rows = field_rows(
        "5.3 process:",
        || of(stage.reissue),
        vec![
            ("id", stage.reissue.into()),
            ("user", Shape::Text),
            ("customer", "alice".into()),
            ("status", Shape::OneOf(STATUSES)),
            ("resumeTypes", Shape::List),
            ("createdDate", Shape::Date),
            ("updatedDate", Shape::Date),
            ("startedDate", Shape::Date),
            ("type", "certificate".into()),
            ("identifier", "reseal.dev".into()),
            ("action", "reissue".into()),
            ("command", Shape::Object),
            ("command/certificateId", stage.old.into()),
            ("command/csr", stage.csr.clone().into()),
        ],
    );
    let free = ["billables", "reservation", "transaction", "refund", "error"];
    rows.extend(absence_rows("5.3 process:", || of(stage.reissue), &free));
    let list = |filter: &str| get(format!("/v2/processes?{filter}&limit=1"));
    let charged = |field: &str| format!("/entities/0/billables/0/{field}");
    let busy = || list("identifier=many.dev&action=request");
    rows.extend([
        row("5.3 process: statusDetail of one that waits", of(stage.dns)).json("/statusDetail", Shape::Text).soon(),
        row("5.3 process: resumeTypes of one that waits", of(stage.dns)).json("/resumeTypes", json!(["RESEND", "CANCEL"])).soon(),
        row("5.3 process: resumeTypes of one that ended are none", of(stage.reissue)).json("/resumeTypes", json!([])),
        row("5.3 process: action of a request", of(stage.dns)).json("/action", "request"),
        row("5.3 process: action of a revocation", list("action=revoke")).json("/entities/0/action", "revoke"),
        row("5.3 process: action of an import", list("action=import")).json("/entities/0/action", "import").json("/entities/0/status", "COMPLETED"),
        row("5.3 process: identifier of a revocation", list("action=revoke")).json("/entities/0/identifier", Shape::Text),
        row("5.3 process: command is what was accepted", of(stage.dns))
            .json("/command/product", "ssl_dv").json("/command/period", 12),
        row("5.3 process: command of a revocation is an object", list("action=revoke"))
            .json("/entities/0/command", Shape::Object),
        row("5.5 process: billable product", busy()).json(charged("product"), "ssl_dv_md"),
        row("5.5 process: billable action", busy()).json(charged("action"), "REQUEST"),
        row("5.5 process: billable quantity", busy()).json(charged("quantity"), 1),
    ]);
    rows
}

fn info_rows(stage: &Stage) -> Vec<Row> {
    let of = |id: i64| get(format!("/v2/processes/{id}/info"));
    let mut rows = field_rows(
        "5.4 info:",
        || of(stage.dns),
        vec![
            ("commonName", "dns.dev".into()),
            ("requiresAttention", Shape::Boolean),
            ("validations", Shape::Object),
            ("validations/dcv", Shape::List),
        ],
    );
    rows.extend(absence_rows("5.4 info:", || of(stage.dns), &["certificateId", "oneTimeLink"]));
    rows.extend([
        row("5.4 info of what has ended: dcv is a list still", of(stage.reissue)).json("/validations/dcv", Shape::List),
        row("5.4 info of what has ended: entries are VALIDATED", of(stage.reissue))
            .json("/validations/dcv/0/status", "VALIDATED"),
        row("5.4 info of what has ended: certificateId", of(stage.reissue)).json("/certificateId", stage.new),
        row("5.4 info of what was cancelled", of(stage.cancelled)).status(200).json("/commonName", "cancelled.dev"),
        row("5.4 one entry is for the common name", of(stage.dns)).json("/validations/dcv/0/commonName", "dns.dev"),
    ]);
    rows
}

/// An entry of `dcv`, by method.
fn entry_rows(stage: &Stage) -> Vec<Row> {
    let mut rows = Vec::new();
    for (id, name, method) in [
        (stage.dns, "dns.dev", "DNS"),
        (stage.file, "file.dev", "FILE"),
        (stage.email, "email.dev", "EMAIL"),
    ] {
        let info = || get(format!("/v2/processes/{id}/info"));
        let section = format!("5.4 {method} entry:");
        rows.extend(field_rows(
            &section,
            info,
            vec![
                ("validations/dcv/0/commonName", name.into()),
                ("validations/dcv/0/type", method.into()),
                ("validations/dcv/0/status", Shape::OneOf(PROGRESS)),
                ("validations/dcv/0/caaRecordStatus", Shape::OneOf(CAA)),
                ("validations/dcv/0/riskStatus", Shape::OneOf(&["PASSED", "WAITING", "FAILED"])),
            ],
        ));
        let (own, foreign): (Vec<(&str, Shape)>, &[&str]) = match method {
            "DNS" => (
                vec![
                    ("dnsRecord", Shape::Like("a name below the domain with a dot at its end", is_record)),
                    ("dnsType", Shape::OneOf(&["CNAME", "TXT"])),
                    ("dnsContents", Shape::Like("a name with a dot at its end", |text| text.ends_with('.'))),
                ],
                &["email"],
            ),
            "FILE" => (
                vec![
                    ("fileLocation", Shape::Like("a location without a scheme", is_location)),
                    ("fileContents", Shape::Text),
                ],
                &["email"],
            ),
            _ => (
                vec![("email", "admin@email.dev".into())],
                &["dnsRecord", "dnsType", "dnsContents", "fileLocation", "fileContents"],
            ),
        };
        for (field, shape) in own {
            rows.push(row(format!("{section} {field}"), info()).json(format!("/validations/dcv/0/{field}"), shape));
        }
        for field in foreign {
            rows.push(row(format!("{section} {field} is absent"), info())
                .status(200).lacks(format!("/validations/dcv/0/{field}")));
        }
    }
    rows
}

fn is_record(text: &str) -> bool {
    text.starts_with('_') && text.ends_with(".dns.dev.")
}

fn is_location(text: &str) -> bool {
    text.strip_prefix("file.dev/.well-known/pki-validation/").is_some_and(|file| file.len() == 36 && file.contains(".txt"))
}

/// Which checks each level of validation shows.
fn level_rows(stage: &Stage) -> Vec<Row> {
    const CHECKS: &[&str] = &["organization", "docs", "voice", "whois", "agreement"];
    let mut rows = Vec::new();
    for (level, id, shown) in [("DV", stage.dns, 0), ("OV", stage.organization, 3), ("EV", stage.extended, 5)] {
        let info = || get(format!("/v2/processes/{id}/info"));
        for (index, check) in CHECKS.iter().enumerate() {
            let pointer = format!("/validations/{check}");
            rows.push(if index < shown {
                row(format!("6.4 {level} shows {check}"), info()).json(pointer, Shape::OneOf(PROGRESS))
            } else {
                row(format!("6.4 {level} does not show {check}"), info()).status(200).lacks(pointer)
            });
        }
    }
    rows
}

/// Section 4.8, and what follows in section 6.
fn resend_rows(stage: &Stage) -> Vec<Row> {
    let path = |id: i64| format!("/v2/processes/{id}/resend");
    let send = |body: Value| post(path(stage.dns), &body);
    let entry = |method: &str| json!({"commonName": "dns.dev", "type": method});
    let with_entry = |entry: Value| send(json!({"dcv": [entry]}));
    vec![
        row("4.8 resend: dcv entry without type", with_entry(json!({"commonName": "dns.dev"}))).violates("dcv[0].type"),
        row("4.8 resend: dcv entry without commonName", with_entry(json!({"type": "DNS"}))).violates("dcv[0].commonName"),
        row("4.8 resend: dcv type that nobody has", with_entry(entry("HTTP"))).violates("dcv[0].type"),
        row("4.8 resend: dcv type EMAIL without an address", with_entry(entry("EMAIL"))).violates("dcv[0].email"),
        row("4.8 resend: dcv with a name that is not asked for", with_entry(with(entry("DNS"), "commonName", "other.dev")))
            .violates("dcv[0].commonName"),
        row("4.8 resend: dcv as one object", send(json!({"dcv": entry("DNS")}))).unrecognized("dcv"),
        row("4.8 resend: another field", send(json!({"method": "DNS"}))).unrecognized("method"),
        row("6.3 resend of what has ended", post(path(stage.reissue), &json!({}))).bad("ObjectStatusProhibitsOperation"),
        row("6.3 resend of what was cancelled", post(path(stage.cancelled), &json!({}))).bad("ObjectStatusProhibitsOperation"),
        row("6.3 cancel of what has ended", delete(format!("/v2/processes/{}", stage.reissue)))
            .bad("ObjectStatusProhibitsOperation"),
        row("6.3 cancel again", delete(format!("/v2/processes/{}", stage.cancelled))).bad("ObjectStatusProhibitsOperation"),
        // From here on the process has another method.
        row("6.4 resend: a method may change", with_entry(json!({"commonName": "dns.dev", "type": "EMAIL", "email": "admin@dns.dev"})))
            .status(200),
        row("6.4 resend: the entry has the new type", get(format!("/v2/processes/{}/info", stage.dns)))
            .json("/validations/dcv/0/type", "EMAIL"),
        row("6.4 resend: the entry has the new address", get(format!("/v2/processes/{}/info", stage.dns)))
            .json("/validations/dcv/0/email", "admin@dns.dev"),
        row("6.4 resend: the entry has no record any more", get(format!("/v2/processes/{}/info", stage.dns)))
            .lacks("/validations/dcv/0/dnsRecord"),
        row("6.4 resend: and back", with_entry(entry("DNS"))).status(200),
        row("6.4 resend: the entry has a record again", get(format!("/v2/processes/{}/info", stage.dns)))
            .json("/validations/dcv/0/dnsRecord", Shape::Text),
    ]
}

/// Section 4.8, and how info shows notes.
fn note_rows(stage: &Stage) -> Vec<Row> {
    let path = format!("/v2/processes/{}/add-note", stage.organization);
    let send = |body: Value| post(&path, &body);
    let info = || get(format!("/v2/processes/{}/info", stage.organization));
    vec![
        row("4.8 add-note: message that is absent", send(json!({}))).violates("message"),
        row("4.8 add-note: message that is null", send(json!({"message": null}))).violates("message"),
        row("4.8 add-note: message that is a number", send(json!({"message": 1}))).unrecognized("message"),
        row("4.8 add-note: message that is empty", send(json!({"message": ""}))).violates("message"),
        row("4.8 add-note: another field", send(json!({"message": "x", "to": "CA"}))).unrecognized("to"),
        row("4.8 add-note: a message of several lines", send(json!({"message": "Call us after ten.\nThanks."}))).empty(200),
        row("5.4 notes: message", info()).json("/notes/0/message", "Call us after ten.\nThanks."),
        row("5.4 notes: type", info()).json("/notes/0/type", "OUTGOING"),
        row("5.4 notes: createdDate", info()).json("/notes/0/createdDate", Shape::Date),
        row("5.4 notes: without any, they are absent", get(format!("/v2/processes/{}/info", stage.file))).status(200).lacks("/notes"),
    ]
}
