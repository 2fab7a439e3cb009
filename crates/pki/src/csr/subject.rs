//! The subject of a request, as hints for an order (C-8, C-10).

use std::fmt::Write;

use crate::asn1::{self, Element, Malformed};

/// The subject of a request. Only the common name may reach a certificate, and
/// only as a DNS name (C-8); everything else is shown and may prefill an order
/// (C-10). Of an attribute that appears twice the first counts, apart from
/// `street`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CsrSubject {
    /// All of it in the order of the request: `C=NL,ST=Overijssel,…`, values
    /// escaped as in RFC 4514.
    pub text: String,
    /// C: should be an ISO 3166 code; not checked.
    pub country: Option<String>,
    /// ST.
    pub state: Option<String>,
    /// L.
    pub locality: Option<String>,
    /// O.
    pub organization: Option<String>,
    /// OU: never certified.
    pub organizational_unit: Option<String>,
    /// street, every line.
    pub street: Vec<String>,
    /// postalCode.
    pub postal_code: Option<String>,
    /// emailAddress: never certified.
    pub email_address: Option<String>,
}

/// A common name as received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CommonName {
    /// `None` when the string type cannot be read as text.
    pub(super) value: Option<String>,
    pub(super) tag: u8,
}

const UTF8_STRING: u8 = 0x0c;
const PRINTABLE_STRING: u8 = 0x13;

impl CommonName {
    /// The ASN.1 type, when it is neither UTF8String nor PrintableString
    /// (C-8).
    pub(super) fn outdated_type(&self) -> Option<String> {
        (!matches!(self.tag, UTF8_STRING | PRINTABLE_STRING)).then(|| asn1::tag_name(self.tag))
    }
}

/// Reads a `Name` (RFC 5280 section 4.1.2.4).
pub(super) fn read(name: Element<'_>) -> Result<(CsrSubject, Vec<CommonName>), Malformed> {
    let mut subject = CsrSubject::default();
    let mut common_names = Vec::new();
    let mut relative_names = name.children();
    while !relative_names.is_empty() {
        let relative_name = relative_names.expect(asn1::SET, "relative distinguished name")?;
        let mut separator = ',';
        let mut attributes = relative_name.children();
        if attributes.is_empty() {
            return Err(relative_name.malformed("relative distinguished name without attributes"));
        }
        while !attributes.is_empty() {
            let attribute = attributes.expect(asn1::SEQUENCE, "attribute of the subject")?;
            let mut fields = attribute.children();
            let oid = fields.oid("type of an attribute of the subject")?;
            let value = fields.any()?;
            fields.finish("an attribute of the subject")?;
            let text = text(value)?;
            if !subject.text.is_empty() {
                subject.text.push(separator);
            }
            separator = '+';
            append(&mut subject.text, oid, value, text.as_deref());
            match (oid, text) {
                (COMMON_NAME, value_text) => common_names.push(CommonName {
                    value: value_text,
                    tag: value.tag,
                }),
                (_, None) => {}
                (STREET, Some(text)) => subject.street.push(text),
                (oid, Some(text)) => {
                    if let Some(field) = subject.field(oid) {
                        field.get_or_insert(text);
                    }
                }
            }
        }
    }
    Ok((subject, common_names))
}

impl CsrSubject {
    fn field(&mut self, oid: &[u8]) -> Option<&mut Option<String>> {
        Some(match oid {
            COUNTRY => &mut self.country,
            STATE => &mut self.state,
            LOCALITY => &mut self.locality,
            ORGANIZATION => &mut self.organization,
            ORGANIZATIONAL_UNIT => &mut self.organizational_unit,
            POSTAL_CODE => &mut self.postal_code,
            EMAIL_ADDRESS => &mut self.email_address,
            _ => return None,
        })
    }
}

const COMMON_NAME: &[u8] = b"\x55\x04\x03";
const COUNTRY: &[u8] = b"\x55\x04\x06";
const LOCALITY: &[u8] = b"\x55\x04\x07";
const STATE: &[u8] = b"\x55\x04\x08";
const STREET: &[u8] = b"\x55\x04\x09";
const ORGANIZATION: &[u8] = b"\x55\x04\x0a";
const ORGANIZATIONAL_UNIT: &[u8] = b"\x55\x04\x0b";
const POSTAL_CODE: &[u8] = b"\x55\x04\x11";
const EMAIL_ADDRESS: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01";

/// Short names of RFC 4519 and PKCS#9.
const KEYWORDS: &[(&[u8], &str)] = &[
    (COMMON_NAME, "CN"),
    (COUNTRY, "C"),
    (STATE, "ST"),
    (LOCALITY, "L"),
    (STREET, "STREET"),
    (ORGANIZATION, "O"),
    (ORGANIZATIONAL_UNIT, "OU"),
    (POSTAL_CODE, "postalCode"),
    (EMAIL_ADDRESS, "emailAddress"),
    (b"\x55\x04\x04", "SN"),
    (b"\x55\x04\x05", "serialNumber"),
    (b"\x55\x04\x0c", "title"),
    (b"\x55\x04\x2a", "GN"),
    (b"\x55\x04\x0f", "businessCategory"),
    (b"\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19", "DC"),
    (b"\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x01", "UID"),
];

/// `O=Example\, Inc`, as RFC 4514 sections 2.3 and 2.4 escape it.
fn append(text: &mut String, oid: &[u8], value: Element<'_>, value_text: Option<&str>) {
    match KEYWORDS.iter().find(|(known, _)| *known == oid) {
        Some((_, keyword)) => text.push_str(keyword),
        None => text.push_str(&asn1::oid_text(oid)),
    }
    text.push('=');
    let Some(value_text) = value_text else {
        text.push('#');
        text.push_str(&hex::encode(value.encoding));
        return;
    };
    let last = value_text.chars().count().saturating_sub(1);
    for (at, character) in value_text.chars().enumerate() {
        match character {
            ',' | '+' | '"' | '\\' | '<' | '>' | ';' => text.extend(['\\', character]),
            ' ' if at == 0 || at == last => text.extend(['\\', ' ']),
            '#' if at == 0 => text.push_str("\\#"),
            control if control.is_control() => {
                let mut utf8 = [0; 4];
                for byte in control.encode_utf8(&mut utf8).bytes() {
                    // Writing to a String cannot fail.
                    let _ = write!(text, "\\{byte:02x}");
                }
            }
            plain => text.push(plain),
        }
    }
}

/// The text of a DirectoryString or IA5String; nothing for other types.
fn text(value: Element<'_>) -> Result<Option<String>, Malformed> {
    let broken = |kind: &str| value.malformed(format!("invalid characters in a {kind}"));
    Ok(Some(match value.tag {
        UTF8_STRING => {
            String::from_utf8(value.content.to_vec()).map_err(|_| broken("UTF8String"))?
        }
        // Wider than the standard's set, since old tools write `*`, `@` and
        // `_` into PrintableString.
        PRINTABLE_STRING | 0x12 | 0x16 | 0x1a => {
            if !value.content.is_ascii() {
                return Err(broken(&asn1::tag_name(value.tag)));
            }
            value.content.iter().copied().map(char::from).collect()
        }
        // Defined as T.61, written as Latin-1 by everyone.
        0x14 => value.content.iter().copied().map(char::from).collect(),
        0x1e => {
            let (units, []) = value.content.as_chunks::<2>() else {
                return Err(broken("BMPString"));
            };
            char::decode_utf16(units.iter().map(|unit| u16::from_be_bytes(*unit)))
                .collect::<Result<_, _>>()
                .map_err(|_| broken("BMPString"))?
        }
        _ => return Ok(None),
    }))
}
