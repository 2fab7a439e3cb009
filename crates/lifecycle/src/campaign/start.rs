//! Begins a campaign, stops it, lets it go on, ends it. The command line and the API call the same functions; a running
//! server's worker does the rest.

use jiff::Timestamp;

use super::{
    Campaign, CampaignId, CampaignStatus, CampaignStore, Item, KeyChoice, Pace, Progress, Selection,
};
use crate::audit::AuditEntry;
use crate::certificate::CertificateId;
use crate::compromise::require_operator;
use crate::customer::Caller;
use crate::error::{Error, Kind};
use crate::fault;
use crate::idempotency::{AnswerOf, Promised};
use crate::services::Services;

/// A campaign to be begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCampaign {
    /// Which certificates.
    pub selection: Selection,
    /// What becomes of their keys.
    pub key: KeyChoice,
    /// By when all should be done.
    pub deadline: Timestamp,
    /// How fast.
    pub pace: Pace,
    /// Why; customers who are told read it.
    pub reason: String,
}

/// What an operator does to a campaign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Nothing more is begun until it is resumed.
    Pause,
    /// It goes on.
    Resume,
    /// It ends; what was reissued stays, and open processes go on.
    Cancel,
}

impl Change {
    fn verb(self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Cancel => "cancel",
        }
    }

    fn from(self) -> &'static [CampaignStatus] {
        match self {
            Self::Pause => &[CampaignStatus::Running],
            Self::Resume => &[CampaignStatus::Paused],
            Self::Cancel => &[CampaignStatus::Running, CampaignStatus::Paused],
        }
    }

    fn to(self) -> CampaignStatus {
        match self {
            Self::Pause => CampaignStatus::Paused,
            Self::Resume => CampaignStatus::Running,
            Self::Cancel => CampaignStatus::Cancelled,
        }
    }
}

/// Records a campaign as `actor`'s at `now`, and the answer to the call for it; from then on a server's worker carries it
/// out.
///
/// # Errors
/// [`Kind::Rule`] for a deadline that is over; the store cannot take it.
pub async fn begin(
    store: &dyn CampaignStore,
    actor: &str,
    new: NewCampaign,
    promised: Option<Promised<Campaign>>,
    now: Timestamp,
) -> Result<Campaign, Error> {
    if new.deadline <= now {
        let message = format!(
            "The deadline must be in the future: expected a moment after {now:.0}, saw {:.0}",
            new.deadline
        );
        return Err(Error::new(Kind::Rule, message));
    }
    let entry = AuditEntry::new(now, actor, "campaign.start", "")
        .with("where", new.selection.to_string())
        .with("key", new.key.as_str())
        .with("deadline", format!("{:.0}", new.deadline))
        .with("perIssuer", new.pace.per_issuer.map(u32::from))
        .with("perCustomer", new.pace.per_customer.map(u32::from));
    let entry = AuditEntry {
        reason: Some(new.reason.clone()),
        ..entry
    };
    let campaign = Campaign {
        id: 0,
        actor: actor.to_owned(),
        created: now,
        reason: new.reason,
        selection: new.selection,
        key: new.key,
        deadline: new.deadline,
        pace: new.pace,
        status: CampaignStatus::Running,
        ended: None,
        last: 0,
        through: 0,
    };
    Ok(store.create_campaign(campaign, entry, promised).await?)
}

/// Does `change` to campaign `id` as `actor` wants at `now`.
///
/// # Errors
/// [`Kind::NotFound`]; [`Kind::Status`] when it stands in a way that the change does not fit.
pub async fn change(
    store: &dyn CampaignStore,
    actor: &str,
    id: CampaignId,
    change: Change,
    now: Timestamp,
) -> Result<(), Error> {
    let action = format!("campaign.{}", change.verb());
    let entry = AuditEntry::new(now, actor, action, Campaign::object(id));
    if store
        .change_campaign(id, change.from(), change.to(), now, entry)
        .await?
    {
        return Ok(());
    }
    let Some(found) = store.campaign(id).await? else {
        return Err(Error::not_found(&format!("Campaign {id}")));
    };
    let fitting: Vec<&str> = change.from().iter().map(|status| status.as_str()).collect();
    Err(Error::new(
        Kind::Status,
        format!(
            "Campaign {id} is {}: expected {} to {} it",
            found.campaign.status.as_str(),
            fitting.join(" or "),
            change.verb()
        ),
    ))
}

impl Services {
    /// Begins a campaign; the call for it gets `answer`, also when it comes again after the server died.
    ///
    /// # Errors
    /// As for [`begin`]; [`Kind::Forbidden`] for anybody but operators, as with all that follows.
    pub async fn begin_campaign(
        &self,
        caller: &Caller,
        new: NewCampaign,
        answer: AnswerOf<Campaign>,
    ) -> Result<Campaign, Error> {
        require_operator(caller)?;
        let promised = caller.claim.map(|claim| Promised { claim, answer });
        let now = self.clock.now();
        let campaign = begin(&*self.store, &caller.user, new, promised, now).await?;
        fault::point(fault::Point::CampaignBegun).await;
        Ok(campaign)
    }

    /// Pauses, resumes or cancels a campaign.
    ///
    /// # Errors
    /// As for [`change`].
    pub async fn change_campaign(
        &self,
        caller: &Caller,
        id: CampaignId,
        wanted: Change,
    ) -> Result<(), Error> {
        require_operator(caller)?;
        change(&*self.store, &caller.user, id, wanted, self.clock.now()).await
    }

    /// How far a campaign is.
    ///
    /// # Errors
    /// [`Kind::NotFound`].
    pub async fn campaign(&self, caller: &Caller, id: CampaignId) -> Result<Progress, Error> {
        require_operator(caller)?;
        let found = self.store.campaign(id).await?;
        found.ok_or_else(|| Error::not_found(&format!("Campaign {id}")))
    }

    /// All campaigns, the newest first.
    ///
    /// # Errors
    /// The store cannot answer.
    pub async fn campaigns(&self, caller: &Caller) -> Result<Vec<Campaign>, Error> {
        require_operator(caller)?;
        Ok(self.store.campaigns().await?)
    }

    /// Certificates of a campaign behind number `after`, at most `limit`.
    ///
    /// # Errors
    /// [`Kind::NotFound`].
    pub async fn campaign_items(
        &self,
        caller: &Caller,
        id: CampaignId,
        after: CertificateId,
        limit: u32,
    ) -> Result<Vec<Item>, Error> {
        require_operator(caller)?;
        let items = self.store.items(id, after, limit).await?;
        if items.is_empty() {
            self.campaign(caller, id).await?;
        }
        Ok(items)
    }
}
