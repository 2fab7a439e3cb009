//! Promises of logs in certificates (RFC 6962 section 3.3), read and verified without the code that is tested.

use std::fs;
use std::process::Command;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tempfile::TempDir;

use super::der::{children, contents, wrap};

/// Contents of the object identifiers of poison and list.
pub(super) const POISON: &str = "2b06010401d679020403";
const SCT_LIST: &str = "2b06010401d679020402";

/// What promises call the log, or the issuer, with this key.
pub(crate) fn key_hash(spki: &[u8]) -> Vec<u8> {
    digest(&SHA256, spki).as_ref().to_vec()
}

/// A promise as a certificate carries it.
#[derive(Debug)]
pub(crate) struct Sct {
    pub(crate) log_id: Vec<u8>,
    pub(crate) timestamp: u64,
    algorithm: u8,
    signature: Vec<u8>,
}

/// The promises in a certificate, DER; none when it has no list.
pub(crate) fn scts(leaf: &[u8]) -> Vec<Sct> {
    let marks = marks(leaf);
    let Some((_, critical, value)) = marks.iter().find(|(oid, ..)| oid == SCT_LIST) else {
        return Vec::new();
    };
    assert!(!critical);
    // An OCTET STRING within the OCTET STRING.
    let list = contents(value).to_vec();
    let mut rest = sized(&mut &list[..]).to_vec();
    assert_eq!(rest.len() + 2, list.len());
    let mut found = Vec::new();
    while !rest.is_empty() {
        let mut bytes = &rest[..];
        let mut sct = sized(&mut bytes);
        let left = bytes.to_vec();
        let (head, tail) = sct.split_at(41);
        sct = tail;
        assert_eq!(head[0], 0, "version 1");
        assert_eq!(sized(&mut sct), [] as [u8; 0], "no extensions");
        assert_eq!(sct[0], 4, "SHA-256");
        let algorithm = sct[1];
        sct = &sct[2..];
        found.push(Sct {
            log_id: head[1..33].to_vec(),
            timestamp: u64::from_be_bytes(head[33..41].try_into().unwrap()),
            algorithm,
            signature: sized(&mut sct).to_vec(),
        });
        assert_eq!(sct, [] as [u8; 0]);
        rest = left;
    }
    found
}

/// Length in two bytes, then that many.
fn sized<'a>(bytes: &mut &'a [u8]) -> &'a [u8] {
    let length = usize::from(u16::from_be_bytes([bytes[0], bytes[1]]));
    let (taken, rest) = bytes[2..].split_at(length);
    *bytes = rest;
    taken
}

/// A MerkleTreeLeaf over a precertificate (RFC 6962 section 3.4).
pub(super) fn merkle_leaf(timestamp: u64, issuer: &[u8], tbs: &[u8]) -> Vec<u8> {
    let length = u32::try_from(tbs.len()).unwrap().to_be_bytes();
    [
        &[0, 0][..],
        &timestamp.to_be_bytes(),
        &[0, 1],
        issuer,
        &length[1..],
        tbs,
        &[0, 0],
    ]
    .concat()
}

/// Whether `sct` is the promise of the log with the key `spki` about the certificate `leaf`, by `openssl`'s reckoning of
/// the signature.
#[track_caller]
pub(crate) fn is_promised(leaf: &[u8], issuer_spki: &[u8], sct: &Sct, spki: &[u8]) -> bool {
    assert_eq!(sct.log_id, key_hash(spki));
    let message = [
        &[0, 0],
        &merkle_leaf(sct.timestamp, &key_hash(issuer_spki), &entry_of(leaf))[2..],
    ]
    .concat();
    assert_eq!(sct.algorithm, if spki.len() > 200 { 1 } else { 3 });
    let folder = TempDir::new().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    };
    let output = Command::new("openssl")
        .args(["dgst", "-sha256", "-keyform", "DER", "-verify"])
        .arg(write("key", spki))
        .arg("-signature")
        .arg(write("signature", &sct.signature))
        .arg(write("message", &message))
        .output()
        .unwrap();
    output.status.success()
}

/// The SubjectPublicKeyInfo of a certificate.
pub(crate) fn spki_of(der: &[u8]) -> Vec<u8> {
    // Version, serial, algorithm, issuer, validity, subject, key.
    children(&children(der)[0])[6].clone()
}

/// The TBSCertificate without poison and list, put together anew.
pub(crate) fn entry_of(der: &[u8]) -> Vec<u8> {
    let mut fields = children(&children(der)[0]);
    let extensions = fields.pop().unwrap();
    let kept: Vec<Vec<u8>> = children(&children(&extensions)[0])
        .into_iter()
        .filter(|extension| !is_mark(&oid_of(extension)))
        .collect();
    fields.push(wrap(0xa3, &wrap(0x30, &kept.concat())));
    wrap(0x30, &fields.concat())
}

/// Poison and list: identifier, whether it is critical, value.
pub(super) fn marks(der: &[u8]) -> Vec<(String, bool, Vec<u8>)> {
    let fields = children(&children(der)[0]);
    let extensions = children(&children(fields.last().unwrap())[0]);
    let marks = extensions.iter().filter(|one| is_mark(&oid_of(one)));
    marks
        .map(|one| {
            let parts = children(one);
            let critical = parts.len() == 3 && parts[1] == [1, 1, 0xff];
            let value = contents(parts.last().unwrap()).to_vec();
            (oid_of(one), critical, value)
        })
        .collect()
}

fn oid_of(extension: &[u8]) -> String {
    hex::encode(contents(&children(extension)[0]))
}

fn is_mark(oid: &str) -> bool {
    [POISON, SCT_LIST].contains(&oid)
}

/// A certificate in lines.
pub(crate) fn pem(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> = text
        .as_bytes()
        .chunks(64)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    format!(
        "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
        lines.join("\n")
    )
}
