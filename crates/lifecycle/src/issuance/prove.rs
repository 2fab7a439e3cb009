//! One round of looking for what the customer published.

use jiff::Timestamp;
use reseal_pki::calendar;
use reseal_pki::corroboration::Witness;
use reseal_pki::name::NamePolicy;
use reseal_validation::challenge::Challenge;
use reseal_validation::evidence::{Attempt, Verdict};
use reseal_validation::panel::{Corroboration, Seen};

use super::persistent::{self, Account};
use super::plan::br_method;
use crate::authorization::Authorization;
use crate::event::{Event, EventKind};
use crate::process::{LastLook, NameProof, Process, ProofState, Work};
use crate::product::DcvType;
use crate::services::{Services, Settings};

/// What one look found about one challenge.
pub(super) struct Look {
    pub(super) challenge: Challenge,
    pub(super) attempt: Attempt,
    /// What remote perspectives said, when they were asked.
    pub(super) corroboration: Option<Corroboration>,
}

impl Services {
    /// Looks at every challenge that is still open, each once, several at the same time.
    pub(super) async fn look(&self, process: &Process) -> Vec<Look> {
        let Some(work) = process.work() else {
            return Vec::new();
        };
        let product = self.catalogue.get(&work.order.product);
        let account = Account::of(&process.customer, product, &self.settings);
        let names = &self.settings.names;
        let challenges = looked_for(&work.proofs, account.as_ref(), names, self.clock.now());
        let mut looks = Vec::with_capacity(challenges.len());
        for chunk in challenges.chunks(super::AT_ONCE) {
            let tasks: Vec<_> = chunk
                .iter()
                .map(|challenge| {
                    let (panel, challenge) = (self.panel.clone(), challenge.clone());
                    let clock = self.clock;
                    tokio::spawn(async move {
                        let Seen {
                            attempt,
                            corroboration,
                        } = panel.attempt(&challenge, clock.now()).await;
                        Look {
                            challenge,
                            attempt,
                            corroboration,
                        }
                    })
                })
                .collect();
            for task in tasks {
                // A look that died proves nothing; the next round looks again.
                let Ok(look) = task.await else { continue };
                self.metrics.looked(&look.challenge, look.attempt.verdict);
                looks.push(look);
            }
        }
        looks
    }
}

