//! When an upstream wants its certificates replaced (RFC 9773): asked as often as it likes to be, kept, and passed on.
//!
//! The customer is told when that is sooner than it was before: an upstream moves the window forward before it revokes.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::{UpstreamError, after};
use crate::certificate::{Certificate, CertificateId, CertificateStatus};
use crate::customer::Scope;
use crate::error::Error;
use crate::notification::{Notification, Occasion};
use crate::pulse::Part;
use crate::renewal_info::RenewalInfo;
use crate::services::Services;
use crate::worker::stops;

/// Time between two looks into the store.
const PAUSE: Duration = Duration::from_secs(1);
/// Certificates that an upstream is asked about at a time.
const AT_ONCE: u32 = 20;
/// For how long nobody else takes those of a round.
const LEASE: SignedDuration = SignedDuration::from_mins(10);
/// How long to wait where the upstream does not say, and after an answer that is of no use (RFC 9773 section 4.3.3).
const USUAL: Duration = Duration::from_hours(6);
/// The least and the most that is waited (RFC 9773 section 4.3.2).
const SHORTEST: Duration = Duration::from_mins(1);
const LONGEST: Duration = Duration::from_hours(24);
/// The first wait after no answer; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_mins(1);

/// What has to be done so soon is told at once.
const SOON: SignedDuration = SignedDuration::from_hours(24);

/// When a certificate should be replaced, as its upstream says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advice {
    /// From when on.
    pub start: Timestamp,
    /// Until when; behind `start`.
    pub end: Timestamp,
    /// Where people find out why.
    pub explanation: Option<String>,
}

/// What an upstream says of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advised {
    /// When to replace it.
    pub advice: Advice,
    /// When to ask again.
    pub retry_after: Option<Duration>,
}

/// A certificate whose upstream is to be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The certificate.
    pub certificate: CertificateId,
    /// What is known already.
    pub known: Option<Advice>,
    /// How often it was asked in vain since it last answered.
    pub attempts: u32,
}

/// What came of a question.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// The certificate.
    pub certificate: CertificateId,
    /// What is known now.
    pub advice: Option<Advice>,
    /// When to ask again; `None`: no more.
    pub next: Option<Timestamp>,
    /// How often it was asked in vain.
    pub attempts: u32,
    /// What the customer is told.
    pub told: Option<Notification>,
}

/// Asks until `shutdown` becomes true. Each upstream by itself: one that answers slowly keeps no other waiting.
pub(crate) async fn ask(services: Arc<Services>, mut shutdown: watch::Receiver<bool>) {
    let mut rounds = Rounds::default();
    loop {
        services.pulse.beat(Part::Advice);
        if let Err(error) = services.ask_upstreams(&mut rounds).await {
            tracing::warn!(%error, source = ?error.source, "renewal advice of upstreams waits for the next look");
        }
        if stops(&mut shutdown, PAUSE).await {
            break;
        }
    }
    services.pulse.end(Part::Advice);
}

/// The rounds that are under way, one for each upstream at most.
#[derive(Default)]
struct Rounds {
    busy: HashSet<String>,
    tasks: JoinSet<(String, Result<(), Error>)>,
}

impl Services {
    /// Begins a round with each upstream that has none under way.
    async fn ask_upstreams(self: &Arc<Self>, rounds: &mut Rounds) -> Result<(), Error> {
        while let Some(ended) = rounds.tasks.try_join_next() {
            let (issuer, asked) = ended.map_err(Error::internal)?;
            rounds.busy.remove(&issuer);
            asked?;
        }
        if self.upstreams.is_empty() {
            return Ok(());
        }
        let mut issuer = String::new();
        while let Some(next) = self.store.upstream_to_ask_behind(&issuer).await? {
            issuer = next;
            if rounds.busy.insert(issuer.clone()) {
                let (services, issuer) = (Arc::clone(self), issuer.clone());
                rounds.tasks.spawn(async move {
                    let asked = services.ask_one(&issuer).await;
                    (issuer, asked)
                });
            }
        }
        Ok(())
    }

    /// Asks `issuer` about what is due.
    async fn ask_one(self: &Arc<Self>, issuer: &str) -> Result<(), Error> {
        let now = self.clock.now();
        let lease = now.checked_add(LEASE).map_err(Error::internal)?;
        let questions = self.store.take_questions(issuer, now, lease, AT_ONCE);
        let mut asked = JoinSet::new();
        for question in questions.await? {
            let services = Arc::clone(self);
            asked.spawn(async move { services.ask(question).await });
        }
        while let Some(reply) = asked.join_next().await {
            // One that is not stored is asked for again when its lease ends, and is no reason to lose the others.
            let kept = match reply.map_err(Error::internal)? {
                Ok(reply) => {
                    let kept = self.store.answered(reply, lease).await;
                    kept.map_err(Error::from)
                }
                Err(error) => Err(error),
            };
            if let Err(error) = kept {
                tracing::warn!(%error, source = ?error.source, "renewal advice is not stored");
            }
        }
        Ok(())
    }

