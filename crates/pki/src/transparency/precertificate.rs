//! The three forms of one certificate: as it was recorded, with the poison, with the list.

use super::sct::{Sct, SctError, encode_list};
use super::{POISON, SCT_LIST};
use crate::asn1::{self, Element, Malformed, Reader};
use crate::profile::encode::{element, extension, primitive, sequence};

/// Tag of the field `extensions` of a TBSCertificate.
const EXTENSIONS: u8 = 0xa3;

/// Why certificate and precertificate are not the same certificate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CorrespondenceError {
    /// One of them cannot be read.
    #[error("the {what} is not DER: {problem} at byte {offset}")]
    Malformed {
        /// `precertificate` or `certificate`.
        what: &'static str,
        /// Bytes from its beginning.
        offset: usize,
        /// What was expected and seen there.
        problem: String,
    },
    /// The precertificate has no poison, or not as it must be, or has promises.
    #[error(
        "a precertificate must have the poison once, critical and NULL, and no list of promises"
    )]
    Poison,
    /// The certificate has no list of promises, or not as it must be, or is poisoned.
    #[error("a certificate must have one list of promises, which is not critical, and no poison")]
    List,
    /// They differ in more than that.
    #[error(
        "certificate and precertificate differ in more than the poison and the list of promises"
    )]
    Different,
}

/// The TBSCertificate of the precertificate of `tbs`: the same with the poison behind it (P-8).
///
/// # Errors
/// When `tbs`, DER, is not a TBSCertificate with extensions.
pub fn precertificate_tbs(tbs: &[u8]) -> Result<Vec<u8>, CorrespondenceError> {
    let poisoned = with_extension(tbs, |out| {
        extension(out, &POISON, true, |out| primitive(out, asn1::NULL, &[]));
    });
    poisoned.map_err(|malformed| unreadable("certificate", malformed))
}

/// The TBSCertificate with `scts` behind `tbs` (RFC 6962 section 3.3).
///
/// # Errors
/// When `tbs`, DER, is not a TBSCertificate with extensions, or there are no promises, or too many for one list.
pub fn logged_tbs(tbs: &[u8], scts: &[Sct]) -> Result<Vec<u8>, LoggedError> {
    let list = encode_list(scts)?;
    let logged = with_extension(tbs, |out| {
        extension(out, &SCT_LIST, false, |out| {
            primitive(out, asn1::OCTET_STRING, &list);
        });
    });
    logged.map_err(|malformed| unreadable("certificate", malformed).into())
}

/// Why no certificate with promises can be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoggedError {
    /// Of the promises.
    #[error(transparent)]
    List(#[from] SctError),
    /// Of the certificate.
    #[error(transparent)]
    Certificate(#[from] CorrespondenceError),
}

/// What a log signs of a precertificate, and what everybody else makes of the certificate to see whether it did: its
/// TBSCertificate without poison and list (RFC 6962 section 3.2). `der` is either, whole and signed.
///
/// # Errors
/// When it cannot be read.
pub fn entry_tbs(der: &[u8]) -> Result<Vec<u8>, CorrespondenceError> {
    let read = Parts::read(der).and_then(|parts| parts.entry());
    read.map_err(|malformed| unreadable("certificate", malformed))
}

/// Proves that `certificate` is `precertificate` without its poison and with a list of promises, and nothing else
/// (P-10). Both are read anew, whole and DER: it is not asked how they were made.
pub fn correspond(precertificate: &[u8], certificate: &[u8]) -> Result<(), CorrespondenceError> {
    let before = |malformed| unreadable("precertificate", malformed);
    let after = |malformed| unreadable("certificate", malformed);
    let poisoned = Parts::read(precertificate).map_err(before)?;
    let listed = Parts::read(certificate).map_err(after)?;
    let is_poison = |one: &Extension<'_>| one.critical && one.value == [asn1::NULL, 0];
    match poisoned.marks().map_err(before)?.as_slice() {
        [one] if one.oid == POISON && is_poison(one) => {}
        _ => return Err(CorrespondenceError::Poison),
    }
    match listed.marks().map_err(after)?.as_slice() {
        [one] if one.oid == SCT_LIST && !one.critical => {}
        _ => return Err(CorrespondenceError::List),
    }
    let is_same = poisoned.algorithm == listed.algorithm
        && poisoned.entry().map_err(before)? == listed.entry().map_err(after)?;
    if is_same {
        Ok(())
    } else {
        Err(CorrespondenceError::Different)
    }
}

/// Whether a certificate, DER, carries promises.
pub fn has_scts(der: &[u8]) -> bool {
    let marks = Parts::read(der).and_then(|parts| {
        let marks = parts.marks()?;
        Ok(marks.iter().any(|one| one.oid == SCT_LIST))
    });
    marks.unwrap_or(false)
}

fn unreadable(what: &'static str, malformed: Malformed) -> CorrespondenceError {
    CorrespondenceError::Malformed {
        what,
        offset: malformed.offset,
        problem: malformed.problem,
    }
}

/// `tbs` with one more extension behind those it has.
fn with_extension(tbs: &[u8], add: impl FnOnce(&mut Vec<u8>)) -> Result<Vec<u8>, Malformed> {
    let mut input = Reader::new(tbs);
    let whole = input.expect(asn1::SEQUENCE, "TBSCertificate")?;
    input.finish("the TBSCertificate")?;
    let (fields, extensions) = split(whole)?;
    let mut out = Vec::with_capacity(tbs.len() + 512);
    sequence(&mut out, |out| {
        out.extend_from_slice(fields);
        element(out, EXTENSIONS, |out| {
            sequence(out, |out| {
                out.extend_from_slice(extensions.content);
                add(out);
            });
        });
    });
    Ok(out)
}

/// The bytes before the extensions, and the list of these, of a TBSCertificate.
fn split(tbs: Element<'_>) -> Result<(&[u8], Element<'_>), Malformed> {
    let mut fields = tbs.children();
    loop {
        if fields.peek() == Some(EXTENSIONS) {
            let field = fields.any()?;
            fields.finish("the certificate's fields")?;
            let before = tbs.content.len() - field.encoding.len();
            let mut inner = field.children();
            let list = inner.expect(asn1::SEQUENCE, "extensions")?;
            inner.finish("the extensions")?;
            return Ok((&tbs.content[..before], list));
        }
        if fields.is_empty() {
            return Err(tbs.malformed("a certificate without extensions"));
        }
        fields.any()?;
    }
}

/// A signed certificate, taken apart as far as it matters here.
struct Parts<'a> {
    /// Everything before the extensions.
    fields: &'a [u8],
    extensions: Element<'a>,
    algorithm: &'a [u8],
}

