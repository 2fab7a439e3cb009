//! Which time the server lives in.

use anyhow::bail;
use reseal_lifecycle::clock::Clock;
use reseal_lifecycle::services::Trust;

use crate::config::Offset;

/// Shifts the clock of a sandbox or a test.
pub(crate) const VARIABLE: &str = "RESEAL_CLOCK_OFFSET";

/// The system's clock, shifted by [`VARIABLE`]: never for public trust, whose certificates tell the world
/// when they were made.
pub(crate) fn clock(profile: Trust) -> anyhow::Result<Clock> {
    let text = std::env::var_os(VARIABLE).unwrap_or_default();
    from_offset(&text.to_string_lossy(), profile)
}

fn from_offset(text: &str, profile: Trust) -> anyhow::Result<Clock> {
    if text.is_empty() {
        return Ok(Clock::system());
    }
    let Ok(Offset(offset)) = text.parse() else {
        bail!("{VARIABLE}: expected a shift such as `+120d` or `-2h`, saw `{text}`");
    };
    if profile == Trust::Public {
        bail!("{VARIABLE} is set: with `policy.profile = \"public\"` the clock cannot be shifted");
    }
    Ok(Clock::shifted(offset))
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};

    use super::*;

    #[test]
    fn the_clock_is_shifted_for_private_trust_only() {
        let day = SignedDuration::from_hours(24);
        let shifted = from_offset("+120d", Trust::Private).unwrap();
        let away = shifted.now().duration_since(Timestamp::now());
        assert!(
            (away - day * 120).abs() < SignedDuration::from_secs(5),
            "{away}"
        );
        assert!(!from_offset("", Trust::Public).unwrap().is_shifted());
        assert!(from_offset("+1d", Trust::Public).is_err());
        let error = from_offset("soon", Trust::Private).unwrap_err().to_string();
        assert!(error.contains("saw `soon`"), "{error}");
    }
}
