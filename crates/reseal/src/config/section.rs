//! The sections of the file: each key with its default, and what is said of a value that cannot be meant.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::Path;

use reseal_lifecycle::audit::SHORTEST_RETENTION;
use reseal_lifecycle::compromise::LONGEST_DELAY;
use reseal_lifecycle::services::Trust;
use reseal_pki::corroboration::{BadPlace, Place, Region};
use reseal_validation::email::MailError;
use reseal_validation::{Dnssec, Mailer};

use super::form::{BaseUrl, Host, Resolver, Suffix, is_mail_url};
use super::read::Reader;
use super::unit::{Size, Span};
use super::{Dcv, Limits, Mail, Policy, RemotePerspective, Retention, Server, Webhook};

/// `[server]`
pub(super) fn server(reader: &mut Reader) -> Server {
    let listen = SocketAddr::from(([127, 0, 0, 1], 8080));
    let listen = reader.parsed(
        "server.listen",
        listen,
        "an address with a port, such as `127.0.0.1:8080`",
    );
    let public_url = reader
        .optional::<BaseUrl>(
            "server.public_url",
            None,
            "the URL customers reach this server at, such as `https://ca.example.com`",
        )
        .map(|url| url.0);
    let origins = (
        reader.origin("server.tls_certificate"),
        reader.origin("server.tls_key"),
    );
    let tls = match (
        reader.path("server.tls_certificate"),
        reader.path("server.tls_key"),
    ) {
        (Some(certificate), Some(key)) => Some((certificate, key)),
        (None, None) => None,
        (Some(_), None) => {
            reader.refuse(
                "server.tls_certificate",
                origins.0.as_ref(),
                "`server.tls_key` is missing: HTTPS needs both, HTTP neither",
            );
            None
        }
        (None, Some(_)) => {
            reader.refuse(
                "server.tls_key",
                origins.1.as_ref(),
                "`server.tls_certificate` is missing: HTTPS needs both, HTTP neither",
            );
            None
        }
    };
    Server {
        listen,
        public_url,
        tls,
        sync_wait: reader
            .parsed(
                "server.sync_wait",
                Span::seconds(2),
                "a duration such as `2s` or `500ms`",
            )
            .unsigned(),
        max_body: reader
            .parsed(
                "server.max_body",
                Size(256 * 1024),
                "a size such as `256KiB` or `1MiB`",
            )
            .0,
        cors_origins: reader.list(
            "server.cors_origins",
            Vec::new(),
            "an origin such as `https://shop.example`, or `*`",
        ),
        open_calls: at_least_one(
            reader,
            "server.open_calls",
            2_000,
            "a whole number from 1 to 4294967295",
        ),
        longest_wait: reader
            .parsed(
                "server.longest_wait",
                Span::seconds(5),
                "a duration such as `5s` or `500ms`",
            )
            .unsigned(),
    }
}

/// `[mail]`
pub(super) fn mail(reader: &mut Reader) -> Mail {
    let origins = (reader.origin("mail.url"), reader.origin("mail.from"));
    let mail = Mail {
        url: reader.text("mail.url", "maildir"),
        from: reader.text("mail.from", "Reseal <ca@localhost>"),
    };
    if !is_mail_url(&mail.url) {
        // Not the value: a password may stand in it.
        let expected = "expected `maildir`, `smtp://HOST:PORT` or `smtps://HOST:PORT`";
        reader.refuse("mail.url", origins.0.as_ref(), expected);
    }
    if let Err(MailError::Settings(reason)) = Mailer::from_url("maildir", Path::new(""), &mail.from)
    {
        reader.refuse("mail.from", origins.1.as_ref(), &reason);
    }
    mail
}

