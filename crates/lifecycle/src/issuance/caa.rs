//! CAA before issuance (rules.md section 6): what the DNS said, and what that means for this customer.

mod look;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reseal_pki::method::Method;
use reseal_pki::name::DnsName;
use reseal_validation::caa::{CaaObservation, CaaOutcome, CaaRequest, CaaStatus, Levels};

pub use look::{CaaCorroboration, CaaFinding, CaaLook, CaaSighting};

use super::iodef::{Report, report_of};
use super::plan::method_of;
use crate::event::{Event, EventKind, Observed};
use crate::process::{CaaState, NameProof, Process, ProofState};
use crate::services::Services;

/// A certificate must be signed within 8 hours of the check (BR 4.2.2.1, S-16): nothing serves longer, less what the
/// look-ups of a certificate's other names may take.
const LONGEST_REUSE: Duration = Duration::from_mins(8 * 60 - 10);
/// Observations kept at most, 2 KiB each; beyond it the whole cache is dropped, which only costs look-ups.
const MOST_KEPT: usize = 20_000;

/// Observations that may serve again while they are younger than `dcv.caa_reuse`. Failures are never kept.
#[derive(Default)]
pub(crate) struct CaaCache {
    seen: Mutex<HashMap<String, Arc<CaaLook>>>,
}

impl CaaCache {
    /// What was observed of `name`, by as many perspectives as are `wanted`.
    fn get(
        &self,
        name: &str,
        wanted: usize,
        now: Timestamp,
        reuse: Duration,
    ) -> Option<Arc<CaaLook>> {
        let reuse = SignedDuration::try_from(reuse.min(LONGEST_REUSE)).ok()?;
        if reuse.is_zero() {
            return None;
        }
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.get(name)
            // One from the future was made before the clock was set back: its age is unknown.
            .filter(|observed| {
                let age = now.duration_since(observed.here.at);
                observed.elsewhere.len() >= wanted && (SignedDuration::ZERO..=reuse).contains(&age)
            })
            .cloned()
    }

    fn put(&self, observed: &Arc<CaaLook>) {
        let answered = |observation: &CaaObservation| {
            matches!(observation.outcome, CaaOutcome::Found | CaaOutcome::None)
        };
        let mut elsewhere = observed.elsewhere.iter();
        if !(answered(&observed.here)
            && elsewhere.all(|one| one.answer.as_ref().is_ok_and(answered)))
        {
            return;
        }
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= MOST_KEPT {
            seen.clear();
        }
        seen.insert(observed.here.name.clone(), Arc::clone(observed));
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
        let (identities, account_uri) = match &work.upstream {
            Some(order) => (order.caa_identities.clone(), order.account.clone()),
            None => (
                vec![self.settings.caa_identity.clone()],
                self.settings.account_uri(&process.customer),
            ),
        };
        let mut repeated = Vec::new();
        let observations = self.observe_caa(&work.proofs, now).await;
        for (proof, observed) in work.proofs.iter().zip(&observations) {
            let by = |method| {
                let request = CaaRequest {
                    identities: &identities,
                    wildcard: proof.name.is_wildcard(),
                    account_uri: &account_uri,
                    method,
                };
                observed.judge(&request, self.settings.quorum, now)
            };
            let mut finding = by(relied_on(proof));
            // What is still open may yet be proved by the record.
            if !finding.decision.permitted && !proof.is_proved() && proof.persistent.is_some() {
                let by_record = by(Method::PersistentTxt);
                if by_record.decision.permitted {
                    finding = by_record;
                }
            }
            let CaaFinding {
                decision,
                corroboration,
            } = finding;
            self.metrics
                .checked_caa(decision.status, decision.permitted);
            repeated.push(work.caa_of(&proof.name).is_some_and(|known| {
                known.permitted == decision.permitted && known.reason == decision.reason
            }));
            round.events.push(Event::new(
                now,
                EventKind::CaaChecked {
                    name: proof.name.as_str().to_owned(),
                    permitted: decision.permitted,
                    reason: decision.reason.clone(),
                    evidence: Observed::Seen(Arc::clone(&observed.here)),
                    corroboration: corroboration
                        .as_ref()
                        .and_then(|all| serde_json::to_value(all).ok()),
                },
            ));
            let state = CaaState {
                name: proof.name.clone(),
                status: decision.status,
                permitted: decision.permitted,
                reason: decision.reason,
                // Not `now`: it may have served before (S-16).
                checked: observed.here.at,
                witnesses: corroboration.map(|all| all.witnesses()).unwrap_or_default(),
            };
            if is_news(&work.caa, &state) {
                round.reports.extend(report_of(&observed.here, &state));
            }
            round.states.push(state);
        }
        // What a certificate is signed upon is always kept whole.
        if !round.permits_all() {
            round.shorten(&repeated, now);
        }
        round
    }

