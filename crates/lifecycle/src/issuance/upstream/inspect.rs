//! Whether what an upstream delivered is what was ordered (nasty input 141). Pure.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use reseal_pki::certificate::{Certificate, verify_signed};
use reseal_pki::key::{KeyAlgorithm, PublicKey, SignatureError};
use reseal_pki::name::DnsName;

use crate::upstream::Delivered;

/// How far the upstream's clock may be ahead of ours.
const CLOCKS: SignedDuration = SignedDuration::from_hours(1);

/// A certificate that is what was ordered.
#[derive(Debug)]
pub(super) struct Inspected {
    pub(super) serial: Vec<u8>,
    pub(super) not_before: Timestamp,
    pub(super) not_after: Timestamp,
}

/// Why what was delivered cannot be stored, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    /// It is no certificate.
    Unreadable(String),
    /// It is not what was ordered.
    NotOrdered(String),
    /// It is what was ordered, as far as can be seen, and who issued it cannot be seen.
    Unverifiable(String),
}

/// Looks at the key, the names, the dates, and who signed whom; or says what is wrong. `longest` has the longest validity
/// that is taken of what begins at a moment: the rule is that of the day of signing (V-1), and it may be fetched later.
pub(super) fn inspect(
    delivered: &Delivered,
    names: &[DnsName],
    key: &PublicKey,
    longest: impl Fn(Timestamp) -> SignedDuration,
    roots: &[Vec<u8>],
    now: Timestamp,
) -> Result<Inspected, Wrong> {
    let leaf = Certificate::from_der(&delivered.leaf)
        .map_err(|error| Wrong::Unreadable(format!("it cannot be read: {error}")))?;
    check_leaf(&leaf, names, key, longest, now).map_err(Wrong::NotOrdered)?;
    check_chain(&delivered.leaf, &delivered.chain)?;
    if !roots.is_empty() && !leads_to(&delivered.chain, roots) {
        let what = "its chain leads to none of the roots in `roots_file`".to_owned();
        return Err(Wrong::NotOrdered(what));
    }
    Ok(Inspected {
        serial: leaf.serial_bytes().to_vec(),
        not_before: leaf.not_before(),
        not_after: leaf.not_after(),
    })
}

fn check_leaf(
    leaf: &Certificate,
    names: &[DnsName],
    key: &PublicKey,
    longest: impl Fn(Timestamp) -> SignedDuration,
    now: Timestamp,
) -> Result<(), String> {
    if leaf.public_key().spki_sha256() != key.spki_sha256() {
        return Err("it has another key than the CSR".to_owned());
    }
    if leaf.is_ca() {
        return Err("it is a certification authority's".to_owned());
    }
    if !leaf.is_for_servers() {
        return Err("its extended key usage is not that of a server (serverAuth)".to_owned());
    }
    if leaf.has_other_names() {
        return Err("it has names that are no domain names".to_owned());
    }
    let ordered: BTreeSet<&str> = names.iter().map(DnsName::as_str).collect();
    let has: BTreeSet<String> = leaf
        .dns_names()
        .iter()
        .map(|name| name.to_ascii_lowercase())
        .collect();
    let has: BTreeSet<&str> = has.iter().map(String::as_str).collect();
    if let Some(missing) = ordered.difference(&has).next() {
        return Err(format!("it lacks the name `{missing}`"));
    }
    if let Some(surplus) = has.difference(&ordered).next() {
        return Err(format!(
            "it has the name `{surplus}`, which was not ordered"
        ));
    }
    let (not_before, not_after) = (leaf.not_before(), leaf.not_after());
    if not_after <= now || not_before > now.saturating_add(CLOCKS).unwrap_or(Timestamp::MAX) {
        return Err(format!(
            "it is valid from {not_before} until {not_after}, and now is {now:.0}"
        ));
    }
    // Both ends count (RFC 5280 section 4.1.2.5).
    let life = not_after.duration_since(not_before) + SignedDuration::from_secs(1);
    let longest = longest(not_before);
    if life > longest {
        let days = |span: SignedDuration| span.as_hours() / 24;
        return Err(format!(
            "it is valid for {} days, and {} are the most that are taken",
            days(life),
            days(longest)
        ));
    }
    Ok(())
}

/// Each certificate is signed by the next one. Of a chain that is not so it is only known that the upstream did not order it
/// as it should, or signs as we cannot verify: unless no certificate of it is the leaf's issuer, which is another certificate
/// then than was ordered.
fn check_chain(leaf: &[u8], chain: &[Vec<u8>]) -> Result<(), Wrong> {
    if chain.is_empty() {
        let what = "it came without its issuer's certificate".to_owned();
        return Err(Wrong::Unverifiable(what));
    }
    let mut below = leaf;
    for (place, der) in (1..).zip(chain) {
        let Err(why) = signed_by(below, der) else {
            below = der;
            continue;
        };
        let forged = |der: &Vec<u8>| signed_by(leaf, der) == Err(Unsigned::Not);
        if place == 1 && chain.iter().all(forged) {
            let what = format!("certificate {place} of its chain {}", Unsigned::Not);
            return Err(Wrong::NotOrdered(what));
        }
        let what = format!("certificate {place} of its chain {why}");
        return Err(Wrong::Unverifiable(what));
    }
    Ok(())
}

/// Whether one of `roots` is in `chain`, or signed its last certificate: upstreams may leave their root out.
fn leads_to(chain: &[Vec<u8>], roots: &[Vec<u8>]) -> bool {
    let signed_last = |root: &Vec<u8>| {
        let root = Certificate::from_der(root);
        let last = chain.last().zip(root.ok());
        last.is_some_and(|(last, root)| verify_signed(last, root.public_key()).is_ok())
    };
    roots
        .iter()
        .any(|root| chain.contains(root) || signed_last(root))
}

/// Why it cannot be said that a certificate is signed by another.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum Unsigned {
    #[error("did not sign what is below it")]
    Not,
    #[error("cannot be read: {0}")]
    Unreadable(String),
    #[error("signs in a way that is not verified here: {0}")]
    Unknown(String),
}

fn signed_by(below: &[u8], issuer: &[u8]) -> Result<(), Unsigned> {
    let issuer =
        Certificate::from_der(issuer).map_err(|error| Unsigned::Unreadable(error.to_string()))?;
    let key = issuer.public_key();
    match verify_signed(below, key) {
        Ok(()) if issuer.is_ca() => Ok(()),
        Err(SignatureError::Algorithm { found }) => Err(Unsigned::Unknown(found)),
        Err(SignatureError::Parameters { found, .. }) => Err(Unsigned::Unknown(found.to_owned())),
        Err(_) if matches!(key.algorithm(), KeyAlgorithm::Other(_)) => {
            Err(Unsigned::Unknown(key.algorithm().name().to_owned()))
        }
        Ok(()) | Err(_) => Err(Unsigned::Not),
    }
}

#[cfg(test)]
mod tests;