/// An extension that a certificate or a precertificate alone has.
struct Extension<'a> {
    oid: &'a [u8],
    critical: bool,
    value: &'a [u8],
}

impl<'a> Parts<'a> {
    fn read(der: &'a [u8]) -> Result<Self, Malformed> {
        let mut input = Reader::new(der);
        let certificate = input.expect(asn1::SEQUENCE, "certificate")?;
        input.finish("the certificate")?;
        let mut parts = certificate.children();
        let tbs = parts.expect(asn1::SEQUENCE, "signed part of the certificate")?;
        let algorithm = parts.expect(asn1::SEQUENCE, "signature algorithm")?;
        parts.expect(asn1::BIT_STRING, "signature")?;
        parts.finish("the certificate")?;
        let (fields, extensions) = split(tbs)?;
        Ok(Self {
            fields,
            extensions,
            algorithm: algorithm.encoding,
        })
    }

    /// Poison and lists, in their order.
    fn marks(&self) -> Result<Vec<Extension<'a>>, Malformed> {
        let mut marks = Vec::new();
        let mut list = self.extensions.children();
        while !list.is_empty() {
            let one = list.expect(asn1::SEQUENCE, "extension")?;
            let mut fields = one.children();
            let oid = fields.oid("identifier of an extension")?;
            if !is_mark(oid) {
                continue;
            }
            let critical = fields.optional(asn1::BOOLEAN)?;
            let value = fields.expect(asn1::OCTET_STRING, "value of an extension")?;
            fields.finish("the extension")?;
            marks.push(Extension {
                oid,
                critical: critical.is_some_and(|flag| flag.content == [0xff]),
                value: value.content,
            });
        }
        Ok(marks)
    }

    /// The TBSCertificate without them.
    fn entry(&self) -> Result<Vec<u8>, Malformed> {
        let mut kept = Vec::with_capacity(self.extensions.content.len());
        let mut list = self.extensions.children();
        while !list.is_empty() {
            let one = list.expect(asn1::SEQUENCE, "extension")?;
            if !is_mark(one.children().oid("identifier of an extension")?) {
                kept.extend_from_slice(one.encoding);
            }
        }
        let extensions = asn1::element(EXTENSIONS, &asn1::element(asn1::SEQUENCE, &kept));
        Ok(asn1::element(
            asn1::SEQUENCE,
            &[self.fields, &extensions].concat(),
        ))
    }
}

fn is_mark(oid: &[u8]) -> bool {
    oid == POISON || oid == SCT_LIST
}
