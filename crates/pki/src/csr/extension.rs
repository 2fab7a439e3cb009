//! The extensions that a request asks for (C-5 to C-7).
//!
//! Only the alternative names count. What would turn the certificate into
//! something other than that of a TLS server is refused loudly, since the
//! caller wants what we never give; everything else is ignored, with a warning
//! where the caller may miss it.

use std::net::IpAddr;

use crate::asn1::{self, Element, Malformed, Reader};
use crate::csr::CsrError;

/// What a request asks for beside subject and key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Requested {
    /// In the request's order, without duplicates, ASCII folded to lower case.
    pub(super) dns_names: Vec<String>,
    pub(super) ip_addresses: Vec<IpAddr>,
    /// Found while reading, whatever the policy.
    pub(super) refusals: Vec<CsrError>,
    pub(super) warnings: Vec<String>,
}

const SUBJECT_ALT_NAME: &[u8] = b"\x55\x1d\x11";
const BASIC_CONSTRAINTS: &[u8] = b"\x55\x1d\x13";
const NAME_CONSTRAINTS: &[u8] = b"\x55\x1d\x1e";
const EXTENDED_KEY_USAGE: &[u8] = b"\x55\x1d\x25";
const TLS_FEATURE: &[u8] = b"\x2b\x06\x01\x05\x05\x07\x01\x18";

/// Ignored without a word: the certificate has its own of them.
const SILENT: &[&[u8]] = &[
    b"\x55\x1d\x0e", // subjectKeyIdentifier
    b"\x55\x1d\x0f", // keyUsage
];

/// Purposes that the certificate of a TLS server never has.
const REFUSED_PURPOSES: &[(&[u8], &str)] = &[
    (b"\x55\x1d\x25\x00", "anyExtendedKeyUsage"),
    (b"\x2b\x06\x01\x05\x05\x07\x03\x03", "codeSigning"),
    (b"\x2b\x06\x01\x05\x05\x07\x03\x04", "emailProtection"),
    (b"\x2b\x06\x01\x05\x05\x07\x03\x08", "timeStamping"),
    (b"\x2b\x06\x01\x05\x05\x07\x03\x09", "OCSPSigning"),
];
const SERVER_AUTH: &[u8] = b"\x2b\x06\x01\x05\x05\x07\x03\x01";
const CLIENT_AUTH: &[u8] = b"\x2b\x06\x01\x05\x05\x07\x03\x02";

impl Requested {
    /// Reads the value of `extensionRequest`: `Extensions` (RFC 5280 section
    /// 4.1).
    pub(super) fn read(extensions: Element<'_>) -> Result<Self, Malformed> {
        let mut requested = Self::default();
        let mut seen: Vec<&[u8]> = Vec::new();
        let mut list = extensions.children();
        while !list.is_empty() {
            let extension = list.expect(asn1::SEQUENCE, "extension")?;
            let mut fields = extension.children();
            let oid = fields.oid("type of an extension")?;
            if let Some(critical) = fields.optional(asn1::BOOLEAN)?
                && critical.content != [0xff]
            {
                return Err(critical.malformed(
                    "`critical` is written although it is FALSE or not in its DER form (0xff): \
                     DER leaves a default out",
                ));
            }
            let value = fields.expect(asn1::OCTET_STRING, "value of an extension")?;
            fields.finish("an extension")?;
            if seen.contains(&oid) {
                return Err(extension.malformed(format!(
                    "extension {} appears twice (RFC 5280 section 4.2)",
                    asn1::oid_text(oid)
                )));
            }
            seen.push(oid);
            requested.extension(oid, value)?;
        }
        Ok(requested)
    }

