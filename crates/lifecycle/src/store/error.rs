//! Why the store did not do what it was asked, and what a caller hears of it.

use std::time::Duration;

use crate::error::{Error, Kind};
use crate::issuance::{key_blocked, key_taken, used_before};
use crate::process::{Check, ProcessId};

/// Why the store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Somebody else changed the process since it was read: read again and decide again.
    #[error("the process was changed by somebody else")]
    Stale,
    /// Another process of the same subscription is open.
    #[error("process {0} is open for the same certificate")]
    OpenProcess(ProcessId),
    /// The certificate that the process starts from was replaced or revoked meanwhile.
    #[error("the certificate was replaced or revoked meanwhile")]
    SourceGone,
    /// The key of the certificate was put on the blocked list meanwhile.
    #[error("the key was blocked meanwhile")]
    KeyBlocked,
    /// The key was certified for another customer meanwhile (C-23).
    #[error("the key was certified for somebody else meanwhile")]
    KeyTaken,
    /// An approval that the process relies on was withdrawn meanwhile.
    #[error("the approval of {} was withdrawn meanwhile", .0.in_words())]
    ApprovalWithdrawn(Check),
    /// A proof that the process relies on, of control over that name, is distrusted since.
    #[error("the proof of control over `{0}` is distrusted since")]
    ProofDistrusted(String),
    /// The auth key led to a certificate meanwhile, or is about to.
    #[error("the auth key was used meanwhile")]
    AuthKeyUsed,
    /// The Request Token was given out to another process (D-5).
    #[error("the request token was given out before")]
    RequestTokenUsed,
    /// The handle is taken, the serial is used, the certificate is already stored.
    #[error("{0} exists already")]
    Exists(&'static str),
    /// The database cannot take a write or a read now (full disk, lock, connection): nothing was changed.
    #[error("the database cannot answer now: {reason}")]
    Unavailable {
        /// For the log.
        reason: String,
        /// When to try again.
        retry_after: Duration,
    },
    /// The database was lost while it made a write durable: it is there whole or not at all, and only a look tells.
    #[error("the database did not say whether it stored what it was given: {0}")]
    Unknown(String),
    /// A fault: a row that cannot be read, a statement that fails.
    #[error("the database failed: {0}")]
    Fault(String),
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Stale => Error::unavailable(
                "The process was changed at the same moment; look at it and try again",
                Duration::from_secs(1),
                error,
            ),
            StoreError::OpenProcess(id) => Error::new(
                Kind::Exists,
                format!("Process {id} is open for this certificate: wait for it or cancel it"),
            ),
            StoreError::SourceGone => Error::new(
                Kind::Status,
                "The certificate was replaced or revoked at the same moment: read it again",
            ),
            StoreError::KeyBlocked => key_blocked(),
            StoreError::KeyTaken => key_taken(),
            StoreError::ApprovalWithdrawn(check) => Error::unavailable(
                format!(
                    "The approval of {} was withdrawn at the same moment: repeat the call",
                    check.in_words()
                ),
                Duration::from_secs(1),
                error,
            ),
            StoreError::ProofDistrusted(ref name) => Error::unavailable(
                format!(
                    "The proof of control over `{name}` was found to be worth nothing at the same moment: repeat the call"
                ),
                Duration::from_secs(1),
                error,
            ),
            StoreError::AuthKeyUsed => Error::new(
                Kind::Rule,
                "The authKey was used at the same moment: get a new one",
            ),
            StoreError::RequestTokenUsed => used_before(None),
            StoreError::Exists(what) => {
                Error::new(Kind::Exists, format!("The {what} exists already"))
            }
            StoreError::Unavailable { retry_after, .. } => Error::unavailable(
                "The server cannot store anything now; nothing was changed",
                retry_after,
                error,
            ),
            StoreError::Unknown(_) => Error::unavailable(
                "The server lost its database at that moment: look whether it was done before you repeat the call",
                Duration::from_secs(1),
                error,
            ),
            StoreError::Fault(_) => Error::internal(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c_24_a_key_is_refused_by_the_same_words_before_and_while_it_is_recorded() {
        for (error, rule) in [
            (StoreError::KeyBlocked, "[C-21]"),
            (StoreError::KeyTaken, "[C-23]"),
        ] {
            let error = Error::from(error);
            assert_eq!(error.kind, Kind::InvalidCsr);
            let [violation] = error.violations.as_slice() else {
                panic!("{error:?}")
            };
            assert_eq!(violation.field, "csr");
            assert!(violation.message.ends_with(rule), "{violation:?}");
        }
    }
}
