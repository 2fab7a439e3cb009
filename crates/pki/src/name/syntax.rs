//! Characters, lengths, labels and the wildcard: what can be said of a name
//! without knowing any registry (N-1 to N-10).

use std::net::{IpAddr, Ipv6Addr};

use super::{alabel, error::NameError};

/// Most labels by default (N-4).
pub(super) const DEFAULT_MAX_LABELS: usize = 10;
/// Most labels that fit into 253 octets.
pub(super) const MOST_LABELS: usize = 127;

const LONGEST_NAME: usize = 253;
const LONGEST_LABEL: usize = 63;

/// Every rule of form, in the order of N-2: characters, then kind, then shape.
pub(super) fn check(text: &str, max_labels: usize) -> Result<(), NameError> {
    characters(text)?;
    let fqdn = match text.strip_prefix("*.") {
        Some(rest) if !rest.contains('*') && !is_ip_address(rest) => rest,
        None if !text.contains('*') => text,
        _ => return Err(NameError::Wildcard(text.to_owned())),
    };
    if is_ip_address(fqdn) {
        return Err(NameError::IpAddress(text.to_owned()));
    }
    let mut count = 0;
    let mut internationalized = false;
    for label in fqdn.split('.') {
        check_label(text, label)?;
        internationalized |= label.starts_with("xn--");
        count += 1;
    }
    if fqdn.len() > LONGEST_NAME {
        return Err(NameError::TooLong {
            name: text.to_owned(),
            length: fqdn.len(),
        });
    }
    if count < 2 {
        return Err(if text == fqdn {
            NameError::OneLabel(text.to_owned())
        } else {
            NameError::WildcardOverSuffix {
                name: text.to_owned(),
                suffix: fqdn.to_owned(),
            }
        });
    }
    if count > max_labels {
        return Err(NameError::TooManyLabels {
            name: text.to_owned(),
            count,
            limit: max_labels,
        });
    }
    let last = fqdn.rsplit('.').next().unwrap_or_default();
    if last.len() < 2 || !last.starts_with(|c: char| c.is_ascii_lowercase()) {
        return Err(NameError::LastLabel(text.to_owned()));
    }
    if internationalized {
        alabel::check(text, fqdn)
    } else {
        Ok(())
    }
}

fn characters(text: &str) -> Result<(), NameError> {
    if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(NameError::Space(text.to_owned()));
    }
    if !text.is_ascii() {
        return Err(NameError::NotAscii {
            name: text.to_owned(),
            a_label: alabel::hint(text),
        });
    }
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Err(NameError::UpperCase(text.to_owned()));
    }
    Ok(())
}

/// An address in any spelling, or something a lenient resolver would read as one:
/// octal and short forms, zone ids, prefix lengths, a bare number (N-1).
fn is_ip_address(text: &str) -> bool {
    let address = text.split(['/', '%']).next().unwrap_or_default();
    let bare = address.trim_start_matches('[').trim_end_matches(']');
    if bare.parse::<IpAddr>().is_ok() || bare.parse::<Ipv6Addr>().is_ok() {
        return true;
    }
    let last = address.rsplit('.').next().unwrap_or_default();
    let digits = last.strip_prefix("0x").unwrap_or(last);
    let hexadecimal = digits.len() < last.len();
    !digits.is_empty()
        && digits.bytes().all(|byte| {
            if hexadecimal {
                byte.is_ascii_hexdigit()
            } else {
                byte.is_ascii_digit()
            }
        })
}

fn check_label(name: &str, label: &str) -> Result<(), NameError> {
    if label.is_empty() {
        return Err(NameError::EmptyLabel(name.to_owned()));
    }
    if label.contains('_') {
        return Err(NameError::Underscore(name.to_owned()));
    }
    let ldh = label
        .bytes()
        .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    if !ldh || label.starts_with('-') || label.ends_with('-') && label != "xn--" {
        return Err(NameError::LabelCharacters {
            name: name.to_owned(),
            label: label.to_owned(),
        });
    }
    if label.len() > LONGEST_LABEL {
        return Err(NameError::LabelTooLong {
            name: name.to_owned(),
            length: label.len(),
        });
    }
    if label.get(2..4) == Some("--") && !label.starts_with("xn--") {
        return Err(NameError::ReservedLabel {
            name: name.to_owned(),
            label: label.to_owned(),
        });
    }
    Ok(())
}
