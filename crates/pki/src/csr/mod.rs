//! Certificate signing requests (PKCS#10, RFC 2986).
//!
//! [`Csr::parse`] answers whether the text is a request at all and stops at the
//! first fault. [`Csr::check`] then finds everything that forbids issuing from
//! it, at once. In between lies a request that can be shown although it will
//! be refused, as for a key type that we do not accept.
//!
//! The bytes as received are kept: the signature is verified over them, and
//! hashes over them identify the request.

mod envelope;
mod error;
mod extension;
mod subject;

use std::net::IpAddr;
use std::ops::Range;

use aws_lc_rs::digest;
use md5::{Digest, Md5};

pub use error::CsrError;
pub use subject::CsrSubject;

use crate::asn1::{self, Element, Malformed, Reader};
use crate::key::{KeyPolicy, PublicKey, SignatureError, signature_hash_name, verify_signature};
use crate::name::{DnsName, NamePolicy};
use extension::Requested;
use subject::CommonName;

/// Largest DER: 16 KiB of base64 hold little more.
const LONGEST_DER: usize = 12 * 1024;

/// Longest common name that a certificate holds, characters (RFC 5280
/// appendix A, `ub-common-name`).
const LONGEST_COMMON_NAME: usize = 64;

const EXTENSION_REQUEST: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0e";
/// Microsoft's `szOID_CERT_EXTENSIONS`, which old tools write instead.
const MICROSOFT_EXTENSIONS: &[u8] = b"\x2b\x06\x01\x04\x01\x82\x37\x02\x01\x0e";

/// A request that could be read.
#[derive(Clone, Debug)]
pub struct Csr {
    der: Box<[u8]>,
    /// `CertificationRequestInfo`: what is signed.
    info: Range<usize>,
    signature_algorithm: Range<usize>,
    signature: Range<usize>,
    public_key: PublicKey,
    subject: CsrSubject,
    common_names: Vec<CommonName>,
    common_name: Option<String>,
    requested: Requested,
}

/// The common name of a request by which the holder of a key says that it is compromised.
pub const CONFESSION: &str = "this key is compromised";

/// What a caller accepts in a request.
#[derive(Clone, Copy, Debug)]
pub struct CsrPolicy<'a> {
    /// Keys.
    pub keys: KeyPolicy,
    /// Names.
    pub names: &'a NamePolicy,
    /// The product certifies IP addresses as well.
    pub allow_ip: bool,
}

impl Csr {
    /// Reads a request from a field that should contain PEM (C-1 to C-5).
    ///
    /// # Errors
    /// With the first fault found, and how to mend it.
    pub fn parse(text: &str) -> Result<Self, CsrError> {
        Self::from_der(&envelope::decode(text)?)
    }

    /// Reads a request in DER (C-3 to C-5).
    ///
    /// # Errors
    /// With the first fault found and its position.
    pub fn from_der(der: &[u8]) -> Result<Self, CsrError> {
        if der.len() > LONGEST_DER {
            return Err(CsrError::TooLong {
                form: "DER",
                bytes: der.len(),
                limit: LONGEST_DER,
            });
        }
        let mut input = Reader::new(der);
        let request = input.expect(asn1::SEQUENCE, "CertificationRequest")?;
        input.finish("the request")?;
        let mut parts = request.children();
        let info = parts.expect(asn1::SEQUENCE, "CertificationRequestInfo")?;
        let signature_algorithm = parts.expect(asn1::SEQUENCE, "signature algorithm")?;
        let signature = parts.expect(asn1::BIT_STRING, "signature")?;
        parts.finish("the request")?;
        let signature_bytes = signature.whole_bytes()?;

        let mut fields = info.children();
        let version = fields.expect(asn1::INTEGER, "version")?.unsigned()?;
        if version != [0] {
            return Err(CsrError::Version {
                found: format!("0x{}", hex::encode(version)),
            });
        }
        let name = fields.expect(asn1::SEQUENCE, "subject")?;
        let key = fields.expect(asn1::SEQUENCE, "public key")?;
        if fields.is_empty() {
            return Err(CsrError::NoAttributes);
        }
        let attributes = fields.expect(0xa0, "attributes")?;
        fields.finish("CertificationRequestInfo")?;

        let (subject, common_names) = subject::read(name)?;
        let public_key = PublicKey::read(key.encoding)
            .map_err(|inner| Malformed::new(key.offset + inner.offset, inner.problem))?;
        // The signature is the last thing in the input.
        let signature = der.len() - signature_bytes.len()..der.len();
        Ok(Self {
            info: range(info),
            signature_algorithm: range(signature_algorithm),
            signature,
            public_key,
            common_name: common_names
                .first()
                .and_then(|name| Some(name.value.as_deref()?.to_ascii_lowercase())),
            subject,
            common_names,
            requested: read_attributes(attributes)?,
            der: der.into(),
        })
    }

