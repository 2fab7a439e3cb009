//! What the customer published is looked at from here first, so that a mistake is explained by us and costs no attempt
//! there (D-37); what we see, the upstream is told of.

use std::ops::ControlFlow;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reseal_pki::name::DnsName;
use reseal_validation::evidence::Verdict;
use tokio::time::sleep;

use super::{Counterpart, Flow, challenge};
use crate::error::Error;
use crate::event::{Event, EventKind};
use crate::issuance::caa;
use crate::issuance::prove::{attention, note_look};
use crate::issuance::waiting::{next_look, waiting_for};
use crate::process::{Process, ProofState, UpstreamAuthorization, Work};
use crate::services::Services;
use crate::store::Change;
use crate::upstream::{AuthorizationStatus, UpstreamError, Validated, after};

/// Pauses between looks at what the upstream says of what it was told, within one round.
const LOOKS: [Duration; 4] = [
    Duration::from_millis(250),
    Duration::from_millis(750),
    Duration::from_secs(1),
    Duration::from_secs(2),
];
/// The longest pause that is made for the upstream's sake within a round.
const LONGEST_PAUSE: Duration = Duration::from_secs(3);
/// Pause until the next round while the upstream looks; longer the longer ago it was told.
const BETWEEN_ROUNDS: Duration = Duration::from_secs(3);
/// The longest that such a pause gets by itself.
const LONGEST_BETWEEN: Duration = Duration::from_hours(1);
/// An upstream that has said nothing for so long is told again; each further time twice as long.
const PATIENCE: SignedDuration = SignedDuration::from_mins(5);
/// How often that is doubled.
const MOST_DOUBLED: u32 = 8;

impl Services {
    /// One round: what hooks may publish is published, we look, CAA is asked, the upstream is told and asked. Goes on when every name is proved there.
    pub(super) async fn prove_upstream(
        &self,
        process: Process,
        with: &Counterpart,
    ) -> Result<Flow, Error> {
        let (process, settled) = self.publish(process).await?;
        if let (Some(until), Some(detail)) = (settled, process.work().and_then(waiting_for)) {
            let process = self.wait_until(process, Vec::new(), detail, until).await?;
            return Ok(ControlFlow::Break(process));
        }
        let (process, seen) = self.look_for_upstream(process).await?;
        let process = match self.check_caa_upstream(process).await? {
            ControlFlow::Continue(process) => process,
            stopped @ ControlFlow::Break(_) => return Ok(stopped),
        };
        let process = match self.tell_upstream(process, &seen, with).await? {
            ControlFlow::Continue(process) => process,
            stopped @ ControlFlow::Break(_) => return Ok(stopped),
        };
        let (process, asked) = match self.await_proofs(process, with).await? {
            ControlFlow::Continue(awaited) => awaited,
            ControlFlow::Break(process) => return Ok(ControlFlow::Break(process)),
        };
        let Some(work) = process.work() else {
            return Ok(ControlFlow::Break(process));
        };
        let Some(waits) = waiting_for(work) else {
            return Ok(ControlFlow::Continue(process));
        };
        let now = self.clock.now();
        let (detail, next) = if open(work).any(|asked| asked.told.is_some()) {
            let detail = format!("the upstream issuer looks: {waits}");
            (detail, next_round(work, asked, now))
        } else {
            (waits, next_look(work, now))
        };
        let process = self.wait_until(process, Vec::new(), detail, next).await?;
        Ok(ControlFlow::Break(process))
    }

    /// Looks at every challenge that is still open and records what was seen; which names' were there.
    async fn look_for_upstream(&self, process: Process) -> Result<(Process, Vec<DnsName>), Error> {
        let looks = self.look(&process).await;
        let now = self.clock.now();
        let mut seen = Vec::new();
        let (process, events) = process
            .update(now, |work| {
                let mut events = Vec::new();
                for look in &looks {
                    note_look(work, look, self, &mut events);
                    for proof in &mut work.proofs {
                        let is_seen = look.attempt.verdict == Verdict::Proved
                            && !proof.is_proved()
                            && proof.challenge.as_ref() == Some(&look.challenge);
                        if is_seen {
                            proof.state = ProofState::Waiting;
                            seen.push(proof.name.clone());
                        }
                    }
                }
                events.extend(unoffered(work, now));
                work.rounds += 1;
                events
            })
            .map_err(Error::internal)?;
        let process = self.advance_leased(Change::new(process, events)).await?;
        Ok((process, seen))
    }

