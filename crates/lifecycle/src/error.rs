//! The one error of the layers below the wire. What a caller may read is kept apart from what the log gets.

use std::fmt;
use std::time::Duration;

/// What kind of refusal or failure this is: each becomes one contract error type at the edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Fields that break their own restrictions, or that the product requires and are missing.
    Constraint,
    /// The CSR cannot be accepted.
    InvalidCsr,
    /// Well-formed fields that together break a rule.
    Rule,
    /// The object does not exist, or is not the caller's: deliberately the same.
    NotFound,
    /// Something of that identity exists already.
    Exists,
    /// The object's status forbids the action.
    Status,
    /// Who is calling is not known.
    Unauthenticated,
    /// Known, but not allowed.
    Forbidden,
    /// Too many requests.
    RateLimited,
    /// A part this server depends on (database, upstream) cannot answer now.
    Unavailable,
    /// A fault of our own.
    Internal,
}

/// One broken restriction, with the path of the field it concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Path such as `csr`, `dcv[0].commonName` or `san[3]`.
    pub field: String,
    /// What is wrong and what would be right.
    pub message: String,
    /// What was received, never a secret; cut at the edge.
    pub value: Option<String>,
}

impl Violation {
    /// A violation of `field`; `value` is what was received.
    pub fn new(field: impl Into<String>, message: impl Into<String>, value: Option<&str>) -> Self {
        Self {
            field: field.into(),
            message: message.into(),
            value: value.map(str::to_owned),
        }
    }
}

/// A refusal or failure.
#[derive(Debug)]
pub struct Error {
    /// Which kind.
    pub kind: Kind,
    /// For the caller.
    pub message: String,
    /// Every broken restriction, when the kind is about fields.
    pub violations: Vec<Violation>,
    /// When trying again makes sense.
    pub retry_after: Option<Duration>,
    /// For the log only.
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error of `kind` that says `message` to the caller.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            violations: Vec::new(),
            retry_after: None,
            source: None,
        }
    }

    /// Fields that break their restrictions.
    pub fn constraint(violations: Vec<Violation>) -> Self {
        Self {
            violations,
            ..Self::new(Kind::Constraint, "Constraint violation")
        }
    }

    /// The object does not exist or is not the caller's.
    pub fn not_found(what: &str) -> Self {
        Self::new(Kind::NotFound, format!("{what} does not exist"))
    }

    /// A fault of our own: the caller learns nothing of `source`.
    pub fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self {
            source: Some(source.into()),
            ..Self::new(Kind::Internal, "Internal failure")
        }
    }

    /// A part we depend on cannot answer now; nothing was changed.
    pub fn unavailable(
        message: impl Into<String>,
        retry_after: Duration,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self {
            retry_after: Some(retry_after),
            source: Some(source.into()),
            ..Self::new(Kind::Unavailable, message)
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        for violation in &self.violations {
            write!(f, "; {}: {}", violation.field, violation.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source
            .as_deref()
            .map(|source| source as &(dyn std::error::Error + 'static))
    }
}
