//! `reseal campaign …`: mass reissues, straight in the database. A running server carries them out.
//!
//! - `show`: what people read of a plan and of a campaign
//! - `report`: every certificate with its outcome

mod report;
mod show;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{anyhow, bail, ensure};
use jiff::Timestamp;
use reseal_api::{campaign_plan, campaign_progress, campaign_summary};
use reseal_lifecycle::Error;
use reseal_lifecycle::campaign::{
    CampaignId, CampaignStatus, CampaignStore as _, Change, NewCampaign, Pace, Progress, begin,
    change,
};

use crate::args::{Campaign, WantedCampaign};
use crate::console;
use crate::house::House;
use crate::wire_up::{self, Embedded};

/// Time between two looks while somebody follows.
const PAUSE: Duration = Duration::from_millis(500);

/// Does what the command line says.
pub(crate) async fn run(command: Campaign, config: Option<&Path>) -> anyhow::Result<()> {
    match command {
        Campaign::Plan { wanted, json, data } => plan(&data.data, config, wanted, json).await,
        Campaign::Start {
            wanted,
            reason,
            follow,
            data,
        } => start(&data.data, config, wanted, reason, follow).await,
        Campaign::Status {
            id: None,
            json,
            data,
            ..
        } => list(&data.data, config, json).await,
        Campaign::Status {
            id: Some(id),
            follow,
            json,
            data,
        } => status(&data.data, config, id, follow, json).await,
        Campaign::Pause { id, data } => alter(&data.data, config, id, Change::Pause).await,
        Campaign::Resume { id, data } => alter(&data.data, config, id, Change::Resume).await,
        Campaign::Cancel { id, data } => alter(&data.data, config, id, Change::Cancel).await,
        Campaign::Report { id, format, data } => {
            report::write(&House::open(&data.data, config)?, id, format).await
        }
    }
}

async fn plan(
    data: &Path,
    config: Option<&Path>,
    wanted: WantedCampaign,
    json: bool,
) -> anyhow::Result<()> {
    let house = House::open(data, config)?;
    let new = new_campaign(wanted, String::new(), house.clock.now())?;
    // What is planned depends on products, proofs and policy: on everything that a server works with.
    let House {
        data,
        config,
        store,
        clock,
    } = house;
    let address = config.server.listen;
    let embedded = Embedded::open(&data, &config, &wire_up::public_url(&config, address))?;
    let services =
        wire_up::services(&data, &config, embedded, Arc::new(store), clock, address).await?;
    let bar = show::counter();
    let plan = services.plan_campaign(&new, |seen| bar.set_position(seen));
    let plan = plan.await.map_err(|error| told(&error))?;
    bar.finish_and_clear();
    if json {
        console::line(serde_json::to_string_pretty(&campaign_plan(&plan)?)?);
    } else {
        show::plan_lines(&plan, &new).iter().for_each(console::line);
    }
    Ok(())
}

async fn start(
    data: &Path,
    config: Option<&Path>,
    wanted: WantedCampaign,
    reason: String,
    follow: bool,
) -> anyhow::Result<()> {
    let house = House::open(data, config)?;
    let now = house.clock.now();
    let new = new_campaign(wanted, reason, now)?;
    let begun = begin(&house.store, &console::actor(), new, None, now).await;
    let id = begun.map_err(|error| told(&error))?.id;
    console::line(id);
    if follow {
        self::follow(&house, id).await?;
    }
    Ok(())
}

fn new_campaign(
    wanted: WantedCampaign,
    reason: String,
    now: Timestamp,
) -> anyhow::Result<NewCampaign> {
    let deadline = match wanted.deadline {
        Some(deadline) => deadline,
        None => now.checked_add(wanted.within).map_err(|_| {
            anyhow!(
                "--within: no calendar reaches that far: expected a duration such as `24h` or `5d`"
            )
        })?,
    };
    ensure!(
        deadline > now,
        "the deadline must be in the future: expected a moment after {now:.0}, saw {deadline:.0}"
    );
    Ok(NewCampaign {
        selection: wanted.selection,
        key: wanted.key,
        deadline,
        pace: Pace {
            per_issuer: wanted.per_issuer,
            per_customer: wanted.per_customer,
        },
        reason,
    })
}

async fn list(data: &Path, config: Option<&Path>, json: bool) -> anyhow::Result<()> {
    let house = House::open(data, config)?;
    for campaign in house.store.campaigns().await? {
        if json {
            console::line(campaign_summary(&campaign)?);
        } else {
            console::line(show::campaign_line(&campaign));
        }
    }
    Ok(())
}

async fn status(
    data: &Path,
    config: Option<&Path>,
    id: CampaignId,
    follow: bool,
    json: bool,
) -> anyhow::Result<()> {
    let house = House::open(data, config)?;
    if follow {
        return self::follow(&house, id).await;
    }
    let progress = progress(&house, id).await?;
    if json {
        console::line(serde_json::to_string_pretty(&campaign_progress(
            &progress,
        )?)?);
    } else {
        show::progress_lines(&progress)
            .iter()
            .for_each(console::line);
    }
    Ok(())
}

async fn alter(
    data: &Path,
    config: Option<&Path>,
    id: CampaignId,
    wanted: Change,
) -> anyhow::Result<()> {
    let house = House::open(data, config)?;
    let now = house.clock.now();
    change(&house.store, &console::actor(), id, wanted, now)
        .await
        .map_err(|error| told(&error))?;
    let progress = progress(&house, id).await?;
    console::line(show::campaign_line(&progress.campaign));
    Ok(())
}

async fn progress(house: &House, id: CampaignId) -> anyhow::Result<Progress> {
    let Some(progress) = house.store.campaign(id).await? else {
        bail!("there is no campaign {id}: `reseal campaign status` lists all");
    };
    Ok(progress)
}

/// Shows how far the campaign is until it ends.
async fn follow(house: &House, id: CampaignId) -> anyhow::Result<()> {
    let bar = show::bar();
    let ended = loop {
        let progress = progress(house, id).await?;
        show::advance(&bar, &progress);
        let status = progress.campaign.status;
        if matches!(
            status,
            CampaignStatus::Completed | CampaignStatus::Cancelled
        ) {
            break progress;
        }
        tokio::time::sleep(PAUSE).await;
    };
    bar.finish_and_clear();
    show::progress_lines(&ended).iter().for_each(console::line);
    Ok(())
}

fn told(error: &Error) -> anyhow::Error {
    anyhow!("{}", error.message)
}
