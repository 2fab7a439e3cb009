//! The way of a process whose certificate an upstream issues, beside that of `run` and `sign`.
//!
//! | recorded last | after a crash |
//! | --- | --- |
//! | accepted | an order is placed; one whose URL was lost is never finalized, and dies by itself |
//! | ordered | the order is read, and its challenges are shown |
//! | proved | the names stay proved as long as the order lives |
//! | asked | the order is read: only the upstream can say whether it was asked, and it makes one certificate an order |
//! | completed | nothing is left to do |
//!
//! - `challenge`: what is to be published (pure)
//! - `order`: an order is placed and read
//! - `prove`: what is published is looked at by us, then by the upstream
//! - `collect`: the certificate is asked for and fetched
//! - `doubt`: what became of that is not known
//! - `deliver`: what came is stored, or discarded
//! - `inspect`: whether it is what was ordered (pure)
//! - `key`: the account gets another key meanwhile

mod challenge;
mod collect;
mod deliver;
mod doubt;
mod inspect;
mod key;
mod order;
mod prove;

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use reseal_pki::csr::Csr;

pub(super) use challenge::fill;
pub use doubt::give_up;

use super::run::Next;
use crate::error::{Error, Violation};
use crate::event::Event;
use crate::fault;
use crate::process::{Order, Process, Work, next_check};
use crate::product::Product;
use crate::services::Services;
use crate::store::Change;
use crate::upstream::{Account, NoAccount, Upstream, UpstreamError, after};

/// When an upstream that cannot answer is asked again at the earliest, unless it says so itself.
const PAUSE: Duration = Duration::from_secs(15);

/// How long a round may ask the upstream: a slow one has its next turn later, and others have theirs.
const ROUND: Duration = Duration::from_mins(1);

/// A process after a step: to go on with, or to leave as it is.
type Flow = ControlFlow<Process, Process>;

/// Whom a process deals with.
struct Counterpart {
    /// Name of the issuer.
    issuer: String,
    /// Whose process it is, and whose account.
    customer: String,
    upstream: Arc<dyn Upstream>,
    account: Account,
    /// When the round began.
    began: Instant,
}

impl Counterpart {
    /// Whether the rest has to be asked for in another round.
    fn is_late(&self) -> bool {
        self.began.elapsed() >= ROUND
    }
}

impl Services {
    /// Whether an upstream issues for `work`, or was to.
    pub(super) fn is_upstream(&self, work: &Work) -> bool {
        work.upstream.is_some() || self.upstreams.contains_key(&work.order.issuer)
    }

    /// The same of a product.
    pub(super) fn sells_upstream(&self, product: &Product) -> bool {
        self.upstreams.contains_key(&product.issuer)
    }

    /// One round of a process that has no certificate yet: it is ordered, proved, and asked for as far as that goes now.
    pub(super) async fn check_upstream(&self, process: Process) -> Result<Flow, Error> {
        let with = match self.counterpart(&process).await? {
            Ok(with) => with,
            Err(error) => return self.put_off(process, Vec::new(), &error).await,
        };
        if let Err(why) = self.check_source(&process).await {
            return Ok(stopped(self.not_prepared(process, Vec::new(), why).await?));
        }
        let process = match self.order_upstream(process, &with).await? {
            ControlFlow::Continue(process) => process,
            stopped @ ControlFlow::Break(_) => return Ok(stopped),
        };
        let process = match self.prove_upstream(process, &with).await? {
            ControlFlow::Continue(process) => process,
            stopped @ ControlFlow::Break(_) => return Ok(stopped),
        };
        self.begin_to_finalize(process).await
    }