/// `[policy]`
pub(super) fn policy(reader: &mut Reader) -> Policy {
    let span = "a duration such as `72h`, or nothing for never";
    let profile = reader.word(
        "policy.profile",
        Trust::Private,
        &[("private", Trust::Private), ("public", Trust::Public)],
    );
    let origin = reader.origin("policy.internal_names");
    let internal: Vec<Suffix> = reader.list(
        "policy.internal_names",
        Vec::new(),
        "a suffix in lower case such as `corp.example` or `internal`",
    );
    if profile == Trust::Public && !internal.is_empty() {
        reader.refuse(
            "policy.internal_names",
            origin.as_ref(),
            "only the profile `private` may certify internal names",
        );
    }
    let compromised = reader.fitting(
        "policy.revoke_compromised_after",
        Span::seconds(20 * 3600),
        "a duration of at most `24h`, as BR 4.9.1.1 leaves no more time",
        |span: &Span| span.signed() <= LONGEST_DELAY,
    );
    Policy {
        profile,
        internal_names: internal.into_iter().map(|suffix| suffix.0).collect(),
        revoke_replaced_after: reader
            .optional("policy.revoke_replaced_after", None, span)
            .map(Span::signed),
        revoke_removed_names_after: reader
            .optional(
                "policy.revoke_removed_names_after",
                Some(Span::seconds(72 * 3600)),
                span,
            )
            .map(Span::signed),
        revoke_compromised_after: compromised.signed(),
    }
}

/// `[dcv]`
pub(super) fn dcv(reader: &mut Reader) -> Dcv {
    let port = "a port, 1 to 65535";
    let name = "a domain name in lower case, such as `dcv.example.com`";
    let http_port_origin = reader.origin("dcv.http_port");
    let quorum_origin = reader.origin("dcv.quorum");
    let dcv = Dcv {
        resolvers: resolvers(reader),
        dnssec: reader.word(
            "dcv.dnssec",
            Dnssec::Validate,
            &[("validate", Dnssec::Validate), ("off", Dnssec::Off)],
        ),
        trust_anchor_file: reader.path("dcv.trust_anchor_file"),
        http_port: reader.number("dcv.http_port", 80, port),
        allow_networks: reader.list(
            "dcv.allow_networks",
            Vec::new(),
            "a network such as `10.0.0.0/8`",
        ),
        domain: reader
            .parsed("dcv.domain", Host("dcv.invalid".to_owned()), name)
            .0,
        perspectives: perspectives(reader),
        location: location(reader),
        quorum: reader.number("dcv.quorum", 0, "a whole number, 0 to 255"),
        caa_identity: reader
            .parsed("dcv.caa_identity", Host("reseal.invalid".to_owned()), name)
            .0,
        caa_reuse: reader
            .parsed(
                "dcv.caa_reuse",
                Span::seconds(0),
                "a duration such as `5m`, at most `8h`",
            )
            .unsigned(),
        iodef: reader.switch("dcv.iodef", false),
    };
    if usize::from(dcv.quorum) > dcv.perspectives.len() {
        let reason = format!(
            "{} perspectives can never agree: `dcv.perspectives` has {}",
            dcv.quorum,
            dcv.perspectives.len()
        );
        reader.refuse("dcv.quorum", quorum_origin.as_ref(), &reason);
    }
    if dcv.http_port == 0 {
        reader.refuse(
            "dcv.http_port",
            http_port_origin.as_ref(),
            &format!("expected {port}, saw 0"),
        );
    }
    dcv
}

fn resolvers(reader: &mut Reader) -> Vec<String> {
    const KEY: &str = "dcv.resolvers";
    let expected = "`system` or an address such as `127.0.0.1:5353`";
    let origin = reader.origin(KEY);
    let default = vec![Resolver("system".to_owned())];
    let resolvers = reader.list(KEY, default, expected);
    if resolvers.is_empty() {
        let reason = format!("list at least one: {expected}");
        reader.refuse(KEY, origin.as_ref(), &reason);
    }
    resolvers.into_iter().map(|resolver| resolver.0).collect()
}

