//! Fermat's test to the base 2 for four candidates at once.
//!
//! Nearly all the work of making a key is telling that some eighty candidates
//! are composite. Numbers are kept as limbs of 28 bits, limb `i` of all
//! candidates side by side in an AVX2 register, in Montgomery form with
//! `R = 2^(28 P)` for `P` rows. A square is left below `2 n`, its double below
//! `4 n`, and `16 n <= R` keeps the next square below `2 n` again, so nothing
//! is ever subtracted. A column sums at most `2 P` products of 56 bits and a
//! carry, which 64 bits hold up to `P = 127`.
//!
//! Rows of a product are added four at a time, to load and store each column
//! once for four multiplications.

use rug::{Integer, integer::Order};
use safe_arch::{
    add_i64_m256i, bitand_m256i, m256i, mul_u64_low_bits_m256i, shl_each_u64_m256i,
    shl_imm_u64_m256i, shr_imm_u64_m256i,
};

/// Candidates tested together.
pub const LANES: usize = 4;
/// Rows added together.
const ROWS: usize = 4;
/// Bits in a limb.
const LIMB: u32 = 28;
/// The largest limb.
const MASK: u64 = (1 << LIMB) - 1;
/// The leading bits of the exponent that a shift raises 2 to.
const HEAD: u32 = 10;

/// For each candidate (odd, of exactly `bits` bits, at most 3500), whether
/// `2^(n-1) = 1 (mod n)`.
///
/// Composites that pass are rarer at these sizes than errors of the machine.
pub fn are_prime(candidates: &[Integer; LANES], bits: u32) -> [bool; LANES] {
    let field = Field::new(candidates, bits);
    let radix_bits = LIMB * field.rows as u32;
    let mut power = field.pack(&candidates.each_ref().map(|candidate| {
        let head = Integer::from(candidate >> (bits - HEAD)).to_u32_wrapping();
        (Integer::from(1) << (radix_bits + head)) % candidate
    }));
    let mut columns = vec![m256i::default(); 2 * field.rows];
    for bit in (0..bits - HEAD).rev() {
        // The exponent is `n - 1`, whose lowest bit alone differs from `n`.
        let double = across(|lane| u64::from(bit > 0 && candidates[lane].get_bit(bit)));
        field.square_and_double(&mut power, &mut columns, double);
    }
    let powers = unpack(&power);
    std::array::from_fn(|lane| {
        let one = (Integer::from(1) << radix_bits) % &candidates[lane];
        Integer::from(&powers[lane] % &candidates[lane]) == one
    })
}

/// Arithmetic modulo each of the candidates.
struct Field {
    modulus: Vec<m256i>,
    /// `-1/n` modulo a limb.
    inverse: m256i,
    /// Limbs of a number that are not always zero.
    limbs: usize,
    /// The same, up to whole groups of rows.
    rows: usize,
}

impl Field {
    fn new(candidates: &[Integer; LANES], bits: u32) -> Self {
        // Room for `4 n`, and for `16 n` after rounding up.
        let limbs = (bits + 4).div_ceil(LIMB) as usize;
        let inverses = candidates.each_ref().map(negative_inverse);
        let mut field = Self {
            modulus: Vec::new(),
            inverse: across(|lane| inverses[lane]),
            limbs,
            rows: limbs.next_multiple_of(ROWS),
        };
        field.modulus = field.pack(candidates);
        field
    }

    /// `x^2 / R (mod n)`, times two in the lanes where `double` is 1, not 0.
    fn square_and_double(&self, x: &mut [m256i], columns: &mut [m256i], double: m256i) {
        self.square(x, columns);
        self.reduce(columns);
        let mask = across(|_| MASK);
        let mut carry = m256i::default();
        let mut doubling_carry = m256i::default();
        for (limb, column) in x.iter_mut().zip(&columns[self.rows..]) {
            let sum = add(*column, carry);
            carry = carry_of(sum);
            let doubled = shl_each_u64_m256i(bitand_m256i(sum, mask), double);
            let doubled = add(doubled, doubling_carry);
            doubling_carry = carry_of(doubled);
            *limb = bitand_m256i(doubled, mask);
        }
    }

    fn square(&self, x: &[m256i], columns: &mut [m256i]) {
        columns.fill(m256i::default());
        for (group, row) in x.as_chunks::<ROWS>().0.iter().zip((0..).step_by(ROWS)) {
            let [a, b, c, d] = *group;
            let twice = group.map(shl_imm_u64_m256i::<1>);
            let [a2, b2, c2, _] = twice;
            let columns = &mut columns[2 * row..];
            columns[0] = add(columns[0], product(a, a));
            columns[1] = add(columns[1], product(a2, b));
            columns[2] = add(columns[2], add(product(a2, c), product(b, b)));
            columns[3] = add(columns[3], add(product(a2, d), product(b2, c)));
            columns[4] = add(columns[4], add(product(b2, d), product(c, c)));
            columns[5] = add(columns[5], product(c2, d));
            columns[6] = add(columns[6], product(d, d));
            if let Some(rest) = x[..self.limbs].get(row + ROWS..) {
                add_rows(&mut columns[ROWS..], twice, rest);
            }
        }
    }

