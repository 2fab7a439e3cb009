//! The secret that a server and its remote perspective share.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use http::HeaderValue;
use subtle::ConstantTimeEq as _;

/// Fewest and most characters.
const LENGTH: std::ops::RangeInclusive<usize> = 16..=512;

/// A bearer token (RFC 6750). Never shown.
#[derive(Clone)]
pub struct Token(String);

/// A token that cannot be used; says nothing of what it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected one line of 16 to 512 printable ASCII characters without spaces, such as `openssl rand -hex 32` makes"
)]
pub struct BadToken;

impl Token {
    /// The token in the text of a file; white space around it does not count.
    pub fn parse(text: &str) -> Result<Self, BadToken> {
        let token = text.trim();
        if LENGTH.contains(&token.len()) && token.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Self(token.to_owned()))
        } else {
            Err(BadToken)
        }
    }

    /// Whether `authorization`, the value of that header, offers this token. Takes as long for every other one.
    pub fn is_offered_by(&self, authorization: &[u8]) -> bool {
        let (scheme, offered) = authorization.split_at_checked(7).unwrap_or_default();
        let hash = |text: &[u8]| digest(&SHA256, text);
        // The hashes have one length, whatever is compared.
        let same = hash(offered)
            .as_ref()
            .ct_eq(hash(self.0.as_bytes()).as_ref());
        scheme.eq_ignore_ascii_case(b"Bearer ") && bool::from(same)
    }

    pub(super) fn header(&self) -> Option<HeaderValue> {
        let mut value = HeaderValue::try_from(format!("Bearer {}", self.0)).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "0123456789abcdef-secret";

    #[test]
    fn m_5_only_the_very_token_is_taken() {
        let token = Token::parse(&format!("{SECRET}\n")).unwrap();
        let offered = |text: &str| token.is_offered_by(text.as_bytes());
        assert!(offered(&format!("Bearer {SECRET}")));
        assert!(offered(&format!("bearer {SECRET}")));
        for wrong in [
            String::new(),
            "Bearer".to_owned(),
            "Bearer ".to_owned(),
            SECRET.to_owned(),
            format!("Bearer  {SECRET}"),
            format!("Bearer {SECRET} "),
            format!("Bearer {}", SECRET.to_uppercase()),
            format!("Bearer {}", &SECRET[1..]),
            format!("ApiKey {SECRET}"),
        ] {
            assert!(!offered(&wrong), "{wrong}");
        }
    }

    #[test]
    fn a_token_that_is_short_or_broken_is_refused_without_showing_it() {
        for text in [
            "",
            "short",
            "0123456789abcde",
            "0123456789 abcdef",
            "0123456789abcdé!",
        ] {
            let error = Token::parse(text).unwrap_err().to_string();
            assert!(text.is_empty() || !error.contains(text), "{error}");
        }
        assert_eq!(format!("{:?}", Token::parse(SECRET).unwrap()), "Token");
        let header = Token::parse(SECRET).unwrap().header().unwrap();
        assert!(!format!("{header:?}").contains(SECRET));
    }
}
