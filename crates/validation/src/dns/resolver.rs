//! The connection to the configured resolvers, and the one function that asks them.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};

use hickory_net::{
    NetError,
    dnssec::DnssecDnsHandle,
    runtime::TokioRuntimeProvider,
    xfer::{DnsHandle, FirstAnswer, RetryDnsHandle},
};
use hickory_proto::{
    dnssec::TrustAnchors,
    op::{DnsRequestOptions, Message, Query},
    rr::{Name, RData, Record, RecordType},
};
use hickory_resolver::{
    NameServerPool, PoolContext, TlsConfig,
    config::{NameServerConfig, ResolverOpts},
    system_conf::read_system_conf,
};
use jiff::Timestamp;
use tokio::sync::OnceCell;

use super::{
    anchor::{self, Anchors},
    answer::{DnsAnswer, DnsOutcome, DnsRecord, FailureCause, RecordKind, RecordValue, Security},
    interpret::{Step, failure, interpret},
};
use crate::settings::{Dnssec, Settings, SettingsError};

/// Longest alias chain that is followed (nasty 126).
const MAX_ALIASES: usize = 8;
/// Signatures that are known to be good, so that they are not verified again: those of keys come with every answer. Each
/// name that is asked for brings some more, which nobody needs any longer; the library would keep a million.
const SIGNATURES_KEPT: usize = 16_384;
/// A validated answer takes several questions: this many time limits of one are allowed in all.
const QUESTIONS_PER_ANSWER: u32 = 4;

type Pool = RetryDnsHandle<NameServerPool<TokioRuntimeProvider>>;

/// Asks the configured resolvers, without a cache: every look-up is fresh (D-32).
pub(crate) struct Resolver {
    pool: Pool,
    servers: Vec<String>,
    timeout: Duration,
    /// `None`: DNSSEC is switched off.
    anchors: Option<Anchors>,
    /// Made at first use: anchors given as digests need their keys fetched.
    validator: OnceCell<DnssecDnsHandle<Pool>>,
}

impl Resolver {
    pub(crate) fn new(settings: &Settings) -> Result<Self, SettingsError> {
        let servers = servers(&settings.resolvers)?;
        let anchors = match (settings.dnssec, &settings.trust_anchor) {
            (Dnssec::Off, _) => None,
            (Dnssec::Validate, None) => Some(Anchors::root()),
            (Dnssec::Validate, Some(text)) => Some(Anchors::parse(text)?),
        };
        let shown = servers.iter().map(show).collect();
        let tls = TlsConfig::new().map_err(|error| SettingsError::Tls(error.to_string()))?;
        let context = Arc::new(PoolContext::new(options(settings), tls));
        let pool = NameServerPool::from_config(servers, context, TokioRuntimeProvider::default());
        Ok(Self {
            pool: RetryDnsHandle::new(pool, 1),
            servers: shown,
            timeout: settings.dns_timeout,
            anchors,
            validator: OnceCell::new(),
        })
    }

    /// Addresses of the resolvers, as shown to people.
    pub(crate) fn servers(&self) -> &[String] {
        &self.servers
    }

    /// Whether answers are validated.
    pub(crate) fn validates(&self) -> bool {
        self.anchors.is_some()
    }

    /// The zone of a trust anchor, and whether the anchors are those of the public root.
    pub(crate) fn anchored_zone(&self) -> Option<(String, bool)> {
        let anchors = self.anchors.as_ref()?;
        Some((anchors.zone().to_ascii(), anchors.are_the_roots()))
    }

    /// Looks `name` up, following aliases (except when asking for them). Never fails: what goes
    /// wrong is part of the answer.
    pub(crate) async fn lookup(&self, name: &str, kind: RecordKind) -> DnsAnswer {
        let at = Timestamp::now();
        let started = Instant::now();
        let mut trail = Trail::new(self.validates());
        let limit = self.timeout * QUESTIONS_PER_ANSWER;
        let outcome = match absolute(name) {
            Ok(asked) => tokio::time::timeout(limit, self.follow(asked, kind, &mut trail))
                .await
                .unwrap_or_else(|_| DnsOutcome::Failure {
                    cause: FailureCause::Timeout,
                    reason: format!("no complete answer within {} s", limit.as_secs()),
                }),
            Err(reason) => DnsOutcome::Failure {
                cause: FailureCause::Name,
                reason,
            },
        };
        let security = match &outcome {
            DnsOutcome::Bogus { .. } => Security::Bogus,
            DnsOutcome::Failure { .. } if self.validates() => Security::Indeterminate,
            _ => trail.security,
        };
        DnsAnswer {
            name: format!("{}.", name.trim_end_matches('.').to_ascii_lowercase()),
            kind,
            outcome,
            records: trail.records,
            omitted: 0,
            security,
            servers: self.servers.clone(),
            at,
            elapsed_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        }
    }

    async fn follow(&self, name: Name, kind: RecordKind, trail: &mut Trail) -> DnsOutcome {
        let wanted = record_type(kind);
        let mut asked = vec![name.clone()];
        let mut current = name;
        loop {
            match self.ask(&current, wanted).await {
                Step::Records(records, security) => {
                    trail.add(&records, security);
                    return DnsOutcome::Records;
                }
                Step::Absent { exists, security } => {
                    trail.add(&[], security);
                    return if exists {
                        DnsOutcome::NoRecords
                    } else {
                        DnsOutcome::NoName
                    };
                }
                Step::Unusable(outcome) => return outcome,
                Step::Alias(record, target, security) => {
                    trail.add(&[*record], security);
                    if let Some(reason) = chain_problem(&asked, &target) {
                        return DnsOutcome::Failure {
                            cause: FailureCause::Chain,
                            reason,
                        };
                    }
                    asked.push(target.clone());
                    current = target;
                }
            }
        }
    }

