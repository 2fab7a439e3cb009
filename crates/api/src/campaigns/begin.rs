//! `POST` to the list: begins a campaign, or says what it would come to.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use http::StatusCode;
use http::header::{CONTENT_TYPE, LOCATION};
use jiff::Timestamp;
use reseal_lifecycle::campaign::{Campaign, KeyChoice, NewCampaign, Pace, Progress, Selection};
use reseal_lifecycle::compromise::require_operator;
use reseal_lifecycle::idempotency::KeptAnswer;

use super::wire::{CampaignBody, PlanBody};
use crate::answer;
use crate::auth::{Call, Outcome};
use crate::body::syntax::Text;
use crate::body::{Fields, Findings};
use crate::date;
use crate::error::Failure;
use crate::idempotency::given;

const KEYS: &[&str] = &["keep", "notify"];
/// Reissues an hour, at most: more than any machine does.
const FASTEST: u32 = 1_000_000_000;

/// Begins it; with `dryRun` only plans it.
pub(crate) async fn begin(call: Call) -> Outcome {
    require_operator(&call.caller)?;
    let mut findings = Findings::default();
    let dry_run = call.query().flag("dryRun", false, &mut findings);
    findings.settle()?;
    let body = call.body()?;
    let new = Fields::read(&body, read)?;
    let services = call.services();
    // Everything is there: what is not was refused.
    let Some(new) = new else {
        return Err(reseal_lifecycle::Error::internal("a campaign without a selection").into());
    };
    if dry_run {
        let plan = services.plan_campaign(&new, |_| {}).await?;
        return Ok(answer::json(StatusCode::OK, &PlanBody::of(&plan)));
    }
    let campaign = services.begin_campaign(&call.caller, new, begun).await?;
    given(begun(&campaign).map_err(Failure::internal)?)
}

/// The answer to the call that began `campaign`.
fn begun(campaign: &Campaign) -> serde_json::Result<KeptAnswer> {
    let progress = Progress {
        campaign: campaign.clone(),
        outcomes: BTreeMap::new(),
    };
    let location = format!("/v2/ssl/campaigns/{}", campaign.id);
    let headers = [
        (CONTENT_TYPE, "application/json".to_owned()),
        (LOCATION, location),
    ];
    Ok(KeptAnswer {
        status: StatusCode::CREATED.as_u16(),
        headers: headers
            .map(|(name, value)| (name.to_string(), value))
            .into(),
        body: serde_json::to_vec(&CampaignBody::of(&progress))?,
    })
}

/// The body.
pub(super) fn read(fields: &mut Fields<'_, '_>) -> Option<NewCampaign> {
    let selection = fields.required_text("where", Text::Length(1, 2000));
    let selection = match Selection::parse(&selection) {
        Ok(selection) => Some(selection),
        Err(error) => {
            if !selection.is_empty() {
                fields.violation("where", &error.to_string(), Some(&selection));
            }
            None
        }
    };
    let key = fields.required_text("key", Text::Word(KEYS)).parse().ok();
    let deadline = date::read(fields, "deadline");
    if deadline.is_none() {
        fields.missing("deadline");
    }
    let pace = Pace {
        per_issuer: per_hour(fields, "perIssuer"),
        per_customer: per_hour(fields, "perCustomer"),
    };
    let reason = fields.required_text("reason", Text::Length(1, 1000));
    Some(NewCampaign {
        selection: selection?,
        key: key.unwrap_or(KeyChoice::Notify),
        deadline: deadline.unwrap_or(Timestamp::MIN),
        pace,
        reason,
    })
}

fn per_hour(fields: &mut Fields<'_, '_>, name: &'static str) -> Option<NonZeroU32> {
    fields.integer(name, 1, FASTEST).and_then(NonZeroU32::new)
}
