//! Certificate Transparency (RFC 6962): what is sent to logs, and what they answer.
//!
//! A log takes a *precertificate*, which is the certificate to be with one more extension that no client understands, and
//! answers with a promise to show it, the SCT. The certificate itself carries the promises. Both are signed, and a signed
//! precertificate counts as an issued certificate (P-8).
//!
//! - `precertificate`: from the bytes that were recorded to precertificate and certificate, and back again (P-8, P-10)
//! - `sct`: one promise, and the list of them in a certificate
//! - `log`: the key of a log, and whether a promise is its own
//!
//! Pure, like the rest of this crate: who asks logs, and how many of them, is decided elsewhere; how many there must be
//! is [`scts_required`].

mod log;
mod precertificate;
mod sct;

use jiff::SignedDuration;

pub use log::{LogKey, LogKeyError, SctProblem};
pub use precertificate::{
    CorrespondenceError, LoggedError, correspond, entry_tbs, has_scts, logged_tbs,
    precertificate_tbs,
};
pub use sct::{Sct, SctError, decode_list, encode_list};

use crate::profile::Validity;

/// Contents of the poison's object identifier, 1.3.6.1.4.1.11129.2.4.3 (RFC 6962 section 3.1).
const POISON: [u8; 10] = [0x2b, 0x06, 0x01, 0x04, 0x01, 0xd6, 0x79, 0x02, 0x04, 0x03];
/// Contents of the list's object identifier, 1.3.6.1.4.1.11129.2.4.2 (RFC 6962 section 3.3).
const SCT_LIST: [u8; 10] = [0x2b, 0x06, 0x01, 0x04, 0x01, 0xd6, 0x79, 0x02, 0x04, 0x02];

/// Up to this validity two promises do (P-9).
const SHORT: SignedDuration = SignedDuration::from_hours(180 * 24);
/// Operators that the promises of a certificate come from at least (P-9).
pub const OPERATORS_REQUIRED: usize = 2;

/// How many promises a certificate of this validity needs, each of another log, by at least [`OPERATORS_REQUIRED`]
/// operators (P-9).
pub fn scts_required(validity: Validity) -> usize {
    if validity.length() <= SHORT { 2 } else { 3 }
}

#[cfg(test)]
mod tests;
