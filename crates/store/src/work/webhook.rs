//! How webhooks are kept, claimed, and their queues worked off.

use jiff::Timestamp;
use reseal_lifecycle::audit::AuditEntry;
use reseal_lifecycle::notification::{Health, Notification, NotificationId, Webhook};
use reseal_lifecycle::store::StoreError;

use super::audit;
use super::find::{many, number, one};
use super::rows::{self, millis};
use crate::SqlStore;
use crate::database::{Connection, Value, Values, params};
use crate::sql;

/// Notifications that one commit stops from waiting: others write in between.
const FORGOTTEN_AT_ONCE: u32 = 1000;

impl SqlStore {
    /// Whether anything is kept that is encrypted under a key outside the database: secrets of webhooks, keys of accounts at
    /// upstreams.
    ///
    /// # Errors
    /// The database cannot answer.
    pub async fn has_sealed(&self) -> Result<bool, StoreError> {
        self.points
            .read(|connection| {
                Ok(number(connection, sql::webhook::SELECT_SEALED, params![])?.is_some())
            })
            .await
    }

    pub(super) async fn put_webhook(
        &self,
        webhook: Webhook,
        actor: &str,
    ) -> Result<(), StoreError> {
        // Nothing of it but that: the address may hold what only the receiver should know.
        let object = format!("webhook/{}", webhook.customer);
        let entry = AuditEntry::new(webhook.created, actor, "webhook.set", object);
        // What a step wrote while the last one was taken away, or a server that ended meanwhile left, is not for this one.
        self.forget_waiting(&webhook.customer).await?;
        self.writer
            .write(move |connection| {
                let values = params![
                    webhook.customer,
                    webhook.url,
                    webhook.login,
                    webhook.sealed,
                    millis(webhook.created),
                    millis(webhook.next_attempt),
                ];
                run(connection, sql::webhook::UPSERT, values)?;
                audit::note(connection, entry.clone())
            })
            .await
    }

    pub(super) async fn find_webhook(
        &self,
        customer: &str,
    ) -> Result<Option<(Webhook, u64)>, StoreError> {
        let customer = customer.to_owned();
        self.points
            .read(move |connection| {
                let webhook = one(connection, sql::webhook::SELECT, [&customer], rows::webhook)?;
                let waiting = number(connection, sql::webhook::COUNT_WAITING, [&customer])?;
                Ok(webhook.zip(waiting.map(i64::unsigned_abs)))
            })
            .await
    }

    pub(super) async fn drop_webhook(
        &self,
        customer: &str,
        now: Timestamp,
        actor: &str,
    ) -> Result<bool, StoreError> {
        let handle = customer.to_owned();
        let entry = AuditEntry::new(now, actor, "webhook.remove", format!("webhook/{handle}"));
        let removed = self
            .writer
            .write(move |connection| {
                let removed = run(connection, sql::webhook::DELETE, [&handle])?;
                if removed > 0 {
                    audit::note(connection, entry.clone())?;
                }
                Ok(removed)
            })
            .await?;
        self.forget_waiting(customer).await?;
        Ok(removed > 0)
    }

    /// Lets nothing wait any more for a customer without a webhook.
    async fn forget_waiting(&self, customer: &str) -> Result<(), StoreError> {
        loop {
            let handle = customer.to_owned();
            let forgotten = self
                .writer
                .write(move |connection| {
                    let values = params![handle, FORGOTTEN_AT_ONCE];
                    run(connection, sql::webhook::FORGET_WAITING, values)
                })
                .await?;
            if forgotten < FORGOTTEN_AT_ONCE as usize {
                return Ok(());
            }
        }
    }

    pub(super) async fn find_due_webhooks(
        &self,
        health: Health,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<String>, StoreError> {
        let statement = match health {
            Health::Good => sql::webhook::SELECT_DUE_GOOD,
            Health::Failing => sql::webhook::SELECT_DUE_FAILING,
        };
        self.points
            .read(move |connection| {
                many(connection, statement, params![millis(now), limit], |row| {
                    row.get(0)
                })
            })
            .await
    }

    pub(super) async fn find_delivery(
        &self,
        customer: &str,
    ) -> Result<Option<(Webhook, Notification)>, StoreError> {
        let customer = customer.to_owned();
        self.points
            .read(move |connection| {
                let webhook = one(connection, sql::webhook::SELECT, [&customer], rows::webhook)?;
                let waiting = one(
                    connection,
                    sql::webhook::SELECT_WAITING,
                    [&customer],
                    rows::notification,
                )?;
                Ok(webhook.zip(waiting))
            })
            .await
    }

    pub(super) async fn note_delivered(
        &self,
        webhook: &Webhook,
        id: NotificationId,
        now: Timestamp,
        (held, lease): (Timestamp, Timestamp),
    ) -> Result<bool, StoreError> {
        let (customer, created) = (webhook.customer.clone(), millis(webhook.created));
        let (now, held, lease) = (millis(now), millis(held), millis(lease));
        self.writer
            .write(move |connection| {
                run(connection, sql::webhook::DELIVERED, params![now, id])?;
                let values = params![lease, now, customer, created, held];
                Ok(run(connection, sql::webhook::SUCCEEDED, values)? > 0)
            })
            .await
    }

    pub(super) async fn note_failed(
        &self,
        webhook: &Webhook,
        reason: &str,
        next: Timestamp,
        held: Timestamp,
    ) -> Result<(), StoreError> {
        let (customer, created) = (webhook.customer.clone(), millis(webhook.created));
        let reason = reason.to_owned();
        self.writer
            .write(move |connection| {
                let values = params![reason, millis(next), customer, created];
                run(connection, sql::webhook::FAILED, values)?;
                let values = params![customer, millis(held)];
                run(connection, sql::webhook::RELEASE, values).map(|_| ())
            })
            .await
    }

    /// Runs a statement about `customer`'s webhook; how many rows it changed.
    pub(super) async fn change_webhook<const N: usize>(
        &self,
        statement: &'static str,
        customer: &str,
        values: impl Fn(String) -> [Value; N] + Send + 'static,
    ) -> Result<usize, StoreError> {
        let customer = customer.to_owned();
        self.writer
            .write(move |connection| run(connection, statement, values(customer.clone())))
            .await
    }
}

fn run(connection: &Connection, sql: &str, values: impl Values) -> Result<usize, StoreError> {
    connection.execute(sql, values).map_err(StoreError::from)
}
