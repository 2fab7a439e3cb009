//! What can be seen of a running server from outside, in the terms of Prometheus (docs/monitoring.md).
//!
//! What is counted on the way is a number in memory, which costs a few nanoseconds and begins at zero with every start.
//! What is a matter of the store is asked for when somebody looks. Labels are words of ours and never what a customer
//! sent, so that the number of series stays small.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use prometheus::{
    Encoder as _, Gauge, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
    TextEncoder,
};
use reseal_pki::certificate::Certificate;
use reseal_validation::caa::CaaStatus;
use reseal_validation::challenge::Challenge;
use reseal_validation::evidence::Verdict;
use tokio::sync::Mutex;

use crate::crl::{self, Coverage, CrlScope, CrlState};
use crate::error::Error;
use crate::process::{Action, Process, ProcessStatus};
use crate::services::Services;
use crate::transparency::LogError;

/// What a store knows at a moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Open processes by their status.
    pub open: Vec<(String, u64)>,
    /// Notifications that webhooks have not taken.
    pub undelivered: u64,
}

/// Processes that ended on this server since its start. The store counts what it has committed.
#[derive(Debug, Default)]
pub struct Ended([[AtomicU64; OUTCOMES.len()]; ACTIONS.len()]);

const ACTIONS: [Action; 5] = [
    Action::Request,
    Action::Reissue,
    Action::Renew,
    Action::Revoke,
    Action::Import,
];
const OUTCOMES: [ProcessStatus; 4] = [
    ProcessStatus::Completed,
    ProcessStatus::Failed,
    ProcessStatus::Cancelled,
    ProcessStatus::Invalid,
];

impl Ended {
    /// Counts `process`, as it was just stored, if it has ended.
    pub fn count(&self, process: &Process) {
        if process.is_open() {
            return;
        }
        let action = ACTIONS.iter().position(|one| *one == process.action);
        let outcome = OUTCOMES.iter().position(|one| *one == process.status());
        if let (Some(action), Some(outcome)) = (action, outcome) {
            self.0[action][outcome].fetch_add(1, Ordering::Relaxed);
        }
    }

    fn all(&self) -> impl Iterator<Item = (Action, ProcessStatus, u64)> {
        ACTIONS.iter().zip(&self.0).flat_map(|(action, counts)| {
            let counts = OUTCOMES.iter().zip(counts);
            counts.map(|(outcome, count)| (*action, *outcome, count.load(Ordering::Relaxed)))
        })
    }
}

/// Everything that is counted or measured.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    /// Held while values are taken from elsewhere.
    rendering: Mutex<()>,
    issued: HashMap<String, IntCounter>,
    unsigned: HashMap<String, IntCounter>,
    ended: IntCounterVec,
    looks: IntCounterVec,
    caa: IntCounterVec,
    hooks: IntCounterVec,
    submissions: IntCounterVec,
    open: IntGaugeVec,
    undelivered: IntGauge,
    waiting_writes: IntGauge,
    write_wait: Gauge,
    certificate_ends: IntGaugeVec,
    list_ends: IntGaugeVec,
}

