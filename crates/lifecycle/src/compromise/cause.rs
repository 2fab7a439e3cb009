//! Why a certificate must be revoked, as BR 4.9.1.1 lists it: how long the CA may take, and what the list will say. Pure.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::certificate::RevocationReason;

/// A cause of revocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The subscriber asks for it without saying why.
    SubscriberRequest,
    /// The subscriber did not authorize the request and does so no more.
    NotAuthorized,
    /// Others may have the private key, or a method to compute it.
    KeyCompromise,
    /// The proof of control over a name, or a look at CAA, cannot be relied on.
    UnreliableValidation,
    /// The key's algorithm, size or quality is no longer allowed.
    KeySize,
    /// It was not issued as the BR or the CA's own statements say.
    MisIssued,
    /// It is used for what it must not be used for.
    Misused,
    /// The subscriber broke what it agreed to.
    TermsBreached,
    /// Something changed that the certificate speaks of.
    MaterialChange,
    /// Something in it is not true.
    Inaccurate,
    /// A wildcard was used to vouch for a misleading name.
    MisleadingWildcard,
    /// Its subscriber may not use a name in it any more.
    NameNotAllowed,
    /// The method by which the key was made is flawed.
    FlawedKey,
}

impl Cause {
    /// Every cause: those of 24 hours first, each group in the order of the BR.
    pub const ALL: [Self; 13] = [
        Self::SubscriberRequest,
        Self::NotAuthorized,
        Self::KeyCompromise,
        Self::UnreliableValidation,
        Self::KeySize,
        Self::MisIssued,
        Self::Misused,
        Self::TermsBreached,
        Self::MaterialChange,
        Self::Inaccurate,
        Self::MisleadingWildcard,
        Self::NameNotAllowed,
        Self::FlawedKey,
    ];

    /// As stored, shown and asked for.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SubscriberRequest => "subscriber-request",
            Self::NotAuthorized => "not-authorized",
            Self::KeyCompromise => "key-compromise",
            Self::UnreliableValidation => "unreliable-validation",
            Self::KeySize => "key-size",
            Self::MisIssued => "mis-issued",
            Self::Misused => "misused",
            Self::TermsBreached => "terms-breached",
            Self::MaterialChange => "material-change",
            Self::Inaccurate => "inaccurate",
            Self::MisleadingWildcard => "misleading-wildcard",
            Self::NameNotAllowed => "name-not-allowed",
            Self::FlawedKey => "flawed-key",
        }
    }

    /// For the customer, without a full stop.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::SubscriberRequest => "its subscriber asked for it",
            Self::NotAuthorized => "its request was not authorized",
            Self::KeyCompromise => "its key is compromised",
            Self::UnreliableValidation => "the validation of a name in it cannot be relied on",
            Self::KeySize => "its kind of key is not allowed any more",
            Self::MisIssued => "it was not issued as the rules say",
            Self::Misused => "it was misused",
            Self::TermsBreached => "the subscriber agreement was broken",
            Self::MaterialChange => "something that it speaks of has changed",
            Self::Inaccurate => "something in it is not true",
            Self::MisleadingWildcard => "its wildcard was used for a misleading name",
            Self::NameNotAllowed => "its subscriber may not use a name in it any more",
            Self::FlawedKey => "the method by which its key was made is flawed",
        }
    }

    /// Whether it must be done within 24 hours, and not within five days.
    pub fn is_urgent(self) -> bool {
        matches!(
            self,
            Self::SubscriberRequest
                | Self::NotAuthorized
                | Self::KeyCompromise
                | Self::UnreliableValidation
        )
    }

    /// What the list will say; `None` leaves the reason out.
    pub fn reason(self) -> Option<RevocationReason> {
        match self {
            Self::SubscriberRequest => None,
            Self::KeyCompromise | Self::FlawedKey => Some(RevocationReason::KeyCompromise),
            Self::UnreliableValidation | Self::KeySize | Self::MisIssued => {
                Some(RevocationReason::Superseded)
            }
            Self::NotAuthorized
            | Self::Misused
            | Self::TermsBreached
            | Self::MaterialChange
            | Self::Inaccurate
            | Self::MisleadingWildcard => Some(RevocationReason::PrivilegeWithdrawn),
            Self::NameNotAllowed => Some(RevocationReason::CessationOfOperation),
        }
    }

    /// Whether the key itself must not be used again: then it is blocked, and takes every certificate with it.
    pub fn condemns_key(self) -> bool {
        self.reason() == Some(RevocationReason::KeyCompromise)
    }

    /// Whether the proofs of control that the certificate rests on are worth nothing: nothing else is signed on them
    /// (V-3, X-1).
    pub fn condemns_proofs(self) -> bool {
        matches!(
            self,
            Self::NotAuthorized | Self::UnreliableValidation | Self::NameNotAllowed
        )
    }

    /// What the customer can do before; empty where another certificate would be no better.
    pub(super) fn advice(self) -> &'static str {
        match self.reason() {
            Some(RevocationReason::KeyCompromise) => " Reissue it with a new key before.",
            Some(RevocationReason::Superseded) => " Reissue it before.",
            Some(reason) if reason.bars_successors() => " It cannot be reissued or renewed.",
            _ => "",
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for Cause {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let named = |cause: &Self| cause.as_str() == text;
        Self::ALL.into_iter().find(named).ok_or_else(|| {
            let known = Self::ALL.map(Self::as_str).join(", ");
            format!("expected one of {known}, saw `{text}`")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn x_1_x_2_each_cause_has_its_time_and_its_reason() {
        let expected = [
            ("subscriber-request", 24, None),
            ("not-authorized", 24, Some(9)),
            ("key-compromise", 24, Some(1)),
            ("unreliable-validation", 24, Some(4)),
            ("key-size", 120, Some(4)),
            ("mis-issued", 120, Some(4)),
            ("misused", 120, Some(9)),
            ("terms-breached", 120, Some(9)),
            ("material-change", 120, Some(9)),
            ("inaccurate", 120, Some(9)),
            ("misleading-wildcard", 120, Some(9)),
            ("name-not-allowed", 120, Some(5)),
            ("flawed-key", 120, Some(1)),
        ];
        let of = |cause: Cause| {
            let hours = if cause.is_urgent() { 24 } else { 120 };
            let code = cause.reason().map(RevocationReason::code);
            (cause.as_str(), hours, code)
        };
        assert_eq!(Cause::ALL.map(of), expected);
        for cause in Cause::ALL {
            assert_eq!(cause.as_str().parse(), Ok(cause));
            assert_eq!(serde_json::json!(cause), cause.as_str());
            assert_eq!(
                cause.condemns_key(),
                cause.as_str().contains("key-c") || cause == Cause::FlawedKey
            );
        }
        assert!(
            "misissued"
                .parse::<Cause>()
                .unwrap_err()
                .contains("mis-issued")
        );
    }
}
