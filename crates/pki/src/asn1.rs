//! Strict DER, one element at a time (X.690 section 10, C-4).
//!
//! A cursor over borrowed bytes: definite minimal lengths, single-byte tags,
//! no recursion and no allocation, so its cost is bounded by the input length
//! whatever the nesting. Every error carries the offset in the whole input,
//! because the reader of the message has a hex dump and not our structures.

use std::fmt;

use const_oid::ObjectIdentifier;

pub(crate) const BOOLEAN: u8 = 0x01;
pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const NULL: u8 = 0x05;
pub(crate) const OID: u8 = 0x06;
pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const SET: u8 = 0x31;

/// What is wrong with an encoding, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Malformed {
    /// Bytes from the start of the whole input.
    pub(crate) offset: usize,
    pub(crate) problem: String,
}

impl Malformed {
    pub(crate) fn new(offset: usize, problem: impl Into<String>) -> Self {
        Self {
            offset,
            problem: problem.into(),
        }
    }
}

/// One tag-length-value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Element<'a> {
    pub(crate) tag: u8,
    pub(crate) content: &'a [u8],
    /// Header and content.
    pub(crate) encoding: &'a [u8],
    /// Of the tag byte in the whole input.
    pub(crate) offset: usize,
}

impl<'a> Element<'a> {
    fn content_offset(&self) -> usize {
        self.offset + self.encoding.len() - self.content.len()
    }

    /// The elements inside.
    pub(crate) fn children(&self) -> Reader<'a> {
        Reader {
            rest: self.content,
            offset: self.content_offset(),
        }
    }

    pub(crate) fn malformed(&self, problem: impl Into<String>) -> Malformed {
        Malformed::new(self.offset, problem)
    }

    /// The magnitude of a non-negative INTEGER without the sign byte; zero is
    /// one byte 0.
    pub(crate) fn unsigned(&self) -> Result<&'a [u8], Malformed> {
        match self.content {
            [] => Err(self.malformed("INTEGER without content")),
            [0] => Ok(self.content),
            [0, next, ..] if next & 0x80 == 0 => {
                Err(self.malformed("INTEGER with a superfluous leading zero"))
            }
            [0, magnitude @ ..] => Ok(magnitude),
            [first, ..] if first & 0x80 != 0 => Err(self.malformed("negative INTEGER")),
            _ => Ok(self.content),
        }
    }

    /// The bytes of a BIT STRING that is a whole number of bytes.
    pub(crate) fn whole_bytes(&self) -> Result<&'a [u8], Malformed> {
        match self.content {
            [0, bytes @ ..] => Ok(bytes),
            [] => Err(self.malformed("BIT STRING without content")),
            [unused, ..] => Err(self.malformed(format!(
                "BIT STRING with {unused} unused bits, expected a whole number of bytes"
            ))),
        }
    }
}

