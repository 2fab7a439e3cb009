//! The texts of each language: files that translators edit, compiled in. The tests compare each with the English
//! one, key by key and placeholder by placeholder.

use std::fmt;
use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Deserialize;

use crate::language::Language;

/// Everything that is said to people in one language.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Texts {
    /// A day: `{day}`, `{month}`, `{year}`.
    date: Phrase,
    /// The first day of a month.
    first_day: String,
    /// Months as they stand in `date`, January first.
    months: [String; 12],
    /// A moment: `{date}` and `{time}`, the latter of 24 hours, UTC.
    moment: Phrase,
    /// `{label}` and `{value}` in a line of plain text.
    pub(super) fact: Phrase,
    /// Before the address that stands below a button.
    pub(super) fallback: Phrase,
    /// That nobody reads an answer.
    pub(super) automatic: Phrase,
    /// What mails and pages call things.
    pub facts: Facts,
    /// The mail that asks for approval.
    pub approval_mail: ApprovalMail,
    /// The page behind its link.
    pub approval_page: ApprovalPage,
    /// The mail about the subscriber agreement.
    pub agreement_mail: AgreementMail,
    /// What pages say when there is nothing to decide.
    pub outcomes: Outcomes,
}

/// Labels.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the English file says it")]
pub struct Facts {
    pub applicant: Phrase,
    pub organization: Phrase,
    pub product: Phrase,
    pub request: Phrase,
    pub reusable_until: Phrase,
    pub answer_by: Phrase,
    pub mailbox: Phrase,
    pub authority: Phrase,
}

/// The mail that asks for approval.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the English file says it")]
pub struct ApprovalMail {
    pub subject: Phrase,
    pub heading: Phrase,
    pub intro: Phrase,
    pub names: Phrase,
    pub reuse: Phrase,
    pub action: Phrase,
    pub button: Phrase,
    pub once: Phrase,
    pub unknown: Phrase,
}

/// The page on which is decided.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the English file says it")]
pub struct ApprovalPage {
    pub title: Phrase,
    pub heading: Phrase,
    pub names: Phrase,
    pub advice: Phrase,
    pub approve: Phrase,
    pub reject: Phrase,
}

/// The mail about the subscriber agreement.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the English file says it")]
pub struct AgreementMail {
    pub subject: Phrase,
    pub heading: Phrase,
    pub greeting: Phrase,
    pub intro: Phrase,
    pub names: Phrase,
    pub action: Phrase,
    pub button: Phrase,
    pub once: Phrase,
    pub pass_on: Phrase,
    pub unknown: Phrase,
}

/// Titles and texts of pages without a question.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the English file says it")]
pub struct Outcomes {
    pub approved: Phrase,
    pub approved_text: Phrase,
    pub rejected: Phrase,
    pub rejected_text: Phrase,
    pub invalid: Phrase,
    pub invalid_text: Phrase,
    pub later: Phrase,
    pub later_text: Phrase,
}

/// A text with named places for values, such as `{name}`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Phrase(String);

impl Phrase {
    /// The text as it stands in the file: for phrases without values.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// The text with `values` in their places. Values are never looked through for places.
    pub fn fill(&self, values: &[(&str, &str)]) -> String {
        let mut filled = String::with_capacity(self.0.len());
        let mut rest = self.0.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            filled.push_str(before);
            let place = after.split_once('}').and_then(|(name, after)| {
                let (_, value) = values.iter().find(|(known, _)| *known == name)?;
                Some((value, after))
            });
            rest = if let Some((value, after)) = place {
                filled.push_str(value);
                after
            } else {
                filled.push('{');
                after
            };
        }
        filled.push_str(rest);
        filled
    }
}

impl fmt::Display for Phrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Texts {
    /// A day in words: nobody mistakes the month for the day.
    pub fn day(&self, date: Date) -> String {
        let day = match date.day() {
            1 => self.first_day.clone(),
            day => day.to_string(),
        };
        // A month is 1 to 12.
        let month = &self.months[date.month().unsigned_abs() as usize - 1];
        let year = date.year().to_string();
        self.date
            .fill(&[("day", &day), ("month", month), ("year", &year)])
    }

    /// A moment to the minute, UTC.
    pub fn moment(&self, moment: Timestamp) -> String {
        let moment = TimeZone::UTC.to_datetime(moment);
        let time = format!("{:02}:{:02}", moment.hour(), moment.minute());
        self.moment
            .fill(&[("date", &self.day(moment.date())), ("time", &time)])
    }
}

impl Language {
    /// What is said in this language.
    pub fn texts(self) -> &'static Texts {
        // `ALL` has the languages in the order of their declaration.
        &TEXTS[self as usize]
    }

    pub(super) const fn source(self) -> &'static str {
        match self {
            Self::En => include_str!("texts/en.toml"),
            Self::Nl => include_str!("texts/nl.toml"),
            Self::Fr => include_str!("texts/fr.toml"),
            Self::Cn => include_str!("texts/zh-Hans.toml"),
            Self::De => include_str!("texts/de.toml"),
            Self::It => include_str!("texts/it.toml"),
            Self::Jp => include_str!("texts/ja.toml"),
            Self::Kr => include_str!("texts/ko.toml"),
            Self::Pt => include_str!("texts/pt.toml"),
            Self::Ru => include_str!("texts/ru.toml"),
            Self::Es => include_str!("texts/es.toml"),
            Self::Dk => include_str!("texts/da.toml"),
            Self::Se => include_str!("texts/sv.toml"),
            Self::Tr => include_str!("texts/tr.toml"),
        }
    }
}

static TEXTS: LazyLock<[Texts; 14]> = LazyLock::new(|| {
    Language::ALL.map(|language| {
        toml::from_str(language.source()).expect("compiled in, and a test reads each file")
    })
});
