mod alabel;
mod registry;

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
fn n_3_nasty_067_upper_case_is_refused_in_json_and_folded_in_a_csr() {
    assert_eq!(refused("RESEAL.dev"), "N-3");
    let folded = DnsName::parse_folded("*.ReSeal.DEV", &NamePolicy::default()).unwrap();
    assert_eq!(folded.as_str(), "*.reseal.dev");
    // Folding is for ASCII: a Kelvin sign does not become a k.
    let kelvin = DnsName::parse_folded("\u{212a}.dev", &NamePolicy::default());
    assert_eq!(kelvin.unwrap_err().rule(), "N-9");
}

#[test]
fn n_8_nasty_068_dots_and_spaces_are_not_repaired() {
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
fn n_2_nasty_062_nul_and_control_characters_are_refused() {
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
fn n_6_nasty_071_reserved_ldh_labels_are_refused() {
    assert_eq!(refused("ab--cd.com"), "N-6");
    assert_eq!(refused("www.ab--cd.com"), "N-6");
    assert_eq!(name("abc--d.com").as_str(), "abc--d.com");
}

#[test]
fn n_5_nasty_072_underscores_are_refused() {
    assert_eq!(refused("_dmarc.reseal.dev"), "N-5");
    assert_eq!(refused("my_host.reseal.dev"), "N-5");
}

#[test]
fn n_4_nasty_073_lengths_hyphens_and_labels_are_bounded() {
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
fn n_10_nasty_075_an_asterisk_stands_alone_and_leftmost() {
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
fn n_15_nasty_078_ip_addresses_in_any_spelling_are_not_names() {
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
