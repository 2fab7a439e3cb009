//! The worker's part that carries campaigns out, round by round: collects what each is about, and takes what is due as far as
//! pace and load allow. Only one node at a time works on a campaign.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch::Receiver;
use tokio::task::{JoinError, JoinSet};

use super::pace::Places;
use super::plan::{SLICE, slice, urgency};
use super::{Campaign, CampaignId, CampaignStatus, Item, Outcome, Pace};
use crate::audit::{AuditEntry, SERVER};
use crate::certificate::CertificateId;
use crate::customer::Scope;
use crate::error::Error;
use crate::process::ProcessId;
use crate::pulse::Part;
use crate::services::Services;
use crate::worker::stops;

/// Time between two looks when nothing is due.
const PAUSE: Duration = Duration::from_secs(1);
/// How long a node may be silent before another one goes on with its campaigns.
const LEASE: SignedDuration = SignedDuration::from_secs(60);
/// Items of an issuer taken at a time; the lease is renewed in between.
const BATCH: u32 = 256;
/// Attempts under way at the same time: customers' own calls come in between.
const AT_ONCE: usize = 16;
/// Processes of an issuer that a campaign began and that go on by themselves, because they wait for logs or an upstream:
/// with so many it begins no more, so that there is something left to stop, and slots for everybody else.
const MOST_UNDER_WAY: usize = 64;
/// A process that has taken so long may take for ever: it keeps none from beginning any more.
const STUCK: SignedDuration = SignedDuration::from_hours(1);
/// After so long a time nobody has kept to places in the pace, and they are given anew.
const GAP: SignedDuration = SignedDuration::from_mins(10);
/// Places that one commit forgets: others write in between.
const FORGOTTEN_AT_ONCE: u32 = 1000;

/// What this node remembers of a campaign that it works on.
pub(super) struct Course {
    pub(super) places: Places,
    /// Of each issuer, the processes that went on by themselves when they were last looked at, and since when.
    under_way: HashMap<String, Vec<(ProcessId, Timestamp)>>,
    /// Certificates up to this number have been looked at for what does not wait for the pace.
    sorted: CertificateId,
    /// Whether the pace kept something from beginning in this round.
    pub(super) is_limited: bool,
    /// When the last round was.
    seen: Timestamp,
}

/// Attempts of one round share it.
#[derive(Clone)]
pub(super) struct SharedCourse(Arc<Mutex<Course>>);

impl SharedCourse {
    fn begun(now: Timestamp) -> Self {
        Self(Arc::new(Mutex::new(Course {
            places: Places::new(now),
            under_way: HashMap::new(),
            sorted: 0,
            is_limited: false,
            seen: now,
        })))
    }

    /// Whether `issuer` has to wait at `now`; if so, that is noted.
    fn has_to_wait(&self, pace: Pace, issuer: &str, now: Timestamp) -> bool {
        let mut course = self.lock();
        let under_way = course.under_way.get(issuer).map_or(0, Vec::len);
        let waits = under_way >= MOST_UNDER_WAY || course.places.is_busy(pace, issuer, now);
        course.is_limited |= waits;
        waits
    }

    /// A process of `issuer` goes on by itself since `now`.
    pub(super) fn goes_on(&self, issuer: &str, process: ProcessId, now: Timestamp) {
        let mut course = self.lock();
        let under_way = course.under_way.entry(issuer.to_owned()).or_default();
        under_way.push((process, now));
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Course> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

type Courses = HashMap<CampaignId, SharedCourse>;

/// What the parts of a round have in common.
#[derive(Clone, Copy)]
struct Round<'a> {
    owner: &'a str,
    campaign: &'a Arc<Campaign>,
    course: &'a SharedCourse,
}

/// What is done about items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pass {
    /// Only what begins no reissue.
    Words,
    /// Everything.
    All,
}

