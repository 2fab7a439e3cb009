//! Signing requests taken apart and put together again with one part that is not as it should be.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{KeyPair, SigningKey as _};

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const UTF8_STRING: u8 = 0x0c;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
/// `id-at-commonName` with tag and length.
const COMMON_NAME: [u8; 5] = [0x06, 0x03, 0x55, 0x04, 0x03];

/// RFC 2986, each part with its tag and length.
pub(crate) struct Parts {
    pub(crate) version: Vec<u8>,
    pub(crate) subject: Vec<u8>,
    pub(crate) key: Vec<u8>,
    pub(crate) attributes: Vec<u8>,
    pub(crate) algorithm: Vec<u8>,
    pub(crate) signature: Vec<u8>,
}

impl Parts {
    pub(crate) fn of(pem: &str) -> Self {
        let der = der(pem);
        let [info, algorithm, signature] = children(&der).try_into().unwrap();
        let [version, subject, key, attributes] = children(&info).try_into().unwrap();
        Self {
            version,
            subject,
            key,
            attributes,
            algorithm,
            signature,
        }
    }

    /// The request with the signature it came with, which fits only what was not changed.
    pub(crate) fn joined(&self) -> String {
        pem(&wrap(
            SEQUENCE,
            &[&*self.info(), &self.algorithm, &self.signature].concat(),
        ))
    }

    /// The request signed again.
    pub(crate) fn signed(mut self, key: &KeyPair) -> String {
        let signature = key.sign(&self.info()).unwrap();
        self.signature = wrap(BIT_STRING, &[&[0], &*signature].concat());
        self.joined()
    }

    fn info(&self) -> Vec<u8> {
        let parts = [&self.version, &self.subject, &self.key, &self.attributes];
        wrap(SEQUENCE, &parts.map(|part| &**part).concat())
    }
}

/// A subject with these common names, each in a set of its own.
pub(crate) fn common_names(names: &[&str]) -> Vec<u8> {
    let sets = names.iter().flat_map(|name| {
        let value = wrap(UTF8_STRING, name.as_bytes());
        wrap(SET, &wrap(SEQUENCE, &[&COMMON_NAME, &*value].concat()))
    });
    wrap(SEQUENCE, &sets.collect::<Vec<u8>>())
}

/// A key with the same algorithm and another bit string: a curve's point, or an RSA key.
pub(crate) fn with_key_bits(key: &[u8], bits: &[u8]) -> Vec<u8> {
    let algorithm = children(key).remove(0);
    let bits = wrap(BIT_STRING, &[&[0], bits].concat());
    wrap(SEQUENCE, &[algorithm, bits].concat())
}

/// What a key's bit string holds.
pub(crate) fn key_bits(key: &[u8]) -> Vec<u8> {
    contents(&children(key)[1])[1..].to_vec()
}

/// The same key whose algorithm has no parameters, where RSA wants NULL.
pub(crate) fn without_parameters(key: &[u8]) -> Vec<u8> {
    let parts = children(key);
    let identifier = children(&parts[0]).remove(0);
    let algorithm = wrap(SEQUENCE, &identifier);
    wrap(SEQUENCE, &[&*algorithm, &parts[1]].concat())
}

pub(crate) fn integer(value: u8) -> Vec<u8> {
    wrap(INTEGER, &[value])
}

/// The bytes inside the only block of `pem`.
pub(crate) fn der(pem: &str) -> Vec<u8> {
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    STANDARD.decode(body).unwrap()
}

/// A PEM block with a request in it.
pub(crate) fn pem(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    format!("-----BEGIN CERTIFICATE REQUEST-----\n{text}\n-----END CERTIFICATE REQUEST-----\n")
}

/// An element.
pub(crate) fn wrap(tag: u8, contents: &[u8]) -> Vec<u8> {
    let length = contents.len().to_be_bytes();
    let significant = length.iter().skip_while(|byte| **byte == 0);
    let significant: Vec<u8> = significant.copied().collect();
    let mut encoded = vec![tag];
    match contents.len() {
        0..0x80 => encoded.push(u8::try_from(contents.len()).unwrap()),
        _ => encoded.push(0x80 | u8::try_from(significant.len()).unwrap()),
    }
    if contents.len() >= 0x80 {
        encoded.extend(significant);
    }
    encoded.extend(contents);
    encoded
}

/// Bytes of the head and of the contents of the element at the start of `bytes`.
fn lengths(bytes: &[u8]) -> (usize, usize) {
    match usize::from(bytes[1]) {
        short @ 0..0x80 => (2, short),
        long => {
            let count = long - 0x80;
            let digits = &bytes[2..2 + count];
            let length = digits
                .iter()
                .fold(0, |sum, byte| sum << 8 | usize::from(*byte));
            (2 + count, length)
        }
    }
}

/// What is inside an element.
pub(crate) fn contents(element: &[u8]) -> &[u8] {
    let (head, length) = lengths(element);
    &element[head..head + length]
}

/// The elements inside an element.
pub(crate) fn children(element: &[u8]) -> Vec<Vec<u8>> {
    let mut rest = contents(element);
    let mut found = Vec::new();
    while !rest.is_empty() {
        let (head, length) = lengths(rest);
        let (child, after) = rest.split_at(head + length);
        found.push(child.to_vec());
        rest = after;
    }
    found
}
