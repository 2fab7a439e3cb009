//! What told one vulnerable machine from another.

use std::{fmt, str::FromStr};

use anyhow::{Error, Result, bail};

/// The circumstances of a vulnerable process but for its process id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct World {
    /// The machine.
    pub architecture: Architecture,
    /// The seed file.
    pub seeding: Seeding,
}

impl World {
    /// All, the commonest first.
    pub const ALL: [Self; 9] = [
        Self::new(Architecture::Le64, Seeding::File),
        Self::new(Architecture::Le32, Seeding::File),
        Self::new(Architecture::Le64, Seeding::NoFile),
        Self::new(Architecture::Le32, Seeding::NoFile),
        Self::new(Architecture::Le64, Seeding::UnreadableFile),
        Self::new(Architecture::Le32, Seeding::UnreadableFile),
        Self::new(Architecture::Be32, Seeding::File),
        Self::new(Architecture::Be32, Seeding::NoFile),
        Self::new(Architecture::Be32, Seeding::UnreadableFile),
    ];

    const fn new(architecture: Architecture, seeding: Seeding) -> Self {
        Self {
            architecture,
            seeding,
        }
    }
}

impl fmt::Display for World {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}-{}", self.architecture.name(), self.seeding.name())
    }
}

impl FromStr for World {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        match Self::ALL
            .into_iter()
            .find(|world| world.to_string() == name)
        {
            Some(world) => Ok(world),
            None => {
                bail!("expected le64, le32 or be32, `-`, and rnd, nornd or noreadrnd, got `{name}`")
            }
        }
    }
}

/// Word length and byte order, which the generator hashes its counters in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Architecture {
    /// amd64.
    Le64,
    /// i386.
    Le32,
    /// PowerPC, SPARC and HPPA, which all make the same keys.
    Be32,
}

impl Architecture {
    fn name(self) -> &'static str {
        match self {
            Self::Le64 => "le64",
            Self::Le32 => "le32",
            Self::Be32 => "be32",
        }
    }

    /// Bytes in a C `long`, and in a `time_t`.
    pub fn word_bytes(self) -> usize {
        match self {
            Self::Le64 => 8,
            Self::Le32 | Self::Be32 => 4,
        }
    }

    /// Bytes in a `struct stat`.
    pub fn stat_bytes(self) -> usize {
        match self {
            Self::Le64 => 144,
            Self::Le32 | Self::Be32 => 88,
        }
    }

    /// A `pid_t` as it lies in memory.
    pub fn process_id(self, id: u32) -> [u8; 4] {
        match self {
            Self::Le64 | Self::Le32 => id.to_le_bytes(),
            Self::Be32 => id.to_be_bytes(),
        }
    }

    /// A `long` as it lies in memory: the bytes, and how many of them count.
    pub fn long(self, value: u64) -> ([u8; 8], usize) {
        let mut bytes = value.to_le_bytes();
        if self == Self::Be32 {
            bytes[..4].reverse();
        }
        (bytes, self.word_bytes())
    }
}

/// What the `openssl` tool found where it looks for its seed file, `~/.rnd`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seeding {
    /// A file of 1024 bytes: every run of a user but the first.
    File,
    /// No file: a user's first run, from OpenSSL 0.9.8d or so on.
    NoFile,
    /// A file that yields nothing, or no file under OpenSSL 0.9.8c, which
    /// mixed in the (unset) `struct stat` all the same.
    UnreadableFile,
}

impl Seeding {
    fn name(self) -> &'static str {
        match self {
            Self::File => "rnd",
            Self::NoFile => "nornd",
            Self::UnreadableFile => "noreadrnd",
        }
    }
}