    /// Asks CAA whether the upstream may issue, if it says by which names it is permitted: else that is its own affair.
    async fn check_caa_upstream(&self, process: Process) -> Result<Flow, Error> {
        let order = process.work().and_then(|work| work.upstream.as_ref());
        let identities = match order {
            Some(order) if !order.caa_identities.is_empty() => order.caa_identities.join("` or `"),
            _ => return Ok(ControlFlow::Continue(process)),
        };
        let round = self.check_caa(&process).await;
        let refused = round.states.iter().find(|state| !state.permitted);
        let refused =
            refused.map(|state| format!("CAA does not permit `{}`: {}", state.name, state.reason));
        let mut events = round.events;
        let now = self.clock.now();
        let (process, refusals) = process
            .update(now, |work| {
                let news = caa::newly_refused(&work.caa, &round.states, &identities, now);
                work.caa = round.states;
                news
            })
            .map_err(Error::internal)?;
        events.extend(refusals);
        if let Some(detail) = refused {
            let next = process.work().map_or(now, |work| next_look(work, now));
            let process = self.wait_until(process, events, detail, next).await?;
            return Ok(ControlFlow::Break(process));
        }
        let process = self.advance_leased(Change::new(process, events)).await?;
        Ok(ControlFlow::Continue(process))
    }

    /// Tells the upstream of the names in `seen`, unless it knows.
    async fn tell_upstream(
        &self,
        process: Process,
        seen: &[DnsName],
        with: &Counterpart,
    ) -> Result<Flow, Error> {
        let now = self.clock.now();
        let Some(work) = process.work() else {
            return Ok(ControlFlow::Break(process));
        };
        let known = |asked: &UpstreamAuthorization| {
            let since = |told: Timestamp| now.duration_since(told);
            asked
                .told
                .is_some_and(|told| since(told) < patience(asked.times))
        };
        let mut told = Vec::new();
        let mut failed = None;
        for asked in open(work).filter(|asked| seen.contains(&asked.name) && !known(asked)) {
            if with.is_late() {
                break;
            }
            let method = work.proof(asked.name.as_str()).map(|proof| proof.method);
            let Some(way) = method.and_then(|method| asked.way(method)) else {
                continue;
            };
            let said = match with.upstream.tell(&with.account, &way.offer.url).await {
                Ok(()) => Ok(()),
                Err(error) => Err(self.unless_rekeyed(with, error).await),
            };
            match said {
                // Whatever it means by refusing: how far the name is, it says where it is asked for that.
                Ok(()) | Err(UpstreamError::Lost(_) | UpstreamError::Refused { .. }) => {
                    told.push((asked.name.clone(), way.offer.method));
                }
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            }
        }
        let events = told.iter().map(|(name, method)| {
            let (name, method) = (name.as_str().to_owned(), method.as_str().to_owned());
            Event::new(now, EventKind::UpstreamTold { name, method })
        });
        let events: Vec<Event> = events.collect();
        let is_told = |name: &DnsName| told.iter().any(|(known, _)| known == name);
        let (process, _) = process
            .update(now, |work| {
                let order = work.upstream.iter_mut();
                for asked in order.flat_map(|order| &mut order.authorizations) {
                    if is_told(&asked.name) {
                        asked.told = Some(now);
                        asked.times += 1;
                    }
                }
                Vec::new()
            })
            .map_err(Error::internal)?;
        match failed {
            Some(error) => self.put_off(process, events, &error).await,
            None if events.is_empty() => Ok(ControlFlow::Continue(process)),
            None => {
                let process = self.advance_leased(Change::new(process, events)).await?;
                Ok(ControlFlow::Continue(process))
            }
        }
    }

    /// Asks the upstream how far the names are that it was told of, for some seconds at most; and how long it wants to be
    /// left alone then.
    async fn await_proofs(
        &self,
        process: Process,
        with: &Counterpart,
    ) -> Result<ControlFlow<Process, (Process, Option<Duration>)>, Error> {
        let mut proved: Vec<(DnsName, Option<Validated>)> = Vec::new();
        let is_in = |proved: &[(DnsName, Option<Validated>)], name: &DnsName| {
            proved.iter().any(|(known, _)| known == name)
        };
        let waits = |process: &Process,
                     proved: &[(DnsName, Option<Validated>)]|
         -> Vec<UpstreamAuthorization> {
            let told = process.work().into_iter().flat_map(open);
            told.filter(|asked| asked.told.is_some() && !is_in(proved, &asked.name))
                .cloned()
                .collect()
        };
        let mut failed = None;
        let mut asked_to_wait: Option<Duration> = None;
        'looks: for pause in LOOKS {
            let open = waits(&process, &proved);
            let pause = asked_to_wait.map_or(pause, |asked| pause.max(asked));
            if open.is_empty() || pause > LONGEST_PAUSE {
                break;
            }
            sleep(pause).await;
            asked_to_wait = None;
            for asked in open {
                if with.is_late() {
                    break 'looks;
                }
                let state = match with.upstream.authorization(&with.account, &asked.url).await {
                    Ok(state) => state,
                    Err(error) => {
                        failed = Some(error);
                        break 'looks;
                    }
                };
                match state.status {
                    AuthorizationStatus::Pending => {
                        asked_to_wait = asked_to_wait.max(state.retry_after);
                    }
                    AuthorizationStatus::Valid => proved.push((asked.name, state.validated)),
                    AuthorizationStatus::Dead => {
                        // What was looked at and not found says so (RFC 8555 section 8.2).
                        let Some(words) = state.error else {
                            let why = format!("the authorization of `{}` has ended", asked.name);
                            let replaced = self.replace_order(process, &why).await?;
                            return Ok(stopped(replaced));
                        };
                        let issuer = process.work().map(|work| work.order.issuer.clone());
                        let reason = format!(
                            "issuer `{}` did not accept the proof of control of `{}`, which we saw: {words}",
                            issuer.unwrap_or_default(),
                            asked.name
                        );
                        return Ok(ControlFlow::Break(self.fail(process, reason).await?));
                    }
                }
            }
        }
        let now = self.clock.now();
        let (process, events) = process
            .update(now, |work| proved_there(work, &proved, now))
            .map_err(Error::internal)?;
        let process = if events.is_empty() {
            process
        } else {
            self.advance_leased(Change::new(process, events)).await?
        };
        match failed {
            Some(error) => Ok(stopped(self.unreadable(process, with, error).await?)),
            None => Ok(ControlFlow::Continue((process, asked_to_wait))),
        }
    }
}

