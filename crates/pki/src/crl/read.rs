//! Reading a list: field by field for the linter, as a [`Crl`] for everybody else.

use jiff::Timestamp;

use super::CrlEntry;
use crate::{
    asn1::{self, Element, Malformed, Reader},
    certificate::{
        CertificateError,
        tbs::{Extension, read_extension_list, read_time},
    },
};

const CRL_NUMBER: &[u8] = &[0x55, 0x1d, 0x14];
const REASON_CODE: &[u8] = &[0x55, 0x1d, 0x15];
const UTC_TIME: u8 = 0x17;

/// A TBSCertList, field by field.
pub(super) struct Tbs<'a> {
    pub(super) version: Element<'a>,
    pub(super) algorithm: Element<'a>,
    pub(super) issuer: Element<'a>,
    pub(super) this_update: Element<'a>,
    pub(super) next_update: Element<'a>,
    pub(super) entries: Vec<Entry<'a>>,
    /// An empty list written out, which RFC 5280 section 5.1.2.6 forbids.
    pub(super) writes_no_entries: bool,
    pub(super) extensions: Vec<Extension<'a>>,
}

/// A revoked certificate.
pub(super) struct Entry<'a> {
    pub(super) serial: Element<'a>,
    pub(super) revoked_at: Element<'a>,
    pub(super) extensions: Vec<Extension<'a>>,
}

impl<'a> Tbs<'a> {
    /// Reads a TBSCertList that is the whole input.
    pub(super) fn from_der(der: &'a [u8]) -> Result<Self, Malformed> {
        let mut input = Reader::new(der);
        let tbs = input.expect(asn1::SEQUENCE, "TBSCertList")?;
        input.finish("the TBSCertList")?;
        Self::read(tbs)
    }

    fn read(tbs: Element<'a>) -> Result<Self, Malformed> {
        let mut fields = tbs.children();
        let version = fields.expect(asn1::INTEGER, "version")?;
        let algorithm = fields.expect(asn1::SEQUENCE, "signature algorithm")?;
        let issuer = fields.expect(asn1::SEQUENCE, "issuer")?;
        let this_update = fields.any()?;
        let next_update = fields.any()?;
        let list = fields.optional(asn1::SEQUENCE)?;
        let entries = list.map(read_entries).transpose()?.unwrap_or_default();
        let mut extensions = fields.expect(0xa0, "extensions")?.children();
        let extension_list = extensions.expect(asn1::SEQUENCE, "extensions")?;
        extensions.finish("the extensions")?;
        fields.finish("the list's fields")?;
        Ok(Self {
            version,
            algorithm,
            issuer,
            this_update,
            next_update,
            writes_no_entries: list.is_some() && entries.is_empty(),
            entries,
            extensions: read_extension_list(extension_list)?,
        })
    }

    /// The extension with this identifier.
    pub(super) fn extension(&self, oid: &[u8]) -> Option<&Extension<'a>> {
        self.extensions
            .iter()
            .find(|extension| extension.oid == oid)
    }

    /// CRLNumber.
    pub(super) fn number(&self) -> Result<Option<u64>, Malformed> {
        let Some(extension) = self.extension(CRL_NUMBER) else {
            return Ok(None);
        };
        let mut value = Reader::new(extension.value);
        let integer = value.expect(asn1::INTEGER, "cRLNumber")?;
        value.finish("cRLNumber")?;
        let digits = integer.unsigned()?;
        if digits.len() > 8 {
            return Err(integer.malformed("a cRLNumber beyond 64 bits"));
        }
        let number = digits
            .iter()
            .fold(0, |number, digit| number << 8 | u64::from(*digit));
        Ok(Some(number))
    }
}

impl Entry<'_> {
    /// CRLReason, when the entry has one.
    pub(super) fn reason(&self) -> Result<Option<u8>, Malformed> {
        let Some(extension) = self
            .extensions
            .iter()
            .find(|extension| extension.oid == REASON_CODE)
        else {
            return Ok(None);
        };
        match *extension.value {
            [0x0a, 1, reason] => Ok(Some(reason)),
            _ => Err(self.serial.malformed("a reason code that is not one byte")),
        }
    }
}

fn read_entries(list: Element<'_>) -> Result<Vec<Entry<'_>>, Malformed> {
    let mut rows = list.children();
    let mut entries = Vec::new();
    while !rows.is_empty() {
        let mut fields = rows
            .expect(asn1::SEQUENCE, "revoked certificate")?
            .children();
        let serial = fields.expect(asn1::INTEGER, "serial number")?;
        let revoked_at = fields.any()?;
        let extensions = match fields.optional(asn1::SEQUENCE)? {
            Some(extensions) => read_extension_list(extensions)?,
            None => Vec::new(),
        };
        fields.finish("the revoked certificate")?;
        entries.push(Entry {
            serial,
            revoked_at,
            extensions,
        });
    }
    Ok(entries)
}

/// A signed list, read. The signature is not verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crl {
    /// CRLNumber.
    pub number: Option<u64>,
    /// When it was made.
    pub this_update: Timestamp,
    /// By when there will be another one.
    pub next_update: Timestamp,
    /// Revoked certificates, as they stand there.
    pub entries: Vec<CrlEntry>,
}

impl Crl {
    /// Reads a CertificateList of version 2, DER.
    ///
    /// # Errors
    /// It is none, or lacks nextUpdate or extensions, which ours never do.
    pub fn from_der(der: &[u8]) -> Result<Self, CertificateError> {
        let mut input = Reader::new(der);
        let list = input.expect(asn1::SEQUENCE, "CertificateList")?;
        input.finish("the CertificateList")?;
        let mut parts = list.children();
        let tbs = Tbs::read(parts.expect(asn1::SEQUENCE, "TBSCertList")?)?;
        parts.expect(asn1::SEQUENCE, "signature algorithm")?;
        parts.expect(asn1::BIT_STRING, "signature")?;
        parts.finish("the CertificateList")?;
        let entries = tbs
            .entries
            .iter()
            .map(|entry| {
                Ok(CrlEntry {
                    serial: entry.serial.content.to_vec(),
                    revoked_at: read_time(entry.revoked_at)?,
                    reason: entry.reason()?,
                })
            })
            .collect::<Result<_, Malformed>>()?;
        Ok(Self {
            number: tbs.number()?,
            this_update: read_time(tbs.this_update)?,
            next_update: read_time(tbs.next_update)?,
            entries,
        })
    }
}

/// The moment in `time`, which has to be in the form for its year (RFC 5280 section 5.1.2.4).
pub(super) fn read_strict_time(time: Element<'_>) -> Result<Timestamp, Malformed> {
    /// 2050-01-01T00:00:00Z
    const GENERALIZED_TIME_BEGINS: i64 = 2_524_608_000;
    let moment = read_time(time)?;
    if (moment.as_second() < GENERALIZED_TIME_BEGINS) == (time.tag == UTC_TIME) {
        Ok(moment)
    } else {
        Err(time.malformed("a time that is not UTCTime through 2049 and GeneralizedTime after"))
    }
}
