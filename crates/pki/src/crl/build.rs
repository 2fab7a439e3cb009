//! Writing a TBSCertList.

use super::{CrlContent, CrlEntry};
use crate::{
    asn1,
    profile::{
        IssuingAuthority,
        encode::{element, extension, primitive, sequence, time},
    },
};

const CRL_NUMBER: [u8; 3] = [0x55, 0x1d, 0x14];
const REASON_CODE: [u8; 3] = [0x55, 0x1d, 0x15];
const ISSUING_DISTRIBUTION_POINT: [u8; 3] = [0x55, 0x1d, 0x1c];
const AUTHORITY_KEY_IDENTIFIER: [u8; 3] = [0x55, 0x1d, 0x23];

const ENUMERATED: u8 = 0x0a;
/// GeneralName: uniformResourceIdentifier.
const URI: u8 = 0x86;

/// Bytes of an entry with a reason, and of all else.
const ENTRY_SIZE: usize = 50;
const FRAME_SIZE: usize = 512;

/// Why no list can be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CrlError {
    /// A serial number that is none.
    #[error("a revoked certificate has the serial number `{0}`, expected 1 to 20 bytes, positive")]
    Serial(String),
    /// An address that may not stand there.
    #[error("a CRL must be at an `http` URL in ASCII, saw `{0}`")]
    Address(String),
}

/// The TBSCertList of `issuer`, DER.
///
/// Fails when a serial number or an address cannot be written.
pub fn crl_tbs(issuer: &IssuingAuthority, content: &CrlContent<'_>) -> Result<Vec<u8>, CrlError> {
    for address in content.addresses {
        if !address.starts_with("http://") || !address.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(CrlError::Address(address.chars().take(100).collect()));
        }
    }
    for entry in content.entries {
        if !matches!(
            entry.serial.as_slice(),
            [0x01..=0x7f, ..] | [0, 0x80..=0xff, ..]
        ) || entry.serial.len() > 20
        {
            return Err(CrlError::Serial(
                hex::encode(&entry.serial).chars().take(100).collect(),
            ));
        }
    }
    let mut out = Vec::with_capacity(FRAME_SIZE + ENTRY_SIZE * content.entries.len());
    sequence(&mut out, |out| {
        // Version 2 is written as 1.
        primitive(out, asn1::INTEGER, &[1]);
        out.extend_from_slice(issuer.signature_algorithm().algorithm_identifier());
        out.extend_from_slice(issuer.subject_der());
        time(out, content.this_update);
        time(out, content.next_update);
        // RFC 5280 section 5.1.2.6: absent when nothing is revoked.
        if !content.entries.is_empty() {
            sequence(out, |out| {
                content.entries.iter().for_each(|entry| write(out, entry));
            });
        }
        element(out, 0xa0, |out| {
            sequence(out, |out| {
                extension(out, &AUTHORITY_KEY_IDENTIFIER, false, |out| {
                    sequence(out, |out| primitive(out, 0x80, issuer.ski()));
                });
                extension(out, &CRL_NUMBER, false, |out| number(out, content.number));
                if !content.addresses.is_empty() {
                    extension(out, &ISSUING_DISTRIBUTION_POINT, true, |out| {
                        distribution_point(out, content.addresses);
                    });
                }
            });
        });
    });
    Ok(out)
}

fn write(out: &mut Vec<u8>, entry: &CrlEntry) {
    sequence(out, |out| {
        primitive(out, asn1::INTEGER, &entry.serial);
        time(out, entry.revoked_at);
        if let Some(reason) = entry.reason {
            sequence(out, |out| {
                extension(out, &REASON_CODE, false, |out| {
                    primitive(out, ENUMERATED, &[reason]);
                });
            });
        }
    });
}

/// A positive INTEGER in its shortest form.
fn number(out: &mut Vec<u8>, number: u64) {
    let digits = number.to_be_bytes();
    let zeros = digits[..7].iter().take_while(|&&digit| digit == 0).count();
    element(out, asn1::INTEGER, |out| {
        if digits[zeros] & 0x80 != 0 {
            out.push(0);
        }
        out.extend_from_slice(&digits[zeros..]);
    });
}

/// fullName as the certificates have it, for subscriber certificates only.
fn distribution_point(out: &mut Vec<u8>, addresses: &[String]) {
    sequence(out, |out| {
        element(out, 0xa0, |out| {
            element(out, 0xa0, |out| {
                for address in addresses {
                    primitive(out, URI, address.as_bytes());
                }
            });
        });
        // onlyContainsUserCerts
        primitive(out, 0x81, &[0xff]);
    });
}
