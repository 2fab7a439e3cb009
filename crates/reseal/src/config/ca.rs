//! `[ca]`: where the keys of the CA are.

use reseal_issuer::embedded::{KeyType, TokenName, TokenSettings};

use super::read::Reader;
use super::{Ca, CaKey};

/// `[ca]`
pub(super) fn ca(reader: &mut Reader) -> Ca {
    let key = reader.word(
        "ca.key",
        CaKey::Software,
        &[("software", CaKey::Software), ("pkcs11", CaKey::Pkcs11)],
    );
    Ca {
        key,
        token: token(reader, key),
        passphrase_file: reader.path("ca.passphrase_file"),
        algorithm: reader.word(
            "ca.algorithm",
            KeyType::P256,
            &KeyType::ALL.map(|algorithm| (algorithm.name(), algorithm)),
        ),
    }
}

/// Longest `ca.pkcs11_label`: tokens cut labels that are too long, or refuse them.
const LONGEST_LABEL: usize = 20;

/// The keys of `[ca]` about a token: all of them or none.
fn token(reader: &mut Reader, key: CaKey) -> Option<TokenSettings> {
    let module = reader.path("ca.pkcs11_module");
    let (token, is_named) = name(reader);
    let pin_file = reader.path("ca.pkcs11_pin_file");
    let origin = reader.origin("ca.pkcs11_label");
    let prefix = reader.text("ca.pkcs11_label", "reseal");
    let is_plain = |letter: u8| letter.is_ascii_alphanumeric() || b"-_.".contains(&letter);
    if !(1..=LONGEST_LABEL).contains(&prefix.len()) || !prefix.bytes().all(is_plain) {
        let reason = format!(
            "expected 1 to {LONGEST_LABEL} letters, digits, `-`, `_` or `.`, saw `{prefix}`"
        );
        reader.refuse("ca.pkcs11_label", origin.as_ref(), &reason);
    }
    if key == CaKey::Software && module.is_none() && !is_named && pin_file.is_none() {
        return None;
    }
    let whole = "it is missing: keys in a token need module, token and PIN";
    if module.is_none() {
        reader.refuse("ca.pkcs11_module", None, whole);
    }
    if !is_named {
        let reason = format!("{whole}; the token by its label, or by `ca.pkcs11_slot`");
        reader.refuse("ca.pkcs11_token", None, &reason);
    }
    if pin_file.is_none() {
        reader.refuse("ca.pkcs11_pin_file", None, whole);
    }
    Some(TokenSettings {
        module: module?,
        token: token?,
        pin_file: pin_file?,
        prefix,
    })
}

/// Which token: by its label or by its slot, not by both; and whether anything was said of it.
fn name(reader: &mut Reader) -> (Option<TokenName>, bool) {
    let label = reader.text("ca.pkcs11_token", "");
    let origin = reader.origin("ca.pkcs11_slot");
    let slot = reader.optional_number("ca.pkcs11_slot", "the number of a slot, 0 or more");
    let name = match (label.is_empty(), slot) {
        (false, None) => Some(TokenName::Label(label)),
        (true, Some(slot)) => Some(TokenName::Slot(slot)),
        (true, None) => None,
        (false, Some(slot)) => {
            let reason = format!(
                "the token is named twice, by slot {slot} and by its label `{label}` in `ca.pkcs11_token`: remove one of \
                 them, this one if the token has a label of its own"
            );
            reader.refuse("ca.pkcs11_slot", origin.as_ref(), &reason);
            return (None, true);
        }
    };
    let is_named = name.is_some();
    (name, is_named)
}
