//! Which certificates a campaign is about, as an operator writes it: `issuer=embedded and status=ACTIVE`.
//!
//! Conditions are joined by `and`. Each is a field, an operator (`=`, `!=`, `<`, `<=`, `>`, `>=`, `like`) and a value;
//! a value with spaces stands in single or double quotes. Moments are `2026-11-29` (its beginning, UTC) or
//! `2026-11-29T12:00:00Z`. `like` takes `%` for any characters.

use std::fmt;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::certificate::CertificateStatus;
use crate::query::{Field as _, FieldKind, Filter, FilterValue, Operator, SelectionField};

/// More conditions than anybody writes.
const MOST_CONDITIONS: usize = 20;

/// Certificates, by conditions that all hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    text: String,
    filters: Vec<Filter<SelectionField>>,
}

/// What is wrong with a selection.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SelectionError(String);

impl Selection {
    /// Reads what an operator wrote.
    ///
    /// # Errors
    /// Says what was expected and what was seen.
    pub fn parse(text: &str) -> Result<Self, SelectionError> {
        let mut reader = Reader { rest: text.trim() };
        let mut filters = Vec::new();
        loop {
            filters.push(reader.condition()?);
            if reader.rest.is_empty() {
                break;
            }
            reader.and()?;
        }
        if filters.len() > MOST_CONDITIONS {
            return Err(error(format!(
                "expected at most {MOST_CONDITIONS} conditions, saw {}",
                filters.len()
            )));
        }
        Ok(Self {
            text: text.trim().to_owned(),
            filters,
        })
    }

    /// The conditions.
    pub fn filters(&self) -> &[Filter<SelectionField>] {
        &self.filters
    }
}

impl fmt::Display for Selection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

fn error(message: impl Into<String>) -> SelectionError {
    SelectionError(message.into())
}

/// What is not read yet.
struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn condition(&mut self) -> Result<Filter<SelectionField>, SelectionError> {
        let field = self.field()?;
        let operator = self.operator(field)?;
        let value = self.value()?;
        let value = value_of(field, &value)?;
        Ok(Filter {
            field,
            operator,
            values: vec![value],
        })
    }

    fn field(&mut self) -> Result<SelectionField, SelectionError> {
        let name = self.word(|letter| letter.is_ascii_alphanumeric());
        SelectionField::from_wire(name).ok_or_else(|| {
            let known: Vec<&str> = SelectionField::ALL
                .iter()
                .map(|field| field.wire_name())
                .collect();
            let seen = if name.is_empty() { self.rest } else { name };
            error(format!(
                "expected a field ({}), saw `{seen}`",
                known.join(", ")
            ))
        })
    }

    fn operator(&mut self, field: SelectionField) -> Result<Operator, SelectionError> {
        // The longer ones first.
        let known = [
            ("!=", Operator::Ne),
            ("<=", Operator::Lte),
            (">=", Operator::Gte),
            ("=", Operator::Eq),
            ("<", Operator::Lt),
            (">", Operator::Gt),
            ("like ", Operator::Like),
        ];
        let found = known
            .into_iter()
            .find(|(sign, _)| starts_with(self.rest, sign));
        let Some((sign, operator)) = found else {
            return Err(error(format!(
                "expected `=`, `!=`, `<`, `<=`, `>`, `>=` or `like` after `{}`, saw `{}`",
                field.wire_name(),
                self.rest
            )));
        };
        self.skip(sign.len());
        let ordered = matches!(field.kind(), FieldKind::Integer | FieldKind::Date);
        let fits = match operator {
            Operator::Eq | Operator::Ne => true,
            Operator::Like => matches!(field.kind(), FieldKind::Text | FieldKind::TextList),
            _ => ordered,
        };
        if fits {
            return Ok(operator);
        }
        Err(error(format!(
            "`{}` cannot be compared by `{}`",
            field.wire_name(),
            sign.trim()
        )))
    }

    fn value(&mut self) -> Result<String, SelectionError> {
        let quote = self
            .rest
            .chars()
            .next()
            .filter(|letter| matches!(letter, '\'' | '"'));
        let Some(quote) = quote else {
            let word = self.word(|letter| !letter.is_whitespace());
            if word.is_empty() {
                return Err(error("expected a value at the end"));
            }
            return Ok(word.to_owned());
        };
        let inner = &self.rest[1..];
        let Some(end) = inner.find(quote) else {
            return Err(error(format!(
                "expected {quote} at the end of `{}`",
                self.rest
            )));
        };
        self.skip(end + 2);
        Ok(inner[..end].to_owned())
    }

    fn and(&mut self) -> Result<(), SelectionError> {
        if !starts_with(self.rest, "and ") {
            return Err(error(format!(
                "expected `and` between two conditions, saw `{}`",
                self.rest
            )));
        }
        self.skip("and ".len());
        Ok(())
    }

    /// The letters that `belongs` takes, and the spaces behind them.
    fn word(&mut self, belongs: impl Fn(char) -> bool) -> &'a str {
        let end = self
            .rest
            .find(|letter| !belongs(letter))
            .unwrap_or(self.rest.len());
        let word = &self.rest[..end];
        self.skip(end);
        word
    }

    fn skip(&mut self, octets: usize) {
        self.rest = self.rest[octets..].trim_start();
    }
}

