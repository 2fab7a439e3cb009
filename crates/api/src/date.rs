//! Dates on the wire: `yyyy-MM-dd'T'HH:mm:ssZ`, always UTC, never a fraction (contract.md section 1.3).

use std::borrow::Cow;
use std::fmt::{self, Formatter};

use jiff::Timestamp;
use jiff::civil::{self, DateTime};
use jiff::fmt::temporal::Pieces;
use jiff::tz::{Offset, TimeZone};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use crate::body::Fields;
use crate::body::syntax::Text;

/// A moment, shown in whole seconds.
#[derive(Clone, Copy)]
pub(crate) struct Date(pub(crate) Timestamp);

impl Serialize for Date {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let whole = Timestamp::from_second(self.0.as_second()).unwrap_or(self.0);
        serializer.collect_str(&whole)
    }
}

impl JsonSchema for Date {
    fn schema_name() -> Cow<'static, str> {
        "Date".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "format": "date-time"})
    }
}

/// Why a text is no moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    NoDate,
    /// A date beyond what is counted; the moment is the last, or the first, that is.
    Beyond(Timestamp),
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoDate => formatter.write_str("must be a date such as `2026-11-24T10:00:00Z`"),
            Self::Beyond(end) => write!(formatter, "must not lie beyond {end:.0}"),
        }
    }
}

/// A date as a client may write it: with any offset, with a fraction, or the day alone (its first moment in
/// UTC). A space stands for a `+` that was not percent-encoded in a query.
pub(crate) fn parse(text: &str) -> Result<Timestamp, Problem> {
    if let Some((moment, offset)) = text.rsplit_once(' ')
        && moment.contains('T')
    {
        return with_offset(&format!("{moment}+{offset}"));
    }
    // A time of the day without an offset is no moment, and would be dropped in silence.
    if text.len() == "yyyy-MM-dd".len() && text.parse::<civil::Date>().is_ok() {
        return with_offset(&format!("{text}T00:00:00Z"));
    }
    with_offset(text)
}

fn with_offset(text: &str) -> Result<Timestamp, Problem> {
    text.parse().map_err(|_| {
        // Nothing but its distance can be wrong with what is complete.
        let local = Pieces::parse(text).ok().and_then(|parts| {
            parts.offset()?;
            Some(parts.date().to_datetime(parts.time()?))
        });
        local.map_or(Problem::NoDate, beyond)
    })
}

fn beyond(local: DateTime) -> Problem {
    Problem::Beyond(if local.year() > 0 {
        Timestamp::MAX
    } else {
        Timestamp::MIN
    })
}

/// The field `name` as a moment: a text, or the object that PHP's JSON makes of a date (contract.md section 7).
pub(crate) fn read(fields: &mut Fields<'_, '_>, name: &'static str) -> Option<Timestamp> {
    if fields.is_object(name) {
        return fields.object(name, from_php).flatten();
    }
    let text = fields.text(name, Text::Length(1, 64));
    fields.describe_as(name, describe);
    let text = text?;
    parse(&text)
        .map_err(|problem| fields.violation(name, &problem.to_string(), Some(&text)))
        .ok()
}

/// The same for a field that must be there.
pub(crate) fn required(fields: &mut Fields<'_, '_>, name: &'static str) -> Timestamp {
    if fields.is_object(name) {
        return read(fields, name).unwrap_or_default();
    }
    let text = fields.required_text(name, Text::Length(1, 64));
    fields.describe_as(name, describe);
    if text.is_empty() {
        return Timestamp::default();
    }
    read(fields, name).unwrap_or_default()
}

/// The two shapes.
fn describe(schema: &mut Value) {
    *schema = json!({"anyOf": [
        {"type": "string", "format": "date-time"},
        {"type": "string", "format": "date"},
        Fields::describe(from_php),
    ]});
}

/// `{"date": "2026-11-24 10:00:00.000000", "timezone_type": 3, "timezone": "UTC"}`. Type 1 is an offset, type 2 an
/// abbreviation, type 3 the name of a time zone.
fn from_php(fields: &mut Fields<'_, '_>) -> Option<Timestamp> {
    let text = fields.required_text("date", Text::Length(1, 64));
    fields.integer("timezone_type", 1, 3);
    let name = fields.required_text("timezone", Text::Length(1, 64));
    if text.is_empty() || name.is_empty() {
        return None;
    }
    let local: Option<DateTime> = text.parse().ok();
    if local.is_none() {
        let message = "must be a date such as `2026-11-24 10:00:00.000000`";
        fields.violation("date", message, Some(&text));
    }
    let zone = time_zone(&name);
    if zone.is_none() {
        let message = "must be a time zone such as `UTC`, `Europe/Amsterdam` or `+01:00`";
        fields.violation("timezone", message, Some(&name));
    }
    let (zone, local) = (zone?, local?);
    zone.to_timestamp(local)
        .map_err(|_| fields.violation("date", &beyond(local).to_string(), Some(&text)))
        .ok()
}

fn time_zone(name: &str) -> Option<TimeZone> {
    let hours = match name {
        "Z" | "UTC" | "GMT" | "WET" => 0,
        "CET" | "WEST" | "BST" => 1,
        "CEST" | "EET" => 2,
        "EEST" => 3,
        _ => return offset(name).or_else(|| TimeZone::get(name).ok()),
    };
    Some(TimeZone::fixed(jiff::tz::offset(hours)))
}

