//! `GET` of campaigns, of one, and of its certificates.

use http::StatusCode;

use super::wire::{CampaignBody, ItemsBody, SummaryBody};
use crate::answer;
use crate::auth::{Call, Outcome};
use crate::body::Findings;
use crate::query;

/// Certificates on a page, unless asked for less.
const PAGE: u32 = 1000;

/// All campaigns, the newest first.
pub(crate) async fn list(call: Call) -> Outcome {
    let campaigns = call.services().campaigns(&call.caller).await?;
    let bodies = campaigns.iter().map(SummaryBody::of).collect();
    Ok(query::whole::<SummaryBody<'_>>(bodies))
}

/// One campaign and how far it is.
pub(crate) async fn get(call: Call) -> Outcome {
    let progress = call.services().campaign(&call.caller, call.id()).await?;
    Ok(answer::json(StatusCode::OK, &CampaignBody::of(&progress)))
}

/// The certificates of a campaign by their numbers, a page behind `after`.
pub(crate) async fn certificates(call: Call) -> Outcome {
    let parameters = call.query();
    let mut findings = Findings::default();
    let mut read = |name: &str, most: u64| {
        let value = parameters.first(name)?;
        query::number(name, value, most, &mut findings)
    };
    let after = read("after", i64::MAX.unsigned_abs());
    let limit = read("limit", u64::from(PAGE));
    findings.settle()?;
    let after = after.map_or(0, u64::cast_signed);
    let limit = limit.and_then(|limit| u32::try_from(limit).ok());
    let items = call
        .services()
        .campaign_items(&call.caller, call.id(), after, limit.unwrap_or(PAGE))
        .await?;
    Ok(answer::json(StatusCode::OK, &ItemsBody::of(&items)))
}
