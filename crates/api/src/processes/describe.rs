//! What the document says about the calls around processes.

use reseal_lifecycle::query::ProcessField;
use schemars::json_schema;
use serde_json::json;

use super::info::{self, InfoBody};
use super::resend::Warning;
use super::wire::{FIELDS, ProcessBody};
use crate::certificates::dcv_choices;
use crate::openapi::{Operation, list_of};

const TAG: &str = "Processes";

pub(crate) fn list() -> Operation {
    Operation::new(TAG, "listProcesses", "List processes")
        .list::<ProcessField, ProcessBody<'static>>("Those that the key may see.", FIELDS)
}

pub(crate) fn get() -> Operation {
    Operation::new(TAG, "getProcess", "Get a process")
        .selected::<ProcessBody<'static>>("The process.", FIELDS)
}

pub(crate) fn info() -> Operation {
    Operation::new(TAG, "getProcessInfo", "See how far a process is")
        .details("With what is to be published for each name that is not proved yet. Ended processes have an answer too.")
        .selected::<InfoBody<'static>>("How far it is.", info::FIELDS)
}

pub(crate) fn timeline() -> Operation {
    Operation::new(TAG, "getProcessTimeline", "See all that happened")
        .details("Each step and each look at what was published, with its evidence, oldest first.")
        .made(200, "The events.", |generator| {
            list_of(
                generator,
                json_schema!({
                    "type": "object",
                    "description": "What else there is depends on `event`.",
                    "properties": {
                        "at": {"type": "string", "format": "date-time"},
                        "event": {"type": "string"},
                    },
                    "required": ["at", "event"],
                }),
            )
        })
}

pub(crate) fn resend() -> Operation {
    Operation::new(TAG, "resendProcess", "Check again now")
        .details("Perhaps by another method for some names. Mails are sent again.")
        .body(
            dcv_choices,
            &[
                ("dcv", "The names whose method changes."),
                ("dcv.commonName", "The name."),
                ("dcv.type", "How its control is to be proved from now on."),
                (
                    "dcv.email",
                    "Where the mail goes: needed with `EMAIL`, and ignored otherwise.",
                ),
            ],
        )
        .body_is_optional()
        .json::<Warning<'static>>(
            200,
            "Done; with a body, and a content type, only when there is something to say.",
        )
}

pub(crate) fn cancel() -> Operation {
    Operation::new(TAG, "cancelProcess", "Cancel a process")
        .details("As long as nothing was signed.")
        .answer(200, "Cancelled.")
}

pub(crate) fn add_note() -> Operation {
    Operation::new(TAG, "addNote", "Write a note")
        .details("For whoever looks after the process; the notes are in its `info`.")
        .body(super::note::read, &[("message", "What is to be said.")])
        .example(json!({"message": "The documents are on their way."}))
        .answer(200, "Done.")
        .deprecated()
}

pub(crate) fn schedule_validation_call() -> Operation {
    Operation::new(TAG, "scheduleValidationCall", "Plan a telephone call")
        .details("In which the house asks the organization about the order.")
        .body(
            super::call::read,
            &[(
                "date",
                "When: a text, or the object that PHP makes of a date.",
            )],
        )
        .example(json!({"date": "2026-11-24T10:00:00Z"}))
        .answer(200, "Noted.")
}

pub(crate) fn send_subscriber_agreement() -> Operation {
    Operation::new(
        TAG,
        "sendSubscriberAgreement",
        "Mail the subscriber agreement",
    )
    .body(
        super::agreement::read,
        &[
            ("email", "To whom."),
            ("language", "By default that of the order."),
        ],
    )
    .example(json!({"email": "ceo@example.nl"}))
    .answer(200, "It is on its way.")
}
