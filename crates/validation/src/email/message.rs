//! A message as it goes out: fixed headers, built from checked values only (D-18).

use std::time::SystemTime;

use aws_lc_rs::digest;
use jiff::Timestamp;
use lettre::message::{
    Body, Mailbox, MultiPart, SinglePart,
    header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue},
};

use super::{address::address_is_safe, mailer::MailError};

/// Longest line without its end that may be sent (RFC 5321 section 4.5.3.1.6).
const LONGEST_LINE: usize = 998;

/// A message to one recipient, as plain text and as HTML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The one recipient.
    pub to: String,
    /// Subject, one line.
    pub subject: String,
    /// `Content-Language` (BCP 47), such as `nl`.
    pub language: &'static str,
    /// Text, with `\n` line ends.
    pub text: String,
    /// The same as an HTML document, with `\n` line ends.
    pub html: String,
    /// `Message-ID` without angle brackets. The caller stores it before sending: mail is delivered
    /// at least once, and the id tells copies from new messages.
    pub message_id: String,
    /// `Date`. A resent message keeps its date, so that it stays the same to the byte.
    pub date: Timestamp,
}

impl Message {
    /// The message in the form of RFC 5322, with its envelope.
    pub(super) fn build(&self, from: &Mailbox) -> Result<lettre::Message, MailError> {
        address_is_safe(&self.to).map_err(|error| MailError::Recipient(error.to_string()))?;
        let to = self
            .to
            .parse::<Mailbox>()
            .map_err(|error| MailError::Recipient(error.to_string()))?;
        if self.subject.chars().any(char::is_control) {
            return Err(MailError::Content("the subject has control characters"));
        }
        let id = self.message_id.as_bytes();
        if id.is_empty()
            || !id
                .iter()
                .all(|byte| byte.is_ascii_graphic() && !b"<>".contains(byte))
        {
            return Err(MailError::Content(
                "the message id has characters that are not allowed",
            ));
        }
        let date = SystemTime::try_from(self.date)
            .map_err(|_| MailError::Content("the date is out of range"))?;
        lettre::Message::builder()
            .from(from.clone())
            .to(to)
            .subject(&self.subject)
            .date(date)
            .message_id(Some(format!("<{}>", self.message_id)))
            .raw_header(header("Auto-Submitted", "auto-generated"))
            .raw_header(header("Content-Language", self.language))
            .multipart(self.alternatives())
            .map_err(|_| MailError::Content("the message cannot be put together"))
    }

    /// The plain text first: of equal parts a reader shows the last one it can (RFC 2046 section 5.1.4).
    fn alternatives(&self) -> MultiPart {
        let part = |kind: ContentType, contents: &str| {
            SinglePart::builder().header(kind).body(encoded(contents))
        };
        MultiPart::alternative()
            .boundary(self.boundary())
            .singlepart(part(ContentType::TEXT_PLAIN, &self.text))
            .singlepart(part(ContentType::TEXT_HTML, &self.html))
    }

    /// Depends on the message, so that a resent one is the same to the byte (D-18), and cannot be put into it
    /// beforehand by whoever chose a part of its contents.
    fn boundary(&self) -> String {
        let mut hash = digest::Context::new(&digest::SHA256);
        for part in [&self.message_id, &self.text, &self.html] {
            hash.update(part.as_bytes());
        }
        format!("reseal-{}", &hex::encode(hash.finish())[..32])
    }
}

fn header(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

/// The text as it goes over the line. ASCII goes as it is: the library would break lines longer
/// than 76 characters, and with them the links of a text that people and programs read raw. All else is
/// quoted-printable and never base64, so that at least the links can be read raw.
fn encoded(text: &str) -> Body {
    let plain = |line: &str| {
        line.len() <= LONGEST_LINE && line.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\t'))
    };
    let lines = text.replace('\n', "\r\n");
    if text.split('\n').all(plain) {
        Body::dangerous_pre_encoded(lines.into_bytes(), ContentTransferEncoding::SevenBit)
    } else {
        Body::new_with_encoding(lines, ContentTransferEncoding::QuotedPrintable)
            .unwrap_or_else(Body::new)
    }
}
