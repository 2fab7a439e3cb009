//! The configuration: `DATA/reseal.toml`, `RESEAL__SECTION__KEY` over it, flags over that.
//!
//! [`Config`] is the whole of it, typed; `section` reads it and has the defaults, with `ca`, `dns_hook`, `issuer` and
//! `transparency`.
//! docs/configuration.md says what the keys mean; a test holds the two together. A key that is not known, and a value that
//! cannot be meant, are errors that name the place; all of them are reported at once.

mod ca;
mod distance;
mod dns_hook;
mod document;
mod form;
mod issuer;
mod read;
mod section;
#[cfg(test)]
mod tests;
mod transparency;
mod unit;

use std::fmt;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::SignedDuration;
use reseal_api::Origin;
use reseal_issuer::embedded::{KeyType, TokenSettings};
use reseal_lifecycle::services::Trust;
use reseal_lifecycle::transparency::Shard;
use reseal_pki::corroboration::{Place, Region};
use reseal_pki::transparency::LogKey;
use reseal_validation::{Dnssec, Network};

pub(crate) use dns_hook::{DnsHook, HookKind};
use document::Document;
use read::Reader;
pub(crate) use unit::{Offset, Span};

/// What `init` writes: every key with its default, commented out.
pub(crate) const TEMPLATE: &str = include_str!("reseal.toml");

/// Sections that may stand in the file; `audit` has no keys yet.
const SECTIONS: [&str; 16] = [
    "server",
    "database",
    "ca",
    "ocsp",
    "ct",
    "issuer",
    "dns_hook",
    "policy",
    "dcv",
    "mail",
    "limits",
    "webhook",
    "perspective",
    "audit",
    "metrics",
    "retention",
];

/// Everything that is wrong with a configuration, a line each.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ConfigError(pub(crate) Vec<String>);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for ConfigError {}

/// The whole configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Config {
    pub(crate) server: Server,
    pub(crate) database: Database,
    pub(crate) ca: Ca,
    pub(crate) ocsp: Ocsp,
    pub(crate) ct: Ct,
    pub(crate) issuers: Vec<UpstreamIssuer>,
    pub(crate) dns_hooks: Vec<DnsHook>,
    pub(crate) policy: Policy,
    pub(crate) dcv: Dcv,
    pub(crate) mail: Mail,
    pub(crate) limits: Limits,
    pub(crate) webhook: Webhook,
    pub(crate) metrics: Metrics,
    pub(crate) retention: Retention,
    pub(crate) perspective: OwnPerspective,
}

/// `[server]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Server {
    pub(crate) listen: SocketAddr,
    /// Without a trailing slash. `None`: made from the address that is listened on.
    pub(crate) public_url: Option<String>,
    /// Certificate chain and key, PEM files; both or neither.
    pub(crate) tls: Option<(PathBuf, PathBuf)>,
    pub(crate) sync_wait: Duration,
    /// Bytes.
    pub(crate) max_body: usize,
    /// Pages whose scripts may call.
    pub(crate) cors_origins: Vec<Origin>,
    /// Calls that change something carried out at a time; as many that only read.
    pub(crate) open_calls: NonZeroU32,
    /// While writes wait longer for the store, no other is begun.
    pub(crate) longest_wait: Duration,
}

/// `[database]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Database {
    /// `sqlite`, or where a PostgreSQL database is.
    pub(crate) url: String,
    /// The password to it, where the address has none.
    pub(crate) password_file: Option<PathBuf>,
}

/// `[ca]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ca {
    pub(crate) key: CaKey,
    pub(crate) passphrase_file: Option<PathBuf>,
    pub(crate) algorithm: KeyType,
    /// The token, if one is configured: keys that are in it are used wherever new ones go.
    pub(crate) token: Option<TokenSettings>,
}

/// `[ocsp]`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ocsp {
    /// Whether anybody answers.
    pub(crate) enabled: bool,
    /// Whether new certificates point there, if so.
    pub(crate) in_certificates: bool,
}

