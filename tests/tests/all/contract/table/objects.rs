//! Sections 5.1, 5.2, 5.5 and 5.8: what certificates, products and notifications look like: which keys are there, of
//! which JSON type, and which are absent rather than null.

use serde_json::json;

use super::row::{Call, Row, Shape, get, post, row};
use super::stage::Stage;

const VALIDATION_TYPES: &[&str] = &["DOMAIN_VALIDATION", "ORGANIZATION_VALIDATION", "EXTENDED_VALIDATION"];
const CERTIFICATE_TYPES: &[&str] = &["SINGLE_DOMAIN", "MULTI_DOMAIN", "WILDCARD", "ACME_SUBSCRIPTION"];
const SUBJECT_STATUSES: &[&str] = &["NEW", "OK", "COMPLETED", "PENDING", "WARNING", "FAILED", "PREMIUM-CHANGE", ""];

pub(super) fn rows(stage: &Stage) -> Vec<Row> {
    let mut rows = certificate_rows(stage);
    rows.extend(imported_rows(stage));
    rows.extend(product_rows());
    rows.extend(notification_rows(stage));
    rows
}

/// One row a field.
pub(super) fn field_rows(section: &str, call: impl Fn() -> Call, fields: Vec<(&str, Shape)>) -> Vec<Row> {
    fields
        .into_iter()
        .map(|(field, shape)| row(format!("{section} {field}"), call()).status(200).json(format!("/{field}"), shape))
        .collect()
}

pub(super) fn absence_rows(section: &str, call: impl Fn() -> Call, fields: &[&str]) -> Vec<Row> {
    fields
        .iter()
        .map(|field| row(format!("{section} {field} without a value is absent"), call()).status(200).lacks(format!("/{field}")))
        .collect()
}

fn certificate_rows(stage: &Stage) -> Vec<Row> {
    let one = || get(format!("/v2/ssl/certificates/{}", stage.new));
    let mut rows = field_rows(
        "5.1 certificate:",
        one,
        vec![
            ("id", stage.new.into()),
            ("process", stage.reissue.into()),
            ("product", "ssl_dv".into()),
            ("validationType", Shape::OneOf(VALIDATION_TYPES)),
            ("certificateType", Shape::OneOf(CERTIFICATE_TYPES)),
            ("domainName", "reseal.dev".into()),
            ("providerId", Shape::Text),
            ("startDate", Shape::Date),
            ("expiryDate", Shape::Date),
            ("subscriptionEndDate", Shape::Date),
            ("san", json!(["reseal.dev", "www.reseal.dev"]).into()),
            ("status", "ACTIVE".into()),
            ("publicKeyAlgorithm", Shape::OneOf(&["RSA", "ECDSA"])),
            ("publicKeySize", 256.into()),
            ("csr", Shape::Like("a CSR in PEM", |text| text.starts_with("-----BEGIN CERTIFICATE REQUEST-----\n"))),
            ("certificate", Shape::Like("a certificate in PEM", |text| text.starts_with("-----BEGIN CERTIFICATE-----\n"))),
            ("fingerprint", Shape::Like("64 hexadecimal digits in capitals", |text| {
                text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_digit() || (b'A'..=b'F').contains(&byte))
            })),
        ],
    );
    rows.extend(absence_rows(
        "5.1 certificate:",
        one,
        &["organization", "department", "city", "state", "postalCode", "country", "coc", "addressLine", "contact"],
    ));
    let wildcard = || get(format!("/v2/ssl/certificates/{}", stage.wildcard));
    let many = || get(format!("/v2/ssl/certificates/{}", stage.many));
    rows.extend([
        row("5.1 certificate: domainName of a wildcard", wildcard()).json("/domainName", "*.wild.dev"),
        row("5.1 certificate: certificateType of a wildcard", wildcard()).json("/certificateType", "WILDCARD"),
        row("5.2 NON_WWW_INCLUDED: a wildcard has its base name", wildcard()).json("/san", json!(["*.wild.dev", "wild.dev"])),
        row("5.1 certificate: certificateType of several names", many()).json("/certificateType", "MULTI_DOMAIN"),
        row("4.1 for several names no www name is added", many()).json("/san", json!(["many.dev", "more.dev"])),
    ]);
    rows
}

/// An imported certificate needs what every other has, or one SDK cannot read it.
fn imported_rows(stage: &Stage) -> Vec<Row> {
    let one = || get(format!("/v2/ssl/certificates/{}", stage.imported));
    let mut rows = field_rows(
        "5.1 imported certificate:",
        one,
        vec![
            ("id", stage.imported.into()),
            ("process", Shape::Integer),
            ("product", Shape::Text),
            ("validationType", Shape::OneOf(VALIDATION_TYPES)),
            ("certificateType", Shape::OneOf(CERTIFICATE_TYPES)),
            ("domainName", "elsewhere.dev".into()),
            ("startDate", Shape::Date),
            ("expiryDate", Shape::Date),
            ("status", "ACTIVE".into()),
            ("publicKeyAlgorithm", Shape::OneOf(&["RSA", "ECDSA"])),
            ("publicKeySize", Shape::Integer),
            ("certificate", Shape::Text),
        ],
    );
    rows.extend(absence_rows("5.1 imported certificate:", one, &["csr", "coc"]));
    rows.push(row("5.1 imported certificate: it can be listed", get(format!("/v2/ssl/certificates?id={}", stage.imported)))
        .ids(&[stage.imported]));
    rows
}

