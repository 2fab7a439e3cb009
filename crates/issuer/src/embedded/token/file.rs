//! What lies in the folder of the CA in the place of a key that is in a token: its name. No secret.
//!
//! ```json
//! {
//!   "token_key": {
//!     "format": "reseal-token-key", "version": 1, "key_type": "p256", "public_key_sha256": "…",
//!     "label": "reseal-intermediate", "id": "…"
//!   },
//!   "sha256": "…"
//! }
//! ```
//! Which token that is, the configuration says: tokens are replaced, and their keys moved between them by their own means.

use aws_lc_rs::digest;
use reseal_pki::key::PublicKey;
use serde::{Deserialize, Serialize};

use super::super::keyfile::KeyFileError;
use super::super::signer::KeyType;
use super::{Token, TokenKey, objects::Found};

const FORMAT: &str = "reseal-token-key";
const VERSION: u32 = 1;

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    token_key: Name,
    #[serde(with = "hex::serde")]
    sha256: [u8; 32],
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Name {
    format: String,
    version: u32,
    key_type: KeyType,
    #[serde(with = "hex::serde")]
    public_key_sha256: [u8; 32],
    label: String,
    #[serde(with = "hex::serde")]
    id: Vec<u8>,
}

impl Name {
    fn checksum(&self) -> Result<[u8; 32], KeyFileError> {
        let bytes = serde_json::to_vec(self).map_err(|_| KeyFileError::Cipher)?;
        let mut checksum = [0; 32];
        checksum.copy_from_slice(digest::digest(&digest::SHA256, &bytes).as_ref());
        Ok(checksum)
    }
}

/// The name of a key in a token.
#[derive(Clone, Debug)]
pub(in crate::embedded) struct TokenKeyFile(Document);

impl TokenKeyFile {
    pub(in crate::embedded) fn of(key: &TokenKey) -> Result<Self, KeyFileError> {
        let token_key = Name {
            format: FORMAT.to_owned(),
            version: VERSION,
            key_type: key.key_type(),
            public_key_sha256: key.public_key().spki_sha256(),
            label: key.label().to_owned(),
            id: key.id().to_vec(),
        };
        let sha256 = token_key.checksum()?;
        Ok(Self(Document { token_key, sha256 }))
    }

    /// `None` when `bytes` are something else, which may be a part of such a file.
    pub(in crate::embedded) fn parse(bytes: &[u8]) -> Option<Result<Self, KeyFileError>> {
        #[derive(Deserialize)]
        struct Outline {
            token_key: Version,
        }
        #[derive(Deserialize)]
        struct Version {
            version: u32,
        }
        let version = serde_json::from_slice::<Outline>(bytes).ok()?;
        let version = version.token_key.version;
        if version != VERSION {
            return Some(Err(KeyFileError::Version(version)));
        }
        let document: Document = match serde_json::from_slice(bytes) {
            Ok(document) => document,
            Err(error) => return Some(Err(KeyFileError::Unreadable(error.to_string()))),
        };
        let checked = document.token_key.checksum().and_then(|checksum| {
            if checksum != document.sha256 {
                return Err(KeyFileError::Damaged("its checksum does not fit"));
            }
            if document.token_key.format != FORMAT {
                return Err(KeyFileError::Damaged("its format is not ours"));
            }
            Ok(Self(document))
        });
        Some(checked)
    }

    pub(in crate::embedded) fn to_bytes(&self) -> Result<Vec<u8>, KeyFileError> {
        let mut bytes = serde_json::to_vec_pretty(&self.0).map_err(|_| KeyFileError::Cipher)?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    pub(in crate::embedded) fn public_key_sha256(&self) -> [u8; 32] {
        self.0.token_key.public_key_sha256
    }

    pub(in crate::embedded) fn label(&self) -> &str {
        &self.0.token_key.label
    }

    /// The key, whose public half is `public_key`. The token is not asked.
    pub(in crate::embedded) fn key(
        &self,
        token: &Token,
        public_key: &PublicKey,
    ) -> Result<TokenKey, KeyFileError> {
        let name = &self.0.token_key;
        if public_key.spki_sha256() != name.public_key_sha256 || !name.key_type.is_of(public_key) {
            return Err(KeyFileError::Damaged("it names another public key"));
        }
        let found = Found {
            label: name.label.clone(),
            id: name.id.clone(),
            key_type: name.key_type,
            public_key: public_key.clone(),
        };
        Ok(TokenKey::new(token.clone(), found))
    }
}
