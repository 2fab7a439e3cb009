//! `BN_rand` and `BN_rand_range`: numbers out of the generator's bytes.

use crate::generator::Generator;

/// Which bits `BN_rand` forces.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// None: any number of at most that many bits.
    Any,
    /// The two highest and the lowest: a candidate for a prime factor, such
    /// that the product of two has all its bits.
    PrimeCandidate,
}

/// Draws `bits` bits (more than one), big-endian.
pub fn number(generator: &mut Generator, bits: usize, shape: Shape) -> Vec<u8> {
    generator.add_time();
    let mut bytes = vec![0; bits.div_ceil(8)];
    generator.fill(&mut bytes);
    let unused = bytes.len() * 8 - bits;
    bytes[0] &= 0xff >> unused;
    if shape == Shape::PrimeCandidate {
        let highest_two = 0xc000_u16 >> unused;
        let [first, second] = highest_two.to_be_bytes();
        bytes[0] |= first;
        bytes[1] |= second;
        if let Some(last) = bytes.last_mut() {
            *last |= 1;
        }
    }
    bytes
}

/// Draws until the number is below `limit` (big-endian, no leading zero, its
/// three highest bits not `100`, for which OpenSSL draws another way).
pub fn below(generator: &mut Generator, limit: &[u8]) -> Vec<u8> {
    let bits = limit.len() * 8 - limit[0].leading_zeros() as usize;
    loop {
        let bytes = number(generator, bits, Shape::Any);
        if bytes.as_slice() < limit {
            return bytes;
        }
    }
}
