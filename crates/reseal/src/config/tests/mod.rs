mod everything;

use std::path::Path;

use reseal_issuer::embedded::TokenName;

use super::*;

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::from_toml(text, Path::new("/etc/reseal.toml"))
}

fn with_environment(text: &str, variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let mut document = Document::from_toml(text, Path::new("/etc/reseal.toml")).unwrap();
    let variables = variables
        .iter()
        .map(|(name, value)| ((*name).into(), (*value).into()));
    document.add_environment(variables);
    Config::from_document(document)
}

#[test]
fn a_variable_that_is_not_utf_8_is_named_and_not_passed_over() {
    use std::os::unix::ffi::OsStringExt as _;
    let bytes = |bytes: &[u8]| std::ffi::OsString::from_vec(bytes.to_vec());
    let mut document = Document::default();
    let variables = [
        (
            bytes(b"RESEAL__DATABASE__URL"),
            bytes(b"postgres://r:p\xe4ss@db/reseal"),
        ),
        (bytes(b"RESEAL__DCV__RESOLVERS"), bytes(b"\xff")),
        (bytes(b"RESEAL__SERVER__L\xe4STEN"), bytes(b"127.0.0.1:1")),
        (bytes(b"\xff"), bytes(b"\xff")),
    ];
    document.add_environment(variables.into_iter());
    let said = Config::from_document(document).unwrap_err().0;
    assert_eq!(said.len(), 3, "{said:?}");
    assert_eq!(
        said[0],
        "environment variable RESEAL__DATABASE__URL: `database.url`: expected a text in quotes, saw a text that is not UTF-8"
    );
    assert!(said[1].contains("RESEAL__DCV__RESOLVERS"), "{said:?}");
    assert!(said[2].contains("unknown key `server.l"), "{said:?}");
}

#[test]
fn what_only_a_server_needs_is_looked_at_with_everything_else() {
    let text = "[mail]\nurl = \"http://r:secret@mail\"\nfrom = \"x\"\n[dcv]\nresolvers = []\n\
        [issuer.embedded]\ndirectory = \"https://a.example\"\n[issuer.x]\ndirectory = \"http://x\"\neab_key_id = \"k\"\n\
        [issuer.y]\n";
    let said = parse(text).unwrap_err().to_string();
    for expected in [
        "line 2: `mail.url`: expected `maildir`, `smtp://HOST:PORT` or `smtps://HOST:PORT`",
        "line 3: `mail.from`: `x` is not a sender such as",
        "line 5: `dcv.resolvers`: list at least one",
        "`issuer.embedded`: this name is taken",
        "line 9: `issuer.x.directory`: expected an https URL such as `https://acme.example/directory`, saw `http://x`",
        "line 10: `issuer.x.eab_key_id`: `eab_key_id` and `eab_key_file` belong together",
        "`issuer.y.directory`: name the directory of the ACME server",
    ] {
        assert!(said.contains(expected), "no `{expected}` in {said}");
    }
    assert!(!said.contains("secret"), "{said}");
    let error = parse("[dcv]\nresolvers = [\"dns.example\"]\n")
        .unwrap_err()
        .to_string();
    assert!(error.contains("saw `dns.example`"), "{error}");
    for good in ["smtp://mail:25", "smtps://r:p@mail.example", "maildir"] {
        assert!(
            parse(&format!("[mail]\nurl = \"{good}\"\n")).is_ok(),
            "{good}"
        );
    }
}

#[test]
fn a_variable_finds_a_name_that_has_capitals_in_the_file() {
    let file = "[issuer.LetsEncrypt]\ndirectory = \"https://a.example\"\n";
    let variables = [
        (
            "RESEAL__ISSUER__LETSENCRYPT__DIRECTORY",
            "https://b.example",
        ),
        ("RESEAL__ISSUER__OTHER__DIRECTORY", "https://c.example"),
    ];
    let config = with_environment(file, &variables).unwrap();
    let issuers: Vec<_> = config
        .issuers
        .iter()
        .map(|issuer| (&*issuer.name, &*issuer.directory))
        .collect();
    assert_eq!(
        issuers,
        [
            ("LetsEncrypt", "https://b.example"),
            ("other", "https://c.example")
        ]
    );
}

