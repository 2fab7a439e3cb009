//! `RSA_generate_key_ex` of OpenSSL 0.9.8, as a walk over prime candidates.

use std::ops::Range;

use rug::{Integer, integer::Order};

use crate::{
    fermat::{self, LANES},
    generator::Generator,
    random::{self, Shape},
    sieve::Sieve,
    world::World,
};

/// The public exponent of every key that `openssl genrsa` makes unasked.
pub const EXPONENT: u32 = 65_537;

/// The moduli, of `bits` bits, of the keys that `processes` make in `world`,
/// in no particular order.
pub fn moduli(world: World, processes: Range<u16>, bits: usize) -> Vec<Integer> {
    let mut sieve = Sieve::new(bits / 2);
    let mut waiting = processes.map(|process| Search::new(world, process, bits));
    let mut lanes: [Option<Search>; LANES] = std::array::from_fn(|_| waiting.next());
    // What an idle lane tests; the answer goes nowhere.
    let idle = (Integer::from(1) << (bits / 2 - 1) as u32) + 1_u32;
    let mut moduli = Vec::new();
    while lanes.iter().any(Option::is_some) {
        let candidates = lanes.each_mut().map(|lane| match lane {
            Some(search) => search.next_candidate(&mut sieve),
            None => idle.clone(),
        });
        let primes = fermat::are_prime(&candidates, bits as u32 / 2);
        for ((lane, candidate), prime) in lanes.iter_mut().zip(candidates).zip(primes) {
            if let Some(modulus) = lane
                .as_mut()
                .and_then(|search| search.judge(candidate, prime))
            {
                moduli.push(modulus);
                *lane = waiting.next();
            }
        }
    }
    moduli
}

/// A key in the making: offers candidates, is told whether each is prime.
///
/// OpenSSL asks Miller-Rabin with witnesses out of the same generator. To
/// follow it only the number of witnesses counts: one for a composite (the
/// chance that a random one errs is negligible at these sizes), all of them
/// for a prime. So any sound primality test will do.
struct Search {
    generator: Generator,
    prime_bits: usize,
    first: Option<Integer>,
}

impl Search {
    fn new(world: World, process: u16, bits: usize) -> Self {
        Self {
            generator: Generator::new(world, process),
            prime_bits: bits / 2,
            first: None,
        }
    }

    /// The next number whose primality decides.
    fn next_candidate(&mut self, sieve: &mut Sieve) -> Integer {
        let start = random::number(&mut self.generator, self.prime_bits, Shape::PrimeCandidate);
        let distance = sieve.distance(&start);
        Integer::from_digits(&start, Order::Msf) + distance
    }

    /// Takes the answer; gives the modulus when it is complete.
    fn judge(&mut self, candidate: Integer, prime: bool) -> Option<Integer> {
        let one_less = Integer::from(&candidate - 1_u32);
        let limit = one_less.to_digits::<u8>(Order::Msf);
        let witnesses = if prime { witnesses(self.prime_bits) } else { 1 };
        for _ in 0..witnesses {
            random::below(&mut self.generator, &limit);
        }
        // The sieve excludes a `p - 1` divisible by small primes, not by 65537.
        if !prime || one_less.is_divisible_u(EXPONENT) {
            return None;
        }
        // OpenSSL would draw anew after an equal pair, which never happens.
        if let Some(first) = &self.first {
            return Some(candidate * first);
        }
        self.first = Some(candidate);
        None
    }
}

/// How many Miller-Rabin rounds OpenSSL 0.9.8 runs for a prime of `bits` bits,
/// from 850 up.
fn witnesses(bits: usize) -> usize {
    if bits >= 1300 { 2 } else { 3 }
}