/// `[ct]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ct {
    /// In the order in which they are asked.
    pub(crate) logs: Vec<CtLog>,
    /// For one answer of one log.
    pub(crate) timeout: Duration,
}

/// One of `ct.logs`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CtLog {
    /// Without a trailing slash.
    pub(crate) url: String,
    pub(crate) operator: String,
    pub(crate) key: CtKey,
    /// Which ends of validity it takes.
    pub(crate) shard: Shard,
    /// CAs that may vouch for its server beside those that this machine trusts.
    pub(crate) ca_file: Option<PathBuf>,
}

/// Where a log's public key is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CtKey {
    Inline(LogKey),
    File(PathBuf),
}

impl CtLog {
    /// What it is called in messages.
    pub(crate) fn name(&self) -> &str {
        self.url.strip_prefix("https://").unwrap_or(&self.url)
    }
}

/// Where new keys of the CA are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CaKey {
    Software,
    Pkcs11,
}

/// `[issuer.NAME]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UpstreamIssuer {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) directory: String,
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) contact: String,
    pub(crate) eab_key_id: String,
    pub(crate) eab_key_file: Option<PathBuf>,
    pub(crate) preferred_chain: String,
    pub(crate) longest_validity: Option<SignedDuration>,
    pub(crate) roots_file: Option<PathBuf>,
}

/// `[policy]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Policy {
    pub(crate) profile: Trust,
    pub(crate) internal_names: Vec<String>,
    pub(crate) revoke_replaced_after: Option<SignedDuration>,
    pub(crate) revoke_removed_names_after: Option<SignedDuration>,
    /// At most 24 hours.
    pub(crate) revoke_compromised_after: SignedDuration,
}

/// `[dcv]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Dcv {
    pub(crate) resolvers: Vec<String>,
    pub(crate) dnssec: Dnssec,
    pub(crate) trust_anchor_file: Option<PathBuf>,
    pub(crate) http_port: u16,
    pub(crate) allow_networks: Vec<Network>,
    pub(crate) domain: String,
    pub(crate) perspectives: Vec<RemotePerspective>,
    pub(crate) quorum: u8,
    /// Where this server stands.
    pub(crate) location: Option<Place>,
    pub(crate) caa_identity: String,
    /// How old an observation of CAA may be and still serve; zero: none.
    pub(crate) caa_reuse: Duration,
    pub(crate) iodef: bool,
}

/// One of `dcv.perspectives`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RemotePerspective {
    pub(crate) name: String,
    pub(crate) url: String,
    /// CAs that alone may vouch for it.
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) token_file: Option<PathBuf>,
    pub(crate) region: Option<Region>,
    pub(crate) place: Option<Place>,
}

/// `[perspective]`: what `reseal perspective` is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OwnPerspective {
    pub(crate) name: String,
    pub(crate) token_file: Option<PathBuf>,
}

/// `[mail]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mail {
    pub(crate) url: String,
    pub(crate) from: String,
}

/// `[limits]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) enabled: bool,
    /// Calls in a second.
    pub(crate) per_key: NonZeroU32,
    /// Calls in a second.
    pub(crate) per_customer: NonZeroU32,
    /// In a minute, from one address.
    pub(crate) failed_authentications: NonZeroU32,
    /// Certificates of one subscription in 24 hours.
    pub(crate) reissues_per_day: NonZeroU32,
}

/// `[webhook]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Webhook {
    pub(crate) allow_networks: Vec<Network>,
    pub(crate) allow_http: bool,
    pub(crate) ca_file: Option<PathBuf>,
    /// For one attempt, from looking up the name to the answer.
    pub(crate) timeout: Duration,
}

/// `[metrics]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Metrics {
    /// What whoever reads `/metrics` must show; `None` when nobody may.
    pub(crate) token_file: Option<PathBuf>,
}

