//! The fields of a TBSCertificate (RFC 5280 section 4.1.2), borrowed and
//! uninterpreted, for [`super::Certificate`] and the linter.

use jiff::{Timestamp, civil, tz::TimeZone};

use crate::asn1::{self, Element, Malformed, Reader};

const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// A TBSCertificate, field by field.
#[derive(Debug)]
pub(crate) struct Tbs<'a> {
    /// 0 for version 1, 2 for version 3.
    pub(crate) version: u8,
    /// The INTEGER.
    pub(crate) serial: Element<'a>,
    pub(crate) algorithm: Element<'a>,
    pub(crate) issuer: Element<'a>,
    pub(crate) not_before: Element<'a>,
    pub(crate) not_after: Element<'a>,
    pub(crate) subject: Element<'a>,
    pub(crate) spki: Element<'a>,
    /// issuerUniqueID or subjectUniqueID, which nothing modern has.
    pub(crate) has_unique_ids: bool,
    pub(crate) extensions: Vec<Extension<'a>>,
}

/// One extension.
#[derive(Debug)]
pub(crate) struct Extension<'a> {
    /// Contents of the object identifier.
    pub(crate) oid: &'a [u8],
    pub(crate) critical: bool,
    /// `critical FALSE` written out, which DER forbids and old software does.
    pub(crate) writes_default: bool,
    /// Contents of the OCTET STRING.
    pub(crate) value: &'a [u8],
}

impl<'a> Tbs<'a> {
    /// Reads the SEQUENCE.
    pub(crate) fn read(tbs: Element<'a>) -> Result<Self, Malformed> {
        let mut fields = tbs.children();
        let version = match fields.optional(0xa0)? {
            Some(version) => {
                let mut inner = version.children();
                let number = inner.expect(asn1::INTEGER, "version")?;
                inner.finish("the version")?;
                match number.content {
                    &[number @ 0..=2] => number,
                    _ => return Err(number.malformed("an unknown version of certificate")),
                }
            }
            None => 0,
        };
        let serial = fields.expect(asn1::INTEGER, "serial number")?;
        let algorithm = fields.expect(asn1::SEQUENCE, "signature algorithm")?;
        let issuer = fields.expect(asn1::SEQUENCE, "issuer")?;
        let validity = fields.expect(asn1::SEQUENCE, "validity")?;
        let subject = fields.expect(asn1::SEQUENCE, "subject")?;
        let spki = fields.expect(asn1::SEQUENCE, "public key")?;
        let issuer_id = fields.optional(0x81)?;
        let subject_id = fields.optional(0x82)?;
        let extensions = match fields.optional(0xa3)? {
            Some(extensions) => read_extensions(extensions)?,
            None => Vec::new(),
        };
        fields.finish("the certificate's fields")?;
        let mut times = validity.children();
        let not_before = times.any()?;
        let not_after = times.any()?;
        times.finish("the validity")?;
        Ok(Self {
            version,
            serial,
            algorithm,
            issuer,
            not_before,
            not_after,
            subject,
            spki,
            has_unique_ids: issuer_id.is_some() || subject_id.is_some(),
            extensions,
        })
    }

    /// The extension with this identifier.
    pub(crate) fn extension(&self, oid: &[u8]) -> Option<&Extension<'a>> {
        self.extensions
            .iter()
            .find(|extension| extension.oid == oid)
    }
}

fn read_extensions(field: Element<'_>) -> Result<Vec<Extension<'_>>, Malformed> {
    let mut inner = field.children();
    let list = inner.expect(asn1::SEQUENCE, "extensions")?;
    inner.finish("the extensions")?;
    read_extension_list(list)
}

/// The entries of an `Extensions` SEQUENCE.
pub(crate) fn read_extension_list(list: Element<'_>) -> Result<Vec<Extension<'_>>, Malformed> {
    let mut entries = list.children();
    let mut extensions = Vec::new();
    while !entries.is_empty() {
        let mut entry = entries.expect(asn1::SEQUENCE, "extension")?.children();
        let oid = entry.oid("identifier of an extension")?;
        let critical = match entry.optional(asn1::BOOLEAN)? {
            Some(flag) => match flag.content {
                [0xff] => Some(true),
                [0] => Some(false),
                _ => return Err(flag.malformed("a BOOLEAN that is neither FALSE nor TRUE")),
            },
            None => None,
        };
        let value = entry
            .expect(asn1::OCTET_STRING, "value of an extension")?
            .content;
        entry.finish("the extension")?;
        extensions.push(Extension {
            oid,
            critical: critical == Some(true),
            writes_default: critical == Some(false),
            value,
        });
    }
    Ok(extensions)
}

/// A UTCTime or GeneralizedTime in the only forms RFC 5280 section 4.1.2.5
/// allows: to the second, in UTC.
pub(crate) fn read_time(time: Element<'_>) -> Result<Timestamp, Malformed> {
    let malformed =
        || time.malformed("a time that is not of the form YYMMDDhhmmssZ or YYYYMMDDhhmmssZ");
    let (&zone, digits) = time.content.split_last().ok_or_else(malformed)?;
    let year_digits = match time.tag {
        UTC_TIME => 2,
        GENERALIZED_TIME => 4,
        _ => return Err(malformed()),
    };
    if zone != b'Z' || digits.len() != year_digits + 10 || !digits.iter().all(u8::is_ascii_digit) {
        return Err(malformed());
    }
    let number = |digits: &[u8]| {
        digits
            .iter()
            .fold(0_i16, |number, digit| number * 10 + i16::from(digit - b'0'))
    };
    let (year, rest) = digits.split_at(year_digits);
    let year = match (year_digits, number(year)) {
        (2, year @ 0..=49) => 2000 + year,
        (2, year) => 1900 + year,
        (_, year) => year,
    };
    let field = |index: usize| number(&rest[index * 2..index * 2 + 2]) as i8;
    civil::DateTime::new(year, field(0), field(1), field(2), field(3), field(4), 0)
        .and_then(|utc| TimeZone::UTC.to_timestamp(utc))
        .map_err(|_| time.malformed("a time that does not exist"))
}

/// The elements of an extension's SEQUENCE.
pub(crate) fn sequence_of<'a>(value: &'a [u8], what: &str) -> Result<Reader<'a>, Malformed> {
    let mut reader = Reader::new(value);
    let sequence = reader.expect(asn1::SEQUENCE, what)?;
    reader.finish(what)?;
    Ok(sequence.children())
}
