//! Names by who may own them: public suffixes, top-level domains, reserved zones.
//!
//! The Public Suffix List is compiled in (crate `psl`); a new list comes with a
//! new build. Only its ICANN section counts (BR 3.2.2.6 SHOULD, N-22): the
//! private section says how hosters share a domain, not who registered it.
//!
//! Its ICANN section also stands for the snapshot of the root zone that N-11
//! asks for: every delegated top-level domain has a rule there, and the list's
//! maintainers follow IANA's within days.

use psl::Type;

use super::error::NameError;

/// Reserved for special use, so nobody can own them (N-12; RFC 6761, 6762, 7686,
/// 8375, 9476). `onion` is in the ICANN section of the list but has other rules
/// of validation, which are not offered here.
const RESERVED: [&str; 12] = [
    "local",
    "localhost",
    "test",
    "example",
    "invalid",
    "internal",
    "alt",
    "onion",
    "home.arpa",
    "example.com",
    "example.net",
    "example.org",
];

/// The reverse DNS (N-13, SC-086).
const REVERSE: [&str; 2] = ["in-addr.arpa", "ip6.arpa"];

/// What only the public DNS can answer for: `text` is the name as written,
/// `fqdn` the same without a wildcard.
pub(super) fn check(text: &str, fqdn: &str) -> Result<(), NameError> {
    check_reverse_zone(text, fqdn)?;
    if let Some(zone) = RESERVED.into_iter().find(|zone| is_at_or_below(fqdn, zone)) {
        return Err(NameError::Reserved {
            name: text.to_owned(),
            zone,
        });
    }
    let tld = fqdn.rsplit('.').next().unwrap_or_default();
    if !is_top_level_domain(tld) {
        return Err(NameError::UnknownTld {
            name: text.to_owned(),
            tld: tld.to_owned(),
        });
    }
    if icann_suffix(fqdn) == fqdn {
        return Err(if text == fqdn {
            NameError::PublicSuffix(text.to_owned())
        } else {
            NameError::WildcardOverSuffix {
                name: text.to_owned(),
                suffix: fqdn.to_owned(),
            }
        });
    }
    Ok(())
}

/// N-13, which no policy relaxes.
pub(super) fn check_reverse_zone(text: &str, fqdn: &str) -> Result<(), NameError> {
    match REVERSE.into_iter().find(|zone| is_at_or_below(fqdn, zone)) {
        Some(zone) => Err(NameError::ReverseZone {
            name: text.to_owned(),
            zone,
        }),
        None => Ok(()),
    }
}

/// The public suffix of `fqdn` by the ICANN section alone; by the list's default
/// rule, its last label when no rule matches.
pub(super) fn icann_suffix(fqdn: &str) -> &str {
    let mut name = fqdn;
    loop {
        let Some(suffix) = psl::suffix(name.as_bytes()) else {
            return name;
        };
        let suffix_text = &name[name.len() - suffix.as_bytes().len()..];
        match (suffix.typ(), suffix_text.split_once('.')) {
            // A private rule is longer than the ICANN rule it hides: ask again for
            // what lies above its leftmost label.
            (Some(Type::Private), Some((_, parent))) => name = parent,
            _ => return suffix_text,
        }
    }
}

/// Some top-level domains have only rules one level down (`*.ck`).
fn is_top_level_domain(label: &str) -> bool {
    let icann = |name: &str| {
        psl::suffix(name.as_bytes()).is_some_and(|suffix| suffix.typ() == Some(Type::Icann))
    };
    icann(label) || icann(&format!("a.{label}"))
}

/// Whether `name` is `zone` or lies below it.
pub(super) fn is_at_or_below(name: &str, zone: &str) -> bool {
    name.strip_suffix(zone)
        .is_some_and(|above| above.is_empty() || above.ends_with('.'))
}
