//! Which of the database's errors mean "later" and which mean "never".

use std::time::Duration;

use reseal_lifecycle::store::StoreError;
use rusqlite::ErrorCode;

use crate::migrate::MigrationError;

/// When to try again while another program holds the lock.
const RETRY_LOCK: Duration = Duration::from_secs(1);
/// When to try again while the disk is full or fails: somebody has to do something first.
pub(crate) const RETRY_DISK: Duration = Duration::from_secs(5);

/// The store's answer to an error of the database.
pub(crate) fn store_error(error: &rusqlite::Error) -> StoreError {
    let retry_after = match error.sqlite_error_code() {
        Some(
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::OperationInterrupted,
        ) => RETRY_LOCK,
        Some(
            ErrorCode::DiskFull
            | ErrorCode::SystemIoFailure
            | ErrorCode::CannotOpen
            | ErrorCode::ReadOnly
            | ErrorCode::OutOfMemory
            | ErrorCode::FileLockingProtocolFailed
            | ErrorCode::PermissionDenied,
        ) => RETRY_DISK,
        _ => return StoreError::Fault(error.to_string()),
    };
    StoreError::Unavailable {
        reason: error.to_string(),
        retry_after,
    }
}

/// The same for errors of a statement that can only violate one uniqueness rule: that of `what`.
pub(crate) fn unless_unique(what: &'static str) -> impl Fn(rusqlite::Error) -> StoreError {
    move |error| {
        if violates_uniqueness(&error) {
            StoreError::Exists(what)
        } else {
            store_error(&error)
        }
    }
}

/// Whether a UNIQUE index or a primary key refused the row.
pub(crate) fn violates_uniqueness(error: &rusqlite::Error) -> bool {
    use rusqlite::ffi::{SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_UNIQUE};
    error.sqlite_error().is_some_and(|error| {
        matches!(
            error.extended_code,
            SQLITE_CONSTRAINT_UNIQUE | SQLITE_CONSTRAINT_PRIMARYKEY
        )
    })
}

/// What a method answers when the store was closed under it.
pub(crate) fn closed() -> StoreError {
    StoreError::Unavailable {
        reason: "the store is closed".to_owned(),
        retry_after: RETRY_LOCK,
    }
}

/// The same for an error of the migrations.
pub(crate) fn migration_error(error: &MigrationError) -> StoreError {
    match error {
        MigrationError::Database(error) => store_error(error),
        MigrationError::Newer { .. }
        | MigrationError::Changed { .. }
        | MigrationError::Contents(_) => StoreError::Fault(error.to_string()),
    }
}
