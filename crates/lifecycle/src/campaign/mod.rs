//! Mass reissue: a query over certificates, a pace, a deadline.
//!
//! - `selection`: which certificates, from what an operator writes: pure
//! - `judge`: what can be done about one certificate: pure
//! - `pace`: how fast: pure
//! - `plan`: what a campaign would come to
//! - `start`: begins one, stops and resumes it
//! - `work`: the worker's part that carries campaigns out, round by round
//! - `attempt`: what it does about one certificate
//! - `progress`: how far one is
//! - `store`: what all this needs from the database
//!
//! What survives: which certificates a campaign is about is collected in slices, each a commit of its own that also
//! says how far it came. The commit that opens a certificate's process takes the certificate out of those that wait
//! ([`Ticket`]): whatever dies in between, none is reissued twice.

mod attempt;
mod judge;
mod pace;
mod plan;
mod progress;
mod selection;
mod start;
mod store;
mod work;

use std::num::NonZeroU32;

use jiff::{SignedDuration, Timestamp};

use crate::certificate::{Certificate, CertificateId};
use crate::process::ProcessId;

pub use plan::{Plan, Share};
pub use progress::Progress;
pub use selection::{Selection, SelectionError};
pub use start::{Change, NewCampaign, begin, change};
pub use store::{CampaignStore, ItemEnd};
pub(crate) use work::work;

/// Number of a campaign.
pub type CampaignId = i64;

/// Within which time a campaign that was created at `created` wants `certificate` replaced by `deadline`: what its customer
/// is told, and what renewal information says.
pub(crate) fn window(
    created: Timestamp,
    deadline: Timestamp,
    certificate: &Certificate,
) -> (Timestamp, Timestamp) {
    let end = deadline.min(plan::end_of_use(certificate));
    // A window has a length (RFC 9773 section 4.2).
    let shortest = created.saturating_add(SignedDuration::from_secs(1));
    (created, end.max(shortest.unwrap_or(created)))
}

/// What becomes of the keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyChoice {
    /// Certificates are reissued at once for the key they have, by the request that is kept, where that may be.
    Keep,
    /// Each customer is told to reissue with a key of its own making.
    Notify,
}

impl KeyChoice {
    /// As stored and as the command line spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Notify => "notify",
        }
    }
}

impl std::str::FromStr for KeyChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "keep" => Ok(Self::Keep),
            "notify" => Ok(Self::Notify),
            other => Err(format!("expected `keep` or `notify`, saw `{other}`")),
        }
    }
}

/// How a campaign stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CampaignStatus {
    /// It goes on.
    Running,
    /// An operator stopped it for a while.
    Paused,
    /// An operator ended it; what was reissued stays.
    Cancelled,
    /// Every certificate has its outcome.
    Completed,
}

impl CampaignStatus {
    const ALL: [Self; 4] = [
        Self::Running,
        Self::Paused,
        Self::Cancelled,
        Self::Completed,
    ];

    /// As stored and as shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "RUNNING",
            Self::Paused => "PAUSED",
            Self::Cancelled => "CANCELLED",
            Self::Completed => "COMPLETED",
        }
    }

    /// The status of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == word)
    }
}

/// Reissues an hour, at most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pace {
    /// By one issuer.
    pub per_issuer: Option<NonZeroU32>,
    /// For one customer.
    pub per_customer: Option<NonZeroU32>,
}

/// A mass reissue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Campaign {
    /// Its number; 0 until it is stored.
    pub id: CampaignId,
    /// Who started it, as an actor of the audit log.
    pub actor: String,
    /// When.
    pub created: Timestamp,
    /// Why: customers who are told read it.
    pub reason: String,
    /// Which certificates.
    pub selection: Selection,
    /// What becomes of their keys.
    pub key: KeyChoice,
    /// By when all should be done.
    pub deadline: Timestamp,
    /// How fast.
    pub pace: Pace,
    /// How it stands.
    pub status: CampaignStatus,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// The newest certificate when it began: later ones are none of its business, its own among them.
    pub last: CertificateId,
    /// Certificates up to this number are collected.
    pub through: CertificateId,
}

impl Campaign {
    /// Whether every certificate that it is about is known.
    pub fn is_collected(&self) -> bool {
        self.through >= self.last
    }

    /// The object that it is in the audit log, and `user` of its processes.
    pub fn object(id: CampaignId) -> String {
        format!("campaign/{id}")
    }
}

/// What became of a certificate in a campaign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outcome {
    /// Its turn has not come; in a campaign that was cancelled it never will.
    Waiting,
    /// A process is open that waits for proof of control, or goes on.
    Open,
    /// Reissued by the campaign.
    Reissued,
    /// Its customer was told to replace it, and has not done so yet.
    Notified,
    /// Replaced or revoked by somebody else.
    Settled,
    /// There is nothing to be done about it: imported, or at its end.
    Skipped,
    /// It could not be reissued.
    Failed,
    /// Its customer was told and did not replace it by the deadline.
    Missed,
}

impl Outcome {
    /// Every outcome, in the order in which they are shown.
    pub const ALL: [Self; 8] = [
        Self::Waiting,
        Self::Open,
        Self::Reissued,
        Self::Notified,
        Self::Settled,
        Self::Skipped,
        Self::Failed,
        Self::Missed,
    ];

    /// As stored and as shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "WAITING",
            Self::Open => "OPEN",
            Self::Reissued => "REISSUED",
            Self::Notified => "NOTIFIED",
            Self::Settled => "SETTLED",
            Self::Skipped => "SKIPPED",
            Self::Failed => "FAILED",
            Self::Missed => "MISSED",
        }
    }

    /// The outcome of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == word)
    }

    /// Whether the campaign wants the certificate replaced and nobody has done so.
    pub fn wants_it(self) -> bool {
        match self {
            Self::Waiting | Self::Open | Self::Notified | Self::Failed | Self::Missed => true,
            Self::Reissued | Self::Settled | Self::Skipped => false,
        }
    }

    /// Whether nothing more will become of it.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Waiting | Self::Open | Self::Notified)
    }
}

/// A certificate in a campaign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The certificate.
    pub certificate: CertificateId,
    /// Whose it is.
    pub customer: String,
    /// Name of the issuer that signs in its place.
    pub issuer: String,
    /// When it stops being of use: its scheduled revocation or its last second; one that has expired with its subscription.
    pub urgent: Timestamp,
    /// When its turn comes; the epoch when it was never put off.
    pub due: Timestamp,
    /// Whether it was put off until its place in the pace.
    pub has_place: bool,
    /// What became of it.
    pub outcome: Outcome,
    /// The process that the campaign opened.
    pub process: Option<ProcessId>,
    /// The certificate in its place.
    pub successor: Option<CertificateId>,
    /// Attempts that failed.
    pub attempts: u32,
    /// Why, for a person.
    pub detail: Option<String>,
    /// When that was written.
    pub updated: Timestamp,
}

/// Says in the commit that opens a process for which campaign and certificate it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// The campaign.
    pub campaign: CampaignId,
    /// The certificate to be replaced.
    pub certificate: CertificateId,
}
