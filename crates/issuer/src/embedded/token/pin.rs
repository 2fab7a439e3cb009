//! The PIN, read anew for each login, so that it can be changed, and shown to the token once only when that refuses it.

use std::fs::File;
use std::io::Read as _;
use std::path::PathBuf;

use cryptoki::types::AuthPin;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::refusal::Refusal;
use super::{TokenError, TokenName};

/// Longest file, in bytes: more than any token takes.
const LONGEST: usize = 512;

/// The way to the PIN.
pub(super) struct Pin {
    file: PathBuf,
    refusal: Refusal,
    /// What was refused in this process, and what was said of it.
    refused: Option<(Secret, TokenError)>,
}

impl Pin {
    /// The one in `file`; what was refused before is kept in `refusal`.
    pub(super) fn new(file: PathBuf, refusal: PathBuf) -> Self {
        Self {
            file,
            refusal: Refusal::new(refusal),
            refused: None,
        }
    }

    /// The PIN in the file: all of it, less one line end.
    ///
    /// # Errors
    /// When it is the one that `token`, whose serial number is `serial`, has refused, now or before this process was started.
    pub(super) fn read(&self, token: &TokenName, serial: &str) -> Result<Secret, TokenError> {
        let secret = self.text().map_err(|reason| TokenError::PinFile {
            file: self.file.clone(),
            reason,
        })?;
        let secret = Secret(secret);
        match &self.refused {
            Some((refused, said)) if bool::from(refused.bytes().ct_eq(secret.bytes())) => {
                return Err(said.clone());
            }
            _ => {}
        }
        if self.refusal.is_of(serial, &secret)? {
            return Err(self.wrong(token, Ok(())));
        }
        Ok(secret)
    }

    /// The token did not take it; what to say of that.
    pub(super) fn refused(
        &mut self,
        secret: Secret,
        token: &TokenName,
        serial: &str,
    ) -> TokenError {
        let error = self.wrong(token, self.refusal.keep(serial, &secret));
        self.refused = Some((secret, error.clone()));
        error
    }

    /// The token took it.
    pub(super) fn taken(&mut self) {
        self.refused = None;
        self.refusal.forget();
    }

    fn wrong(&self, token: &TokenName, kept: Result<(), String>) -> TokenError {
        let file = self.refusal.file().display();
        let kept = match kept {
            Ok(()) => format!(
                "`{file}` keeps that for the next start: remove it if the token has got this PIN since"
            ),
            Err(reason) => format!(
                "another start would show it again: that it was refused cannot be kept in `{file}`: {reason}"
            ),
        };
        TokenError::WrongPin {
            token: token.clone(),
            kept,
        }
    }

    fn text(&self) -> Result<Zeroizing<String>, String> {
        let file = File::open(&self.file).map_err(|error| error.to_string())?;
        // One allocation: a longer one later would leave the digits behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST + 1));
        file.take(LONGEST as u64 + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| error.to_string())?;
        if bytes.len() > LONGEST {
            return Err(format!(
                "it has more than {LONGEST} bytes: is it another file?"
            ));
        }
        let line = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            return Err("it is empty".to_owned());
        }
        let text = std::str::from_utf8(line).map_err(|_| "it is not text".to_owned())?;
        Ok(Zeroizing::new(text.to_owned()))
    }
}

/// A PIN, wiped when dropped.
pub(super) struct Secret(Zeroizing<String>);

impl Secret {
    /// As the module is given it.
    pub(super) fn pin(&self) -> AuthPin {
        AuthPin::new(self.0.as_str().into())
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    #[cfg(test)]
    pub(super) fn new(text: &str) -> Self {
        Self(Zeroizing::new(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ca() -> TokenName {
        TokenName::Label("ca".to_owned())
    }

    #[test]
    fn a_refused_pin_is_not_shown_to_the_token_again_not_even_by_the_next_process() {
        let folder = tempfile::tempdir().unwrap();
        let [file, refusal] = ["pin", "refused"].map(|name| folder.path().join(name));
        std::fs::write(&file, "1234\r\n").unwrap();
        let new = || Pin::new(file.clone(), refusal.clone());
        let mut pin = new();
        let secret = pin.read(&ca(), "7").unwrap();
        assert_eq!(*secret.0, "1234");
        let said = pin.refused(secret, &ca(), "7");
        assert!(said.to_string().contains("refused` keeps that"), "{said}");
        assert_eq!(pin.read(&ca(), "7").err(), Some(said.clone()));
        assert_eq!(new().read(&ca(), "7").err(), Some(said));
        // It may be that of another token.
        assert!(new().read(&ca(), "8").is_ok());
        std::fs::write(&file, "4321").unwrap();
        assert_eq!(*pin.read(&ca(), "7").unwrap().0, "4321");
        pin.taken();
        assert!(!refusal.exists());
    }

    #[test]
    fn a_file_that_cannot_hold_a_pin_is_named_without_its_content() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pin");
        let pin = Pin::new(file.clone(), folder.path().join("refused"));
        let said = |pin: &Pin| pin.read(&ca(), "7").err().unwrap().to_string();
        assert!(said(&pin).contains("No such file"), "{}", said(&pin));
        for (content, reason) in [
            (Vec::new(), "empty"),
            (b"\n".to_vec(), "empty"),
            (vec![b'7'; LONGEST + 1], "more than 512 bytes"),
            (vec![b'7', 0xff], "not text"),
        ] {
            std::fs::write(&file, content).unwrap();
            let said = said(&pin);
            assert!(said.contains(reason) && !said.contains("777"), "{said}");
            assert!(said.contains(&*file.to_string_lossy()), "{said}");
        }
    }
}