#[test]
fn x_1_a_compromised_key_is_not_waited_with_for_more_than_a_day() {
    let of = |value: &str| parse(&format!("[policy]\nrevoke_compromised_after = \"{value}\""));
    let delay = |config: Config| config.policy.revoke_compromised_after;
    assert_eq!(delay(parse("").unwrap()), SignedDuration::from_hours(20));
    assert_eq!(delay(of("24h").unwrap()), SignedDuration::from_hours(24));
    assert_eq!(delay(of("0s").unwrap()), SignedDuration::ZERO);
    let error = of("1441m").unwrap_err().to_string();
    assert!(
        error.contains("at most `24h`") && error.ends_with("saw `1441m`"),
        "{error}"
    );
}

#[test]
fn a_3_what_the_law_keeps_is_not_removed_earlier() {
    let of = |value: &str| {
        parse(&format!("[retention]\naudit = \"{value}\"")).map(|config| config.retention.audit)
    };
    assert_eq!(of("").unwrap(), None);
    assert_eq!(
        of("730d").unwrap(),
        Some(SignedDuration::from_hours(24 * 730))
    );
    assert_eq!(parse("").unwrap().retention.audit, of("730d").unwrap());
    for short in ["729d", "17519h", "0s"] {
        let error = of(short).unwrap_err().to_string();
        assert!(error.contains("at least `730d`"), "{error}");
    }
}

#[test]
fn a_token_is_configured_as_a_whole() {
    let said = |text: &str| parse(text).unwrap_err().0;
    assert_eq!(
        said("[ca]\nkey = \"pkcs11\"\npkcs11_token = \"ca\"\n"),
        [
            "`ca.pkcs11_module`: it is missing: keys in a token need module, token and PIN",
            "`ca.pkcs11_pin_file`: it is missing: keys in a token need module, token and PIN",
        ]
    );
    // Keys that are there are used while new ones go into files.
    let both = "[ca]\npkcs11_module = \"m.so\"\npkcs11_token = \"ca\"\npkcs11_pin_file = \"pin\"\n";
    let ca = parse(both).unwrap().ca;
    assert_eq!(
        (ca.key, ca.token.unwrap().prefix.as_str()),
        (CaKey::Software, "reseal")
    );
    let by_slot = |text: &str| parse(&both.replace("pkcs11_token = \"ca\"", text));
    for (text, slot) in [
        ("pkcs11_slot = 0", 0),
        ("pkcs11_slot = 0x68ce6e0b", 1_758_359_051),
    ] {
        let token = by_slot(text).unwrap().ca.token.unwrap();
        assert_eq!(token.token, TokenName::Slot(slot));
    }
    let twice = by_slot("pkcs11_slot = 7\npkcs11_token = \"ca\"")
        .unwrap_err()
        .0;
    assert_eq!(
        twice,
        [
            "/etc/reseal.toml, line 3: `ca.pkcs11_slot`: the token is named twice, by slot 7 and by its label `ca` in \
             `ca.pkcs11_token`: remove one of them, this one if the token has a label of its own"
        ]
    );
    let unnamed = by_slot("").unwrap_err().0;
    assert_eq!(
        unnamed,
        [
            "`ca.pkcs11_token`: it is missing: keys in a token need module, token and PIN; the token by its label, or by \
             `ca.pkcs11_slot`"
        ]
    );
    for bad in ["-1", "\"7\"", "1.5"] {
        let refused = by_slot(&format!("pkcs11_slot = {bad}")).unwrap_err().0;
        let expected = "line 3: `ca.pkcs11_slot`: expected the number of a slot, 0 or more, saw";
        assert!(refused[0].contains(expected), "{refused:?}");
    }
    for bad in ["", "two words", "a-very-long-label-for-a-key"] {
        let refused = said(&format!("[ca]\npkcs11_label = \"{bad}\"\n"));
        assert!(
            refused[0].contains("line 2: `ca.pkcs11_label`: expected 1 to 20"),
            "{refused:?}"
        );
    }
}

