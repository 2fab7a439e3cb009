//! Challenges that a hook of the operator's publishes in the DNS, before anybody looks for them.
//!
//! | recorded last | after a crash |
//! | --- | --- |
//! | about to be published | it is published, again if it was: that changes nothing |
//! | published | it is looked for |
//! | the process has ended | the worker removes it (`dns_hook::remove`) |
//!
//! A hook that fails keeps nobody from publishing by hand: the process looks and waits as if there were no hook.

use jiff::Timestamp;
use reseal_validation::publish::{Placed, Record};
use tokio::task::JoinSet;

use crate::customer::Scope;
use crate::dns_hook::{DnsHooks, Out, Place};
use crate::error::Error;
use crate::event::{Event, EventKind};
use crate::fault;
use crate::process::{Process, Publication, Work};
use crate::services::Services;
use crate::store::{Change, StoreError};

/// Most steps along aliases that turn up while a record is published.
const MOST_MOVES: usize = 4;

/// What a hook made of a record.
enum Outcome {
    Published,
    /// Its name is an alias, which leads there.
    Moved(Place),
    Failed(String),
}

impl Services {
    /// Publishes what is asked for and a hook may publish, as far as it is time; and until when it has to be waited for
    /// before everybody sees that.
    pub(super) async fn publish(
        &self,
        process: Process,
    ) -> Result<(Process, Option<Timestamp>), Error> {
        if !self.dns_hooks.serve(&process.customer) {
            return Ok((process, None));
        }
        let mut process = self.find_places(process).await?;
        for _ in 0..MOST_MOVES {
            let due = due(&process, self.clock.now());
            if due.is_empty() {
                break;
            }
            let done = self.have_published(&process, due).await?;
            fault::point(fault::Point::RecordPublished).await;
            process = self.note_outcomes(process, done).await?;
        }
        let settled = process
            .work()
            .and_then(|work| settled(work, &self.dns_hooks));
        let now = self.clock.now();
        Ok((process, settled.filter(|until| *until > now)))
    }

    /// Decides where each record that is asked for is published, and puts that on record.
    async fn find_places(&self, process: Process) -> Result<Process, Error> {
        let asked = process.work().map(Work::unpublished).unwrap_or_default();
        let mut found = Vec::new();
        for chunk in asked.chunks(super::AT_ONCE) {
            let mut looks = JoinSet::new();
            for (record, value) in chunk.iter().cloned() {
                let (hooks, panel) = (self.dns_hooks.clone(), self.panel.clone());
                let customer = process.customer.clone();
                looks.spawn(async move {
                    let place = hooks.place(panel.local(), &customer, &record).await?;
                    Some((record, value, place))
                });
            }
            // A look that died is made again in the next round.
            found.extend(looks.join_all().await.into_iter().flatten());
        }
        if found.is_empty() {
            return Ok(process);
        }
        let now = self.clock.now();
        let mut out = Vec::new();
        let (process, _) = process
            .update(now, |work| {
                for (record, value, Place { hook, name }) in found {
                    out.push(Out {
                        hook: hook.clone(),
                        name: name.clone(),
                        value: value.clone(),
                    });
                    let fresh = Publication::new(record, value, hook, name, now);
                    work.publications.push(fresh);
                }
                Vec::new()
            })
            .map_err(Error::internal)?;
        let mut change = Change::new(process, Vec::new());
        change.out = out;
        let process = self.advance_leased(change).await?;
        fault::point(fault::Point::RecordIntended).await;
        Ok(process)
    }

    /// Has the hooks publish `due`, several at the same time, as long as nobody has ended the process: what comes into the
    /// DNS long after that is not removed any more.
    async fn have_published(
        &self,
        process: &Process,
        due: Vec<Publication>,
    ) -> Result<Vec<(Publication, Outcome)>, Error> {
        let mut done = Vec::with_capacity(due.len());
        for (number, chunk) in due.chunks(super::AT_ONCE).enumerate() {
            if number > 0 {
                let now = self.store.process(&Scope::Everything, process.id).await?;
                if now.is_none_or(|now| now.version != process.version) {
                    return Err(StoreError::Stale.into());
                }
            }
            let mut tasks = JoinSet::new();
            for one in chunk.iter().cloned() {
                let (hooks, panel) = (self.dns_hooks.clone(), self.panel.clone());
                let customer = process.customer.clone();
                tasks.spawn(async move {
                    let outcome = publish_one(&hooks, &panel, &customer, &one).await;
                    (one, outcome)
                });
            }
            done.extend(tasks.join_all().await);
        }
        Ok(done)
    }