/// Reads elements in order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    offset: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(input: &'a [u8]) -> Self {
        Self {
            rest: input,
            offset: 0,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    fn malformed(&self, problem: impl Into<String>) -> Malformed {
        Malformed::new(self.offset, problem)
    }

    /// The next element, whatever it is.
    pub(crate) fn any(&mut self) -> Result<Element<'a>, Malformed> {
        let (tag, header, length) = self.header()?;
        let end = header
            .checked_add(length)
            .filter(|&end| end <= self.rest.len());
        let Some(end) = end else {
            return Err(self.malformed(format!(
                "{} of {length} bytes, but only {} are left",
                TagName(tag),
                self.rest.len() - header
            )));
        };
        let (encoding, rest) = self.rest.split_at(end);
        let element = Element {
            tag,
            content: &encoding[header..],
            encoding,
            offset: self.offset,
        };
        self.rest = rest;
        self.offset += end;
        Ok(element)
    }

    /// Tag, bytes of the header, bytes of the content.
    fn header(&self) -> Result<(u8, usize, usize), Malformed> {
        let [tag, first, ..] = *self.rest else {
            return Err(self.malformed("the encoding ends in the middle of an element"));
        };
        if tag & 0x1f == 0x1f {
            return Err(self.malformed("a tag of more than one byte"));
        }
        if first < 0x80 {
            return Ok((tag, 2, usize::from(first)));
        }
        let bytes = usize::from(first & 0x7f);
        if bytes == 0 {
            return Err(self.malformed("indefinite length (BER), expected DER"));
        }
        if bytes > 4 {
            return Err(self.malformed("a length of more than four bytes"));
        }
        let Some(digits) = self.rest.get(2..2 + bytes) else {
            return Err(self.malformed("the encoding ends in the middle of a length"));
        };
        let length = digits
            .iter()
            .fold(0_usize, |length, &digit| (length << 8) | usize::from(digit));
        if digits[0] == 0 || length < 0x80 {
            return Err(self.malformed("a length that is not in its shortest form, expected DER"));
        }
        Ok((tag, 2 + bytes, length))
    }

    /// The next element, which must have this tag; `what` names it in the
    /// message.
    pub(crate) fn expect(&mut self, tag: u8, what: &str) -> Result<Element<'a>, Malformed> {
        match self.peek() {
            Some(found) if found == tag => self.any(),
            Some(found) => Err(self.malformed(format!(
                "expected {} ({what}), found {}",
                TagName(tag),
                TagName(found)
            ))),
            None => Err(self.malformed(format!("{} ({what}) is missing", TagName(tag)))),
        }
    }

    /// The next element if it has this tag.
    pub(crate) fn optional(&mut self, tag: u8) -> Result<Option<Element<'a>>, Malformed> {
        if self.peek() == Some(tag) {
            self.any().map(Some)
        } else {
            Ok(None)
        }
    }

    /// A well-formed object identifier's content.
    pub(crate) fn oid(&mut self, what: &str) -> Result<&'a [u8], Malformed> {
        let element = self.expect(OID, what)?;
        let mut starts_arc = true;
        for &byte in element.content {
            if starts_arc && byte == 0x80 {
                return Err(element.malformed("object identifier with a padded arc"));
            }
            starts_arc = byte & 0x80 == 0;
        }
        if element.content.is_empty() || !starts_arc {
            return Err(element.malformed("object identifier that ends in the middle of an arc"));
        }
        Ok(element.content)
    }

    /// Nothing may follow.
    pub(crate) fn finish(&self, what: &str) -> Result<(), Malformed> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(self.malformed(format!("{} bytes after the end of {what}", self.rest.len())))
        }
    }
}

/// An object identifier for people: dotted, or hexadecimal when its arcs are
/// larger than the library counts.
pub(crate) fn oid_text(content: &[u8]) -> String {
    ObjectIdentifier::<39>::from_bytes(content).map_or_else(
        |_| format!("#{}", hex::encode(content)),
        |oid| oid.to_string(),
    )
}

/// Tag, shortest length, content.
pub(crate) fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut encoding = Vec::with_capacity(content.len() + 6);
    encoding.push(tag);
    let length = content.len();
    if length < 0x80 {
        encoding.push(length as u8);
    } else {
        let digits = length.to_be_bytes();
        let skipped = digits.iter().take_while(|&&digit| digit == 0).count();
        encoding.push(0x80 | (digits.len() - skipped) as u8);
        encoding.extend_from_slice(&digits[skipped..]);
    }
    encoding.extend_from_slice(content);
    encoding
}

/// ASN.1's name of a tag.
pub(crate) fn tag_name(tag: u8) -> String {
    TagName(tag).to_string()
}

struct TagName(u8);

impl fmt::Display for TagName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.0 {
            BOOLEAN => "BOOLEAN",
            INTEGER => "INTEGER",
            BIT_STRING => "BIT STRING",
            OCTET_STRING => "OCTET STRING",
            NULL => "NULL",
            OID => "OBJECT IDENTIFIER",
            0x0c => "UTF8String",
            0x13 => "PrintableString",
            0x14 => "TeletexString",
            0x16 => "IA5String",
            0x1e => "BMPString",
            SEQUENCE => "SEQUENCE",
            SET => "SET",
            tag if tag & 0xc0 == 0x80 => return write!(formatter, "[{}]", tag & 0x1f),
            tag => return write!(formatter, "tag 0x{tag:02x}"),
        };
        formatter.write_str(name)
    }
}
