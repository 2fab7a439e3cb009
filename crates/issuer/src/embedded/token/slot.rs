//! Finding the slot with the token.

use cryptoki::context::Pkcs11;
use cryptoki::error::Error;
use cryptoki::slot::Slot;

use super::{TokenError, TokenName};

/// A slot with something in it.
struct Seen {
    slot: Slot,
    /// Label of the token; `None` when nobody has initialized it.
    label: Option<String>,
}

/// The slot with the token `wanted`.
pub(super) fn find(module: &Pkcs11, wanted: &TokenName) -> Result<Slot, TokenError> {
    let seen = all(module).map_err(|error| TokenError::Call {
        token: wanted.clone(),
        reason: error.to_string(),
    })?;
    let fits = |one: &&Seen| match (&one.label, wanted) {
        (None, _) => false,
        (Some(label), TokenName::Label(wanted)) => label == wanted,
        (Some(_), TokenName::Slot(wanted)) => one.slot.id() == *wanted,
    };
    let fitting: Vec<_> = seen.iter().filter(fits).collect();
    match fitting[..] {
        [one] => Ok(one.slot),
        [] => Err(TokenError::Absent {
            wanted: wanted.clone(),
            seen: shown(&seen),
        }),
        _ => Err(TokenError::Ambiguous {
            wanted: wanted.clone(),
            slots: numbers(&fitting),
        }),
    }
}

/// Every slot with a token, as far as the module tells.
fn all(module: &Pkcs11) -> Result<Vec<Seen>, Error> {
    let slots = module.get_slots_with_token()?.into_iter();
    let seen = slots.filter_map(|slot| {
        let token = module.get_token_info(slot).ok()?;
        let label = token.token_initialized();
        let label = label.then(|| token.label().trim_end().to_owned());
        Some(Seen { slot, label })
    });
    Ok(seen.collect())
}

/// What there is, for a message.
fn shown(seen: &[Seen]) -> String {
    let one = |one: &Seen| {
        let what = match &one.label {
            Some(label) => format!("`{}`", label.escape_debug()),
            None => "one that is not initialized".to_owned(),
        };
        format!("{what} in slot {}", one.slot.id())
    };
    if seen.is_empty() {
        "none".to_owned()
    } else {
        seen.iter().map(one).collect::<Vec<_>>().join(", ")
    }
}

fn numbers(seen: &[&Seen]) -> String {
    let numbers: Vec<_> = seen.iter().map(|one| one.slot.id().to_string()).collect();
    numbers.join(" and ")
}
