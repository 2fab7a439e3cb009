//! CAA before issuance (rules.md section 6): what the DNS said, and what that means for this customer.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reseal_pki::method::Method;
use reseal_pki::name::DnsName;
use reseal_validation::caa::{CaaObservation, CaaOutcome, CaaRequest, decide};

use super::iodef::{Report, report_of};
use super::plan::method_of;
use crate::event::{Event, EventKind};
use crate::process::{CaaState, NameProof, Process, ProofState};
use crate::services::Services;

/// A certificate must be signed within 8 hours of the check (BR 4.2.2.1, S-16): nothing is kept longer.
const LONGEST_REUSE: Duration = Duration::from_hours(8);
/// Observations kept at most; beyond it the whole cache is dropped, which only costs look-ups.
const MOST_KEPT: usize = 100_000;

/// Observations that may serve again while they are younger than `dcv.caa_reuse`. Failures are never kept.
#[derive(Default)]
pub(crate) struct CaaCache {
    seen: Mutex<HashMap<String, CaaObservation>>,
}

impl CaaCache {
    fn get(&self, name: &str, now: Timestamp, reuse: Duration) -> Option<CaaObservation> {
        let reuse = SignedDuration::try_from(reuse.min(LONGEST_REUSE)).ok()?;
        if reuse.is_zero() {
            return None;
        }
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.get(name)
            // One from the future was made before the clock was set back: its age is unknown.
            .filter(|observation| {
                let age = now.duration_since(observation.at);
                (SignedDuration::ZERO..=reuse).contains(&age)
            })
            .cloned()
    }

    fn put(&self, observation: &CaaObservation) {
        if !matches!(observation.outcome, CaaOutcome::Found | CaaOutcome::None) {
            return;
        }
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= MOST_KEPT {
            seen.clear();
        }
        seen.insert(observation.name.clone(), observation.clone());
    }
}

/// What a check of all names found, and what to record of it.
pub(super) struct CaaRound {
    pub(super) states: Vec<CaaState>,
    pub(super) events: Vec<Event>,
    /// To whom refusals are to be told.
    pub(super) reports: Vec<Report>,
}

impl CaaRound {
    /// Whether every name may be issued for.
    pub(super) fn permits_all(&self) -> bool {
        self.states.iter().all(|state| state.permitted)
    }

    /// Leaves out the evidence of those names, in their order, whose check found what the last one had found.
    fn shorten(&mut self, repeated: &[bool], now: Timestamp) {
        let looks = repeated.iter().filter(|repeated| **repeated).count();
        if looks == 0 {
            return;
        }
        let mut repeated = repeated.iter();
        self.events.retain(|_| repeated.next() != Some(&true));
        let kind = EventKind::SameAsBefore {
            looked_at: "CAA".to_owned(),
            looks,
        };
        self.events.push(Event::new(now, kind));
    }
}

impl Services {
    /// Checks CAA for every name of the process, with the method its proof relies on (S-15).
    pub(super) async fn check_caa(&self, process: &Process) -> CaaRound {
        let now = self.clock.now();
        let mut round = CaaRound {
            states: Vec::new(),
            events: Vec::new(),
            reports: Vec::new(),
        };
        let Some(work) = process.work() else {
            return round;
        };
        let account_uri = self.settings.account_uri(&process.customer);
        let mut repeated = Vec::new();
        let observations = self.observe_caa(&work.order.names, now).await;
        for (proof, observation) in work.proofs.iter().zip(&observations) {
            let by = |method| {
                let request = CaaRequest {
                    identities: std::slice::from_ref(&self.settings.caa_identity),
                    wildcard: proof.name.is_wildcard(),
                    account_uri: &account_uri,
                    method,
                };
                decide(observation, &request)
            };
            let mut decision = by(relied_on(proof));
            // What is still open may yet be proved by the record.
            if !decision.permitted && !proof.is_proved() && proof.persistent.is_some() {
                let by_record = by(Method::PersistentTxt);
                decision = if by_record.permitted {
                    by_record
                } else {
                    decision
                };
            }
            repeated.push(work.caa_of(&proof.name).is_some_and(|known| {
                known.permitted == decision.permitted && known.reason == decision.reason
            }));
            round.events.push(Event::new(
                now,
                EventKind::CaaChecked {
                    name: proof.name.as_str().to_owned(),
                    permitted: decision.permitted,
                    reason: decision.reason.clone(),
                    evidence: serde_json::to_value(observation).unwrap_or_default(),
                },
            ));
            let state = CaaState {
                name: proof.name.clone(),
                status: decision.status,
                permitted: decision.permitted,
                reason: decision.reason,
                // Not `now`: it may have served before (S-16).
                checked: observation.at,
            };
            if is_news(&work.caa, &state) {
                round.reports.extend(report_of(observation, &state));
            }
            round.states.push(state);
        }
        // What a certificate is signed upon is always kept whole.
        if !round.permits_all() {
            round.shorten(&repeated, now);
        }
        round
    }

