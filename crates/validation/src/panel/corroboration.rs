//! What the remote perspectives said about one look, as it is stored and shown (M-8).

use reseal_pki::corroboration::{Region, Shortfall, Witness, tally};
use serde::{Deserialize, Serialize};

use super::Remote;
use crate::evidence::{Attempt, Evidence, Verdict};

/// Most characters of what one perspective saw that a summary for people repeats.
const SUMMARY_CHARACTERS: usize = 200;

/// What the remote perspectives said about one look.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Corroboration {
    /// How many saw the same, of how many: `3/4`.
    pub quorum: String,
    /// Each of them.
    pub perspectives: Vec<Sighting>,
}

/// What one remote perspective said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Sighting {
    /// Its name.
    pub name: String,
    /// The region it stands in, if the operator said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<Region>,
    /// What its look says; `Unreachable` also when there was no answer from it.
    pub verdict: Verdict,
    /// What it saw, or why it did not look.
    pub seen: String,
    /// What it asked of whom, and what came back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Evidence>,
}

impl Sighting {
    pub(super) fn of_attempt(remote: &Remote, answer: Result<Attempt, String>) -> Self {
        let (verdict, seen, evidence) = match answer {
            Ok(attempt) => (attempt.verdict, attempt.seen, Some(attempt.evidence)),
            Err(reason) => (Verdict::Unreachable, reason, None),
        };
        Self {
            name: remote.name().to_owned(),
            region: remote.region(),
            verdict,
            seen,
            evidence,
        }
    }

    fn agrees(&self) -> bool {
        self.verdict == Verdict::Proved
    }

    fn summary(&self) -> String {
        let seen: String = self.seen.chars().take(SUMMARY_CHARACTERS).collect();
        match self.region {
            Some(region) => format!("`{}` ({region}) saw: {seen}", self.name),
            None => format!("`{}` saw: {seen}", self.name),
        }
    }
}

impl Corroboration {
    pub(super) fn new(perspectives: Vec<Sighting>) -> Self {
        let mut corroboration = Self {
            quorum: String::new(),
            perspectives,
        };
        corroboration.quorum = tally(&corroboration.witnesses());
        corroboration
    }

    /// As it is kept with the proof it corroborates.
    pub fn witnesses(&self) -> Vec<Witness> {
        self.perspectives
            .iter()
            .map(|sighting| Witness {
                name: sighting.name.clone(),
                region: sighting.region,
                agrees: sighting.agrees(),
            })
            .collect()
    }

    /// `attempt`, which found the challenge from here, as one that proves nothing because of `shortfall`.
    pub(super) fn withhold(&self, attempt: Attempt, shortfall: Shortfall) -> Attempt {
        let dissent = || self.perspectives.iter().filter(|one| !one.agrees());
        let has = |verdict| dissent().any(|one| one.verdict == verdict);
        let (verdict, advice) = if has(Verdict::NotYet) {
            let advice = "Make every name server and web server of the name answer the same, wherever they are \
                          asked from.";
            (Verdict::NotYet, advice)
        } else if has(Verdict::Refused) {
            let advice = "Make what the other perspectives were led to usable: what they saw says why it is not.";
            (Verdict::Refused, advice)
        } else {
            let advice = "Nothing, if the name answers everywhere: the look is repeated.";
            (Verdict::Unreachable, advice)
        };
        let summaries = dissent().map(|one| format!("; {}", one.summary()));
        Attempt {
            verdict,
            expected: format!("{}, seen from other networks as well", attempt.expected),
            seen: format!(
                "from here it is there, but {shortfall}{}",
                summaries.collect::<String>()
            ),
            advice: advice.to_owned(),
            ..attempt
        }
    }
}
