//! A customer's side: looking through notifications, taking the next one, acknowledging.

use super::{Notification, NotificationId, Unread};
use crate::customer::{Caller, Scope};
use crate::error::Error;
use crate::query::{NotificationQuery, Page};
use crate::services::Services;

impl Services {
    /// The caller's notifications that match.
    pub async fn notifications(
        &self,
        caller: &Caller,
        query: &NotificationQuery,
    ) -> Result<Page<Notification>, Error> {
        Ok(self.store.notifications(&caller.scope(), query).await?)
    }

    /// A notification of the caller's; from now on it counts as read.
    ///
    /// # Errors
    /// [`crate::Kind::NotFound`], the same for what never was and what is somebody else's.
    pub async fn notification(
        &self,
        caller: &Caller,
        id: NotificationId,
    ) -> Result<Notification, Error> {
        let found = self.store.notification(&caller.scope(), id).await?;
        let mut found = found.ok_or_else(not_found)?;
        self.note_read(&mut found).await;
        Ok(found)
    }

    /// The oldest notification that `customer` has not acknowledged: the same one until it is.
    pub async fn poll(&self, customer: &str) -> Result<Unread, Error> {
        let mut unread = self.store.unread(customer).await?;
        if let Some(oldest) = &mut unread.oldest {
            self.note_read(oldest).await;
        }
        Ok(unread)
    }

    /// Acknowledges a notification of the caller's. Doing it again changes nothing.
    ///
    /// # Errors
    /// [`crate::Kind::NotFound`].
    pub async fn acknowledge(&self, caller: &Caller, id: NotificationId) -> Result<(), Error> {
        let (scope, now): (Scope, _) = (caller.scope(), self.clock.now());
        if self.store.acknowledge(&scope, id, now).await? {
            return Ok(());
        }
        Err(not_found())
    }

    /// A look must not fail because that cannot be noted.
    async fn note_read(&self, notification: &mut Notification) {
        if notification.read.is_some() {
            return;
        }
        let now = self.clock.now();
        match self.store.mark_read(notification.id, now).await {
            Ok(()) => notification.read = Some(now),
            Err(error) => tracing::warn!(%error, "it cannot be noted that a notification was read"),
        }
    }
}

fn not_found() -> Error {
    Error::not_found("Notification")
}
