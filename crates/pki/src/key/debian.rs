//! Keys of Debian's predictable OpenSSL, 2006 to 2008 (CVE-2008-0166, C-20).
//!
//! That generator knew 32768 states for each architecture, so all its keys can
//! be listed, and BR 6.1.1.3(5) demands that a CA refuses them. A list file is
//! a sorted array of the first eight bytes of SHA-256 over each key's
//! SubjectPublicKeyInfo, DER. Eight bytes suffice: with a million entries a
//! sound key meets one with a chance of one in 2^44.
//!
//! A new list is a file in `data/` and a line in [`LISTS`].

use crate::key::{KeyAlgorithm, PublicKey};

/// Bytes of a hash that are kept.
const PREFIX: usize = 8;

struct List {
    algorithm: KeyAlgorithm,
    size_bits: u32,
    prefixes: &'static [u8],
}

const LISTS: &[List] = &[];

/// Kinds of keys that we accept, so that each needs a list.
const NEEDED: &[(KeyAlgorithm, u32)] = &[
    (KeyAlgorithm::Rsa, 2048),
    (KeyAlgorithm::Rsa, 3072),
    (KeyAlgorithm::Rsa, 4096),
    (KeyAlgorithm::EcP256, 256),
    (KeyAlgorithm::EcP384, 384),
    (KeyAlgorithm::EcP521, 521),
];

/// How well one kind of key is covered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// Type of the keys.
    pub algorithm: KeyAlgorithm,
    /// Size of the keys in bits.
    pub size_bits: u32,
    /// Number of listed keys; 0 when there is no list.
    pub keys: usize,
}

/// For each kind of key that we accept, how many weak keys are listed.
pub fn coverage() -> Vec<Coverage> {
    NEEDED
        .iter()
        .map(|(algorithm, size_bits)| Coverage {
            algorithm: algorithm.clone(),
            size_bits: *size_bits,
            keys: list(algorithm, *size_bits).map_or(0, |list| list.len()),
        })
        .collect()
}

pub(super) fn is_weak(key: &PublicKey) -> bool {
    list(&key.algorithm, key.size_bits).is_some_and(|prefixes| {
        let (wanted, _) = key.spki_sha256.split_at(PREFIX);
        prefixes
            .binary_search_by(|prefix| prefix.as_slice().cmp(wanted))
            .is_ok()
    })
}

fn list(algorithm: &KeyAlgorithm, size_bits: u32) -> Option<&'static [[u8; PREFIX]]> {
    LISTS
        .iter()
        .find(|list| list.algorithm == *algorithm && list.size_bits == size_bits)
        .map(|list| list.prefixes.as_chunks().0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c_20_every_list_is_whole_and_sorted() {
        for list in LISTS {
            let (prefixes, remainder) = list.prefixes.as_chunks::<PREFIX>();
            assert!(remainder.is_empty(), "{} bits", list.size_bits);
            assert!(
                prefixes.is_sorted_by(|left, right| left < right),
                "{} bits",
                list.size_bits
            );
        }
    }
}
