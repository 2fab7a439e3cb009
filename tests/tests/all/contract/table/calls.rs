//! Sections 4.4 and 4.6 to 4.8: revoking, downloading, importing, decoding, addresses.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::row::{Call, Row, Shape, delete, get, post, row};
use super::stage::{Stage, with};
use super::texts::{domains, long_name, presence_rows};
use crate::support::csr::{csr, self_signed, stored};

pub(super) fn rows(stage: &Stage) -> Vec<Row> {
    let mut rows = revoke_rows(stage);
    rows.extend(download_rows(stage));
    rows.extend(import_rows());
    rows.extend(decode_rows());
    rows.extend(address_rows());
    rows
}

fn revoke(id: i64, body: &Value) -> Call {
    Call {
        method: "DELETE",
        ..post(format!("/v2/ssl/certificates/{id}"), body)
    }
}

fn revoke_rows(stage: &Stage) -> Vec<Row> {
    let reason = |value: Value| revoke(stage.new, &json!({ "reason": value }));
    let [plain, free, word, typed, null, lines, ..] = stage.spare[..] else { panic!("too few certificates") };
    vec![
        row("4.4 reason of 256 bytes", reason(json!("a".repeat(256)))).violates("reason"),
        row("4.4 reason of 128 characters of two bytes", reason(json!("é".repeat(128)))).violates("reason"),
        row("4.4 reason that is a number", reason(json!(1))).unrecognized("reason"),
        row("4.4 revoke: another field", revoke(stage.new, &json!({"why": "x"}))).unrecognized("why"),
        row("4.4 revoke: what was refused changed nothing", get(format!("/v2/ssl/certificates/{}", stage.new)))
            .json("/status", "ACTIVE"),
        row("4.4 revoke without a body", delete(format!("/v2/ssl/certificates/{plain}")))
            .empty(200).header("x-process-id", Shape::Like("digits", digits)),
        row("4.4 reason of 255 bytes of free text", revoke(free, &json!({"reason": "é".repeat(127) + "!"}))).empty(200),
        row("4.4 reason that is a word of the list", revoke(word, &json!({"reason": "CESSATION_OF_OPERATION"}))).empty(200),
        row("4.4 revoke with a content type and no body", delete(format!("/v2/ssl/certificates/{typed}")).header("Content-Type: application/json"))
            .empty(200),
        row("4.4 reason that is null", revoke(null, &json!({"reason": null}))).empty(200),
        row("4.4 reason of several lines", revoke(lines, &json!({"reason": "Moved:\r\n\tto another host\n"}))).empty(200),
        row("4.4 reason with an escape", reason(json!("\u{1b}[2J"))).violates("reason"),
        row("4.4 revoke: the certificate says so at once", get(format!("/v2/ssl/certificates/{plain}")))
            .json("/status", "REVOKED"),
        row("4.4 revoke: again", delete(format!("/v2/ssl/certificates/{plain}"))).bad("ObjectStatusProhibitsOperation"),
    ]
}

pub(super) fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn download_rows(stage: &Stage) -> Vec<Row> {
    let path = |rest: &str| get(format!("/v2/ssl/certificates/{}/download{rest}", stage.new));
    let shapes: [(&str, Shape); 7] = [
        ("?format=CSR", Shape::Like("a CSR in PEM", |text| pems(text, "CERTIFICATE REQUEST") == 1)),
        ("?format=CRT", Shape::Like("a certificate in PEM", |text| pems(text, "CERTIFICATE") == 1)),
        ("?format=CA", Shape::Like("a certificate in PEM", |text| pems(text, "CERTIFICATE") == 1)),
        ("?format=CA_BUNDLE", Shape::Like("two certificates in PEM", |text| pems(text, "CERTIFICATE") == 2)),
        ("?format=PKCS7", Shape::Like("PKCS #7 in PEM", |text| pems(text, "PKCS7") == 1)),
        ("?format=ZIP", Shape::Like("a ZIP in base64 with the bundle first", is_archive)),
        ("", Shape::Like("a ZIP in base64 with the bundle first", is_archive)),
    ];
    let mut rows = Vec::new();
    for (query, shape) in shapes {
        let what = if query.is_empty() { "without format" } else { query };
        rows.push(row(format!("4.6 download {what}"), path(query)).status(200).text(shape));
        rows.push(row(format!("4.6 download {what}: content type"), path(query))
            .header("content-type", "application/octet-stream"));
        let names = Shape::Like("a file name", |text| text.starts_with("attachment") && text.contains("reseal_dev."));
        rows.push(row(format!("4.6 download {what}: file name"), path(query)).header("content-disposition", names));
    }
    for format in ["PEM", "P7B", "crt", "", "+"] {
        rows.push(row(format!("4.6 download ?format={format}"), path(&format!("?format={format}"))).violates("format"));
    }
    rows.push(row("1.1 download: white space around format is stripped", path("?format=+CRT%20")).status(200));
    rows.push(row("4.6 download ?format=CSR gives the CSR that was sent", path("?format=CSR"))
        .text(stage.csr.replace("\r\n", "\n")));
    rows
}

