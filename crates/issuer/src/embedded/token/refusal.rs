//! What is kept of a PIN that the token has refused, so that nobody who starts the server again and again locks the token.
//!
//! ```json
//! { "token": "…serial number…", "salt": "…", "digest": "…" }
//! ```
//! The digest is what Argon2id makes of the PIN and the salt: a PIN is short, so that whoever reads the file could find it in
//! the end. It is one that does not open that token, readable by the server's user alone, who reads the file of the PIN.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use aws_lc_rs::rand;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;

use super::super::folder::{self, OWNER_ONLY};
use super::super::secret::{Cost, Passphrase, SecretError};
use super::TokenError;
use super::pin::Secret;

/// The file with the last refusal.
pub(super) struct Refusal {
    file: PathBuf,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    token: String,
    #[serde(with = "hex::serde")]
    salt: [u8; 16],
    #[serde(with = "hex::serde")]
    digest: [u8; 32],
}

impl Document {
    /// Fails for want of memory.
    fn of(token: &str, salt: [u8; 16], pin: &Secret) -> Result<Self, String> {
        let derived = Passphrase::new(pin.bytes()).and_then(|pin| pin.derive(&salt, Cost::DEFAULT));
        Ok(Self {
            token: token.to_owned(),
            salt,
            digest: *derived.map_err(|error| error.to_string())?,
        })
    }
}

impl Refusal {
    pub(super) fn new(file: PathBuf) -> Self {
        Self { file }
    }

    /// Where it is.
    pub(super) fn file(&self) -> &Path {
        &self.file
    }

    /// Whether the token with that serial number has refused that PIN.
    ///
    /// # Errors
    /// When the file cannot be read: a PIN that may be wrong is not shown to a token.
    pub(super) fn is_of(&self, token: &str, pin: &Secret) -> Result<bool, TokenError> {
        let failed = |reason: String| TokenError::Refusal {
            file: self.file.clone(),
            reason,
        };
        let bytes = match fs::read(&self.file) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(failed(error.to_string())),
        };
        let kept: Document =
            serde_json::from_slice(&bytes).map_err(|error| failed(error.to_string()))?;
        if kept.token != token {
            return Ok(false);
        }
        let shown = Document::of(token, kept.salt, pin).map_err(failed)?;
        Ok(shown.digest.ct_eq(&kept.digest).into())
    }

    /// Notes that the token with that serial number has refused that PIN, durably; why that could not be done.
    pub(super) fn keep(&self, token: &str, pin: &Secret) -> Result<(), String> {
        let mut salt = [0; 16];
        rand::fill(&mut salt).map_err(|_| SecretError::NoRandomness.to_string())?;
        let document = Document::of(token, salt, pin)?;
        let bytes = serde_json::to_vec(&document).map_err(|error| error.to_string())?;
        let (Some(folder), Some(name)) = (self.file.parent(), self.file.file_name()) else {
            return Err("it is no file".to_owned());
        };
        folder::place(folder, &name.to_string_lossy(), &bytes, OWNER_ONLY)
            .map_err(|error| error.to_string())
    }

    /// The token has taken a PIN. What stays all the same is of another PIN.
    pub(super) fn forget(&self) {
        let _ = fs::remove_file(&self.file);
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_refused_pin_is_known_again_for_that_token_only() {
        let folder = tempfile::tempdir().unwrap();
        let refusal = Refusal::new(folder.path().join("refused"));
        let is_of = |token: &str, pin: &str| refusal.is_of(token, &Secret::new(pin)).unwrap();
        assert!(!is_of("7", "1234"));
        refusal.keep("7", &Secret::new("1234")).unwrap();
        assert!(is_of("7", "1234"));
        assert!(!is_of("7", "1235"));
        assert!(!is_of("8", "1234"));
        let mode = fs::metadata(refusal.file()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        // The last one counts.
        refusal.keep("7", &Secret::new("4321")).unwrap();
        assert!(!is_of("7", "1234") && is_of("7", "4321"));
        refusal.forget();
        assert!(!is_of("7", "4321"));
    }

    #[test]
    fn while_it_cannot_be_read_no_pin_is_shown() {
        let folder = tempfile::tempdir().unwrap();
        let refusal = Refusal::new(folder.path().join("refused"));
        fs::write(refusal.file(), "{").unwrap();
        let error = refusal.is_of("7", &Secret::new("1234")).unwrap_err();
        let said = error.to_string();
        assert!(
            said.contains("refused` cannot be read") && said.contains("remove it"),
            "{said}"
        );
        let nowhere = Refusal::new(folder.path().join("nowhere").join("refused"));
        let said = nowhere.keep("7", &Secret::new("1234")).unwrap_err();
        assert!(said.contains("nowhere"), "{said}");
    }
}