    /// Records what became of each record.
    async fn note_outcomes(
        &self,
        process: Process,
        done: Vec<(Publication, Outcome)>,
    ) -> Result<Process, Error> {
        let (now, id) = (self.clock.now(), process.id);
        let (mut events, mut out) = (Vec::new(), Vec::new());
        let (process, _) = process
            .update(now, |work| {
                for (one, outcome) in done {
                    let known = work
                        .publications
                        .iter_mut()
                        .find(|known| known.record == one.record && known.value == one.value);
                    let Some(known) = known else { continue };
                    let is_failure = matches!(outcome, Outcome::Failed(_));
                    self.metrics.hooked(&known.hook, "publish", !is_failure);
                    match outcome {
                        Outcome::Moved(place) => {
                            known.hook = place.hook;
                            known.name = place.name;
                            out.push(Out {
                                hook: known.hook.clone(),
                                name: known.name.clone(),
                                value: known.value.clone(),
                            });
                        }
                        Outcome::Published => {
                            if known.published.is_none() {
                                events.push(Event::new(now, published(known)));
                            }
                            known.succeed(now);
                        }
                        Outcome::Failed(why) => {
                            let (hook, name) = (known.hook.clone(), known.name.clone());
                            tracing::warn!(
                                process = id,
                                hook,
                                name,
                                "a record was not published: {why}"
                            );
                            if known.fail(why.clone(), now) {
                                let kind = EventKind::HookFailed {
                                    hook,
                                    name,
                                    reason: why,
                                };
                                events.push(Event::new(now, kind));
                            }
                        }
                    }
                }
                Vec::new()
            })
            .map_err(Error::internal)?;
        let mut change = Change::new(process, events);
        change.out = out;
        self.advance_leased(change).await
    }
}

fn published(one: &Publication) -> EventKind {
    EventKind::RecordPublished {
        hook: one.hook.clone(),
        name: one.name.clone(),
        value: one.value.clone(),
    }
}

/// What is asked for and is to be published at `now`.
fn due(process: &Process, now: Timestamp) -> Vec<Publication> {
    let needed = process
        .work()
        .into_iter()
        .flat_map(Work::needed_publications);
    needed.filter(|one| one.next <= now).cloned().collect()
}

/// When everybody sees what was published.
fn settled(work: &Work, hooks: &DnsHooks) -> Option<Timestamp> {
    let seen = |one: &Publication| {
        let settle = hooks.get(&one.hook)?.settle;
        one.published?.checked_add(settle).ok()
    };
    work.needed_publications().filter_map(seen).max()
}

async fn publish_one(
    hooks: &DnsHooks,
    panel: &reseal_validation::Panel,
    customer: &str,
    one: &Publication,
) -> Outcome {
    let Some(hook) = hooks.get(&one.hook) else {
        return Outcome::Failed(format!(
            "the hook `{}` is not configured any more",
            one.hook
        ));
    };
    let record = Record {
        name: one.name.clone(),
        value: one.value.clone(),
    };
    match hook.publisher.publish(&record).await {
        Ok(Placed::There) => Outcome::Published,
        Ok(Placed::IsAlias) => {
            let behind = hooks.place_behind(panel.local(), customer, &one.name);
            behind.await.map_or_else(
                || {
                    Outcome::Failed(format!(
                        "`{}` is an alias, and where it leads no hook may publish for this customer",
                        one.name
                    ))
                },
                Outcome::Moved,
            )
        }
        Err(problem) => Outcome::Failed(problem.to_string()),
    }
}
