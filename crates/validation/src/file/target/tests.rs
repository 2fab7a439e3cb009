use proptest::prelude::*;

use super::*;

fn settings() -> Settings {
    let mut settings = Settings::default();
    settings.names.internal_suffixes = vec!["corp".to_owned()];
    settings
}

fn from(location: &str) -> Result<Target, String> {
    let settings = settings();
    let first = Target::first(
        "www.shop.corp",
        "/.well-known/pki-validation/A.txt",
        &settings,
    );
    first.redirect(location.as_bytes(), &settings)
}

fn shown(location: &str) -> String {
    from(location).unwrap().to_string()
}

#[test]
fn d_23_targets_resolve_as_urls_do() {
    for (location, expected) in [
        ("https://shop.corp/x?y=1#frag", "https://shop.corp/x?y=1"),
        ("HTTPS://SHOP.corp/x", "https://shop.corp/x"),
        ("http://shop.corp:443/x", "http://shop.corp:443/x"),
        ("http://shop.corp:/x", "http://shop.corp/x"),
        ("http://shop.corp", "http://shop.corp/"),
        ("http://shop.corp?a=b", "http://shop.corp/?a=b"),
        ("//shop.corp/x", "http://shop.corp/x"),
        ("/other", "http://www.shop.corp/other"),
        (
            "B.txt",
            "http://www.shop.corp/.well-known/pki-validation/B.txt",
        ),
        (
            "?q",
            "http://www.shop.corp/.well-known/pki-validation/A.txt?q",
        ),
        ("https://8.8.8.8/", "https://8.8.8.8/"),
        ("https://[2606:4700::1]/x", "https://[2606:4700::1]/x"),
    ] {
        assert_eq!(shown(location), expected, "{location}");
    }
}

#[test]
fn nasty_101_odd_address_forms_are_no_hosts() {
    for location in [
        "http://2130706433/",
        "http://0x7f.1/",
        "http://0x7f000001/",
        "http://0177.0.0.1/",
        "http://127.1/",
        "http://1.2.3.4.5/",
        "http://[::1%25eth0]/",
        "http://[fe80::1%eth0]/",
        "http://127.0.0.1./",
    ] {
        assert!(from(location).is_err(), "{location}: {:?}", from(location));
    }
    // Plain forms are addresses; whether they may be connected to is the guard's to say.
    for location in [
        "http://169.254.169.254/latest",
        "http://[::ffff:127.0.0.1]/",
    ] {
        let target = from(location).unwrap();
        let Host::Address(address) = target.host else {
            panic!("{location} is not an address")
        };
        assert!(super::super::reserved(address).is_some(), "{location}");
    }
}

#[test]
fn nasty_102_other_schemes_and_ports_are_refused() {
    for location in [
        "file:///etc/passwd",
        "gopher://shop.corp/",
        "ftp://shop.corp/x",
        "javascript:alert(1)",
        "data:text/plain,x",
        "http://shop.corp:8080/",
        "https://shop.corp:22/",
        "http://shop.corp:0/",
        "http://shop.corp:65536/",
        "http://shop.corp:-80/",
    ] {
        assert!(from(location).is_err(), "{location}");
    }
}

#[test]
fn nasty_105_user_info_and_long_paths_are_refused() {
    for location in [
        "http://user:pw@shop.corp/".to_owned(),
        "http://user@shop.corp/".to_owned(),
        "//shop.corp@evil.corp/".to_owned(),
        format!("http://shop.corp/{}", "a".repeat(3000)),
        format!("/{}", "a".repeat(2000)),
        String::new(),
        "http:///x".to_owned(),
        "http://".to_owned(),
        "http://*.shop.corp/".to_owned(),
        "http://localhost/".to_owned(),
        "http://intranet/".to_owned(),
        "http://shop.invalid/".to_owned(),
        "http://shop.corp/ x".to_owned(),
        "http://shop.corp/\r\nX: y".to_owned(),
        "http://sh\u{f6}p.corp/".to_owned(),
    ] {
        assert!(from(&location).is_err(), "{location}");
    }
    assert!(from(&format!("/{}", "a".repeat(1999))).is_ok());
}

#[test]
fn nasty_104_only_four_statuses_redirect() {
    let followed: Vec<u16> = (100..600)
        .filter(|code| is_redirect(StatusCode::from_u16(*code).unwrap()))
        .collect();
    assert_eq!(followed, [301, 302, 307, 308]);
}

#[test]
fn d_21_configured_ports_stand_for_the_usual_ones() {
    let mut settings = settings();
    settings.http_port = 5080;
    settings.https_port = 5443;
    let first = Target::first("shop.corp", "/a", &settings);
    assert_eq!(first.to_string(), "http://shop.corp:5080/a");
    for (location, port) in [
        ("http://shop.corp/", 5080),
        ("https://shop.corp/", 5443),
        ("http://shop.corp:80/", 80),
        ("https://shop.corp:443/", 443),
        ("http://shop.corp:5443/", 5443),
        ("/x", 5080),
    ] {
        let target = first.redirect(location.as_bytes(), &settings).unwrap();
        assert_eq!(target.port, port, "{location}");
    }
    assert!(
        first
            .redirect(b"http://shop.corp:5081/", &settings)
            .is_err()
    );
}

proptest! {
    #[test]
    fn d_23_no_location_makes_the_rules_fail_hard(location in prop::collection::vec(any::<u8>(), 0..80)) {
        let settings = settings();
        let first = Target::first("shop.corp", "/a", &settings);
        if let Ok(target) = first.redirect(&location, &settings) {
            prop_assert!([80, 443].contains(&target.port));
            prop_assert!(target.path.starts_with('/'));
        }
    }

    #[test]
    fn d_23_absolute_targets_never_carry_credentials(text in "https?://[a-z0-9:@./%-]{0,40}") {
        let settings = settings();
        let first = Target::first("shop.corp", "/a", &settings);
        if let Ok(target) = first.redirect(text.as_bytes(), &settings) {
            prop_assert!(!target.authority().contains('@'));
        }
    }
}
