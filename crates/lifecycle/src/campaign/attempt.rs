//! One certificate of a campaign: judged, reissued when the pace allows it, or its customer told; and what becomes of an
//! attempt that fails.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use reseal_pki::csr::Csr;
use serde_json::json;

use super::judge::Verdict;
use super::pace::Turn;
use super::store::ItemEnd;
use super::work::{Pass, SharedCourse};
use super::{Campaign, Item, Outcome, Pace, Ticket, window};
use crate::certificate::Certificate;
use crate::customer::{Caller, Role, Scope};
use crate::error::{Error, Kind};
use crate::issuance::{Answer, CertificateRequest, Mode};
use crate::notification::{Notification, Occasion};
use crate::process::Process;
use crate::services::Services;

/// Before an attempt that failed is repeated: this long, then twice as long each time.
const FIRST_WAIT: SignedDuration = SignedDuration::from_secs(30);
const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(1);
/// Before it is looked again whether a process of the customer's own is open.
const OTHERS_WAIT: SignedDuration = SignedDuration::from_mins(10);
/// After so many attempts it failed for good: more than a day with these waits.
const MOST_ATTEMPTS: u32 = 30;

impl Services {
    /// Does what is to be done about an item. Whatever goes wrong with it is written down beside it, so that it keeps
    /// none of the others waiting; only a store that cannot even take that ends the round.
    pub(super) async fn take_item(
        self: Arc<Self>,
        campaign: Arc<Campaign>,
        item: Item,
        course: SharedCourse,
        pass: Pass,
    ) -> Result<(), Error> {
        let (services, task) = (Arc::clone(&self), Arc::clone(&campaign));
        let tried = item.clone();
        // A task of its own: one that dies fails as any other.
        let attempt =
            tokio::spawn(async move { services.try_item(&task, &tried, &course, pass).await });
        let ended = attempt
            .await
            .unwrap_or_else(|died| Err(Error::internal(died)));
        match ended {
            Ok(()) => Ok(()),
            Err(error) => self.put_back(&campaign, &item, &error).await,
        }
    }

    async fn try_item(
        self: &Arc<Self>,
        campaign: &Campaign,
        item: &Item,
        course: &SharedCourse,
        pass: Pass,
    ) -> Result<(), Error> {
        let now = self.clock.now();
        let found = self
            .store
            .certificate(&Scope::Everything, item.certificate)
            .await?;
        let Some(certificate) = found else {
            let gone = end(Outcome::Skipped, "it is not there any more", now);
            return self.end_item(campaign, item, gone).await;
        };
        let end = match self.verdict(&certificate, campaign.key, now).await? {
            Verdict::Reissue => {
                return self
                    .reissue_in_turn(campaign, item, &certificate, course, pass)
                    .await;
            }
            Verdict::Tell(why) => {
                let advice = format!("Reissue it with a new key ({why})");
                ItemEnd {
                    notification: Some(notice(campaign, &certificate, &advice, now)),
                    ..end(Outcome::Notified, &why, now)
                }
            }
            Verdict::Settled(successor, how) => ItemEnd {
                successor,
                ..end(Outcome::Settled, &how, now)
            },
            Verdict::Skip(why) => end(Outcome::Skipped, &why.in_full(), now),
        };
        self.end_item(campaign, item, end).await
    }

    /// Reissues `certificate` if the pace allows it now.
    async fn reissue_in_turn(
        self: &Arc<Self>,
        campaign: &Campaign,
        item: &Item,
        certificate: &Certificate,
        course: &SharedCourse,
        pass: Pass,
    ) -> Result<(), Error> {
        // What cannot be begun, or is refused, takes no place in the pace; without one, the reissue finds out by itself.
        let is_paced = campaign.pace != Pace::default();
        if (is_paced || pass == Pass::Words) && !self.is_refused_today(certificate).await? {
            if pass == Pass::Words {
                return Ok(());
            }
            self.check_none_open(certificate).await?;
            let turn = course
                .lock()
                .places
                .take(campaign.pace, item, self.clock.now());
            match turn {
                Turn::Now => {}
                Turn::IssuerBusy => {
                    course.lock().is_limited = true;
                    return Ok(());
                }
                Turn::At(place) => {
                    let put_off = self.store.put_off(campaign.id, item, place);
                    return Ok(put_off.await?);
                }
            }
        }
        let process = self.reissue_item(campaign, certificate).await?;
        if process.is_open() && !process.waits_for_people() {
            course.goes_on(&item.issuer, process.id, self.clock.now());
        }
        Ok(())
    }

    async fn reissue_item(
        self: &Arc<Self>,
        campaign: &Campaign,
        certificate: &Certificate,
    ) -> Result<Process, Error> {
        let caller = Caller {
            customer: certificate.customer.clone(),
            user: Campaign::object(campaign.id),
            role: Role::Operator,
            key: 0,
            claim: None,
            ticket: Some(Ticket {
                campaign: campaign.id,
                certificate: certificate.id,
            }),
        };
        let request = same_again(campaign, certificate)?;
        // The commit that opens the process takes the item along, and the one that ends it says how.
        let mode = Mode::Execute;
        match self.reissue(&caller, certificate.id, request, mode).await? {
            Answer::Process { process, .. } => Ok(*process),
            Answer::Quote(_) | Answer::Rehearsal(_) | Answer::Unacknowledged(_) => {
                Err(Error::internal("a reissue that opened no process"))
            }
        }
    }