/// Whether `text` begins with `sign`, in any case.
fn starts_with(text: &str, sign: &str) -> bool {
    text.get(..sign.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(sign))
}

fn value_of(field: SelectionField, text: &str) -> Result<FilterValue, SelectionError> {
    let name = field.wire_name();
    match field.kind() {
        FieldKind::Text | FieldKind::TextList => Ok(FilterValue::Text(text.to_owned())),
        FieldKind::Enumeration => {
            let word = text.to_ascii_uppercase();
            if field == SelectionField::Status && CertificateStatus::from_word(&word).is_none() {
                return Err(error(format!(
                    "`{name}`: expected ACTIVE, EXPIRED, REISSUED, RENEWED or REVOKED, saw `{text}`"
                )));
            }
            Ok(FilterValue::Text(word))
        }
        FieldKind::Integer => text
            .parse()
            .map(FilterValue::Integer)
            .map_err(|_| error(format!("`{name}`: expected a whole number, saw `{text}`"))),
        FieldKind::Date => {
            let day = || {
                let day: Date = text.parse().ok()?;
                TimeZone::UTC.to_timestamp(day.at(0, 0, 0, 0)).ok()
            };
            let moment = text.parse().ok().or_else(day);
            moment.map(FilterValue::Date).ok_or_else(|| {
                error(format!(
                    "`{name}`: expected a moment such as `2026-11-29` or `2026-11-29T12:00:00Z`, saw `{text}`"
                ))
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(value: &str) -> Vec<FilterValue> {
        vec![FilterValue::Text(value.to_owned())]
    }

    #[test]
    fn conditions_are_read_one_after_the_other() {
        let selection = Selection::parse(
            " issuer=embedded AND status = active and domainName like '%.example.org' and \
             startDate<2026-11-29 and publicKeySize >= 2048 and organization != \"A B\" ",
        )
        .unwrap();
        let seen: Vec<_> = selection
            .filters()
            .iter()
            .map(|filter| (filter.field, filter.operator, filter.values.clone()))
            .collect();
        let midnight = "2026-11-29T00:00:00Z".parse().unwrap();
        assert_eq!(
            seen,
            [
                (SelectionField::Issuer, Operator::Eq, text("embedded")),
                (SelectionField::Status, Operator::Eq, text("ACTIVE")),
                (
                    SelectionField::DomainName,
                    Operator::Like,
                    text("%.example.org")
                ),
                (
                    SelectionField::StartDate,
                    Operator::Lt,
                    vec![FilterValue::Date(midnight)]
                ),
                (
                    SelectionField::PublicKeySize,
                    Operator::Gte,
                    vec![FilterValue::Integer(2048)]
                ),
                (SelectionField::Organization, Operator::Ne, text("A B")),
            ]
        );
        assert!(selection.to_string().starts_with("issuer=embedded AND"));
    }

    #[test]
    fn what_cannot_be_read_is_explained() {
        for (text, part) in [
            ("", "expected a field (id, customer, issuer"),
            ("colour=red", "saw `colour`"),
            ("issuer", "expected `=`"),
            ("issuer=", "expected a value"),
            ("issuer=a status=ACTIVE", "expected `and`"),
            ("issuer=a and", "expected `and` between"),
            ("issuer=a and ", "expected `and` between"),
            ("issuer='a", "expected ' at the end"),
            ("status=GONE", "expected ACTIVE"),
            ("status<ACTIVE", "cannot be compared by `<`"),
            ("id=x", "expected a whole number"),
            ("startDate>yesterday", "expected a moment"),
            ("id like 5", "cannot be compared by `like`"),
        ] {
            let seen = Selection::parse(text).unwrap_err().to_string();
            assert!(seen.contains(part), "{text}: {seen}");
        }
        let many = vec!["id=1"; MOST_CONDITIONS + 1].join(" and ");
        assert!(Selection::parse(&many).is_err());
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_fall(text in "\\PC{0,80}") {
            let _ = Selection::parse(&text);
        }
    }
}
