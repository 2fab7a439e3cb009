//! What the document says about campaigns.

use serde_json::json;

use super::begin::read;
use super::wire::{CampaignBody, ItemsBody, PlanBody, SummaryBody};
use crate::openapi::Operation;
use crate::query::Envelope;

const TAG: &str = "Campaigns";

pub(crate) fn list() -> Operation {
    Operation::new(TAG, "listCampaigns", "List campaigns")
        .details("All of them, the newest first. For operators.")
        .json::<Envelope<SummaryBody<'static>>>(200, "The campaigns.")
}

pub(crate) fn begin() -> Operation {
    Operation::new(TAG, "beginCampaign", "Begin a mass reissue")
        .details(
            "The server reissues the certificates that `where` selects, the most urgent first, or tells their customers \
             to. With `dryRun` nothing is begun, and the answer says what it would come to.",
        )
        .flag("dryRun", "Only say what it would come to.")
        .body(
            read,
            &[
                (
                    "where",
                    "Conditions joined by `and`: a field, `=`, `!=`, `<`, `<=`, `>`, `>=` or `like`, and a value.",
                ),
                (
                    "key",
                    "`keep`: reissue at once for the key they have, where that may be; `notify`: tell the customers to \
                     reissue with a new one.",
                ),
                ("deadline", "By when all should be done."),
                ("perIssuer", "Reissues an hour by one issuer, at most."),
                ("perCustomer", "Reissues an hour for one customer, at most."),
                ("reason", "Why; customers who are told read it."),
            ],
        )
        .example(json!({
            "where": "issuer=embedded and status=ACTIVE",
            "key": "keep",
            "deadline": "2026-12-01T12:00:00Z",
            "reason": "the intermediate is replaced"
        }))
        .json::<PlanBody<'static>>(200, "With `dryRun`: what it would come to.")
        .json::<CampaignBody<'static>>(201, "The campaign.")
}

pub(crate) fn get() -> Operation {
    Operation::new(TAG, "getCampaign", "Get a campaign and how far it is")
        .json::<CampaignBody<'static>>(200, "The campaign.")
}

pub(crate) fn certificates() -> Operation {
    Operation::new(
        TAG,
        "listCampaignCertificates",
        "List what became of a campaign's certificates",
    )
    .details("By their numbers, at most 1,000 at a time.")
    .query(
        "after",
        &json!({"type": "integer", "minimum": 0}),
        "The last certificate of the page before.",
    )
    .query(
        "limit",
        &json!({"type": "integer", "minimum": 0, "maximum": 1000}),
        "How many at most.",
    )
    .json::<ItemsBody<'static>>(200, "The certificates.")
}

pub(crate) fn pause() -> Operation {
    changed("pauseCampaign", "Pause a campaign")
}

pub(crate) fn resume() -> Operation {
    changed("resumeCampaign", "Let a paused campaign go on")
}

pub(crate) fn cancel() -> Operation {
    changed("cancelCampaign", "End a campaign")
        .details("What was reissued stays; what waits for proof goes on; nothing more is begun.")
}

fn changed(id: &'static str, summary: &'static str) -> Operation {
    Operation::new(TAG, id, summary).json::<CampaignBody<'static>>(200, "The campaign.")
}