fn perspectives(reader: &mut Reader) -> Vec<RemotePerspective> {
    const KEY: &str = "dcv.perspectives";
    const KEYS: [&str; 7] = [
        "url",
        "name",
        "ca_file",
        "token_file",
        "region",
        "latitude",
        "longitude",
    ];
    let origin = reader.origin(KEY);
    let tables = reader.tables(KEY, &KEYS, &KEYS[5..]);
    let mut perspectives: Vec<RemotePerspective> = Vec::new();
    for mut table in tables {
        // A text that is empty says nothing.
        let mut text = |key: &str| table.remove(key).filter(|text| !text.is_empty());
        let url = text("url").unwrap_or_default();
        let path = |text: String| match &origin {
            Some(origin) => origin.path(&text),
            None => text.into(),
        };
        let (ca_file, token_file) = (text("ca_file").map(path), text("token_file").map(path));
        let name = text("name").unwrap_or_else(|| url.clone());
        let (region, place) = (text("region"), (text("latitude"), text("longitude")));
        let mut refuse = |reason: &str| reader.refuse(KEY, origin.as_ref(), reason);
        if url.is_empty() {
            refuse("each perspective needs a `url`");
        }
        if perspectives.iter().any(|known| known.name == name) {
            refuse(&format!("two perspectives are called `{name}`"));
        }
        let known_region = region.as_deref().and_then(|region| region.parse().ok());
        if let (Some(seen), None) = (&region, known_region) {
            let known = Region::ALL.map(|region| format!("`{region}`")).join(" or ");
            refuse(&format!(
                "`region` of `{name}`: expected {known}, saw `{seen}`"
            ));
        }
        let place = place_of(place).unwrap_or_else(|error| {
            refuse(&format!("`latitude` and `longitude` of `{name}`: {error}"));
            None
        });
        perspectives.push(RemotePerspective {
            name,
            url,
            ca_file,
            token_file,
            region: known_region,
            place,
        });
    }
    perspectives
}

fn location(reader: &mut Reader) -> Option<Place> {
    let origin = reader.origin("dcv.location.latitude");
    let place = (
        reader.decimal("dcv.location.latitude"),
        reader.decimal("dcv.location.longitude"),
    );
    place_of(place).unwrap_or_else(|error| {
        reader.refuse("dcv.location", origin.as_ref(), &error.to_string());
        None
    })
}

/// Latitude and longitude; both or neither.
fn place_of(said: (Option<String>, Option<String>)) -> Result<Option<Place>, BadPlace> {
    match said {
        (None, None) => Ok(None),
        (latitude, longitude) => Place::parse(
            &latitude.unwrap_or_default(),
            &longitude.unwrap_or_default(),
        )
        .map(Some),
    }
}

/// `[limits]`
pub(super) fn limits(reader: &mut Reader) -> Limits {
    let mut at_least_one = |key: &str, default: u32| {
        let expected =
            "a whole number from 1 to 4294967295; `enabled = false` switches all limits off";
        at_least_one(reader, key, default, expected)
    };
    let (per_key, per_customer) = (
        at_least_one("limits.per_key", 50),
        at_least_one("limits.per_customer", 100),
    );
    Limits {
        per_key,
        per_customer,
        failed_authentications: at_least_one("limits.failed_authentications", 30),
        reissues_per_day: at_least_one("limits.reissues_per_day", 50),
        enabled: reader.switch("limits.enabled", true),
    }
}

fn at_least_one(reader: &mut Reader, key: &str, default: u32, expected: &str) -> NonZeroU32 {
    let origin = reader.origin(key);
    let number = reader.number(key, default, expected);
    NonZeroU32::new(number).unwrap_or_else(|| {
        reader.refuse(key, origin.as_ref(), &format!("expected {expected}, saw 0"));
        NonZeroU32::MIN
    })
}

/// `[webhook]`
pub(super) fn webhook(reader: &mut Reader) -> Webhook {
    let timeout = reader.fitting(
        "webhook.timeout",
        Span::seconds(10),
        "a duration from `1s` to `60s`",
        // A claim on a queue must outlast an attempt.
        |span: &Span| (1..=60).contains(&span.unsigned().as_secs()),
    );
    Webhook {
        allow_networks: reader.list(
            "webhook.allow_networks",
            Vec::new(),
            "a network such as `10.0.0.0/8`",
        ),
        allow_http: reader.switch("webhook.allow_http", false),
        ca_file: reader.path("webhook.ca_file"),
        timeout: timeout.unsigned(),
    }
}

/// `[retention]`
pub(super) fn retention(reader: &mut Reader) -> Retention {
    let shortest = Span::seconds(SHORTEST_RETENTION.as_secs().unsigned_abs());
    let audit = reader.optional_fitting(
        "retention.audit",
        Some(shortest),
        "a duration of at least `730d`, as certificates' records are kept for two years after their end (BR 5.4.3), or \
         nothing for ever",
        |span| span.signed() >= SHORTEST_RETENTION,
    );
    Retention {
        audit: audit.map(Span::signed),
    }
}
