//! PEM around certificates, written and read.

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::{asn1::Malformed, key::KeyError};

/// Characters of base64 a line (RFC 7468 section 2).
const LINE: usize = 64;
/// Longest text taken; a certificate with 250 names is far below it.
const LONGEST: usize = 64 * 1024;

/// Why a text is not a certificate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// A private key was sent.
    #[error(
        "the text contains a private key, which must never be sent: expected a certificate only"
    )]
    PrivateKey,
    /// Too long to be a certificate.
    #[error("the text has {0} bytes, a certificate may have 65536")]
    TooLong(usize),
    /// No block, or an incomplete one.
    #[error("expected one block from `-----BEGIN CERTIFICATE-----` to `-----END CERTIFICATE-----`")]
    Envelope,
    /// More than one block.
    #[error("the text has several blocks, expected the certificate alone, without its chain")]
    SeveralBlocks,
    /// Not base64.
    #[error("the text of the certificate is not base64")]
    Base64,
    /// Not a certificate's structure.
    #[error("not a certificate: {problem} at byte {offset}")]
    Encoding {
        /// Bytes from the start of the DER.
        offset: usize,
        /// What was expected and seen there.
        problem: String,
    },
    /// A public key that cannot be read.
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl From<Malformed> for CertificateError {
    fn from(malformed: Malformed) -> Self {
        Self::Encoding {
            offset: malformed.offset,
            problem: malformed.problem,
        }
    }
}

/// DER as a PEM block with this label (RFC 7468), lines of 64, ending in a newline.
pub fn pem(label: &str, der: &[u8]) -> String {
    let encoded = STANDARD.encode(der);
    let mut text =
        String::with_capacity(encoded.len() + encoded.len() / LINE + 2 * label.len() + 40);
    text.push_str("-----BEGIN ");
    text.push_str(label);
    text.push_str("-----\n");
    let mut rest = encoded.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(LINE));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    text.push_str("-----END ");
    text.push_str(label);
    text.push_str("-----\n");
    text
}

/// The DER inside PEM or bare base64.
pub(super) fn unwrap(text: &str) -> Result<Vec<u8>, CertificateError> {
    if text.contains("PRIVATE KEY-----") {
        return Err(CertificateError::PrivateKey);
    }
    if text.len() > LONGEST {
        return Err(CertificateError::TooLong(text.len()));
    }
    let body = if text.contains("-----BEGIN ") {
        let (_, rest) = text
            .split_once("-----BEGIN CERTIFICATE-----")
            .ok_or(CertificateError::Envelope)?;
        let (body, rest) = rest
            .split_once("-----END CERTIFICATE-----")
            .ok_or(CertificateError::Envelope)?;
        if rest.contains("-----BEGIN ") {
            return Err(CertificateError::SeveralBlocks);
        }
        if !rest.trim().is_empty() {
            return Err(CertificateError::Envelope);
        }
        body
    } else {
        text.trim_start_matches('\u{feff}')
    };
    let digits: Vec<u8> = body
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    if digits.is_empty() {
        return Err(CertificateError::Envelope);
    }
    STANDARD
        .decode(digits)
        .map_err(|_| CertificateError::Base64)
}
