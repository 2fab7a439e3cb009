//! What OV and EV certificates need beyond control of their names: checks of the organization behind them. Each
//! is decided by an operator, the agreement also by whoever signs it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use reseal_pki::profile::ValidationType;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ProcessId;
use super::work::Mailbox;
use crate::language::Language;

/// One thing to be checked (contract.md section 5.4).
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Check {
    /// The organization exists under that name at that address.
    Organization,
    /// Its documents.
    Docs,
    /// Whoever answers for the request was spoken to by telephone.
    Voice,
    /// The registration of the domain.
    Whois,
    /// The subscriber agreement.
    Agreement,
}

impl Check {
    /// Every check, in the contract's order.
    pub const ALL: [Self; 5] = [
        Self::Organization,
        Self::Docs,
        Self::Voice,
        Self::Whois,
        Self::Agreement,
    ];

    /// The checks of that level (contract.md section 6.4).
    pub fn needed_for(level: ValidationType) -> &'static [Self] {
        match level {
            ValidationType::Domain => &[],
            ValidationType::Organization => &[Self::Organization, Self::Docs, Self::Voice],
            ValidationType::Extended => &Self::ALL,
        }
    }

    /// As stored and as the wire spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Organization => "organization",
            Self::Docs => "docs",
            Self::Voice => "voice",
            Self::Whois => "whois",
            Self::Agreement => "agreement",
        }
    }

    /// For people: what is being checked.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Organization => "the organization",
            Self::Docs => "its documents",
            Self::Voice => "the telephone call",
            Self::Whois => "the domain registration",
            Self::Agreement => "the subscriber agreement",
        }
    }
}

impl std::str::FromStr for Check {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|check| check.as_str() == text);
        found.ok_or_else(|| {
            let known = Self::ALL.map(Self::as_str).join(", ");
            format!("expected one of {known}, saw `{text}`")
        })
    }
}

/// How far a check is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "state",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum CheckState {
    /// Nobody has decided.
    Waiting,
    /// The customer must do something.
    Attention {
        /// What, in the words of who decided so.
        reason: String,
    },
    /// Approved.
    Validated {
        /// When what it rests on was obtained (V-4).
        obtained: Timestamp,
        /// The earlier process whose approval is relied on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        relied_on: Option<ProcessId>,
    },
}

/// The mail that asks for the subscriber agreement. Its token exists only in the mail: here is its hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AgreementMail {
    /// Recipient.
    pub address: String,
    /// Language asked for, instead of the order's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// SHA-256 of the link's token, hex; `None` until the mail is about to be sent.
    pub token_sha256: Option<String>,
    /// Goes into the form of the page behind the link, and is nowhere else to be had (as D-19).
    pub form_token: Option<String>,
    /// When the tokens were made.
    pub created: Option<Timestamp>,
    /// When the mail was handed over.
    pub sent: Option<Timestamp>,
}

impl AgreementMail {
    /// A mail that is yet to be sent.
    pub fn new(address: String, language: Option<Language>) -> Self {
        Self {
            address,
            language,
            token_sha256: None,
            form_token: None,
            created: None,
            sent: None,
        }
    }
}

/// How far the checks of a process are, and what was arranged for them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Vetting {
    /// What somebody has decided; every other check waits.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    checks: BTreeMap<Check, CheckState>,
    /// What an operator did not believe: nobody but an operator approves it.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    doubted: BTreeSet<Check>,
    /// The mailbox from which the agreement was accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signer: Option<String>,
    /// When the customer wants to be called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call: Option<Timestamp>,
    /// The mail that asks for the agreement, until it is answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agreement: Option<AgreementMail>,
    /// Every mailbox that was ever asked for the agreement.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mailboxes: Vec<Mailbox>,
}

impl Vetting {
    /// Nothing is decided yet; the agreement is to be sent by `mail`, if by any.
    pub fn new(mail: Option<AgreementMail>) -> Self {
        Self {
            agreement: mail,
            ..Self::default()
        }
    }

    /// Whether nothing was ever decided or arranged, as in every DV process.
    pub fn is_untouched(&self) -> bool {
        *self == Self::default()
    }

    /// How far `check` is.
    pub fn state(&self, check: Check) -> &CheckState {
        self.checks.get(&check).unwrap_or(&CheckState::Waiting)
    }

    /// Whether `check` is approved.
    pub fn is_validated(&self, check: Check) -> bool {
        matches!(self.state(check), CheckState::Validated { .. })
    }

    pub(super) fn set(&mut self, check: Check, state: CheckState) {
        if check == Check::Agreement && state != CheckState::Waiting {
            // Decided otherwise: the link in the mail is dead.
            self.agreement = None;
        }
        self.checks.insert(check, state);
    }

    /// Whether nobody but an operator may approve `check`.
    pub fn is_doubted(&self, check: Check) -> bool {
        self.doubted.contains(&check)
    }

    pub(super) fn doubt(&mut self, check: Check) {
        self.doubted.insert(check);
    }

    pub(super) fn believe(&mut self, check: Check) {
        self.doubted.remove(&check);
    }

    /// Relies on what process `from` obtained. Only before the process is recorded.
    pub(crate) fn rely_on(&mut self, check: Check, obtained: Timestamp, from: ProcessId) {
        let state = CheckState::Validated {
            obtained,
            relied_on: Some(from),
        };
        self.set(check, state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_level_needs_what_the_one_below_needs_and_more() {
        let levels = [
            ValidationType::Domain,
            ValidationType::Organization,
            ValidationType::Extended,
        ]
        .map(Check::needed_for);
        assert_eq!(levels.map(<[Check]>::len), [0, 3, 5]);
        assert!(levels[1].iter().all(|check| levels[2].contains(check)));
    }

    #[test]
    fn what_is_stored_is_read_back_and_what_is_missing_waits() {
        let mut vetting = Vetting::default();
        assert_eq!(serde_json::to_string(&vetting).unwrap(), "{}");
        assert!(vetting.is_untouched());
        vetting.rely_on(Check::Docs, Timestamp::UNIX_EPOCH, 7);
        let stored = serde_json::to_string(&vetting).unwrap();
        let read: Vetting = serde_json::from_str(&stored).unwrap();
        assert_eq!(read, vetting);
        assert!(read.is_validated(Check::Docs));
        assert_eq!(read.state(Check::Voice), &CheckState::Waiting);
    }

    #[test]
    fn words_are_read_as_they_are_written() {
        for check in Check::ALL {
            assert_eq!(check.as_str().parse(), Ok(check));
            assert_eq!(serde_json::to_value(check).unwrap(), check.as_str());
        }
        assert!("Docs".parse::<Check>().unwrap_err().contains("`Docs`"));
    }
}
