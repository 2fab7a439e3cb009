//! What a log answers to `add-pre-chain` (RFC 6962 section 4.1). Pure.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reseal_pki::transparency::{Sct, SctError};
use serde::Deserialize;

/// Most bytes of each field: no log has extensions, and a signature has some hundred bytes.
const LONGEST_FIELD: usize = 4096;

/// Why an answer is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    /// Not JSON, or without the fields that it must have.
    #[error(
        "expected a JSON object with `sct_version`, `id`, `timestamp`, `extensions` and `signature`: {0}"
    )]
    Shape(String),
    /// Of a version that nobody has asked for.
    #[error("`sct_version`: expected 0, saw {0}")]
    Version(u64),
    /// A field that is not base64 of a fitting length.
    #[error("`{0}`: expected base64 of the right length")]
    Field(&'static str),
    /// The signature's structure.
    #[error("`signature`: {0}")]
    Signature(#[from] SctError),
}

#[derive(Deserialize)]
struct Answer {
    sct_version: u64,
    id: String,
    timestamp: u64,
    #[serde(default)]
    extensions: String,
    signature: String,
}

/// Reads the body of an answer. Whether the promise is the log's, and about what was sent, is not looked at.
///
/// # Errors
/// When it is no promise of version 1.
pub fn read_answer(body: &[u8]) -> Result<Sct, NoAnswer> {
    let answer: Answer =
        serde_json::from_slice(body).map_err(|error| NoAnswer::Shape(position(&error)))?;
    if answer.sct_version != 0 {
        return Err(NoAnswer::Version(answer.sct_version));
    }
    let id: [u8; 32] = field("id", &answer.id)?
        .try_into()
        .map_err(|_| NoAnswer::Field("id"))?;
    let extensions = field("extensions", &answer.extensions)?;
    let signature = field("signature", &answer.signature)?;
    // The same bytes as in the list: version, identifier, time, extensions, and what the answer calls the signature.
    let length = u16::try_from(extensions.len()).map_err(|_| NoAnswer::Field("extensions"))?;
    let encoded = [
        &[0][..],
        &id,
        &answer.timestamp.to_be_bytes(),
        &length.to_be_bytes(),
        &extensions,
        &signature,
    ]
    .concat();
    Ok(Sct::decode(&encoded)?)
}

fn field(name: &'static str, text: &str) -> Result<Vec<u8>, NoAnswer> {
    if text.len() > LONGEST_FIELD {
        return Err(NoAnswer::Field(name));
    }
    STANDARD.decode(text).map_err(|_| NoAnswer::Field(name))
}

/// Where it went wrong, without repeating what was sent.
fn position(error: &serde_json::Error) -> String {
    format!(
        "it ends or differs at line {}, column {}",
        error.line(),
        error.column()
    )
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn answer() -> Value {
        json!({
            "sct_version": 0,
            "id": STANDARD.encode([7; 32]),
            "timestamp": 1_790_000_000_123_u64,
            "extensions": "",
            "signature": STANDARD.encode([4, 3, 0, 2, 0x30, 0]),
        })
    }

    fn read(answer: &Value) -> Result<Sct, NoAnswer> {
        read_answer(answer.to_string().as_bytes())
    }

    #[test]
    fn an_answer_is_read_to_the_byte() {
        let sct = read(&answer()).unwrap();
        assert_eq!(sct.log_id, [7; 32]);
        assert_eq!(sct.timestamp, 1_790_000_000_123);
        assert_eq!((sct.hash, sct.algorithm), (4, 3));
        assert_eq!(sct.signature, [0x30, 0]);
        assert!(sct.extensions.is_empty());
        let mut extended = answer();
        extended["extensions"] = STANDARD.encode([1, 2, 3]).into();
        extended["more"] = json!([1]);
        assert_eq!(read(&extended).unwrap().extensions, [1, 2, 3]);
    }

    #[test]
    fn nasty_138_nonsense_is_refused_and_not_repeated() {
        for body in ["", "{}", "null", "<html>secret</html>", "[0]", "\u{0}"] {
            let error = read_answer(body.as_bytes()).unwrap_err();
            assert!(matches!(error, NoAnswer::Shape(_)), "{body}");
            assert!(!error.to_string().contains("secret"));
        }
        let change = |field: &str, value: Value| {
            let mut changed = answer();
            changed[field] = value;
            read(&changed).unwrap_err()
        };
        assert_eq!(change("sct_version", json!(1)), NoAnswer::Version(1));
        assert_eq!(change("id", json!("AAAA")), NoAnswer::Field("id"));
        assert_eq!(change("id", json!("*")), NoAnswer::Field("id"));
        assert!(matches!(change("timestamp", json!(-1)), NoAnswer::Shape(_)));
        assert!(matches!(
            change("timestamp", json!("1")),
            NoAnswer::Shape(_)
        ));
        assert_eq!(
            change("signature", json!("a b")),
            NoAnswer::Field("signature")
        );
        for signature in [&[][..], &[4], &[4, 3, 0, 9, 0], &[4, 3, 0, 0, 0]] {
            let found = change("signature", STANDARD.encode(signature).into());
            assert!(
                matches!(found, NoAnswer::Signature(_)),
                "{signature:?}: {found:?}"
            );
        }
        let long = STANDARD.encode(vec![0; 9000]);
        assert_eq!(
            change("extensions", long.into()),
            NoAnswer::Field("extensions")
        );
    }
}
