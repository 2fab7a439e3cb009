//! The contract's restrictions on texts (contract.md section 4), each for the whole value, in bytes and after
//! trimming. They admit what the vendor's expressions admit and nothing else; whether a name may be certified is
//! decided further down.

use std::borrow::Cow;

use reseal_pki::name::{DnsName, NamePolicy};
use serde_json::{Value, json};

/// Most octets of a label (RFC 1035 section 2.3.4).
const LONGEST_LABEL: usize = 63;

/// Languages of validations; the rules have the same (`Language`).
pub(crate) const LANGUAGES: &[&str] = &[
    "EN", "NL", "FR", "CN", "DE", "IT", "JP", "KR", "PT", "RU", "ES", "DK", "SE", "TR",
];

/// Ways to prove control over a name.
pub(crate) const DCV_TYPES: &[&str] = &["EMAIL", "FILE", "DNS"];

/// The contract's expressions, anchored (ECMA-262), for whoever reads the OpenAPI document. The functions below are what
/// decides; a test holds the two together.
const DOMAIN: &str =
    r"^(?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?:[a-z][a-z0-9-]{0,61}[a-z0-9])$";
const EMAIL: &str = r"^(?=.{1,64}@)[a-z0-9_\-+]+(?:\.[a-z0-9_\-+]+)*@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?:[a-z][a-z0-9-]{0,61}[a-z0-9])$";
const VOICE: &str = r"^\+[0-9]{1,3}\.[0-9]{1,14}$";
const HANDLE: &str = r"^[a-zA-Z0-9\-_@\.]+$";
const UNIQUE_VALUE: &str = "^[a-zA-Z0-9]+$";
const COUNTRY: &str = "^[A-Za-z]{2}$";
const PRINTABLE: &str = r"^[^\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]*$";
const PRINTABLE_LINES: &str = r"^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]*$";

/// A restriction on a text.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Text {
    /// Anything but nothing: a CSR or certificate, which its own parser judges.
    Document,
    /// Printable text of so many bytes.
    Length(usize, usize),
    /// The same over several lines.
    Lines(usize, usize),
    /// DOMAIN.
    Domain,
    /// EMAIL.
    Email,
    /// VOICE.
    Voice,
    /// HANDLE.
    Handle,
    /// `uniqueValue`.
    UniqueValue,
    /// Two letters.
    Country,
    /// One of these words, exactly.
    Word(&'static [&'static str]),
    /// One of these words, in capitals or not.
    WordOfAnyCase(&'static [&'static str]),
}

impl Text {
    /// What is wrong with `value`, if something is.
    pub(crate) fn problem(self, value: &str) -> Option<Cow<'static, str>> {
        match self {
            Self::Document => value.is_empty().then_some("may not be empty".into()),
            Self::Length(least, most) => {
                length_problem(value, least, most).or_else(|| control_problem(value))
            }
            Self::Lines(least, most) => length_problem(value, least, most).or_else(|| {
                let mut lines = value.split(['\r', '\n', '\t']);
                lines.find_map(control_problem)
            }),
            Self::Domain => length_problem(value, 4, 255)
                .or_else(|| (!is_domain(value)).then(|| domain_advice(value))),
            Self::Email => length_problem(value, 6, 255).or_else(|| {
                (!is_email(value)).then_some(
                    "must be a lower-case e-mail address such as `admin@example.com`".into(),
                )
            }),
            Self::Voice => length_problem(value, 4, 17).or_else(|| {
                (!is_voice(value))
                    .then_some("must be a telephone number such as `+31.384530759`".into())
            }),
            Self::Handle => length_problem(value, 3, 40).or_else(|| {
                (!is_handle(value))
                    .then_some("must consist of letters, digits, `-`, `_`, `@` and `.`".into())
            }),
            Self::UniqueValue => length_problem(value, 1, 20).or_else(|| {
                let alphanumeric = value.bytes().all(|byte| byte.is_ascii_alphanumeric());
                (!alphanumeric).then_some("must consist of letters and digits".into())
            }),
            Self::Country => {
                let letters =
                    value.len() == 2 && value.bytes().all(|byte| byte.is_ascii_alphabetic());
                (!letters).then_some("must be a country code of two letters (ISO 3166)".into())
            }
            Self::Word(words) => (!words.contains(&value)).then(|| word_advice(words)),
            Self::WordOfAnyCase(words) => {
                (!words.iter().any(|word| word.eq_ignore_ascii_case(value)))
                    .then(|| word_advice(words))
            }
        }
    }

    /// The same as a JSON schema. Lengths are in characters there, which for most rules are bytes; where they are not,
    /// the description says so.
    pub(crate) fn schema(self) -> Value {
        let bounded = |least: usize, most: usize, pattern: &str| json!({"type": "string", "minLength": least, "maxLength": most, "pattern": pattern});
        match self {
            Self::Document => json!({"type": "string", "minLength": 1}),
            Self::Length(least, most) | Self::Lines(least, most) => {
                let characters = match self {
                    Self::Lines(..) => PRINTABLE_LINES,
                    _ => PRINTABLE,
                };
                let mut schema = bounded(least, most, characters);
                schema["description"] = format!("At most {most} bytes of UTF-8.").into();
                schema
            }
            Self::Domain => bounded(4, 255, DOMAIN),
            Self::Email => bounded(6, 255, EMAIL),
            Self::Voice => bounded(4, 17, VOICE),
            Self::Handle => bounded(3, 40, HANDLE),
            Self::UniqueValue => bounded(1, 20, UNIQUE_VALUE),
            Self::Country => bounded(2, 2, COUNTRY),
            Self::Word(words) => json!({"type": "string", "enum": words}),
            Self::WordOfAnyCase(words) => word_of_any_case(words),
        }
    }

    /// Whether the value may be shown in an answer: documents are long and may hold secrets.
    pub(crate) fn may_be_shown(self) -> bool {
        !matches!(self, Self::Document)
    }
}