    /// What is to be observed for each proof, in order; a wildcard and its base name share one look. The remote
    /// perspectives are asked where the method that is relied on wants them (M-2).
    async fn observe_caa(&self, proofs: &[NameProof], now: Timestamp) -> Vec<Arc<CaaLook>> {
        let reuse = self.settings.caa_reuse;
        let remotes = self.panel.remotes().len();
        let wants = |proof: &NameProof| {
            let wants = remotes > 0 && relied_on(proof).needs_corroboration();
            if wants { remotes } else { 0 }
        };
        let mut looks: Vec<(&DnsName, usize, Option<Arc<CaaLook>>)> = Vec::new();
        for proof in proofs {
            let wanted = wants(proof);
            let same = |look: &&mut (&DnsName, usize, _)| look.0.fqdn() == proof.name.fqdn();
            match looks.iter_mut().find(same) {
                Some(look) => look.1 = look.1.max(wanted),
                None => looks.push((&proof.name, wanted, None)),
            }
        }
        for (name, wanted, observed) in &mut looks {
            *observed = self.caa_cache.get(name.fqdn(), *wanted, now, reuse);
        }
        let levels = Levels::default();
        for chunk in looks.chunks_mut(super::AT_ONCE) {
            let mut tasks = Vec::new();
            for (name, wanted, observed) in chunk.iter_mut().filter(|look| look.2.is_none()) {
                let (panel, levels) = (self.panel.clone(), levels.clone());
                let (name, alone) = ((*name).clone(), *wanted == 0);
                let look = async move { CaaLook::take(&panel, &name, &levels, alone, now).await };
                tasks.push((observed, tokio::spawn(look)));
            }
            for (observed, task) in tasks {
                if let Ok(seen) = task.await.map(Arc::new) {
                    if !reuse.is_zero() {
                        self.caa_cache.put(&seen);
                    }
                    *observed = Some(seen);
                }
            }
        }
        proofs
            .iter()
            .map(|proof| {
                looks
                    .iter()
                    .find(|look| look.0.fqdn() == proof.name.fqdn())
                    .and_then(|look| look.2.clone())
                    .unwrap_or_else(|| {
                        Arc::new(CaaLook {
                            here: Arc::new(failed(&proof.name, now)),
                            elsewhere: Vec::new(),
                        })
                    })
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
                advice: advice(state.status).to_owned(),
            };
            Event::new(now, kind)
        })
        .collect()
}

/// What whoever is refused can do.
fn advice(status: CaaStatus) -> &'static str {
    match status {
        CaaStatus::Invalid | CaaStatus::UnrecognizedCriticalTag => {
            "Change the CAA records; the process then goes on by itself."
        }
        _ => {
            "See to it that every name server on the way answers questions for CAA, if only that there are no records; \
             the process then goes on by itself."
        }
    }
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
pub(super) fn relied_on(proof: &NameProof) -> Method {
    match &proof.state {
        ProofState::Proved { method, .. } => *method,
        ProofState::Waiting | ProofState::Attention { .. } => method_of(proof),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s_16_an_answer_serves_again_while_there_is_time_left_to_sign() {
        let cache = CaaCache::default();
        let then = Timestamp::from_second(1_795_000_000).unwrap();
        let here = CaaObservation {
            name: "example.dev".to_owned(),
            levels: Vec::new(),
            relevant: None,
            outcome: CaaOutcome::None,
            ttl: None,
            at: then,
        };
        cache.put(&Arc::new(CaaLook {
            here: Arc::new(here),
            elsewhere: Vec::new(),
        }));
        let serves = |minutes, reuse| {
            let now = then + SignedDuration::from_mins(minutes);
            cache.get("example.dev", 0, now, reuse).is_some()
        };
        let (day, hour) = (Duration::from_hours(24), Duration::from_hours(1));
        assert!(serves(0, hour) && serves(60, hour) && !serves(61, hour));
        assert!(serves(8 * 60 - 10, day) && !serves(8 * 60 - 9, day));
        // The clock was set back.
        assert!(!serves(-1, day));
    }

    #[test]
    fn s_8_who_is_refused_is_told_what_can_be_done_about_it() {
        let now = Timestamp::from_second(1_795_000_000).unwrap();
        let advice = |status: &str| {
            let state = serde_json::json!({"name": "example.dev", "status": status, "permitted": false,
                "reason": "so it was seen", "checked": now});
            let states = [serde_json::from_value(state).unwrap()];
            let events = newly_refused(&[], &states, "reseal.invalid", now);
            let [event] = events.as_slice() else {
                panic!("{events:?}")
            };
            let EventKind::AttentionNeeded { seen, advice, .. } = &event.kind else {
                panic!("{event:?}")
            };
            assert_eq!(seen, "so it was seen");
            advice.clone()
        };
        for status in ["INVALID", "UNRECOGNIZED_CRITICAL_TAG"] {
            assert!(
                advice(status).starts_with("Change the CAA records"),
                "{status}"
            );
        }
        for status in ["UNKNOWN", "TIMEOUT", "MALFORMED_RESPONSE"] {
            assert!(advice(status).contains("name server"), "{status}");
        }
    }
}
