//! A process as an operator needs it to validate an organization.

use reseal_lifecycle::Language;
use reseal_lifecycle::audit::AuditEntry;
use reseal_lifecycle::process::{
    Action, Approver, Check, CheckState, Process, ProcessStatus, Work,
};
use reseal_pki::name::DnsName;
use reseal_pki::profile::ValidationType;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::date::Date;

/// Every field, the identifying one first.
pub(super) const FIELDS: &[&str] = &[
    "process",
    "customer",
    "user",
    "action",
    "status",
    "createdDate",
    "updatedDate",
    "product",
    "validationType",
    "commonName",
    "names",
    "unproved",
    "organization",
    "address",
    "postalCode",
    "city",
    "state",
    "country",
    "coc",
    "approver",
    "language",
    "callDate",
    "agreement",
    "agreementSigner",
    "open",
    "checks",
];

/// A validation. Optional fields without a value are absent, never null.
#[derive(JsonSchema, Serialize)]
#[schemars(rename = "Validation")]
#[serde(rename_all = "camelCase")]
pub(super) struct ValidationBody<'a> {
    process: i64,
    customer: &'a str,
    user: &'a str,
    action: Action,
    status: ProcessStatus,
    created_date: Date,
    updated_date: Date,
    #[serde(flatten)]
    of: Option<OrderBody<'a>>,
}

/// What is to be validated.
#[derive(JsonSchema, Serialize)]
#[schemars(rename = "ValidationOrder")]
#[serde(rename_all = "camelCase")]
struct OrderBody<'a> {
    product: &'a str,
    validation_type: ValidationType,
    common_name: &'a str,
    names: Vec<&'a str>,
    /// Names whose control is not proved yet.
    unproved: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    organization: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    postal_code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    city: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    coc: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    approver: Option<&'a Approver>,
    language: Language,
    #[serde(skip_serializing_if = "Option::is_none")]
    call_date: Option<Date>,
    /// The mail with the subscriber agreement that was not answered yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    agreement: Option<AgreementBody<'a>>,
    /// The address from which the subscriber agreement was accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    agreement_signer: Option<&'a str>,
    /// Checks that nobody has approved.
    open: Vec<Check>,
    checks: Vec<CheckBody<'a>>,
}

#[derive(JsonSchema, Serialize)]
#[schemars(rename = "ValidationAgreement")]
#[serde(rename_all = "camelCase")]
struct AgreementBody<'a> {
    email: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sent_date: Option<Date>,
}

#[derive(JsonSchema, Serialize)]
#[schemars(rename = "ValidationCheck")]
#[serde(rename_all = "camelCase")]
struct CheckBody<'a> {
    check: Check,
    #[schemars(extend("enum" = ["WAITING", "ATTENTION", "VALIDATED"]))]
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    obtained_date: Option<Date>,
    /// The earlier process whose approval is relied on.
    #[serde(skip_serializing_if = "Option::is_none")]
    relied_on: Option<i64>,
}

impl<'a> ValidationBody<'a> {
    pub(super) fn of(process: &'a Process) -> Self {
        Self {
            process: process.id,
            customer: &process.customer,
            user: &process.user,
            action: process.action,
            status: process.status(),
            created_date: Date(process.created),
            updated_date: Date(process.updated),
            of: process.work().map(OrderBody::of),
        }
    }
}

impl<'a> OrderBody<'a> {
    fn of(work: &'a Work) -> Self {
        let order = &work.order;
        let subject = order.subject.as_ref();
        let unproved = work.proofs.iter().filter(|proof| !proof.is_proved());
        Self {
            product: &order.product,
            validation_type: order.validation,
            common_name: order.common_name.as_str(),
            names: order.names.iter().map(DnsName::as_str).collect(),
            unproved: unproved.map(|proof| proof.name.as_str()).collect(),
            organization: subject.map(|subject| subject.organization.as_str()),
            address: subject.and_then(|subject| subject.street.as_deref()),
            postal_code: subject.and_then(|subject| subject.postal_code.as_deref()),
            city: subject.and_then(|subject| subject.locality.as_deref()),
            state: subject.and_then(|subject| subject.state.as_deref()),
            country: subject.map(|subject| subject.country.as_str()),
            coc: order.coc.as_deref(),
            approver: order.approver.as_ref(),
            language: order.language,
            call_date: work.vetting.call.map(Date),
            agreement: work.vetting.agreement.as_ref().map(|mail| AgreementBody {
                email: &mail.address,
                sent_date: mail.sent.map(Date),
            }),
            agreement_signer: work.vetting.signer.as_deref(),
            open: work.open_checks().collect(),
            checks: work
                .checks()
                .map(|(check, state)| CheckBody::of(check, state))
                .collect(),
        }
    }
}