impl Metrics {
    /// All at zero. Certificates are counted for each of `issuers`.
    pub(crate) fn new<'a>(
        issuers: impl Iterator<Item = &'a String>,
    ) -> Result<Self, prometheus::Error> {
        let registry = Registry::new();
        let by_issuer = counters(
            "reseal_certificates_issued_total",
            "Certificates that were issued and stored",
            &["issuer"],
        )?;
        let unsigned = counters(
            "reseal_signatures_failed_total",
            "Certificates that were recorded for signing and got no signature, each attempt",
            &["issuer"],
        )?;
        let issuers: Vec<_> = issuers.collect();
        let each = |vector: &IntCounterVec| {
            let named = issuers.iter();
            named
                .map(|name| ((*name).clone(), vector.with_label_values(&[name])))
                .collect()
        };
        let metrics = Self {
            issued: each(&by_issuer),
            unsigned: each(&unsigned),
            ended: counters(
                "reseal_processes_ended_total",
                "Processes that ended, by what they were for and how they ended",
                &["action", "outcome"],
            )?,
            looks: counters(
                "reseal_dcv_looks_total",
                "Looks at challenges, by what was looked for and what came of it",
                &["method", "outcome"],
            )?,
            caa: counters(
                "reseal_caa_checks_total",
                "Checks of CAA before a certificate is signed, by what came of them",
                &["outcome"],
            )?,
            hooks: counters(
                "reseal_dns_hook_calls_total",
                "Records that hooks were to publish or remove in the DNS, by hook and by what came of it",
                &["hook", "call", "outcome"],
            )?,
            submissions: counters(
                "reseal_ct_submissions_total",
                "Precertificates sent to logs, by the log and what came of it",
                &["log", "outcome"],
            )?,
            open: gauges(
                "reseal_processes_open",
                "Open processes in the store by their status",
                &["status"],
            )?,
            undelivered: IntGauge::new(
                "reseal_webhook_backlog",
                "Notifications in the store that webhooks have not taken",
            )?,
            waiting_writes: IntGauge::new(
                "reseal_store_waiting_writes",
                "Writes that wait for the store",
            )?,
            write_wait: Gauge::new(
                "reseal_store_write_wait_seconds",
                "How long a write that comes now would wait for its turn",
            )?,
            certificate_ends: gauges(
                "reseal_ca_certificate_not_after_timestamp_seconds",
                "Last second of the CA's own certificates",
                &["certificate"],
            )?,
            list_ends: gauges(
                "reseal_crl_next_update_timestamp_seconds",
                "Earliest nextUpdate of the revocation lists of an authority",
                &["authority"],
            )?,
            rendering: Mutex::default(),
            registry,
        };
        let Self {
            registry,
            ended,
            looks,
            caa,
            hooks,
            submissions,
            open,
            undelivered,
            waiting_writes,
            write_wait,
            certificate_ends,
            list_ends,
            ..
        } = &metrics;
        for vector in [&by_issuer, &unsigned, ended, looks, caa, hooks, submissions] {
            registry.register(Box::new(vector.clone()))?;
        }
        for vector in [open, certificate_ends, list_ends] {
            registry.register(Box::new(vector.clone()))?;
        }
        for gauge in [undelivered, waiting_writes] {
            registry.register(Box::new(gauge.clone()))?;
        }
        registry.register(Box::new(write_wait.clone()))?;
        Ok(metrics)
    }

    /// Where other parts of the server register what is theirs.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    pub(crate) fn issued(&self, issuer: &str) {
        if let Some(counter) = self.issued.get(issuer) {
            counter.inc();
        }
    }

    /// `issuer` has not signed what was recorded.
    pub(crate) fn unsigned(&self, issuer: &str) {
        if let Some(counter) = self.unsigned.get(issuer) {
            counter.inc();
        }
    }

    pub(crate) fn looked(&self, challenge: &Challenge, verdict: Verdict) {
        let method = match challenge {
            Challenge::Dns { .. } | Challenge::Txt { .. } | Challenge::DnsRandom { .. } => "dns",
            Challenge::File { .. } => "file",
            Challenge::Persistent { .. } => "persistent",
            Challenge::Contact(_) => "contact",
        };
        let outcome = match verdict {
            Verdict::Proved => "proved",
            Verdict::NotYet => "missing",
            Verdict::Unreachable => "unreachable",
            Verdict::Refused => "refused",
        };
        self.looks.with_label_values(&[method, outcome]).inc();
    }

    /// A hook was to `call` (`publish`, `remove`) a record.
    pub(crate) fn hooked(&self, hook: &str, call: &str, is_done: bool) {
        let outcome = if is_done { "done" } else { "failed" };
        self.hooks.with_label_values(&[hook, call, outcome]).inc();
    }

    pub(crate) fn submitted(&self, log: &str, failure: Option<&LogError>) {
        let outcome = match failure {
            None => "promised",
            Some(LogError::Unavailable { .. }) => "unavailable",
            Some(LogError::Refused(_)) => "refused",
            Some(LogError::Wrong(_)) => "wrong",
        };
        self.submissions.with_label_values(&[log, outcome]).inc();
    }

    pub(crate) fn checked_caa(&self, status: CaaStatus, permitted: bool) {
        let outcome = match status {
            _ if permitted => "permitted",
            CaaStatus::Invalid | CaaStatus::UnrecognizedCriticalTag => "forbidden",
            _ => "failed",
        };
        self.caa.with_label_values(&[outcome]).inc();
    }
}

/// A part of the CA with an end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// What ends.
    pub what: Ending,
    /// What it is called: an issuer's name or `root`; for lists what their names begin with.
    pub name: String,
    /// When.
    pub end: Timestamp,
}

/// What ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// A certificate of the CA that is needed to issue.
    Issuing,
    /// The certificate of an intermediate that issues no more.
    Retired,
    /// The earliest of the revocation lists for certificates.
    Lists,
    /// The root's revocation list.
    RootList,
}