    /// Everything that forbids issuing from this request (C-6 to C-8, C-11 to
    /// C-20, and section 1 of the rule book for each name); empty when nothing
    /// does.
    pub fn check(&self, policy: &CsrPolicy<'_>) -> Vec<CsrError> {
        let mut errors: Vec<CsrError> = self
            .public_key
            .problems(&policy.keys)
            .into_iter()
            .map(CsrError::Key)
            .collect();
        match self.verify_signature() {
            // What counts is the key: with one that is refused, the library may
            // not verify at all, or the algorithm have nothing to fit.
            Err(SignatureError::Invalid | SignatureError::Family { .. }) if !errors.is_empty() => {}
            Err(error) => errors.push(error.into()),
            Ok(()) => {}
        }
        errors.extend(self.requested.refusals.iter().cloned());
        if !policy.allow_ip {
            errors.extend(
                self.ip_addresses()
                    .iter()
                    .map(|address| CsrError::IpAddress {
                        address: address.to_string(),
                    }),
            );
        }
        self.check_common_name(policy, &mut errors);
        errors.extend(self.dns_names().iter().filter_map(|name| {
            let error = DnsName::parse_folded(name, policy.names).err()?;
            Some(CsrError::Name {
                place: "alternative name",
                name: name.clone(),
                error,
            })
        }));
        errors
    }

    /// C-8.
    fn check_common_name(&self, policy: &CsrPolicy<'_>, errors: &mut Vec<CsrError>) {
        if self.common_names.len() > 1 {
            errors.push(CsrError::SeveralCommonNames {
                found: self.common_names.len(),
            });
        }
        for common_name in &self.common_names {
            if let Some(found) = common_name.outdated_type() {
                errors.push(CsrError::CommonNameType { found });
            }
            let Some(name) = &common_name.value else {
                continue;
            };
            if name.parse::<IpAddr>().is_ok() {
                if !policy.allow_ip {
                    errors.push(CsrError::IpAddress {
                        address: name.clone(),
                    });
                }
            } else if let Err(error) = DnsName::parse_folded(name, policy.names) {
                errors.push(CsrError::Name {
                    place: "common name",
                    name: name.clone(),
                    error,
                });
            }
        }
    }

    /// Proof of possession: the request is signed with the key in it (C-11,
    /// C-12), over the bytes as received.
    fn verify_signature(&self) -> Result<(), SignatureError> {
        verify_signature(
            &self.public_key,
            &self.der[self.signature_algorithm.clone()],
            &self.der[self.info.clone()],
            &self.der[self.signature.clone()],
        )
    }

    /// Whether the request proves that its key is compromised: its only common name is [`CONFESSION`], in any
    /// case, and the key has signed that. Its blanks keep a request for a certificate from ever saying so by chance.
    pub fn proves_compromise(&self) -> bool {
        self.common_names.len() == 1
            && self
                .common_name()
                .is_some_and(|name| name.eq_ignore_ascii_case(CONFESSION))
            && self.verify_signature().is_ok()
    }

