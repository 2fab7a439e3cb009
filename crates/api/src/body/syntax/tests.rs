//! Shortest, longest, one over, and several bytes a character, for each restriction.

use std::cell::RefCell;
use std::collections::HashMap;

use fancy_regex::Regex;
use proptest::prelude::*;
use reseal_lifecycle::Language;

use super::*;

fn accepts(rule: Text, values: &[&str]) {
    for value in values {
        assert_eq!(rule.problem(value), None, "{rule:?} {value}");
        assert!(is_described(rule, value), "{rule:?} {value}");
    }
}

fn refuses(rule: Text, values: &[&str]) {
    for value in values {
        assert!(rule.problem(value).is_some(), "{rule:?} {value}");
        // A schema counts characters, not bytes.
        if value.is_ascii() {
            assert!(!is_described(rule, value), "{rule:?} {value}");
        }
    }
}

/// Whether the rule's JSON schema admits `value`.
fn is_described(rule: Text, value: &str) -> bool {
    let schema = rule.schema();
    let length = value.chars().count() as u64;
    let limit = |name: &str| schema.get(name).map(|limit| limit.as_u64().unwrap());
    let matches = schema
        .get("pattern")
        .is_none_or(|pattern| matches(pattern.as_str().unwrap(), value));
    let words = schema.get("enum").and_then(Value::as_array);
    limit("minLength").is_none_or(|least| length >= least)
        && limit("maxLength").is_none_or(|most| length <= most)
        && words.is_none_or(|words| words.contains(&json!(value)))
        && matches
}

thread_local! {
    static EXPRESSIONS: RefCell<HashMap<String, Regex>> = RefCell::default();
}

fn matches(pattern: &str, value: &str) -> bool {
    EXPRESSIONS.with_borrow_mut(|known| {
        let expression = known
            .entry(pattern.to_owned())
            .or_insert_with(|| Regex::new(pattern).unwrap());
        expression.is_match(value).unwrap()
    })
}

proptest! {
    #[test]
    fn what_decides_and_what_is_published_agree(
        value in "[*.]{0,2}([a-bA0-9@+_.-]{0,4}[a-z0-9.@+-]){0,4}",
        separator in "[@.]",
        end in "[a-z0-9]{1,3}|\\.[a-z][a-z0-9-]{1,3}",
    ) {
        let rules = [
            Text::Domain, Text::Email, Text::Voice, Text::Handle, Text::UniqueValue, Text::Country,
            Text::Length(2, 9), Text::Document, Text::Word(&["a1", "b"]), Text::WordOfAnyCase(&["A1", "B"]),
        ];
        for value in [&value, &format!("{value}{separator}{end}"), &end, &format!("+{separator}{end}")] {
            for rule in rules {
                let accepted = rule.problem(value).is_none();
                prop_assert_eq!(accepted, is_described(rule, value), "{:?} {}", rule, value);
            }
        }
    }
}

/// A name of exactly `length` bytes.
fn domain_of(length: usize) -> String {
    let mut name = String::from("com");
    while name.len() < length {
        let label = (length - name.len() - 1).min(LONGEST_LABEL);
        // Leave room for a dot and at least one more character.
        let label = if length - name.len() - 1 - label == 1 {
            label - 1
        } else {
            label
        };
        name = format!("{}.{name}", "a".repeat(label));
    }
    name
}

#[test]
fn domain_lengths() {
    for length in [4, 255] {
        let name = if length == 4 {
            "a.bc".to_owned()
        } else {
            domain_of(length)
        };
        assert_eq!(name.len(), length);
        accepts(Text::Domain, &[&name]);
    }
    let over = domain_of(256);
    assert_eq!(over.len(), 256);
    refuses(Text::Domain, &[&over, "a.b", "é.é"]);
}

#[test]
fn domain_form() {
    let longest_label = "a".repeat(63);
    let over_label = "a".repeat(64);
    accepts(
        Text::Domain,
        &[
            "example.com",
            "*.example.com",
            "a-b.c--d.x0",
            "0.example",
            "xn--mnchen-3ya.example",
            &format!("{longest_label}.com"),
            &format!("a.{longest_label}"),
        ],
    );
    refuses(
        Text::Domain,
        &[
            "EXAMPLE.com",
            "example",
            "example.com.",
            ".example.com",
            "a..example.com",
            "-a.example.com",
            "a-.example.com",
            "a_b.example.com",
            "exam ple.com",
            "*.*.example.com",
            "*example.com",
            "*",
            "*.",
            "a.*.example.com",
            "192.0.2.1",
            "example.c",
            "example.0a",
            "example.a-",
            "münchen.example",
            "example。com",
            "example.com\n",
            "example.com\0",
            &format!("{over_label}.com"),
            &format!("a.{over_label}"),
        ],
    );
}

