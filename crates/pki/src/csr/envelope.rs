//! From the text in a field to DER: PEM as people paste it (C-1 to C-3).
//!
//! Tolerant towards what mail programs, editors and web forms do to line ends
//! and white space; strict towards everything that could mean that another
//! text was meant. What is refused is refused with the way to mend it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::csr::CsrError;
use crate::key::exposed_public_key;

/// A request with an RSA key of 4096 bits and 100 names fits well.
const LONGEST_PEM: usize = 16 * 1024;

/// Accepted types of blocks; the second is that of old Microsoft and Netscape
/// tools.
const LABELS: [&str; 2] = ["CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"];

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";

/// The DER inside the only block of the text.
pub(super) fn decode(text: &str) -> Result<Vec<u8>, CsrError> {
    // First of all, so that a key is recognized wherever it stands.
    if text.contains("PRIVATE KEY-----") {
        return Err(CsrError::PrivateKey {
            spki_sha256: exposed_in_pem(text),
        });
    }
    if text.len() > LONGEST_PEM {
        return Err(CsrError::TooLong {
            form: "PEM",
            bytes: text.len(),
            limit: LONGEST_PEM,
        });
    }
    let Some((_, block)) = text.split_once(BEGIN) else {
        return Err(without_block(text));
    };
    if block.contains("\\n") {
        return Err(CsrError::EscapedLineBreaks);
    }
    let (label, block) = split_label(block)?;
    let Some((body, end)) = block.split_once(DASHES) else {
        return Err(CsrError::Unfinished { label });
    };
    // The END line without its leading dashes.
    let Some(end) = end.strip_prefix(&END[DASHES.len()..]) else {
        return Err(if end.starts_with(&BEGIN[DASHES.len()..]) {
            CsrError::SeveralBlocks
        } else {
            CsrError::Unfinished { label }
        });
    };
    let Some((end_label, after)) = end.split_once(DASHES) else {
        return Err(CsrError::Unfinished { label });
    };
    if end_label != label {
        return Err(CsrError::LabelsDiffer {
            begin: label.to_owned(),
            end: end_label.to_owned(),
        });
    }
    let after = after.trim();
    if after.contains(BEGIN) {
        return Err(CsrError::SeveralBlocks);
    }
    if !after.is_empty() {
        return Err(CsrError::TrailingText {
            found: after.to_owned(),
        });
    }
    decode_body(body)
}

fn split_label(block: &str) -> Result<(&'static str, &str), CsrError> {
    let (found, rest) = block.split_once(DASHES).unwrap_or((block, ""));
    LABELS
        .into_iter()
        .find(|label| *label == found)
        .map(|label| (label, rest))
        .ok_or_else(|| CsrError::Label {
            found: found.lines().next().unwrap_or_default().to_owned(),
        })
}

fn decode_body(body: &str) -> Result<Vec<u8>, CsrError> {
    let mut base64 = Vec::with_capacity(body.len());
    let mut last_line = 1;
    // CRLF makes an empty line of the LF, hence the count by LF or lone CR.
    for (line, text) in body.replace("\r\n", "\n").split(['\n', '\r']).enumerate() {
        let text = text.trim();
        if text.contains(':') {
            return Err(CsrError::Header {
                found: text.to_owned(),
            });
        }
        if let Some(foreign) = text.chars().find(|c| !is_base64(*c)) {
            return Err(CsrError::Base64 {
                line: line.max(1),
                problem: foreign_character(foreign),
            });
        }
        if !text.is_empty() {
            last_line = line.max(1);
        }
        base64.extend_from_slice(text.as_bytes());
    }
    STANDARD.decode(&base64).map_err(|error| CsrError::Base64 {
        line: last_line,
        problem: match error {
            base64::DecodeError::InvalidPadding => "wrong padding at the end".to_owned(),
            other => format!("{other}: characters are missing or were added"),
        },
    })
}

fn is_base64(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '+' | '/' | '=')
}

fn foreign_character(character: char) -> String {
    match character {
        ' ' | '\t' => "a space inside the base64: line breaks or `+` signs became spaces on the \
                       way, as web forms do; send them unchanged"
            .to_owned(),
        '-' | '_' => "a character of base64url: expected the base64 of RFC 4648 section 4, with \
                      `+` and `/`"
            .to_owned(),
        other => format!(
            "unexpected character {}",
            crate::quote::quoted(&other.to_string())
        ),
    }
}

/// Why a text without a PEM block is refused.
fn without_block(text: &str) -> CsrError {
    let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    if text.is_empty() {
        return CsrError::Empty;
    }
    let compact: String = text.split_whitespace().collect();
    match STANDARD.decode(compact.replace("\\n", "")) {
        Ok(der) if der.first() == Some(&0x30) => match exposed_public_key(&der) {
            Some(key) => CsrError::PrivateKey {
                spki_sha256: vec![key.spki_sha256()],
            },
            None => CsrError::BareBase64,
        },
        _ => CsrError::NotPem {
            found: text.to_owned(),
        },
    }
}

/// The public halves of the private keys in the text, as far as they can be read.
fn exposed_in_pem(text: &str) -> Vec<[u8; 32]> {
    let mut found = Vec::new();
    // How many there can be follows from the limit of the whole body.
    for block in text.split(BEGIN).skip(1) {
        if let Some(key) = exposed_in_block(block)
            && !found.contains(&key)
        {
            found.push(key);
        }
    }
    found
}

/// The same for what follows on the dashes and the word that begin a block.
fn exposed_in_block(block: &str) -> Option<[u8; 32]> {
    let (label, block) = block.split_once(DASHES)?;
    if !label.ends_with("PRIVATE KEY") {
        return None;
    }
    let (body, _) = block.split_once(DASHES)?;
    if body.len() > LONGEST_PEM {
        return None;
    }
    let base64: String = body.replace("\\n", "").split_whitespace().collect();
    let der = STANDARD.decode(base64).ok()?;
    Some(exposed_public_key(&der)?.spki_sha256())
}
