//! The FILE challenge (BR 3.2.2.4.18, D-21 to D-27): one GET by our own resolver, to an address
//! that passed the address rules, over redirects that are checked like the first request.

mod challenge;
mod connect;
mod fetch;
mod guard;
pub(crate) mod reach;
pub(crate) mod target;

use std::net::{IpAddr, SocketAddr};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub(crate) use challenge::attempt;
pub(crate) use connect::{Connector, Stream};
pub(crate) use fetch::fetch;
pub(crate) use guard::Guard;
pub use guard::reserved;

/// Most bytes of a body that are read (D-25).
pub const MAX_BODY: usize = 4096;

/// What came of one fetch, redirects included.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FileObservation {
    /// The first URL.
    pub url: String,
    /// Each request in order, the first one included.
    pub hops: Vec<Hop>,
    /// How it ended.
    pub outcome: FileOutcome,
    /// Status of the last response.
    pub status: Option<u16>,
    /// SHA-256 of the body, hexadecimal, when it was read to its end.
    pub body_sha256: Option<String>,
    /// Beginning of the body, escaped and cut (D-26).
    pub body_excerpt: String,
    /// The body, when it was read to its end. Compared, but neither stored nor shown.
    #[serde(skip)]
    pub body: Option<Vec<u8>>,
    /// When the fetch began.
    pub at: Timestamp,
    /// How long it took, in milliseconds.
    pub elapsed_ms: u64,
}

/// One request of a fetch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Hop {
    /// URL of the request.
    pub url: String,
    /// The address it was sent to.
    pub address: Option<SocketAddr>,
    /// Addresses that the name has, used or not; the first 16.
    pub resolved: Vec<IpAddr>,
    /// Status of the response.
    pub status: Option<u16>,
    /// Target of the redirect as sent, cut and escaped.
    pub location: Option<String>,
}

/// How a fetch ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum FileOutcome {
    /// Status 200, body read to its end.
    Fetched,
    /// A final status other than 200 (D-22).
    Status,
    /// The answer breaks a limit or a rule: too long, encoded, not HTTP.
    BadAnswer {
        /// What is wrong, for a person.
        reason: String,
    },
    /// The host name has no address, or the name is unknown.
    NoAddress {
        /// What the DNS said, for a person.
        reason: String,
    },
    /// A rule forbids going there: address, port, scheme or host of a target (D-23, D-24).
    Refused {
        /// Which one, for a person.
        reason: String,
    },
    /// DNS, connection or time limit.
    Unreachable {
        /// What happened, for a person.
        reason: String,
    },
}
