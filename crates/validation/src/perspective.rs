//! The local perspective: this host's view of the customer's DNS and web servers.

use std::{fmt, sync::Arc};

use http::HeaderValue;
use jiff::Timestamp;
use reseal_pki::name::DnsName;
use serde::{Deserialize, Serialize};

use crate::{
    caa::{self, CaaObservation, Levels},
    challenge::Challenge,
    dns::{self, DnsAnswer, DnsOutcome, RecordKind, Resolver, Security},
    email::{self, ContactList},
    evidence::Attempt,
    file::{self, Connector, FileObservation, Guard},
    persistent,
    settings::{Settings, SettingsError},
};

/// The local perspective. Cheap to clone; needs a Tokio runtime when used.
#[derive(Clone)]
pub struct Perspective {
    inner: Arc<Inner>,
}

struct Inner {
    settings: Settings,
    resolver: Resolver,
    connector: Connector,
    guard: Guard,
}

impl fmt::Debug for Perspective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Perspective")
            .field("servers", &self.servers())
            .finish_non_exhaustive()
    }
}

impl Perspective {
    /// Checks the settings and prepares; nothing is sent yet.
    pub fn new(settings: Settings) -> Result<Self, SettingsError> {
        if HeaderValue::from_str(&settings.user_agent).is_err() {
            return Err(SettingsError::UserAgent(settings.user_agent));
        }
        let resolver = Resolver::new(&settings)?;
        let connector = Connector::new(&settings)?;
        let guard = Guard::new(&settings);
        Ok(Self {
            inner: Arc::new(Inner {
                settings,
                resolver,
                connector,
                guard,
            }),
        })
    }

    /// Addresses of the resolvers that are asked.
    pub fn servers(&self) -> &[String] {
        self.inner.resolver.servers()
    }

    /// Looks up a name, which may have labels that begin with `_`. Failures are part of the
    /// answer.
    pub async fn lookup(&self, name: &str, kind: RecordKind) -> DnsAnswer {
        self.inner.resolver.lookup(name, kind).await
    }

    /// Fetches `http://host/path` by the rules of FILE (D-21 to D-27). `path` must begin with `/`.
    pub async fn fetch(&self, host: &str, path: &str) -> FileObservation {
        let Inner {
            settings,
            resolver,
            connector,
            guard,
        } = &*self.inner;
        file::fetch(resolver, connector, guard, settings, host, path).await
    }

    /// Finds the CAA records that are relevant for a name (S-7 to S-9). What `levels` were asked already is not asked
    /// again.
    pub async fn caa(&self, name: &DnsName, levels: &Levels) -> CaaObservation {
        caa::climb(&self.inner.resolver, name, levels).await
    }

    /// Asks for the addresses that are published for a domain (D-14).
    pub async fn contacts(&self, adn: &str) -> ContactList {
        email::list(&self.inner.resolver, adn).await
    }

    /// Looks for a challenge, once.
    pub async fn attempt(&self, challenge: &Challenge) -> Attempt {
        match challenge {
            Challenge::Dns { record, contents } => {
                dns::attempt(&self.inner.resolver, record, contents).await
            }
            Challenge::Txt { record, contents } => {
                dns::attempt_text(&self.inner.resolver, record, contents).await
            }
            Challenge::DnsRandom {
                adn,
                random,
                target,
            } => dns::attempt_random(&self.inner.resolver, adn, random, target).await,
            Challenge::File {
                host,
                path,
                contents,
            } => {
                let at = Timestamp::now();
                file::attempt(self.fetch(host, path).await, contents, at)
            }
            Challenge::Persistent { record, now } => {
                persistent::attempt(&self.inner.resolver, record, *now).await
            }
            Challenge::Contact(contact) => email::attempt(&self.inner.resolver, contact).await,
        }
    }

    /// Whether names can be looked up at all, and whether DNSSEC validation really works (S-6):
    /// the trust anchor's zone must be secure, and with the public root's anchors a name that is
    /// bogus on purpose must not pass.
    pub async fn probe(&self) -> Probe {
        let resolver = &self.inner.resolver;
        let servers = resolver.servers().to_vec();
        let Some((zone, public)) = resolver.anchored_zone() else {
            let answer = resolver.lookup(".", RecordKind::Txt).await;
            return Probe {
                servers,
                resolves: answer.is_usable(),
                dnssec: DnssecProbe::Off,
                answers: vec![answer],
            };
        };
        let anchored = resolver.lookup(&zone, RecordKind::Txt).await;
        let mut answers = vec![anchored];
        if public {
            answers.push(resolver.lookup(BOGUS_NAME, RecordKind::A).await);
        }
        Probe {
            servers,
            resolves: answers[0].is_usable(),
            dnssec: DnssecProbe::of(&answers[0], answers.get(1)),
            answers,
        }
    }
}

/// A public name whose signatures are broken on purpose, for tests of resolvers.
const BOGUS_NAME: &str = "dnssec-failed.org.";

/// What a probe found.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Probe {
    /// Resolvers that were asked.
    pub servers: Vec<String>,
    /// Whether a usable answer came.
    pub resolves: bool,
    /// State of DNSSEC validation.
    pub dnssec: DnssecProbe,
    /// The answers themselves.
    pub answers: Vec<DnsAnswer>,
}

/// State of DNSSEC validation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum DnssecProbe {
    /// Switched off in the settings.
    Off,
    /// Signed names are secure, the bogus one is refused.
    Works,
    /// Signed names are secure; a bogus name could not be tried, or gave an answer that cannot be
    /// judged, as happens behind a resolver that validates itself.
    BogusUnseen,
    /// Signed names are not seen as secure: does the resolver pass DNSSEC records on, is the
    /// trust anchor current, and is the clock right?
    Broken,
    /// The bogus name was accepted.
    AcceptsBogus,
}

impl DnssecProbe {
    fn of(anchored: &DnsAnswer, bogus: Option<&DnsAnswer>) -> Self {
        if !anchored.is_usable() || anchored.security != Security::Secure {
            return Self::Broken;
        }
        match bogus {
            Some(answer) if answer.is_usable() => Self::AcceptsBogus,
            Some(answer) if matches!(answer.outcome, DnsOutcome::Bogus { .. }) => Self::Works,
            _ => Self::BogusUnseen,
        }
    }
}