/// `[retention]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Retention {
    /// From the end of the last certificate that can rest on an entry; `None`: for ever.
    pub(crate) audit: Option<SignedDuration>,
}

/// What the command line adds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flags {
    /// `--listen`
    pub(crate) listen: Option<SocketAddr>,
}

impl Config {
    /// The configuration from `file`, the process's environment and `flags`.
    pub(crate) fn load(file: Option<&Path>, flags: &Flags) -> anyhow::Result<Self> {
        let mut document = match file {
            Some(path) => Document::from_toml(&read_file(path)?, path)?,
            None => Document::default(),
        };
        document.add_environment(std::env::vars_os());
        if let Some(listen) = flags.listen {
            document.add_flag("server.listen", listen.to_string(), "--listen");
        }
        Ok(Self::from_document(document)?)
    }

    /// The configuration in `text` alone; `path` is where relative paths start and what messages say.
    pub(crate) fn from_toml(text: &str, path: &Path) -> Result<Self, ConfigError> {
        Self::from_document(Document::from_toml(text, path)?)
    }

    fn from_document(document: Document) -> Result<Self, ConfigError> {
        let mut reader = Reader::new(document);
        let policy = section::policy(&mut reader);
        let config = Self {
            server: section::server(&mut reader),
            database: Database {
                url: reader.text("database.url", "sqlite"),
                password_file: reader.path("database.password_file"),
            },
            ca: ca::ca(&mut reader),
            ocsp: Ocsp {
                enabled: reader.switch("ocsp.enabled", false),
                in_certificates: reader.switch("ocsp.in_certificates", true),
            },
            issuers: issuer::issuers(&mut reader),
            dns_hooks: dns_hook::dns_hooks(&mut reader),
            ct: transparency::ct(&mut reader, policy.profile),
            policy,
            dcv: section::dcv(&mut reader),
            mail: section::mail(&mut reader),
            limits: section::limits(&mut reader),
            webhook: section::webhook(&mut reader),
            metrics: Metrics {
                token_file: reader.path("metrics.token_file"),
            },
            retention: section::retention(&mut reader),
            perspective: OwnPerspective {
                name: reader.text("perspective.name", ""),
                token_file: reader.path("perspective.token_file"),
            },
        };
        for section in SECTIONS {
            reader.section(section);
        }
        reader.finish()?;
        Ok(config)
    }
}

/// The text of the configuration file `path`, fit to be stored elsewhere: relative paths are made absolute.
pub(crate) fn portable(text: &str, path: &Path) -> Result<String, ConfigError> {
    let document = Document::from_toml(text, path)?;
    let base = path.parent().unwrap_or(Path::new(""));
    let base = std::path::absolute(base)
        .or_else(|_| std::env::current_dir())
        .unwrap_or_else(|_| base.to_owned());
    let is_path = |key: &str| {
        matches!(
            key,
            "server.tls_certificate"
                | "server.tls_key"
                | "ca.passphrase_file"
                | "ca.pkcs11_module"
                | "ca.pkcs11_pin_file"
                | "database.password_file"
                | "dcv.trust_anchor_file"
                | "dcv.perspectives.ca_file"
                | "dcv.perspectives.token_file"
                | "ct.logs.ca_file"
                | "ct.logs.key_file"
                | "webhook.ca_file"
                | "perspective.token_file"
                | "metrics.token_file"
        ) || (key.starts_with("issuer.")
            && (key.ends_with(".ca_file") || key.ends_with(".eab_key_file")))
            || (key.starts_with("dns_hook.")
                && (key.ends_with(".key_file") || key.ends_with(".program")))
    };
    Ok(document.with_absolute_paths(text, &base, is_path))
}

/// Reads a configuration file, saying which one when that fails.
pub(crate) fn read_file(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).map_err(|error| {
        anyhow::anyhow!(
            "the configuration {} cannot be read: {error}",
            path.display()
        )
    })
}
