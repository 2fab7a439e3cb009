//! Durations and sizes as people write them.

use std::str::FromStr;
use std::time::Duration;

use jiff::SignedDuration;

/// A duration such as `2s`, `500ms` or `72h`, to the millisecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span(u64);

impl Span {
    pub(crate) const fn seconds(seconds: u64) -> Self {
        Self(seconds * 1000)
    }

    pub(crate) fn unsigned(self) -> Duration {
        Duration::from_millis(self.0)
    }

    pub(crate) fn signed(self) -> SignedDuration {
        SignedDuration::from_millis(i64::try_from(self.0).unwrap_or(i64::MAX))
    }
}

impl FromStr for Span {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (number, unit) = number_and_unit(text)?;
        let milliseconds = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(()),
        };
        number
            .checked_mul(milliseconds)
            .filter(|total| i64::try_from(*total).is_ok())
            .map(Self)
            .ok_or(())
    }
}

/// A size in bytes such as `256KiB` or `1MiB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size(pub(crate) usize);

impl FromStr for Size {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (number, unit) = number_and_unit(text)?;
        let bytes: u64 = match unit {
            "B" | "" => 1,
            "KiB" => 1 << 10,
            "MiB" => 1 << 20,
            "GiB" => 1 << 30,
            _ => return Err(()),
        };
        number
            .checked_mul(bytes)
            .and_then(|total| usize::try_from(total).ok())
            .map(Self)
            .ok_or(())
    }
}

/// How far the clock is shifted: `+120d`, `-2h`; without a sign it is forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Offset(pub(crate) SignedDuration);

impl FromStr for Offset {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (sign, span) = match text.as_bytes().first() {
            Some(b'+') => (1, &text[1..]),
            Some(b'-') => (-1, &text[1..]),
            _ => (1, text),
        };
        let span: Span = span.parse()?;
        Ok(Self(span.signed() * sign))
    }
}

fn number_and_unit(text: &str) -> Result<(u64, &str), ()> {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    Ok((number.parse().map_err(|_| ())?, unit.trim_start()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_in_every_unit() {
        for (text, milliseconds) in [
            ("250ms", 250),
            ("2s", 2_000),
            ("3m", 180_000),
            ("72h", 259_200_000),
            ("1 d", 86_400_000),
        ] {
            assert_eq!(text.parse(), Ok(Span(milliseconds)), "{text}");
        }
        for text in [
            "",
            "2",
            "s",
            "2 weeks",
            "-2s",
            "1.5s",
            "99999999999999999999d",
            "9999999999999d",
        ] {
            assert_eq!(text.parse::<Span>(), Err(()), "{text}");
        }
    }

    #[test]
    fn sizes_are_read_in_every_unit() {
        for (text, bytes) in [
            ("17", 17),
            ("1B", 1),
            ("256KiB", 262_144),
            ("2MiB", 2_097_152),
        ] {
            assert_eq!(text.parse(), Ok(Size(bytes)), "{text}");
        }
        for text in ["", "KiB", "1kB", "99999999999999GiB"] {
            assert_eq!(text.parse::<Size>(), Err(()), "{text}");
        }
    }

    #[test]
    fn the_clock_is_shifted_both_ways() {
        let day = SignedDuration::from_hours(24);
        assert_eq!("+120d".parse(), Ok(Offset(day * 120)));
        assert_eq!("120d".parse(), Ok(Offset(day * 120)));
        assert_eq!("-2h".parse(), Ok(Offset(-SignedDuration::from_hours(2))));
        for text in ["", "+", "+-1d", "tomorrow"] {
            assert_eq!(text.parse::<Offset>(), Err(()), "{text}");
        }
    }
}