    /// What the request asks for and will not get, for people.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = self.requested.warnings.clone();
        if self.subject.organizational_unit.is_some() {
            warnings.push("the organizational unit (OU) is never certified".to_owned());
        }
        if self
            .common_name()
            .is_some_and(|name| name.chars().count() > LONGEST_COMMON_NAME)
        {
            warnings.push(format!(
                "the common name has more than {LONGEST_COMMON_NAME} characters; the certificate \
                 carries it as an alternative name only"
            ));
        }
        warnings
    }

    /// The request as received.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The request as a PEM block in its usual form.
    pub fn pem(&self) -> String {
        crate::certificate::pem("CERTIFICATE REQUEST", &self.der)
    }

    /// MD5 over the DER, lower-case hexadecimal. It names files and labels in
    /// validation schemes of the trade and protects nothing.
    pub fn md5_hex(&self) -> String {
        hex::encode(Md5::digest(&self.der))
    }

    /// SHA-256 over the DER.
    pub fn sha256(&self) -> [u8; 32] {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest::digest(&digest::SHA256, &self.der).as_ref());
        hash
    }

    /// The same, lower-case hexadecimal.
    pub fn sha256_hex(&self) -> String {
        hex::encode(self.sha256())
    }

    /// SHA-512 over the DER, lower-case hexadecimal.
    pub fn sha512_hex(&self) -> String {
        hex::encode(digest::digest(&digest::SHA512, &self.der))
    }

    /// A hash over the DER that is no weaker than the one the request is signed with (D-5): SHA-256 for a request
    /// signed with SHA-256, else SHA-512; lower-case hexadecimal.
    pub fn token_hash_hex(&self) -> String {
        if self.signature_hash_name() == "SHA-256" {
            self.sha256_hex()
        } else {
            self.sha512_hex()
        }
    }

    /// The key to certify.
    pub fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// The (first) common name, ASCII folded to lower case.
    pub fn common_name(&self) -> Option<&str> {
        self.common_name.as_deref()
    }

    /// The alternative names that are DNS names, in the request's order, ASCII
    /// folded to lower case, each once (N-18). The common name is not added.
    pub fn dns_names(&self) -> &[String] {
        &self.requested.dns_names
    }

    /// The alternative names that are IP addresses, each once.
    pub fn ip_addresses(&self) -> &[IpAddr] {
        &self.requested.ip_addresses
    }

    /// The subject.
    pub fn subject(&self) -> &CsrSubject {
        &self.subject
    }

    /// The hash with which the request is signed, such as `SHA-256`; `unknown`
    /// for algorithms that we do not know.
    pub fn signature_hash_name(&self) -> &str {
        signature_hash_name(&self.der[self.signature_algorithm.clone()])
    }
}

fn range(element: Element<'_>) -> Range<usize> {
    element.offset..element.offset + element.encoding.len()
}

/// C-5: the extension request is read, everything else tolerated.
fn read_attributes(attributes: Element<'_>) -> Result<Requested, CsrError> {
    let mut requested: Option<Requested> = None;
    let mut extension_requests = 0;
    let mut microsoft = false;
    let mut list = attributes.children();
    while !list.is_empty() {
        let attribute = list.expect(asn1::SEQUENCE, "attribute")?;
        let mut fields = attribute.children();
        let oid = fields.oid("type of an attribute")?;
        let values = fields.expect(asn1::SET, "values of an attribute")?;
        fields.finish("an attribute")?;
        microsoft |= oid == MICROSOFT_EXTENSIONS;
        let mut values = values.children();
        while !values.is_empty() {
            if oid == EXTENSION_REQUEST {
                extension_requests += 1;
                requested = Some(Requested::read(
                    values.expect(asn1::SEQUENCE, "extensions")?,
                )?);
            } else {
                values.any()?;
            }
        }
    }
    if extension_requests > 1 {
        return Err(CsrError::SeveralExtensionRequests {
            found: extension_requests,
        });
    }
    let mut requested = requested.unwrap_or_default();
    if microsoft {
        requested.warnings.push(
            "the request asks for extensions in an attribute of Microsoft's; they are ignored, \
             also names in them"
                .to_owned(),
        );
    }
    Ok(requested)
}

#[cfg(test)]
mod tests;
