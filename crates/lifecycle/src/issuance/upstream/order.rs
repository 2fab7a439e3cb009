//! An order is placed, put on record, and read.

use std::ops::ControlFlow;

use reseal_pki::name::DnsName;

use super::{Counterpart, Flow, PAUSE, challenge, fill};
use crate::customer::Scope;
use crate::error::Error;
use crate::event::{Event, EventKind};
use crate::fault;
use crate::process::{
    Action, Process, ProofState, UpstreamAuthorization, UpstreamOrder, Way, Work,
};
use crate::services::Services;
use crate::store::{Change, StoreError};
use crate::upstream::{
    AuthorizationState, AuthorizationStatus, Offer, OrderStatus, OrderUrl, UpstreamError, after,
};

/// Problems that say that these names are not certified there, however often it is asked.
const FINAL: [&str; 4] = [
    "rejectedIdentifier",
    "unsupportedIdentifier",
    "caa",
    "malformed",
];

/// How many orders of a process may be lost.
const MOST_LOST: u32 = 3;

impl Services {
    /// Places an order unless the process has a living one, and puts down what it asks for.
    pub(super) async fn order_upstream(
        &self,
        process: Process,
        with: &Counterpart,
    ) -> Result<Flow, Error> {
        let now = self.clock.now();
        let order = process.work().and_then(|work| work.upstream.as_ref());
        let process = match order {
            // What another account has ordered this one cannot read.
            Some(order) if !order.is_over(now) && order.account == with.account.url => process,
            _ => match self.place(process, with).await? {
                ControlFlow::Continue(process) => process,
                stopped @ ControlFlow::Break(_) => return Ok(stopped),
            },
        };
        let process = match self.follow_key(process, with).await? {
            ControlFlow::Continue(process) => process,
            stopped @ ControlFlow::Break(_) => return Ok(stopped),
        };
        if process.work().is_some_and(all_known) {
            Ok(ControlFlow::Continue(process))
        } else {
            self.read_authorizations(process, with).await
        }
    }