    /// Adds multiples of the moduli that clear the lower half of `columns`.
    fn reduce(&self, columns: &mut [m256i]) {
        let mask = across(|_| MASK);
        let (head, rest) = self.modulus[..self.limbs].split_at(ROWS);
        for row in (0..self.rows).step_by(ROWS) {
            let columns = &mut columns[row..];
            // The lowest columns stay in registers: each factor waits for the
            // one before it.
            let mut window: [m256i; ROWS] = std::array::from_fn(|column| columns[column]);
            let mut factors = [m256i::default(); ROWS];
            for factor in &mut factors {
                *factor = bitand_m256i(product(window[0], self.inverse), mask);
                for (column, limb) in window.iter_mut().zip(head) {
                    *column = add(*column, product(*factor, *limb));
                }
                let [cleared, b, c, d] = window;
                window = [add(b, carry_of(cleared)), c, d, m256i::default()];
            }
            for (column, sum) in columns[ROWS..].iter_mut().zip(&window[..ROWS - 1]) {
                *column = add(*column, *sum);
            }
            add_rows(&mut columns[ROWS..], factors, rest);
        }
    }

    /// Puts the numbers' limbs side by side.
    fn pack(&self, numbers: &[Integer; LANES]) -> Vec<m256i> {
        let digits = numbers
            .each_ref()
            .map(|number| number.to_digits::<u32>(Order::Lsf));
        (0..self.rows)
            .map(|limb| across(|lane| limb_of(&digits[lane], limb)))
            .collect()
    }
}

/// Adds the product of row `r` and limb `i` to column `r + i`.
#[inline]
fn add_rows(columns: &mut [m256i], rows: [m256i; ROWS], limbs: &[m256i]) {
    let [a, b, c, d] = rows;
    let [mut x, mut y, mut z] = [m256i::default(); ROWS - 1];
    let (within, beyond) = columns.split_at_mut(limbs.len());
    for (column, limb) in within.iter_mut().zip(limbs) {
        let low = add(product(a, *limb), product(b, x));
        let high = add(product(c, y), product(d, z));
        *column = add(*column, add(low, high));
        (x, y, z) = (*limb, x, y);
    }
    let tail = [
        add(product(b, x), add(product(c, y), product(d, z))),
        add(product(c, x), product(d, y)),
        product(d, x),
    ];
    for (column, sum) in beyond[..ROWS - 1].iter_mut().zip(tail) {
        *column = add(*column, sum);
    }
}

/// `-1/n` modulo a limb, by Newton's iteration.
fn negative_inverse(candidate: &Integer) -> u64 {
    let n = candidate.to_u64_wrapping();
    let mut inverse = n;
    for _ in 0..5 {
        inverse = inverse.wrapping_mul(2_u64.wrapping_sub(n.wrapping_mul(inverse)));
    }
    inverse.wrapping_neg() & MASK
}

fn across(value: impl Fn(usize) -> u64) -> m256i {
    m256i::from(std::array::from_fn::<u64, LANES, _>(value))
}

fn limb_of(digits: &[u32], limb: usize) -> u64 {
    let first_bit = limb * LIMB as usize;
    let at = |index: usize| u64::from(digits.get(index).copied().unwrap_or_default());
    ((at(first_bit / 32) | at(first_bit / 32 + 1) << 32) >> (first_bit % 32)) & MASK
}

fn unpack(limbs: &[m256i]) -> [Integer; LANES] {
    let limbs: Vec<[u64; LANES]> = limbs.iter().map(|limb| (*limb).into()).collect();
    std::array::from_fn(|lane| {
        let downwards = limbs.iter().rev();
        downwards.fold(Integer::new(), |number, limb| (number << LIMB) + limb[lane])
    })
}

/// What a column passes on to the next.
#[inline]
fn carry_of(column: m256i) -> m256i {
    shr_imm_u64_m256i::<{ LIMB as i32 }>(column)
}

#[inline]
fn add(a: m256i, b: m256i) -> m256i {
    add_i64_m256i(a, b)
}

/// The products of the low 32 bits.
#[inline]
fn product(a: m256i, b: m256i) -> m256i {
    mul_u64_low_bits_m256i(a, b)
}

#[cfg(test)]
mod tests;
