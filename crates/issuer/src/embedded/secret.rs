//! What key files are encrypted with: an operator's passphrase, or, without one,
//! a key that is generated and lies beside them.

use std::{
    fmt,
    fs::File,
    io::{self, Read as _},
    path::Path,
};

use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::rand;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// Longest passphrase file, in bytes.
const LONGEST_FILE: u64 = 4096;

/// What deriving a key from a passphrase costs whoever tries one (argon2id, RFC
/// 9106). Written into each key file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cost {
    /// Memory in KiB.
    memory_kib: u32,
    /// Passes over it.
    passes: u32,
}

impl Cost {
    /// 64 MiB, three passes: the second recommendation of RFC 9106 section 4,
    /// with one lane. A quarter of a second at start, and for each guess.
    pub const DEFAULT: Self = Self {
        memory_kib: 64 * 1024,
        passes: 3,
    };

    /// As good as nothing: for tests, which open hundreds of key files.
    pub const fn worthless_for_tests() -> Self {
        Self {
            memory_kib: 8,
            passes: 1,
        }
    }

    /// Whether a key file may ask for this; one that was tampered with must not
    /// take all memory or hold the server up for hours.
    pub(super) fn is_bearable(self) -> bool {
        (8..=1024 * 1024).contains(&self.memory_kib) && (1..=100).contains(&self.passes)
    }

    /// Less than what we would choose today.
    pub(super) fn is_weak(self) -> bool {
        self.memory_kib < Self::DEFAULT.memory_kib || self.passes < Self::DEFAULT.passes
    }
}

/// A passphrase, wiped when dropped.
pub struct Passphrase {
    bytes: Zeroizing<Vec<u8>>,
    cost: Cost,
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Passphrase(…)")
    }
}

/// Why there is no secret.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The file cannot be read.
    #[error("the passphrase file `{path}` cannot be read: {source}")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// Nothing in it.
    #[error("the passphrase is empty: put one into the file that `ca.passphrase_file` names")]
    Empty,
    /// More than anybody types.
    #[error(
        "the passphrase file has more than {LONGEST_FILE} bytes, expected one line: is it another \
         file?"
    )]
    TooLong,
    /// No randomness.
    #[error("the random generator of the system gave no bytes")]
    NoRandomness,
    /// Not 64 hexadecimal digits.
    #[error(
        "the unlock key must be 64 hexadecimal digits, saw {0} bytes that are not: restore the \
         file from a backup"
    )]
    UnlockKey(usize),
    /// Argon2 failed, for want of memory.
    #[error("the key cannot be derived from the passphrase: {0}")]
    Derivation(String),
}

impl Passphrase {
    /// A passphrase of any bytes, with the default cost for the files it will
    /// protect.
    ///
    /// # Errors
    /// When it is empty.
    pub fn new(passphrase: &[u8]) -> Result<Self, SecretError> {
        if passphrase.is_empty() {
            return Err(SecretError::Empty);
        }
        Ok(Self {
            bytes: Zeroizing::new(passphrase.to_vec()),
            cost: Cost::DEFAULT,
        })
    }

    /// The passphrase in a file: all of it, less one line end.
    pub fn read(path: &Path) -> Result<Self, SecretError> {
        let unreadable = |source| SecretError::Unreadable {
            path: path.display().to_string(),
            source,
        };
        let file = File::open(path).map_err(unreadable)?;
        let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST_FILE as usize + 1));
        file.take(LONGEST_FILE + 1)
            .read_to_end(&mut bytes)
            .map_err(unreadable)?;
        if bytes.len() as u64 > LONGEST_FILE {
            return Err(SecretError::TooLong);
        }
        let line = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        Self::new(line.strip_suffix(b"\r").unwrap_or(line))
    }

    /// The same passphrase; files it will protect cost `cost` to open.
    pub fn with_cost(self, cost: Cost) -> Self {
        Self { cost, ..self }
    }

    pub(super) fn cost(&self) -> Cost {
        self.cost
    }

    /// The 256-bit key for a file with this salt.
    pub(super) fn derive(
        &self,
        salt: &[u8],
        cost: Cost,
    ) -> Result<Zeroizing<[u8; 32]>, SecretError> {
        let failed = |error: argon2::Error| SecretError::Derivation(error.to_string());
        let parameters = Params::new(cost.memory_kib, cost.passes, 1, Some(32)).map_err(failed)?;
        let mut key = Zeroizing::new([0; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters)
            .hash_password_into(&self.bytes, salt, &mut *key)
            .map_err(failed)?;
        Ok(key)
    }
}

/// A generated key of 256 bits that takes the place of a passphrase.
///
/// It protects copies of the key files that are made without it (a backup of the
/// database folder, a single file mailed by mistake), not a stolen folder.
pub(super) struct UnlockKey(Zeroizing<[u8; 32]>);

impl UnlockKey {
    pub(super) fn generate() -> Result<Self, SecretError> {
        let mut key = Zeroizing::new([0; 32]);
        rand::fill(&mut *key).map_err(|_| SecretError::NoRandomness)?;
        Ok(Self(key))
    }

    /// Reads the text of `unlock.key`.
    pub(super) fn parse(text: &[u8]) -> Result<Self, SecretError> {
        let digits = text.strip_suffix(b"\n").unwrap_or(text);
        let mut key = Zeroizing::new([0; 32]);
        hex::decode_to_slice(digits, &mut *key).map_err(|_| SecretError::UnlockKey(text.len()))?;
        Ok(Self(key))
    }

    /// The text of `unlock.key`.
    pub(super) fn text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(65));
        // One allocation: a longer one later would leave the digits behind.
        text.push_str(&Zeroizing::new(hex::encode(*self.0)));
        text.push('\n');
        text
    }

    pub(super) fn key(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Either of them.
#[derive(Clone, Copy)]
pub(super) enum Secret<'a> {
    Passphrase(&'a Passphrase),
    UnlockKey(&'a UnlockKey),
}
