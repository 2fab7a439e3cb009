//! The mail that tells of a refusal by CAA (RFC 8659 section 4.4). In English: nobody has said in which language its
//! receiver reads.

use super::letter::{Letter, Part, quoted};
use crate::language::Language;
use crate::process::ProcessId;

/// What a mail about a refusal has to say.
#[derive(Clone, Copy, Debug)]
pub struct IncidentLetter<'a> {
    /// The name that a certificate was asked for.
    pub name: &'a str,
    /// Whose CAA records forbid it.
    pub domain: &'a str,
    /// What CAA has to name to permit this server.
    pub issuer: &'a str,
    /// What was found.
    pub reason: &'a str,
    /// The process.
    pub process: ProcessId,
}

impl IncidentLetter<'_> {
    /// The mail.
    pub fn letter(&self) -> Letter {
        let Self {
            name,
            domain,
            issuer,
            reason,
            process,
        } = self;
        let fact = |label: &str, value: String| (label.to_owned(), value);
        Letter {
            language: Language::En,
            subject: format!("A certificate for {name} was refused"),
            parts: vec![
                Part::Heading("A certificate was asked for and refused".to_owned()),
                Part::Paragraph(format!(
                    "The CAA records of {domain} do not let the certification authority {issuer} issue a certificate for {name}, \
                     and it was not issued. You get this mail because these records name your address for such reports."
                )),
                Part::Facts(vec![
                    fact("Name", (*name).to_owned()),
                    fact("Records found at", (*domain).to_owned()),
                    fact("Reason", quoted(reason)),
                    fact("Request number", process.to_string()),
                ]),
                Part::Paragraph(
                    "If the certificate is wanted, change the records. If you know nothing of it, there is nothing to do: \
                     as long as the records stand, it is not issued.".to_owned(),
                ),
                Part::Note("This mail was sent automatically, at most once a day for a domain.".to_owned()),
            ],
        }
    }
}
