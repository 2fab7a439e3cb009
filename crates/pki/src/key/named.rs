//! How people name a key that must not be used any more: by its hash, or by something that has it in it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::certificate::Certificate;
use crate::csr::{Csr, CsrError};
use crate::key::PublicKey;

/// Longest text that names a key, in bytes: that of a certificate.
pub const LONGEST: usize = 64 * 1024;

const PUBLIC_BEGIN: &str = "-----BEGIN PUBLIC KEY-----";
const PUBLIC_END: &str = "-----END PUBLIC KEY-----";

/// A key that a text names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NamedKey {
    /// SHA-256 of its SubjectPublicKeyInfo.
    pub spki_sha256: [u8; 32],
    /// Whether the text proves that the key is compromised: it holds the private key, or a request that the key
    /// has signed and whose common name says so.
    pub is_proof: bool,
}

/// The key that `text` names: SHA-256 of its SubjectPublicKeyInfo in hexadecimal, or PEM of a public key, a certificate, a
/// request or a private key.
///
/// # Errors
/// What is wrong with the text, for whoever wrote it. Nothing of a private key is in it.
pub fn named_key(text: &str) -> Result<NamedKey, String> {
    let text = text.trim();
    if text.len() > LONGEST {
        return Err(format!(
            "the text has {} bytes, at most {LONGEST} are taken",
            text.len()
        ));
    }
    if text.contains("PRIVATE KEY-----") {
        return match Csr::parse(text) {
            Err(CsrError::PrivateKey { spki_sha256 }) if !spki_sha256.is_empty() => {
                match spki_sha256.as_slice() {
                    [key] => Ok(NamedKey {
                        spki_sha256: *key,
                        is_proof: true,
                    }),
                    _ => Err("several private keys: send each as a text of its own".to_owned()),
                }
            }
            _ => Err("the private key cannot be read: send its public key".to_owned()),
        };
    }
    let named = |key: &PublicKey, is_proof| NamedKey {
        spki_sha256: key.spki_sha256(),
        is_proof,
    };
    if text.starts_with(PUBLIC_BEGIN) {
        return public_key(text).map(|key| named(&key, false));
    }
    if text.contains("CERTIFICATE REQUEST-----") {
        let csr = Csr::parse(text).map_err(|error| error.to_string())?;
        return Ok(named(csr.public_key(), csr.proves_compromise()));
    }
    if text.contains("-----BEGIN CERTIFICATE-----") {
        let certificate = Certificate::from_pem_or_der(text).map_err(|error| error.to_string())?;
        return Ok(named(certificate.public_key(), false));
    }
    let mut spki_sha256 = [0; 32];
    match hex::decode_to_slice(text, &mut spki_sha256) {
        Ok(()) => Ok(NamedKey {
            spki_sha256,
            is_proof: false,
        }),
        Err(_) => Err(
            "expected SHA-256 of a SubjectPublicKeyInfo as 64 hexadecimal digits, or PEM of a public key, a \
             certificate, a request or a private key"
                .to_owned(),
        ),
    }
}

fn public_key(text: &str) -> Result<PublicKey, String> {
    let body = text
        .strip_prefix(PUBLIC_BEGIN)
        .and_then(|rest| rest.strip_suffix(PUBLIC_END))
        .ok_or(
            "expected one block from `-----BEGIN PUBLIC KEY-----` to `-----END PUBLIC KEY-----`",
        )?;
    let base64: String = body.split_whitespace().collect();
    let der = STANDARD
        .decode(base64)
        .map_err(|_| "the text of the public key is not base64")?;
    PublicKey::from_spki_der(&der).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DnType, KeyPair};

    use super::*;

    fn request(key: &KeyPair, common_name: &str) -> String {
        let mut params = CertificateParams::new(vec!["reseal.dev".to_owned()]).unwrap();
        params
            .distinguished_name
            .push(DnType::CommonName, common_name);
        params.serialize_request(key).unwrap().pem().unwrap()
    }

    #[test]
    fn c_21_a_key_is_named_by_whatever_has_it_in_it() {
        let key = KeyPair::generate().unwrap();
        let spki =
            PublicKey::from_spki_der(&rcgen::PublicKeyData::subject_public_key_info(&key)).unwrap();
        let hash = spki.spki_sha256();
        let params = CertificateParams::new(vec!["reseal.dev".to_owned()]).unwrap();
        let certificate = params.self_signed(&key).unwrap().pem();
        for (text, is_proof) in [
            (hex::encode(hash), false),
            (hex::encode_upper(hash), false),
            (format!("\n{}\r\n", key.public_key_pem()), false),
            (certificate, false),
            (request(&key, "reseal.dev"), false),
            (request(&key, "This key is COMPROMISED"), true),
            (key.serialize_pem(), true),
        ] {
            let expected = NamedKey {
                spki_sha256: hash,
                is_proof,
            };
            assert_eq!(named_key(&text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn x_4_a_request_that_another_key_has_signed_proves_nothing() {
        let key = KeyPair::generate().unwrap();
        let pem = request(&key, "This key is compromised");
        let csr = Csr::parse(&pem).unwrap();
        let mut der = csr.der().to_vec();
        *der.last_mut().unwrap() ^= 1;
        let forged = crate::certificate::pem("CERTIFICATE REQUEST", &der);
        assert!(named_key(&pem).unwrap().is_proof);
        assert!(!named_key(&forged).unwrap().is_proof);
    }

    #[test]
    fn what_names_no_key_is_explained() {
        let key = KeyPair::generate().unwrap();
        let other = KeyPair::generate().unwrap();
        let public = key.public_key_pem();
        for (text, expected) in [
            (String::new(), "64 hexadecimal digits"),
            ("ab".repeat(31), "64 hexadecimal digits"),
            ("zz".repeat(32), "64 hexadecimal digits"),
            (format!("{public}{public}"), "not base64"),
            (public.replace("-----END", "----END"), "one block"),
            (public.replace("MFk", "MFkk"), ""),
            (
                format!("{}{}", key.serialize_pem(), other.serialize_pem()),
                "each as a text of its own",
            ),
            ("x".repeat(LONGEST + 1), "at most 65536"),
            (
                "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----".to_owned(),
                "cannot be read",
            ),
        ] {
            let error = named_key(&text).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }
}