#[test]
fn an_unknown_key_is_named_with_its_line_and_the_nearest_one() {
    for (text, expected) in [
        (
            "[server]\nlisen = \"127.0.0.1:1\"\n",
            "/etc/reseal.toml, line 2: unknown key `server.lisen`; did you mean `server.listen`?",
        ),
        (
            "\nlisten = \"127.0.0.1:1\"\n",
            "/etc/reseal.toml, line 2: unknown key `listen`; did you mean `server.listen`?",
        ),
        (
            "[sever]\nlisten = \"127.0.0.1:1\"\n",
            "/etc/reseal.toml, line 2: unknown key `sever.listen`; did you mean `server.listen`?",
        ),
        (
            "[polcy]\n",
            "/etc/reseal.toml, line 1: unknown section `[polcy]`; did you mean `policy`?",
        ),
        (
            "[audit]\nport = 9\n",
            "/etc/reseal.toml, line 2: unknown key `audit.port`; docs/configuration.md lists every key",
        ),
        (
            "[issuer.a]\ndirectory = \"https://acme.example\"\ncontct = \"\"\n",
            "/etc/reseal.toml, line 3: unknown key `issuer.a.contct`; did you mean `issuer.a.contact`?",
        ),
        (
            "[dcv]\nperspectives = [{ url = \"https://a\", nme = \"\" }]\n",
            "/etc/reseal.toml, line 2: `dcv.perspectives` has no key `nme`; it has url, name, ca_file, token_file, region, latitude, longitude",
        ),
    ] {
        assert_eq!(parse(text).unwrap_err().to_string(), expected);
    }
}

#[test]
fn a_bad_value_says_what_was_expected_and_seen() {
    for (line, expected) in [
        (
            "[server]\nlisten = 8080",
            "expected an address with a port, such as `127.0.0.1:8080`, saw the number 8080",
        ),
        (
            "[server]\nsync_wait = \"soon\"",
            "expected a duration such as `2s` or `500ms`, saw `soon`",
        ),
        (
            "[server]\nmax_body = \"256kb\"",
            "expected a size such as `256KiB` or `1MiB`, saw `256kb`",
        ),
        (
            "[server]\ncors_origins = [\"https://shop.example/\"]",
            "expected an origin such as `https://shop.example`, or `*`, saw `https://shop.example/`",
        ),
        (
            "[server]\npublic_url = \"ca.example.com\"",
            "saw `ca.example.com`",
        ),
        (
            "[server]\ntls_key = \"a\"",
            "`server.tls_certificate` is missing",
        ),
        (
            "[ca]\nalgorithm = \"rsa2048\"",
            "expected `p256` or `p384` or `rsa3072` or `rsa4096`, saw `rsa2048`",
        ),
        (
            "[dcv]\nhttp_port = 70000",
            "expected a port, 1 to 65535, saw the number 70000",
        ),
        ("[dcv]\nhttp_port = 0", "expected a port, 1 to 65535, saw 0"),
        (
            "[dcv]\nallow_networks = [\"10.0.0.0/99\"]",
            "expected a network such as `10.0.0.0/8`, saw `10.0.0.0/99`",
        ),
        ("[dcv]\nresolvers = \"system\"", "saw `system`"),
        (
            "[dcv]\nquorum = 1",
            "1 perspectives can never agree: `dcv.perspectives` has 0",
        ),
        (
            "[dcv]\nlocation = { latitude = 91, longitude = 0 }",
            "`dcv.location`: expected a latitude",
        ),
        (
            "[dcv]\nlocation = { latitude = 9.5 }",
            "`dcv.location`: expected a latitude",
        ),
        (
            "[dcv]\nlocation = { latitude = \"x\" }",
            "expected a number, saw `x`",
        ),
        (
            "[dcv]\nperspectives = [{ name = \"a\" }]",
            "each perspective needs a `url`",
        ),
        (
            "[dcv]\nperspectives = [{ url = \"https://a\" }, { url = \"https://a\" }]",
            "two perspectives are called `https://a`",
        ),
        (
            "[dcv]\nperspectives = [{ url = \"https://a\", region = \"moon\" }]",
            "`region` of `https://a`: expected `afrinic` or `apnic` or `arin` or `lacnic` or `ripe`, saw `moon`",
        ),
        (
            "[dcv]\nperspectives = [{ url = \"https://a\", latitude = 1.5 }]",
            "`latitude` and `longitude` of `https://a`: expected a latitude",
        ),
        (
            "[dcv]\nperspectives = [{ url = \"https://a\", latitude = \"1.5\" }]",
            "`dcv.perspectives.latitude`: expected a number, saw `1.5`",
        ),
        ("[dcv]\ndnssec = false", "saw `false` without quotes"),
        ("[dcv]\ndomain = \"*.example.com\"", "saw `*.example.com`"),
        (
            "[policy]\nprofile = \"public\"\ninternal_names = [\"corp\"]",
            "only the profile `private`",
        ),
        ("[policy]\ninternal_names = [\".corp\"]", "saw `.corp`"),
        (
            "[limits]\nenabled = \"no\"",
            "expected `true` or `false`, saw `no`",
        ),
    ] {
        let error = parse(line).unwrap_err().to_string();
        assert!(error.contains(expected), "{line}: {error}");
        assert!(error.starts_with("/etc/reseal.toml, line "), "{error}");
    }
}

