//! Revocation lists: which there are, when each is due, and what it says (rules.md ).
//!
//! A revocation is written together with an entry for the list its certificate points to; nothing else of a
//! certificate's life touches lists. The worker signs a list within seconds when it has entries that are on no
//! list yet, and every six hours in any case. What is served is what the store holds, the same on every node.
//!
//! - `schedule`: when a list is due and what stays on it: pure
//! - `publish`: the worker's part
//! - `store`: what lists need from the store
//!
//! What survives a crash: a list is stored together with the marks of the entries that it is the first to show.
//! A list that was signed and not stored was never seen by anybody.

mod publish;
mod schedule;
mod store;

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};
use reseal_pki::crl::CrlEntry;
use serde::{Deserialize, Serialize};

use crate::certificate::RevocationReason;
use crate::error::Error;
use crate::services::Services;

pub(crate) use publish::publish;
pub use publish::{Failure, Outcome, sign_due, sign_now};
pub use schedule::{is_over, may_be_gone};
pub use store::CrlStore;

/// What a list is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coverage {
    /// A share of the certificates that were issued to customers.
    Subscribers,
    /// The authorities below a root.
    Authorities,
}

impl Coverage {
    /// How old a list becomes before the next one is signed. BR 4.9.7 asks for four days and twelve months.
    pub fn interval(self) -> SignedDuration {
        match self {
            Self::Subscribers => SignedDuration::from_hours(6),
            Self::Authorities => SignedDuration::from_hours(90 * 24),
        }
    }

    /// From thisUpdate to nextUpdate. Subscribers' lists get a week, of at most ten days, so that a server may
    /// be down over a weekend; authorities' lists nearly a year, so that the root's key may stay away.
    pub fn lifetime(self) -> SignedDuration {
        match self {
            Self::Subscribers => SignedDuration::from_hours(7 * 24),
            Self::Authorities => SignedDuration::from_hours(360 * 24),
        }
    }

    /// Longest lifetime that may be signed.
    pub fn longest(self) -> SignedDuration {
        match self {
            Self::Subscribers => SignedDuration::from_hours(10 * 24),
            Self::Authorities => SignedDuration::from_hours(366 * 24),
        }
    }
}

/// A list that an issuer signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrlScope {
    /// Its name: the path below `/crl/`, without `.crl`.
    pub name: String,
    /// Where certificates that are issued now point to.
    pub address: String,
    /// What it is for.
    pub coverage: Coverage,
    /// The certificates on it are those whose serial number ends with one of these bytes.
    pub endings: Vec<u8>,
    /// Whether certificates are still issued that point to it.
    pub in_use: bool,
    /// Last second of the authority that signs it: nothing on it is good for longer.
    pub until: Timestamp,
}

/// What is to be signed.
#[derive(Clone, Debug)]
pub struct CrlOrder {
    /// Name of the list.
    pub name: String,
    /// Every address under which certificates may look for it.
    pub addresses: Vec<String>,
    /// Its number.
    pub number: u64,
    /// Number of the one before.
    pub previous: Option<u64>,
    /// The moment of signing, whole seconds.
    pub this_update: Timestamp,
    /// By when there will be another one.
    pub next_update: Timestamp,
    /// Revoked certificates, ascending by serial.
    pub entries: Vec<CrlEntry>,
}

/// An address that certificates were issued with. It changes with `server.public_url`, and older certificates
/// keep theirs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CrlAddress {
    /// The URL.
    pub url: String,
    /// When certificates were last issued with it.
    pub used: Timestamp,
}

/// A list as it is kept, without its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrlState {
    /// Its name.
    pub name: String,
    /// CRLNumber.
    pub number: u64,
    /// When it was signed.
    pub this_update: Timestamp,
    /// By when there will be another one.
    pub next_update: Timestamp,
    /// Revoked certificates on it.
    pub entries: u64,
    /// Where certificates point to, the newest first.
    pub addresses: Vec<CrlAddress>,
}

/// A list as it is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crl {
    /// All about it.
    pub state: CrlState,
    /// The signed list, DER.
    pub der: Vec<u8>,
}

/// A revoked certificate that is to be on a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revoked {
    /// Serial number, big-endian.
    pub serial: Vec<u8>,
    /// Since when.
    pub at: Timestamp,
    /// Why.
    pub reason: Option<RevocationReason>,
    /// Last second of the certificate.
    pub not_after: Timestamp,
    /// Whether a list has shown it already.
    pub listed: bool,
}

/// A new list and what storing it brings along.
#[derive(Clone, Debug)]
pub struct Publication {
    /// The list.
    pub crl: Crl,
    /// Number of the list it replaces: it is refused when there is another by now.
    pub replaces: Option<u64>,
    /// Serial numbers that a list shows for the first time, each with the reason that it shows: one that changed while the
    /// list was signed waits for the next.
    pub listed: Vec<(Vec<u8>, Option<RevocationReason>)>,
}

impl Services {
    /// The list called `name`, as the store has it.
    pub async fn crl(&self, name: &str) -> Result<Option<Crl>, Error> {
        Ok(self.store.crl(name).await?)
    }

    /// Names of lists in the store that no issuer of ours signs: another node has one that this one lacks.
    pub async fn lists_of_others(&self) -> Result<Vec<String>, Error> {
        let ours: HashSet<String> = self
            .issuers
            .values()
            .flat_map(|issuer| issuer.crls())
            .map(|scope| scope.name)
            .collect();
        let names = self.store.crl_states().await?.into_iter();
        Ok(names
            .map(|state| state.name)
            .filter(|name| !ours.contains(name))
            .collect())
    }
}