fn product_rows() -> Vec<Row> {
    let one = |product: &str| get(format!("/v2/ssl/products/{product}"));
    let mut rows = field_rows(
        "5.2 product:",
        || one("ssl_dv_md"),
        vec![
            ("product", "ssl_dv_md".into()),
            ("brand", Shape::Text),
            ("name", Shape::Text),
            ("validationType", Shape::OneOf(VALIDATION_TYPES)),
            ("certificateType", Shape::OneOf(CERTIFICATE_TYPES)),
            ("features", json!(["REISSUE", "WILDCARD"]).into()),
            ("requiredFields", Shape::List),
            ("optionalFields", Shape::List),
            ("periods", json!([1, 3, 6, 12, 24, 36]).into()),
            ("warranty", Shape::Integer),
            ("issueTime", Shape::Text),
            ("renewalWindow", Shape::Integer),
            ("includedDomains", 5.into()),
            ("maxDomains", 250.into()),
            ("renewFrom", json!(["ssl_dv"]).into()),
        ],
    );
    rows.extend(absence_rows("5.2 product:", || one("ssl_dv"), &["renewFrom"]));
    for (product, kind, level) in [
        ("ssl_dv", "SINGLE_DOMAIN", "DOMAIN_VALIDATION"),
        ("ssl_dv_wc", "WILDCARD", "DOMAIN_VALIDATION"),
        ("ssl_dv_md", "MULTI_DOMAIN", "DOMAIN_VALIDATION"),
        ("ssl_ov", "SINGLE_DOMAIN", "ORGANIZATION_VALIDATION"),
        ("ssl_ov_wc", "WILDCARD", "ORGANIZATION_VALIDATION"),
        ("ssl_ov_md", "MULTI_DOMAIN", "ORGANIZATION_VALIDATION"),
        ("ssl_ev", "SINGLE_DOMAIN", "EXTENDED_VALIDATION"),
        ("ssl_ev_md", "MULTI_DOMAIN", "EXTENDED_VALIDATION"),
    ] {
        rows.push(row(format!("5.2 {product}: its kind"), one(product))
            .json("/certificateType", kind).json("/validationType", level));
        rows.push(row(format!("5.2 {product}: it can be reissued"), one(product)).json("/features/0", "REISSUE"));
    }
    rows.extend([
        row("5.2 ssl_dv supports authKey", one("ssl_dv")).json("/optionalFields", json!(["dcv", "domainName", "authKey"])),
        row("5.2 ssl_ov requires what it requires", one("ssl_ov"))
            .json("/requiredFields", json!(["organization", "address", "postalCode", "city", "country", "approver"])),
        row("5.2 ssl_ev requires coc too", one("ssl_ev"))
            .json("/requiredFields", json!(["organization", "address", "postalCode", "city", "country", "approver", "coc"])),
    ]);
    rows
}

fn notification_rows(stage: &Stage) -> Vec<Row> {
    const LIST: &str = "/v2/customers/alice/notifications";
    let issued = || get(format!("{LIST}?eventType=ISSUED&certificateId={}", stage.new));
    let mut rows: Vec<Row> = [
        ("id", Shape::Integer),
        ("fireDate", Shape::Date),
        ("message", Shape::Text),
        ("customer", "alice".into()),
        ("process", stage.reissue.into()),
        ("eventType", Shape::Text),
        ("notificationType", "SSLCertificateNotification".into()),
        ("isAsync", Shape::Boolean),
        ("payload", Shape::Object),
        ("processType", "certificate".into()),
        ("processIdentifier", "reseal.dev".into()),
        ("subjectStatus", Shape::OneOf(SUBJECT_STATUSES)),
        ("expiryDate", Shape::Date),
        ("domainName", "reseal.dev".into()),
        ("certificateId", stage.new.into()),
        ("product", "ssl_dv".into()),
        ("validationType", Shape::OneOf(VALIDATION_TYPES)),
    ]
    .into_iter()
    .map(|(field, shape)| row(format!("5.8 notification: {field}"), issued()).json(format!("/entities/0/{field}"), shape))
    .collect();
    for field in ["acknowledgeDate", "deliveryDate", "reason", "transferType"] {
        rows.push(row(format!("5.8 notification: {field} without a value is absent"), issued())
            .status(200).lacks(format!("/entities/0/{field}")));
    }
    let poll = || get(format!("{LIST}/poll"));
    let ack = || post(format!("{LIST}/{}/ack", stage.notification), &json!({}));
    rows.extend([
        row("5.8 poll: count", poll()).status(200).json("/count", Shape::Integer),
        row("5.8 poll: notification", poll()).json("/notification/id", Shape::Integer),
        row("5.8 poll: what was polled was read", poll()).json("/notification/readDate", Shape::Date),
        row("5.8 poll: without any, the notification is absent", get("/v2/customers/bob/notifications/poll").by(super::row::Who::Bob))
            .json("/count", 0).lacks("/notification"),
        row("5.8 poll comes before an id", get(format!("{LIST}/poll/"))).json("/count", Shape::Integer),
        row("5.8 ack", ack()).empty(200),
        row("5.8 ack again", ack()).empty(200),
        row("5.8 notification: acknowledgeDate", get(format!("{LIST}/{}", stage.notification)))
            .json("/acknowledgeDate", Shape::Date),
        row("5.8 ack with a field", post(format!("{LIST}/{}/ack", stage.notification), &json!({"read": true})))
            .unrecognized("read"),
        row("5.8 ack of what is not there", post(format!("{LIST}/999999/ack"), &json!({}))).bad("ObjectDoesNotExist"),
    ]);
    rows
}