    /// Notes that an attempt failed: what passes is tried again, what the customer can mend is told to the customer, and
    /// everything else is the item's end.
    async fn put_back(&self, campaign: &Campaign, item: &Item, error: &Error) -> Result<(), Error> {
        let now = self.clock.now();
        let detail = in_words(error);
        let passes = matches!(
            error.kind,
            Kind::Exists | Kind::RateLimited | Kind::Unavailable | Kind::Internal
        );
        let id = item.certificate;
        tracing::warn!(certificate = id, campaign = campaign.id, %error, source = ?error.source, "not reissued");
        // As long as there is time, a process of the customer's own may end, with or without a certificate.
        let waits = error.kind == Kind::Exists && now < campaign.deadline;
        if !passes || !waits && item.attempts + 1 >= MOST_ATTEMPTS {
            let end = self.end_of_refused(campaign, item, error, &detail).await?;
            return self.end_item(campaign, item, end).await;
        }
        let wait = if waits {
            OTHERS_WAIT
        } else {
            wait_after(item.attempts, error)
        };
        let again = now.checked_add(wait).map_err(Error::internal)?;
        let failed = (&*detail, !waits);
        Ok(self
            .store
            .retry_item(campaign.id, id, again, failed, now)
            .await?)
    }

    /// How an item ends whose reissue was refused with `error`.
    async fn end_of_refused(
        &self,
        campaign: &Campaign,
        item: &Item,
        error: &Error,
        detail: &str,
    ) -> Result<ItemEnd, Error> {
        let now = self.clock.now();
        let failed = end(Outcome::Failed, detail, now);
        let id = item.certificate;
        let found = self.store.certificate(&Scope::Everything, id).await?;
        let Some(certificate) = found else {
            return Ok(failed);
        };
        Ok(match error.kind {
            // What the request that is kept cannot do any more, another one can.
            Kind::InvalidCsr | Kind::Constraint | Kind::Rule => {
                let advice =
                    format!("Its request is refused today: reissue it with another one ({detail})");
                ItemEnd {
                    notification: Some(notice(campaign, &certificate, &advice, now)),
                    ..end(Outcome::Notified, detail, now)
                }
            }
            // Somebody may have been faster.
            Kind::Status => match self.verdict(&certificate, campaign.key, now).await? {
                Verdict::Settled(successor, how) => ItemEnd {
                    successor,
                    ..end(Outcome::Settled, &how, now)
                },
                Verdict::Skip(why) => end(Outcome::Skipped, &why.in_full(), now),
                Verdict::Reissue | Verdict::Tell(_) => failed,
            },
            _ => failed,
        })
    }

    async fn end_item(&self, campaign: &Campaign, item: &Item, end: ItemEnd) -> Result<(), Error> {
        Ok(self
            .store
            .end_item(campaign.id, item.certificate, end)
            .await?)
    }
}

fn end(outcome: Outcome, detail: &str, at: Timestamp) -> ItemEnd {
    ItemEnd {
        outcome,
        successor: None,
        detail: detail.to_owned(),
        at,
        notification: None,
    }
}

/// The request that led to `certificate`, for the names that it carries.
fn same_again(campaign: &Campaign, certificate: &Certificate) -> Result<CertificateRequest, Error> {
    let der = certificate.csr.as_deref().unwrap_or_default();
    let csr = Csr::from_der(der).map_err(Error::internal)?.pem();
    let others = certificate
        .names
        .iter()
        .filter(|name| **name != certificate.domain_name);
    Ok(CertificateRequest {
        command: json!({ "campaign": campaign.id, "csr": csr }),
        csr,
        domain_name: Some(certificate.domain_name.clone()),
        san: Some(others.cloned().collect()),
        ..CertificateRequest::default()
    })
}

/// What the customer of `certificate` is told: what to do, and within which window.
fn notice(
    campaign: &Campaign,
    certificate: &Certificate,
    advice: &str,
    now: Timestamp,
) -> Notification {
    let customer = &certificate.customer;
    let name = &certificate.domain_name;
    let mut told =
        Notification::new(customer, Occasion::AttentionNeeded, name, now).about(certificate);
    let (from, until) = window(campaign.created, campaign.deadline, certificate);
    told.message = format!(
        "Certificate {} for {name} has to be replaced until {until:.0}: {}. {advice}.",
        certificate.id, campaign.reason
    );
    told.reason = Some(campaign.reason.clone());
    for (field, moment) in [("windowStart", from), ("windowEnd", until)] {
        told.payload
            .insert(field.to_owned(), format!("{moment:.0}").into());
    }
    told
}

fn in_words(error: &Error) -> String {
    let violations = error
        .violations
        .iter()
        .map(|violation| format!("{}: {}", violation.field, violation.message));
    let all: Vec<String> = std::iter::once(error.message.clone())
        .chain(violations)
        .collect();
    all.join("; ")
}

/// How long to wait after an attempt failed when `before` others had.
fn wait_after(before: u32, error: &Error) -> SignedDuration {
    let factor = 1_i32.checked_shl(before.min(16)).unwrap_or(i32::MAX);
    let wait = FIRST_WAIT
        .checked_mul(factor)
        .unwrap_or(LONGEST_WAIT)
        .min(LONGEST_WAIT);
    let asked = error
        .retry_after
        .and_then(|after| SignedDuration::try_from(after).ok());
    asked.map_or(wait, |asked| wait.max(asked))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn waits_double_up_to_an_hour_and_heed_what_was_asked_for() {
        let plain = Error::new(Kind::Exists, "");
        assert_eq!(wait_after(0, &plain), FIRST_WAIT);
        assert_eq!(wait_after(3, &plain), SignedDuration::from_secs(240));
        assert_eq!(wait_after(29, &plain), LONGEST_WAIT);
        let asked = Error {
            retry_after: Some(Duration::from_hours(5)),
            ..plain
        };
        assert_eq!(wait_after(0, &asked), SignedDuration::from_hours(5));
    }
}
