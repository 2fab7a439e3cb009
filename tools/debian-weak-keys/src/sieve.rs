//! `probable_prime` of OpenSSL 0.9.8: from a random start, the first number
//! `n` such that no small prime divides `n` or `n - 1`.

/// The primes OpenSSL sieves with: the first 2048, of which 2 needs no test.
const PRIMES: usize = 2048;

/// Residues of `2^(32 i)` modulo each small prime, so that the residues of a
/// large number are sums of products that a compiler turns into vector code.
pub struct Sieve {
    primes: Vec<u32>,
    /// `ceil(2^64 / prime)`, to divide by multiplying.
    reciprocals: Vec<u64>,
    /// `powers[i][k]` is `2^(32 i)` modulo `primes[k]`.
    powers: Vec<Vec<u32>>,
    residues: Vec<u64>,
}

impl Sieve {
    /// Tables for numbers of `bits` bits, a multiple of 32.
    pub fn new(bits: usize) -> Self {
        let primes = odd_primes(PRIMES - 1);
        let mut powers = vec![vec![1; primes.len()]];
        while powers.len() < bits / 32 {
            let last = &powers[powers.len() - 1];
            let next = primes
                .iter()
                .zip(last)
                .map(|(prime, power)| ((u64::from(*power) << 32) % u64::from(*prime)) as u32)
                .collect();
            powers.push(next);
        }
        Self {
            reciprocals: primes
                .iter()
                .map(|p| u64::MAX / u64::from(*p) + 1)
                .collect(),
            residues: vec![0; primes.len()],
            powers,
            primes,
        }
    }

    /// How far above `start` (big-endian, odd) the first number lies that
    /// passes.
    pub fn distance(&mut self, start: &[u8]) -> u64 {
        self.reduce(start);
        let mut delta = 0;
        while !self.passes(delta) {
            delta += 2;
        }
        delta
    }

    /// Sums stay below `64 * 2^32 * 2^15`, so for starts of up to 2048 bits
    /// they fit in 53 bits, where the reciprocal's error cannot show.
    fn reduce(&mut self, start: &[u8]) {
        self.residues.fill(0);
        for (limb, powers) in start.rchunks_exact(4).zip(&self.powers) {
            let limb = u64::from(u32::from_be_bytes([limb[0], limb[1], limb[2], limb[3]]));
            for (residue, power) in self.residues.iter_mut().zip(powers) {
                *residue += limb * u64::from(*power);
            }
        }
        for ((residue, prime), reciprocal) in self
            .residues
            .iter_mut()
            .zip(&self.primes)
            .zip(&self.reciprocals)
        {
            *residue = remainder(*residue, *prime, *reciprocal);
        }
    }

    fn passes(&self, delta: u64) -> bool {
        self.residues
            .iter()
            .zip(&self.primes)
            .zip(&self.reciprocals)
            .all(|((residue, prime), reciprocal)| {
                remainder(residue + delta, *prime, *reciprocal) > 1
            })
    }
}

/// `value % prime`, for a value whose error against the rounded reciprocal
/// (`value * prime / 2^64`) stays below one unit: the last step mends it.
fn remainder(value: u64, prime: u32, reciprocal: u64) -> u64 {
    let quotient = ((u128::from(value) * u128::from(reciprocal)) >> 64) as u64;
    let product = quotient * u64::from(prime);
    if product > value {
        value + u64::from(prime) - product
    } else {
        value - product
    }
}

/// The first `count` odd primes.
pub fn odd_primes(count: usize) -> Vec<u32> {
    let mut primes: Vec<u32> = Vec::with_capacity(count);
    let mut candidate = 3;
    while primes.len() < count {
        let mut smaller = primes.iter().take_while(|p| **p * **p <= candidate);
        if smaller.all(|p| candidate % p != 0) {
            primes.push(candidate);
        }
        candidate += 2;
    }
    primes
}
