//! The golden files show each mail in each language; `RESEAL_UPDATE_GOLDEN=1` writes them anew. The HTML ones open
//! in a browser.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use jiff::civil::date;
use reseal_validation::email::Message;

use super::*;
use crate::language::Language;

const LINK: &str = "https://ca.example/dcv/approve/0123456789abcdef0123456789abcdef";

fn approval(names: &[&str], customer: &str, language: Language) -> Message {
    let letter = ApprovalLetter {
        names,
        customer,
        product: "ssl_dv_md",
        process: 4711,
        domain: "reseal.dev",
        until: date(2027, 6, 8),
        link: LINK,
        days: 30,
    };
    sent(&letter.letter(language))
}

fn agreement(name: &str, organization: &str, language: Language) -> Message {
    let letter = AgreementLetter {
        name: Some(name),
        organization,
        names: &["reseal.dev", "www.reseal.dev"],
        customer: "alice",
        product: "ssl_ev",
        process: 4711,
        link: "https://ca.example/agreement/0123456789abcdef0123456789abcdef",
        expires: "2027-02-01T09:05:59Z".parse().unwrap(),
    };
    sent(&letter.letter(language))
}

fn sent(letter: &Letter) -> Message {
    let date = "2026-11-24T12:00:00Z".parse().unwrap();
    letter.addressed("admin@reseal.dev", "1.2@ca.example".to_owned(), date)
}

#[track_caller]
fn golden(file: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("src/mail/golden")
        .join(file);
    if std::env::var_os("RESEAL_UPDATE_GOLDEN").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
    }
    let expected =
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert_eq!(
        text, expected,
        "{file} is not what the texts give: read it, then write it anew with RESEAL_UPDATE_GOLDEN=1"
    );
}

#[test]
fn d_18_each_mail_in_each_language_is_as_its_golden_file() {
    for language in Language::ALL {
        let tag = language.tag();
        let names = ["reseal.dev", "*.reseal.dev"];
        for (kind, message) in [
            ("approval", approval(&names, "alice", language)),
            (
                "agreement",
                agreement("Ada Lovelace", "Analytical Engines Ltd", language),
            ),
        ] {
            let text = format!("Subject: {}\n\n{}", message.subject, message.text);
            golden(&format!("{kind}/{tag}.txt"), &text);
            golden(&format!("{kind}/{tag}.html"), &message.html);
        }
    }
}

/// Every text of a file by its key, such as `facts.product`; lists by their length.
fn phrases(language: Language) -> BTreeMap<String, String> {
    fn walk(path: &str, value: &toml::Value, found: &mut BTreeMap<String, String>) {
        match value {
            toml::Value::Table(table) => {
                for (key, value) in table {
                    walk(&format!("{path}.{key}"), value, found);
                }
            }
            other => {
                let text = other
                    .as_str()
                    .map_or_else(|| other.to_string(), str::to_owned);
                found.insert(path.trim_start_matches('.').to_owned(), text);
            }
        }
    }
    let table: toml::Table = toml::from_str(language.source()).unwrap();
    let mut found = BTreeMap::new();
    walk("", &toml::Value::Table(table), &mut found);
    found
}

/// The places of a phrase; `None` when its braces are not in order.
fn places(phrase: &str) -> Option<BTreeSet<&str>> {
    let mut pieces = phrase.split('{');
    if pieces.next()?.contains('}') {
        return None;
    }
    pieces
        .map(|piece| {
            let (name, rest) = piece.split_once('}')?;
            let sound = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase());
            (sound && !rest.contains('}')).then_some(name)
        })
        .collect()
}

#[test]
fn every_language_has_the_texts_and_places_of_the_english_one() {
    let english = phrases(Language::En);
    assert!(english.len() > 45, "{}", english.len());
    for language in Language::ALL {
        let tag = language.tag();
        let own = phrases(language);
        let keys = |phrases: &BTreeMap<String, String>| -> BTreeSet<String> {
            phrases.keys().cloned().collect()
        };
        assert_eq!(keys(&own), keys(&english), "{tag}");
        for (key, phrase) in &own {
            let expected = places(&english[key]).unwrap();
            assert_eq!(places(phrase), Some(expected), "{tag} {key}: {phrase}");
            assert_eq!(phrase.trim(), phrase, "{tag} {key}");
            assert!(!phrase.is_empty(), "{tag} {key}");
            let plain = |character: char| !character.is_control() && !"<>&".contains(character);
            assert!(key == "months" || phrase.chars().all(plain), "{tag} {key}");
            let translated = language == Language::En || *phrase != english[key];
            assert!(translated || phrase.len() < 30, "{tag} {key}: {phrase}");
        }
        // Reads it as the server does.
        assert_eq!(
            language.texts().approval_mail.subject.text(),
            own["approval_mail.subject"]
        );
    }
}

