//! Fermat's factorization, as far as BR 6.1.1.3 demands it (SC-073, C-18).

use num_bigint::BigUint;

/// Rounds that must fail.
const ROUNDS: u32 = 100;

/// Below 2^32, with many small factors, so that most numbers are seen not to
/// be squares without big-number work.
const SIEVE: u32 = 63 * 65 * 11 * 17 * 19 * 23;
const SIEVE_PARTS: [u32; 6] = [63, 65, 11, 17, 19, 23];

/// The round, from 1, in which the odd number falls apart.
///
/// Round r tries a = ⌈√n⌉ + r - 1: when a² - n is a square b², the factors are
/// a - b and a + b.
pub(super) fn factored_in_round(modulus: &[u8]) -> Option<u32> {
    let n = BigUint::from_bytes_be(modulus);
    let mut first = n.sqrt();
    if &first * &first < n {
        first += 1_u32;
    }
    let residue = |number: &BigUint, divisor: u32| -> u64 {
        (number % divisor)
            .iter_u64_digits()
            .next()
            .unwrap_or_default()
    };
    let (n_sieve, first_sieve) = (residue(&n, SIEVE), residue(&first, SIEVE));
    let (n_low, first_low) = (residue(&n, 64), residue(&first, 64));
    let difference =
        |a: u64, n: u64, modulus: u64| (a % modulus * (a % modulus) + modulus - n) % modulus;
    (1..=ROUNDS).find(|round| {
        let step = u64::from(round - 1);
        may_be_square(
            difference(first_low + step, n_low, 64),
            difference(first_sieve + step, n_sieve, u64::from(SIEVE)),
        ) && {
            let a = &first + step;
            let square = &a * &a - &n;
            let b = square.sqrt();
            &b * &b == square
        }
    })
}

/// By the remainders modulo 64 and [`SIEVE`].
fn may_be_square(low: u64, sieve: u64) -> bool {
    is_square_modulo(low, 64)
        && SIEVE_PARTS
            .iter()
            .all(|&part| is_square_modulo(sieve % u64::from(part), part))
}

fn is_square_modulo(residue: u64, modulus: u32) -> bool {
    const SQUARES: [u128; 66] = squares();
    SQUARES[modulus as usize] >> residue & 1 == 1
}

/// For each modulus below 66 its squares, one bit a remainder.
const fn squares() -> [u128; 66] {
    let mut squares = [0; 66];
    let mut modulus = 1;
    while modulus < squares.len() {
        let mut root = 0;
        while root < modulus {
            squares[modulus] |= 1 << (root * root % modulus);
            root += 1;
        }
        modulus += 1;
    }
    squares
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By plain search without the sieve.
    fn searched(n: u64) -> Option<u32> {
        let first = (n - 1).isqrt() + 1;
        (1..=ROUNDS).find(|round| {
            let a = first + u64::from(round - 1);
            let square = a * a - n;
            square.isqrt() * square.isqrt() == square
        })
    }

    #[test]
    fn c_18_the_sieve_loses_no_square() {
        for gap in (0..60_000).step_by(2) {
            let n = 10_007_u64 * (10_007 + gap);
            assert_eq!(
                factored_in_round(&n.to_be_bytes()),
                searched(n),
                "gap {gap}"
            );
        }
    }

    #[test]
    fn c_18_exactly_100_rounds_are_tried() {
        // (a - b)(a + b) with a = ⌈√n⌉ + 99 or 100.
        let rounds: Vec<_> = (0..60_000_u64)
            .step_by(2)
            .filter_map(|gap| factored_in_round(&(10_007 * (10_007 + gap)).to_be_bytes()))
            .collect();
        assert_eq!(rounds.iter().max(), Some(&100));
    }
}
