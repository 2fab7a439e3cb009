//! Certification authority authorization (RFC 8659, RFC 8657, BR 4.2.2.1, S-7 to S-19):
//! finding the relevant records is [`climb`], reading them [`record`], deciding is pure
//! ([`decide`]).

mod climb;
mod decide;
mod record;

use jiff::Timestamp;
use reseal_pki::method::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use climb::Levels;
pub(crate) use climb::climb;
pub use decide::decide;
pub use record::CaaRecord;

use crate::dns::DnsAnswer;

/// What the DNS says about CAA for one name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CaaObservation {
    /// The name whose tree was climbed, without `*.`.
    pub name: String,
    /// The answers from the name upwards, as far as the climb went.
    pub levels: Vec<DnsAnswer>,
    /// The first non-empty record set.
    pub relevant: Option<CaaSet>,
    /// How the climb ended.
    pub outcome: CaaOutcome,
    /// Seconds for which the relevant set may be kept.
    pub ttl: Option<u32>,
    /// When the climb began.
    pub at: Timestamp,
}

/// The relevant record set of RFC 8659 section 3.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CaaSet {
    /// The level of the tree at which it was found.
    pub found_at: String,
    /// Its records.
    pub records: Vec<CaaRecord>,
}

/// How a climb ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum CaaOutcome {
    /// A record set was found.
    Found,
    /// No level has records.
    None,
    /// A level could not be asked; nothing above it counts (S-9).
    #[serde(rename_all = "camelCase")]
    Failed {
        /// What happened, for a person.
        reason: String,
        /// The level.
        at_level: String,
        /// No answer in time.
        timeout: bool,
    },
    /// The answer of a level cannot be read or is bogus (S-2).
    #[serde(rename_all = "camelCase")]
    Malformed {
        /// What is wrong, for a person.
        reason: String,
        /// The level.
        at_level: String,
    },
}

/// For whom and how a certificate is to be issued.
#[derive(Clone, Copy, Debug)]
pub struct CaaRequest<'a> {
    /// Issuer domain names that mean this server (S-12).
    pub identities: &'a [String],
    /// Whether the certificate is to hold `*.` + name.
    pub wildcard: bool,
    /// The customer's account URI (RFC 8657, S-13).
    pub account_uri: &'a str,
    /// The method whose proof is relied on (S-15).
    pub method: Method,
}

/// Status of CAA as shown to customers (contract, process info).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CaaStatus {
    /// The lookup failed; nothing is known.
    Unknown,
    /// Records permit the issuance.
    Valid,
    /// Records forbid the issuance.
    Invalid,
    /// Not looked at yet.
    Waiting,
    /// There are no records: permitted.
    Empty,
    /// No answer in time.
    Timeout,
    /// A critical record that is not understood.
    UnrecognizedCriticalTag,
    /// An answer that cannot be read or trusted.
    MalformedResponse,
}

/// Whether CAA permits an issuance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CaaDecision {
    /// Whether a certificate may be signed.
    pub permitted: bool,
    /// The status to show.
    pub status: CaaStatus,
    /// Why, for a person.
    pub reason: String,
}