    /// Looks once more at the key and at the certificate to be replaced, and records that the upstream will be asked.
    async fn begin_to_finalize(&self, process: Process) -> Result<Flow, Error> {
        let work = process
            .work()
            .ok_or_else(|| Error::internal("a process without work"))?;
        if let Err(why) = self.recheck(&process, work).await {
            return Ok(stopped(self.not_prepared(process, Vec::new(), why).await?));
        }
        let now = self.clock.now();
        let (process, events) = process.finalize(now).map_err(Error::internal)?;
        let process = self.advance_leased(Change::new(process, events)).await?;
        fault::point(fault::Point::Finalizing).await;
        Ok(ControlFlow::Continue(process))
    }

    /// The upstream of the process and our account there.
    async fn counterpart(
        &self,
        process: &Process,
    ) -> Result<Result<Counterpart, UpstreamError>, Error> {
        let began = Instant::now();
        let issuer = process.work().map(|work| work.order.issuer.as_str());
        let issuer = issuer.unwrap_or_default();
        let Some(upstream) = self.upstreams.get(issuer) else {
            return Ok(Err(UpstreamError::not_configured(issuer)));
        };
        match self
            .upstream_account(issuer, upstream, &process.customer)
            .await
        {
            Ok(account) => Ok(Ok(Counterpart {
                issuer: issuer.to_owned(),
                customer: process.customer.clone(),
                upstream: Arc::clone(upstream),
                account,
                began,
            })),
            Err(NoAccount::Upstream(error)) => {
                tracing::error!(issuer, %error, "there is no account at the upstream");
                Ok(Err(error))
            }
            Err(NoAccount::Own(error)) => Err(error),
        }
    }

    /// Checking → suspended until the upstream may be asked again.
    async fn put_off(
        &self,
        process: Process,
        events: Vec<Event>,
        error: &UpstreamError,
    ) -> Result<Flow, Error> {
        let now = self.clock.now();
        // Not `next_look`: before there is anything to publish it would wait for somebody's answer.
        let usual = process
            .work()
            .map_or(now, |work| next_check(work.challenges_created, now));
        let next = match error.asked_to_wait() {
            Some(wait) => after(now, wait.max(PAUSE)),
            None => after(now, PAUSE).max(usual),
        };
        let issuer = process.work().map(|work| work.order.issuer.clone());
        let detail = format!("issuer `{}`: {error}", issuer.unwrap_or_default());
        let process = self.wait_until(process, events, detail, next).await?;
        Ok(ControlFlow::Break(process))
    }
}

/// What `not_prepared` left: it never goes on to sign.
fn stopped(next: Next) -> Flow {
    match next {
        Next::Stop(process) | Next::Sign(process, _) => ControlFlow::Break(process),
    }
}

/// A CSR that does not name what is ordered: an upstream takes it to the letter (RFC 8555 section 7.4), where the
/// embedded CA takes no more than the key.
pub(super) fn names_problem(csr: &Csr, order: &Order) -> Option<Violation> {
    let named = |name: &str| {
        let mut names = csr
            .dns_names()
            .iter()
            .map(String::as_str)
            .chain(csr.common_name());
        names.any(|known| known.eq_ignore_ascii_case(name))
    };
    let missing = order.names.iter().find(|name| !named(name.as_str()));
    let ordered = |known: &str| {
        let mut names = order.names.iter();
        names.any(|name| name.as_str().eq_ignore_ascii_case(known))
    };
    let mut names = csr
        .dns_names()
        .iter()
        .map(String::as_str)
        .chain(csr.common_name());
    let surplus = names.find(|known| !ordered(known));
    let issuer = &order.issuer;
    let message = match (missing, surplus) {
        (None, None) => return None,
        (Some(name), _) => format!(
            "the certificate would have the name `{name}`, and the upstream issuer `{issuer}` takes a CSR only with \
             exactly its names: make a CSR that has it, or leave the name out (`\"san\": []` declines a free one)"
        ),
        (None, Some(name)) => format!(
            "the CSR has the name `{name}`, which the certificate would not have, and the upstream issuer `{issuer}` \
             takes a CSR only with exactly its names: make a CSR without it, or ask for the name"
        ),
    };
    Some(Violation::new("csr", message, None))
}
