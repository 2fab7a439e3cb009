//! Between the forms of PKCS#11 and those of X.509.

use x509_cert::der::{
    Decode as _, Reader as _, SliceReader,
    asn1::{AnyRef, UintRef},
};
use zeroize::Zeroizing;

use super::super::signer::KeyType;

/// DER of the object identifiers of the curves: CKA_EC_PARAMS.
const P256: &[u8] = &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const P384: &[u8] = &[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22];
/// id-ecPublicKey, and rsaEncryption with its NULL.
const EC_PUBLIC_KEY: &[u8] = &[0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const RSA_ENCRYPTION: &[u8] = &[
    0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
];
/// DigestInfo of SHA-256 up to the digest (RFC 8017 section 9.2).
const SHA256_DIGEST_INFO: &[u8] = &[
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05,
    0x00, 0x04, 0x20,
];

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const SEQUENCE: u8 = 0x30;
/// How a point begins that is written in full.
const UNCOMPRESSED: u8 = 0x04;

/// CKA_EC_PARAMS of a type; `None` for RSA.
pub(super) fn curve(key_type: KeyType) -> Option<&'static [u8]> {
    match key_type {
        KeyType::P256 => Some(P256),
        KeyType::P384 => Some(P384),
        KeyType::Rsa3072 | KeyType::Rsa4096 => None,
    }
}

/// Bits of the modulus of a type; `None` for ECDSA.
pub(super) fn modulus_bits(key_type: KeyType) -> Option<u32> {
    match key_type {
        KeyType::P256 | KeyType::P384 => None,
        KeyType::Rsa3072 => Some(3072),
        KeyType::Rsa4096 => Some(4096),
    }
}

/// r and s one after the other, as tokens give them, as the sequence that certificates carry; `None` when that cannot be.
pub(super) fn ecdsa_signature(plain: &[u8]) -> Option<Vec<u8>> {
    let half = plain.len() / 2;
    if half == 0 || !plain.len().is_multiple_of(2) {
        return None;
    }
    let (r, s) = plain.split_at(half);
    Some(tlv(SEQUENCE, &[integer(r), integer(s)].concat()))
}

/// What is padded and raised to a power for an RSA signature with SHA-256.
pub(super) fn sha256_digest_info(digest: &[u8]) -> Vec<u8> {
    [SHA256_DIGEST_INFO, digest].concat()
}

/// SubjectPublicKeyInfo of CKA_EC_PARAMS and CKA_EC_POINT, which is a point inside an OCTET STRING, or, from some tokens,
/// the point alone.
pub(super) fn ec_spki(parameters: &[u8], point: &[u8]) -> Vec<u8> {
    let inside = AnyRef::from_der(point)
        .ok()
        .map(AnyRef::value)
        .filter(|inside| point[0] == OCTET_STRING && inside.first() == Some(&UNCOMPRESSED));
    let algorithm = tlv(SEQUENCE, &[EC_PUBLIC_KEY, parameters].concat());
    spki(&algorithm, inside.unwrap_or(point))
}

/// CKA_EC_POINT.
pub(super) fn ec_point(point: &[u8]) -> Vec<u8> {
    tlv(OCTET_STRING, point)
}

/// SubjectPublicKeyInfo of CKA_MODULUS and CKA_PUBLIC_EXPONENT.
pub(super) fn rsa_spki(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    let key = tlv(SEQUENCE, &[integer(modulus), integer(exponent)].concat());
    spki(RSA_ENCRYPTION, &key)
}

fn spki(algorithm: &[u8], key: &[u8]) -> Vec<u8> {
    let bits = tlv(BIT_STRING, &[&[0], key].concat());
    tlv(SEQUENCE, &[algorithm, &bits].concat())
}

/// The eight numbers of an RSA private key, in the order of RFC 8017 appendix A.1.2.
pub(super) struct RsaParts(Vec<Zeroizing<Vec<u8>>>);

impl RsaParts {
    const COUNT: usize = 8;

