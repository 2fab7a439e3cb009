//! Sessions with a token, and what it takes to open them.

use std::collections::HashMap;

use cryptoki::context::Pkcs11;
use cryptoki::error::{Error, RvError};
use cryptoki::object::ObjectHandle;
use cryptoki::session::{SessionState, UserType};
use cryptoki::slot::Slot;

use super::objects::Failure;
use super::pin::Pin;
use super::{TokenError, TokenName, slot};

/// A session, logged in.
pub(super) struct Session<'a> {
    pub(super) raw: cryptoki::session::Session,
    /// Private keys by label and id: good as long as the session.
    pub(super) handles: HashMap<(String, Vec<u8>), ObjectHandle>,
    module: &'a Pkcs11,
    slot: Slot,
    pub(super) token: &'a TokenName,
}

impl Session<'_> {
    /// Whether it is of no use any more after `failure`.
    pub(super) fn is_lost(&self, failure: &Failure) -> bool {
        if let Failure::Module(Error::Pkcs11(code, _)) = failure
            && is_about_connection(*code)
        {
            return true;
        }
        // A token that is away has no keys, says SoftHSM.
        self.module.get_token_info(self.slot).is_err()
            || self.raw.get_session_info().map_or(true, |session| {
                session.session_state() != SessionState::RwUser
            })
    }
}

fn is_about_connection(code: RvError) -> bool {
    matches!(
        code,
        RvError::CryptokiNotInitialized
            | RvError::DeviceError
            | RvError::DeviceRemoved
            | RvError::FunctionFailed
            | RvError::GeneralError
            | RvError::KeyHandleInvalid
            | RvError::ObjectHandleInvalid
            | RvError::SessionClosed
            | RvError::SessionHandleInvalid
            | RvError::SlotIdInvalid
            | RvError::TokenNotPresent
            | RvError::TokenNotRecognized
            | RvError::UserNotLoggedIn
    )
}

/// The way to sessions, while `module` runs.
#[derive(Clone, Copy)]
pub(super) struct Opening<'a> {
    module: &'a Pkcs11,
    token: &'a TokenName,
}

impl<'a> Opening<'a> {
    pub(super) fn new(module: &'a Pkcs11, token: &'a TokenName) -> Self {
        Self { module, token }
    }

    /// Logs in, and opens as many sessions as the token allows, `most` at most.
    pub(super) fn sessions(
        self,
        most: usize,
        pin: &mut Pin,
    ) -> Result<Vec<Session<'a>>, TokenError> {
        let slot = slot::find(self.module, self.token)?;
        let mut sessions = vec![self.session(slot)?];
        self.log_in(slot, &sessions[0], pin)?;
        while sessions.len() < most
            && let Ok(session) = self.session(slot)
        {
            sessions.push(session);
        }
        Ok(sessions)
    }

    fn session(self, slot: Slot) -> Result<Session<'a>, TokenError> {
        let raw = self.module.open_rw_session(slot);
        Ok(Session {
            raw: raw.map_err(|error| self.failed(&error))?,
            handles: HashMap::new(),
            module: self.module,
            slot,
            token: self.token,
        })
    }

    /// Once for all sessions: a login is the token's.
    fn log_in(self, slot: Slot, session: &Session<'_>, pin: &mut Pin) -> Result<(), TokenError> {
        let name = || self.token.clone();
        let state = self.module.get_token_info(slot);
        let state = state.map_err(|error| self.failed(&error))?;
        if state.user_pin_locked() {
            return Err(TokenError::Locked(name()));
        }
        if state.user_pin_final_try() {
            return Err(TokenError::LastTry(name()));
        }
        let serial = state.serial_number();
        let secret = pin.read(self.token, serial)?;
        match session.raw.login(UserType::User, Some(&secret.pin())) {
            Ok(()) => {
                pin.taken();
                Ok(())
            }
            Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(()),
            Err(Error::Pkcs11(
                RvError::PinIncorrect | RvError::PinInvalid | RvError::PinLenRange,
                _,
            )) => Err(pin.refused(secret, self.token, serial)),
            Err(Error::Pkcs11(RvError::PinLocked, _)) => Err(TokenError::Locked(name())),
            Err(error) => Err(self.failed(&error)),
        }
    }

    fn failed(self, error: &Error) -> TokenError {
        TokenError::Call {
            token: self.token.clone(),
            reason: error.to_string(),
        }
    }
}
