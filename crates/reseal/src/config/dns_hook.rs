//! `[dns_hook.NAME]`: who publishes challenges in the DNS, where and for whom.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use reseal_validation::publish::{Algorithm, Zone};

use super::read::Reader;
use super::unit::Span;

/// Longest time that a hook may take: its records are others' to remove after three minutes.
const LONGEST_TIMEOUT: Duration = Duration::from_mins(1);
/// Longest time until everybody sees a record.
const LONGEST_SETTLE: Duration = Duration::from_mins(10);

/// `[dns_hook.NAME]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DnsHook {
    pub(crate) name: String,
    pub(crate) zones: Vec<Zone>,
    /// Handles; `*` stands for everybody.
    pub(crate) customers: Vec<String>,
    pub(crate) settle: Duration,
    /// For one record.
    pub(crate) timeout: Duration,
    pub(crate) kind: HookKind,
}

/// How it writes records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum HookKind {
    /// `rfc2136`
    Update {
        server: SocketAddr,
        key_name: String,
        key_algorithm: Algorithm,
        key_file: PathBuf,
        /// Seconds.
        ttl: u32,
    },
    /// `exec`
    Program(PathBuf),
}

/// An address with an optional port.
struct Server(SocketAddr);

impl FromStr for Server {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let with_port = text.parse::<SocketAddr>();
        let address = with_port.or_else(|_| text.parse::<IpAddr>().map(|ip| (ip, 53).into()));
        address.map(Self).map_err(|_| ())
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Update,
    Program,
}

/// All hooks.
pub(super) fn dns_hooks(reader: &mut Reader) -> Vec<DnsHook> {
    let names = reader.tables_below("dns_hook");
    let mut hooks: Vec<DnsHook> = Vec::new();
    for name in names {
        let Some(hook) = dns_hook(reader, name) else {
            continue;
        };
        let twice = hooks.iter().find_map(|known| {
            let zone = known.zones.iter().find(|zone| hook.zones.contains(zone))?;
            Some((known.name.clone(), zone.clone()))
        });
        if let Some((other, zone)) = twice {
            let key = format!("dns_hook.{}.zones", hook.name);
            let reason =
                format!("`{zone}` is a zone of `dns_hook.{other}` as well: one of them writes it");
            reader.refuse(&key, None, &reason);
        }
        hooks.push(hook);
    }
    hooks
}

fn dns_hook(reader: &mut Reader, name: String) -> Option<DnsHook> {
    let key = |field: &str| format!("dns_hook.{name}.{field}");
    let kinds = [
        ("rfc2136", Some(Kind::Update)),
        ("exec", Some(Kind::Program)),
    ];
    let said = reader.origin(&key("kind")).is_some();
    let kind = reader.word(&key("kind"), None, &kinds);
    let zones: Vec<Zone> = reader.list(&key("zones"), Vec::new(), "a zone such as `example.com`");
    let customers: Vec<String> = reader.list(
        &key("customers"),
        Vec::new(),
        "a customer's handle, or `*` for everybody",
    );
    let settle = span(
        reader,
        &key("settle"),
        Span::seconds(0),
        Duration::ZERO,
        LONGEST_SETTLE,
    );
    let shortest = Duration::from_millis(100);
    let timeout = span(
        reader,
        &key("timeout"),
        Span::seconds(10),
        shortest,
        LONGEST_TIMEOUT,
    );
    let kind = match kind {
        Some(Kind::Update) => update(reader, &key),
        Some(Kind::Program) => program(reader, &key),
        None => {
            if !said {
                reader.refuse(
                    &key("kind"),
                    None,
                    "expected `rfc2136` or `exec`, saw nothing",
                );
            }
            None
        }
    };
    if zones.is_empty() {
        reader.refuse(&key("zones"), None, "list the zones that it may write");
    }
    if customers.is_empty() {
        let reason = "list the customers that it serves, or `*`: whoever is served can have certificates for every name \
                      in `zones`";
        reader.refuse(&key("customers"), None, reason);
    }
    Some(DnsHook {
        kind: kind?,
        name,
        zones,
        customers,
        settle,
        timeout,
    })
}

fn update(reader: &mut Reader, key: &impl Fn(&str) -> String) -> Option<HookKind> {
    let server = reader.optional::<Server>(
        &key("server"),
        None,
        "an address such as `192.0.2.53` or `192.0.2.53:5353`",
    );
    let key_name = reader.text(&key("key_name"), "");
    let key_algorithm = reader.word(
        &key("key_algorithm"),
        Algorithm::HmacSha256,
        &Algorithm::ALL,
    );
    let key_file = reader.path(&key("key_file"));
    let ttl = reader.number(&key("ttl"), 60, "seconds, a whole number");
    if server.is_none() {
        reader.refuse(
            &key("server"),
            None,
            "name the primary name server of the zones",
        );
    }
    if key_name.is_empty() {
        reader.refuse(&key("key_name"), None, "name the TSIG key");
    }
    if key_file.is_none() {
        reader.refuse(
            &key("key_file"),
            None,
            "name the file with the TSIG key in base64",
        );
    }
    Some(HookKind::Update {
        server: server?.0,
        key_name,
        key_algorithm,
        key_file: key_file?,
        ttl,
    })
}

fn program(reader: &mut Reader, key: &impl Fn(&str) -> String) -> Option<HookKind> {
    let program = reader.path(&key("program"));
    if program.is_none() {
        reader.refuse(&key("program"), None, "name the program to run");
    }
    program.map(HookKind::Program)
}

fn span(
    reader: &mut Reader,
    key: &str,
    default: Span,
    shortest: Duration,
    longest: Duration,
) -> Duration {
    let expected = format!("a duration of at most `{}s`", longest.as_secs());
    let fits = |span: &Span| (shortest..=longest).contains(&span.unsigned());
    reader.fitting(key, default, &expected, fits).unsigned()
}