#[test]
fn nasty_069_an_international_name_is_answered_with_its_a_label() {
    let problem = Text::Domain.problem("münchen.example").unwrap();
    assert!(problem.contains("xn--mnchen-3ya.example"), "{problem}");
}

#[test]
fn email() {
    let local = "a".repeat(64);
    accepts(
        Text::Email,
        &[
            "a@b.cd",
            "first.last+tag-x_y@example.com",
            &format!("{local}@example.com"),
            "0@example.com",
            &format!("{local}@{}", domain_of(190)),
        ],
    );
    refuses(
        Text::Email,
        &[
            "@b.cd",
            "a@b.c",
            "a@example",
            ".a@example.com",
            "a.@example.com",
            "a..b@example.com",
            "A@example.com",
            "a b@example.com",
            "a@b@example.com",
            "a@*.example.com",
            "é@example.com",
            "admin@example.com,x@evil.com",
            "<admin@example.com>",
            "admin@example.com\r\nBcc: x@evil.com",
            &format!("{local}a@example.com"),
            &format!("{local}@{}", domain_of(191)),
        ],
    );
}

#[test]
fn voice() {
    accepts(
        Text::Voice,
        &[
            "+1.2",
            "+31.384530759",
            "+123.123456789012",
            "+1.12345678901234",
        ],
    );
    refuses(
        Text::Voice,
        &[
            "+1.",
            "+.12",
            "1.234",
            "+1234.1",
            "+1.123456789012345",
            "+123.1234567890123",
            "+12-345",
            "+1.2.3",
            "+1.2a",
            "+１.234",
        ],
    );
}

#[test]
fn handle() {
    let longest = "a".repeat(40);
    accepts(Text::Handle, &["abc", "A-b_c@d.e0", &longest]);
    refuses(
        Text::Handle,
        &["ab", &format!("{longest}a"), "a b", "a/b", "é@", "aé"],
    );
}

#[test]
fn d_4_nasty_097_unique_value() {
    let longest = "a".repeat(20);
    accepts(Text::UniqueValue, &["a", "0Z", &longest]);
    refuses(
        Text::UniqueValue,
        &["", &format!("{longest}a"), "a.b", "a-b", "😀"],
    );
}

#[test]
fn lengths_count_bytes() {
    let rule = Text::Length(1, 64);
    let longest = "é".repeat(32);
    accepts(
        rule,
        &["a", "é", &longest, &"a".repeat(64), "Zwolle & Söhne <x>"],
    );
    refuses(rule, &["", &format!("{longest}a"), &"a".repeat(65)]);
}

#[test]
fn nasty_144_control_and_direction_characters_are_refused() {
    refuses(
        Text::Length(1, 64),
        &[
            "a\u{0}b",
            "a\nb",
            "a\u{202e}b",
            "a\u{2066}b",
            "\u{7f}",
            "\u{85}",
        ],
    );
}

#[test]
fn nasty_144_several_lines_may_break_and_nothing_else() {
    let rule = Text::Lines(1, 10);
    accepts(rule, &["a", "a\nb", "a\r\n\tb", "\n", "ééééé"]);
    refuses(rule, &["", "a\u{0}", "a\n\u{202e}b", "\u{1b}[1m", "éééééa"]);
}

#[test]
fn country() {
    accepts(Text::Country, &["NL", "nl"]);
    refuses(Text::Country, &["N", "NLD", "", "é", "1A"]);
}

#[test]
fn nasty_145_language_is_one_of_fourteen_words() {
    let rule = Text::WordOfAnyCase(LANGUAGES);
    assert_eq!(
        LANGUAGES,
        Language::ALL.map(Language::code),
        "the contract's"
    );
    accepts(rule, LANGUAGES);
    // One client sends it in lower case (contract.md section 7.11).
    accepts(rule, &["en", "Nl"]);
    refuses(rule, &["XX", "ENG", "", "EN NL", "zh"]);
    refuses(Text::Word(LANGUAGES), &["en"]);
}