#[test]
fn a_file_with_a_key_too_many_or_too_few_is_not_read() {
    let english = Language::En.source();
    assert!(toml::from_str::<Texts>(english).is_ok());
    for broken in [
        english.replace("heading = ", "headnig = "),
        english.replacen("first_day = \"1\"\n", "", 1),
        english.replacen("\"November\", ", "", 1),
        format!("{english}\nsurplus = \"x\"\n"),
    ] {
        assert!(toml::from_str::<Texts>(&broken).is_err());
    }
}

#[test]
fn places_out_of_order_are_noticed() {
    assert_eq!(places("a {b} c {b}"), Some(BTreeSet::from(["b"])));
    for broken in [
        "a {b", "a b}", "a {b}}", "a {{b}", "a {}", "a {B}", "a { b}",
    ] {
        assert_eq!(places(broken), None, "{broken}");
    }
}

#[test]
fn a_value_is_never_looked_through_for_places() {
    let phrase: Phrase = toml::Value::from("{a} and {b}, {c} {").try_into().unwrap();
    assert_eq!(phrase.fill(&[("a", "{b}"), ("b", "x")]), "{b} and x, {c} {");
}

#[test]
fn d_18_what_others_chose_never_becomes_markup_or_a_link_or_a_line() {
    let evil = "</dd><script>alert(1)</script><a href=\"https://evil.example\">&\u{2028}' onclick='x\n  evil.example";
    for language in Language::ALL {
        for message in [
            approval(&["reseal.dev"], evil, language),
            agreement(evil, evil, language),
        ] {
            let html = &message.html;
            for forbidden in [
                "<script",
                "evil.example\">",
                "onclick='",
                "<a href=\"https://e",
            ] {
                assert!(!html.contains(forbidden), "{forbidden} in {html}");
            }
            assert!(html.contains("&lt;script&gt;"), "{html}");
            assert!(!message.subject.contains("alert"), "{}", message.subject);
            assert_eq!(message.text.matches("://").count(), 1, "{}", message.text);
            assert_eq!(html.matches("href=\"").count(), 1, "{html}");
            let listed = message
                .text
                .lines()
                .filter(|line| line.starts_with("  evil"));
            assert_eq!(listed.count(), 0, "{}", message.text);
        }
    }
}

#[test]
fn nasty_136_a_name_that_looks_like_another_is_written_as_its_a_label() {
    // `аррӏе.com` in Cyrillic letters, which a mail client would show as its well-known double.
    let name = "xn--80ak6aa92e.com";
    for language in Language::ALL {
        let message = approval(&[name], "alice", language);
        for part in [&message.subject, &message.text, &message.html] {
            assert!(!part.contains("\u{430}\u{440}\u{440}"), "{part}");
        }
        assert!(message.text.contains(name) && message.html.contains(name));
    }
}

#[test]
fn d_18_a_mail_lists_its_names_first_and_holds_one_link_on_a_line_of_its_own() {
    for language in Language::ALL {
        let names = ["reseal.dev", "*.reseal.dev", "deep.reseal.dev"];
        let message = approval(&names, "alice", language);
        let text = &message.text;
        let listed: Vec<&str> = text
            .lines()
            .filter_map(|line| line.strip_prefix("  "))
            .collect();
        assert_eq!(listed, names, "{text}");
        assert_eq!(
            text.lines().filter(|line| *line == LINK).count(),
            1,
            "{text}"
        );
        for told in ["alice", "ssl_dv_md", "4711", "2027", "30"] {
            assert!(
                text.contains(told) && message.html.contains(told),
                "{told}: {text}"
            );
        }
        assert!(
            message.subject.contains("reseal.dev"),
            "{}",
            message.subject
        );
        for part in [&message.subject, text] {
            assert!(!part.contains(['{', '}', '<']), "{part}");
        }
        let addresses: BTreeSet<&str> = message
            .html
            .split(['"', '<', '>', ' '])
            .filter(|word| word.contains("://"))
            .collect();
        assert_eq!(addresses, BTreeSet::from([LINK]), "{}", message.html);
        let lang = format!("<html lang=\"{}\">", language.tag());
        assert!(message.html.contains(&lang), "{}", message.html);
    }
}

#[test]
fn the_first_of_a_month_and_the_minute_are_written_as_people_do() {
    let day = |language: Language| language.texts().day(date(2027, 3, 1));
    assert_eq!(day(Language::En), "1 March 2027");
    assert_eq!(day(Language::Fr), "1er mars 2027");
    assert_eq!(day(Language::De), "1. März 2027");
    assert_eq!(day(Language::Jp), "2027年3月1日");
    assert_eq!(day(Language::Ru), "1 марта 2027 г.");
    let moment = "2027-12-31T23:09:59.9Z".parse().unwrap();
    let moment = |language: Language| language.texts().moment(moment);
    assert_eq!(moment(Language::En), "31 December 2027, 23:09 UTC");
    assert_eq!(moment(Language::Es), "31 de diciembre de 2027, 23:09 UTC");
}
