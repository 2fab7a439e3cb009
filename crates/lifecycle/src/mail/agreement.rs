//! The mail that asks for the acceptance of the subscriber agreement.

use jiff::Timestamp;

use super::letter::{Letter, Part, fact, quoted};
use crate::language::Language;
use crate::process::ProcessId;

/// What a mail about the subscriber agreement has to say.
#[derive(Clone, Debug)]
pub struct AgreementLetter<'a> {
    /// First and last name of whoever gets the mail, if known.
    pub name: Option<&'a str>,
    /// The organization to be certified.
    pub organization: &'a str,
    /// The names of the certificate; not empty.
    pub names: &'a [&'a str],
    /// Who asked for the certificate.
    pub customer: &'a str,
    /// Product handle.
    pub product: &'a str,
    /// The process.
    pub process: ProcessId,
    /// The page with the agreement.
    pub link: &'a str,
    /// Until when the link works.
    pub expires: Timestamp,
}

impl AgreementLetter<'_> {
    /// The mail in `language`. What the customer chose freely stays out of the subject (D-18).
    pub fn letter(&self, language: Language) -> Letter {
        let texts = language.texts();
        let (mail, facts) = (&texts.agreement_mail, &texts.facts);
        let first = self.names.first().copied().unwrap_or_default();
        let names = self.names.iter().map(|name| (*name).to_owned());
        let mut parts = vec![Part::Heading(mail.heading.text().to_owned())];
        parts.extend(self.name.map(|name| {
            let name = quoted(name);
            Part::Paragraph(mail.greeting.fill(&[("name", &name)]))
        }));
        parts.extend([
            Part::Paragraph(mail.intro.text().to_owned()),
            Part::Paragraph(mail.names.text().to_owned()),
            Part::List(names.collect()),
            Part::Facts(vec![
                fact(&facts.organization, quoted(self.organization)),
                fact(&facts.applicant, quoted(self.customer)),
                fact(&facts.product, self.product.to_owned()),
                fact(&facts.request, self.process.to_string()),
                fact(&facts.answer_by, texts.moment(self.expires)),
            ]),
            Part::Paragraph(mail.action.text().to_owned()),
            Part::Link {
                button: mail.button.text().to_owned(),
                address: self.link.to_owned(),
            },
            Part::Paragraph(mail.once.text().to_owned()),
            Part::Paragraph(mail.pass_on.text().to_owned()),
            Part::Paragraph(mail.unknown.text().to_owned()),
            Part::Note(texts.automatic.text().to_owned()),
        ]);
        Letter {
            language,
            subject: mail.subject.fill(&[("domain", first)]),
            parts,
        }
    }
}
