//! The certificate is asked for once, fetched, and stored.
//!
//! What became of a request whose answer was lost, only the upstream knows: it is asked for the order, and never for
//! another one. While it says that the order is ready it has not been asked yet, or did not hear it; asked then, it makes
//! one certificate all the same, because an order leads to one (RFC 8555 section 7.4).

use std::ops::ControlFlow;
use std::time::Duration;

use jiff::SignedDuration;
use tokio::time::sleep;

use super::{Counterpart, Flow};
use crate::error::Error;
use crate::fault;
use crate::process::Process;
use crate::services::Services;
use crate::store::Change;
use crate::upstream::{OrderStatus, UpstreamError};

/// Pauses before each look at the order, within one run.
const LOOKS: [Duration; 6] = [
    Duration::ZERO,
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(2),
];
/// The longest pause that is made for the upstream's sake within a run.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Pause between runs while the upstream makes the certificate.
const BETWEEN_RUNS: Duration = Duration::from_secs(5);
/// An upstream that has answered nothing and whose order is ready for so long does not sign any more.
const LONGEST_SIGNING: SignedDuration = SignedDuration::from_mins(5);

impl Services {
    /// Reads the order, asks for the certificate if nobody has yet (`is_first`), and takes it when it is there.
    pub(in crate::issuance) async fn collect_upstream(
        &self,
        mut process: Process,
        mut is_first: bool,
    ) -> Result<Process, Error> {
        let with = match self.counterpart(&process).await? {
            Ok(with) => with,
            Err(error) => return self.interrupted(process, &error, is_first).await,
        };
        let Some((order, placed)) = process
            .work()
            .and_then(|work| Some((work.order.clone(), work.upstream.clone()?)))
        else {
            return Err(Error::internal("a process without an order"));
        };
        let mut asked_to_wait: Option<Duration> = None;
        for pause in LOOKS {
            let pause = asked_to_wait.map_or(pause, |asked| pause.max(asked));
            if pause > LONGEST_PAUSE || with.is_late() {
                break;
            }
            sleep(pause).await;
            let state = match with.upstream.order(&with.account, &placed.url).await {
                Ok(state) => state,
                Err(error) => {
                    let error = self.unless_rekeyed(&with, error).await;
                    return self.interrupted(process, &error, is_first).await;
                }
            };
            asked_to_wait = state.retry_after;
            match (state.status, state.certificate) {
                (OrderStatus::Ready, _) => {
                    let finalize = &state.finalize;
                    match self
                        .ask_upstream(process, &with, finalize, is_first)
                        .await?
                    {
                        ControlFlow::Continue(asked) => process = asked,
                        ControlFlow::Break(process) => return Ok(process),
                    }
                    is_first = false;
                }
                // It has accepted every proof, and has not seen yet that this makes the order ready.
                (OrderStatus::Pending, _) => {}
                // Where an order is shared with a process that has ended, that one may have asked.
                (OrderStatus::Processing, _) => is_first = false,
                (OrderStatus::Valid, Some(certificate)) => {
                    return match with.upstream.download(&with.account, &certificate).await {
                        Ok(delivered) => self.take_delivery(process, &order, &delivered).await,
                        Err(error) => self.come_back(process, &error).await,
                    };
                }
                (OrderStatus::Valid, None) => {
                    let error =
                        UpstreamError::Lost("it does not say where the certificate is".to_owned());
                    return self.come_back(process, &error).await;
                }
                (OrderStatus::Invalid, _) => {
                    let words = state
                        .error
                        .unwrap_or_else(|| "no reason was given".to_owned());
                    if is_first {
                        return self.order_lost(process, &words).await;
                    }
                    let why = format!(
                        "issuer `{}` does not fulfil the order: {words}",
                        order.issuer
                    );
                    return self.fail(process, why).await;
                }
            }
        }
        if is_first {
            let error = UpstreamError::Unavailable {
                reason: "it has accepted every proof, and its order is not ready".to_owned(),
                retry_after: asked_to_wait,
                is_general: false,
            };
            return self.interrupted(process, &error, is_first).await;
        }
        let wait = asked_to_wait.unwrap_or(BETWEEN_RUNS).max(BETWEEN_RUNS);
        self.come_back_in(process, None, wait).await
    }

    /// Asks for the certificate of an order that is ready. Again only when it stayed ready for longer than any signing
    /// takes, and for a key that may still be certified: not every upstream says that it is at work, and one that is asked
    /// twice may sign twice.
    async fn ask_upstream(
        &self,
        process: Process,
        with: &Counterpart,
        finalize: &str,
        is_first: bool,
    ) -> Result<Flow, Error> {
        let Some((work, placed)) = process
            .work()
            .and_then(|work| Some((work, work.upstream.as_ref()?)))
        else {
            return Err(Error::internal("a process without an order"));
        };
        let csr = work.order.csr.clone();
        let process = if is_first {
            process
        } else {
            let now = self.clock.now();
            if placed
                .asked
                .is_some_and(|asked| now.duration_since(asked) < LONGEST_SIGNING)
            {
                return Ok(ControlFlow::Continue(process));
            }
            if let Err(why) = self.recheck(&process, work).await {
                let error = UpstreamError::Lost(why.reason());
                return Ok(ControlFlow::Break(self.come_back(process, &error).await?));
            }
            let (process, events) = process.ask_again(now).map_err(Error::internal)?;
            self.advance_leased(Change::new(process, events)).await?
        };
        let asked = with.upstream.finalize(&with.account, finalize, &csr).await;
        fault::point(fault::Point::Finalized).await;
        let asked = match asked {
            Ok(()) => Ok(()),
            Err(error) => Err(self.unless_rekeyed(with, error).await),
        };
        let stopped = match asked {
            Ok(()) => return Ok(ControlFlow::Continue(process)),
            // It was asked before and has not said so.
            Err(error) if error.is("orderNotReady") => return Ok(ControlFlow::Continue(process)),
            Err(error @ UpstreamError::Refused { .. }) => {
                let why = format!("the upstream refused the CSR: {error}");
                if is_first {
                    let issuer = process.work().map(|work| work.order.issuer.clone());
                    let why = format!("issuer `{}`: {why}", issuer.unwrap_or_default());
                    self.fail(process, why).await?
                } else {
                    self.give_up_doubt(process, &why).await?
                }
            }
            Err(error @ UpstreamError::Unavailable { .. }) => {
                self.interrupted(process, &error, is_first).await?
            }
            Err(error) => self.come_back(process, &error).await?,
        };
        Ok(ControlFlow::Break(stopped))
    }
}
