//! Serial numbers of the certificates we sign.
//!
//! Nothing is remembered here: uniqueness is a constraint of the store, and a
//! serial is recorded there before anything is signed with it (P-1).

use std::fmt;

use aws_lc_rs::rand;

/// Sixteen bytes, the top bit clear and the first byte not zero: a positive
/// integer whose DER contents are exactly these bytes (P-1, BR 7.1.2.7: more
/// than 0, less than 2^159, at least 64 bits from a CSPRNG; here 126).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Serial([u8; 16]);

/// Why no serial number could be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SerialError {
    /// The bytes are not of the form P-1 asks for.
    #[error("a serial number has 16 bytes, the first of them from 0x01 to 0x7f")]
    Form,
    /// The random generator of the system failed.
    #[error(
        "the random generator of the system gave no bytes; nothing may be signed until it does"
    )]
    NoRandomness,
}

impl Serial {
    /// A new serial number from the system's generator.
    ///
    /// Fails only when the generator does.
    pub fn random() -> Result<Self, SerialError> {
        loop {
            let mut bytes = [0; 16];
            rand::fill(&mut bytes).map_err(|_| SerialError::NoRandomness)?;
            bytes[0] &= 0x7f;
            if bytes[0] != 0 {
                return Ok(Self(bytes));
            }
        }
    }

    /// A serial number read back from the store.
    ///
    /// Fails when the bytes could not have come from [`Serial::random`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SerialError> {
        let bytes: [u8; 16] = bytes.try_into().map_err(|_| SerialError::Form)?;
        match bytes[0] {
            0x01..=0x7f => Ok(Self(bytes)),
            _ => Err(SerialError::Form),
        }
    }

    /// The contents of the DER INTEGER, big-endian.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Lower-case hexadecimal, 32 digits.
    pub fn to_hex(&self) -> String {
        hex::encode(self.0)
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.to_hex())
    }
}

impl fmt::Debug for Serial {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Serial({self})")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{Serial, SerialError};

    #[test]
    fn p_1_serials_are_positive_of_sixteen_bytes_and_never_repeat() {
        let serials: HashSet<_> = (0..2_000).map(|_| Serial::random().unwrap()).collect();
        assert_eq!(serials.len(), 2_000);
        for serial in &serials {
            assert!((0x01..=0x7f).contains(&serial.as_bytes()[0]), "{serial}");
            assert_eq!(Serial::from_bytes(serial.as_bytes()), Ok(*serial));
        }
    }

    #[test]
    fn p_1_other_forms_are_not_serials() {
        for bytes in [&[1; 15][..], &[1; 17], &[0; 16], &[0x80; 16], &[]] {
            assert_eq!(
                Serial::from_bytes(bytes),
                Err(SerialError::Form),
                "{bytes:02x?}"
            );
        }
    }

    #[test]
    fn serials_are_shown_as_lower_case_hex() {
        let serial = Serial::from_bytes(&[0x0a; 16]).unwrap();
        assert_eq!(serial.to_hex(), "0a".repeat(16));
    }
}
