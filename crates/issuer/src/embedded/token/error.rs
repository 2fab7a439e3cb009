//! What goes wrong with a token, in words for the operator.

use std::path::PathBuf;

use super::TokenName;

/// Why a token did not do what it was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// There are no settings.
    #[error(
        "it is in a token, and none is configured: set `ca.pkcs11_module`, `ca.pkcs11_token` (or `ca.pkcs11_slot`) and `ca.pkcs11_pin_file`"
    )]
    NotConfigured,
    /// The process works with another token.
    #[error("this process works with the token {0} already, and with one only")]
    Another(TokenName),
    /// The library.
    #[error(
        "the PKCS#11 module `{module}` cannot be loaded ({reason}): `ca.pkcs11_module` has to be the library of the token's \
         maker, such as `/usr/lib/softhsm/libsofthsm2.so`"
    )]
    Module {
        /// `ca.pkcs11_module`.
        module: PathBuf,
        /// Why.
        reason: String,
    },
    /// The module was loaded and does not start.
    #[error(
        "the PKCS#11 module `{module}` does not start ({reason}): look whether its own configuration is there and the token \
         is reachable"
    )]
    Start {
        /// `ca.pkcs11_module`.
        module: PathBuf,
        /// Why.
        reason: String,
    },
    /// No such token.
    #[error(
        "there is no token {wanted}: the module shows {seen}; connect it, or correct `{}`",
        wanted.key()
    )]
    Absent {
        /// Which.
        wanted: TokenName,
        /// What is there: labels and slots.
        seen: String,
    },
    /// Two of them.
    #[error(
        "several tokens have the label {wanted}, those in the slots {slots}, expected one: give them labels of their own, or \
         say which one is meant by its slot: `ca.pkcs11_slot` in the place of `ca.pkcs11_token`"
    )]
    Ambiguous {
        /// `ca.pkcs11_token`.
        wanted: TokenName,
        /// Numbers of the slots that they are in.
        slots: String,
    },
    /// The file with the PIN.
    #[error("the PIN cannot be read from `{file}` (`ca.pkcs11_pin_file`): {reason}")]
    PinFile {
        /// `ca.pkcs11_pin_file`.
        file: PathBuf,
        /// Why.
        reason: String,
    },
    /// The token refused the PIN. It is not shown to it again: tokens lock themselves after a few.
    #[error(
        "the token {token} refuses the PIN in the file of `ca.pkcs11_pin_file`: correct it; it is not tried again, as tokens \
         lock themselves ({kept})"
    )]
    WrongPin {
        /// The token.
        token: TokenName,
        /// Where that is kept, or why it is not.
        kept: String,
    },
    /// Nobody knows whether the token has refused the PIN before.
    #[error(
        "`{file}` cannot be read ({reason}), which keeps a refused PIN from being shown to a token again: see to it that the \
         PIN in the file of `ca.pkcs11_pin_file` is right, and remove it"
    )]
    Refusal {
        /// The file.
        file: PathBuf,
        /// Why.
        reason: String,
    },
    /// One more wrong PIN would lock it.
    #[error(
        "the token {0} has one attempt left before it locks itself, which is not used up here: log in once with its own \
         tool"
    )]
    LastTry(TokenName),
    /// Locked.
    #[error("the PIN of the token {0} is locked: its security officer has to set a new one")]
    Locked(TokenName),
    /// No such key.
    #[error(
        "the token {token} has no private key `{label}` with the id {id}: it was removed, or this is another token of that \
         label"
    )]
    NoKey {
        /// The token.
        token: TokenName,
        /// Label of the key.
        label: String,
        /// CKA_ID in hexadecimal digits.
        id: String,
    },
    /// A key that cannot serve.
    #[error("the key `{label}` in the token cannot be used: {reason}")]
    Unfit {
        /// Label of the key.
        label: String,
        /// Why.
        reason: String,
    },
    /// The token takes no key from outside.
    #[error(
        "the token takes in no key from outside ({0}): have it make one, by `reseal ca rotate` with `ca.key = \"pkcs11\"`"
    )]
    TakesNone(String),
    /// A signature that the public key refuses, more than once.
    #[error(
        "the token makes signatures with the key `{0}` that its public key refuses: they were thrown away"
    )]
    BadSignature(String),
    /// A call failed.
    #[error("the token {token} failed: {reason}")]
    Call {
        /// The token.
        token: TokenName,
        /// What the module said.
        reason: String,
    },
    /// No answer in time.
    #[error("the token {token} has not answered within {seconds} s")]
    Silent {
        /// The token.
        token: TokenName,
        /// How long was waited.
        seconds: u64,
    },
}

impl TokenError {
    /// Whether waiting may help: the token is away, or does not answer. Everything else needs somebody who changes
    /// something.
    pub fn is_outage(&self) -> bool {
        matches!(
            self,
            Self::Start { .. } | Self::Absent { .. } | Self::Call { .. } | Self::Silent { .. }
        )
    }
}
