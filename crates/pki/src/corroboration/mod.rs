//! Multi-perspective corroboration (BR 3.2.2.9, rules M-1 to M-11), as far as it can be decided without asking
//! anybody: whether enough places agree ([`Quorum`]), and whether they are far enough apart ([`Layout`]).

mod layout;
mod place;
mod quorum;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub use layout::{Layout, Problem, Site};
pub use place::{BadPlace, Place};
pub use quorum::{Quorum, Shortfall, tally};

/// The service region of a Regional Internet Registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Region {
    /// Africa.
    Afrinic,
    /// Asia and the Pacific.
    Apnic,
    /// Canada, the United States, parts of the Caribbean.
    Arin,
    /// Latin America, the rest of the Caribbean.
    Lacnic,
    /// Europe, the Middle East, parts of Central Asia.
    Ripe,
}

impl Region {
    /// Every region.
    pub const ALL: [Self; 5] = [
        Self::Afrinic,
        Self::Apnic,
        Self::Arin,
        Self::Lacnic,
        Self::Ripe,
    ];

    /// As it is written in configuration and evidence.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Afrinic => "afrinic",
            Self::Apnic => "apnic",
            Self::Arin => "arin",
            Self::Lacnic => "lacnic",
            Self::Ripe => "ripe",
        }
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Region {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let here = |region: &Self| region.as_str() == text;
        Self::ALL.into_iter().find(here).ok_or(())
    }
}

/// What one remote perspective that was asked said, as it is kept with what it corroborates (N-24, M-8).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Witness {
    /// Name of the perspective.
    pub name: String,
    /// Where it stands, if the operator said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<Region>,
    /// Whether it saw what the primary perspective saw. One that did not answer did not see it.
    pub agrees: bool,
}
