//! Who signs: the intermediates of the embedded CA, and CAs elsewhere.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, anyhow, bail};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reseal_issuer::acme::{AcmeSettings, AcmeUpstream};
use reseal_issuer::embedded::{
    Access, Authority, CaSettings, EmbeddedIssuer, Passphrase, SignError, SigningKey, Token,
};
use reseal_lifecycle::clock::Clock;
use reseal_lifecycle::crl::CrlState;
use reseal_lifecycle::services::Trust;
use reseal_lifecycle::upstream::Upstream;
use reseal_pki::certificate::Certificate;
use reseal_pki::profile::PolicyArc;

use super::tls::certificates;
use crate::config::{CaKey, Config, UpstreamIssuer};
use crate::data::DataFolder;

/// Name of the embedded CA among the issuers that products name.
pub(crate) const EMBEDDED: &str = "embedded";

/// Whose policy identifiers certificates assert: a private authority must not claim the public ones
/// (rules.md 0.5).
fn policy_arc(config: &Config) -> PolicyArc {
    match config.policy.profile {
        Trust::Private => PolicyArc::Private,
        Trust::Public => PolicyArc::Cabf,
    }
}

/// What the CA's keys are opened with, as it is configured.
pub(crate) struct Keys {
    passphrase: Option<Passphrase>,
    token: Option<Token>,
    makes_in_token: bool,
}

impl Keys {
    /// Reads the passphrase; a token is not asked yet.
    pub(crate) fn of(data: &DataFolder, config: &Config) -> anyhow::Result<Self> {
        let file = config.ca.passphrase_file.as_deref();
        Ok(Self {
            passphrase: file.map(Passphrase::read).transpose()?,
            token: token(data, config)?,
            makes_in_token: config.ca.key == CaKey::Pkcs11,
        })
    }

    pub(crate) fn access(&self) -> Access<'_> {
        let access = Access::new(self.passphrase.as_ref(), self.token.as_ref());
        if self.makes_in_token {
            access.making_in_token()
        } else {
            access
        }
    }
}

/// The token that is configured.
pub(crate) fn token(data: &DataFolder, config: &Config) -> anyhow::Result<Option<Token>> {
    let settings = config.ca.token.as_ref();
    let token = settings.map(|settings| Token::new(settings, &data.refused_pin()));
    Ok(token.transpose()?)
}

/// Makes the embedded CA: keys, root, intermediate. Its certificates will point to `url`.
pub(crate) fn create_authority(
    data: &DataFolder,
    config: &Config,
    url: &str,
    clock: Clock,
) -> anyhow::Result<()> {
    let keys = Keys::of(data, config)?;
    let settings = CaSettings::new(config.ca.algorithm, keys.access(), url)?;
    Authority::create(&data.ca(), &settings, clock.now())?;
    Ok(())
}

/// The intermediates of the embedded CA as issuers whose certificates point to `url`.
pub(crate) struct Embedded {
    /// The one that issues.
    pub(crate) current: EmbeddedIssuer,
    /// Those that did before, the oldest first.
    pub(crate) retired: Vec<EmbeddedIssuer>,
}

impl Embedded {
    /// Opens the CA with all keys that are at hand.
    pub(crate) fn open(data: &DataFolder, config: &Config, url: &str) -> anyhow::Result<Self> {
        let authority = Authority::open(&data.ca(), Keys::of(data, config)?.access())?;
        let (current, retired) = EmbeddedIssuer::all(authority, policy_arc(config), url)?;
        let file = config.ca.passphrase_file.clone();
        let answering = |issuer: EmbeddedIssuer| {
            if config.ocsp.enabled {
                return issuer.with_ocsp(url, config.ocsp.in_certificates);
            }
            Ok(issuer)
        };
        Ok(Self {
            current: answering(current.with_passphrase_file(file))?,
            retired: retired
                .into_iter()
                .map(answering)
                .collect::<Result<_, _>>()?,
        })
    }

