//! Dates on the wire: `yyyy-MM-dd'T'HH:mm:ssZ`, always UTC, never a fraction (contract.md section 1.3).

use jiff::Timestamp;
use serde::{Serialize, Serializer};

/// A moment, shown in whole seconds.
#[derive(Clone, Copy)]
pub(crate) struct Date(pub(crate) Timestamp);

impl Serialize for Date {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let whole = Timestamp::from_second(self.0.as_second()).unwrap_or(self.0);
        serializer.collect_str(&whole)
    }
}

/// A date as a client may write it: with any offset, with a fraction, or the day alone (its first moment in
/// UTC). A space stands for a `+` that was not percent-encoded in a query.
pub(crate) fn parse(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(moment) = text.parse() {
        return Some(moment);
    }
    if let Some((moment, offset)) = text.rsplit_once(' ')
        && moment.contains('T')
    {
        return format!("{moment}+{offset}").parse().ok();
    }
    let day: jiff::civil::Date = text.parse().ok()?;
    format!("{day}T00:00:00Z").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

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
            assert_eq!(parse(text), Some(expected), "{text}");
        }
        assert_eq!(
            parse("2027-01-15"),
            Some("2027-01-15T00:00:00Z".parse().unwrap())
        );
        for text in ["", "yesterday", "2027-13-01", "1800000000", " ", "T "] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }
}
