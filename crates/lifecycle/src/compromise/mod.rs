//! Keys that must not be used any more, and the certificates that have to go, with them or for another cause (rules.md
//! C-21, X-1 to X-5).
//!
//! - `block`: puts keys on the list; whoever has a certificate for one is told, and its revocation is scheduled
//! - `cause`: why certificates must be revoked: pure
//! - `order`: revocations that the house orders
//! - `duty`: what must be revoked by when: pure
//! - [`store`]: what all this needs from the database
//!
//! What survives: a key is blocked, its certificates are scheduled and their customers told in one commit.

mod block;
mod cause;
mod duty;
mod order;
pub mod store;

use jiff::Timestamp;

use crate::certificate::CertificateId;

pub use block::{Blocked, Ground, KeyBlock, MOST_KEYS, block_keys, require_operator};
pub use cause::Cause;
pub use duty::{DueRevocation, Duty, LONGEST_DELAY, StandingDuty};
pub use order::{MOST_ORDERED, RevocationOrder, order_revocation};
pub use store::CompromiseStore;

/// A key on the list. There is no way off it: whoever had the private half may have kept a copy (BR 6.1.1.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockedKey {
    /// Its number on the list.
    pub id: i64,
    /// SHA-256 of its SubjectPublicKeyInfo.
    pub spki_sha256: [u8; 32],
    /// Why.
    pub reason: String,
    /// Who blocked it, as an actor of the audit log.
    pub actor: String,
    /// Since when.
    pub created: Timestamp,
}

impl BlockedKey {
    /// Its hash in hexadecimal.
    pub fn hash(&self) -> String {
        hex::encode(self.spki_sha256)
    }
}

/// A certificate that has to be revoked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Affected {
    /// The certificate.
    pub certificate: CertificateId,
    /// Whose it is.
    pub customer: String,
    /// Common name.
    pub domain_name: String,
    /// When it will be revoked.
    pub scheduled: Timestamp,
    /// By when it must be.
    pub deadline: Timestamp,
}
