use super::{NameError, parse, refused};

#[test]
fn n_9_nasty_069_u_labels_are_refused_with_the_a_label_to_write() {
    for (text, hint) in [
        ("münchen.de", Some("xn--mnchen-3ya.de")),
        ("*.münchen.de", Some("*.xn--mnchen-3ya.de")),
        ("\u{435}xample.com", Some("xn--xample-2of.com")),
        ("reseal\u{3002}dev", Some("reseal.dev")),
        ("reseal\u{ff0e}dev", Some("reseal.dev")),
        ("ｒｅｓｅａｌ.dev", Some("reseal.dev")),
        ("faß.de", Some("xn--fa-hia.de")),
        ("i❤.ws", None),
        ("a\u{202e}b.de", None),
    ] {
        let Err(NameError::NotAscii { a_label, .. }) = parse(text) else {
            panic!("{text}")
        };
        assert_eq!(a_label.as_deref(), hint, "{text}");
    }
    let message = parse("münchen.de").unwrap_err().to_string();
    assert_eq!(
        message,
        "`münchen.de` is not ASCII: if `xn--mnchen-3ya.de` is meant, write that"
    );
}

#[test]
fn nasty_070_a_labels_that_idna_would_not_make_are_refused() {
    for text in [
        "xn--.de",           // nothing encoded
        "xn--a.de",          // cut short
        "xn--reseal-.de",    // decodes to ASCII
        "xn---.de",          // a hyphen in disguise
        "xn--99999999.de",   // overflows
        "xn--0000h.de",      // not minimal or unassigned
        "xn--mnchen-3YA.de", // upper case is caught before, by N-3
        "xn--zca-.de",       // trailing hyphen
        "xn--u-ccb.de",      // u + combining diaeresis: not NFC
        "xn--i-7iq.ws",      // i and a heart
        "xn--ls8h.la",       // emoji
        "xn--bcher-KVA.de",
    ] {
        let rule = refused(text);
        let expected = match text {
            "xn--mnchen-3YA.de" | "xn--bcher-KVA.de" => "N-3",
            "xn---.de" | "xn--reseal-.de" | "xn--zca-.de" => rule_in(rule, &["N-5", "N-7"]),
            _ => "N-7",
        };
        assert_eq!(rule, expected, "{text}");
    }
}

fn rule_in(rule: &'static str, allowed: &[&'static str]) -> &'static str {
    assert!(allowed.contains(&rule), "{rule}");
    rule
}

/// Encodes without any check, as somebody hostile would.
fn hostile(label: &str) -> String {
    format!("xn--{}.de", idna::punycode::encode_str(label).unwrap())
}

#[test]
fn n_7_idna2008_decides_which_code_points_may_stand() {
    for valid in [
        "bücher",
        "straße",
        "ελλάδας",
        "мир",
        "日本語",
        "ไทย",
        "עברית",
        "العربية",
        "l·l",
        "א׳",
        "カ・カ",
        "〇",
        "한국",
    ] {
        let text = hostile(valid);
        assert!(parse(&text).is_ok(), "{valid} {text}: {:?}", parse(&text));
    }
    for invalid in [
        "❤",           // symbol
        "😀",          // emoji
        "№1",          // compatibility character
        "Ü",           // upper case
        "ﬁsch",        // ligature
        "u\u{308}ber", // not NFC
        "a\u{200d}b",  // joiner without virama
        "a\u{200c}b",  // non-joiner between Latin letters
        "a\u{202e}ü",  // direction override
        "ü\u{fe0f}",   // variation selector
        "a·b",         // middle dot outside Catalan
        "α͵a",         // Greek numeral sign before Latin
        "a׳",          // geresh after Latin
        "a・b",        // middle dot without Japanese
        "٠۰",          // two kinds of Arabic digits
        "ـب",          // tatweel
        "ᄀ",          // conjoining Hangul
        "𝄞",           // musical symbol
        "\u{20e3}ü",   // combining mark for symbols
        "\u{301}ü",    // leading combining mark
        "אa",          // right to left and left to right in one label
        "ᾀ",           // unstable under case folding
        "\u{10ffff}ü", // noncharacter
        "ü\u{378}",    // unassigned
        "ü\u{e000}",   // private use
    ] {
        let text = hostile(invalid);
        assert_eq!(refused(&text), "N-7", "{invalid} {text}");
    }
}

#[test]
fn n_7_joiners_may_stand_where_scripts_need_them() {
    // Devanagari ka, virama, ZWJ, ssa; and Persian with ZWNJ between joining letters.
    for valid in ["\u{915}\u{94d}\u{200d}\u{937}", "نامه\u{200c}ای"] {
        let text = hostile(valid);
        assert!(parse(&text).is_ok(), "{text}: {:?}", parse(&text));
    }
}

#[test]
fn n_7_the_bidi_rule_binds_the_whole_name() {
    let hebrew = idna::punycode::encode_str("אבג").unwrap();
    assert!(parse(&format!("a1.xn--{hebrew}.de")).is_ok());
    assert_eq!(
        refused(&format!("1a.xn--{hebrew}.de")),
        "N-7",
        "a label may not begin with a digit"
    );
}
