//! The fingerprint of Infineon's flawed prime generation (ROCA,
//! CVE-2017-15361, C-19).
//!
//! Its primes are `k·M + (65537^a mod M)` with M a product of the first
//! primes, so the modulus is a power of 65537 modulo each of them. A sound
//! modulus passes for all 38 primes from 3 to 167 with a chance below one in
//! a hundred million.

use crate::key::rsa::residue::{PRIMES, Residues};

const TESTED: usize = 38;

/// For each tested prime the powers of 65537, one bit a remainder.
const POWERS: [[u64; 3]; TESTED] = powers();

const fn powers() -> [[u64; 3]; TESTED] {
    let mut powers = [[0; 3]; TESTED];
    let mut at = 0;
    while at < TESTED {
        let prime = PRIMES[at] as u32;
        let mut power = 1;
        loop {
            let (word, bit) = (power as usize / 64, power % 64);
            if powers[at][word] >> bit & 1 == 1 {
                break;
            }
            powers[at][word] |= 1 << bit;
            power = power * 65537 % prime;
        }
        at += 1;
    }
    powers
}

pub(super) fn has_fingerprint(residues: &Residues) -> bool {
    residues.iter().zip(&POWERS).all(|((_, residue), powers)| {
        let (word, bit) = (usize::from(residue) / 64, residue % 64);
        powers[word] >> bit & 1 == 1
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c_19_the_last_tested_prime_is_167() {
        assert_eq!(PRIMES[TESTED - 1], 167);
    }

    #[test]
    fn c_19_chance_of_a_false_alarm_is_small() {
        let chance: f64 = PRIMES
            .iter()
            .zip(&POWERS)
            .map(|(&prime, powers)| {
                let members: u32 = powers.iter().map(|word| word.count_ones()).sum();
                f64::from(members) / f64::from(prime - 1)
            })
            .product();
        assert!(chance < 1e-8, "{chance}");
        assert!(chance > 0.0);
    }
}