    fn extension(&mut self, oid: &[u8], value: Element<'_>) -> Result<(), Malformed> {
        match oid {
            SUBJECT_ALT_NAME => self.alternative_names(sequence_in(value, "subjectAltName")?),
            EXTENDED_KEY_USAGE => self.purposes(sequence_in(value, "extKeyUsage")?),
            BASIC_CONSTRAINTS => {
                let mut fields = sequence_in(value, "basicConstraints")?;
                // An explicit FALSE is not DER, yet harmless in what we ignore.
                if let Some(authority) = fields.optional(asn1::BOOLEAN)?
                    && authority.content != [0]
                {
                    self.refuse("a CA certificate (`basicConstraints CA:TRUE`)");
                }
                Ok(())
            }
            NAME_CONSTRAINTS => {
                self.refuse("`nameConstraints`");
                Ok(())
            }
            TLS_FEATURE => {
                self.warnings.push(
                    "the request asks for must-staple (TLS feature); it is ignored".to_owned(),
                );
                Ok(())
            }
            silent if SILENT.contains(&silent) => Ok(()),
            other => {
                self.warnings.push(format!(
                    "the request asks for the extension {}; it is ignored",
                    asn1::oid_text(other)
                ));
                Ok(())
            }
        }
    }

    fn refuse(&mut self, what: impl Into<String>) {
        self.refusals
            .push(CsrError::Extension { what: what.into() });
    }

    fn purposes(&mut self, mut purposes: Reader<'_>) -> Result<(), Malformed> {
        while !purposes.is_empty() {
            let purpose = purposes.oid("purpose in extKeyUsage")?;
            if let Some((_, name)) = REFUSED_PURPOSES.iter().find(|(oid, _)| *oid == purpose) {
                self.refuse(format!("the purpose `{name}` (extKeyUsage)"));
            } else if purpose == CLIENT_AUTH {
                self.warnings.push(
                    "the request asks for the purpose clientAuth; it is ignored, the certificate \
                     is for servers only"
                        .to_owned(),
                );
            } else if purpose != SERVER_AUTH {
                self.warnings.push(format!(
                    "the request asks for the purpose {}; it is ignored",
                    asn1::oid_text(purpose)
                ));
            }
        }
        Ok(())
    }

    fn alternative_names(&mut self, mut names: Reader<'_>) -> Result<(), Malformed> {
        let mut seen = std::collections::HashSet::new();
        while !names.is_empty() {
            let name = names.any()?;
            let kind = match name.tag {
                0x82 => {
                    let Ok(text) = std::str::from_utf8(name.content) else {
                        return Err(name.malformed("dNSName with bytes outside ASCII"));
                    };
                    if !text.is_ascii() {
                        return Err(name.malformed(
                            "dNSName with characters outside ASCII: write the name as an A-label \
                             (`xn--…`)",
                        ));
                    }
                    let folded = text.to_ascii_lowercase();
                    if seen.insert(folded.clone()) {
                        self.dns_names.push(folded);
                    }
                    continue;
                }
                0x87 => {
                    let address = ip_address(name.content)
                        .ok_or_else(|| name.malformed("iPAddress of neither 4 nor 16 bytes"))?;
                    if !self.ip_addresses.contains(&address) {
                        self.ip_addresses.push(address);
                    }
                    continue;
                }
                0xa0 => "otherName",
                0x81 => "rfc822Name (e-mail address)",
                0xa3 => "x400Address",
                0xa4 => "directoryName",
                0xa5 => "ediPartyName",
                0x86 => "uniformResourceIdentifier (URL)",
                0x88 => "registeredID",
                other => {
                    return Err(name.malformed(format!(
                        "expected a GeneralName ([0] to [8]) in subjectAltName, found {}",
                        asn1::tag_name(other)
                    )));
                }
            };
            self.refusals.push(CsrError::AlternativeName { kind });
        }
        Ok(())
    }
}

fn ip_address(content: &[u8]) -> Option<IpAddr> {
    <[u8; 4]>::try_from(content)
        .map(IpAddr::from)
        .or_else(|_| <[u8; 16]>::try_from(content).map(IpAddr::from))
        .ok()
}

/// The fields of the only SEQUENCE in an extension's value.
fn sequence_in<'a>(value: Element<'a>, what: &str) -> Result<Reader<'a>, Malformed> {
    let mut content = value.children();
    let sequence = content.expect(asn1::SEQUENCE, what)?;
    content.finish(what)?;
    Ok(sequence.children())
}