#[test]
fn everything_wrong_is_said_at_once() {
    let error = parse("[server]\nsync_wait = 1\nmax_body = 2\n[x]\ny = 1\n").unwrap_err();
    assert_eq!(error.0.len(), 3, "{error}");
    let error = parse("[server\nlisten = \n").unwrap_err();
    assert!(
        error.0[0].starts_with("/etc/reseal.toml, line 1: "),
        "{error}"
    );
}

#[test]
fn the_environment_overrides_the_file_in_every_kind() {
    let config = with_environment(
        "[server]\nlisten = \"127.0.0.1:1\"\n[dcv]\nhttp_port = 1\n",
        &[
            ("RESEAL__SERVER__LISTEN", "127.0.0.1:2"),
            ("RESEAL__SERVER__SYNC_WAIT", "3s"),
            ("RESEAL__DCV__HTTP_PORT", "8081"),
            ("RESEAL__DCV__RESOLVERS", "127.0.0.1:53, 127.0.0.2:53"),
            (
                "RESEAL__DCV__ALLOW_NETWORKS",
                "[\"127.0.0.0/8\", \"10.0.0.0/8\"]",
            ),
            ("RESEAL__CA__PASSPHRASE_FILE", "here"),
            ("RESEAL__LIMITS__ENABLED", "false"),
            ("RESEAL_DATA", "not configuration"),
        ],
    )
    .unwrap();
    assert_eq!(config.server.listen, "127.0.0.1:2".parse().unwrap());
    assert_eq!(config.server.sync_wait, Duration::from_secs(3));
    assert_eq!(config.dcv.http_port, 8081);
    assert_eq!(config.dcv.resolvers, ["127.0.0.1:53", "127.0.0.2:53"]);
    assert_eq!(config.dcv.allow_networks.len(), 2);
    assert_eq!(config.ca.passphrase_file, Some("here".into()));
    assert!(!config.limits.enabled);
}

#[test]
fn a_bad_variable_is_named() {
    let error = with_environment("", &[("RESEAL__SERVER__LISEN", "x")]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "environment variable RESEAL__SERVER__LISEN: unknown key `server.lisen`; did you mean `server.listen`?"
    );
    let error = with_environment("", &[("RESEAL__DCV__HTTP_PORT", "web")]).unwrap_err();
    assert!(error.to_string().contains("saw `web`"), "{error}");
}

