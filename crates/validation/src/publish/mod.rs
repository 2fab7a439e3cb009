//! TXT records that this server publishes in the DNS by itself, where customers would have to do it by hand. The zones,
//! the server and the program are the operator's choice: no rule about networks applies to them.
//!
//! - `zone`: which names may be written
//! - `update`: by dynamic updates (RFC 2136) signed with TSIG (RFC 8945)
//! - `program`: by a program of the operator's

mod program;
mod update;
mod zone;

use std::fmt;

pub use program::ProgramSettings;
pub use update::{Algorithm, UpdateSettings};
pub use zone::{BadZone, Zone};

use program::Program;
use update::Update;

/// A TXT record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Owner name, with the root's dot.
    pub name: String,
    /// Its text.
    pub value: String,
}

/// Why a record was not written or removed, for the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What was expected.
    pub expected: String,
    /// What was seen.
    pub seen: String,
    /// What to do.
    pub advice: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            expected,
            seen,
            advice,
        } = self;
        write!(f, "expected {expected}, saw {seen}. {advice}")
    }
}

/// What became of a record that was to be published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placed {
    /// It is there, beside whatever other texts the name has.
    There,
    /// The name is an alias: a record beside it can not be.
    IsAlias,
}

/// How records are written.
pub enum Way {
    /// By dynamic updates.
    Update(UpdateSettings),
    /// By a program.
    Program(ProgramSettings),
}

/// Settings that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BadPublisher(String);

/// Writes records in some zones, and nowhere else.
pub struct Publisher {
    zones: Vec<Zone>,
    means: Means,
}

enum Means {
    Update(Update),
    Program(Program),
}

impl Publisher {
    /// Prepares; nothing is sent yet.
    ///
    /// # Errors
    /// The settings cannot be used.
    pub fn new(zones: Vec<Zone>, way: Way) -> Result<Self, BadPublisher> {
        let means = match way {
            Way::Update(settings) => Means::Update(Update::new(settings)?),
            Way::Program(settings) => Means::Program(Program::new(settings)),
        };
        Ok(Self { zones, means })
    }

    /// The zone among those that may be written in which `name` lies: the innermost one.
    pub fn zone_of(&self, name: &str) -> Option<&Zone> {
        let covering = self.zones.iter().filter(|zone| zone.covers(name));
        covering.max_by_key(|zone| zone.as_str().len())
    }

    /// Puts the record beside what the name has; one that is there stays.
    ///
    /// # Errors
    /// It may or may not be there now: publishing it again does no harm.
    pub async fn publish(&self, record: &Record) -> Result<Placed, Problem> {
        let zone = self.writable(record)?;
        match &self.means {
            Means::Update(update) => update.publish(zone, record).await,
            Means::Program(program) => {
                program.run("publish", record).await?;
                Ok(Placed::There)
            }
        }
    }

    /// Takes the record away, and no other text that the name has; one that is not there is no problem.
    ///
    /// # Errors
    /// It may or may not be there now: removing it again does no harm.
    pub async fn remove(&self, record: &Record) -> Result<(), Problem> {
        let zone = self.writable(record)?;
        match &self.means {
            Means::Update(update) => update.remove(zone, record).await,
            Means::Program(program) => program.run("remove", record).await,
        }
    }

    /// Whether records could be written in each zone, without writing any; for a program whether it is there.
    pub async fn probe(&self) -> Vec<(String, Result<(), Problem>)> {
        match &self.means {
            Means::Update(update) => {
                let mut found = Vec::with_capacity(self.zones.len());
                for zone in &self.zones {
                    found.push((format!("zone `{zone}`"), update.probe(zone).await));
                }
                found
            }
            Means::Program(program) => vec![(program.name(), program.probe())],
        }
    }

    fn writable(&self, record: &Record) -> Result<&Zone, Problem> {
        self.zone_of(&record.name).ok_or_else(|| Problem {
            expected: "a name in one of its zones".to_owned(),
            seen: format!("`{}`", record.name),
            advice: "Add the zone to `zones` of the hook, or publish the record by hand."
                .to_owned(),
        })
    }
}

#[cfg(test)]
mod tests;
