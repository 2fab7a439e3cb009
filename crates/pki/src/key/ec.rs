//! EC public keys: SP 800-56A section 5.6.2.3 (C-16).

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ECDSA_P521_SHA512_ASN1,
    EcdsaVerificationAlgorithm, ParsedPublicKey,
};

use crate::key::{KeyAlgorithm, KeyProblem};

struct Curve {
    name: &'static str,
    /// The field's prime, big-endian, as long as a coordinate.
    prime: &'static [u8],
    algorithm: &'static EcdsaVerificationAlgorithm,
}

/// FIPS 186-4 appendix D.1.2.3.
const P256: Curve = Curve {
    name: "P-256",
    prime: b"\xff\xff\xff\xff\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\
             \x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
    algorithm: &ECDSA_P256_SHA256_ASN1,
};

/// FIPS 186-4 appendix D.1.2.4.
const P384: Curve = Curve {
    name: "P-384",
    prime: b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\
             \xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfe\
             \xff\xff\xff\xff\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\xff\xff",
    algorithm: &ECDSA_P384_SHA384_ASN1,
};

/// FIPS 186-4 appendix D.1.2.5: 2^521 - 1.
const P521: Curve = Curve {
    name: "P-521",
    prime: &{
        let mut prime = [0xff; 66];
        prime[0] = 0x01;
        prime
    },
    algorithm: &ECDSA_P521_SHA512_ASN1,
};

pub(super) fn problems(algorithm: &KeyAlgorithm, point: &[u8], problems: &mut Vec<KeyProblem>) {
    let curve = match algorithm {
        KeyAlgorithm::EcP256 => P256,
        KeyAlgorithm::EcP384 => P384,
        KeyAlgorithm::EcP521 => P521,
        KeyAlgorithm::Rsa | KeyAlgorithm::Other(_) => return,
    };
    problems.extend(problem(&curve, point));
}

fn problem(curve: &Curve, point: &[u8]) -> Option<KeyProblem> {
    let form = |found: String| Some(KeyProblem::PointForm { found });
    let invalid = |reason| {
        Some(KeyProblem::PointInvalid {
            curve: curve.name,
            reason,
        })
    };
    let size = curve.prime.len();
    let coordinates = match point {
        [4, coordinates @ ..] => coordinates,
        [0] => return invalid("it is the point at infinity"),
        [2 | 3, ..] => return form("compressed".to_owned()),
        [6 | 7, ..] => return form("in the hybrid form".to_owned()),
        [] => return form("empty".to_owned()),
        [first, ..] => return form(format!("of the unknown form {first:#04x}")),
    };
    if coordinates.len() != 2 * size {
        return form(format!(
            "{} bytes long, expected {}",
            point.len(),
            1 + 2 * size
        ));
    }
    let (x, y) = coordinates.split_at(size);
    // Both are big-endian and equally long, so they compare as numbers do.
    if x >= curve.prime || y >= curve.prime {
        return invalid("a coordinate is not below the field's prime");
    }
    // The library checks that the point satisfies the curve's equation. The
    // order of these curves is prime, so every point on them but infinity has
    // that order.
    match ParsedPublicKey::new(curve.algorithm, point) {
        Ok(_) => None,
        Err(_) => invalid("it does not satisfy the curve's equation"),
    }
}