impl<'a> CheckBody<'a> {
    fn of(check: Check, state: &'a CheckState) -> Self {
        let mut body = Self {
            check,
            status: "WAITING",
            reason: None,
            obtained_date: None,
            relied_on: None,
        };
        match state {
            CheckState::Waiting => {}
            CheckState::Attention { reason } => {
                body.status = "ATTENTION";
                body.reason = Some(reason);
            }
            CheckState::Validated {
                obtained,
                relied_on,
            } => {
                body.status = "VALIDATED";
                body.obtained_date = Some(Date(*obtained));
                body.relied_on = *relied_on;
            }
        }
        body
    }
}

/// A validation with what was decided about it.
#[derive(JsonSchema, Serialize)]
#[schemars(rename = "DecidedValidation")]
pub(super) struct DecidedBody<'a> {
    #[serde(flatten)]
    validation: ValidationBody<'a>,
    decisions: Vec<DecisionBody<'a>>,
}

/// An entry of the audit log.
#[derive(JsonSchema, Serialize)]
#[schemars(rename = "Decision")]
struct DecisionBody<'a> {
    date: Date,
    actor: &'a str,
    action: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'a str>,
    detail: &'a Map<String, Value>,
}

impl<'a> DecidedBody<'a> {
    pub(super) fn of(process: &'a Process, decisions: &'a [AuditEntry]) -> Self {
        let decision = |entry: &'a AuditEntry| DecisionBody {
            date: Date(entry.at),
            actor: &entry.actor,
            action: &entry.action,
            reason: entry.reason.as_deref(),
            note: entry.note.as_deref(),
            detail: &entry.detail,
        };
        Self {
            validation: ValidationBody::of(process),
            decisions: decisions.iter().map(decision).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::processes::tests::{process, work};
    use super::*;

    fn ov() -> Process {
        let mut work = work();
        work.order.validation = ValidationType::Organization;
        work.order.language = Language::Nl;
        work.order.subject = Some(reseal_pki::dn::OrganizationSubject {
            organization: "<b>Acme</b>".into(),
            country: "NL".into(),
            state: None,
            locality: Some("Zwolle".into()),
            postal_code: None,
            street: Some("Plein 1".into()),
        });
        process(work)
    }

    #[test]
    fn a_validation_shows_what_an_operator_works_with() {
        let now = "2026-11-24T12:00:00Z".parse().unwrap();
        let (process, _) = ov()
            .object(&[Check::Docs], "house/admin", "unreadable", now)
            .unwrap();
        let shown = serde_json::to_value(ValidationBody::of(&process)).unwrap();
        assert_eq!(
            shown,
            json!({
                "process": 5, "customer": "acme", "user": "acme/login", "action": "reissue",
                "status": "RUNNING",
                "createdDate": "2026-11-24T12:00:00Z", "updatedDate": "2026-11-24T12:00:00Z",
                "product": "ssl_dv", "validationType": "ORGANIZATION_VALIDATION",
                "commonName": "example.com", "names": ["example.com", "www.example.com"],
                "unproved": ["example.com", "www.example.com"],
                "organization": "<b>Acme</b>", "address": "Plein 1", "city": "Zwolle", "country": "NL",
                "language": "NL", "open": ["organization", "docs", "voice"],
                "checks": [
                    {"check": "organization", "status": "WAITING"},
                    {"check": "docs", "status": "ATTENTION", "reason": "unreadable"},
                    {"check": "voice", "status": "WAITING"}
                ]
            })
        );
        for field in shown.as_object().unwrap().keys() {
            assert!(FIELDS.contains(&field.as_str()), "{field}");
        }
    }
}
