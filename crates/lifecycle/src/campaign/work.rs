//! The worker's part that carries campaigns out: collects what each is about, reissues what is due or tells the
//! customer, and looks what became of it. Only one node at a time works on a campaign.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use reseal_pki::csr::Csr;
use serde_json::json;
use tokio::sync::watch::Receiver;
use tokio::task::JoinSet;

use super::judge::Verdict;
use super::pace::Places;
use super::plan::{SLICE, slice, urgency};
use super::store::ItemEnd;
use super::{Campaign, CampaignId, CampaignStatus, Item, Outcome, Ticket};
use crate::audit::{AuditEntry, SERVER};
use crate::certificate::Certificate;
use crate::customer::{Caller, Role, Scope};
use crate::error::{Error, Kind};
use crate::issuance::{CertificateRequest, Mode};
use crate::notification::{Notification, Occasion};
use crate::pulse::Part;
use crate::services::Services;
use crate::worker::stops;

/// Time between two looks when nothing is due.
const PAUSE: Duration = Duration::from_secs(1);
/// How long a node may be silent before another one goes on with its campaigns.
const LEASE: SignedDuration = SignedDuration::from_secs(60);
/// Items taken at a time; the lease is renewed in between.
const BATCH: u32 = 256;
/// Reissues under way at the same time: customers' own calls come in between.
const AT_ONCE: usize = 16;
/// Before an attempt that failed is repeated: this long, then twice as long each time.
const FIRST_WAIT: SignedDuration = SignedDuration::from_secs(30);
const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(1);
/// After so many attempts it failed for good: more than a day with these waits.
const MOST_ATTEMPTS: u32 = 30;

/// The places in time of each campaign's reissues.
type Paces = HashMap<CampaignId, Places>;

/// Works on campaigns until `shutdown` becomes true.
pub(crate) async fn work(services: Arc<Services>, mut shutdown: Receiver<bool>) {
    let owner = name_of_this_node();
    let mut paces = Paces::new();
    loop {
        services.pulse.beat(Part::Campaigns);
        let busy = services.advance_campaigns(&owner, &mut paces).await;
        let pause = match busy {
            Ok(true) => Duration::ZERO,
            Ok(false) => PAUSE,
            Err(error) => {
                tracing::warn!(%error, source = ?error.source, "campaigns wait for the next look");
                PAUSE
            }
        };
        if stops(&mut shutdown, pause).await {
            break;
        }
    }
    services.pulse.end(Part::Campaigns);
}

/// Tells this node from others. Without randomness from the system nothing would be signed anyway.
fn name_of_this_node() -> String {
    let mut octets = [0_u8; 16];
    let _ = aws_lc_rs::rand::fill(&mut octets);
    hex::encode(octets)
}