#[test]
fn flags_win_over_the_environment() {
    let mut document = Document::default();
    document.add_environment([("RESEAL__SERVER__LISTEN".into(), "127.0.0.1:2".into())].into_iter());
    document.add_flag("server.listen", "127.0.0.1:3".to_owned(), "--listen");
    let config = Config::from_document(document).unwrap();
    assert_eq!(config.server.listen, "127.0.0.1:3".parse().unwrap());
    let mut document = Document::default();
    document.add_flag("server.listen", "here".to_owned(), "--listen");
    let error = Config::from_document(document).unwrap_err().to_string();
    assert!(
        error.starts_with("--listen: `server.listen`: expected"),
        "{error}"
    );
}

#[test]
fn a_copied_file_keeps_its_meaning() {
    let text = "# mine\n[ca]\npassphrase_file = 'secret' # beside this file\n[issuer.a]\nca_file = \"r.pem\"\n[server]\ntls_key = \"/k\"\n[dcv]\nperspectives = [{ url = \"u\", ca_file = \"p.pem\", token_file = \"/t\" }, { token_file = 't' }]\n";
    let copy = portable(text, Path::new("/etc/reseal.toml")).unwrap();
    assert_eq!(
        copy,
        "# mine\n[ca]\npassphrase_file = \"/etc/secret\" # beside this file\n[issuer.a]\nca_file = \"/etc/r.pem\"\n[server]\ntls_key = \"/k\"\n[dcv]\nperspectives = [{ url = \"u\", ca_file = \"/etc/p.pem\", token_file = \"/t\" }, { token_file = \"/etc/t\" }]\n"
    );
}

#[test]
fn a_hook_says_for_whom_and_where_it_publishes_and_no_zone_is_written_by_two() {
    let hook = |name: &str, lines: &str| {
        format!("[dns_hook.{name}]\nkind = \"exec\"\nprogram = \"/bin/true\"\n{lines}\n")
    };
    let good = "zones = [\"example.com\"]\ncustomers = [\"alice\"]";
    assert!(parse(&hook("a", good)).is_ok());
    for (text, expected) in [
        (
            "[dns_hook.a]\n".to_owned(),
            "`dns_hook.a.kind`: expected `rfc2136` or `exec`, saw nothing",
        ),
        (
            format!("[dns_hook.a]\nkind = \"nsupdate\"\n{good}"),
            "expected `rfc2136` or `exec`, saw `nsupdate`",
        ),
        (
            hook("a", "zones = [\"example.com\"]"),
            "`dns_hook.a.customers`: list the customers that it serves",
        ),
        (
            hook("a", "customers = [\"*\"]"),
            "`dns_hook.a.zones`: list the zones",
        ),
        (
            hook("a", "zones = [\"*.example.com\"]\ncustomers = [\"*\"]"),
            "expected a zone such as `example.com`, saw `*.example.com`",
        ),
        (
            hook("a", &format!("{good}\ntimeout = \"2m\"")),
            "expected a duration of at most `60s`, saw `2m`",
        ),
        (
            hook("a", &format!("{good}\nserver = \"192.0.2.1\"")),
            "unknown key `dns_hook.a.server`",
        ),
        (
            hook("a", good) + &hook("b", good),
            "`example.com` is a zone of `dns_hook.a` as well",
        ),
        (
            format!("[dns_hook.a]\nkind = \"rfc2136\"\n{good}\nserver = \"ns.example.com\""),
            "expected an address such as `192.0.2.53` or `192.0.2.53:5353`, saw `ns.example.com`",
        ),
        (
            format!("[dns_hook.a]\nkind = \"rfc2136\"\n{good}"),
            "`dns_hook.a.key_file`: name the file",
        ),
    ] {
        let error = parse(&text).unwrap_err().to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
}
