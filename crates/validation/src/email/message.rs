//! A message as it goes out: fixed headers, built from checked values only (D-18).

use std::time::SystemTime;

use jiff::Timestamp;
use lettre::message::{
    Body, Mailbox,
    header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue, MIME_VERSION_1_0},
};

use super::{address::address_is_safe, mailer::MailError};

/// Longest line without its end that may be sent (RFC 5321 section 4.5.3.1.6).
const LONGEST_LINE: usize = 998;

/// A message to one recipient, plain text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The one recipient.
    pub to: String,
    /// Subject, one line.
    pub subject: String,
    /// Text, with `\n` line ends.
    pub text: String,
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
            .raw_header(HeaderValue::new(
                HeaderName::new_from_ascii_str("Auto-Submitted"),
                "auto-generated".to_owned(),
            ))
            .header(MIME_VERSION_1_0)
            .header(ContentType::TEXT_PLAIN)
            .body(encoded(&self.text))
            .map_err(|_| MailError::Content("the message cannot be put together"))
    }
}

/// The text as it goes over the line. ASCII goes as it is: the library would break lines longer
/// than 76 characters, and with them the links of a text that people and programs read raw.
fn encoded(text: &str) -> Body {
    let plain = |line: &str| {
        line.len() <= LONGEST_LINE && line.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\t'))
    };
    if text.split('\n').all(plain) {
        let lines = text.replace('\n', "\r\n").into_bytes();
        Body::dangerous_pre_encoded(lines, ContentTransferEncoding::SevenBit)
    } else {
        Body::new(text.to_owned())
    }
}
