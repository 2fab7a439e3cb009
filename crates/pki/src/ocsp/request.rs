//! OCSPRequest, RFC 6960 section 4.1.

use crate::{
    asn1::{self, Element, Malformed, Reader, element},
    certificate::tbs::read_extension_list,
};

/// Most certificates that one request may ask about: each costs a look into the store.
pub const MOST_CERTIFICATES: usize = 32;
/// Longest nonce, in octets (RFC 9654 section 2.1); an empty one is none.
const LONGEST_NONCE: usize = 128;

const NONCE: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x02];
const SHA1: &[u8] = &[0x2b, 0x0e, 0x03, 0x02, 0x1a];
const SHA256: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];

/// Why a request cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an OCSP request: {problem} at byte {offset}")]
pub struct RequestError {
    offset: usize,
    problem: String,
}

impl From<Malformed> for RequestError {
    fn from(malformed: Malformed) -> Self {
        Self {
            offset: malformed.offset,
            problem: malformed.problem,
        }
    }
}

/// How a [`CertId`] names the issuer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hash {
    Sha1,
    Sha256,
    /// One by which no authority is known here.
    Other,
}

/// Which certificate is asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertId {
    pub(super) hash: Hash,
    pub(super) issuer_name: Box<[u8]>,
    pub(super) issuer_key: Box<[u8]>,
    serial: Box<[u8]>,
    encoding: Box<[u8]>,
}

impl CertId {
    /// Contents of the serial number's INTEGER.
    pub fn serial(&self) -> &[u8] {
        &self.serial
    }

    /// As it came, DER: the answer repeats it byte for byte.
    pub(super) fn encoding(&self) -> &[u8] {
        &self.encoding
    }

    fn read(element: Element<'_>) -> Result<Self, Malformed> {
        let mut fields = element.children();
        let hash = read_hash(fields.expect(asn1::SEQUENCE, "hashAlgorithm")?)?;
        let issuer_name = fields.expect(asn1::OCTET_STRING, "issuerNameHash")?;
        let issuer_key = fields.expect(asn1::OCTET_STRING, "issuerKeyHash")?;
        let serial = fields.expect(asn1::INTEGER, "serialNumber")?;
        fields.finish("the CertID")?;
        if serial.content.is_empty() {
            return Err(serial.malformed("INTEGER without content"));
        }
        Ok(Self {
            hash,
            issuer_name: issuer_name.content.into(),
            issuer_key: issuer_key.content.into(),
            serial: serial.content.into(),
            encoding: element.encoding.into(),
        })
    }
}

/// A request for one certificate, whose issuer is named by SHA-1; `serial` is the content of its INTEGER.
pub(super) fn write(issuer_name: &[u8], issuer_key: &[u8], serial: &[u8]) -> Vec<u8> {
    let sequence = |parts: &[&[u8]]| element(asn1::SEQUENCE, &parts.concat());
    let algorithm = sequence(&[&element(asn1::OID, SHA1), &element(asn1::NULL, &[])]);
    let certificate = sequence(&[
        &algorithm,
        &element(asn1::OCTET_STRING, issuer_name),
        &element(asn1::OCTET_STRING, issuer_key),
        &element(asn1::INTEGER, serial),
    ]);
    // Request, requestList, tbsRequest, OCSPRequest.
    (0..4).fold(certificate, |inner, _| sequence(&[&inner]))
}

