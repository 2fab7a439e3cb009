//! Names that may be written: a domain and all below it.

use std::fmt;
use std::str::FromStr;

/// A domain in lower case, without the root's dot.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Zone(String);

/// A text that names no zone.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not the name of a zone: letters, digits, `-` and `_`, such as `example.com`")]
pub struct BadZone(String);

impl Zone {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `name`, with or without the root's dot, is the domain or lies below it. No zone has names with characters
    /// that are written with a backslash: what looks like a border between labels might be none. Nor one that a program
    /// would take for an option.
    pub fn covers(&self, name: &str) -> bool {
        let name = name.strip_suffix('.').unwrap_or(name);
        if name.starts_with('-') || !name.bytes().all(|byte| byte == b'.' || is_plain(byte)) {
            return false;
        }
        let Some(above) = name.len().checked_sub(self.0.len()) else {
            return false;
        };
        let (before, end) = name.as_bytes().split_at(above);
        end.eq_ignore_ascii_case(self.0.as_bytes()) && (before.is_empty() || before.ends_with(b"."))
    }
}

impl FromStr for Zone {
    type Err = BadZone;

    fn from_str(text: &str) -> Result<Self, BadZone> {
        let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        let is_label = |label: &str| (1..=63).contains(&label.len()) && label.bytes().all(is_plain);
        if name.len() <= 253 && name.split('.').all(is_label) {
            Ok(Self(name))
        } else {
            Err(BadZone(text.chars().take(100).collect()))
        }
    }
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_a_domain_and_all_below_it_and_nothing_beside() {
        let zone: Zone = "Example.com.".parse().unwrap();
        for name in [
            "example.com",
            "example.com.",
            "_acme-challenge.WWW.example.com.",
        ] {
            assert!(zone.covers(name), "{name}");
        }
        for name in [
            "badexample.com.",
            "com.",
            "example.com.evil.dev.",
            "",
            "example.org",
            "a\\.example.com.",
            "-config.example.com.",
        ] {
            assert!(!zone.covers(name), "{name}");
        }
    }

    #[test]
    fn what_is_no_zone_is_refused() {
        for text in [
            "",
            ".",
            "a..b",
            "*.example.com",
            "exa mple.com",
            "münchen.de",
            &"a".repeat(64),
        ] {
            assert!(text.parse::<Zone>().is_err(), "{text}");
        }
        assert!("_acme-challenge.example.com".parse::<Zone>().is_ok());
        assert!("internal".parse::<Zone>().is_ok());
    }
}
