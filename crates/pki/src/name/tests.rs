use super::{DnsName, NameError, NamePolicy};

fn parse(text: &str) -> Result<DnsName, NameError> {
    DnsName::parse(text, &NamePolicy::default())
}

fn name(text: &str) -> DnsName {
    parse(text).unwrap_or_else(|error| panic!("{error}"))
}

/// The rule by which `text` is refused; panics when it is accepted.
#[track_caller]
fn refused(text: &str) -> &'static str {
    match parse(text) {
        Ok(_) => panic!("`{text}` was accepted"),
        Err(error) => error.rule(),
    }
}

fn internal(suffixes: &[&str]) -> NamePolicy {
    NamePolicy {
        internal_suffixes: suffixes.iter().map(|&suffix| suffix.to_owned()).collect(),
        ..NamePolicy::default()
    }
}

#[test]
fn n_1_ordinary_names_and_wildcards_are_taken_as_they_stand() {
    for text in [
        "reseal.dev",
        "a.b",
        "www.reseal.dev",
        "*.reseal.dev",
        "1-2.3com.de",
        "a--b.de",
        "xn--bcher-kva.de",
    ] {
        match parse(text) {
            Ok(name) => {
                assert_eq!(name.as_str(), text);
                assert_eq!(name.is_wildcard(), text.starts_with('*'));
            }
            Err(error) => assert_eq!(text, "a.b", "{error}"),
        }
    }
}

#[test]
fn nasty_067_upper_case_is_refused_in_json_and_folded_in_a_csr() {
    assert_eq!(refused("RESEAL.dev"), "N-3");
    let folded = DnsName::parse_folded("*.ReSeal.DEV", &NamePolicy::default()).unwrap();
    assert_eq!(folded.as_str(), "*.reseal.dev");
    // Folding is for ASCII: a Kelvin sign does not become a k.
    let kelvin = DnsName::parse_folded("\u{212a}.dev", &NamePolicy::default());
    assert_eq!(kelvin.unwrap_err().rule(), "N-9");
}

#[test]
fn nasty_068_dots_and_spaces_are_not_repaired() {
    assert_eq!(refused("reseal.dev."), "N-8");
    assert_eq!(refused(".reseal.dev"), "N-8");
    assert_eq!(refused("a..reseal.dev"), "N-8");
    assert_eq!(refused("*..reseal.dev"), "N-8");
    assert_eq!(refused(""), "N-8");
    for text in [
        "rese al.dev",
        " reseal.dev",
        "reseal.dev ",
        "reseal.dev\n",
        "reseal\t.dev",
        "\u{a0}reseal.dev",
    ] {
        assert_eq!(refused(text), "N-2", "{text:?}");
    }
}

#[test]
fn nasty_062_nul_and_control_characters_are_refused() {
    for text in [
        "good.com\0.evil.com",
        "good.com\u{7f}",
        "good\r\n.com",
        "\u{85}good.com",
    ] {
        assert_eq!(refused(text), "N-2", "{text:?}");
    }
}