/// `+01:00`
fn offset(text: &str) -> Option<TimeZone> {
    let (sign, rest) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = rest.split_once(':')?;
    let part = |text: &str| {
        (text.len() == 2)
            .then(|| text.parse::<i32>().ok())
            .flatten()
    };
    let seconds = part(hours)? * 3600 + part(minutes)? * 60;
    Offset::from_seconds(sign * seconds)
        .ok()
        .map(TimeZone::fixed)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::body::Findings;

    fn field(value: &Value) -> Option<Timestamp> {
        let body = json!({ "date": value });
        let mut findings = Findings::default();
        let mut fields = Fields::of(body.as_object().unwrap(), &mut findings);
        let moment = required(&mut fields, "date");
        fields.finish();
        findings.settle().ok().map(|()| moment)
    }

    #[test]
    fn a_date_is_a_text_or_what_php_makes_of_it() {
        let expected: Timestamp = "2026-11-24T10:00:00Z".parse().unwrap();
        let php = |date: &str, kind: i32, zone: &str| json!({"date": date, "timezone_type": kind, "timezone": zone});
        for value in [
            json!("2026-11-24T10:00:00Z"),
            json!("2026-11-24T11:00:00.000+01:00"),
            php("2026-11-24 10:00:00.000000", 3, "UTC"),
            php("2026-11-24 11:00:00.000000", 3, "Europe/Amsterdam"),
            php("2026-11-24 11:00:00.000000", 1, "+01:00"),
            php("2026-11-24 06:30:00", 1, "-03:30"),
            php("2026-11-24 11:00:00.000000", 2, "CET"),
        ] {
            assert_eq!(field(&value), Some(expected), "{value}");
        }
        let summer = php("2027-07-01 12:00:00.000000", 3, "Europe/Amsterdam");
        assert_eq!(
            field(&summer),
            Some("2027-07-01T10:00:00Z".parse().unwrap())
        );
        for value in [
            json!(null),
            json!(""),
            json!("tomorrow"),
            json!("2026-11-24 10:00:00"),
            json!(1_800_000_000),
            json!(["2026-11-24T10:00:00Z"]),
            json!({}),
            json!({"date": "2026-11-24 10:00:00.000000"}),
            json!({"timezone": "UTC"}),
            php("2026-11-24 25:00:00.000000", 3, "UTC"),
            php("2026-11-24 10:00:00.000000", 4, "UTC"),
            php("2026-11-24 10:00:00.000000", 3, "Mars/Olympus"),
            php("2026-11-24 10:00:00.000000", 1, "+99:00"),
            php("9999-12-31 00:00:00.000000", 3, "UTC"),
            php("-009999-01-01 00:00:00.000000", 3, "UTC"),
            json!("9999-12-31T00:00:00Z"),
            json!({"date": "2026-11-24 10:00:00.000000", "timezone": "UTC", "era": "AD"}),
        ] {
            assert_eq!(field(&value), None, "{value}");
        }
    }

    #[test]
    fn dates_have_no_fraction_and_end_with_z() {
        let moment: Timestamp = "2022-03-18T13:37:20.987Z".parse().unwrap();
        assert_eq!(
            serde_json::to_string(&Date(moment)).unwrap(),
            r#""2022-03-18T13:37:20Z""#
        );
    }

    #[test]
    fn dates_are_read_with_offsets_and_fractions() {
        let expected = Timestamp::from_second(1_800_000_000).unwrap();
        for text in [
            "2027-01-15T08:00:00Z",
            "2027-01-15T08:00:00.000Z",
            "2027-01-15T09:00:00+01:00",
            "2027-01-15T09:00:00 01:00",
        ] {
            assert_eq!(parse(text), Ok(expected), "{text}");
        }
        assert_eq!(
            parse("2027-01-15"),
            Ok("2027-01-15T00:00:00Z".parse().unwrap())
        );
        for text in [
            "",
            "yesterday",
            "2027-01-15 08:00:00",
            "2027-13-01",
            "1800000000",
            " ",
            "T ",
        ] {
            assert_eq!(parse(text), Err(Problem::NoDate), "{text:?}");
        }
    }

    #[test]
    fn dates_beyond_the_last_moment_are_told_apart() {
        let end = Problem::Beyond(Timestamp::MAX);
        for text in [
            "9999-12-31",
            "9999-12-31T00:00:00Z",
            "9999-12-31T02:00:00 01:00",
            "9999-12-30T23:30:00-01:00",
        ] {
            assert_eq!(parse(text), Err(end), "{text}");
        }
        assert_eq!(end.to_string(), "must not lie beyond 9999-12-30T22:00:00Z");
        let start = Problem::Beyond(Timestamp::MIN);
        assert_eq!(parse("-009999-01-01T00:00:00Z"), Err(start));
        assert_eq!(
            parse("9999-12-30"),
            Ok("9999-12-30T00:00:00Z".parse().unwrap())
        );
        for text in [
            "10000-01-01",
            "9999-12-32T00:00:00Z",
            "9999-12-31T00:00:00",
            "9999-12-31 00:00:00",
        ] {
            assert_eq!(parse(text), Err(Problem::NoDate), "{text}");
        }
    }
}