fn pems(text: &str, label: &str) -> usize {
    text.matches(&format!("-----BEGIN {label}-----\n")).count()
}

fn is_archive(text: &str) -> bool {
    // The name of the first file follows a header of 30 bytes.
    let bytes = STANDARD.decode(text.trim()).unwrap_or_default();
    bytes.starts_with(b"PK\x03\x04") && bytes[30..].starts_with(b"Linux/reseal_dev.ca-bundle")
}

fn import_rows() -> Vec<Row> {
    const SECTION: &str = "4.7 import:";
    const PATH: &str = "/v2/ssl/import";
    let base = || json!({"customer": "alice", "certificate": self_signed("elsewhere.dev")});
    let send = |field: &str, value: Value| post(PATH, &with(base(), field, value));
    let without = |field: &str| {
        let mut body = base();
        body.as_object_mut().unwrap().remove(field);
        post(PATH, &body)
    };
    let done = |row: Row| row.empty(201);
    let mut rows = vec![
        done(row("4.7 import: customer and certificate are all that is needed", post(PATH, &base()))),
        row("4.7 import: X-Process-Id", post(PATH, &base())).header("x-process-id", Shape::Like("digits", digits)),
        row("4.7 import: Location", post(PATH, &base()))
            .header("location", Shape::Like("a certificate", |text| text.starts_with("/v2/ssl/certificates/"))),
        row("4.7 import: customer that is another's", send("customer", json!("bob"))).bad("ObjectDoesNotExist"),
        row("4.7 import: customer of 2 bytes", send("customer", json!("ab"))).violates("customer"),
        row("4.7 import: certificate that is none", send("certificate", json!("x"))).status(400),
        row("4.7 import: certificate that is a number", send("certificate", json!(1))).unrecognized("certificate"),
        row("4.7 import: coc of 30 bytes", send("coc", json!("1".repeat(30)))).empty(201),
        row("4.7 import: coc of 31 bytes, two fewer than elsewhere", send("coc", json!("1".repeat(31)))).violates("coc"),
        row("4.7 import: coc that is empty", send("coc", json!(""))).violates("coc"),
        row("4.7 import: csr that is null", send("csr", Value::Null)).empty(201),
        row("4.7 import: csr that is none", send("csr", json!("x"))).bad("InvalidCSRException").json("/violations/0/field", "csr"),
        row("4.7 import: csr that is none, beside another mistake", send("csr", json!("x")).body(json!({"customer": "alice", "certificate": "x", "csr": "x"}).to_string()))
            .bad("ConstraintViolationException").json("/violations/0/field", "certificate").json("/violations/1/field", "csr"),
        row("4.7 import: csr for another key", send("csr", json!(csr(&["elsewhere.dev"])))).violates("csr"),
        row("4.7 import: csr that is a number", send("csr", json!(1))).unrecognized("csr"),
        row("4.7 import: domainName that replaces the common name", send("domainName", json!("other.dev"))).empty(201),
        row("4.7 import: domainName that is no name", send("domainName", json!("-"))).violates("domainName"),
        row("4.7 import: another field", send("product", json!("ssl_dv"))).unrecognized("product"),
    ];
    for field in ["customer", "certificate"] {
        rows.extend(presence_rows(SECTION, field, true, without(field), send(field, Value::Null), done));
    }
    rows
}

