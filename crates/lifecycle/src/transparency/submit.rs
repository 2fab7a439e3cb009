//! Asks logs, several at once, and others in the place of those that fail.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use reseal_pki::profile::Validity;
use reseal_pki::transparency::scts_required;
use tokio::task::JoinSet;

use super::choice::{is_enough, next};
use super::{Log, LogError, Promise, Transparency};
use crate::clock::Clock;

/// The shortest pause before a process asks again.
const PAUSE: SignedDuration = SignedDuration::from_secs(5);
/// The pause where no log takes certificates with this end: until somebody configures one.
const WITHOUT_LOGS: SignedDuration = SignedDuration::from_mins(10);

/// A precertificate on its way.
pub(crate) struct Submission {
    /// The precertificate, its issuer, and so on up to the root, DER.
    pub(crate) chain: Vec<Vec<u8>>,
    /// SHA-256 of the issuer's SubjectPublicKeyInfo.
    pub(crate) issuer_key: [u8; 32],
    /// From when until when it is valid.
    pub(crate) validity: Validity,
}

/// What came of it.
pub(crate) struct Collected {
    /// Promises that are new.
    pub(crate) promises: Vec<Promise>,
    /// Who failed, and why.
    pub(crate) failed: Vec<(String, LogError)>,
    /// What is missing, if anything.
    pub(crate) missing: Option<Missing>,
}

/// There are too few promises.
pub(crate) struct Missing {
    /// How many there are.
    pub(crate) found: usize,
    /// How many there must be.
    pub(crate) required: usize,
    /// When to ask again.
    pub(crate) next: Timestamp,
}

impl Transparency {
    /// Asks for as many promises as `submission` needs beside those `held`, by the logs that take it and do not rest.
    pub(crate) async fn collect(
        &self,
        submission: Submission,
        held: &[Promise],
        clock: Clock,
    ) -> Collected {
        let required = scts_required(submission.validity);
        let not_after = submission.validity.not_after;
        let submission = Arc::new(submission);
        let is_held = |log: &Log| {
            let id = hex::encode(log.key.id());
            held.iter().any(|promise| promise.log_id == id)
        };
        let fitting = self.logs.iter().filter(|log| log.shard.takes(not_after));
        let fitting: Vec<&Log> = fitting.filter(|log| !is_held(log)).collect();
        let now = clock.now();
        let mut free = fitting.clone();
        free.retain(|log| self.rests.until(&log.name, now).is_none());
        let mut collected = Collected {
            promises: Vec::new(),
            failed: Vec::new(),
            missing: None,
        };
        let mut at_hand: Vec<String> = held.iter().map(|one| one.operator.clone()).collect();
        let mut asked = JoinSet::new();
        loop {
            let candidates: Vec<&str> = free.iter().map(|log| log.operator.as_str()).collect();
            let known: Vec<&str> = at_hand.iter().map(String::as_str).collect();
            let mut chosen = next(&known, &candidates, required);
            chosen.sort_unstable();
            for index in chosen.into_iter().rev() {
                let log = free.remove(index).clone();
                at_hand.push(log.operator.clone());
                asked.spawn(self.ask(log, Arc::clone(&submission), clock));
            }
            let Some(answered) = asked.join_next().await else {
                break;
            };
            // A task that panicked has told so itself; its log is asked another time.
            let Ok((log, answer)) = answered else {
                continue;
            };
            match answer {
                Ok(promise) => {
                    self.rests.end(&log.name);
                    collected.promises.push(promise);
                }
                Err(error) => {
                    self.rests.begin(&log.name, &error, clock.now());
                    if let Some(place) = at_hand.iter().position(|one| *one == log.operator) {
                        at_hand.remove(place);
                    }
                    collected.failed.push((log.name, error));
                }
            }
        }
        let all = held.iter().chain(&collected.promises);
        let operators: Vec<&str> = all.map(|promise| promise.operator.as_str()).collect();
        if !is_enough(&operators, required) {
            let mut left = fitting;
            left.retain(|log| !collected.promises.iter().any(|one| one.log == log.name));
            collected.missing = Some(Missing {
                found: operators.len(),
                required,
                next: self.next(&left, clock.now()),
            });
        }
        collected
    }

    /// Those of `held` that count today: by logs that the operator still names, for whoever runs them as it says now.
    pub(crate) fn standing(&self, held: &[Promise]) -> Vec<Promise> {
        let standing = held.iter().filter_map(|promise| {
            let is_its = |log: &&Log| hex::encode(log.key.id()) == promise.log_id;
            let log = self.logs.iter().find(is_its)?;
            Some(Promise {
                operator: log.operator.clone(),
                ..promise.clone()
            })
        });
        standing.collect()
    }

    /// One log, asked once and its answer verified.
    fn ask(
        &self,
        log: Log,
        submission: Arc<Submission>,
        clock: Clock,
    ) -> impl Future<Output = (Log, Result<Promise, LogError>)> + Send + 'static {
        let patience = self.patience;
        async move {
            let asked = log.client.add_pre_chain(&submission.chain);
            let answer = match tokio::time::timeout(patience, asked).await {
                Ok(answer) => answer,
                Err(_) => Err(LogError::Unavailable {
                    reason: format!("no answer within {} ms", patience.as_millis()),
                    retry_after: None,
                }),
            };
            let promise = answer.and_then(|sct| {
                let wrong = |reason: String| LogError::Wrong(reason);
                let der = submission.chain.first().map_or(&[][..], Vec::as_slice);
                let not_before = submission.validity.not_before;
                log.key
                    .check(&sct, der, &submission.issuer_key, not_before, clock.now())
                    .map_err(|error| wrong(error.to_string()))?;
                let at = sct.moment().unwrap_or(not_before);
                Promise::new(&log, &sct, at).ok_or_else(|| wrong("an SCT that is too long".into()))
            });
            (log, promise)
        }
    }

    /// When the first of `logs` may be asked again.
    fn next(&self, logs: &[&Log], now: Timestamp) -> Timestamp {
        let later = |pause| now.checked_add(pause).unwrap_or(now);
        let soonest = later(PAUSE);
        let ends = logs.iter().map(|log| self.rests.until(&log.name, now));
        let first = ends.map(|end| end.unwrap_or(soonest)).min();
        first.map_or(later(WITHOUT_LOGS), |first| first.max(soonest))
    }
}
