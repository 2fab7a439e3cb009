//! The methods of [`NotificationStore`], and how a step's notifications are written.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use reseal_lifecycle::certificate::{Certificate, CertificateId};
use reseal_lifecycle::customer::Scope;
use reseal_lifecycle::notification::{
    Health, Mark, Notification, NotificationId, NotificationStore, Unread, Webhook,
};
use reseal_lifecycle::process::ProcessId;
use reseal_lifecycle::query::{NotificationQuery, Page};
use reseal_lifecycle::store::{StoreError, Subscription};

use super::find::{many, number, one};
use super::page;
use super::rows::{self, millis, validation_word};
use crate::SqlStore;
use crate::database::{self, Connection, params};
use crate::{list, sql};

/// A notification with everything rendered that is stored as text.
pub(crate) struct Draft {
    notification: Notification,
    payload: String,
}

impl Draft {
    /// Renders what is stored as text.
    pub(crate) fn all_of(notifications: Vec<Notification>) -> Result<Vec<Self>, StoreError> {
        notifications
            .into_iter()
            .map(|notification| {
                let payload = serde_json::to_string(&notification.payload).map_err(|error| {
                    StoreError::Fault(format!("a value cannot be stored: {error}"))
                })?;
                Ok(Self {
                    notification,
                    payload,
                })
            })
            .collect()
    }

    /// Writes it; `process` and `certificate` are those of the step that brings it along.
    pub(crate) fn write(
        &self,
        connection: &Connection,
        process: Option<ProcessId>,
        certificate: Option<CertificateId>,
    ) -> database::Result<()> {
        let told = &self.notification;
        let values = params![
            told.customer,
            told.occasion.as_str(),
            told.occasion.subject_status(),
            millis(told.fired),
            told.message,
            told.reason,
            process,
            told.status_detail,
            told.certificate.or(certificate),
            told.domain_name,
            told.product,
            told.validation.map(validation_word),
            told.expires.map(millis),
            self.payload,
        ];
        connection.send(sql::notification::INSERT, values)
    }
}

#[async_trait]
impl NotificationStore for SqlStore {
    async fn notifications(
        &self,
        scope: &Scope,
        query: &NotificationQuery,
    ) -> Result<Page<Notification>, StoreError> {
        let select = list::notifications(self.dialect, scope, query)?;
        let tally = Arc::clone(&self.tally);
        self.lists
            .read_in(scope, move |connection| {
                page::read(connection, &select, &tally, rows::notification)
            })
            .await
    }

    async fn notification(
        &self,
        scope: &Scope,
        id: NotificationId,
    ) -> Result<Option<Notification>, StoreError> {
        let found = self
            .points
            .read(move |connection| {
                one(
                    connection,
                    sql::notification::SELECT,
                    [id],
                    rows::notification,
                )
            })
            .await?;
        Ok(found.filter(|told| scope.admits(&told.customer)))
    }

    async fn unread(&self, customer: &str) -> Result<Unread, StoreError> {
        let customer = customer.to_owned();
        self.points
            .read(move |connection| {
                // Both statements see the same commit.
                let _snapshot = connection.snapshot()?;
                let count = number(connection, sql::notification::COUNT_UNREAD, [&customer])?;
                let oldest = one(
                    connection,
                    sql::notification::SELECT_UNREAD,
                    [&customer],
                    rows::notification,
                )?;
                Ok(Unread {
                    count: count.unwrap_or_default().unsigned_abs(),
                    oldest,
                })
            })
            .await
    }

    async fn mark_read(&self, id: NotificationId, now: Timestamp) -> Result<(), StoreError> {
        self.writer
            .write(move |connection| {
                let values = params![millis(now), id];
                connection.execute(sql::notification::MARK_READ, values)?;
                Ok(())
            })
            .await
    }

    async fn acknowledge(
        &self,
        scope: &Scope,
        id: NotificationId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        // Whose it is never changes.
        if self.notification(scope, id).await?.is_none() {
            return Ok(false);
        }
        self.writer
            .write(move |connection| {
                let values = params![millis(now), id];
                let changed = connection.execute(sql::notification::ACKNOWLEDGE, values);
                Ok(changed? > 0)
            })
            .await
    }

    async fn watched(&self, watch: &str) -> Result<Option<Mark>, StoreError> {
        let watch = watch.to_owned();
        self.points
            .read(move |connection| one(connection, sql::watch::SELECT, [watch], rows::mark))
            .await
    }

