//! Who signed something, a certificate or a revocation list: both are what was signed, the algorithm, the signature.

use crate::asn1::{self, Malformed, Reader};
use crate::key::{PublicKey, SignatureError, verify_signature};

/// Verifies the signature of a certificate or a revocation list, DER, with the key of whoever should have signed it.
///
/// # Errors
/// As [`verify_signature`]; [`SignatureError::Malformed`] when `der` is neither.
pub fn verify_signed(der: &[u8], key: &PublicKey) -> Result<(), SignatureError> {
    let [signed, algorithm, signature] =
        parts(der).map_err(|malformed| SignatureError::Malformed(malformed.problem))?;
    verify_signature(key, algorithm, signed, signature)
}

fn parts(der: &[u8]) -> Result<[&[u8]; 3], Malformed> {
    let mut input = Reader::new(der);
    let object = input.expect(asn1::SEQUENCE, "signed object")?;
    input.finish("the signed object")?;
    let mut parts = object.children();
    let signed = parts.expect(asn1::SEQUENCE, "signed part")?;
    let algorithm = parts.expect(asn1::SEQUENCE, "signature algorithm")?;
    let signature = parts.expect(asn1::BIT_STRING, "signature")?;
    parts.finish("the signed object")?;
    Ok([
        signed.encoding,
        algorithm.encoding,
        signature.whole_bytes()?,
    ])
}
