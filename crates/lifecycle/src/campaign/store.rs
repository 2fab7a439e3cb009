//! What campaigns need from the store.

use async_trait::async_trait;
use jiff::Timestamp;

use super::{Campaign, CampaignId, CampaignStatus, Item, Outcome, Progress};
use crate::audit::AuditEntry;
use crate::certificate::{Certificate, CertificateId};
use crate::idempotency::Promised;
use crate::notification::Notification;
use crate::query::SelectionQuery;
use crate::store::StoreError;

/// The part of [`crate::store::Store`] that is about campaigns. Whatever ends a process ends the item that it is for in
/// the same commit; whatever replaces or revokes a certificate ends the items whose customer was told to replace it.
#[async_trait]
pub trait CampaignStore: Send + Sync + 'static {
    /// Stores a campaign, with `last` as it is now and the entry's object filled in, and what the call for it is answered;
    /// the campaign as it is stored. [`StoreError::Stale`] when the key of the call is another one's by now.
    async fn create_campaign(
        &self,
        campaign: Campaign,
        entry: AuditEntry,
        promised: Option<Promised<Campaign>>,
    ) -> Result<Campaign, StoreError>;
    /// One campaign with its progress.
    async fn campaign(&self, id: CampaignId) -> Result<Option<Progress>, StoreError>;
    /// When the first campaign that wants that certificate replaced began, and its deadline; of several the one whose
    /// deadline comes first. One that has ended without that still wants it, one that was cancelled does not.
    async fn campaign_window(
        &self,
        certificate: CertificateId,
    ) -> Result<Option<(Timestamp, Timestamp)>, StoreError>;
    /// Whether it is running.
    async fn campaign_runs(&self, id: CampaignId) -> Result<bool, StoreError>;
    /// All campaigns without their certificates, the newest first.
    async fn campaigns(&self) -> Result<Vec<Campaign>, StoreError>;
    /// Gives a campaign another status, at `now`, unless it has none of `from`; `false` then.
    async fn change_campaign(
        &self,
        id: CampaignId,
        from: &[CampaignStatus],
        to: CampaignStatus,
        now: Timestamp,
        entry: AuditEntry,
    ) -> Result<bool, StoreError>;
    /// Running campaigns, leased to the node `owner` until `lease`; those that another node holds are left out.
    async fn claim_campaigns(
        &self,
        owner: &str,
        now: Timestamp,
        lease: Timestamp,
    ) -> Result<Vec<Campaign>, StoreError>;
    /// Certificates that `query` selects.
    async fn selected(
        &self,
        query: &SelectionQuery,
        now: Timestamp,
    ) -> Result<Vec<Certificate>, StoreError>;
    /// Adds certificates to the campaign, those that it does not have, and notes that it has collected up to `through`.
    async fn add_items(
        &self,
        id: CampaignId,
        items: Vec<Item>,
        through: CertificateId,
    ) -> Result<(), StoreError>;
    /// Issuers of items that wait, each once.
    async fn waiting_issuers(&self, id: CampaignId) -> Result<Vec<String>, StoreError>;
    /// Items of `issuer` that wait and are due at `now`, the most urgent first: up to `limit` of those that were never put
    /// off, and as many of those whose time has come again.
    async fn due_items(
        &self,
        id: CampaignId,
        issuer: &str,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<Item>, StoreError>;
    /// Puts an item that waits off until its place in the campaign's pace, unless it is more urgent by now.
    async fn put_off(
        &self,
        id: CampaignId,
        item: &Item,
        until: Timestamp,
    ) -> Result<(), StoreError>;
    /// Makes items of `issuer` that wait for their places in the pace due at once, at most `limit` of them; how many.
    async fn forget_places(
        &self,
        id: CampaignId,
        issuer: &str,
        limit: u32,
    ) -> Result<u64, StoreError>;
    /// Gives an item that waits its outcome, and stores what its customer is told with it. Nothing happens when it waits
    /// no more.
    async fn end_item(
        &self,
        id: CampaignId,
        certificate: CertificateId,
        end: ItemEnd,
    ) -> Result<(), StoreError>;
    /// Notes why an item could not be begun and when to try again, and whether that was one of its failures.
    async fn retry_item(
        &self,
        id: CampaignId,
        certificate: CertificateId,
        again: Timestamp,
        (detail, is_failure): (&str, bool),
        now: Timestamp,
    ) -> Result<(), StoreError>;
    /// Ends the items, at most `limit` of them, whose customers were told and did nothing; how many.
    async fn end_missed(
        &self,
        id: CampaignId,
        now: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError>;
    /// Whether any item waits, is open, or is its customer's turn.
    async fn has_unfinished(&self, id: CampaignId) -> Result<bool, StoreError>;
    /// Items behind certificate number `after`, in that order.
    async fn items(
        &self,
        id: CampaignId,
        after: CertificateId,
        limit: u32,
    ) -> Result<Vec<Item>, StoreError>;
}

/// What becomes of an item.
#[derive(Clone, Debug, PartialEq)]
pub struct ItemEnd {
    /// Its outcome.
    pub outcome: Outcome,
    /// The certificate in its place.
    pub successor: Option<CertificateId>,
    /// Why.
    pub detail: String,
    /// When.
    pub at: Timestamp,
    /// What the customer is told.
    pub notification: Option<Notification>,
}
