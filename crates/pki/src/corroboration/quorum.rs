//! Whether what remote perspectives said is enough (M-3, M-4).

use std::fmt;

use jiff::Timestamp;

use super::Witness;
use crate::calendar;

/// Fewest regions that agreeing perspectives must lie in (M-4).
const REGIONS: usize = 2;

/// What corroboration takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quorum {
    /// Whether the rules of a publicly trusted CA count: the number of perspectives that the date asks for, and
    /// their regions. Otherwise only the number that may disagree does.
    pub public: bool,
    /// How many must agree at least, whatever the rules say; 0 leaves it to them.
    pub at_least: usize,
}

/// Why corroboration is not enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shortfall {
    /// Fewer were asked than the rules want at that moment (M-3).
    TooFewAsked {
        /// How many were asked.
        asked: usize,
        /// How many must be.
        required: usize,
    },
    /// Too many saw something else, or nothing (M-4).
    TooFewAgree {
        /// How many agree.
        agree: usize,
        /// How many were asked.
        asked: usize,
        /// How many must agree.
        needed: usize,
    },
    /// Those that agree do not lie in two regions (M-4).
    OneRegion,
}

impl fmt::Display for Shortfall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooFewAsked { asked, required } => write!(
                f,
                "{asked} remote perspectives looked, {required} are required [M-3]"
            ),
            Self::TooFewAgree {
                agree,
                asked,
                needed,
            } => write!(
                f,
                "{agree} of {asked} remote perspectives saw it, {needed} must [M-4]"
            ),
            Self::OneRegion => f.write_str(
                "the remote perspectives that saw it do not lie in two registries' regions [M-4]",
            ),
        }
    }
}

impl Quorum {
    /// Whether `witnesses`, each of them asked anew for the very look that began at `at` (M-6), corroborate it.
    pub fn judge(&self, witnesses: &[Witness], at: Timestamp) -> Result<(), Shortfall> {
        let asked = witnesses.len();
        let required = usize::from(calendar::rules_at(at).remote_perspectives);
        if self.public && asked < required {
            return Err(Shortfall::TooFewAsked { asked, required });
        }
        let agree = agreeing(witnesses).count();
        let needed = self.needed(asked);
        if agree < needed {
            return Err(Shortfall::TooFewAgree {
                agree,
                asked,
                needed,
            });
        }
        if self.public && required > 0 {
            let mut regions: Vec<_> = agreeing(witnesses).filter_map(|one| one.region).collect();
            regions.sort_unstable();
            regions.dedup();
            if regions.len() < REGIONS {
                return Err(Shortfall::OneRegion);
            }
        }
        Ok(())
    }

    /// How many of `asked` perspectives must agree.
    pub fn needed(&self, asked: usize) -> usize {
        (asked - may_disagree(asked)).max(self.at_least)
    }
}

/// How many of `asked` may see something else (BR 3.2.2.9, table of quorum requirements). The table begins at 2.
const fn may_disagree(asked: usize) -> usize {
    match asked {
        0..=1 => 0,
        2..=5 => 1,
        _ => 2,
    }
}

fn agreeing(witnesses: &[Witness]) -> impl Iterator<Item = &Witness> {
    witnesses.iter().filter(|witness| witness.agrees)
}

/// How many agree of how many, such as `3/4` (M-8).
pub fn tally(witnesses: &[Witness]) -> String {
    format!("{}/{}", agreeing(witnesses).count(), witnesses.len())
}

#[cfg(test)]
mod tests;
