//! Signing what is due.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch::Receiver;

use super::{Crl, CrlOrder, CrlScope, CrlState, CrlStore, Publication, Revoked, schedule};
use crate::audit::SERVER;
use crate::clock::Clock;
use crate::error::Error;
use crate::issuer::{Issuer, IssuerError};
use crate::pulse::Part;
use crate::services::Services;
use crate::store::StoreError;
use crate::worker::stops;

/// Time between two looks for revocations that no list shows yet.
const PAUSE: Duration = Duration::from_millis(500);
/// Time between two looks at the calendar.
const CALENDAR: SignedDuration = SignedDuration::from_secs(30);
/// How long a list that could not be signed is left alone: at first, and in the end.
const FIRST_RETRY: SignedDuration = SignedDuration::from_secs(10);
const LAST_RETRY: SignedDuration = SignedDuration::from_mins(10);
/// A list that is good for less than this and cannot be signed is worth a warning: always, for subscribers'.
const URGENT: SignedDuration = SignedDuration::from_hours(60 * 24);
/// Bytes and lists in one commit: enough to spare the disk, few enough to hold up nobody.
const BATCH_BYTES: usize = 256 * 1024;
const BATCH_LISTS: usize = 32;

/// What a round came to.
#[derive(Debug, Default)]
pub struct Outcome {
    /// How many lists were signed and stored.
    pub signed: usize,
    /// Lists that could not be signed.
    pub failed: Vec<Failure>,
}

/// A list that could not be signed.
#[derive(Debug)]
pub struct Failure {
    /// Its name.
    pub list: String,
    /// Why.
    pub error: IssuerError,
    /// Until when the present list is good, if there is one.
    pub good_until: Option<Timestamp>,
}

/// Signs until `shutdown` becomes true.
pub(crate) async fn publish(services: Arc<Services>, mut shutdown: Receiver<bool>) {
    let mut rounds: HashMap<_, _> = services
        .issuers
        .keys()
        .map(|name| (name.clone(), Round::default()))
        .collect();
    loop {
        services.pulse.beat(Part::Lists);
        for (name, issuer) in &services.issuers {
            let round = rounds.entry(name.clone()).or_default();
            if let Err(error) = round.run(&services, name, issuer.as_ref()).await {
                tracing::warn!(issuer = name, %error, source = ?error.source, "revocation lists wait");
            }
        }
        if stops(&mut shutdown, PAUSE).await {
            break;
        }
    }
    services.pulse.end(Part::Lists);
}

/// What is remembered from one look to the next.
#[derive(Default)]
struct Round {
    calendar_seen: Option<Timestamp>,
    /// Lists that could not be signed.
    failed: HashMap<String, Rest>,
}

/// For how long something is left alone.
#[derive(Clone, Copy)]
struct Rest {
    since: Timestamp,
    time: SignedDuration,
}

impl Rest {
    /// Four times as long as the one `before`: an issuer is often back at once, and sometimes away for days.
    fn after(before: Option<Self>, now: Timestamp) -> Self {
        let longer = |before: Self| (before.time * 4).min(LAST_RETRY);
        Self {
            since: now,
            time: before.map_or(FIRST_RETRY, longer),
        }
    }

    /// Also when the clock was set back.
    fn is_over(self, now: Timestamp) -> bool {
        self.since.duration_until(now).abs() >= self.time
    }
}

impl Round {
    async fn run(
        &mut self,
        services: &Services,
        name: &str,
        issuer: &dyn Issuer,
    ) -> Result<(), Error> {
        let store = services.store.as_ref();
        let now = services.clock.now();
        let endings = store.unlisted_endings(name).await?;
        let calendar = self
            .calendar_seen
            .is_none_or(|seen| seen.duration_until(now).abs() >= CALENDAR);
        let again = self.failed.values().any(|rest| rest.is_over(now));
        if endings.is_empty() && !calendar && !again {
            return Ok(());
        }
        let wanted = |scope: &CrlScope, newest: Option<&CrlState>| {
            let lacks = scope.endings.iter().any(|ending| endings.contains(ending));
            let rested =
                || schedule::has_rested(newest, now) && !schedule::is_over(scope, newest, now);
            (schedule::is_due(scope, newest, now) || lacks && rested())
                && self
                    .failed
                    .get(&scope.name)
                    .is_none_or(|rest| rest.is_over(now))
        };
        let outcome = sign(store, name, issuer, services.clock, SERVER, wanted).await?;
        // What was tried is well again unless it failed.
        let before = self.failed.clone();
        self.failed.retain(|_, rest| !rest.is_over(now));
        for failure in outcome.failed {
            let Failure {
                list,
                error,
                good_until,
            } = failure;
            // The root's key may be away for most of the year.
            let time = good_until.map_or(SignedDuration::ZERO, |end| now.duration_until(end));
            if time < URGENT {
                tracing::warn!(list, %error, "a revocation list could not be signed");
            } else {
                tracing::debug!(list, %error, "a revocation list could not be signed");
            }
            let rest = Rest::after(before.get(&list).copied(), now);
            self.failed.insert(list, rest);
        }
        if calendar {
            self.calendar_seen = Some(now);
        }
        Ok(())
    }
}

