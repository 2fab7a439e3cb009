//! Certificate Transparency: logs that promise to show a certificate before it is issued (RFC 6962, P-8, P-9).
//!
//! Which logs are asked and how many is decided here; `issuance::log` is the way of a process through it. With no logs
//! configured there is no [`Transparency`], and certificates are issued without.
//!
//! - `choice`: which logs are asked next, and whether there are promises enough (pure)
//! - `submit`: asks several at once, and others in the place of those that fail
//! - `rest`: who failed is left alone for a while
//! - `answer`: what a log says (pure)
//! - `store`: what is kept
//!
//! What survives a crash: the precertificate, and every promise that was obtained for it. How logs fared is forgotten.

mod answer;
mod choice;
mod rest;
mod store;
mod submit;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use reseal_pki::calendar;
use reseal_pki::profile::Validity;
use reseal_pki::transparency::{LogKey, OPERATORS_REQUIRED, Sct, scts_required};
use serde::{Deserialize, Serialize};

pub use answer::{NoAnswer, read_answer};
pub use store::{Precertificate, TransparencyStore};
pub(crate) use submit::{Collected, Missing, Submission};

use rest::Rests;

use crate::services::Services;

/// How long a log may take to answer, unless the operator says otherwise.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// The way to a log.
#[async_trait]
pub trait LogClient: Send + Sync + 'static {
    /// Sends a precertificate with its chain, the root last, DER (RFC 6962 section 4.2); what came back is not verified.
    async fn add_pre_chain(&self, chain: &[Vec<u8>]) -> Result<Sct, LogError>;
    /// The roots that it takes certificates below, DER (RFC 6962 section 4.7).
    async fn roots(&self) -> Result<Vec<Vec<u8>>, LogError>;
}

/// Why a log gave no promise. Texts come from elsewhere and are fit to be shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// It was not reached, did not answer in time, or cannot take anything now.
    #[error("not available: {reason}")]
    Unavailable {
        /// What happened.
        reason: String,
        /// When to ask again, if it said so.
        retry_after: Option<Duration>,
    },
    /// It does not take this certificate.
    #[error("refuses: {0}")]
    Refused(String),
    /// What it answered is no promise, or none about this certificate.
    #[error("answers wrongly: {0}")]
    Wrong(String),
}

/// Which ends of validity a log takes: from the first moment on, up to before the second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shard {
    /// From when on.
    pub from: Option<Timestamp>,
    /// Until before when.
    pub until: Option<Timestamp>,
}

impl Shard {
    /// Whether it takes a certificate that ends at `not_after`.
    pub fn takes(self, not_after: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= not_after)
            && self.until.is_none_or(|until| not_after < until)
    }
}

/// A log that the operator has configured.
#[derive(Clone)]
pub struct Log {
    /// What it is called: its address without the scheme.
    pub name: String,
    /// Who runs it.
    pub operator: String,
    /// What its promises are signed with.
    pub key: LogKey,
    /// Which certificates it takes.
    pub shard: Shard,
    /// The way to it.
    pub client: Arc<dyn LogClient>,
}

/// A promise that a process has obtained.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Promise {
    /// What the log is called.
    pub log: String,
    /// Who ran it then.
    pub operator: String,
    /// SHA-256 of the log's key, hex.
    pub log_id: String,
    /// When the log took it, as it says.
    pub at: Timestamp,
    /// The SCT as certificates carry it, hex.
    pub sct: String,
}

impl Promise {
    fn new(log: &Log, sct: &Sct, at: Timestamp) -> Option<Self> {
        Some(Self {
            log: log.name.clone(),
            operator: log.operator.clone(),
            log_id: hex::encode(sct.log_id),
            at,
            sct: hex::encode(sct.encode().ok()?),
        })
    }

    /// The SCT; `None` when what is stored was damaged.
    pub fn sct(&self) -> Option<Sct> {
        Sct::decode(&hex::decode(&self.sct).ok()?).ok()
    }
}

/// The logs, and what is known of them.
pub struct Transparency {
    logs: Vec<Log>,
    patience: Duration,
    rests: Rests,
}

/// Logs that can never give what certificates need.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TooFew {
    /// Not enough of them.
    #[error(
        "certificates of {days} days need the SCTs of {required} logs, and there are {found} (rules P-9)"
    )]
    Logs {
        /// Length of certificates on this day.
        days: i64,
        /// How many they need.
        required: usize,
        /// How many there are.
        found: usize,
    },
    /// All by one operator.
    #[error(
        "the logs must be those of {OPERATORS_REQUIRED} operators at least, and all are of `{0}` (rules P-9)"
    )]
    Operators(String),
}

impl Transparency {
    /// `logs` in the order in which they are asked, each given `patience` to answer.
    pub fn new(logs: Vec<Log>, patience: Duration) -> Self {
        Self {
            logs,
            patience,
            rests: Rests::default(),
        }
    }
}

impl Services {
    /// How many logs take what is issued at `now`, where that is not enough for the longest validity.
    pub fn log_shortage(&self, now: Timestamp) -> Option<usize> {
        let logs = &self.transparency.as_ref()?.logs;
        let shards: Vec<_> = logs
            .iter()
            .map(|log| (log.shard, log.operator.as_str()))
            .collect();
        shortage(&shards, now)
    }
}

/// Why logs of these `operators`, one a log, could never promise enough for what is issued at `now`.
pub fn too_few(operators: &[&str], now: Timestamp) -> Option<TooFew> {
    let longest = calendar::rules_at(now).default_validity;
    let required = scts_required(Validity::new(now, longest));
    if operators.len() < required {
        return Some(TooFew::Logs {
            days: longest.as_hours() / 24,
            required,
            found: operators.len(),
        });
    }
    let first = operators.first()?;
    let is_one = operators.iter().all(|operator| operator == first);
    is_one.then(|| TooFew::Operators((*first).to_owned()))
}

/// Whether `shards` with their operators have logs enough for what is issued at `now`, for as long as the calendar lets
/// it be valid; how many they are else.
pub fn shortage(shards: &[(Shard, &str)], now: Timestamp) -> Option<usize> {
    let longest = calendar::rules_at(now).default_validity;
    let validity = Validity::new(now, longest);
    let taking = shards
        .iter()
        .filter(|(shard, _)| shard.takes(validity.not_after));
    let operators: Vec<&str> = taking.map(|(_, operator)| *operator).collect();
    let is_enough = choice::is_enough(&operators, scts_required(validity));
    (!is_enough).then_some(operators.len())
}

/// How long after its precertificate a certificate may be signed at the latest: notBefore must lie within 48 hours of that
/// (V-10, BR 7.1.2.7).
pub(crate) const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(47);

#[cfg(test)]
mod tests;