    /// One observation a name, in order; a wildcard and its base name share one.
    async fn observe_caa(&self, names: &[DnsName], now: Timestamp) -> Vec<CaaObservation> {
        let reuse = self.settings.caa_reuse;
        let mut fresh: Vec<(&DnsName, Option<CaaObservation>)> = Vec::new();
        for name in names {
            if !fresh.iter().any(|(known, _)| known.fqdn() == name.fqdn()) {
                fresh.push((name, self.caa_cache.get(name.fqdn(), now, reuse)));
            }
        }
        for chunk in fresh.chunks_mut(super::AT_ONCE) {
            let mut tasks = Vec::new();
            for (name, observation) in chunk.iter_mut().filter(|(_, known)| known.is_none()) {
                let perspective = self.perspective.clone();
                let name = (*name).clone();
                let task = tokio::spawn(async move { perspective.caa(&name).await });
                tasks.push((observation, task));
            }
            for (observation, task) in tasks {
                if let Ok(mut seen) = task.await {
                    // By the clock that judges its age later.
                    seen.at = now;
                    if !reuse.is_zero() {
                        self.caa_cache.put(&seen);
                    }
                    *observation = Some(seen);
                }
            }
        }
        names
            .iter()
            .map(|name| {
                fresh
                    .iter()
                    .find(|(known, _)| known.fqdn() == name.fqdn())
                    .and_then(|(_, observation)| observation.clone())
                    .unwrap_or_else(|| failed(name, now))
            })
            .collect()
    }
}

/// Whether `state` forbids what was permitted, not checked, or forbidden for another reason before.
fn is_news(before: &[CaaState], state: &CaaState) -> bool {
    let known =
        |old: &CaaState| old.name == state.name && !old.permitted && old.reason == state.reason;
    !state.permitted && !before.iter().any(known)
}

/// What `states` newly forbid: names that were permitted, not checked, or forbidden for another reason before.
pub(super) fn newly_refused(
    before: &[CaaState],
    states: &[CaaState],
    identity: &str,
    now: Timestamp,
) -> Vec<Event> {
    states
        .iter()
        .filter(|state| is_news(before, state))
        .map(|state| {
            let kind = EventKind::AttentionNeeded {
                name: state.name.as_str().to_owned(),
                expected: format!("CAA records that permit `{identity}`"),
                seen: state.reason.clone(),
                advice: "Change the CAA records; the process then goes on by itself.".to_owned(),
            };
            Event::new(now, kind)
        })
        .collect()
}

/// The observation of a look-up whose task died: a failure, never a permission (S-17).
fn failed(name: &DnsName, now: Timestamp) -> CaaObservation {
    CaaObservation {
        name: name.fqdn().to_owned(),
        levels: Vec::new(),
        relevant: None,
        outcome: CaaOutcome::Failed {
            reason: "the look-up was interrupted".to_owned(),
            at_level: name.fqdn().to_owned(),
            timeout: false,
        },
        ttl: None,
        at: now,
    }
}

/// The method whose evidence counts for the name.
fn relied_on(proof: &NameProof) -> Method {
    match &proof.state {
        ProofState::Proved { method, .. } => *method,
        ProofState::Waiting | ProofState::Attention { .. } => method_of(proof),
    }
}
