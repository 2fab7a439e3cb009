//! Certificates and subscriptions that come to their end: each is told of once for each number of days.
//!
//! Each number of days has a watch that wanders along the calendar. How far it has come is stored in the
//! commit that stores what it found, so that neither a crash nor a second server tells anything twice, and
//! issuing a certificate costs nothing for it. After a long stop a certificate is told of once, by the
//! smallest number of days that fits.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tokio::sync::watch::Receiver;

use super::{Mark, Notification, Occasion};
use crate::certificate::{Certificate, CertificateStatus};
use crate::customer::Scope;
use crate::error::Error;
use crate::pulse::Part;
use crate::services::Services;
use crate::store::{StoreError, Subscription};
use crate::worker::stops;

/// Days before the end of a certificate, and the next smaller number, which tells of what is nearer.
const CERTIFICATE_DAYS: [(i64, i64); 4] = [(30, 14), (14, 7), (7, 1), (1, 0)];
/// Days before the end of a subscription.
const SUBSCRIPTION_DAYS: i64 = 30;
/// Notifications in one commit.
const BATCH: u32 = 200;
/// Time between two looks; the smallest number of days is much longer.
const PAUSE: Duration = Duration::from_mins(5);

/// Looks until `shutdown` becomes true.
pub(crate) async fn watch(services: Arc<Services>, mut shutdown: Receiver<bool>) {
    loop {
        services.pulse.beat(Part::Notices);
        if let Err(error) = services.announce_ends().await {
            tracing::warn!(%error, source = ?error.source, "notices of expiry wait for the next look");
        }
        if stops(&mut shutdown, PAUSE).await {
            break;
        }
    }
    services.pulse.end(Part::Notices);
}

impl Services {
    async fn announce_ends(&self) -> Result<(), Error> {
        for (days, nearer) in CERTIFICATE_DAYS {
            while self.announce_certificates(days, nearer).await? {}
        }
        while self.announce_subscriptions().await? {}
        Ok(())
    }

    /// One batch; whether there may be more.
    async fn announce_certificates(&self, days: i64, nearer: i64) -> Result<bool, Error> {
        let name = format!("certificate-{days}");
        let now = self.clock.now();
        let Some(span) = self.span(&name, now, days, nearer).await? else {
            return Ok(false);
        };
        let found = self
            .store
            .ending_certificates(span.after, span.until, BATCH)
            .await?;
        let last = found.last().map(|certificate| Mark {
            at: certificate.not_after,
            id: certificate.id,
        });
        let told = found
            .iter()
            .map(|certificate| expiring(certificate, days, now))
            .collect();
        self.move_on(&name, &span, last, found.len(), told).await
    }

    async fn announce_subscriptions(&self) -> Result<bool, Error> {
        let name = format!("subscription-{SUBSCRIPTION_DAYS}");
        let now = self.clock.now();
        let Some(span) = self.span(&name, now, SUBSCRIPTION_DAYS, 0).await? else {
            return Ok(false);
        };
        let found = self
            .store
            .ending_subscriptions(span.after, span.until, BATCH)
            .await?;
        let last = found.last().map(|(subscription, _)| Mark {
            at: subscription.end,
            id: subscription.id,
        });
        let mut told = Vec::new();
        for (subscription, newest) in &found {
            let newest = self.store.certificate(&Scope::Everything, *newest).await?;
            // Renewed or given up: nothing to act on.
            let alive = newest.filter(|newest| newest.stored_status == CertificateStatus::Active);
            told.extend(alive.map(|newest| ending(subscription, &newest, now)));
        }
        self.move_on(&name, &span, last, found.len(), told).await
    }

    /// The part of the calendar that is to be looked at now, if any.
    async fn span(
        &self,
        name: &str,
        now: Timestamp,
        days: i64,
        nearer: i64,
    ) -> Result<Option<Span>, Error> {
        let before = self.store.watched(name).await?;
        let in_days = |days: i64| {
            now.checked_add(SignedDuration::from_hours(24 * days))
                .map_err(Error::internal)
        };
        let near = Mark {
            at: in_days(nearer)?,
            id: i64::MAX,
        };
        let after = before.map_or(near, |mark| mark.max(near));
        let until = in_days(days)?;
        Ok((after.at < until).then_some(Span {
            before,
            after,
            until,
        }))
    }

    async fn move_on(
        &self,
        name: &str,
        span: &Span,
        last: Option<Mark>,
        found: usize,
        told: Vec<Notification>,
    ) -> Result<bool, Error> {
        let full = found == BATCH as usize;
        let to = last.filter(|_| full).unwrap_or(Mark {
            at: span.until,
            id: i64::MAX,
        });
        match self.store.announce(name, span.before, to, told).await {
            Ok(()) => Ok(full),
            // Another server has told already.
            Err(StoreError::Stale) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

struct Span {
    before: Option<Mark>,
    after: Mark,
    until: Timestamp,
}

fn expiring(certificate: &Certificate, days: i64, now: Timestamp) -> Notification {
    let left = days_left(certificate.not_after, now);
    let day = SignedDuration::from_hours(24);
    let advice = if certificate
        .subscription_end
        .duration_since(certificate.not_after)
        > day
    {
        "Reissue it: its subscription goes on."
    } else {
        "Renew it: its subscription ends with it."
    };
    let mut told = Notification::new(
        &certificate.customer,
        Occasion::Expiring,
        &certificate.domain_name,
        now,
    )
    .about(certificate);
    told.message = format!(
        "Certificate {} for {} expires in {left}, at {:.0}. {advice}",
        certificate.id, certificate.domain_name, certificate.not_after
    );
    told.payload.insert("days".to_owned(), json!(days));
    add_subscription_end(&mut told, certificate.subscription_end);
    told
}

fn ending(subscription: &Subscription, newest: &Certificate, now: Timestamp) -> Notification {
    let left = days_left(subscription.end, now);
    let mut told = Notification::new(
        &subscription.customer,
        Occasion::SubscriptionEnding,
        &newest.domain_name,
        now,
    )
    .about(newest);
    told.message = format!(
        "The subscription of certificate {} for {} ends in {left}, at {:.0}. Renew it: no certificate of it will be valid longer.",
        newest.id, newest.domain_name, subscription.end
    );
    add_subscription_end(&mut told, subscription.end);
    told
}

fn add_subscription_end(told: &mut Notification, end: Timestamp) {
    let end = json!(format!("{end:.0}"));
    told.payload.insert("subscriptionEndDate".to_owned(), end);
}

/// How many days are left, a begun one counted.
fn days_left(end: Timestamp, now: Timestamp) -> String {
    let seconds = end.duration_since(now).as_secs().max(0);
    match (seconds + 86_399) / 86_400 {
        0 | 1 => "one day".to_owned(),
        days => format!("{days} days"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_begun_day_counts() {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let in_seconds = |seconds: i64| days_left(now + SignedDuration::from_secs(seconds), now);
        assert_eq!(in_seconds(14 * 86_400), "14 days");
        assert_eq!(in_seconds(13 * 86_400 + 1), "14 days");
        assert_eq!(in_seconds(86_400), "one day");
        assert_eq!(in_seconds(1), "one day");
    }

    #[test]
    fn the_numbers_of_days_leave_no_gap() {
        for pair in CERTIFICATE_DAYS.windows(2) {
            assert_eq!(pair[0].1, pair[1].0);
        }
        assert_eq!(CERTIFICATE_DAYS[3].1, 0);
    }
}