    async fn ending_certificates(
        &self,
        after: Mark,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<Certificate>, StoreError> {
        self.duties
            .read(move |connection| {
                let select = sql::watch::SELECT_CERTIFICATES;
                ending(connection, select, after, until, limit, |id| {
                    one(
                        connection,
                        sql::certificate::SELECT,
                        [id],
                        rows::certificate,
                    )
                })
            })
            .await
    }

    async fn ending_subscriptions(
        &self,
        after: Mark,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<(Subscription, CertificateId)>, StoreError> {
        self.duties
            .read(move |connection| {
                let select = sql::watch::SELECT_SUBSCRIPTIONS;
                ending(connection, select, after, until, limit, |id| {
                    let found = one(
                        connection,
                        sql::subscription::SELECT,
                        [id],
                        rows::subscription,
                    )?;
                    let newest = number(connection, sql::certificate::SELECT_NEWEST, [id])?;
                    Ok(found.zip(newest))
                })
            })
            .await
    }

    async fn announce(
        &self,
        watch: &str,
        before: Option<Mark>,
        after: Mark,
        notifications: Vec<Notification>,
    ) -> Result<(), StoreError> {
        let watch = watch.to_owned();
        let drafts = Draft::all_of(notifications)?;
        self.writer
            .write(move |connection| {
                let (ends, subject) = (millis(after.at), after.id);
                let moved = match before {
                    None => connection.execute(sql::watch::INSERT, params![watch, ends, subject]),
                    Some(mark) => connection.execute(
                        sql::watch::MOVE,
                        params![ends, subject, watch, millis(mark.at), mark.id],
                    ),
                };
                if moved? == 0 {
                    return Err(StoreError::Stale);
                }
                for draft in &drafts {
                    draft.write(connection, None, None)?;
                }
                Ok(())
            })
            .await
    }

    async fn set_webhook(&self, webhook: Webhook, actor: &str) -> Result<(), StoreError> {
        self.put_webhook(webhook, actor).await
    }

    async fn webhook(&self, customer: &str) -> Result<Option<(Webhook, u64)>, StoreError> {
        self.find_webhook(customer).await
    }

    async fn webhooks(&self) -> Result<Vec<Webhook>, StoreError> {
        self.duties
            .read(|connection| {
                many(
                    connection,
                    sql::webhook::SELECT_ALL,
                    params![],
                    rows::webhook,
                )
            })
            .await
    }

    async fn remove_webhook(
        &self,
        customer: &str,
        now: Timestamp,
        actor: &str,
    ) -> Result<bool, StoreError> {
        self.drop_webhook(customer, now, actor).await
    }

    async fn due_webhooks(
        &self,
        health: Health,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<String>, StoreError> {
        self.find_due_webhooks(health, now, limit).await
    }

    async fn claim_webhook(
        &self,
        customer: &str,
        now: Timestamp,
        lease: Timestamp,
    ) -> Result<bool, StoreError> {
        let claimed = self
            .change_webhook(sql::webhook::CLAIM, customer, move |customer| {
                [millis(lease).into(), customer.into(), millis(now).into()]
            })
            .await?;
        Ok(claimed > 0)
    }

    async fn next_delivery(
        &self,
        customer: &str,
    ) -> Result<Option<(Webhook, Notification)>, StoreError> {
        self.find_delivery(customer).await
    }

    async fn delivered(
        &self,
        webhook: &Webhook,
        id: NotificationId,
        now: Timestamp,
        held: Timestamp,
        lease: Timestamp,
    ) -> Result<bool, StoreError> {
        self.note_delivered(webhook, id, now, (held, lease)).await
    }

    async fn delivery_failed(
        &self,
        webhook: &Webhook,
        reason: &str,
        next: Timestamp,
        held: Timestamp,
    ) -> Result<(), StoreError> {
        self.note_failed(webhook, reason, next, held).await
    }

    async fn release_webhook(&self, customer: &str, held: Timestamp) -> Result<(), StoreError> {
        let release = sql::webhook::RELEASE;
        self.change_webhook(release, customer, move |customer| {
            [customer.into(), millis(held).into()]
        })
        .await?;
        Ok(())
    }
}

/// What ends in a span of the calendar: `select` finds the numbers, `read` each element.
fn ending<T>(
    connection: &Connection,
    select: &str,
    after: Mark,
    until: Timestamp,
    limit: u32,
    read: impl Fn(i64) -> Result<Option<T>, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let values = params![millis(after.at), after.id, millis(until), limit];
    let ids: Vec<i64> = many(connection, select, values, |row| row.get(0))?;
    let found: Vec<Option<T>> = ids.into_iter().map(read).collect::<Result<_, _>>()?;
    Ok(found.into_iter().flatten().collect())
}
