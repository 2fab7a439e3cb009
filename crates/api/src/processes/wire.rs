//! A process as the contract shows it (contract.md section 5.3).

use reseal_lifecycle::process::{Action, Process, ProcessStatus, ResumeType};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::date::Date;
use crate::quote::BillableBody;

/// Every field that a process may have by the contract, the identifying one first.
pub(super) const FIELDS: &[&str] = &[
    "id",
    "user",
    "customer",
    "status",
    "statusDetail",
    "resumeTypes",
    "createdDate",
    "updatedDate",
    "startedDate",
    "type",
    "identifier",
    "action",
    "reservation",
    "transaction",
    "refund",
    "command",
    "billables",
    "error",
];

/// A process. Optional fields without a value are absent, never null.
#[derive(JsonSchema, Serialize)]
#[schemars(rename = "Process")]
#[serde(rename_all = "camelCase")]
pub(super) struct ProcessBody<'a> {
    id: i64,
    /// Customer and name of the key.
    user: &'a str,
    customer: &'a str,
    status: ProcessStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_detail: Option<&'a str>,
    /// What can be done to it now.
    resume_types: &'static [ResumeType],
    created_date: Date,
    updated_date: Date,
    started_date: Date,
    r#type: &'static str,
    /// The common name.
    identifier: &'a str,
    action: Action,
    /// The request as it was accepted.
    #[schemars(with = "Map<String, Value>")]
    command: Command<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    billables: Vec<BillableBody<'a>>,
}

/// Always an object, whatever was stored: clients take nothing else.
struct Command<'a>(&'a Value);

impl Serialize for Command<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Object(object) => object.serialize(serializer),
            _ => serializer.collect_map(std::iter::empty::<(&str, &str)>()),
        }
    }
}

impl<'a> ProcessBody<'a> {
    pub(super) fn of(process: &'a Process) -> Self {
        Self {
            id: process.id,
            user: &process.user,
            customer: &process.customer,
            status: process.status(),
            status_detail: process.status_detail(),
            resume_types: process.resume_types(),
            created_date: Date(process.created),
            updated_date: Date(process.updated),
            started_date: Date(process.created),
            r#type: "certificate",
            identifier: &process.identifier,
            action: process.action,
            command: Command(&process.command),
            billables: process
                .work()
                .map(|work| BillableBody::all(&work.order.billables))
                .unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::info::tests::{process, work};
    use super::*;

    #[test]
    fn a_process_has_the_contracts_shape() {
        let process = process(work());
        assert_eq!(
            serde_json::to_value(ProcessBody::of(&process)).unwrap(),
            json!({
                "id": 5, "user": "acme/login", "customer": "acme", "status": "RUNNING",
                "resumeTypes": ["RESEND", "CANCEL"],
                "createdDate": "2026-11-24T12:00:00Z",
                "updatedDate": "2026-11-24T12:00:00Z",
                "startedDate": "2026-11-24T12:00:00Z",
                "type": "certificate", "identifier": "example.com", "action": "reissue",
                "command": {"csr": "PEM", "certificateId": 7}
            })
        );
    }

    #[test]
    fn the_command_is_an_object_even_when_none_was_stored() {
        let mut process = process(work());
        process.command = Value::Null;
        let shown = serde_json::to_value(ProcessBody::of(&process)).unwrap();
        assert_eq!(shown["command"], json!({}));
    }

    #[test]
    fn every_shown_field_can_be_selected() {
        let shown = serde_json::to_value(ProcessBody::of(&process(work()))).unwrap();
        for field in shown.as_object().unwrap().keys() {
            assert!(FIELDS.contains(&field.as_str()), "{field}");
        }
    }
}
