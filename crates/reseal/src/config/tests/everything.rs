//! A configuration with every key: read, explained, and shown by the template.

use reseal_issuer::embedded::TokenName;
use reseal_validation::publish::Algorithm;

use super::super::*;
use super::parse;

/// Every key of the design, each away from its default.
const EVERYTHING: &str = r#"
[server]
listen = "0.0.0.0:8443"
public_url = "https://ca.example.com/"
tls_certificate = "tls/chain.pem"
tls_key = "/etc/tls.key"
sync_wait = "500ms"
max_body = "1MiB"
cors_origins = ["https://shop.example", "*"]
open_calls = 7
longest_wait = "3s"
[database]
url = "postgres://db"
password_file = "/etc/db-password"
[ca]
key = "pkcs11"
passphrase_file = "secret"
algorithm = "rsa3072"
pkcs11_module = "/usr/lib/token.so"
pkcs11_token = "ca"
pkcs11_slot = ""
pkcs11_pin_file = "pin"
pkcs11_label = "house"
[ocsp]
enabled = true
in_certificates = false
[ct]
logs = []
timeout = "7s"
[issuer.upstream]
kind = "acme"
directory = "https://acme.example/dir"
ca_file = "roots.pem"
contact = "mailto:ca@example.com"
eab_key_id = "kid-1"
eab_key_file = "eab"
preferred_chain = "ISRG Root X1"
longest_validity = "90d"
roots_file = "pinned.pem"
[dns_hook.knot]
kind = "rfc2136"
zones = ["Example.com", "_acme-challenge.example.org"]
customers = ["alice", "bob"]
server = "192.0.2.53"
key_name = "reseal"
key_algorithm = "hmac-sha512"
key_file = "tsig"
ttl = 30
timeout = "5s"
settle = "2s"
[dns_hook.other]
kind = "exec"
zones = ["example.net"]
customers = ["*"]
program = "/usr/local/bin/hook"
[policy]
profile = "private"
internal_names = ["corp.example", "internal"]
revoke_replaced_after = "72h"
revoke_removed_names_after = ""
revoke_compromised_after = "90m"
[dcv]
resolvers = ["127.0.0.1:5353"]
dnssec = "off"
trust_anchor_file = "anchor"
http_port = 8081
allow_networks = ["127.0.0.0/8"]
domain = "dcv.example.com"
perspectives = [{ url = "https://p1.example", name = "p1", ca_file = "p1.pem", token_file = "/etc/p1", region = "ripe", latitude = 59.33, longitude = 18 }, { url = "https://p2.example", ca_file = "", token_file = "" }]
quorum = 2
location = { latitude = 50.11, longitude = -8.68 }
caa_identity = "ca.example.com"
caa_reuse = "5m"
iodef = true
[mail]
url = "smtp://localhost:25"
from = "CA <ca@example.com>"
[limits]
enabled = false
per_key = 5
per_customer = 6
failed_authentications = 7
reissues_per_day = 8
[webhook]
allow_networks = ["10.0.0.0/8"]
allow_http = true
ca_file = "hooks.pem"
timeout = "5s"
[perspective]
name = "here"
token_file = "token"
[audit]
[metrics]
token_file = "metrics-token"
[retention]
audit = "1000d"
"#;