    /// Those of a PKCS#8 document.
    pub(super) fn of_pkcs8(document: &[u8]) -> Option<Self> {
        let document = AnyRef::from_der(document).ok()?;
        let mut fields = SliceReader::new(document.value()).ok()?;
        UintRef::decode(&mut fields).ok()?;
        AnyRef::decode(&mut fields).ok()?;
        let key = AnyRef::from_der(AnyRef::decode(&mut fields).ok()?.value()).ok()?;
        let mut numbers = SliceReader::new(key.value()).ok()?;
        UintRef::decode(&mut numbers).ok()?;
        let mut parts = Vec::with_capacity(Self::COUNT);
        for _ in 0..Self::COUNT {
            let number = UintRef::decode(&mut numbers).ok()?;
            parts.push(Zeroizing::new(number.as_bytes().to_vec()));
        }
        numbers.is_finished().then_some(Self(parts))
    }

    /// n, e, d, p, q, d mod (p − 1), d mod (q − 1), the inverse of q mod p.
    pub(super) fn numbers(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter().map(|number| number.as_slice())
    }
}

/// An INTEGER of an unsigned number, whatever zeros it begins with.
fn integer(number: &[u8]) -> Vec<u8> {
    let first = number.iter().position(|byte| *byte != 0);
    let magnitude = first.map_or(&[0][..], |first| &number[first..]);
    if magnitude[0] & 0x80 == 0 {
        tlv(INTEGER, magnitude)
    } else {
        tlv(INTEGER, &[&[0], magnitude].concat())
    }
}

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let significant = &length[length.iter().take_while(|byte| **byte == 0).count()..];
    let mut encoding = vec![tag];
    if content.len() > 0x7f {
        encoding.push(0x80 | significant.len() as u8);
        encoding.extend(significant);
    } else {
        encoding.push(content.len() as u8);
    }
    encoding.extend(content);
    encoding
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::{
        encoding::AsDer as _,
        rsa,
        signature::{EcdsaKeyPair, KeyPair as _},
    };

    use super::*;

    #[test]
    fn signatures_of_tokens_become_those_of_certificates() {
        let der = ecdsa_signature(&[0x80, 1, 0, 2]).unwrap();
        assert_eq!(der, [0x30, 8, 2, 3, 0, 0x80, 1, 2, 1, 2]);
        let zero = ecdsa_signature(&[0; 4]).unwrap();
        assert_eq!(zero, [0x30, 6, 2, 1, 0, 2, 1, 0]);
        // 2 · 66 octets of a longer curve need a length of two octets.
        let long = ecdsa_signature(&[0x7f; 132]).unwrap();
        assert_eq!(long[..3], [0x30, 0x81, 136]);
        assert_eq!(ecdsa_signature(&[]), None);
        assert_eq!(ecdsa_signature(&[1, 2, 3]), None);
    }

    #[test]
    fn public_keys_of_tokens_become_those_of_certificates() {
        use aws_lc_rs::signature::ECDSA_P384_SHA384_ASN1_SIGNING;
        let key = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_ASN1_SIGNING).unwrap();
        let point = key.public_key().as_ref();
        let expected = key.public_key().as_der().unwrap();
        for form in [point.to_vec(), ec_point(point)] {
            assert_eq!(ec_spki(P384, &form), expected.as_ref());
        }
        let key = rsa::KeyPair::generate(rsa::KeySize::Rsa3072).unwrap();
        let public = key.public_key();
        let (modulus, exponent) = (public.modulus(), public.exponent());
        let made = rsa_spki(
            modulus.big_endian_without_leading_zero(),
            exponent.big_endian_without_leading_zero(),
        );
        assert_eq!(made, public.as_der().unwrap().as_ref());
    }

    #[test]
    fn the_numbers_of_an_rsa_key_are_read() {
        use aws_lc_rs::encoding::Pkcs8V1Der;
        let key = rsa::KeyPair::generate(rsa::KeySize::Rsa3072).unwrap();
        let document: Pkcs8V1Der<'_> = key.as_der().unwrap();
        let parts = RsaParts::of_pkcs8(document.as_ref()).unwrap();
        let numbers: Vec<_> = parts.numbers().collect();
        let modulus = key.public_key().modulus();
        assert_eq!(numbers[0], modulus.big_endian_without_leading_zero());
        assert_eq!(numbers[1], [1, 0, 1]);
        assert_eq!(numbers.len(), 8);
        let cut = &document.as_ref()[..document.as_ref().len() - 1];
        assert!(RsaParts::of_pkcs8(cut).is_none());
    }
}