/// Signs the lists of `issuer` that are for `coverage` and due, as the worker would; `actor` wants it.
///
/// # Errors
/// The store's; an issuer that does not sign is part of the [`Outcome`].
pub async fn sign_due(
    store: &dyn CrlStore,
    name: &str,
    issuer: &dyn Issuer,
    coverage: super::Coverage,
    clock: Clock,
    actor: &str,
) -> Result<Outcome, StoreError> {
    let now = clock.now();
    let wanted = |scope: &CrlScope, newest: Option<&CrlState>| {
        scope.coverage == coverage && schedule::is_due(scope, newest, now)
    };
    sign(store, name, issuer, clock, actor, wanted).await
}

/// Signs the list called `list` whether it is due or not; `actor` wants it.
///
/// # Errors
/// The store's; [`StoreError::Stale`] when a server signed it at the same moment.
pub async fn sign_now(
    store: &dyn CrlStore,
    name: &str,
    issuer: &dyn Issuer,
    list: &str,
    clock: Clock,
    actor: &str,
) -> Result<Outcome, StoreError> {
    let wanted = |scope: &CrlScope, _: Option<&CrlState>| scope.name == list;
    sign(store, name, issuer, clock, actor, wanted).await
}

async fn sign(
    store: &dyn CrlStore,
    name: &str,
    issuer: &dyn Issuer,
    clock: Clock,
    actor: &str,
    wanted: impl Fn(&CrlScope, Option<&CrlState>) -> bool,
) -> Result<Outcome, StoreError> {
    let states: HashMap<_, _> = store
        .crl_states()
        .await?
        .into_iter()
        .map(|state| (state.name.clone(), state))
        .collect();
    let mut outcome = Outcome::default();
    let mut batch = Batch::default();
    for scope in issuer.crls() {
        let newest = states.get(&scope.name);
        if !wanted(&scope, newest) {
            continue;
        }
        let signed = match revoked(store, name, &scope).await {
            // Of a moment after each revocation that it shows, however long the lists before it took.
            Ok(revoked) => sign_one(issuer, &scope, newest, revoked, clock.now()).await,
            // One row that nobody can read must not keep all the other lists from being signed.
            Err(StoreError::Fault(reason)) => Err(IssuerError::Unavailable(reason)),
            Err(error) => return Err(error),
        };
        match signed {
            Ok(publication) => batch.add(publication),
            Err(error) => outcome.failed.push(Failure {
                list: scope.name,
                error,
                good_until: newest.map(|newest| newest.next_update),
            }),
        }
        if batch.is_full() {
            outcome.signed += batch.store(store, name, actor).await?;
        }
    }
    outcome.signed += batch.store(store, name, actor).await?;
    Ok(outcome)
}

/// What has to be on the list `scope`.
async fn revoked(
    store: &dyn CrlStore,
    name: &str,
    scope: &CrlScope,
) -> Result<Vec<Revoked>, StoreError> {
    let mut revoked = Vec::new();
    for ending in &scope.endings {
        revoked.extend(store.revoked(name, *ending).await?);
    }
    Ok(revoked)
}

async fn sign_one(
    issuer: &dyn Issuer,
    scope: &CrlScope,
    newest: Option<&CrlState>,
    revoked: Vec<Revoked>,
    now: Timestamp,
) -> Result<Publication, IssuerError> {
    let this_update = Timestamp::from_second(now.as_second()).unwrap_or(now);
    let next_update = this_update
        .checked_add(scope.coverage.lifetime())
        .map_err(|error| IssuerError::Refused(error.to_string()))?;
    let selection = schedule::select(scope, newest, revoked, this_update);
    let replaces = newest.map(|newest| newest.number);
    let state = CrlState {
        name: scope.name.clone(),
        number: schedule::next_number(replaces, now),
        this_update,
        next_update,
        entries: selection.entries.len() as u64,
        addresses: schedule::addresses(scope, newest, now),
    };
    let order = CrlOrder {
        name: scope.name.clone(),
        addresses: state.addresses.iter().map(|one| one.url.clone()).collect(),
        number: state.number,
        previous: replaces,
        this_update,
        next_update,
        entries: selection.entries,
    };
    let der = issuer.sign_crl(order).await?;
    Ok(Publication {
        crl: Crl { state, der },
        replaces,
        listed: selection.listed,
    })
}

/// Lists that are stored together.
#[derive(Default)]
struct Batch {
    publications: Vec<Publication>,
    bytes: usize,
}

impl Batch {
    fn add(&mut self, publication: Publication) {
        self.bytes += publication.crl.der.len();
        self.publications.push(publication);
    }

    fn is_full(&self) -> bool {
        self.bytes >= BATCH_BYTES || self.publications.len() >= BATCH_LISTS
    }

    /// Stores them; how many there were.
    async fn store(
        &mut self,
        store: &dyn CrlStore,
        name: &str,
        actor: &str,
    ) -> Result<usize, StoreError> {
        let publications = std::mem::take(self).publications;
        let count = publications.len();
        if count > 0 {
            store.publish_crls(name, publications, actor).await?;
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_failed_is_tried_again_soon_and_then_less_and_less_often() {
        let now = Timestamp::UNIX_EPOCH;
        let in_seconds = |seconds| now + SignedDuration::from_secs(seconds);
        let mut rest = Rest::after(None, now);
        assert!(!rest.is_over(in_seconds(9)));
        assert!(rest.is_over(in_seconds(10)));
        let mut times = Vec::new();
        for _ in 0..5 {
            times.push(rest.time.as_secs());
            rest = Rest::after(Some(rest), now);
        }
        assert_eq!(times, [10, 40, 160, 600, 600]);
        // A clock that was wrong keeps nothing waiting.
        assert!(rest.is_over(in_seconds(-86400)));
    }
}
