//! Remainders of the modulus by small primes, computed once for three tests.

/// Odd primes up to 751, the largest that BR 6.1.6 names.
pub(super) const PRIMES: [u16; 132] = odd_primes();

const fn odd_primes() -> [u16; 132] {
    let mut primes = [0; 132];
    let mut found = 0;
    let mut candidate = 3;
    while found < primes.len() {
        if is_prime(candidate as u32) {
            primes[found] = candidate;
            found += 1;
        }
        candidate += 2;
    }
    primes
}

/// By trial division, for odd numbers from 3.
pub(super) const fn is_prime(odd: u32) -> bool {
    let mut divisor = 3;
    while divisor * divisor <= odd {
        if odd.is_multiple_of(divisor) {
            return false;
        }
        divisor += 2;
    }
    true
}

/// One remainder for each of [`PRIMES`].
pub(super) struct Residues([u16; PRIMES.len()]);

impl Residues {
    /// Of a big-endian number.
    pub(super) fn of(number: &[u8]) -> Self {
        let mut residues = [0; PRIMES.len()];
        let mut start = 0;
        while start < PRIMES.len() {
            // One pass over the number serves as many primes as their product
            // fits 32 bits.
            let mut product = u32::from(PRIMES[start]);
            let mut end = start + 1;
            while let Some(larger) = PRIMES
                .get(end)
                .and_then(|&prime| product.checked_mul(u32::from(prime)))
            {
                product = larger;
                end += 1;
            }
            let shared = remainder(number, product);
            for (residue, &prime) in residues[start..end].iter_mut().zip(&PRIMES[start..end]) {
                *residue = (shared % u32::from(prime)) as u16;
            }
            start = end;
        }
        Self(residues)
    }

    /// The smallest prime that divides the number.
    pub(super) fn zero(&self) -> Option<u16> {
        self.iter()
            .find_map(|(prime, residue)| (residue == 0).then_some(prime))
    }

    /// Primes and remainders, ascending.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u16, u16)> {
        PRIMES.into_iter().zip(self.0)
    }
}

/// Remainder of a big-endian number by a divisor that is not zero.
pub(super) fn remainder(number: &[u8], divisor: u32) -> u32 {
    let divisor = u64::from(divisor);
    let (head, words) = number.as_rchunks::<4>();
    let start = head
        .iter()
        .fold(0, |number, &byte| (number << 8) | u64::from(byte));
    let rest = words.iter().fold(start % divisor, |rest, word| {
        ((rest << 32) | u64::from(u32::from_be_bytes(*word))) % divisor
    });
    rest as u32
}

#[cfg(test)]
mod tests {
    use num_bigint::BigUint;

    use super::*;

    #[test]
    fn c_17_the_primes_are_the_odd_ones_up_to_751() {
        assert_eq!(PRIMES[..4], [3, 5, 7, 11]);
        assert_eq!(PRIMES.last(), Some(&751));
        assert!(PRIMES.is_sorted());
    }

    #[test]
    fn c_17_residues_are_those_of_big_number_arithmetic() {
        for length in [1, 3, 4, 5, 255, 256, 257, 512] {
            let number: Vec<u8> = (0..length).map(|at| (at * 37 + 11) as u8).collect();
            let big = BigUint::from_bytes_be(&number);
            for (prime, residue) in Residues::of(&number).iter() {
                assert_eq!(
                    &big % prime,
                    BigUint::from(residue),
                    "{length} bytes, {prime}"
                );
            }
        }
    }
}