/// A process that is gone on with in another round.
fn stopped<T>(flow: Flow) -> ControlFlow<Process, T> {
    match flow {
        ControlFlow::Continue(process) | ControlFlow::Break(process) => ControlFlow::Break(process),
    }
}

/// How long an upstream that was told `times` times may say nothing before it is told again.
fn patience(times: u32) -> SignedDuration {
    PATIENCE * (1 << times.saturating_sub(1).min(MOST_DOUBLED))
}

/// When the upstream is asked again how far it is: not before it wants to be.
fn next_round(work: &Work, asked: Option<Duration>, now: Timestamp) -> Timestamp {
    let told = open(work).filter_map(|asked| asked.told).max();
    let since = told.map_or(SignedDuration::ZERO, |told| now.duration_since(told));
    let grown = Duration::try_from(since / 4).unwrap_or_default();
    let pause = BETWEEN_ROUNDS.max(grown.min(LONGEST_BETWEEN));
    after(now, asked.map_or(pause, |asked| pause.max(asked)))
}

/// What the upstream asks for and has not accepted yet.
fn open(work: &Work) -> impl Iterator<Item = &UpstreamAuthorization> {
    let asked = work.upstream.iter().flat_map(|order| &order.authorizations);
    asked.filter(|asked| {
        let proof = work.proof(asked.name.as_str());
        proof.is_some_and(|proof| !proof.is_proved())
    })
}

/// Marks the names that the upstream has accepted.
fn proved_there(
    work: &mut Work,
    names: &[(DnsName, Option<Validated>)],
    now: Timestamp,
) -> Vec<Event> {
    let mut events = Vec::new();
    for proof in &mut work.proofs {
        if let Some((_, validated)) = names.iter().find(|(name, _)| *name == proof.name) {
            events.push(challenge::accepted(proof, *validated, false, now));
        }
    }
    events
}

/// Says which names are to be proved by what the upstream does not offer.
fn unoffered(work: &mut Work, now: Timestamp) -> Vec<Event> {
    let Work {
        proofs, upstream, ..
    } = work;
    let mut events = Vec::new();
    for proof in proofs
        .iter_mut()
        .filter(|proof| !proof.is_proved() && proof.challenge.is_none())
    {
        let asked = upstream
            .as_ref()
            .and_then(|order| order.authorization(&proof.name));
        let ways = asked.into_iter().flat_map(|asked| &asked.ways);
        let ways: Vec<&str> = ways.map(|way| way.offer.method.as_str()).collect();
        let state = ProofState::Attention {
            expected: format!("a proof by {}", ways.join(" or ")),
            seen: format!(
                "{} was chosen, which the upstream issuer does not offer",
                proof.method.as_str()
            ),
            advice: "Choose another type of proof for the name with `resend`.".to_owned(),
        };
        if proof.state != state {
            proof.state = state;
            events.extend(attention(proof, now));
        }
    }
    events
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::{UpstreamOrder, sample};

    #[test]
    fn r_13_an_upstream_that_says_nothing_is_asked_ever_more_rarely() {
        let mut work = sample::work(false);
        work.upstream = Some(UpstreamOrder {
            authorizations: vec![UpstreamAuthorization {
                name: work.order.common_name.clone(),
                url: "https://ca.example/authorization/1".to_owned(),
                ways: Vec::new(),
                told: Some(sample::now()),
                times: 1,
            }],
            ..sample::order()
        });
        let pause = |minutes: i64, asked: Option<u64>| {
            let now = sample::now() + SignedDuration::from_mins(minutes);
            let next = next_round(&work, asked.map(Duration::from_secs), now);
            next.duration_since(now).as_secs()
        };
        assert_eq!(
            [0, 4, 40, 6000].map(|since| pause(since, None)),
            [3, 60, 600, 3600]
        );
        assert_eq!((pause(0, Some(90)), pause(40, Some(90))), (90, 600));
        let told = [1, 2, 3, 9, 1000].map(|times| patience(times).as_mins());
        assert_eq!(told, [5, 10, 20, 1280, 1280]);
    }
}
