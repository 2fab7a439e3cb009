//! What foreign text becomes before it is recorded: nothing in it moves a terminal's cursor, turns the direction of
//! writing or fills the disk.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

/// Longest name of an actor, an action or an object, in bytes.
pub(super) const SHORT: usize = 300;
/// Longest text, in bytes. The API takes reasons and notes of up to 1000.
pub(super) const LONG: usize = 1000;
/// Most facts, and most members of a list of them.
const MOST: usize = 1000;
/// Levels of nesting.
const DEEPEST: u8 = 4;

/// `text` without control characters, line separators and marks of direction, at most `most` bytes long.
pub(super) fn tame(text: &str, most: usize) -> String {
    if text.len() <= most && !text.chars().any(is_wild) {
        return text.to_owned();
    }
    let mut tamed = String::with_capacity(text.len().min(most));
    for character in text.chars() {
        let before = tamed.len();
        if is_wild(character) {
            let _ = write!(tamed, "\\u{{{:x}}}", u32::from(character));
        } else {
            tamed.push(character);
        }
        // Room for the sign of the cut.
        if tamed.len() + '…'.len_utf8() > most {
            tamed.truncate(before);
            tamed.push('…');
            break;
        }
    }
    tamed
}

fn is_wild(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{061c}' | '\u{200e}' | '\u{200f}'
        )
        || ('\u{202a}'..='\u{202e}').contains(&character)
        || ('\u{2066}'..='\u{2069}').contains(&character)
}

/// The same for every text among `facts`.
pub(super) fn tame_all(facts: Map<String, Value>) -> Map<String, Value> {
    members(facts, DEEPEST)
}

fn members(facts: Map<String, Value>, levels: u8) -> Map<String, Value> {
    facts
        .into_iter()
        .take(MOST)
        .map(|(name, value)| (tame(&name, SHORT), value_of(value, levels)))
        .collect()
}

fn value_of(value: Value, levels: u8) -> Value {
    match value {
        Value::String(text) => Value::String(tame(&text, LONG)),
        Value::Array(_) | Value::Object(_) if levels == 0 => json!("…"),
        Value::Array(items) => {
            let items = items.into_iter().take(MOST);
            items.map(|item| value_of(item, levels - 1)).collect()
        }
        Value::Object(facts) => Value::Object(members(facts, levels - 1)),
        plain => plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_4_foreign_text_is_escaped_and_cut() {
        assert_eq!(tame("Käse", 10), "Käse");
        assert_eq!(tame("a\u{1b}[2J\r\n", 40), "a\\u{1b}[2J\\u{d}\\u{a}");
        assert_eq!(tame("a\u{202e}b", 40), "a\\u{202e}b");
        let cut = tame(&"ä".repeat(1000), 21);
        assert_eq!(cut, format!("{}…", "ä".repeat(9)));
        assert!(tame(&"\u{7}".repeat(1000), 20).len() <= 20);
    }

    #[test]
    fn a_4_facts_are_tamed_at_every_level_and_end() {
        let mut facts = Map::new();
        facts.insert("a\n".to_owned(), json!({"b": ["\u{7}", 1, null]}));
        assert_eq!(
            Value::Object(tame_all(facts)),
            json!({"a\\u{a}": {"b": ["\\u{7}", 1, null]}})
        );
        let mut deep = json!("x");
        for _ in 0..100 {
            deep = json!([deep]);
        }
        let mut facts = Map::new();
        facts.insert("deep".to_owned(), deep);
        facts.insert("long".to_owned(), (0..10_000).collect());
        assert!(Value::Object(tame_all(facts)).to_string().len() < 6_000);
    }
}