/// A text that is one of `words`, in capitals or not. JSON schema compares exactly, so that it has to be an expression.
pub(crate) fn word_of_any_case(words: &[&str]) -> Value {
    json!({
        "type": "string",
        "pattern": format!("^{}$", in_any_case(words)),
        "description": format!("One of {}, in upper or lower case.", words.join(", ")),
    })
}

/// An expression for each of `words`, in capitals or not: ECMA-262 has no flag for that within.
pub(crate) fn in_any_case(words: &[&str]) -> String {
    let both = |letter: char| {
        if letter.is_ascii_alphabetic() {
            let (upper, lower) = (letter.to_ascii_uppercase(), letter.to_ascii_lowercase());
            format!("[{upper}{lower}]")
        } else {
            letter.to_string()
        }
    };
    let any_case = |word: &&str| word.chars().map(both).collect::<String>();
    format!(
        "(?:{})",
        words.iter().map(any_case).collect::<Vec<_>>().join("|")
    )
}

fn length_problem(value: &str, least: usize, most: usize) -> Option<Cow<'static, str>> {
    let length = value.len();
    (length < least || length > most)
        .then(|| format!("length must be between {least} and {most} bytes, saw {length}").into())
}

fn word_advice(words: &[&str]) -> Cow<'static, str> {
    format!("must be one of {}", words.join(", ")).into()
}

/// Control characters, and those that change the direction of the text around them.
fn control_problem(value: &str) -> Option<Cow<'static, str>> {
    let has_control = value.chars().any(|character| {
        character.is_control()
            || matches!(character, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    });
    has_control.then_some("must be printable text: it has control or direction characters".into())
}

/// What the rules for names say, which shows the A-label of an international name.
fn domain_advice(value: &str) -> Cow<'static, str> {
    let general = "must be a lower-case domain name such as `example.com` or `*.example.com`";
    match DnsName::parse(value, &NamePolicy::default()) {
        Err(error) => format!("{general}: {error}").into(),
        Ok(_) => general.into(),
    }
}

/// `(?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?:[a-z][a-z0-9-]{0,61}[a-z0-9])`
pub(crate) fn is_domain(value: &str) -> bool {
    is_host(value.strip_prefix("*.").unwrap_or(value))
}

/// The same without a wildcard.
pub(crate) fn is_host(value: &str) -> bool {
    let Some((labels, top)) = value.rsplit_once('.') else {
        return false;
    };
    let top_level = top.len() >= 2 && top.as_bytes()[0].is_ascii_lowercase();
    top_level && is_label(top) && labels.split('.').all(is_label)
}

fn is_label(label: &str) -> bool {
    let bytes = label.as_bytes();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else {
        return false;
    };
    let plain = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    bytes.len() <= LONGEST_LABEL
        && plain(first)
        && plain(last)
        && bytes.iter().all(|byte| plain(byte) || *byte == b'-')
}

/// `(?=.{1,64}@)[a-z0-9_\-+]+(?:\.[a-z0-9_\-+]+)*@` and a host. The look-ahead limits the local part to 64
/// characters, since that part itself cannot hold an `@`.
fn is_email(value: &str) -> bool {
    let Some((local, host)) = value.split_once('@') else {
        return false;
    };
    let atom = |atom: &str| {
        !atom.is_empty()
            && atom.bytes().all(|byte| {
                byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-+".contains(&byte)
            })
    };
    local.len() <= 64 && local.split('.').all(atom) && is_host(host)
}

/// `\+[0-9]{1,3}\.[0-9]{1,14}`
fn is_voice(value: &str) -> bool {
    let digits = |text: &str, most: usize| {
        (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    value
        .strip_prefix('+')
        .and_then(|rest| rest.split_once('.'))
        .is_some_and(|(country, number)| digits(country, 3) && digits(number, 14))
}

/// `[a-zA-Z0-9\-_@\.]+`
pub(crate) fn is_handle(value: &str) -> bool {
    !value.is_empty()
        && value
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_@.".contains(&byte))
}

#[cfg(test)]
mod tests;
