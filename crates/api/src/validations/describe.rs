//! What the document says about what operators decide.

use reseal_lifecycle::query::ValidationField;
use serde_json::json;

use super::decide::{read_approval, read_rejection};
use super::wire::{DecidedBody, FIELDS, ValidationBody};
use crate::openapi::Operation;

const TAG: &str = "Validations";

const DECISION: &[(&str, &str)] = &[
    ("checks", "Which ones; without it, every open one."),
    ("reason", "Why: for the customer, and the audit log."),
    ("note", "For the audit log only."),
];

pub(crate) fn list() -> Operation {
    Operation::new(TAG, "listValidations", "List open validations")
        .list::<ValidationField, ValidationBody<'static>>(
            "Processes with checks that nobody has approved.",
            FIELDS,
        )
}

pub(crate) fn get() -> Operation {
    Operation::new(TAG, "getValidation", "Get a validation, decided or not")
        .json::<DecidedBody<'static>>(200, "The process, and what was decided about it.")
}

pub(crate) fn approve() -> Operation {
    let meanings = [
        DECISION,
        &[(
            "obtained",
            "When the evidence was obtained; now, without it.",
        )],
    ]
    .concat();
    Operation::new(TAG, "approveValidation", "Approve checks")
        .body(read_approval, &meanings)
        .body_is_optional()
        .example(json!({"checks": ["organization"], "note": "register of 24 November"}))
        .json::<ValidationBody<'static>>(200, "The process as it is now.")
}

pub(crate) fn reject() -> Operation {
    Operation::new(TAG, "rejectValidation", "Reject checks")
        .details("They then wait for the customer; without `checks` the whole request fails.")
        .body(read_rejection, DECISION)
        .body_is_optional()
        .example(json!({"checks": ["docs"], "reason": "The scan cannot be read."}))
        .json::<ValidationBody<'static>>(200, "The process as it is now.")
}
