//! Patterns: `%` is the only wildcard a caller has; everything else stands for itself.

/// No searchable value is longer than this, so no longer pattern can fit; SQLite itself refuses very long ones.
const LONGEST: usize = 4096;

/// A caller's pattern as a bound value; `None` when it cannot fit anything.
pub(super) fn like(pattern: &str) -> Option<String> {
    let mut escaped = String::with_capacity(pattern.len());
    let mut previous = None;
    for character in pattern.chars() {
        // A run of wildcards is one wildcard, and cheaper.
        if character != '%' || previous != Some('%') {
            push(&mut escaped, character, character == '%');
        }
        previous = Some(character);
    }
    fitting(escaped)
}

/// The pattern that finds `text` anywhere in a value; `None` when it cannot fit anything.
pub(super) fn substring(text: &str) -> Option<String> {
    let mut escaped = String::with_capacity(text.len() + 2);
    escaped.push('%');
    for character in text.chars() {
        push(&mut escaped, character, false);
    }
    escaped.push('%');
    fitting(escaped)
}

/// No stored text has a NUL, and SQLite would take it for the end of the pattern.
fn fitting(escaped: String) -> Option<String> {
    (escaped.len() <= LONGEST && !escaped.contains('\0')).then_some(escaped)
}

fn push(escaped: &mut String, character: char, is_wildcard: bool) {
    if !is_wildcard && matches!(character, '%' | '_' | '\\') {
        escaped.push('\\');
    }
    escaped.push(character);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_percent_sign_is_a_wildcard() {
        assert_eq!(like("%.example.com").unwrap(), "%.example.com");
        assert_eq!(like(r"a_b\c%").unwrap(), r"a\_b\\c%");
        assert_eq!(like("%%%%a%%").unwrap(), "%a%");
        assert_eq!(like(r"\%%").unwrap(), r"\\%");
    }

    #[test]
    fn a_search_has_no_wildcards() {
        assert_eq!(substring("100%_").unwrap(), r"%100\%\_%");
        assert_eq!(substring("").unwrap(), "%%");
    }

    #[test]
    fn a_pattern_that_no_value_can_have_fits_nothing() {
        assert_eq!(like("%\0"), None);
        assert_eq!(substring("\0"), None);
        assert_eq!(like(&"a".repeat(LONGEST + 1)), None);
        assert_eq!(substring(&"a".repeat(LONGEST)), None);
        assert!(like(&"%".repeat(60_000)).is_some());
    }
}
