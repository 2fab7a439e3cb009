//! Perfect powers (BR 6.1.6, C-17): `n = x^k` with k ≥ 2.

use std::sync::LazyLock;

use num_bigint::BigUint;

use crate::key::rsa::residue::{PRIMES, Residues, is_prime, remainder};

/// Since x has no factor up to 751, it has more than nine bits.
const LEAST_ROOT_BITS: u32 = 9;

/// Exponents up to here are enough for a modulus of 4096 bits.
const LARGEST_EXPONENT: u32 = 4096 / LEAST_ROOT_BITS;

/// A prime exponent, and primes `q ≡ 1 (mod exponent)` beyond the small ones.
struct Filter {
    exponent: u32,
    larger_primes: Vec<u32>,
}

/// Two primes q for each exponent, among the small ones if there are.
///
/// Modulo such a q only one number in `exponent` is a power, so hardly any
/// modulus reaches the big-number root.
static FILTERS: LazyLock<Vec<Filter>> = LazyLock::new(|| {
    [2].into_iter()
        .chain(
            (3..=LARGEST_EXPONENT)
                .step_by(2)
                .filter(|&odd| is_prime(odd)),
        )
        .map(|exponent| {
            let small = PRIMES
                .iter()
                .filter(|&&prime| u32::from(prime) % exponent == 1)
                .count();
            let larger_primes = (1..)
                .map(|step| 2 * step * exponent + 1)
                .filter(|&q| q > 751 && is_prime(q))
                .take(2_usize.saturating_sub(small))
                .collect();
            Filter {
                exponent,
                larger_primes,
            }
        })
        .collect()
});

/// The smallest prime exponent of which the number is a power.
///
/// The number is big-endian, odd, of at most 4096 bits, and none of the small
/// primes divides it.
pub(super) fn exponent(number: &[u8], residues: &Residues) -> Option<u32> {
    FILTERS
        .iter()
        .filter(|filter| may_be_power(number, residues, filter))
        .map(|filter| filter.exponent)
        .find(|&exponent| {
            let number = BigUint::from_bytes_be(number);
            number.nth_root(exponent).pow(exponent) == number
        })
}

fn may_be_power(number: &[u8], residues: &Residues, filter: &Filter) -> bool {
    residues
        .iter()
        .map(|(prime, residue)| (u32::from(prime), u32::from(residue)))
        .filter(|(prime, _)| prime % filter.exponent == 1)
        .all(|(prime, residue)| is_power_residue(residue, prime, filter.exponent))
        && filter
            .larger_primes
            .iter()
            .all(|&prime| is_power_residue(remainder(number, prime), prime, filter.exponent))
}

/// Euler's criterion: `residue^((prime-1)/exponent) ≡ 1`.
fn is_power_residue(residue: u32, prime: u32, exponent: u32) -> bool {
    let prime = u64::from(prime);
    let mut power = (prime - 1) / u64::from(exponent);
    let (mut base, mut product) = (u64::from(residue), 1);
    while power > 0 {
        if power & 1 == 1 {
            product = product * base % prime;
        }
        base = base * base % prime;
        power >>= 1;
    }
    // Zero is a power, too: the caller excluded the small primes only.
    product == 1 || residue == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exponent_of(number: &BigUint) -> Option<u32> {
        let bytes = number.to_bytes_be();
        exponent(&bytes, &Residues::of(&bytes))
    }

    #[test]
    fn c_17_powers_are_found_for_every_prime_exponent() {
        for filter in FILTERS.iter() {
            let power = BigUint::from(757_u32).pow(filter.exponent);
            if power.bits() <= 4096 {
                assert_eq!(exponent_of(&power), Some(filter.exponent));
                assert_eq!(exponent_of(&(power + 2_u32)), None);
            }
        }
    }

    #[test]
    fn c_17_a_composite_exponent_shows_by_its_smallest_prime() {
        let root: BigUint = (BigUint::from(1_u32) << 200_u32) + 235_u32;
        assert_eq!(exponent_of(&root.pow(15)), Some(3));
    }
}
