//! RSA public keys: size and exponent (C-14) and the tests for moduli that
//! anybody can factor (C-17 to C-19).

mod fermat;
mod power;
mod residue;
mod roca;

use crate::asn1::{self, Malformed, Reader};
use crate::key::KeyProblem;
use crate::key::algorithm::bit_length;
use residue::Residues;

/// Sizes that we certify, bits of the modulus. BR 6.1.1.3(5) demands Debian's
/// weak keys of every size accepted; those of 3072 and 4096 bits are not listed
/// yet (C-20), which `reseal doctor` says.
pub(super) const ACCEPTED_SIZES: [u32; 3] = [2048, 3072, 4096];

const EXPONENT: &[u8] = &[0x01, 0x00, 0x01];

/// An `RSAPublicKey` (RFC 8017 appendix A.1.1), numbers big-endian without
/// leading zeros.
pub(super) struct RsaKey<'a> {
    modulus: &'a [u8],
    exponent: &'a [u8],
}

impl<'a> RsaKey<'a> {
    pub(super) fn read(der: &'a [u8]) -> Result<Self, Malformed> {
        let mut input = Reader::new(der);
        let key = input.expect(asn1::SEQUENCE, "RSA public key")?;
        input.finish("the RSA public key")?;
        let mut fields = key.children();
        let modulus = fields.expect(asn1::INTEGER, "RSA modulus")?.unsigned()?;
        let exponent = fields.expect(asn1::INTEGER, "RSA exponent")?.unsigned()?;
        fields.finish("the RSA public key")?;
        Ok(Self { modulus, exponent })
    }

    pub(super) fn size_bits(&self) -> u32 {
        bit_length(self.modulus)
    }

    pub(super) fn problems(&self, problems: &mut Vec<KeyProblem>) {
        let bits = self.size_bits();
        let accepted = ACCEPTED_SIZES.contains(&bits);
        if !accepted {
            problems.push(KeyProblem::RsaSize { bits });
        }
        if self.exponent != EXPONENT {
            problems.push(KeyProblem::RsaExponent {
                found: number_text(self.exponent),
            });
        }
        if self.modulus.last().is_none_or(|low| low & 1 == 0) {
            problems.push(KeyProblem::EvenModulus);
            return;
        }
        let residues = Residues::of(self.modulus);
        if let Some(factor) = residues.zero() {
            problems.push(KeyProblem::SmallFactor { factor });
            return;
        }
        if !accepted {
            return;
        }
        if roca::has_fingerprint(&residues) {
            problems.push(KeyProblem::Roca);
        }
        if let Some(exponent) = power::exponent(self.modulus, &residues) {
            // A square is what Fermat's method finds first: one report is
            // enough.
            problems.push(KeyProblem::PerfectPower { exponent });
        } else if let Some(round) = fermat::factored_in_round(self.modulus) {
            problems.push(KeyProblem::ClosePrimes { round });
        }
    }
}

/// Decimal, or the size when nobody would read the digits.
fn number_text(magnitude: &[u8]) -> String {
    if magnitude.len() <= 8 {
        let number = magnitude
            .iter()
            .fold(0_u64, |number, &byte| (number << 8) | u64::from(byte));
        number.to_string()
    } else {
        format!("a number of {} bits", bit_length(magnitude))
    }
}

#[cfg(test)]
pub(super) fn small_primes() -> impl Iterator<Item = u16> {
    residue::PRIMES.into_iter()
}
