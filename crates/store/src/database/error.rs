//! Which of the databases' errors mean "later" and which mean "never".

use std::time::Duration;

use reseal_lifecycle::store::StoreError;
use rusqlite::ErrorCode;
use tokio_postgres::error::SqlState;

use super::LONGEST_LIST;

/// When to try again while another program holds the lock, or the server is away for a moment.
pub(crate) const RETRY_LOCK: Duration = Duration::from_secs(1);
/// When to try again while the disk is full or fails: somebody has to do something first.
pub(crate) const RETRY_DISK: Duration = Duration::from_secs(5);

/// What an engine, or the reading of a row, has to complain about.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// SQLite's own.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// PostgreSQL's own, or of the connection to it.
    #[error("{}", in_words(.0))]
    Postgres(#[from] tokio_postgres::Error),
    /// A value that cannot be what it should be.
    #[error("column {index}: {source}")]
    Column {
        /// Counted from 0.
        index: usize,
        /// Why not.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// What must be there is not.
    #[error("{0} is not there")]
    Missing(&'static str),
    /// A transaction was to be committed of which a statement had failed.
    #[error("a statement had failed, and nobody noticed")]
    Unfinished,
    /// There is no connection, and none can be made.
    #[error("{0}")]
    Unreachable(String),
    /// The file's rows are elsewhere by now.
    #[error("everything in this file was moved to PostgreSQL: nothing is written to it any more")]
    Retired,
}

/// What most of this crate answers with inside.
pub(crate) type Result<T> = std::result::Result<T, Error>;

/// The server's message with its code; without the connection's parameters, which hold the password.
fn in_words(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(refused) => {
            let detail = refused.detail().map(|text| format!(" ({text})"));
            let code = refused.code().code();
            format!(
                "{}{} [{code}]",
                refused.message(),
                detail.unwrap_or_default()
            )
        }
        None => match std::error::Error::source(error) {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        },
    }
}

impl Error {
    /// A value in column `index` that cannot be read.
    pub(crate) fn column(
        index: usize,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        let source = source.into();
        Self::Column { index, source }
    }

    /// Whether a UNIQUE index or a primary key refused the row.
    pub(crate) fn violates_uniqueness(&self) -> bool {
        use rusqlite::ffi::{SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_UNIQUE};
        match self {
            Self::Sqlite(error) => error.sqlite_error().is_some_and(|error| {
                matches!(
                    error.extended_code,
                    SQLITE_CONSTRAINT_UNIQUE | SQLITE_CONSTRAINT_PRIMARYKEY
                )
            }),
            Self::Postgres(error) => error.code() == Some(&SqlState::UNIQUE_VIOLATION),
            Self::Column { .. }
            | Self::Missing(_)
            | Self::Unfinished
            | Self::Unreachable(_)
            | Self::Retired => false,
        }
    }

    /// Whether the connection is gone, and with it whatever was begun and not committed.
    pub(crate) fn lost_connection(&self) -> bool {
        match self {
            Self::Postgres(error) => match error.code() {
                Some(code) => is_shutdown(code),
                None => error.is_closed() || is_io(error),
            },
            Self::Unreachable(_) => true,
            Self::Sqlite(_)
            | Self::Column { .. }
            | Self::Missing(_)
            | Self::Unfinished
            | Self::Retired => false,
        }
    }

    /// Whether the server undid a transaction because of what others did at the same moment.
    fn collided(&self) -> bool {
        let Self::Postgres(error) = self else {
            return false;
        };
        error.code().is_some_and(|code| {
            *code == SqlState::T_R_SERIALIZATION_FAILURE || *code == SqlState::T_R_DEADLOCK_DETECTED
        })
    }

    /// Whether the server takes no writes: another one may have become the primary.
    pub(crate) fn takes_no_writes(&self) -> bool {
        let Self::Postgres(error) = self else {
            return false;
        };
        error.code() == Some(&SqlState::READ_ONLY_SQL_TRANSACTION)
    }

    /// Whether the whole transaction came to nothing through no fault of its own: worth another attempt.
    pub(crate) fn is_in_vain(&self) -> bool {
        self.collided() || self.lost_connection() || self.takes_no_writes()
    }

    /// Whether a read was ended because it had taken its time.
    fn took_too_long(&self) -> bool {
        match self {
            Self::Sqlite(error) => {
                error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted)
            }
            Self::Postgres(error) => error.code() == Some(&SqlState::QUERY_CANCELED),
            Self::Column { .. }
            | Self::Missing(_)
            | Self::Unfinished
            | Self::Unreachable(_)
            | Self::Retired => false,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Sqlite(error) => match error.sqlite_error_code()? {
                ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Some(RETRY_LOCK),
                ErrorCode::DiskFull
                | ErrorCode::SystemIoFailure
                | ErrorCode::CannotOpen
                | ErrorCode::ReadOnly
                | ErrorCode::OutOfMemory
                | ErrorCode::FileLockingProtocolFailed
                | ErrorCode::PermissionDenied => Some(RETRY_DISK),
                _ => None,
            },
            Self::Postgres(error) => match error.code() {
                Some(code) => retry_after(code),
                None if self.lost_connection() => Some(RETRY_LOCK),
                None => None,
            },
            Self::Unreachable(_) => Some(RETRY_LOCK),
            Self::Column { .. } | Self::Missing(_) | Self::Unfinished | Self::Retired => None,
        }
    }
}

fn is_io(error: &tokio_postgres::Error) -> bool {
    std::error::Error::source(error).is_some_and(<dyn std::error::Error>::is::<std::io::Error>)
}

/// The server ends connections, or does not take any yet.
fn is_shutdown(code: &SqlState) -> bool {
    // Class 08: the connection; 57P01 to 57P05: the operator ended it.
    code.code().starts_with("08") || code.code().starts_with("57P")
}

fn retry_after(code: &SqlState) -> Option<Duration> {
    let code_text = code.code();
    if is_shutdown(code)
        || *code == SqlState::T_R_SERIALIZATION_FAILURE
        || *code == SqlState::T_R_DEADLOCK_DETECTED
        || *code == SqlState::LOCK_NOT_AVAILABLE
        || *code == SqlState::TOO_MANY_CONNECTIONS
    {
        return Some(RETRY_LOCK);
    }
    // Class 53: no disk, no memory; 58: the system failed; 25006: a standby, which takes no writes.
    let waits_for_somebody = code_text.starts_with("53")
        || code_text.starts_with("58")
        || *code == SqlState::READ_ONLY_SQL_TRANSACTION;
    waits_for_somebody.then_some(RETRY_DISK)
}

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        if error.took_too_long() {
            return StoreError::Unavailable {
                reason: format!(
                    "the list takes more than {} s: narrow it by filters that are equal to something, or begin behind \
                     the last number seen",
                    LONGEST_LIST.as_secs()
                ),
                retry_after: LONGEST_LIST,
            };
        }
        match error.retry_after() {
            Some(retry_after) => StoreError::Unavailable {
                reason: error.to_string(),
                retry_after,
            },
            None => StoreError::Fault(error.to_string()),
        }
    }
}

/// The same for errors of a statement that can only violate one uniqueness rule: that of `what`.
pub(crate) fn unless_unique(what: &'static str) -> impl Fn(Error) -> StoreError {
    move |error| {
        if error.violates_uniqueness() {
            StoreError::Exists(what)
        } else {
            error.into()
        }
    }
}

/// What a method answers when the store was closed under it.
pub(crate) fn closed() -> StoreError {
    StoreError::Unavailable {
        reason: "the store is closed".to_owned(),
        retry_after: RETRY_LOCK,
    }
}
