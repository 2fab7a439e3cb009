//! How long copies of signed statements may be kept, and whether a caller's copy is still what it would get.

use http::header::{CACHE_CONTROL, ETAG, EXPIRES, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED};
use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::fmt::rfc2822::{DateTimeParser, DateTimePrinter};
use jiff::{SignedDuration, Timestamp};

/// What is said about a statement that may be kept.
pub(super) struct Caching<'a> {
    /// Entity tag, in quotes. No other statement at the same address ever has it.
    pub(super) tag: &'a str,
    /// When it was made.
    pub(super) modified: Timestamp,
    /// For how long a copy is used without asking.
    pub(super) lasts: SignedDuration,
    /// What `Cache-Control` says beside `public` and `max-age`.
    pub(super) control: &'static str,
}

impl Caching<'_> {
    /// Puts the headers into an answer that is given at `now`.
    pub(super) fn mark(&self, headers: &mut HeaderMap, now: Timestamp) {
        for (name, value) in self.headers(now) {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        }
    }

    fn headers(&self, now: Timestamp) -> Vec<(HeaderName, String)> {
        let date = |moment: Timestamp| {
            DateTimePrinter::new()
                .timestamp_to_rfc9110_string(&moment)
                .ok()
        };
        let seconds = self.lasts.as_secs();
        let control = format!("public, max-age={seconds}{}", self.control);
        let mut headers = vec![(ETAG, self.tag.to_owned()), (CACHE_CONTROL, control)];
        headers.extend(date(self.modified).map(|date| (LAST_MODIFIED, date)));
        let until = now.saturating_add(self.lasts).ok().and_then(date);
        headers.extend(until.map(|date| (EXPIRES, date)));
        headers
    }

    /// RFC 9110 section 13.2.2: tags decide when there are any, otherwise the date does.
    pub(super) fn is_unchanged(&self, headers: &HeaderMap) -> bool {
        let tags = headers.get_all(IF_NONE_MATCH);
        if tags.iter().next().is_some() {
            let bare = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
            let ours = bare(self.tag);
            return tags
                .iter()
                .filter_map(|value| value.to_str().ok())
                .flat_map(|value| value.split(','))
                .map(bare)
                .any(|one| one == ours || one == "*");
        }
        headers
            .get(IF_MODIFIED_SINCE)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| DateTimeParser::new().parse_timestamp(value).ok())
            .is_some_and(|since| self.modified.as_second() <= since.as_second())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caching(tag: &str) -> Caching<'_> {
        let modified = Timestamp::from_second(1_700_000_000).unwrap();
        Caching {
            tag,
            modified,
            lasts: SignedDuration::from_mins(15),
            control: ", no-transform",
        }
    }

    #[test]
    fn copies_are_kept_as_long_as_they_last() {
        let caching = caching("\"abc\"");
        let headers = caching.headers(caching.modified + SignedDuration::from_mins(5));
        let expected = [
            (ETAG, "\"abc\""),
            (CACHE_CONTROL, "public, max-age=900, no-transform"),
            (LAST_MODIFIED, "Tue, 14 Nov 2023 22:13:20 GMT"),
            (EXPIRES, "Tue, 14 Nov 2023 22:33:20 GMT"),
        ];
        assert_eq!(
            headers,
            expected.map(|(name, value)| (name, value.to_owned()))
        );
    }

    #[test]
    fn only_a_copy_of_the_newest_statement_is_unchanged() {
        for (name, value, unchanged) in [
            (IF_NONE_MATCH, "\"abc\"", true),
            (IF_NONE_MATCH, "\"1\", W/\"abc\"", true),
            (IF_NONE_MATCH, "*", true),
            (IF_NONE_MATCH, "\"abd\"", false),
            (IF_MODIFIED_SINCE, "Tue, 14 Nov 2023 22:13:20 GMT", true),
            (IF_MODIFIED_SINCE, "Tue, 14 Nov 2023 22:13:19 GMT", false),
            (IF_MODIFIED_SINCE, "yesterday", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(name, HeaderValue::from_static(value));
            for tag in ["\"abc\"", "W/\"abc\""] {
                assert_eq!(caching(tag).is_unchanged(&headers), unchanged, "{value}");
            }
        }
        assert!(!caching("\"abc\"").is_unchanged(&HeaderMap::new()));
    }
}