impl Services {
    /// What is counted.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Everything that can be seen now, in Prometheus' text format. What the store does not tell is left out.
    ///
    /// # Errors
    /// When it cannot be written, which is a fault of ours.
    pub async fn render_metrics(&self) -> Result<Vec<u8>, Error> {
        let metrics = &self.metrics;
        let _alone = metrics.rendering.lock().await;
        for (action, outcome, count) in self.store.ended().all() {
            let labels = [action.as_str(), &outcome.as_str().to_lowercase()];
            let counter = metrics.ended.with_label_values(&labels);
            counter.inc_by(count.saturating_sub(counter.get()));
        }
        let waiting = self.store.waiting_writes();
        metrics
            .waiting_writes
            .set(i64::try_from(waiting).unwrap_or(i64::MAX));
        metrics.write_wait.set(self.store.backlog().as_secs_f64());
        let figures = self.store.figures().await;
        metrics.open.reset();
        match figures {
            Ok(figures) => {
                metrics.undelivered.set(figures.undelivered.cast_signed());
                for (status, count) in &figures.open {
                    let status = status.to_lowercase();
                    metrics
                        .open
                        .with_label_values(&[&status])
                        .set(count.cast_signed());
                }
            }
            Err(error) => tracing::warn!(%error, "the store does not tell its figures"),
        }
        metrics.list_ends.reset();
        match self.terms().await {
            Ok(terms) => {
                for term in &terms {
                    metrics.show(term);
                }
            }
            Err(error) => tracing::warn!(%error, "the store does not tell its revocation lists"),
        }
        let mut text = Vec::new();
        TextEncoder::new()
            .encode(&metrics.registry.gather(), &mut text)
            .map_err(Error::internal)?;
        Ok(text)
    }

    /// When the parts of the CA end: its certificates, and the lists that are still needed.
    pub async fn terms(&self) -> Result<Vec<Term>, Error> {
        let now = self.clock.now();
        let states: HashMap<_, _> = self
            .store
            .crl_states()
            .await?
            .into_iter()
            .map(|state| (state.name.clone(), state))
            .collect();
        let mut terms = Vec::new();
        for name in self.issuers() {
            let Some(issuer) = self.issuers.get(name) else {
                continue;
            };
            let scopes = issuer.crls();
            let is_current = scopes.iter().any(|scope| scope.in_use);
            terms.extend(certificates(name, &issuer.chain(), is_current));
            terms.extend(lists(&scopes, &states, now));
        }
        Ok(terms)
    }
}

fn certificates(issuer: &str, chain: &[Vec<u8>], is_current: bool) -> Vec<Term> {
    let what = if is_current {
        Ending::Issuing
    } else {
        Ending::Retired
    };
    let term = |der: &Vec<u8>, what, name: &str| {
        let read = Certificate::from_der(der).ok()?;
        Some(Term {
            what,
            name: name.to_owned(),
            end: read.not_after(),
        })
    };
    let own = chain.first().and_then(|der| term(der, what, issuer));
    let root = chain.last().filter(|_| is_current);
    let root = root.and_then(|der| term(der, what, "root"));
    own.into_iter().chain(root).collect()
}

/// The earliest end of the lists of each kind that are still needed.
fn lists(scopes: &[CrlScope], states: &HashMap<String, CrlState>, now: Timestamp) -> Vec<Term> {
    let mut earliest: HashMap<&str, Term> = HashMap::new();
    for scope in scopes {
        let state = states.get(&scope.name);
        let Some(state) = state.filter(|state| !crl::is_over(scope, Some(state), now)) else {
            continue;
        };
        let what = match scope.coverage {
            Coverage::Subscribers => Ending::Lists,
            Coverage::Authorities => Ending::RootList,
        };
        let name = scope.name.split('/').next().unwrap_or_default();
        let term = earliest.entry(name).or_insert_with(|| Term {
            what,
            name: name.to_owned(),
            end: state.next_update,
        });
        term.end = term.end.min(state.next_update);
    }
    earliest.into_values().collect()
}

impl Metrics {
    fn show(&self, term: &Term) {
        let gauges = match term.what {
            Ending::Issuing | Ending::Retired => &self.certificate_ends,
            Ending::Lists | Ending::RootList => &self.list_ends,
        };
        gauges
            .with_label_values(&[&term.name])
            .set(term.end.as_second());
    }
}

fn counters(name: &str, help: &str, labels: &[&str]) -> Result<IntCounterVec, prometheus::Error> {
    IntCounterVec::new(Opts::new(name, help), labels)
}

fn gauges(name: &str, help: &str, labels: &[&str]) -> Result<IntGaugeVec, prometheus::Error> {
    IntGaugeVec::new(Opts::new(name, help), labels)
}
