//! Keys in a token: a hardware security module, a card, or SoftHSM, behind a PKCS#11 module of its maker.
//!
//! - [`Token`] is the way to it, with [`TokenSettings`] from the configuration
//! - `settings` says which one, `slot` finds it among those that the module shows
//! - `keeper` holds the only connection of the process: the module loaded, a login, a `session` for each of a few threads
//!   of its own, which answer a `question` at a time, and makes it anew when the token was away; `pin` opens it,
//!   and `refusal` keeps a wrong one from being shown twice
//! - `objects` finds, makes and takes in keys over a session, `encode` translates between PKCS#11 and X.509
//! - [`TokenKey`] signs with one: `key`
//! - `file` is what lies in the folder of the CA in the place of such a key
//!
//! Nothing here hands out a private key: there is no call for it, and keys are made so that the token refuses.

mod encode;
mod error;
mod file;
mod keeper;
mod key;
mod objects;
mod pin;
mod question;
mod refusal;
mod session;
mod settings;
mod slot;

use std::path::Path;

pub use error::TokenError;
pub(super) use file::TokenKeyFile;
use keeper::Keeper;
pub(super) use key::PROOF;
pub use key::TokenKey;
use objects::Found;
use session::Session;
pub use settings::{TokenName, TokenSettings};

use super::signer::{KeyType, SoftwareKey};

/// The way to a token. Cheap to clone; nothing is opened before a key is needed.
#[derive(Clone, Debug)]
pub struct Token {
    keeper: &'static Keeper,
    prefix: String,
}

impl Token {
    /// The token that `settings` name: one in the life of a process, as modules stand no second start beside the first. A PIN
    /// that it refuses is kept from being shown again by the file `refusal`, in a folder that is there.
    ///
    /// # Errors
    /// When this process works with another one already.
    pub fn new(settings: &TokenSettings, refusal: &Path) -> Result<Self, TokenError> {
        Ok(Self {
            keeper: Keeper::of(settings, refusal)?,
            prefix: settings.prefix.clone(),
        })
    }

    /// Which one it is.
    pub fn name(&self) -> &TokenName {
        &self.keeper.settings().token
    }

    /// The file with the PIN.
    pub(super) fn pin_file(&self) -> &Path {
        &self.keeper.settings().pin_file
    }

    /// The label of the key for `role`.
    pub(super) fn label_of(&self, role: &str) -> String {
        format!("{}-{role}", self.prefix)
    }

    /// The key labelled for `role`, if it is there and may serve an authority: it cannot leave the token.
    pub(super) fn find(&self, role: &str) -> Result<Option<TokenKey>, TokenError> {
        let label = self.label_of(role);
        let found = self
            .keeper
            .ask(true, move |session| objects::find(session, &label))?;
        Ok(found.map(|found| self.key(found)))
    }

    /// The key labelled for `role`: the one that is there, or one that the token makes.
    ///
    /// # Errors
    /// When the one that is there is of another type than `key_type`, or could leave the token.
    pub(super) fn find_or_make(
        &self,
        role: &str,
        key_type: KeyType,
    ) -> Result<TokenKey, TokenError> {
        let label = self.label_of(role);
        let key = match self.find(role)? {
            Some(key) => key,
            None => self.key(
                self.keeper
                    .ask_to_make(move |session| objects::make(session, &label, key_type))?,
            ),
        };
        if key.key_type() != key_type {
            return Err(TokenError::Unfit {
                label: self.label_of(role),
                reason: format!(
                    "it is {}, expected {key_type} (`ca.algorithm`)",
                    key.key_type()
                ),
            });
        }
        // That it signs, too: nothing is known of how it was made.
        key.prove()?;
        Ok(key)
    }

    /// Takes `key` into the token, labelled for `role`, so that it never comes out again. The same one again changes
    /// nothing.
    ///
    /// # Errors
    /// When there is another key under that label, or the token takes in none.
    pub(super) fn take_in(&self, role: &str, key: &SoftwareKey) -> Result<TokenKey, TokenError> {
        let public_key = key.public_key().spki_sha256();
        let taken = if let Some(there) = self.find(role)? {
            there
        } else {
            let (label, key) = (self.label_of(role), key.clone());
            let work = move |session: &mut Session<'_>| objects::take_in(session, &label, &key);
            self.key(self.keeper.ask_to_make(work)?)
        };
        if taken.public_key().spki_sha256() != public_key {
            return Err(TokenError::Unfit {
                label: self.label_of(role),
                reason: "it is another key: choose another `ca.pkcs11_label`".to_owned(),
            });
        }
        taken.prove()?;
        Ok(taken)
    }

    fn key(&self, found: Found) -> TokenKey {
        TokenKey::new(self.clone(), found)
    }
}
