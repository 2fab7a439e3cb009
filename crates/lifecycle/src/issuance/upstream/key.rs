//! The key of an account may be changed while processes are under way, by any node or by a command.

use std::ops::ControlFlow;

use super::{Counterpart, Flow, fill};
use crate::error::Error;
use crate::process::{Process, ProofState, UpstreamOrder, Way};
use crate::services::Services;
use crate::store::Change;
use crate::upstream::{NoAccount, UpstreamError};

impl Services {
    /// A refusal of what was signed with a key that the account has no more, or for an account that is no more, says nothing
    /// about what was asked for.
    pub(super) async fn unless_rekeyed(
        &self,
        with: &Counterpart,
        error: UpstreamError,
    ) -> UpstreamError {
        if !matches!(error, UpstreamError::Refused { .. }) {
            return error;
        }
        let Counterpart {
            issuer,
            customer,
            upstream,
            account,
            ..
        } = with;
        let present = if error.lacks_account() {
            let accounts = self.accounts();
            accounts.replace(issuer, upstream, customer, account).await
        } else {
            self.upstream_account(issuer, upstream, customer).await
        };
        match present {
            Ok(present) if present == *account => error,
            Ok(present) if present.url != account.url => UpstreamError::not_now(format!(
                "the account {} was not known there any more: {} takes its place",
                account.url, present.url
            )),
            Ok(_) => {
                UpstreamError::not_now("the key of the account was changed at the same moment")
            }
            Err(NoAccount::Upstream(other)) => other,
            Err(NoAccount::Own(other)) => UpstreamError::not_now(other.message),
        }
    }

    /// What is published is made with the account's key (RFC 8555 section 8.1): with another key it is something else.
    pub(super) async fn follow_key(
        &self,
        process: Process,
        with: &Counterpart,
    ) -> Result<Flow, Error> {
        let order = process.work().and_then(|work| work.upstream.as_ref());
        let Some(order) = order else {
            return Ok(ControlFlow::Continue(process));
        };
        let renewed = match renewed(order, with) {
            Ok(Some(renewed)) => renewed,
            Ok(None) => return Ok(ControlFlow::Continue(process)),
            Err(error) => return self.put_off(process, Vec::new(), &error).await,
        };
        let now = self.clock.now();
        let (process, _) = process
            .update(now, |work| {
                work.upstream = Some(renewed);
                for proof in work.proofs.iter_mut().filter(|proof| !proof.is_proved()) {
                    proof.state = ProofState::Waiting;
                    proof.last_look = None;
                }
                fill(work);
                Vec::new()
            })
            .map_err(Error::internal)?;
        let process = self
            .advance_leased(Change::new(process, Vec::new()))
            .await?;
        Ok(ControlFlow::Continue(process))
    }
}

/// The order with what is published by the account's present key, if that is something else.
fn renewed(
    order: &UpstreamOrder,
    with: &Counterpart,
) -> Result<Option<UpstreamOrder>, UpstreamError> {
    let mut renewed = order.clone();
    let mut is_other = false;
    for asked in &mut renewed.authorizations {
        for Way {
            offer,
            key_authorization,
        } in &mut asked.ways
        {
            let present = with
                .upstream
                .key_authorization(&with.account, &offer.token)?;
            if *key_authorization != present {
                *key_authorization = present;
                (asked.told, asked.times) = (None, 0);
                is_other = true;
            }
        }
    }
    Ok(is_other.then_some(renewed))
}
