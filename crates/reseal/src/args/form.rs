//! Forms that arguments must have: whatever has another one is wrong usage.

use std::net::SocketAddr;

use jiff::Timestamp;
use reseal_lifecycle::customer::check_handle;

pub(super) fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse()
        .map_err(|_| "expected an address with a port, such as `127.0.0.1:8080`".to_owned())
}

pub(super) fn handle(text: &str) -> Result<String, String> {
    match check_handle(text) {
        Ok(()) => Ok(text.to_owned()),
        Err(_) => Err("expected 3 to 40 letters, digits and `-_@.`".to_owned()),
    }
}

/// A name that can stand between `/` and `:` in a key.
pub(super) fn login(text: &str) -> Result<String, String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_@.".contains(&byte);
    if (1..=40).contains(&text.len()) && text.bytes().all(plain) {
        return Ok(text.to_owned());
    }
    Err("expected 1 to 40 letters, digits and `-_@.`".to_owned())
}

/// A moment, or a day for its first moment in UTC.
pub(super) fn moment(text: &str) -> Result<Timestamp, String> {
    let is_day = text.len() == "yyyy-MM-dd".len();
    let moment = if is_day {
        format!("{text}T00:00:00Z")
    } else {
        text.to_owned()
    };
    moment
        .parse()
        .map_err(|_| format!("expected a date such as `2026-11-24`, saw `{text}`"))
}
