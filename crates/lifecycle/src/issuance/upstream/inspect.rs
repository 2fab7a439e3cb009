//! Whether what an upstream delivered is what was ordered (nasty input 141). Pure.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use reseal_pki::certificate::{Certificate, verify_signed};
use reseal_pki::key::PublicKey;
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

/// Looks at the key, the names, the dates, and who signed whom; or says what is wrong.
pub(super) fn inspect(
    delivered: &Delivered,
    names: &[DnsName],
    key: &PublicKey,
    longest: SignedDuration,
    roots: &[Vec<u8>],
    now: Timestamp,
) -> Result<Inspected, String> {
    let unreadable = |error| format!("it cannot be read: {error}");
    let leaf = Certificate::from_der(&delivered.leaf).map_err(unreadable)?;
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
    if life > longest {
        let days = |span: SignedDuration| span.as_hours() / 24;
        return Err(format!(
            "it is valid for {} days, and {} are the most that are taken",
            days(life),
            days(longest)
        ));
    }
    check_chain(&delivered.leaf, &delivered.chain)?;
    if !roots.is_empty() && !leads_to(&delivered.chain, roots) {
        return Err("its chain leads to none of the roots in `roots_file`".to_owned());
    }
    Ok(Inspected {
        serial: leaf.serial_bytes().to_vec(),
        not_before,
        not_after,
    })
}

/// Each certificate is signed by the next one.
fn check_chain(leaf: &[u8], chain: &[Vec<u8>]) -> Result<(), String> {
    if chain.is_empty() {
        return Err("it came without its issuer's certificate".to_owned());
    }
    let mut below = leaf;
    for (place, der) in (1..).zip(chain) {
        let issuer = Certificate::from_der(der)
            .map_err(|error| format!("certificate {place} of its chain cannot be read: {error}"))?;
        if !issuer.is_ca() || verify_signed(below, issuer.public_key()).is_err() {
            return Err(format!(
                "certificate {place} of its chain did not sign what is below it"
            ));
        }
        below = der;
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

#[cfg(test)]
mod tests;
