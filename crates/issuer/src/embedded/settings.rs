//! What a new authority is to be.

use aws_lc_rs::rand;
use reseal_pki::profile::CaSubject;

use super::{access::Access, authority::CreateError, secret::SecretError, signer::KeyType};

/// Longest text in a subject, in characters (RFC 5280 appendix A.1).
pub(super) const LONGEST_NAME: usize = 64;

/// What a new authority is to be.
#[derive(Debug)]
pub struct CaSettings<'a> {
    /// Type of both keys.
    pub algorithm: KeyType,
    /// Where both keys are made, and what protects them; in files without a passphrase, a key is generated into
    /// `unlock.key`.
    pub access: Access<'a>,
    /// `server.public_url`: certificates point below it for ever.
    pub public_url: &'a str,
    /// Who runs it.
    pub organization: String,
    /// Two upper-case letters; `XX` says that no country is meant (BR 7.1.2.7.4).
    pub country: String,
    /// Name of the root.
    pub root_common_name: String,
    /// Name of the intermediate.
    pub intermediate_common_name: String,
}

impl<'a> CaSettings<'a> {
    /// Settings with names that no other authority has: clients that meet two
    /// with one name and different keys take the second for a forgery.
    ///
    /// # Errors
    /// When the system's random generator fails.
    pub fn new(
        algorithm: KeyType,
        access: impl Into<Access<'a>>,
        public_url: &'a str,
    ) -> Result<Self, CreateError> {
        let mark = mark()?;
        Ok(Self {
            algorithm,
            access: access.into(),
            public_url,
            organization: "Reseal".to_owned(),
            country: "XX".to_owned(),
            root_common_name: format!("Reseal Root CA {mark}"),
            intermediate_common_name: intermediate_common_name(&mark),
        })
    }

    pub(super) fn subject(&self, common_name: &str) -> Result<CaSubject, CreateError> {
        for text in [common_name, &self.organization] {
            let right = (1..=LONGEST_NAME).contains(&text.chars().count())
                && text.chars().any(char::is_alphanumeric)
                && !text.chars().any(char::is_control);
            if !right {
                return Err(CreateError::Name(text.escape_debug().take(100).collect()));
            }
        }
        if self.country.len() != 2 || !self.country.bytes().all(|byte| byte.is_ascii_uppercase()) {
            return Err(CreateError::Country(
                self.country.escape_debug().take(100).collect(),
            ));
        }
        Ok(CaSubject {
            common_name: common_name.to_owned(),
            organization: self.organization.clone(),
            country: self.country.clone(),
        })
    }
}

/// What a further intermediate of the same authority is called.
pub(super) fn later_common_name() -> Result<String, SecretError> {
    Ok(intermediate_common_name(&mark()?))
}

fn intermediate_common_name(mark: &str) -> String {
    format!("Reseal Issuing CA {mark}")
}

/// What no other name has in it.
fn mark() -> Result<String, SecretError> {
    let mut mark = [0; 4];
    rand::fill(&mut mark).map_err(|_| SecretError::NoRandomness)?;
    Ok(hex::encode_upper(mark))
}
