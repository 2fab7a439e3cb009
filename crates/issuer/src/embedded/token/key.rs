//! Signatures by a key in a token.

use aws_lc_rs::digest;
use reseal_pki::key::{PublicKey, verify_signature};
use reseal_pki::profile::SignatureAlgorithm;

use super::super::signer::KeyType;
use super::objects::{self, Found};
use super::{Session, Token, TokenError, encode};

/// What is signed to see whether a key can: nothing that could be taken for a certificate, a list or an answer.
pub(in crate::embedded) const PROOF: &[u8] =
    b"Reseal signs this text to see whether the key of the CA can be used. It says nothing.";

/// How often a signature is asked for that verifies. SoftHSM has been seen to make well-formed ones that do not.
const ATTEMPTS: usize = 3;

/// A private key in a token. It stays there.
#[derive(Clone, Debug)]
pub struct TokenKey {
    token: Token,
    found: Found,
}

impl TokenKey {
    pub(super) fn new(token: Token, found: Found) -> Self {
        Self { token, found }
    }

    /// Type of the key.
    pub fn key_type(&self) -> KeyType {
        self.found.key_type
    }

    /// The public half.
    pub fn public_key(&self) -> &PublicKey {
        &self.found.public_key
    }

    /// CKA_LABEL.
    pub fn label(&self) -> &str {
        &self.found.label
    }

    /// CKA_ID.
    pub fn id(&self) -> &[u8] {
        &self.found.id
    }

    /// The token that it is in.
    pub fn token(&self) -> &Token {
        &self.token
    }

    /// The signature over `message`, encoded as certificates carry it, after the public key has agreed.
    ///
    /// # Errors
    /// When there is none within five seconds. It may have been made all the same: whoever asks again asks for a signature
    /// over the same message.
    pub async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, TokenError> {
        self.token.keeper.ask_async(self.job(message)).await
    }

    /// The same on the calling thread, which waits longer: for commands.
    pub fn sign_here(&self, message: &[u8]) -> Result<Vec<u8>, TokenError> {
        self.token.keeper.ask(true, self.job(message))
    }

    /// Sees whether the token answers, has the key, and signs with it.
    pub fn prove(&self) -> Result<(), TokenError> {
        self.sign_here(PROOF).map(drop)
    }

    fn job(
        &self,
        message: &[u8],
    ) -> impl FnMut(&mut Session<'_>) -> Result<Vec<u8>, objects::Failure> + Send + 'static {
        let (found, message) = (self.found.clone(), message.to_vec());
        move |session| {
            for _ in 0..ATTEMPTS {
                let signature = signed(session, &found, &message)?;
                if is_good(&found.public_key, &message, &signature) {
                    return Ok(signature);
                }
            }
            Err(TokenError::BadSignature(found.label.clone()).into())
        }
    }
}

/// The token sees a digest, however long the message is.
fn signed(
    session: &mut Session<'_>,
    found: &Found,
    message: &[u8],
) -> Result<Vec<u8>, objects::Failure> {
    let hash = match found.key_type {
        KeyType::P384 => &digest::SHA384,
        KeyType::P256 | KeyType::Rsa3072 | KeyType::Rsa4096 => &digest::SHA256,
    };
    let digest = digest::digest(hash, message);
    match found.key_type {
        KeyType::P256 | KeyType::P384 => {
            let plain = objects::sign_ecdsa(session, found, digest.as_ref())?;
            encode::ecdsa_signature(&plain)
                .ok_or_else(|| TokenError::BadSignature(found.label.clone()).into())
        }
        KeyType::Rsa3072 | KeyType::Rsa4096 => {
            objects::sign_rsa(session, found, &encode::sha256_digest_info(digest.as_ref()))
        }
    }
}

fn is_good(key: &PublicKey, message: &[u8], signature: &[u8]) -> bool {
    SignatureAlgorithm::for_key(key).is_some_and(|algorithm| {
        verify_signature(key, algorithm.algorithm_identifier(), message, signature).is_ok()
    })
}
