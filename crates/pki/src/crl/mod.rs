//! Certificate revocation lists (RFC 5280 section 5, rules ).
//!
//! The same division of labour as for certificates: `build` writes the bytes, [`lint_crl`] reads them again
//! and holds them against the rules, and only what passed can be signed. The two share the DER writer's and
//! reader's primitives and nothing else.
//!
//! - `build`: from a [`CrlContent`] to a TBSCertList
//! - `read`: the fields of a TBSCertList; [`Crl`] for people and for `doctor`
//! - `lint`: the last look before signing

mod build;
mod lint;
mod read;

use jiff::Timestamp;

pub use build::{CrlError, crl_tbs};
pub use lint::{CrlLimits, LintedCrl, lint_crl};
pub use read::Crl;

/// A revoked certificate, as its list shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrlEntry {
    /// Serial number, big-endian, as in the certificate.
    pub serial: Vec<u8>,
    /// Since when.
    pub revoked_at: Timestamp,
    /// CRLReason; `None` leaves the extension out, as `unspecified` must be.
    pub reason: Option<u8>,
}

/// What a list is to say.
#[derive(Clone, Debug)]
pub struct CrlContent<'a> {
    /// CRLNumber, greater than that of every earlier list of the same name.
    pub number: u64,
    /// The moment of signing.
    pub this_update: Timestamp,
    /// By when there will be another one.
    pub next_update: Timestamp,
    /// Where the certificates that this list is for point to. None for the list of everything an authority
    /// issued; otherwise the list says that it is for subscriber certificates that point to one of these.
    pub addresses: &'a [String],
    /// Ascending by serial.
    pub entries: &'a [CrlEntry],
}

#[cfg(test)]
mod tests;