fn read_hash(algorithm: Element<'_>) -> Result<Hash, Malformed> {
    let mut fields = algorithm.children();
    let oid = fields.oid("hash algorithm")?;
    // NULL or nothing (RFC 5754 section 2); other parameters belong to other algorithms.
    let plain = fields.is_empty() || {
        let parameters = fields.any()?;
        parameters.tag == asn1::NULL && parameters.content.is_empty()
    };
    fields.finish("the hashAlgorithm")?;
    Ok(match oid {
        SHA1 if plain => Hash::Sha1,
        SHA256 if plain => Hash::Sha256,
        _ => Hash::Other,
    })
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OcspRequest {
    certificates: Vec<CertId>,
    nonce: Option<Box<[u8]>>,
}

impl OcspRequest {
    /// Reads a request in DER. A signature is not looked at: everybody may ask.
    pub fn from_der(der: &[u8]) -> Result<Self, RequestError> {
        let mut input = Reader::new(der);
        let request = input.expect(asn1::SEQUENCE, "OCSPRequest")?;
        input.finish("the request")?;
        let mut parts = request.children();
        let signed = parts.expect(asn1::SEQUENCE, "tbsRequest")?;
        parts.optional(0xa0)?;
        parts.finish("the OCSPRequest")?;

        let mut fields = signed.children();
        if let Some(version) = fields.optional(0xa0)? {
            let mut inner = version.children();
            let number = inner.expect(asn1::INTEGER, "version")?;
            inner.finish("the version")?;
            if number.content != [0] {
                return Err(number.malformed("an unknown version of OCSP").into());
            }
        }
        fields.optional(0xa1)?;
        let list = fields.expect(asn1::SEQUENCE, "requestList")?;
        let nonce = match fields.optional(0xa2)? {
            Some(extensions) => read_nonce(extensions)?,
            None => None,
        };
        fields.finish("the tbsRequest")?;
        Ok(Self {
            certificates: read_list(list)?,
            nonce,
        })
    }

    /// The certificates it asks about: from one to [`MOST_CERTIFICATES`].
    pub fn certificates(&self) -> &[CertId] {
        &self.certificates
    }

    /// What the answer has to repeat, 1 to 128 octets.
    pub fn nonce(&self) -> Option<&[u8]> {
        self.nonce.as_deref()
    }
}

fn read_list(list: Element<'_>) -> Result<Vec<CertId>, Malformed> {
    let mut entries = list.children();
    let mut certificates = Vec::new();
    while !entries.is_empty() {
        let entry = entries.expect(asn1::SEQUENCE, "Request")?;
        if certificates.len() == MOST_CERTIFICATES {
            return Err(entry.malformed(format!(
                "more than {MOST_CERTIFICATES} certificates in one request"
            )));
        }
        let mut fields = entry.children();
        let certificate = CertId::read(fields.expect(asn1::SEQUENCE, "reqCert")?)?;
        if let Some(extensions) = fields.optional(0xa0)? {
            refuse_critical(extensions)?;
        }
        fields.finish("the Request")?;
        certificates.push(certificate);
    }
    if certificates.is_empty() {
        return Err(list.malformed("a request that asks about no certificate"));
    }
    Ok(certificates)
}

/// RFC 9654 section 2.1: a nonce of another length makes the request malformed.
fn read_nonce(field: Element<'_>) -> Result<Option<Box<[u8]>>, Malformed> {
    let mut nonce = None;
    let mut inner = field.children();
    let list = inner.expect(asn1::SEQUENCE, "requestExtensions")?;
    inner.finish("the requestExtensions")?;
    for extension in read_extension_list(list)? {
        if extension.oid == NONCE {
            let mut value = Reader::new(extension.value);
            let octets = value.expect(asn1::OCTET_STRING, "nonce")?.content;
            value.finish("the nonce")?;
            if octets.is_empty() || octets.len() > LONGEST_NONCE {
                return Err(list.malformed(format!(
                    "a nonce of {} octets, expected 1 to {LONGEST_NONCE}",
                    octets.len()
                )));
            }
            if nonce.replace(octets.into()).is_some() {
                return Err(list.malformed("two nonces"));
            }
        } else if extension.critical {
            return Err(list.malformed("a critical extension that is not known here"));
        }
    }
    Ok(nonce)
}

fn refuse_critical(field: Element<'_>) -> Result<(), Malformed> {
    let mut inner = field.children();
    let list = inner.expect(asn1::SEQUENCE, "singleRequestExtensions")?;
    inner.finish("the singleRequestExtensions")?;
    if read_extension_list(list)?.iter().any(|one| one.critical) {
        return Err(list.malformed("a critical extension that is not known here"));
    }
    Ok(())
}
