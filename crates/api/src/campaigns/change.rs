//! `POST …/pause`, `…/resume` and `…/cancel`.

use http::StatusCode;
use reseal_lifecycle::campaign::Change;

use super::wire::CampaignBody;
use crate::answer;
use crate::auth::{Call, Outcome};

/// Nothing more is begun until it is resumed.
pub(crate) async fn pause(call: Call) -> Outcome {
    change(call, Change::Pause).await
}

/// It goes on.
pub(crate) async fn resume(call: Call) -> Outcome {
    change(call, Change::Resume).await
}

/// It ends.
pub(crate) async fn cancel(call: Call) -> Outcome {
    change(call, Change::Cancel).await
}

async fn change(call: Call, change: Change) -> Outcome {
    let services = call.services();
    services
        .change_campaign(&call.caller, call.id(), change)
        .await?;
    let progress = services.campaign(&call.caller, call.id()).await?;
    Ok(answer::json(StatusCode::OK, &CampaignBody::of(&progress)))
}