/// Works on campaigns until `shutdown` becomes true.
pub(crate) async fn work(services: Arc<Services>, mut shutdown: Receiver<bool>) {
    let owner = name_of_this_node();
    let mut courses = Courses::new();
    loop {
        services.pulse.beat(Part::Campaigns);
        let busy = services.advance_campaigns(&owner, &mut courses).await;
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
        courses: &mut Courses,
    ) -> Result<bool, Error> {
        let now = self.clock.now();
        let lease = now.checked_add(LEASE).map_err(Error::internal)?;
        let running = self.store.claim_campaigns(owner, now, lease).await?;
        // One that was paused for a moment goes on where it was.
        courses.retain(|_, course| now.duration_since(course.lock().seen) < GAP);
        let mut busy = false;
        for campaign in running {
            let id = campaign.id;
            match self.advance_campaign(owner, campaign, courses).await {
                Ok(more) => busy |= more,
                // The others do not wait for it.
                Err(error) => {
                    tracing::warn!(campaign = id, %error, source = ?error.source, "waits for the next look");
                }
            }
        }
        Ok(busy)
    }

    async fn advance_campaign(
        self: &Arc<Self>,
        owner: &str,
        campaign: Campaign,
        courses: &mut Courses,
    ) -> Result<bool, Error> {
        let now = self.clock.now();
        if !campaign.is_collected() {
            // The most urgent come first, so nothing is begun before all are known.
            self.collect(&campaign, now).await?;
            return Ok(true);
        }
        let id = campaign.id;
        if now > campaign.deadline && self.store.end_missed(id, now, BATCH).await? > 0 {
            return Ok(true);
        }
        let course = self.course_of(&campaign, courses, now).await?;
        let campaign = Arc::new(campaign);
        let round = Round {
            owner,
            campaign: &campaign,
            course: &course,
        };
        let is_sorted = self.sort_some(round).await?;
        let (due, is_all) = self.due(&campaign, &course, now).await?;
        if due.is_empty() && is_sorted {
            if !self.store.has_unfinished(id).await? {
                self.complete(id, now).await?;
            }
            return Ok(false);
        }
        self.take_items(round, due, Pass::All).await?;
        let mut course = course.lock();
        course.seen = self.clock.now();
        Ok(!is_sorted || !is_all && !course.is_limited)
    }

    /// Looks at some certificates of a campaign that has a pace, or has begun too much, for what need not wait for that:
    /// customers who have to be told do not wait for others' reissues. Whether all have been looked at.
    async fn sort_some(self: &Arc<Self>, round: Round<'_>) -> Result<bool, Error> {
        let after = {
            let course = round.course.lock();
            let mut under_way = course.under_way.values();
            let is_full = under_way.any(|known| known.len() >= MOST_UNDER_WAY);
            if round.campaign.pace == Pace::default() && !is_full {
                return Ok(true);
            }
            course.sorted
        };
        let items = self.store.items(round.campaign.id, after, BATCH).await?;
        let Some(last) = items.last() else {
            return Ok(true);
        };
        let last = last.certificate;
        let mut waiting = items;
        waiting.retain(|item| item.outcome == Outcome::Waiting);
        if self.take_items(round, waiting, Pass::Words).await? {
            round.course.lock().sorted = last;
        }
        Ok(false)
    }

    /// What is known of `campaign`'s course. Whoever has not looked for long (another node did, it was paused, the server was
    /// stopped) gives places in the pace anew: those that were given have passed together.
    async fn course_of(
        &self,
        campaign: &Campaign,
        courses: &mut Courses,
        now: Timestamp,
    ) -> Result<SharedCourse, Error> {
        if let Some(known) = courses.get(&campaign.id) {
            let mut course = known.lock();
            if now.duration_since(course.seen) < GAP {
                course.seen = now;
                course.is_limited = false;
                course.places.begin_round(now);
                drop(course);
                return Ok(known.clone());
            }
        }
        for issuer in self.store.waiting_issuers(campaign.id).await? {
            let forget = async || {
                let limit = FORGOTTEN_AT_ONCE;
                self.store.forget_places(campaign.id, &issuer, limit).await
            };
            while forget().await? == u64::from(FORGOTTEN_AT_ONCE) {}
        }
        let course = SharedCourse::begun(now);
        courses.insert(campaign.id, course.clone());
        Ok(course)
    }

    /// Looks again at what goes on by itself of `issuer`, when that is too much.
    async fn look_after(
        &self,
        course: &SharedCourse,
        issuer: &str,
        now: Timestamp,
    ) -> Result<(), Error> {
        let known = course.lock().under_way.get(issuer).cloned();
        let Some(mut known) = known.filter(|known| known.len() >= MOST_UNDER_WAY) else {
            return Ok(());
        };
        known.retain(|(_, since)| now.duration_since(*since) < STUCK);
        let mut left = Vec::new();
        for (id, since) in known {
            let process = self.store.process(&Scope::Everything, id).await?;
            if process.is_some_and(|process| process.is_open() && !process.waits_for_people()) {
                left.push((id, since));
            }
        }
        course.lock().under_way.insert(issuer.to_owned(), left);
        Ok(())
    }

    /// What is due of the issuers that the pace lets sign, the most urgent first; and whether that is all of it.
    async fn due(
        &self,
        campaign: &Campaign,
        course: &SharedCourse,
        now: Timestamp,
    ) -> Result<(Vec<Item>, bool), Error> {
        let (mut due, mut is_all) = (Vec::new(), true);
        for issuer in self.store.waiting_issuers(campaign.id).await? {
            self.look_after(course, &issuer, now).await?;
            if course.has_to_wait(campaign.pace, &issuer, now) {
                continue;
            }
            let found = self.store.due_items(campaign.id, &issuer, now, BATCH);
            let found = found.await?;
            is_all &= found.len() < BATCH as usize;
            due.extend(found);
        }
        due.sort_unstable_by_key(|item| (item.urgent, item.certificate));
        Ok((due, is_all))
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
                issuer: self.signer_of(&certificate),
                urgent: urgency(&certificate, now),
                due: Timestamp::UNIX_EPOCH,
                has_place: false,
                customer: certificate.customer,
                outcome: Outcome::Waiting,
                process: None,
                successor: None,
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

    /// Does what is due, some at a time, as long as the campaign runs and is this node's; whether it was until the end.
    async fn take_items(
        self: &Arc<Self>,
        round: Round<'_>,
        due: Vec<Item>,
        pass: Pass,
    ) -> Result<bool, Error> {
        let Round {
            owner,
            campaign,
            course,
        } = round;
        let mut running = JoinSet::new();
        let mut claimed = Instant::now();
        let mut is_ours = true;
        for item in due {
            if running.len() >= AT_ONCE {
                joined(running.join_next().await)?;
            }
            let now = self.clock.now();
            if pass == Pass::All && course.has_to_wait(campaign.pace, &item.issuer, now) {
                continue;
            }
            if claimed.elapsed() > LEASE.unsigned_abs() / 3 {
                claimed = Instant::now();
                let lease = now.checked_add(LEASE).map_err(Error::internal)?;
                let ours = self.store.claim_campaigns(owner, now, lease).await?;
                is_ours = ours.iter().any(|one| one.id == campaign.id);
            }
            if !is_ours || !self.store.campaign_runs(campaign.id).await? {
                is_ours = false;
                break;
            }
            let (services, campaign) = (Arc::clone(self), Arc::clone(campaign));
            let course = course.clone();
            let attempt = services.take_item(campaign, item, course, pass);
            running.spawn(attempt);
        }
        while let Some(ended) = running.join_next().await {
            joined(Some(ended))?;
        }
        Ok(is_ours)
    }
}

/// An error of the store ends the round.
fn joined(ended: Option<Result<Result<(), Error>, JoinError>>) -> Result<(), Error> {
    ended.map_or(Ok(()), |ended| ended.map_err(Error::internal)?)
}
