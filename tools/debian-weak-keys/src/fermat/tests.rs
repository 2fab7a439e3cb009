use super::*;

/// Four odd numbers of exactly `bits` bits, the first and last of them prime.
fn numbers(bits: u32) -> [Integer; LANES] {
    let high = (Integer::from(3) << (bits - 2)) + Integer::from(Integer::u_pow_u(7, bits / 3));
    let prime = high.clone().next_prime();
    let largest_composite = (Integer::from(1) << bits) - 1_u32;
    [
        prime.clone(),
        high | 1_u32,
        largest_composite,
        prime.next_prime(),
    ]
}

#[test]
fn c_20_primes_are_told_from_composites_at_every_size() {
    for bits in [1024, 1536, 2048] {
        let numbers = numbers(bits);
        let expected = numbers.each_ref().map(|number| {
            let exponent = Integer::from(number - 1_u32);
            let power = Integer::from(2).pow_mod(&exponent, number);
            power.is_ok_and(|power| power == 1)
        });
        assert_eq!(expected, [true, false, false, true]);
        assert_eq!(are_prime(&numbers, bits), expected, "{bits} bits");
    }
}

#[test]
fn c_20_the_largest_moduli_do_not_overflow_a_column() {
    for bits in [1024, 1536, 2048_u32] {
        // The first prime below a power of two has all-ones limbs.
        let mut prime = (Integer::from(1) << bits) - 1_u32;
        while prime.is_probably_prime(20) == rug::integer::IsPrime::No {
            prime -= 2_u32;
        }
        let numbers = [(); LANES].map(|()| prime.clone());
        assert_eq!(are_prime(&numbers, bits), [true; LANES], "{bits} bits");
    }
}
