//! Whether perspectives are placed so that public trust may rest on them (M-3, M-5, M-11).

use std::fmt;

use jiff::Timestamp;

use super::{Place, Region};
use crate::calendar::{self, Rules};

/// Shortest distance between any two perspectives, the primary one included, in km (M-5).
const APART: f64 = 500.0;

/// The perspectives of a CA as the operator described them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// Where the primary perspective stands.
    pub primary: Option<Place>,
    /// The remote ones.
    pub remotes: Vec<Site>,
}

/// A remote perspective as the operator described it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// Its name.
    pub name: String,
    /// The region it stands in.
    pub region: Option<Region>,
    /// Where it stands.
    pub place: Option<Place>,
}

/// What keeps public trust from resting on a [`Layout`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// Fewer remotes than the date asks for (M-3).
    TooFew {
        /// How many there are.
        present: usize,
        /// How many there must be.
        required: usize,
    },
    /// Two remotes have one name, or one has none.
    Name(String),
    /// Nobody said in which region a remote stands.
    NoRegion(String),
    /// All remotes stand in one region (M-4).
    OneRegion(Region),
    /// Nobody said where a perspective stands; `None` is the primary one.
    NoPlace(Option<String>),
    /// Two perspectives are too near to each other (M-5); `None` is the primary one.
    TooNear {
        /// One.
        one: Option<String>,
        /// The other.
        other: String,
        /// Kilometres between them.
        km: u32,
    },
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let primary = "this server";
        match self {
            Self::TooFew {
                present: 0,
                required,
            } => write!(
                f,
                "`dcv.perspectives` is empty: control must be seen from {required} other networks [M-3]"
            ),
            Self::TooFew { present, required } => write!(
                f,
                "`dcv.perspectives` has {present} entries: {required} are required [M-3]"
            ),
            Self::Name(name) => write!(f, "two perspectives are called `{name}`"),
            Self::NoRegion(name) => write!(f, "perspective `{name}` has no `region` [M-4]"),
            Self::OneRegion(region) => write!(
                f,
                "every perspective is in the region `{region}`: at least two regions are required [M-4]"
            ),
            Self::NoPlace(None) => {
                f.write_str("`dcv.location` does not say where this server stands [M-5]")
            }
            Self::NoPlace(Some(name)) => {
                write!(
                    f,
                    "perspective `{name}` has no `latitude` and `longitude` [M-5]"
                )
            }
            Self::TooNear { one, other, km } => write!(
                f,
                "`{}` and `{other}` are {km} km apart: {APART} km are required [M-5]",
                one.as_deref().unwrap_or(primary)
            ),
        }
    }
}

impl Layout {
    /// Everything that keeps public trust from resting on it at `now`.
    pub fn problems(&self, now: Timestamp) -> Vec<Problem> {
        let mut problems = Vec::new();
        let (present, required) = (self.remotes.len(), required(&calendar::rules_at(now)));
        if present < required {
            problems.push(Problem::TooFew { present, required });
        }
        if present > 0 {
            self.name_problems(&mut problems);
            self.region_problems(&mut problems);
            self.place_problems(&mut problems);
        }
        problems
    }

    /// The next date from which more remotes are required than there are, and how many then (M-11).
    pub fn falls_short_from(&self, now: Timestamp) -> Option<(Timestamp, usize)> {
        let mut moment = now;
        while let Some((from, rules)) = calendar::next_change(moment) {
            if self.remotes.len() < required(&rules) {
                return Some((from, required(&rules)));
            }
            moment = from;
        }
        None
    }

    fn name_problems(&self, problems: &mut Vec<Problem>) {
        for (index, site) in self.remotes.iter().enumerate() {
            if self.remotes[..index]
                .iter()
                .any(|known| known.name == site.name)
            {
                problems.push(Problem::Name(site.name.clone()));
            }
        }
    }

    fn region_problems(&self, problems: &mut Vec<Problem>) {
        let unsaid = self.remotes.iter().filter(|site| site.region.is_none());
        problems.extend(unsaid.map(|site| Problem::NoRegion(site.name.clone())));
        let mut regions = self.remotes.iter().filter_map(|site| site.region);
        if let Some(first) = regions.next()
            && self.remotes.len() > 1
            && regions.all(|region| region == first)
        {
            problems.push(Problem::OneRegion(first));
        }
    }

    fn place_problems(&self, problems: &mut Vec<Problem>) {
        if self.primary.is_none() {
            problems.push(Problem::NoPlace(None));
        }
        for (index, site) in self.remotes.iter().enumerate() {
            let Some(place) = site.place else {
                problems.push(Problem::NoPlace(Some(site.name.clone())));
                continue;
            };
            let before = self.remotes[..index]
                .iter()
                .map(|known| (Some(known.name.clone()), known.place));
            for (one, other) in std::iter::once((None, self.primary)).chain(before) {
                let Some(km) = other.map(|other| other.distance(place)) else {
                    continue;
                };
                if km < APART {
                    problems.push(Problem::TooNear {
                        one,
                        other: site.name.clone(),
                        km: km as u32,
                    });
                }
            }
        }
    }
}

fn required(rules: &Rules) -> usize {
    usize::from(rules.remote_perspectives)
}

#[cfg(test)]
mod tests;
