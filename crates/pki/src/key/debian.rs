//! Keys of Debian's predictable OpenSSL, 2006 to 2008 (CVE-2008-0166, C-20).
//!
//! That generator knew 32768 states for each architecture, so all its keys can
//! be listed, and BR 6.1.1.3(5) demands that a CA refuses them. A list file is
//! a sorted array of the first eight bytes of SHA-256 over each key's
//! SubjectPublicKeyInfo, DER. Eight bytes suffice: with a million entries a
//! sound key meets one with a chance of one in 2^44.
//!
//! A new list is a file in `data/` and a line in `LISTS`; the tool
//! `tools/debian-weak-keys` makes the files. A list may be unfinished and grow
//! over time: [`coverage`] says how far it is.

use crate::key::{KeyAlgorithm, PublicKey};

/// Bytes of a hash that are kept.
const PREFIX: usize = 8;

/// Keys in a complete list: 32768 process ids in each of nine worlds (three
/// kinds of machine, three states of the seed file).
pub const COMPLETE: usize = 9 * 32768;

struct List {
    algorithm: KeyAlgorithm,
    size_bits: u32,
    prefixes: &'static [u8],
}

const fn list(algorithm: KeyAlgorithm, size_bits: u32, prefixes: &'static [u8]) -> List {
    List {
        algorithm,
        size_bits,
        prefixes,
    }
}

/// Every kind of key that we accept; an empty list where none has been made.
#[rustfmt::skip]
const LISTS: [List; 6] = [
    list(KeyAlgorithm::Rsa, 2048, include_bytes!("../../data/debian-weak-rsa2048.bin")),
    list(KeyAlgorithm::Rsa, 3072, include_bytes!("../../data/debian-weak-rsa3072.bin")),
    list(KeyAlgorithm::Rsa, 4096, &[]),
    list(KeyAlgorithm::EcP256, 256, include_bytes!("../../data/debian-weak-p256.bin")),
    list(KeyAlgorithm::EcP384, 384, include_bytes!("../../data/debian-weak-p384.bin")),
    list(KeyAlgorithm::EcP521, 521, include_bytes!("../../data/debian-weak-p521.bin")),
];

impl List {
    fn prefixes(&self) -> &'static [[u8; PREFIX]] {
        self.prefixes.as_chunks().0
    }
}

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

impl Coverage {
    /// Whether every key that the generator could make is listed.
    pub fn is_complete(&self) -> bool {
        self.keys >= COMPLETE
    }
}

/// For each kind of key that we accept, how many weak keys are listed.
pub fn coverage() -> Vec<Coverage> {
    LISTS
        .iter()
        .map(|list| Coverage {
            algorithm: list.algorithm.clone(),
            size_bits: list.size_bits,
            keys: list.prefixes().len(),
        })
        .collect()
}

pub(super) fn is_weak(key: &PublicKey) -> bool {
    LISTS
        .iter()
        .find(|list| list.algorithm == key.algorithm && list.size_bits == key.size_bits)
        .is_some_and(|list| {
            let (wanted, _) = key.spki_sha256.split_at(PREFIX);
            list.prefixes()
                .binary_search_by(|prefix| prefix.as_slice().cmp(wanted))
                .is_ok()
        })
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    use super::*;
    use crate::csr::Csr;
    use crate::key::rsa::ACCEPTED_SIZES;
    use crate::key::{KeyPolicy, KeyProblem};

    #[test]
    fn c_20_every_list_is_whole_and_sorted() {
        for list in &LISTS {
            let (prefixes, remainder) = list.prefixes.as_chunks::<PREFIX>();
            assert!(remainder.is_empty(), "{} bits", list.size_bits);
            assert!(
                prefixes.is_sorted_by(|left, right| left < right),
                "{} bits",
                list.size_bits
            );
        }
    }

    fn problems(key: &PublicKey) -> Vec<KeyProblem> {
        key.problems(&KeyPolicy::default())
    }

    /// Requests with real keys of that generator.
    #[test]
    fn nasty_049_weak_keys_of_debian_are_refused() {
        for request in [
            include_str!("../../testdata/debian/rsa2048.csr.pem"),
            include_str!("../../testdata/debian/p256.csr.pem"),
            include_str!("../../testdata/debian/p384.csr.pem"),
        ] {
            let csr = Csr::parse(request).unwrap();
            let found = problems(csr.public_key());
            assert_eq!(
                found,
                [KeyProblem::DebianWeak],
                "{}",
                csr.public_key().size_bits()
            );
        }
        let p521: String = include_str!("../../testdata/debian/p521.pem")
            .lines()
            .filter(|line| !line.starts_with('-'))
            .collect();
        let key = PublicKey::from_spki_der(&STANDARD.decode(p521).unwrap()).unwrap();
        assert_eq!(problems(&key), [KeyProblem::DebianWeak]);
        assert_eq!(key.size_bits(), 521);
    }

    #[test]
    fn c_20_the_curves_are_covered_completely() {
        for list in coverage() {
            if list.algorithm.name() == "ECDSA" {
                assert!(list.is_complete(), "{list:?}");
            }
        }
    }

    #[test]
    fn c_20_each_accepted_size_of_rsa_has_one_entry() {
        let lists = coverage();
        let accepted = ACCEPTED_SIZES.map(|size| (KeyAlgorithm::Rsa, size));
        for (algorithm, size) in accepted {
            let matching = lists
                .iter()
                .filter(|list| list.algorithm == algorithm && list.size_bits == size);
            assert_eq!(matching.count(), 1, "{size}");
        }
    }
}