impl Services {
    /// One round over all campaigns; whether there is more to do at once.
    async fn advance_campaigns(
        self: &Arc<Self>,
        owner: &str,
        paces: &mut Paces,
    ) -> Result<bool, Error> {
        let now = self.clock.now();
        let lease = now.checked_add(LEASE).map_err(Error::internal)?;
        let running = self.store.claim_campaigns(owner, now, lease).await?;
        paces.retain(|id, _| running.iter().any(|campaign| campaign.id == *id));
        let mut busy = false;
        for campaign in running {
            let places = match paces.entry(campaign.id) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => {
                    let taken = self.store.taken_places(campaign.id, now).await?;
                    new.insert(Places::resume(campaign.pace, taken))
                }
            };
            busy |= self.advance_campaign(owner, campaign, places, now).await?;
        }
        Ok(busy)
    }

    async fn advance_campaign(
        self: &Arc<Self>,
        owner: &str,
        campaign: Campaign,
        places: &mut Places,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let collected = campaign.is_collected();
        if !collected {
            // The most urgent come first, so nothing is begun before all are known.
            self.collect(&campaign, now).await?;
            return Ok(true);
        }
        let id = campaign.id;
        if now > campaign.deadline && self.store.end_missed(id, now, BATCH).await? > 0 {
            return Ok(true);
        }
        let due = self.store.due_items(id, now, BATCH).await?;
        if due.is_empty() {
            if !self.store.has_unfinished(id).await? {
                self.complete(id, now).await?;
            }
            return Ok(false);
        }
        let full = due.len() == BATCH as usize;
        let due = self.keep_pace(&campaign, due, places, now).await?;
        self.take_items(owner, &Arc::new(campaign), due).await?;
        Ok(full)
    }

    async fn collect(&self, campaign: &Campaign, now: Timestamp) -> Result<(), Error> {
        let query = slice(&campaign.selection, campaign.through, campaign.last, false);
        let found = self.store.selected(&query, now).await?;
        let through = match found.last() {
            Some(certificate) if found.len() == SLICE as usize => certificate.id,
            _ => campaign.last,
        };
        let items = found
            .into_iter()
            .map(|certificate| Item {
                certificate: certificate.id,
                urgent: urgency(&certificate),
                customer: certificate.customer,
                issuer: certificate.issuer,
                outcome: Outcome::Waiting,
                process: None,
                successor: None,
                had_its_place: false,
                attempts: 0,
                detail: None,
                updated: now,
            })
            .collect();
        Ok(self.store.add_items(campaign.id, items, through).await?)
    }

    async fn complete(&self, id: CampaignId, now: Timestamp) -> Result<(), Error> {
        let Some(progress) = self.store.campaign(id).await? else {
            return Ok(());
        };
        let action = "campaign.complete";
        let mut entry = AuditEntry::new(now, SERVER, action, Campaign::object(id));
        for (outcome, count) in &progress.outcomes {
            entry = entry.with(outcome.as_str(), *count);
        }
        self.store
            .change_campaign(
                id,
                &[CampaignStatus::Running],
                CampaignStatus::Completed,
                now,
                entry,
            )
            .await?;
        Ok(())
    }

    /// What of `due` the pace allows now; the rest is put off until its time.
    async fn keep_pace(
        &self,
        campaign: &Campaign,
        mut due: Vec<Item>,
        places: &mut Places,
        now: Timestamp,
    ) -> Result<Vec<Item>, Error> {
        let mut later = Vec::new();
        due.retain(|item| {
            let paced = item.attempts == 0 && !item.had_its_place;
            let at = paced
                .then(|| places.take(campaign.pace, &item.issuer, &item.customer, now))
                .flatten();
            later.extend(at.map(|at| (item.certificate, at)));
            at.is_none()
        });
        if !later.is_empty() {
            self.store.put_off(campaign.id, later).await?;
        }
        Ok(due)
    }

    /// Does what is due, some at a time, as long as the campaign runs and is this node's.
    async fn take_items(
        self: &Arc<Self>,
        owner: &str,
        campaign: &Arc<Campaign>,
        due: Vec<Item>,
    ) -> Result<(), Error> {
        let mut running = JoinSet::new();
        let mut claimed = Instant::now();
        for item in due {
            if running.len() >= AT_ONCE {
                joined(running.join_next().await)?;
            }
            if claimed.elapsed() > LEASE.unsigned_abs() / 3 {
                claimed = Instant::now();
                let now = self.clock.now();
                let lease = now.checked_add(LEASE).map_err(Error::internal)?;
                let ours = self.store.claim_campaigns(owner, now, lease).await?;
                if !ours.iter().any(|one| one.id == campaign.id) {
                    break;
                }
            }
            if !self.store.campaign_runs(campaign.id).await? {
                break;
            }
            let (services, campaign) = (Arc::clone(self), Arc::clone(campaign));
            running.spawn(async move { services.take_item(campaign, item).await });
        }
        while let Some(ended) = running.join_next().await {
            joined(Some(ended))?;
        }
        Ok(())
    }

    /// Does what is to be done about an item. Whatever goes wrong with it is written down beside it, so that it keeps
    /// none of the others waiting; only a store that cannot even take that ends the round.
    async fn take_item(self: Arc<Self>, campaign: Arc<Campaign>, item: Item) -> Result<(), Error> {
        let (services, task) = (Arc::clone(&self), Arc::clone(&campaign));
        let tried = item.clone();
        // A task of its own: one that dies fails as any other.
        let attempt = tokio::spawn(async move { services.try_item(&task, &tried).await });
        let ended = attempt
            .await
            .unwrap_or_else(|died| Err(Error::internal(died)));
        match ended {
            Ok(()) => Ok(()),
            Err(error) => self.put_back(&campaign, &item, &error).await,
        }
    }

    async fn try_item(self: &Arc<Self>, campaign: &Campaign, item: &Item) -> Result<(), Error> {
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
            Verdict::Reissue => return self.reissue_item(campaign, &certificate).await,
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
            Verdict::Skip(why) => end(Outcome::Skipped, &why, now),
        };
        self.end_item(campaign, item, end).await
    }

    async fn reissue_item(
        self: &Arc<Self>,
        campaign: &Campaign,
        certificate: &Certificate,
    ) -> Result<(), Error> {
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
        self.reissue(&caller, certificate.id, request, Mode::Execute)
            .await
            .map(drop)
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
        if !passes || item.attempts + 1 >= MOST_ATTEMPTS {
            let end = self.end_of_refused(campaign, item, error, &detail).await?;
            return self.end_item(campaign, item, end).await;
        }
        let again = now
            .checked_add(wait_after(item.attempts, error))
            .map_err(Error::internal)?;
        Ok(self
            .store
            .retry_item(campaign.id, id, again, &detail, now)
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
                Verdict::Skip(why) => end(Outcome::Skipped, &why, now),
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

/// An error of the store ends the round.
fn joined(ended: Option<Result<Result<(), Error>, tokio::task::JoinError>>) -> Result<(), Error> {
    ended.map_or(Ok(()), |ended| ended.map_err(Error::internal)?)
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
    let until = campaign.deadline.min(urgency(certificate)).max(now);
    told.message = format!(
        "Certificate {} for {name} has to be replaced until {until:.0}: {}. {advice}.",
        certificate.id, campaign.reason
    );
    told.reason = Some(campaign.reason.clone());
    for (field, moment) in [("windowStart", now), ("windowEnd", until)] {
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
