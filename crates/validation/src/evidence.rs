//! The outcome of one attempt to prove control of a name: a verdict, what was expected and seen,
//! and the raw evidence. All of it is stored and shown in the process's timeline.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    dns::{DnsAnswer, DnsOutcome},
    file::FileObservation,
};

/// Most characters of foreign content that are ever stored or shown (D-26).
pub const EXCERPT_CHARACTERS: usize = 100;

/// What one attempt says about control of the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Verdict {
    /// The challenge was found: control is proved.
    Proved,
    /// Nothing or something else was found: the customer has to act.
    NotYet,
    /// DNS or the network failed: an outage, not a mistake. Try again.
    Unreachable,
    /// What was found must not be used: address rules, bogus DNSSEC, redirect rules.
    Refused,
}

/// One attempt to see a challenge, as stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    /// What the attempt says.
    pub verdict: Verdict,
    /// What had to be there, and where.
    pub expected: String,
    /// What was there; foreign content is cut and escaped.
    pub seen: String,
    /// What to do next, for a person; empty when proved.
    pub advice: String,
    /// What was asked of whom, and what came back.
    pub evidence: Evidence,
    /// When the attempt began.
    pub at: Timestamp,
}

impl Attempt {
    /// Whether the DNS was asked and knows of nothing at all: what nobody published can hardly be a mistake.
    pub fn found_nothing(&self) -> bool {
        let absent = |answer: &DnsAnswer| {
            matches!(answer.outcome, DnsOutcome::NoRecords | DnsOutcome::NoName)
        };
        matches!(&self.evidence, Evidence::Dns { answers, .. } if answers.iter().all(absent))
    }
}

impl Evidence {
    /// One answer of the DNS, for which a wildcard makes no difference.
    pub(crate) fn of_answer(answer: DnsAnswer) -> Self {
        Self::Dns {
            answers: vec![answer],
            wildcard_answer: false,
        }
    }
}

/// The raw observations behind an attempt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "method", rename_all = "UPPERCASE")]
pub enum Evidence {
    /// Answers of the DNS.
    #[serde(rename_all = "camelCase")]
    Dns {
        /// Each answer that was looked at, in order.
        answers: Vec<DnsAnswer>,
        /// A random sibling name carries the same contents: a wildcard record (D-30).
        wildcard_answer: bool,
    },
    /// A fetch over HTTP.
    File(FileObservation),
    /// A challenge mail and what became of it.
    #[serde(rename_all = "camelCase")]
    Email {
        /// The one recipient.
        recipient: String,
        /// `Message-ID` of the mail.
        message_id: String,
        /// What happened.
        event: MailEvent,
    },
}

/// What happened to a challenge mail.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum MailEvent {
    /// It was handed over; the receipt says to whom.
    Sent {
        /// Answer of the mail server, or the name of the file in the mail folder.
        receipt: String,
    },
    /// It could not be handed over.
    NotSent {
        /// Why, for a person.
        reason: String,
    },
    /// Its link was used to approve.
    Approved {
        /// Network address of the one who did.
        from: Option<String>,
    },
    /// Its link was used to reject.
    Rejected {
        /// Network address of the one who did.
        from: Option<String>,
    },
}

/// Foreign bytes as they may be shown: printable ASCII, everything else escaped, at most
/// [`EXCERPT_CHARACTERS`] characters (D-26).
pub fn excerpt(bytes: &[u8]) -> String {
    let mut shown = String::with_capacity(EXCERPT_CHARACTERS);
    for byte in bytes {
        let escaped = byte.escape_ascii().to_string();
        // A quote or backslash is printable as it is; only what is not printable is escaped.
        let piece = match byte {
            b' '..=b'~' => char::from(*byte).to_string(),
            _ => escaped,
        };
        if shown.len() + piece.len() > EXCERPT_CHARACTERS {
            break;
        }
        shown.push_str(&piece);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nasty_111_terminal_escapes_and_nul_are_shown_escaped_and_cut() {
        assert_eq!(
            excerpt(b"a\x1b[31m\0<b>\r\n\xff"),
            r"a\x1b[31m\x00<b>\r\n\xff"
        );
        let long = excerpt(&[0x1b; 500]);
        assert_eq!(long.len(), 100);
        assert!(long.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
        assert!(excerpt(&[b'x'; 101]).len() == 100);
    }
}