    /// Places an order, and records its URL as soon as it is known.
    async fn place(&self, process: Process, with: &Counterpart) -> Result<Flow, Error> {
        let Some(order) = process.work().map(|work| work.order.clone()) else {
            return Err(Error::internal("a process without work"));
        };
        let replaces = self.replaced_upstream(&process, &order.issuer).await?;
        let placed = async {
            let identities = with.upstream.caa_identities().await?;
            let placed = with
                .upstream
                .place(&with.account, &order.names, replaces.as_deref());
            Ok::<_, UpstreamError>((placed.await?, identities))
        };
        let placed = match placed.await {
            Ok(placed) => Ok(placed),
            Err(error) => Err(self.unless_rekeyed(with, error).await),
        };
        let ((url, state), caa_identities) = match placed {
            Ok(placed) => placed,
            Err(error @ UpstreamError::Refused { .. })
                if FINAL.iter().any(|kind| error.is(kind)) =>
            {
                let reason = format!("issuer `{}` refused the order: {error}", order.issuer);
                return Ok(ControlFlow::Break(self.fail(process, reason).await?));
            }
            Err(error) => {
                tracing::warn!(process = process.id, issuer = order.issuer, %error, "the upstream took no order");
                return self.put_off(process, Vec::new(), &error).await;
            }
        };
        fault::point(fault::Point::Ordered).await;
        let now = self.clock.now();
        let placed = OrderUrl {
            issuer: order.issuer.clone(),
            url: url.clone(),
            placed: now,
        };
        let account = with.account.url.clone();
        let unordered = process.clone();
        let before = process.work().and_then(|work| work.upstream.as_ref());
        let lost = before.map_or(0, |before| before.lost);
        let (process, _) = process
            .update(now, |work| {
                work.upstream = Some(UpstreamOrder {
                    url: url.clone(),
                    account,
                    placed: now,
                    expires: state.expires,
                    caa_identities,
                    asked: None,
                    first_asked: None,
                    lost,
                    authorizations: Vec::new(),
                });
                // What an earlier order asked for proves nothing for this one.
                for proof in &mut work.proofs {
                    proof.state = ProofState::Waiting;
                    proof.challenge = None;
                    proof.last_look = None;
                }
                Vec::new()
            })
            .map_err(Error::internal)?;
        let kind = EventKind::UpstreamOrdered {
            issuer: order.issuer,
            order: url,
        };
        let mut change = Change::new(process, vec![Event::new(now, kind)]);
        change.order = Some(placed);
        match self.advance_recorded(change).await {
            Ok(process) => {
                fault::point(fault::Point::OrderRecorded).await;
                Ok(ControlFlow::Continue(process))
            }
            // An upstream may answer two equal orders with one: its certificate can be only one process's.
            Err(StoreError::Exists(_)) => {
                let error = UpstreamError::not_now(
                    "another process has an order for the same names, and has to end first",
                );
                self.put_off(unordered, Vec::new(), &error).await
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Has another order placed instead of one that the upstream has lost, or has ended though nothing of ours failed there:
    /// no certificate was asked for yet. Not for ever.
    pub(super) async fn replace_order(&self, process: Process, why: &str) -> Result<Flow, Error> {
        let order = process.work().and_then(|work| work.upstream.as_ref());
        let lost = order.map_or(0, |order| order.lost);
        if lost >= MOST_LOST {
            let issuer = process.work().map(|work| work.order.issuer.clone());
            let reason = format!(
                "issuer `{}` has lost {} orders, the last one so: {why}",
                issuer.unwrap_or_default(),
                lost + 1
            );
            return Ok(ControlFlow::Break(self.fail(process, reason).await?));
        }
        let now = self.clock.now();
        let (process, _) = process
            .update(now, |work| {
                if let Some(order) = &mut work.upstream {
                    order.lose(now);
                }
                Vec::new()
            })
            .map_err(Error::internal)?;
        let error = UpstreamError::not_now(format!(
            "another order is placed, for this one is lost: {why}"
        ));
        self.put_off(process, Vec::new(), &error).await
    }

    /// The certificate that is replaced, DER, if the same upstream issued it.
    async fn replaced_upstream(
        &self,
        process: &Process,
        issuer: &str,
    ) -> Result<Option<Vec<u8>>, Error> {
        let (Action::Reissue | Action::Renew, Some(source)) = (process.action, process.source)
        else {
            return Ok(None);
        };
        let old = self.store.certificate(&Scope::Everything, source).await?;
        Ok(old.filter(|old| old.issuer == issuer).map(|old| old.der))
    }

    /// Reads what the upstream asks for, name by name, and records it, as far as it answers in this round. The next one goes
    /// on where this one stopped.
    async fn read_authorizations(
        &self,
        process: Process,
        with: &Counterpart,
    ) -> Result<Flow, Error> {
        let mut read = Vec::new();
        let asked = self.asked_for(&process, with, &mut read).await;
        let now = self.clock.now();
        let (process, events) = process
            .update(now, |work| {
                let mut events = Vec::new();
                for (authorization, state) in read {
                    let proof = work
                        .proofs
                        .iter_mut()
                        .find(|proof| proof.name == authorization.name);
                    // What the account proved before counts there (RFC 8555 section 7.1.3).
                    if let Some(proof) = proof
                        && state.status == AuthorizationStatus::Valid
                    {
                        events.push(challenge::accepted(proof, state.validated, true, now));
                    }
                    if let Some(order) = &mut work.upstream {
                        order.authorizations.push(authorization);
                    }
                }
                fill(work);
                events
            })
            .map_err(Error::internal)?;
        let process = self.advance_leased(Change::new(process, events)).await?;
        if let Err(error) = asked {
            return self.unreadable(process, with, error).await;
        }
        if process.work().is_some_and(all_known) {
            return Ok(ControlFlow::Continue(process));
        }
        let detail = format!(
            "issuer `{}` says slowly how the names are to be proved",
            with.issuer
        );
        let next = after(now, PAUSE);
        let process = self.wait_until(process, Vec::new(), detail, next).await?;
        Ok(ControlFlow::Break(process))
    }

    /// What becomes of a process whose order, or what that asks for, cannot be read.
    pub(super) async fn unreadable(
        &self,
        process: Process,
        with: &Counterpart,
        error: UpstreamError,
    ) -> Result<Flow, Error> {
        match self.unless_rekeyed(with, error).await {
            error @ UpstreamError::Refused { .. } => {
                self.replace_order(process, &error.to_string()).await
            }
            error => self.put_off(process, Vec::new(), &error).await,
        }
    }

    /// What the upstream asks for and is not known yet, one for each name of the order; as far as there is time.
    async fn asked_for(
        &self,
        process: &Process,
        with: &Counterpart,
        read: &mut Vec<(UpstreamAuthorization, AuthorizationState)>,
    ) -> Result<(), UpstreamError> {
        let Counterpart {
            upstream, account, ..
        } = with;
        let work = process.work();
        let Some((work, order)) = work.and_then(|work| Some((work, work.upstream.as_ref()?)))
        else {
            return Err(UpstreamError::not_now("there is no order"));
        };
        let state = upstream.order(account, &order.url).await?;
        if state.status == OrderStatus::Invalid {
            return Err(dead(state.error));
        }
        // An upstream that asks for more than was ordered is not asked for all of it.
        for url in state.authorizations.iter().take(work.order.names.len()) {
            if order.authorizations.iter().any(|known| known.url == *url) {
                continue;
            }
            if with.is_late() {
                return Ok(());
            }
            let state = upstream.authorization(account, url).await?;
            if state.status == AuthorizationStatus::Dead {
                return Err(dead(state.error));
            }
            let mut names = work.order.names.iter();
            let name = names
                .find(|name| state.name == name.fqdn() && state.wildcard == name.is_wildcard());
            if let Some(name) = name {
                read.push((authorization(name, url, &state, with)?, state));
            }
        }
        let is_asked_for = |name: &DnsName| {
            order.authorization(name).is_some() || read.iter().any(|(one, _)| one.name == *name)
        };
        match work.order.names.iter().find(|name| !is_asked_for(name)) {
            Some(name) => Err(UpstreamError::not_now(format!(
                "it does not say how `{name}` is to be proved"
            ))),
            None => Ok(()),
        }
    }
}

/// Whether it is known of every name how it is to be proved.
fn all_known(work: &Work) -> bool {
    let order = work.upstream.as_ref();
    let mut names = work.order.names.iter();
    order.is_some_and(|order| names.all(|name| order.authorization(name).is_some()))
}

/// How `name` is to be proved, as it is kept.
fn authorization(
    name: &DnsName,
    url: &str,
    state: &AuthorizationState,
    with: &Counterpart,
) -> Result<UpstreamAuthorization, UpstreamError> {
    let way = |offer: &Offer| {
        Ok(Way {
            key_authorization: with
                .upstream
                .key_authorization(&with.account, &offer.token)?,
            offer: offer.clone(),
        })
    };
    Ok(UpstreamAuthorization {
        name: name.clone(),
        url: url.to_owned(),
        ways: state.offers.iter().map(way).collect::<Result<_, _>>()?,
        told: None,
        times: 0,
    })
}

/// Of an order that cannot be used any more, though nobody has asked for anything yet.
fn dead(words: Option<String>) -> UpstreamError {
    UpstreamError::Refused {
        kind: "invalid".to_owned(),
        detail: words.unwrap_or_else(|| "it has ended".to_owned()),
    }
}
