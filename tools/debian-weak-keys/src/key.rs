//! The kinds of keys there are lists of, and their public key in DER.

use std::{fmt, ops::Range, str::FromStr};

use anyhow::{Error, Result, bail};
use p256::{
    NistP256,
    elliptic_curve::{
        AffinePoint, CurveArithmetic, FieldBytesSize,
        sec1::{FromEncodedPoint, ModulusSize, ToEncodedPoint},
    },
};
use p384::NistP384;
use p521::NistP521;
use rug::{Integer, integer::Order};
use sha2::{Digest, Sha256};

use crate::{ec, rsa, world::World};

/// Bytes of the hash that a list keeps.
pub const PREFIX: usize = 8;

/// A key type and size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// RSA, with a modulus of so many bits.
    Rsa(usize),
    /// The curve NIST P-256.
    P256,
    /// The curve NIST P-384.
    P384,
    /// The curve NIST P-521.
    P521,
}

impl Kind {
    const ALL: [Self; 6] = [
        Self::P256,
        Self::P384,
        Self::P521,
        Self::Rsa(2048),
        Self::Rsa(3072),
        Self::Rsa(4096),
    ];

    /// SubjectPublicKeyInfo in DER of the keys that `processes` make.
    pub fn public_keys(self, world: World, processes: Range<u16>) -> Result<Vec<Vec<u8>>> {
        match self {
            Self::Rsa(bits) => {
                let moduli = rsa::moduli(world, processes, bits);
                Ok(moduli.iter().map(rsa_info).collect())
            }
            Self::P256 => ec_keys::<NistP256>(P256, world, processes),
            Self::P384 => ec_keys::<NistP384>(P384, world, processes),
            Self::P521 => ec_keys::<NistP521>(P521, world, processes),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rsa(bits) => write!(out, "rsa{bits}"),
            Self::P256 => out.write_str("p256"),
            Self::P384 => out.write_str("p384"),
            Self::P521 => out.write_str("p521"),
        }
    }
}

impl FromStr for Kind {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        match Self::ALL.into_iter().find(|kind| kind.to_string() == name) {
            Some(kind) => Ok(kind),
            None => bail!("expected p256, p384, p521, rsa2048, rsa3072 or rsa4096, got `{name}`"),
        }
    }
}

fn ec_keys<C>(algorithm: &[u8], world: World, processes: Range<u16>) -> Result<Vec<Vec<u8>>>
where
    C: CurveArithmetic,
    AffinePoint<C>: FromEncodedPoint<C> + ToEncodedPoint<C>,
    FieldBytesSize<C>: ModulusSize,
{
    let points = processes.map(|process| ec::point::<C>(world, process));
    points.map(|point| Ok(info(algorithm, &point?))).collect()
}

/// What a list keeps of a public key: the start of its SHA-256.
pub fn prefix(public_key: &[u8]) -> [u8; PREFIX] {
    let hash: [u8; 32] = Sha256::digest(public_key).into();
    std::array::from_fn(|index| hash[index])
}

/// AlgorithmIdentifier `rsaEncryption`, parameters NULL.
const RSA: &[u8] = b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";
/// AlgorithmIdentifier `id-ecPublicKey`, parameters `prime256v1`.
const P256: &[u8] = b"\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\
                      \x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07";
/// AlgorithmIdentifier `id-ecPublicKey`, parameters `secp384r1`.
const P384: &[u8] = b"\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\
                      \x06\x05\x2b\x81\x04\x00\x22";

/// AlgorithmIdentifier `id-ecPublicKey`, parameters `secp521r1`.
const P521: &[u8] = b"\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\
                      \x06\x05\x2b\x81\x04\x00\x23";

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const SEQUENCE: u8 = 0x30;

fn rsa_info(modulus: &Integer) -> Vec<u8> {
    // The highest bit is set, which a signed integer must not begin with.
    let modulus = [&[0][..], &modulus.to_digits::<u8>(Order::Msf)].concat();
    let exponent = rsa::EXPONENT.to_be_bytes();
    let key = [element(INTEGER, &modulus), element(INTEGER, &exponent[1..])].concat();
    info(RSA, &element(SEQUENCE, &key))
}

fn info(algorithm: &[u8], key: &[u8]) -> Vec<u8> {
    let bits = element(BIT_STRING, &[&[0][..], key].concat());
    element(SEQUENCE, &[algorithm, &bits].concat())
}

/// A DER element of less than 64 KiB.
fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let [high, low] = (content.len() as u16).to_be_bytes();
    let head = match content.len() {
        ..0x80 => vec![tag, low],
        0x80..0x100 => vec![tag, 0x81, low],
        _ => vec![tag, 0x82, high, low],
    };
    [&head, content].concat()
}
