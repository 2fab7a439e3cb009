//! Where the token is, as the configuration says it.

use std::fmt;
use std::path::PathBuf;

/// Where the token is and what opens it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenSettings {
    /// The shared library of the token's maker.
    pub module: PathBuf,
    /// Which of its tokens.
    pub token: TokenName,
    /// File with the PIN: all of it, less one line end.
    pub pin_file: PathBuf,
    /// What the labels of keys begin with.
    pub prefix: String,
}

/// How a token is told from the others that a module shows. Displays as what stands behind "the token".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenName {
    /// By its label, which it keeps.
    Label(String),
    /// By the number of the slot that it is in (CK_SLOT_ID), which the module gives it at each start.
    Slot(u64),
}

impl TokenName {
    /// The key of the configuration that says it.
    pub(super) fn key(&self) -> &'static str {
        match self {
            Self::Label(_) => "ca.pkcs11_token",
            Self::Slot(_) => "ca.pkcs11_slot",
        }
    }
}

impl fmt::Display for TokenName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Label(label) => write!(formatter, "`{label}`"),
            Self::Slot(slot) => write!(formatter, "in slot {slot}"),
        }
    }
}
