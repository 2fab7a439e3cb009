//! How far a campaign is.

use std::collections::BTreeMap;

use super::{Campaign, Outcome};

/// A campaign, and how many of its certificates have which outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The campaign.
    pub campaign: Campaign,
    /// How many certificates have an outcome; none are left out.
    pub outcomes: BTreeMap<Outcome, u64>,
}

impl Progress {
    /// How many certificates have that outcome.
    pub fn count(&self, outcome: Outcome) -> u64 {
        self.outcomes.get(&outcome).copied().unwrap_or(0)
    }

    /// Certificates known so far.
    pub fn total(&self) -> u64 {
        self.outcomes.values().sum()
    }

    /// Certificates whose outcome is final.
    pub fn done(&self) -> u64 {
        let done = self
            .outcomes
            .iter()
            .filter(|(outcome, _)| outcome.is_final());
        done.map(|(_, count)| count).sum()
    }
}
