//! What notifications need from the store. Those of a process's step come with [`crate::store::Change`].

use async_trait::async_trait;
use jiff::Timestamp;

use super::{Notification, NotificationId, Webhook};
use crate::certificate::{Certificate, CertificateId};
use crate::customer::Scope;
use crate::query::{NotificationQuery, Page};
use crate::store::{StoreError, Subscription};

/// How far a look through the calendar has come: everything that ends up to this moment, and at this moment
/// up to this number, was dealt with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    /// The moment.
    pub at: Timestamp,
    /// Number of the certificate or subscription.
    pub id: i64,
}

/// The notifications that a customer has not acknowledged.
#[derive(Clone, Debug, PartialEq)]
pub struct Unread {
    /// How many there are.
    pub count: u64,
    /// The oldest of them.
    pub oldest: Option<Notification>,
}

/// How a customer's receiver behaved at the last attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// It took what it was sent, or was not tried yet.
    Good,
    /// It did not.
    Failing,
}

/// The part of [`crate::store::Store`] that is about notifications.
#[async_trait]
pub trait NotificationStore: Send + Sync + 'static {
    /// Notifications that match.
    async fn notifications(
        &self,
        scope: &Scope,
        query: &NotificationQuery,
    ) -> Result<Page<Notification>, StoreError>;
    /// A notification, if it is inside `scope`.
    async fn notification(
        &self,
        scope: &Scope,
        id: NotificationId,
    ) -> Result<Option<Notification>, StoreError>;
    /// What `customer` has not acknowledged.
    async fn unread(&self, customer: &str) -> Result<Unread, StoreError>;
    /// Notes that the customer has fetched it, the first time only.
    async fn mark_read(&self, id: NotificationId, now: Timestamp) -> Result<(), StoreError>;
    /// Notes that the customer has acknowledged it, the first time only; `false` when it is not inside `scope`.
    async fn acknowledge(
        &self,
        scope: &Scope,
        id: NotificationId,
        now: Timestamp,
    ) -> Result<bool, StoreError>;

    /// How far the look called `watch` has come; `None` before the first.
    async fn watched(&self, watch: &str) -> Result<Option<Mark>, StoreError>;
    /// Certificates stored as active that end after `after` and not after `until`, by their end and number.
    async fn ending_certificates(
        &self,
        after: Mark,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<Certificate>, StoreError>;
    /// Bought subscriptions that end in that span, by their end and number, each with its newest certificate.
    async fn ending_subscriptions(
        &self,
        after: Mark,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<(Subscription, CertificateId)>, StoreError>;
    /// Stores notifications together with how far `watch` has come by them. [`StoreError::Stale`] when it no
    /// longer stands at `before`; then nothing is written.
    async fn announce(
        &self,
        watch: &str,
        before: Option<Mark>,
        after: Mark,
        notifications: Vec<Notification>,
    ) -> Result<(), StoreError>;

    /// Stores a customer's webhook, in place of an earlier one; what waits for that waits for this one.
    /// Notifications stored from now on wait for it. `actor` wanted it.
    async fn set_webhook(&self, webhook: Webhook, actor: &str) -> Result<(), StoreError>;
    /// A customer's webhook, and how many notifications wait for it.
    async fn webhook(&self, customer: &str) -> Result<Option<(Webhook, u64)>, StoreError>;
    /// All webhooks by customer.
    async fn webhooks(&self) -> Result<Vec<Webhook>, StoreError>;
    /// Removes a customer's webhook and lets nothing wait for it; `false` when there is none.
    async fn remove_webhook(
        &self,
        customer: &str,
        now: Timestamp,
        actor: &str,
    ) -> Result<bool, StoreError>;
    /// Customers whose webhook is of that health, is due, has something waiting, and is claimed by nobody; the
    /// longest due first.
    async fn due_webhooks(
        &self,
        health: Health,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<String>, StoreError>;
    /// Claims a customer's webhook until `lease`; `false` when somebody else has, or it is gone.
    async fn claim_webhook(
        &self,
        customer: &str,
        now: Timestamp,
        lease: Timestamp,
    ) -> Result<bool, StoreError>;
    /// The oldest notification that waits for a customer's webhook.
    async fn next_delivery(
        &self,
        customer: &str,
    ) -> Result<Option<(Webhook, Notification)>, StoreError>;
    /// Notes that `webhook` took a notification; the claim, which lasted until `held`, now lasts until `lease`. `false` when
    /// another webhook is in its place by now, or somebody else has claimed it since: the claim is as it was.
    async fn delivered(
        &self,
        webhook: &Webhook,
        id: NotificationId,
        now: Timestamp,
        held: Timestamp,
        lease: Timestamp,
    ) -> Result<bool, StoreError>;
    /// Notes that an attempt at `webhook` failed, unless another one is in its place by now, and gives up the claim that
    /// lasts until `held`.
    async fn delivery_failed(
        &self,
        webhook: &Webhook,
        reason: &str,
        next: Timestamp,
        held: Timestamp,
    ) -> Result<(), StoreError>;
    /// Gives up the claim that lasts until `held`, unless somebody else has claimed it since.
    async fn release_webhook(&self, customer: &str, held: Timestamp) -> Result<(), StoreError>;
}
