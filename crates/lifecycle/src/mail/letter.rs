//! A mail before it is laid out: a subject and parts that each know how they look as text and as HTML.
//!
//! Values are filled in before anything is laid out, and the layout escapes whatever it is given: no value can
//! become markup (D-18). The plain text has no wrapped lines, so that links stay whole and telephones can wrap.

use jiff::Timestamp;
use reseal_validation::email::Message;

use super::{Phrase, html};
use crate::language::Language;

/// A mail in one language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    pub(super) language: Language,
    pub(super) subject: String,
    pub(super) parts: Vec<Part>,
}

/// A piece of a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Heading(String),
    Paragraph(String),
    /// What matters less.
    Note(String),
    List(Vec<String>),
    /// Labels and values.
    Facts(Vec<(String, String)>),
    /// The one link of the mail, on a line of its own in the text and as a button in the HTML.
    Link {
        button: String,
        address: String,
    },
}

impl Letter {
    /// The letter as a message to `to`. `message_id` and `date` are those of [`Message`].
    pub fn addressed(&self, to: &str, message_id: String, date: Timestamp) -> Message {
        Message {
            to: to.to_owned(),
            subject: self.subject.clone(),
            language: self.language.tag(),
            text: self.text(),
            html: html::page(self),
            message_id,
            date,
        }
    }

    /// The plain text, parts parted by empty lines.
    fn text(&self) -> String {
        let fact = &self.language.texts().fact;
        let parts: Vec<String> = self.parts.iter().map(|part| part.text(fact)).collect();
        parts.join("\n\n") + "\n"
    }
}

impl Part {
    fn text(&self, fact: &Phrase) -> String {
        match self {
            Self::Heading(text) | Self::Paragraph(text) | Self::Note(text) => text.clone(),
            Self::List(entries) => {
                let lines: Vec<String> = entries.iter().map(|entry| format!("  {entry}")).collect();
                lines.join("\n")
            }
            Self::Facts(facts) => {
                let lines: Vec<String> = facts
                    .iter()
                    .map(|(label, value)| fact.fill(&[("label", label), ("value", value)]))
                    .collect();
                lines.join("\n")
            }
            Self::Link { address, .. } => address.clone(),
        }
    }
}

/// An entry of [`Part::Facts`].
pub(super) fn fact(label: &Phrase, value: String) -> (String, String) {
    (label.text().to_owned(), value)
}

/// A value that somebody else chose, as it may stand in a mail: on one line, and not such that programs make a
/// link of it: a mail has one link, ours.
pub(super) fn quoted(value: &str) -> String {
    let breaks = |character: char| character.is_control() || "\u{2028}\u{2029}".contains(character);
    value.replace(breaks, " ").replace("://", ": //")
}
