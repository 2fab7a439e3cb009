//! How a value that somebody sent is shown in a message.

/// Characters shown of a value; the rest is an ellipsis.
const LONGEST: usize = 100;

/// The value in backticks, cut at 100 characters, with everything escaped
/// that could hide in a terminal or a log line: control and format characters
/// (bidirectional overrides, zero-width characters) and the backtick itself.
pub(crate) fn quoted(value: &str) -> String {
    let mut shown = String::with_capacity(value.len().min(LONGEST) + 2);
    shown.push('`');
    for (position, character) in value.chars().enumerate() {
        if position == LONGEST {
            shown.push('…');
            break;
        }
        match character {
            '`' | '\\' => shown.extend(['\\', character]),
            hidden if hidden.is_control() || is_format(hidden) => {
                shown.extend(hidden.escape_unicode());
            }
            plain => shown.push(plain),
        }
    }
    shown.push('`');
    shown
}

/// Invisible characters that change how their neighbours look.
fn is_format(character: char) -> bool {
    matches!(character,
        '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_long_value_is_cut_at_100_characters() {
        assert_eq!(quoted(&"é".repeat(101)), format!("`{}…`", "é".repeat(100)));
    }

    #[test]
    fn control_and_direction_characters_are_escaped() {
        assert_eq!(quoted("a\0b\u{202e}c`\\"), "`a\\u{0}b\\u{202e}c\\`\\\\`");
    }
}
