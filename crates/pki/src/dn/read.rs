//! Distinguished names in the certificates and requests of others.

use std::fmt;

use crate::asn1::{self, Element, Malformed, oid_text};

/// One attribute of a distinguished name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// Contents of the type's object identifier.
    pub(crate) oid: Box<[u8]>,
    /// Tag of the value, which says how it is encoded.
    pub(crate) tag: u8,
    /// The value as text; `#` and hexadecimal when it is no text.
    pub(crate) value: String,
}

impl Attribute {
    /// The value as text.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// The short name of the type, such as `CN`; dotted numbers when it has none.
    pub fn name(&self) -> String {
        short_name(&self.oid).map_or_else(|| oid_text(&self.oid), str::to_owned)
    }
}

/// A distinguished name, its attributes in the order of the encoding. Its text
/// form is `C=NL,O=Example`, in that same order, escaped as in RFC 4514.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DistinguishedName {
    attributes: Vec<Attribute>,
}

impl DistinguishedName {
    /// Reads the SEQUENCE of a Name (RFC 5280 section 4.1.2.4).
    pub(crate) fn read(name: Element<'_>) -> Result<Self, Malformed> {
        let mut attributes = Vec::new();
        let mut sets = name.children();
        while !sets.is_empty() {
            let mut set = sets
                .expect(asn1::SET, "relative distinguished name")?
                .children();
            while !set.is_empty() {
                let mut pair = set
                    .expect(asn1::SEQUENCE, "attribute of a name")?
                    .children();
                let oid = pair.oid("type of an attribute")?;
                let value = pair.any()?;
                pair.finish("the attribute")?;
                attributes.push(Attribute {
                    oid: oid.into(),
                    tag: value.tag,
                    value: text(value.tag, value.content)
                        .unwrap_or_else(|| format!("#{}", hex::encode(value.encoding))),
                });
            }
        }
        Ok(Self { attributes })
    }

    /// All attributes.
    pub fn attributes(&self) -> &[Attribute] {
        &self.attributes
    }

    /// Whether it has no attribute at all.
    pub fn is_empty(&self) -> bool {
        self.attributes.is_empty()
    }

    /// The first value of a type.
    pub(crate) fn get(&self, oid: &[u8]) -> Option<&str> {
        self.all(oid).next().map(Attribute::value)
    }

    /// Every attribute of a type.
    pub(crate) fn all(&self, oid: &[u8]) -> impl Iterator<Item = &Attribute> {
        self.attributes
            .iter()
            .filter(move |attribute| *attribute.oid == *oid)
    }
}

impl fmt::Display for DistinguishedName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, attribute) in self.attributes.iter().enumerate() {
            if position > 0 {
                formatter.write_str(",")?;
            }
            write!(
                formatter,
                "{}={}",
                attribute.name(),
                escaped(&attribute.value)
            )?;
        }
        Ok(())
    }
}

/// RFC 4514 section 2.4, control characters as hexadecimal pairs.
fn escaped(value: &str) -> String {
    let mut shown = String::with_capacity(value.len());
    let last = value.chars().count().saturating_sub(1);
    for (position, c) in value.chars().enumerate() {
        match c {
            ',' | '+' | '"' | '\\' | '<' | '>' | ';' => shown.extend(['\\', c]),
            ' ' if position == 0 || position == last => shown.push_str("\\ "),
            c if c.is_control() => {
                let mut utf8 = [0; 4];
                for byte in c.encode_utf8(&mut utf8).bytes() {
                    shown.extend(['\\', hex_digit(byte >> 4), hex_digit(byte & 0xf)]);
                }
            }
            c => shown.push(c),
        }
    }
    shown
}

fn hex_digit(nibble: u8) -> char {
    char::from(b"0123456789ABCDEF"[usize::from(nibble & 0xf)])
}

/// The text of a directory string, or none when the bytes do not suit the tag.
fn text(tag: u8, content: &[u8]) -> Option<String> {
    match tag {
        // UTF8String
        0x0c => String::from_utf8(content.to_vec()).ok(),
        // NumericString, PrintableString, IA5String, VisibleString
        0x12 | 0x13 | 0x16 | 0x1a if content.is_ascii() => String::from_utf8(content.to_vec()).ok(),
        // TeletexString: Latin-1 is what those who still write it mean
        0x14 => Some(content.iter().copied().map(char::from).collect()),
        // BMPString
        0x1e if content.len().is_multiple_of(2) => {
            let units = content
                .chunks_exact(2)
                .map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
            char::decode_utf16(units).collect::<Result<_, _>>().ok()
        }
        // UniversalString
        0x1c if content.len().is_multiple_of(4) => content
            .chunks_exact(4)
            .map(|quad| char::from_u32(u32::from_be_bytes([quad[0], quad[1], quad[2], quad[3]])))
            .collect(),
        _ => None,
    }
}

fn short_name(oid: &[u8]) -> Option<&'static str> {
    Some(match oid {
        [0x55, 0x04, 0x03] => "CN",
        [0x55, 0x04, 0x04] => "SN",
        [0x55, 0x04, 0x05] => "serialNumber",
        [0x55, 0x04, 0x06] => "C",
        [0x55, 0x04, 0x07] => "L",
        [0x55, 0x04, 0x08] => "ST",
        [0x55, 0x04, 0x09] => "street",
        [0x55, 0x04, 0x0a] => "O",
        [0x55, 0x04, 0x0b] => "OU",
        [0x55, 0x04, 0x0c] => "title",
        [0x55, 0x04, 0x0f] => "businessCategory",
        [0x55, 0x04, 0x11] => "postalCode",
        [0x55, 0x04, 0x2a] => "GN",
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x01] => "emailAddress",
        [0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 0x01, 0x19] => "DC",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::DistinguishedName;
    use crate::asn1::{self, Reader, element};

    fn name(values: &[(&[u8], u8, &[u8])]) -> DistinguishedName {
        let mut sets = Vec::new();
        for (oid, tag, value) in values {
            let pair = [element(asn1::OID, oid), element(*tag, value)].concat();
            sets.extend(element(asn1::SET, &element(asn1::SEQUENCE, &pair)));
        }
        let encoding = element(asn1::SEQUENCE, &sets);
        DistinguishedName::read(Reader::new(&encoding).any().unwrap()).unwrap()
    }

    #[test]
    fn text_keeps_the_order_and_escapes_what_separates() {
        let name = name(&[
            (super::super::COUNTRY, 0x13, b"NL"),
            (
                super::super::ORGANIZATION,
                0x0c,
                "Müller, Söhne\n".as_bytes(),
            ),
            (&[0x2a, 0x03], 0x0c, b" x "),
        ]);
        assert_eq!(name.to_string(), "C=NL,O=Müller\\, Söhne\\0A,1.2.3=\\ x\\ ");
        assert_eq!(name.get(super::super::COUNTRY), Some("NL"));
    }

    #[test]
    fn old_string_types_are_read() {
        let oid = super::super::LOCALITY;
        assert_eq!(name(&[(oid, 0x14, b"K\xf6ln")]).get(oid), Some("Köln"));
        assert_eq!(name(&[(oid, 0x1e, b"\x00K\x00\xf6")]).get(oid), Some("Kö"));
        assert_eq!(name(&[(oid, 0x1c, b"\x00\x00\x00K")]).get(oid), Some("K"));
        assert_eq!(name(&[(oid, 0x0c, b"\xff")]).get(oid), Some("#0c01ff"));
        assert_eq!(
            name(&[(oid, 0x1e, b"\xd8\x00")]).get(oid),
            Some("#1e02d800")
        );
    }
}
