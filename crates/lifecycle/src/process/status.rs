//! What a process's state means to whoever looks at it from outside.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::state::{Outcome, Process, State};

/// Status on the wire (contract.md section 5.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ProcessStatus {
    /// Recorded, not looked at.
    New,
    /// Everything is proved, nothing signed.
    Validated,
    /// Being checked or signed.
    Running,
    /// Done.
    Completed,
    /// The input turned out to be unusable.
    Invalid,
    /// Withdrawn by the customer.
    Cancelled,
    /// Ended without result.
    Failed,
    /// An upstream's answer was lost and is being reconciled.
    InDoubt,
    /// Waits for its time.
    Scheduled,
    /// Waits for somebody.
    Suspended,
}

impl ProcessStatus {
    /// Every status.
    pub const ALL: [Self; 10] = [
        Self::New,
        Self::Validated,
        Self::Running,
        Self::Completed,
        Self::Invalid,
        Self::Cancelled,
        Self::Failed,
        Self::InDoubt,
        Self::Scheduled,
        Self::Suspended,
    ];

    /// As the contract spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "NEW",
            Self::Validated => "VALIDATED",
            Self::Running => "RUNNING",
            Self::Completed => "COMPLETED",
            Self::Invalid => "INVALID",
            Self::Cancelled => "CANCELLED",
            Self::Failed => "FAILED",
            Self::InDoubt => "IN_DOUBT",
            Self::Scheduled => "SCHEDULED",
            Self::Suspended => "SUSPENDED",
        }
    }
}

/// Who may wake a process (contract.md section 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum ResumeType {
    /// `resend` is allowed.
    Resend,
    /// Cancelling is allowed.
    Cancel,
}

impl Process {
    /// Status on the wire.
    pub fn status(&self) -> ProcessStatus {
        match self.state() {
            State::Checking { work }
                if work.rounds > 0 && work.all_proved() && work.organization_done() =>
            {
                ProcessStatus::Validated
            }
            State::Checking { .. }
            | State::Signing { .. }
            | State::Logging { detail: None, .. }
            | State::Finalizing { .. } => ProcessStatus::Running,
            State::Suspended { .. } | State::Logging { .. } => ProcessStatus::Suspended,
            State::InDoubt { .. } => ProcessStatus::InDoubt,
            State::Ended { result, .. } => match result {
                Outcome::Completed => ProcessStatus::Completed,
                Outcome::Failed { .. } => ProcessStatus::Failed,
                Outcome::Cancelled => ProcessStatus::Cancelled,
            },
        }
    }

    /// The human explanation beside the status.
    pub fn status_detail(&self) -> Option<&str> {
        match self.state() {
            State::Suspended { detail, .. } | State::InDoubt { detail, .. } => Some(detail),
            State::Logging { detail, .. } => detail.as_deref(),
            State::Ended {
                result: Outcome::Failed { reason },
                ..
            } => Some(reason),
            _ => None,
        }
    }

    /// What the customer may do with it now.
    pub fn resume_types(&self) -> &'static [ResumeType] {
        match self.state() {
            State::Checking { .. } | State::Suspended { .. } => {
                &[ResumeType::Resend, ResumeType::Cancel]
            }
            State::Signing { .. }
            | State::Logging { .. }
            | State::Finalizing { .. }
            | State::InDoubt { .. }
            | State::Ended { .. } => &[],
        }
    }

    /// Whether anything can still happen to it.
    pub fn is_open(&self) -> bool {
        !matches!(self.state(), State::Ended { .. })
    }

    /// Whether the list filter `detailStatus=SSL_REQUIRES_ATTENTION` finds it.
    pub fn requires_attention(&self) -> bool {
        match self.state() {
            State::Checking { work } | State::Suspended { work, .. } => work.requires_attention(),
            _ => false,
        }
    }

    /// Whether it goes on only when the customer or an operator has done something, and not by itself.
    pub fn waits_for_people(&self) -> bool {
        match self.state() {
            State::Suspended { work, .. } => work.waits_for_people(),
            _ => false,
        }
    }
}