#[test]
fn every_key_is_read() {
    let config = parse(EVERYTHING).unwrap();
    let expected = Config {
        server: Server {
            listen: "0.0.0.0:8443".parse().unwrap(),
            public_url: Some("https://ca.example.com".to_owned()),
            tls: Some(("/etc/tls/chain.pem".into(), "/etc/tls.key".into())),
            sync_wait: Duration::from_millis(500),
            max_body: 1024 * 1024,
            cors_origins: vec!["https://shop.example".parse().unwrap(), Origin::Any],
            open_calls: NonZeroU32::new(7).unwrap(),
            longest_wait: Duration::from_secs(3),
        },
        database: Database {
            url: "postgres://db".to_owned(),
            password_file: Some("/etc/db-password".into()),
        },
        ca: Ca {
            key: CaKey::Pkcs11,
            passphrase_file: Some("/etc/secret".into()),
            algorithm: KeyType::Rsa3072,
            token: Some(TokenSettings {
                module: "/usr/lib/token.so".into(),
                token: TokenName::Label("ca".to_owned()),
                pin_file: "/etc/pin".into(),
                prefix: "house".to_owned(),
            }),
        },
        ocsp: Ocsp {
            enabled: true,
            in_certificates: false,
        },
        ct: Ct {
            logs: Vec::new(),
            timeout: Duration::from_secs(7),
        },
        issuers: vec![UpstreamIssuer {
            name: "upstream".to_owned(),
            kind: "acme".to_owned(),
            directory: "https://acme.example/dir".to_owned(),
            ca_file: Some("/etc/roots.pem".into()),
            contact: "mailto:ca@example.com".to_owned(),
            eab_key_id: "kid-1".to_owned(),
            eab_key_file: Some("/etc/eab".into()),
            preferred_chain: "ISRG Root X1".to_owned(),
            longest_validity: Some(SignedDuration::from_hours(90 * 24)),
            roots_file: Some("/etc/pinned.pem".into()),
        }],
        dns_hooks: vec![
            DnsHook {
                name: "knot".to_owned(),
                zones: vec![
                    "example.com".parse().unwrap(),
                    "_acme-challenge.example.org".parse().unwrap(),
                ],
                customers: vec!["alice".to_owned(), "bob".to_owned()],
                settle: Duration::from_secs(2),
                timeout: Duration::from_secs(5),
                kind: HookKind::Update {
                    server: "192.0.2.53:53".parse().unwrap(),
                    key_name: "reseal".to_owned(),
                    key_algorithm: Algorithm::HmacSha512,
                    key_file: "/etc/tsig".into(),
                    ttl: 30,
                },
            },
            DnsHook {
                name: "other".to_owned(),
                zones: vec!["example.net".parse().unwrap()],
                customers: vec!["*".to_owned()],
                settle: Duration::ZERO,
                timeout: Duration::from_secs(10),
                kind: HookKind::Program("/usr/local/bin/hook".into()),
            },
        ],
        policy: Policy {
            profile: Trust::Private,
            internal_names: vec!["corp.example".to_owned(), "internal".to_owned()],
            revoke_replaced_after: Some(SignedDuration::from_hours(72)),
            revoke_removed_names_after: None,
            revoke_compromised_after: SignedDuration::from_mins(90),
        },
        dcv: Dcv {
            resolvers: vec!["127.0.0.1:5353".to_owned()],
            dnssec: Dnssec::Off,
            trust_anchor_file: Some("/etc/anchor".into()),
            http_port: 8081,
            allow_networks: vec!["127.0.0.0/8".parse().unwrap()],
            domain: "dcv.example.com".to_owned(),
            perspectives: vec![
                RemotePerspective {
                    name: "p1".to_owned(),
                    url: "https://p1.example".to_owned(),
                    ca_file: Some("/etc/p1.pem".into()),
                    token_file: Some("/etc/p1".into()),
                    region: Some(Region::Ripe),
                    place: Place::parse("59.33", "18").ok(),
                },
                RemotePerspective {
                    name: "https://p2.example".to_owned(),
                    url: "https://p2.example".to_owned(),
                    ca_file: None,
                    token_file: None,
                    region: None,
                    place: None,
                },
            ],
            quorum: 2,
            location: Place::parse("50.11", "-8.68").ok(),
            caa_identity: "ca.example.com".to_owned(),
            caa_reuse: Duration::from_mins(5),
            iodef: true,
        },
        mail: Mail {
            url: "smtp://localhost:25".to_owned(),
            from: "CA <ca@example.com>".to_owned(),
        },
        limits: Limits {
            enabled: false,
            per_key: NonZeroU32::new(5).unwrap(),
            per_customer: NonZeroU32::new(6).unwrap(),
            failed_authentications: NonZeroU32::new(7).unwrap(),
            reissues_per_day: NonZeroU32::new(8).unwrap(),
        },
        webhook: Webhook {
            allow_networks: vec!["10.0.0.0/8".parse().unwrap()],
            allow_http: true,
            ca_file: Some("/etc/hooks.pem".into()),
            timeout: Duration::from_secs(5),
        },
        metrics: Metrics {
            token_file: Some("/etc/metrics-token".into()),
        },
        retention: Retention {
            audit: Some(SignedDuration::from_hours(24 * 1000)),
        },
        perspective: OwnPerspective {
            name: "here".to_owned(),
            token_file: Some("/etc/token".into()),
        },
    };
    assert_eq!(config, expected);
}

#[test]
fn the_template_shows_every_key_with_its_default() {
    let defaults = parse("").unwrap();
    assert_eq!(parse(TEMPLATE).unwrap(), defaults);
    let uncommented = TEMPLATE.replace("\n# ", "\n");
    let uncommented = uncommented
        .split_once("[server]")
        .map(|(_, rest)| format!("[server]{rest}"))
        .unwrap();
    let mut spelled_out = parse(&uncommented).unwrap();
    // Said or not, it is the address that is listened on.
    assert_eq!(
        spelled_out.server.public_url.take().unwrap(),
        "http://127.0.0.1:8080"
    );
    assert_eq!(spelled_out, defaults);
    let mut is_named = false;
    for line in EVERYTHING.lines() {
        // Tables that somebody gives a name have no default.
        if let Some(name) = line.strip_prefix('[') {
            is_named = name.contains('.');
        }
        let Some((key, _)) = line.split_once(" = ") else {
            continue;
        };
        assert!(
            is_named || TEMPLATE.contains(&format!("\n# {key} = ")),
            "{key}"
        );
    }
}

#[test]
fn the_document_explains_every_key() {
    let document = include_str!("../../../../../docs/configuration.md");
    let mut section = "";
    for line in EVERYTHING.lines() {
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']');
            let heading = match section.split_once('.') {
                Some((kind, _)) => format!("{kind}.NAME"),
                None => section.to_owned(),
            };
            assert!(document.contains(&format!("`[{heading}]`")), "{section}");
        } else if let Some((key, _)) = line.split_once(" = ") {
            assert!(
                document.contains(&format!("| `{key}` |")),
                "{section}.{key}"
            );
        }
    }
}
