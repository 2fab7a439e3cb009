//! DER written in place, outermost element first.
//!
//! A certificate is some sixty elements deep in each other; the length of each
//! is filled in when its contents are known, so nothing is copied for the usual
//! short ones.

use jiff::{Timestamp, tz::TimeZone};

use crate::asn1;

pub(super) const UTF8_STRING: u8 = 0x0c;
pub(super) const PRINTABLE_STRING: u8 = 0x13;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// An element whose contents `content` writes.
pub(crate) fn element(out: &mut Vec<u8>, tag: u8, content: impl FnOnce(&mut Vec<u8>)) {
    out.push(tag);
    let length_at = out.len();
    out.push(0);
    content(out);
    let length = out.len() - length_at - 1;
    if length < 0x80 {
        out[length_at] = length as u8;
    } else {
        let digits = length.to_be_bytes();
        let zeros = digits.iter().take_while(|&&digit| digit == 0).count();
        out[length_at] = 0x80 | (digits.len() - zeros) as u8;
        let after = length_at + 1;
        out.splice(after..after, digits[zeros..].iter().copied());
    }
}

pub(crate) fn sequence(out: &mut Vec<u8>, content: impl FnOnce(&mut Vec<u8>)) {
    element(out, asn1::SEQUENCE, content);
}

pub(crate) fn primitive(out: &mut Vec<u8>, tag: u8, content: &[u8]) {
    element(out, tag, |out| out.extend_from_slice(content));
}

/// A BIT STRING of whole bytes.
pub(crate) fn bit_string(out: &mut Vec<u8>, bytes: &[u8]) {
    element(out, asn1::BIT_STRING, |out| {
        out.push(0);
        out.extend_from_slice(bytes);
    });
}

/// UTCTime through 2049, GeneralizedTime after, no fractions (P-12).
pub(crate) fn time(out: &mut Vec<u8>, moment: Timestamp) {
    let utc = TimeZone::UTC.to_datetime(moment);
    let (tag, century) = match utc.year() {
        1950..=2049 => (UTC_TIME, None),
        year => (GENERALIZED_TIME, Some(year / 100)),
    };
    element(out, tag, |out| {
        if let Some(century) = century {
            two_digits(out, century);
        }
        two_digits(out, utc.year() % 100);
        for field in [
            utc.month(),
            utc.day(),
            utc.hour(),
            utc.minute(),
            utc.second(),
        ] {
            two_digits(out, field.into());
        }
        out.push(b'Z');
    });
}

/// Always a GeneralizedTime, no fractions, as OCSP wants it (RFC 6960 section 4.2.2.1); years of four digits.
pub(crate) fn generalized_time(out: &mut Vec<u8>, moment: Timestamp) {
    let utc = TimeZone::UTC.to_datetime(moment);
    element(out, GENERALIZED_TIME, |out| {
        two_digits(out, utc.year() / 100);
        for field in [
            utc.year() % 100,
            utc.month().into(),
            utc.day().into(),
            utc.hour().into(),
            utc.minute().into(),
            utc.second().into(),
        ] {
            two_digits(out, field);
        }
        out.push(b'Z');
    });
}

fn two_digits(out: &mut Vec<u8>, number: i16) {
    out.extend([b'0' + (number / 10) as u8, b'0' + (number % 10) as u8]);
}

/// An Extension of RFC 5280 section 4.1: `value` writes what stands in the OCTET STRING.
pub(crate) fn extension(
    out: &mut Vec<u8>,
    oid: &[u8],
    critical: bool,
    value: impl FnOnce(&mut Vec<u8>),
) {
    sequence(out, |out| {
        primitive(out, asn1::OID, oid);
        if critical {
            primitive(out, asn1::BOOLEAN, &[0xff]);
        }
        element(out, asn1::OCTET_STRING, value);
    });
}
