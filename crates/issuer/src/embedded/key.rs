//! A key of the authority, wherever it is.

use std::fmt;

use reseal_pki::key::PublicKey;

use super::signer::{KeyType, SignError, SoftwareKey};
use super::token::{PROOF, TokenKey, TokenName};

/// A key that signs for the authority.
#[derive(Clone, Debug)]
pub enum SigningKey {
    /// In the memory of this process, and encrypted in a file.
    Software(SoftwareKey),
    /// In a token, which signs.
    Token(TokenKey),
}

impl SigningKey {
    /// Type of the key.
    pub fn key_type(&self) -> KeyType {
        match self {
            Self::Software(key) => key.key_type(),
            Self::Token(key) => key.key_type(),
        }
    }

    /// The public half.
    pub fn public_key(&self) -> &PublicKey {
        match self {
            Self::Software(key) => key.public_key(),
            Self::Token(key) => key.public_key(),
        }
    }

    /// The signature over `message`, encoded as certificates carry it. Needs a Tokio runtime.
    ///
    /// # Errors
    /// When there is none. A token that has not answered in time may have made it all the same: over the same message
    /// another one may be asked for, over another message with the same serial number never.
    pub async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        match self {
            Self::Software(key) => key.sign(message).await,
            Self::Token(key) => Ok(key.sign(message).await?),
        }
    }

    /// The same on the calling thread.
    pub fn sign_here(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        match self {
            Self::Software(key) => key.sign_here(message),
            Self::Token(key) => Ok(key.sign_here(message)?),
        }
    }

    /// Signs a text that means nothing: whether the key can be used.
    pub async fn prove(&self) -> Result<(), SignError> {
        self.sign(PROOF).await.map(drop)
    }

    /// The same on the calling thread.
    pub fn prove_here(&self) -> Result<(), SignError> {
        self.sign_here(PROOF).map(drop)
    }
}

/// Where a key is, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyPlace {
    /// In a file of the CA's folder.
    File,
    /// In a token, under this label.
    Token {
        /// The token, when one is configured.
        token: Option<TokenName>,
        /// CKA_LABEL.
        label: String,
    },
    /// Not here.
    Away,
    /// In a file that cannot be read: why.
    Unreadable(String),
}

impl From<Option<&SigningKey>> for KeyPlace {
    fn from(key: Option<&SigningKey>) -> Self {
        match key {
            None => Self::Away,
            Some(SigningKey::Software(_)) => Self::File,
            Some(SigningKey::Token(key)) => Self::Token {
                token: Some(key.token().name().clone()),
                label: key.label().to_owned(),
            },
        }
    }
}

impl fmt::Display for KeyPlace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File => formatter.write_str("in a file, encrypted"),
            Self::Token {
                token: Some(token),
                label,
            } => write!(formatter, "in the token {token}, as `{label}`"),
            Self::Token { token: None, label } => {
                write!(formatter, "in a token that is not configured, as `{label}`")
            }
            Self::Away => formatter.write_str("not here"),
            Self::Unreadable(reason) => formatter.write_str(reason),
        }
    }
}