    /// Has keys in a token sign before anybody depends on them. What only waiting mends is logged: lists and certificates
    /// are served meanwhile, and processes wait.
    ///
    /// # Errors
    /// The key that issues cannot be used until somebody changes something.
    pub(crate) async fn prove(&self) -> anyhow::Result<()> {
        for issuer in self.all() {
            let Some(key @ SigningKey::Token(_)) = issuer.signing_key() else {
                continue;
            };
            match key.prove().await {
                Ok(()) => {}
                Err(SignError::Token(error)) if !error.is_outage() && issuer.is_current() => {
                    return Err(error).with_context(|| format!("the key of `{}`", issuer.name()));
                }
                Err(error) => {
                    tracing::error!(issuer = issuer.name(), %error, "the key of the CA cannot be used");
                }
            }
        }
        Ok(())
    }

    /// All of them, the oldest first.
    pub(crate) fn all(&self) -> impl Iterator<Item = &EmbeddedIssuer> {
        self.retired.iter().chain([&self.current])
    }

    /// Identifiers of intermediates that sign lists in `states` and are not in this folder: made on another node.
    pub(crate) fn unknown_ids<'a>(&self, states: &'a [CrlState]) -> BTreeSet<&'a str> {
        let ids = states.iter().filter_map(|state| state.name.split_once('/'));
        ids.map(|(id, _)| id)
            .filter(|id| self.all().all(|one| one.id() != *id))
            .collect()
    }
}

/// The CAs elsewhere that products may name.
pub(crate) fn upstreams(config: &Config) -> anyhow::Result<HashMap<String, Arc<dyn Upstream>>> {
    let upstreams = config.issuers.iter().map(|issuer| {
        let upstream: Arc<dyn Upstream> = Arc::new(upstream(issuer)?);
        Ok((issuer.name.clone(), upstream))
    });
    upstreams.collect()
}

fn upstream(issuer: &UpstreamIssuer) -> anyhow::Result<AcmeUpstream> {
    let name = &issuer.name;
    let tls_roots = match &issuer.ca_file {
        None => Vec::new(),
        Some(path) => certificates(&format!("issuer.{name}.ca_file"), path)?,
    };
    let roots = match &issuer.roots_file {
        None => Vec::new(),
        Some(path) => pinned(&format!("issuer.{name}.roots_file"), path)?,
    };
    let said = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    let external = issuer.eab_key_file.as_deref();
    let external = external.map(|path| mac_key(&format!("issuer.{name}.eab_key_file"), path));
    AcmeUpstream::new(AcmeSettings {
        directory: issuer.directory.clone(),
        tls_roots,
        contact: said(&issuer.contact),
        external_account: external
            .transpose()?
            .map(|key| (issuer.eab_key_id.clone(), key)),
        preferred_chain: said(&issuer.preferred_chain),
        longest_validity: issuer.longest_validity,
        roots,
    })
    .map_err(|error| anyhow!("`issuer.{name}`: {error}"))
}

/// The certificates in the file that the key `key` names. Without any, nothing would be pinned.
fn pinned(key: &str, path: &Path) -> anyhow::Result<Vec<Vec<u8>>> {
    let found = certificates(key, path)?;
    for der in &found {
        Certificate::from_der(der).with_context(|| format!("`{key}`: {}", path.display()))?;
    }
    if found.is_empty() {
        bail!("`{key}`: {} holds no certificate", path.display());
    }
    Ok(found)
}

/// The key in the file that the key `key` names, in base64url as CAs give it out.
fn mac_key(key: &str, path: &Path) -> anyhow::Result<Vec<u8>> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("`{key}`: {} cannot be read", path.display()))?;
    let bytes = URL_SAFE_NO_PAD.decode(text.trim().trim_end_matches('='));
    // Not the error: it names a byte of the secret.
    let bytes = bytes.ok().filter(|bytes| !bytes.is_empty());
    bytes.ok_or_else(|| anyhow!("`{key}`: {}: expected a key in base64url", path.display()))
}