#[test]
fn nasty_069_u_labels_are_refused_with_the_a_label_to_write() {
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

#[test]
fn nasty_071_reserved_ldh_labels_are_refused() {
    assert_eq!(refused("ab--cd.com"), "N-6");
    assert_eq!(refused("www.ab--cd.com"), "N-6");
    assert_eq!(name("abc--d.com").as_str(), "abc--d.com");
}

#[test]
fn nasty_072_underscores_are_refused() {
    assert_eq!(refused("_dmarc.reseal.dev"), "N-5");
    assert_eq!(refused("my_host.reseal.dev"), "N-5");
}

#[test]
fn nasty_073_lengths_hyphens_and_labels_are_bounded() {
    assert_eq!(refused("-a.com"), "N-5");
    assert_eq!(refused("a-.com"), "N-5");
    let label = "a".repeat(63);
    assert!(parse(&format!("{label}.com")).is_ok());
    assert_eq!(refused(&format!("{label}a.com")), "N-4");

    let longest = format!("{label}.{label}.{label}.{}.com", "a".repeat(57));
    assert_eq!(longest.len(), 253);
    assert!(parse(&longest).is_ok());
    assert!(
        parse(&format!("*.{longest}")).is_ok(),
        "the wildcard is not counted"
    );
    assert_eq!(
        refused(&format!("{label}.{label}.{label}.{}.com", "a".repeat(58))),
        "N-4"
    );

    let ten = "a.b.c.d.e.f.g.h.reseal.dev";
    assert!(parse(ten).is_ok());
    assert!(parse(&format!("*.{ten}")).is_ok());
    assert_eq!(refused(&format!("z.{ten}")), "N-4");
    let wide = NamePolicy {
        max_labels: 11,
        ..NamePolicy::default()
    };
    assert!(DnsName::parse(&format!("z.{ten}"), &wide).is_ok());
}

#[test]
fn nasty_074_public_suffixes_and_wildcards_over_them_are_refused() {
    assert_eq!(refused("*.com"), "N-23");
    assert_eq!(refused("*.co.uk"), "N-23");
    assert_eq!(refused("co.uk"), "N-14");
    assert_eq!(refused("com"), "N-4");
    assert_eq!(refused("localhost"), "N-4");
    assert_eq!(
        refused("*.xn--55qx5d.cn"),
        "N-23",
        "suffixes are known by their A-labels too"
    );
}

#[test]
fn nasty_075_an_asterisk_stands_alone_and_leftmost() {
    for text in [
        "*.*.reseal.dev",
        "w*.reseal.dev",
        "*w.reseal.dev",
        "a.*.reseal.dev",
        "*",
        "**.reseal.dev",
        "*reseal.dev",
        "*.192.0.2.1",
        "reseal.*",
    ] {
        assert_eq!(refused(text), "N-10", "{text}");
    }
    assert_eq!(refused("*."), "N-8");
}

#[test]
fn nasty_076_names_outside_the_public_dns_are_refused_unless_internal() {
    assert_eq!(refused("server.local"), "N-12");
    assert_eq!(refused("x.internal"), "N-12");
    assert_eq!(refused("printer.corp"), "N-11");
    assert_eq!(refused("foo.onion"), "N-12");
    assert_eq!(refused("www.example.com"), "N-12");
    assert_eq!(refused("router.home.arpa"), "N-12");
    assert_eq!(name("myexample.com").as_str(), "myexample.com");

    let policy = internal(&["internal", "corp", "example.com"]);
    for text in [
        "x.internal",
        "*.printer.corp",
        "www.example.com",
        "example.com",
    ] {
        assert!(DnsName::parse(text, &policy).is_ok(), "{text}");
    }
    for text in ["*.internal", "*.corp", "x.notinternal", "server.local"] {
        assert!(DnsName::parse(text, &policy).is_err(), "{text}");
    }
}

#[test]
fn nasty_077_reverse_names_are_refused_even_inside() {
    assert_eq!(refused("1.2.0.192.in-addr.arpa"), "N-13");
    assert_eq!(refused("8.b.d.ip6.arpa"), "N-13");
    let error = DnsName::parse("1.in-addr.arpa", &internal(&["arpa"])).unwrap_err();
    assert_eq!(error.rule(), "N-13");
}

#[test]
fn nasty_078_ip_addresses_in_any_spelling_are_not_names() {
    for text in [
        "192.0.2.1",
        "0300.0.2.1",
        "3221225985",
        "::ffff:10.0.0.1",
        "fe80::1%eth0",
        "[2001:db8::1]",
        "10.0.0.0/8",
        "0xc0.0.2.1",
        "192.0.0x201",
        "1.2.3.4.5",
    ] {
        assert_eq!(refused(text), "N-1", "{text}");
    }
}

#[test]
fn nasty_079_the_private_section_of_the_list_does_not_count() {
    assert_eq!(
        name("*.github.io").base_domain(&NamePolicy::default()),
        "github.io"
    );
    assert_eq!(
        name("a.b.github.io").base_domain(&NamePolicy::default()),
        "github.io"
    );
    assert_eq!(
        name("a.s3.dualstack.us-east-1.amazonaws.com").base_domain(&NamePolicy::default()),
        "amazonaws.com"
    );
    assert_eq!(
        name("*.github.io").authorization_domain_names(true, &NamePolicy::default()),
        ["github.io"]
    );
}

#[test]
fn nasty_080_wildcard_and_exception_rules_of_the_list_hold() {
    assert_eq!(refused("*.ck"), "N-23");
    assert_eq!(refused("foo.ck"), "N-14");
    assert_eq!(refused("*.foo.ck"), "N-23");
    let www = name("www.ck");
    assert_eq!(www.base_domain(&NamePolicy::default()), "www.ck");
    assert_eq!(
        name("a.foo.ck").base_domain(&NamePolicy::default()),
        "a.foo.ck"
    );
    assert_eq!(
        name("a.b.city.kawasaki.jp").base_domain(&NamePolicy::default()),
        "city.kawasaki.jp"
    );
    assert_eq!(
        name("a.b.c.kawasaki.jp").base_domain(&NamePolicy::default()),
        "b.c.kawasaki.jp"
    );
}

#[test]
fn n_11_last_labels_are_top_level_domains() {
    assert_eq!(refused("a.b"), "N-3");
    assert_eq!(refused("www.reseal.4com"), "N-3");
    assert_eq!(refused("www.reseal.qqqq"), "N-11");
    for text in [
        "a.dev",
        "a.xn--p1ai",
        "a.aero",
        "a.b.ck",
        "a.zuerich",
        "a.google",
    ] {
        assert!(parse(text).is_ok(), "{text}: {:?}", parse(text));
    }
}

#[test]
fn n_20_pruning_goes_from_the_name_to_the_base_domain() {
    let policy = NamePolicy::default();
    let deep = name("a.b.reseal.co.uk");
    assert_eq!(
        deep.authorization_domain_names(true, &policy),
        ["a.b.reseal.co.uk", "b.reseal.co.uk", "reseal.co.uk"]
    );
    assert_eq!(
        deep.authorization_domain_names(false, &policy),
        ["a.b.reseal.co.uk"]
    );
    let wildcard = name("*.b.reseal.co.uk");
    assert_eq!(
        wildcard.authorization_domain_names(false, &policy),
        ["b.reseal.co.uk"]
    );
    assert_eq!(
        wildcard.authorization_domain_names(true, &policy),
        ["b.reseal.co.uk", "reseal.co.uk"]
    );
}

#[test]
fn n_22_inside_the_house_the_suffix_is_the_operators() {
    let policy = internal(&["corp.example", "example"]);
    let host = DnsName::parse("a.b.corp.example", &policy).unwrap();
    assert_eq!(
        host.base_domain(&policy),
        "b.corp.example",
        "the longest suffix counts"
    );
    assert_eq!(
        host.authorization_domain_names(true, &policy),
        ["a.b.corp.example", "b.corp.example"]
    );
    let itself = DnsName::parse("corp.example", &policy).unwrap();
    assert_eq!(itself.base_domain(&policy), "corp.example");
    assert_eq!(
        itself.authorization_domain_names(true, &policy),
        ["corp.example"]
    );
}

#[test]
fn n_25_the_free_name_is_one_level_of_www() {
    let counterpart = |text: &str| {
        name(text)
            .www_counterpart()
            .map(|name| name.as_str().to_owned())
    };
    assert_eq!(counterpart("reseal.dev").as_deref(), Some("www.reseal.dev"));
    assert_eq!(counterpart("www.reseal.dev").as_deref(), Some("reseal.dev"));
    assert_eq!(
        counterpart("shop.reseal.co.uk").as_deref(),
        Some("www.shop.reseal.co.uk")
    );
    assert_eq!(counterpart("*.reseal.dev"), None);
    assert_eq!(counterpart("www.ck"), None, "`ck` cannot be issued");
    assert_eq!(counterpart("www.uk"), None, "`uk` cannot be issued");
    assert_eq!(counterpart("www.com"), None);
}

#[test]
fn nasty_087_www_www_is_never_made() {
    assert_eq!(name("www.www.reseal.dev").www_counterpart(), None);
    for text in ["reseal.dev", "www.reseal.dev", "www.de"] {
        let made = name(text).www_counterpart();
        assert!(
            made.is_none_or(|made| !made.as_str().starts_with("www.www.")),
            "{text}"
        );
    }
}

#[test]
fn stored_names_are_read_back_whatever_the_policy_says() {
    let stored = serde_json::to_string(&name("*.reseal.dev")).unwrap();
    assert_eq!(stored, "\"*.reseal.dev\"");
    let inside: DnsName = serde_json::from_str("\"x.internal\"").unwrap();
    assert_eq!(inside.as_str(), "x.internal");
    for text in [
        "\"Reseal.dev\"",
        "\"a_b.dev\"",
        "\"a..dev\"",
        "7",
        "\"xn--ls8h.la\"",
    ] {
        assert!(serde_json::from_str::<DnsName>(text).is_err(), "{text}");
    }
}

#[test]
fn messages_show_what_was_seen_escaped_and_cut() {
    let message = parse(&format!("a_{}\u{202e}.dev", "b".repeat(200)))
        .unwrap_err()
        .to_string();
    assert!(
        !message.contains('\u{202e}') && message.len() < 300,
        "{message}"
    );
    let message = parse("a\0b.dev").unwrap_err().to_string();
    assert_eq!(
        message,
        "`a\\u{0}b.dev` contains white space or a control character: remove it"
    );
}

proptest::proptest! {
    /// Whatever is accepted is stable: parsed again it is the same, its derived
    /// names are names, and its base domain is a suffix of it.
    #[test]
    fn accepted_names_are_stable(text in "(\\*\\.)?([a-z0-9-]{1,12}\\.){1,4}(com|co\\.uk|dev|ck|local|xn--p1ai)") {
        let policy = NamePolicy::default();
        if let Ok(name) = DnsName::parse(&text, &policy) {
            proptest::prop_assert_eq!(name.as_str(), &text);
            proptest::prop_assert_eq!(text.parse::<DnsName>().unwrap(), name.clone());
            let names = name.authorization_domain_names(true, &policy);
            proptest::prop_assert_eq!(names[0].as_str(), name.fqdn());
            proptest::prop_assert_eq!(names.last().unwrap().as_str(), name.base_domain(&policy));
            for derived in names {
                proptest::prop_assert!(DnsName::parse(&derived, &policy).is_ok(), "{}", derived);
            }
            if let Some(free) = name.www_counterpart() {
                proptest::prop_assert!(DnsName::parse(free.as_str(), &policy).is_ok(), "{}", free);
            }
        }
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,40}", folded in ".{0,300}") {
        let policy = NamePolicy::default();
        let _ = DnsName::parse(&text, &policy).map_err(|error| error.to_string());
        let _ = DnsName::parse_folded(&folded, &policy).map_err(|error| error.to_string());
    }

    #[test]
    fn no_punycode_panics(label in "xn--[a-z0-9-]{0,59}") {
        let _ = parse(&format!("{label}.de")).map_err(|error| error.to_string());
    }
}
