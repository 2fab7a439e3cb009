//! The mail that asks a domain's owner for approval (D-18).

use jiff::civil::Date;

use super::letter::{Letter, Part, fact, quoted};
use crate::language::Language;
use crate::process::ProcessId;

/// What a mail that asks for approval has to say.
#[derive(Clone, Debug)]
pub struct ApprovalLetter<'a> {
    /// Every name that an approval proves; not empty.
    pub names: &'a [&'a str],
    /// Who asked for the certificate.
    pub customer: &'a str,
    /// Product handle.
    pub product: &'a str,
    /// The process.
    pub process: ProcessId,
    /// For which domain, and whatever is below it, the approval serves later.
    pub domain: &'a str,
    /// The last day on which it can, UTC.
    pub until: Date,
    /// The page to decide on.
    pub link: &'a str,
    /// For how many days the link works.
    pub days: i64,
}

impl ApprovalLetter<'_> {
    /// The mail in `language`.
    pub fn letter(&self, language: Language) -> Letter {
        let texts = language.texts();
        let (mail, facts) = (&texts.approval_mail, &texts.facts);
        let first = self.names.first().copied().unwrap_or(self.domain);
        let names = self.names.iter().map(|name| (*name).to_owned());
        Letter {
            language,
            subject: mail.subject.fill(&[("name", first)]),
            parts: vec![
                Part::Heading(mail.heading.text().to_owned()),
                Part::Paragraph(mail.intro.text().to_owned()),
                Part::Paragraph(mail.names.text().to_owned()),
                Part::List(names.collect()),
                Part::Facts(vec![
                    fact(&facts.applicant, quoted(self.customer)),
                    fact(&facts.product, self.product.to_owned()),
                    fact(&facts.request, self.process.to_string()),
                    fact(&facts.reusable_until, texts.day(self.until)),
                ]),
                Part::Paragraph(mail.reuse.fill(&[("domain", self.domain)])),
                Part::Paragraph(mail.action.text().to_owned()),
                Part::Link {
                    button: mail.button.text().to_owned(),
                    address: self.link.to_owned(),
                },
                Part::Paragraph(mail.once.fill(&[("days", &self.days.to_string())])),
                Part::Paragraph(mail.unknown.text().to_owned()),
                Part::Note(texts.automatic.text().to_owned()),
            ],
        }
    }
}