fn decode_rows() -> Vec<Row> {
    let send = |body: Value| post("/v2/ssl/decodecsr", &body);
    let subject = || send(json!({"csr": stored("csr/subject.pem")}));
    let rsa = || send(json!({"csr": stored("csr/rsa-2048.pem")}));
    let names = || send(json!({"csr": csr(&["a.dev", "b.dev"])}));
    let hex = |what: &'static str, holds: fn(&str) -> bool| Shape::Like(what, holds);
    let mut rows = vec![
        row("4.8 decodecsr: csr that is absent", send(json!({}))).violates("csr"),
        row("4.8 decodecsr: csr that is null", send(json!({"csr": null}))).violates("csr"),
        row("4.8 decodecsr: csr that is a number", send(json!({"csr": 1}))).unrecognized("csr"),
        row("4.8 decodecsr: csr that is none", send(json!({"csr": "x"})))
            .bad("InvalidCSRException").json("/violations/0/field", "csr"),
        row("4.8 decodecsr: another field", send(json!({"csr": "x", "product": "ssl_dv"}))).unrecognized("product"),
        row("5.7 publicKeySize", rsa()).status(200).json("/publicKeySize", 2048),
        row("5.7 publicKeyAlgorithm RSA", rsa()).json("/publicKeyAlgorithm", "RSA"),
        row("5.7 publicKeyAlgorithm ECDSA", names()).json("/publicKeyAlgorithm", "ECDSA"),
        row("5.7 md5", rsa()).json("/md5", hex("32 hexadecimal digits", |text| is_hex(text, 32))),
        row("5.7 sha256", rsa()).json("/sha256", hex("64 hexadecimal digits", |text| is_hex(text, 64))),
        row("5.7 commonName", rsa()).json("/commonName", "www.reseal.dev"),
        row("5.7 altNames", names()).json("/altNames", json!(["a.dev", "b.dev"])),
        row("5.7 street without one is an empty list", rsa()).json("/street", json!([])),
        row("5.7 street", subject()).json("/street/0", Shape::Text),
        row("5.7 what a CSR does not have is absent", names()).lacks("/organization"),
    ];
    for field in ["subject", "country", "state", "locality", "organization", "organizationalUnit", "postalCode", "emailAddress"] {
        rows.push(row(format!("5.7 {field}"), subject()).json(format!("/{field}"), Shape::Text));
    }
    rows
}

fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

fn address_rows() -> Vec<Row> {
    let path = |name: &str| get(format!("/v2/ssl/dcvemailaddresslist/{name}"));
    let mut rows = vec![
        row("4.8 dcvemailaddresslist is a list", path("list.dev")).status(200).json("", Shape::List),
        row("4.8 dcvemailaddresslist: texts", path("list.dev")).json("/0", Shape::Text),
        row("4.8 dcvemailaddresslist with product", path("list.dev?product=ssl_dv")).status(200).json("", Shape::List),
        row("4.8 dcvemailaddresslist with a wildcard as it is", path("*.list.dev")).status(200).json("", Shape::List),
        row("4.8 dcvemailaddresslist with a wildcard as PHP sends it", path("%2A.list.dev")).status(200).json("", Shape::List),
        row("4.8 dcvemailaddresslist of 253 bytes", path(&long_name(253))).status(200),
    ];
    for local in ["admin", "administrator", "hostmaster", "postmaster", "webmaster"] {
        let shape = Shape::Has(format!("\"{local}@list.dev\""));
        rows.push(row(format!("5.4 {local}@ may approve"), path("list.dev")).text(shape));
    }
    for edge in domains().iter().filter(|edge| !edge.is_taken()) {
        let plain = edge.value().bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._*".contains(&byte));
        if plain && !edge.value().is_empty() {
            rows.push(edge.row("4.8 dcvemailaddresslist:", "domainName", path(edge.value()), |row| row));
        }
    }
    rows
}