    /// Puts one question and reads the response.
    async fn ask(&self, name: &Name, kind: RecordType) -> Step {
        let query = Query::query(name.clone(), kind);
        let result = if self.validates() {
            match self.validator().await {
                Ok(validator) => send(validator, query, true).await,
                Err(reason) => return failure(FailureCause::Server, reason),
            }
        } else {
            send(&self.pool, query, false).await
        };
        interpret(result, name, kind, self.validates())
    }

    async fn validator(&self) -> Result<&DnssecDnsHandle<Pool>, String> {
        self.validator
            .get_or_try_init(|| async {
                let anchors = match &self.anchors {
                    Some(anchors) => self.resolve(anchors).await?,
                    None => TrustAnchors::empty(),
                };
                let handle = self.pool.clone();
                let validator = DnssecDnsHandle::with_trust_anchor(handle, Arc::new(anchors));
                Ok(validator.validation_cache_size(SIGNATURES_KEPT))
            })
            .await
    }

    /// Turns anchors given as digests into keys: the DNSKEY set is fetched unchecked, and only
    /// keys that match a digest become anchors (RFC 4509).
    async fn resolve(&self, anchors: &Anchors) -> Result<TrustAnchors, String> {
        let mut keys = anchors.keys();
        for zone in anchors.digested_zones() {
            let query = Query::query(zone.clone(), RecordType::DNSKEY);
            let message = send(&self.pool, query, true).await.map_err(|error| {
                format!("the keys of trust anchor `{zone}` are not found: {error}")
            })?;
            if !anchor::insert_matching(anchors, zone, &message, &mut keys) {
                return Err(format!(
                    "no key of `{zone}` matches the trust anchor's digest"
                ));
            }
        }
        Ok(keys)
    }
}

async fn send(handle: &impl DnsHandle, query: Query, dnssec: bool) -> Result<Message, NetError> {
    let mut options = DnsRequestOptions::default();
    options.case_randomization = true;
    options.edns_set_dnssec_ok = dnssec;
    let response = handle.lookup(query, options).first_answer().await?;
    Ok(response.into_message())
}

/// What has been gathered on the way to an answer.
struct Trail {
    records: Vec<DnsRecord>,
    security: Security,
}

impl Trail {
    fn new(validating: bool) -> Self {
        Self {
            records: Vec::new(),
            security: if validating {
                Security::Secure
            } else {
                Security::NotChecked
            },
        }
    }

    fn add(&mut self, records: &[Record], security: Security) {
        self.security = self.security.min(security);
        self.records.extend(records.iter().filter_map(shown_record));
    }
}

fn shown_record(record: &Record) -> Option<DnsRecord> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let value = match &record.data {
        RData::A(address) => RecordValue::A(address.0),
        RData::AAAA(address) => RecordValue::Aaaa(address.0),
        RData::CNAME(target) => RecordValue::Cname(target.0.to_lowercase().to_ascii()),
        RData::TXT(strings) => RecordValue::Txt(text(&strings.txt_data.concat())),
        RData::CAA(property) => RecordValue::Caa {
            flags: property.flags(),
            tag: property.tag.clone(),
            value: text(&property.value),
        },
        _ => return None,
    };
    Some(DnsRecord {
        name: record.name.to_lowercase().to_ascii(),
        ttl: record.ttl,
        value,
    })
}

fn chain_problem(asked: &[Name], target: &Name) -> Option<String> {
    if asked.contains(target) {
        let target = target.to_lowercase();
        Some(format!("the alias chain loops at `{target}`"))
    } else if asked.len() > MAX_ALIASES {
        Some(format!(
            "the alias chain is longer than {MAX_ALIASES}: shorten it"
        ))
    } else {
        None
    }
}

fn absolute(name: &str) -> Result<Name, String> {
    let mut absolute = Name::from_ascii(name)
        .map_err(|error| format!("`{}` is not a domain name: {error}", name.escape_debug()))?;
    absolute.set_fqdn(true);
    Ok(absolute)
}

fn record_type(kind: RecordKind) -> RecordType {
    match kind {
        RecordKind::A => RecordType::A,
        RecordKind::Aaaa => RecordType::AAAA,
        RecordKind::Cname => RecordType::CNAME,
        RecordKind::Txt => RecordType::TXT,
        RecordKind::Caa => RecordType::CAA,
    }
}

fn options(settings: &Settings) -> ResolverOpts {
    let mut options = ResolverOpts::default();
    options.timeout = settings.dns_timeout;
    options.case_randomization = true;
    options.try_tcp_on_error = true;
    options
}

fn servers(configured: &[String]) -> Result<Vec<NameServerConfig>, SettingsError> {
    let mut servers = Vec::new();
    for entry in configured {
        if entry == "system" {
            let (config, _) =
                read_system_conf().map_err(|error| SettingsError::System(error.to_string()))?;
            servers.extend(config.name_servers);
        } else {
            servers.push(server(entry)?);
        }
    }
    if servers.is_empty() {
        return Err(SettingsError::NoResolver);
    }
    Ok(servers)
}

fn server(entry: &str) -> Result<NameServerConfig, SettingsError> {
    let address = entry
        .parse::<SocketAddr>()
        .or_else(|_| entry.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, 53)))
        .map_err(|_| SettingsError::Resolver(entry.chars().take(100).collect()))?;
    let mut config = NameServerConfig::udp_and_tcp(address.ip());
    for connection in &mut config.connections {
        connection.port = address.port();
    }
    Ok(config)
}

fn show(server: &NameServerConfig) -> String {
    let port = server.connections.first().map_or(53, |first| first.port);
    SocketAddr::new(server.ip, port).to_string()
}