    async fn ask(&self, question: Question) -> Result<Reply, Error> {
        let id = question.certificate;
        let certificate = self.store.certificate(&Scope::Everything, id).await?;
        let certificate =
            certificate.ok_or_else(|| Error::internal("a certificate that is gone"))?;
        let now = self.clock.now();
        // What is replaced, revoked or over needs no advice any more.
        let is_current = certificate.stored_status == CertificateStatus::Active
            && certificate.not_after > now
            && certificate.revocation.is_none();
        let upstream = self.upstreams.get(&certificate.issuer);
        let (Some(upstream), true) = (upstream, is_current) else {
            return Ok(Reply {
                certificate: id,
                advice: question.known,
                next: is_current.then(|| after(now, LONGEST)),
                attempts: 0,
                told: None,
            });
        };
        let asked = upstream.renewal_info(&certificate.der).await;
        if let Err(error) = &asked {
            tracing::warn!(certificate = id, issuer = certificate.issuer, %error, "the upstream does not say when to renew");
        }
        Ok(reply(&question, &certificate, asked, now))
    }

    /// When `certificate` should be replaced if nothing is wrong with it here: as its upstream says, or by its dates.
    ///
    /// # Errors
    /// The store.
    pub async fn renewal_window(&self, certificate: &Certificate) -> Result<RenewalInfo, Error> {
        if !self.upstreams.contains_key(&certificate.issuer) {
            return Ok(RenewalInfo::usual(certificate));
        }
        let advice = self.store.upstream_advice(certificate.id).await?;
        Ok(match advice {
            Some(advice) => RenewalInfo {
                start: advice.start,
                end: advice.end,
                reason: advice.explanation.map(|url| {
                    format!("The CA that issued it wants it replaced then, and says why: {url}")
                }),
            },
            None => RenewalInfo::usual(certificate),
        })
    }
}

/// What is kept of an answer, and whether the customer is told.
fn reply(
    question: &Question,
    certificate: &Certificate,
    asked: Result<Option<Advised>, UpstreamError>,
    now: Timestamp,
) -> Reply {
    let attempts = question.attempts.saturating_add(1);
    let vain = |wait, attempts| Reply {
        certificate: question.certificate,
        advice: question.known.clone(),
        next: Some(after(now, wait)),
        attempts,
        told: None,
    };
    match asked {
        // One that begins behind the certificate's end would have it renewed too late.
        Ok(Some(advised)) if advised.advice.start >= certificate.not_after => vain(USUAL, attempts),
        Ok(Some(Advised {
            mut advice,
            retry_after,
        })) => {
            advice.end = advice.end.min(certificate.not_after);
            let wait = retry_after.unwrap_or(USUAL).clamp(SHORTEST, LONGEST);
            let news = is_news(&advice, question.known.as_ref(), certificate, now);
            Reply {
                certificate: question.certificate,
                told: news.then(|| advised(certificate, &advice, now)),
                advice: Some(advice),
                next: Some(after(now, wait)),
                attempts: 0,
            }
        }
        // It does not offer that; perhaps one day it does.
        Ok(None) => vain(LONGEST, 0),
        Err(UpstreamError::Unavailable {
            retry_after: Some(wait),
            ..
        }) => vain(wait.clamp(SHORTEST, LONGEST), attempts),
        Err(UpstreamError::Unavailable { .. } | UpstreamError::Lost(_)) => {
            let doubled = FIRST_WAIT * (1 << question.attempts.min(10));
            vain(doubled.min(USUAL), attempts)
        }
        Err(UpstreamError::Refused { .. }) => vain(USUAL, attempts),
    }
}

/// Whether the customer has to act sooner than could be known: the whole window was moved forward, or a certificate that
/// should last much longer has to go within a day.
fn is_news(
    advice: &Advice,
    known: Option<&Advice>,
    certificate: &Certificate,
    now: Timestamp,
) -> bool {
    if let Some(known) = known {
        return advice.end < known.start;
    }
    let usual = RenewalInfo::usual(certificate).start;
    advice.end < usual && advice.end <= now.saturating_add(SOON).unwrap_or(now)
}

fn advised(certificate: &Certificate, advice: &Advice, now: Timestamp) -> Notification {
    let mut told = Notification::new(
        &certificate.customer,
        Occasion::ReissueAdvised,
        &certificate.domain_name,
        now,
    )
    .about(certificate);
    let (start, end) = (format!("{:.0}", advice.start), format!("{:.0}", advice.end));
    let why = match &advice.explanation {
        Some(url) => format!(" Its reasons: {url}."),
        None => String::new(),
    };
    told.message = format!(
        "The CA of certificate {} for {} wants it replaced between {start} and {end}, sooner than expected. Reissue it.{why}",
        certificate.id, certificate.domain_name
    );
    told.payload.insert("windowStart".to_owned(), json!(start));
    told.payload.insert("windowEnd".to_owned(), json!(end));
    if let Some(url) = &advice.explanation {
        told.payload.insert("explanationUrl".to_owned(), json!(url));
    }
    told
}