/// What a look at the open ones of `proofs` looks for: their challenges, and beside them the records of `account` that
/// stay.
pub fn looked_for(
    proofs: &[NameProof],
    account: Option<&Account>,
    names: &NamePolicy,
    now: Timestamp,
) -> Vec<Challenge> {
    let mut challenges: Vec<Challenge> = Vec::new();
    for proof in proofs {
        match &proof.challenge {
            Some(challenge) if !proof.is_proved() && !challenges.contains(challenge) => {
                challenges.push(challenge.clone());
            }
            _ => {}
        }
    }
    let records = account.map(|account| persistent::wanted(proofs, account, names));
    let records = records.into_iter().flatten();
    challenges.extend(records.map(|record| Challenge::Persistent { record, now }));
    challenges
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
    let is_proved = |look: &&Look| look.attempt.verdict == Verdict::Proved;
    // What proves a name by the challenge may be relied on for longer than by a record that stays; and who is proved
    // either way need not be told what is missing.
    for look in looks.iter().filter(is_proved) {
        same += take_in_look(work, look, &[], services, &mut events);
        let concerned = work.proofs.iter().find(|proof| is_asked(proof, look));
        if let Some(proof) = concerned {
            let authorization = Authorization {
                id: 0,
                customer: customer.to_owned(),
                adn: look.challenge.authorization_domain_name().to_owned(),
                method: br_method(proof.method),
                only_itself: false,
                obtained: look.attempt.at,
                process: 0,
                witnesses: witnesses(look.corroboration.as_ref()),
                alias: look.challenge.alias(&look.attempt),
                distrusted: None,
            };
            events.extend(apply(work, &authorization, services, |_| true));
            obtained.push(authorization);
        }
    }
    let (seen, proofs, repeated) = persistent::take_in(work, looks, customer, services);
    events.extend(seen);
    obtained.extend(proofs);
    same += repeated;
    for look in looks.iter().filter(|look| !is_proved(look)) {
        same += take_in_look(work, look, looks, services, &mut events);
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

/// Whether `proof` is open and `look` was at its challenge.
fn is_asked(proof: &NameProof, look: &Look) -> bool {
    !proof.is_proved() && proof.challenge.as_ref() == Some(&look.challenge)
}

/// Notes what a look at a challenge of an upstream's found.
pub(super) fn note_look(
    work: &mut Work,
    look: &Look,
    services: &Services,
    events: &mut Vec<Event>,
) {
    if take_in_look(work, look, &[], services, events) > 0 {
        let kind = EventKind::SameAsBefore {
            looked_at: "challenges".to_owned(),
            looks: 1,
        };
        events.push(Event::new(look.attempt.at, kind));
    }
}

/// Notes what a look at a challenge found; 1 if that was as the last time. `others` are the round's looks, among
/// which those at persistent records may say what else is wrong.
fn take_in_look(
    work: &mut Work,
    look: &Look,
    others: &[Look],
    services: &Services,
    events: &mut Vec<Event>,
) -> usize {
    let concerned = work.proofs.iter().position(|proof| is_asked(proof, look));
    let Some(index) = concerned else {
        return 0;
    };
    let mut attempt = look.attempt.clone();
    let problems = persistent::problems(others, &work.proofs[index], &services.settings.names);
    for problem in problems {
        attempt.seen = format!("{}; {problem}", attempt.seen);
    }
    let this = Some(last_look(&attempt));
    let same = work.proofs[index].last_look == this;
    if !same {
        work.proofs[index].last_look = this;
        let proof = &work.proofs[index];
        let (name, corroboration) = (proof.name.as_str(), look.corroboration.as_ref());
        events.push(seen(name, proof.method, &attempt, corroboration));
    }
    let tells = match attempt.verdict {
        // An outage is nobody's mistake and says nothing new: what was seen before it stands.
        Verdict::Proved | Verdict::Unreachable => false,
        // The first round runs before the customer could have published anything.
        Verdict::NotYet => work.rounds > 0,
        Verdict::Refused => true,
    };
    if tells {
        let state = ProofState::Attention {
            expected: attempt.expected.clone(),
            seen: attempt.seen.clone(),
            advice: attempt.advice.clone(),
        };
        for proof in &mut work.proofs {
            if is_asked(proof, look) && proof.state != state {
                proof.state = state.clone();
                events.extend(attention(proof, attempt.at));
            }
        }
    }
    usize::from(same)
}

/// A look as far as the next one is compared with it.
pub(super) fn last_look(attempt: &Attempt) -> LastLook {
    LastLook {
        verdict: verdict_word(attempt.verdict).to_owned(),
        expected: attempt.expected.clone(),
        seen: attempt.seen.clone(),
    }
}

/// A look with all its evidence.
pub(super) fn seen(
    name: &str,
    method: DcvType,
    attempt: &Attempt,
    corroboration: Option<&Corroboration>,
) -> Event {
    let kind = EventKind::Attempt {
        name: name.to_owned(),
        method: method.as_str().to_owned(),
        verdict: verdict_word(attempt.verdict).to_owned(),
        expected: attempt.expected.clone(),
        seen: attempt.seen.clone(),
        advice: attempt.advice.clone(),
        evidence: serde_json::to_value(&attempt.evidence).unwrap_or_default(),
        corroboration: corroboration.and_then(|all| serde_json::to_value(all).ok()),
    };
    Event::new(attempt.at, kind)
}

/// What is kept with a proof of those who looked for the same.
pub(super) fn witnesses(corroboration: Option<&Corroboration>) -> Vec<Witness> {
    corroboration
        .map(Corroboration::witnesses)
        .unwrap_or_default()
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
            witnesses: authorization.witnesses.clone(),
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

/// Gives proofs whose evidence does not count at `now`, and those of `distrusted` names, back to the customer (V-3, V-4,
/// V-6, M-1), to be proved by what this process asks for: what they were proved by may have been a key of another day.
pub(super) fn drop_stale(
    work: &mut Work,
    now: Timestamp,
    settings: &Settings,
    distrusted: &[String],
) -> bool {
    // While nothing is signed anyway, looking again would change nothing.
    let signs = settings.signing_refused(now).is_none();
    let mut dropped = false;
    for proof in &mut work.proofs {
        let is_distrusted = distrusted.iter().any(|name| name == proof.name.as_str());
        if is_distrusted || is_stale(proof, now) || signs && !is_corroborated(proof, settings) {
            proof.state = ProofState::Waiting;
            proof.challenge = None;
            proof.last_look = None;
            dropped = true;
        }
    }
    dropped
}

/// Whether a name was proved by what does not count any more at `now`.
pub(super) fn is_stale(proof: &NameProof, now: Timestamp) -> bool {
    proof.evidence().is_some_and(|evidence| {
        !(calendar::method_allowed(evidence.method, now)
            && calendar::evidence_usable(evidence.method, evidence.obtained, now))
    })
}

/// Whether a name that was proved was seen from as many networks as it must be (M-1).
pub(super) fn is_corroborated(proof: &NameProof, settings: &Settings) -> bool {
    match &proof.state {
        ProofState::Proved {
            method,
            obtained,
            witnesses,
            ..
        } => settings.is_corroborated(*method, witnesses, *obtained),
        ProofState::Waiting | ProofState::Attention { .. } => true,
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
