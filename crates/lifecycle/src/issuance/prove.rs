//! One round of looking for what the customer published.

use jiff::Timestamp;
use reseal_validation::challenge::Challenge;
use reseal_validation::evidence::{Attempt, Verdict};

use super::plan::br_method;
use crate::authorization::Authorization;
use crate::event::{Event, EventKind};
use crate::process::{LastLook, NameProof, Process, ProofState, Work};
use crate::product::DcvType;
use crate::services::Services;

/// What one look found about one challenge.
pub(super) struct Look {
    challenge: Challenge,
    attempt: Attempt,
}

impl Services {
    /// Looks at every challenge that is still open, each once, several at the same time.
    pub(super) async fn look(&self, process: &Process) -> Vec<Look> {
        let mut challenges: Vec<Challenge> = Vec::new();
        for proof in process.work().iter().flat_map(|work| &work.proofs) {
            match &proof.challenge {
                Some(challenge) if !proof.is_proved() && !challenges.contains(challenge) => {
                    challenges.push(challenge.clone());
                }
                _ => {}
            }
        }
        let mut looks = Vec::with_capacity(challenges.len());
        for chunk in challenges.chunks(super::AT_ONCE) {
            let tasks: Vec<_> = chunk
                .iter()
                .map(|challenge| {
                    let (perspective, challenge) = (self.perspective.clone(), challenge.clone());
                    let clock = self.clock;
                    tokio::spawn(async move {
                        let begun = clock.now();
                        let mut attempt = perspective.attempt(&challenge).await;
                        // By the clock that judges the age of the evidence later.
                        attempt.at = begun;
                        Look { challenge, attempt }
                    })
                })
                .collect();
            for task in tasks {
                // A look that died proves nothing; the next round looks again.
                looks.extend(task.await.ok());
            }
        }
        looks
    }
}

/// Takes what a round found into the work: events to record, proofs obtained.
pub(super) fn take_in(
    work: &mut Work,
    looks: &[Look],
    customer: &str,
    services: &Services,
) -> (Vec<Event>, Vec<Authorization>) {
    let (mut events, mut obtained) = (Vec::new(), Vec::new());
    let mut same = 0;
    for look in looks {
        let attempt = &look.attempt;
        let concerned = |work: &Work| {
            work.proofs.iter().position(|proof| {
                !proof.is_proved() && proof.challenge.as_ref() == Some(&look.challenge)
            })
        };
        let Some(index) = concerned(work) else {
            continue;
        };
        let last_look = Some(LastLook {
            verdict: verdict_word(attempt.verdict).to_owned(),
            expected: attempt.expected.clone(),
            seen: attempt.seen.clone(),
        });
        if work.proofs[index].last_look == last_look {
            same += 1;
        } else {
            work.proofs[index].last_look = last_look;
            let proof = &work.proofs[index];
            events.push(seen(proof.name.as_str(), proof.method, attempt));
        }
        let proof = &work.proofs[index];
        if attempt.verdict == Verdict::Proved {
            let authorization = Authorization {
                id: 0,
                customer: customer.to_owned(),
                adn: proof.adn.clone(),
                method: br_method(proof.method),
                obtained: attempt.at,
                process: 0,
            };
            events.extend(apply(work, &authorization, services, |_| true));
            obtained.push(authorization);
            continue;
        }
        // An outage is nobody's mistake and says nothing new: what was seen before it stands.
        if attempt.verdict == Verdict::Unreachable {
            continue;
        }
        let state = ProofState::Attention {
            expected: attempt.expected.clone(),
            seen: attempt.seen.clone(),
            advice: attempt.advice.clone(),
        };
        // The first round runs before the customer could have published anything.
        if work.rounds > 0 || attempt.verdict == Verdict::Refused {
            for proof in &mut work.proofs {
                if !proof.is_proved()
                    && proof.challenge.as_ref() == Some(&look.challenge)
                    && proof.state != state
                {
                    proof.state = state.clone();
                    events.extend(attention(proof, attempt.at));
                }
            }
        }
    }
    if let Some(last) = looks.last().filter(|_| same > 0) {
        let kind = EventKind::SameAsBefore {
            looked_at: "challenges".to_owned(),
            looks: same,
        };
        events.push(Event::new(last.attempt.at, kind));
    }
    work.rounds += 1;
    (events, obtained)
}

/// A look with all its evidence.
pub(super) fn seen(name: &str, method: DcvType, attempt: &Attempt) -> Event {
    let kind = EventKind::Attempt {
        name: name.to_owned(),
        method: method.as_str().to_owned(),
        verdict: verdict_word(attempt.verdict).to_owned(),
        expected: attempt.expected.clone(),
        seen: attempt.seen.clone(),
        advice: attempt.advice.clone(),
        evidence: serde_json::to_value(&attempt.evidence).unwrap_or_default(),
    };
    Event::new(attempt.at, kind)
}

/// Says what is in the way of a proof whose state has just become another, if it is the customer's to remove.
pub(crate) fn attention(proof: &NameProof, at: Timestamp) -> Option<Event> {
    let ProofState::Attention {
        expected,
        seen,
        advice,
    } = &proof.state
    else {
        return None;
    };
    let kind = EventKind::AttentionNeeded {
        name: proof.name.as_str().to_owned(),
        expected: expected.clone(),
        seen: seen.clone(),
        advice: advice.clone(),
    };
    Some(Event::new(at, kind))
}

/// Marks every name among those `concerned` that `authorization` proves.
pub(crate) fn apply(
    work: &mut Work,
    authorization: &Authorization,
    services: &Services,
    concerned: impl Fn(&NameProof) -> bool,
) -> Vec<Event> {
    let mut events = Vec::new();
    for proof in &mut work.proofs {
        if proof.is_proved()
            || !concerned(proof)
            || !authorization.covers(
                &proof.name,
                authorization.obtained,
                &services.settings.names,
            )
        {
            continue;
        }
        proof.state = ProofState::Proved {
            method: authorization.method,
            adn: authorization.adn.clone(),
            obtained: authorization.obtained,
            reused: false,
        };
        events.push(Event::new(
            authorization.obtained,
            EventKind::Proved {
                name: proof.name.as_str().to_owned(),
                adn: authorization.adn.clone(),
                method: authorization.method,
            },
        ));
    }
    events
}

/// Gives proofs whose evidence is too old at `now` back to the customer (V-3, V-4, V-6).
pub(super) fn drop_stale(work: &mut Work, now: Timestamp) -> bool {
    let mut dropped = false;
    for proof in &mut work.proofs {
        if is_stale(proof, now) {
            proof.state = ProofState::Waiting;
            dropped = true;
        }
    }
    dropped
}

/// Whether a name was proved by what does not count any more at `now`.
pub(super) fn is_stale(proof: &NameProof, now: Timestamp) -> bool {
    match &proof.state {
        ProofState::Proved {
            method, obtained, ..
        } => {
            !(reseal_pki::calendar::method_allowed(*method, now)
                && reseal_pki::calendar::evidence_usable(*method, *obtained, now))
        }
        ProofState::Waiting | ProofState::Attention { .. } => false,
    }
}

fn verdict_word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Proved => "proved",
        Verdict::NotYet => "notYet",
        Verdict::Unreachable => "unreachable",
        Verdict::Refused => "refused",
    }
}
