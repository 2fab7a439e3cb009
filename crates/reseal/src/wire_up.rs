//! From configuration to running parts: the only place that knows every crate.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, anyhow, bail};
use aws_lc_rs::digest::{SHA256, digest};
use reseal_api::{ApiConfig, Capacity, Rates};
use reseal_issuer::embedded::{Authority, CaSettings, EmbeddedIssuer, Passphrase};
use reseal_lifecycle::clock::Clock;
use reseal_lifecycle::issuer::Issuer;
use reseal_lifecycle::notification::{SealKey, Webhooks};
use reseal_lifecycle::product::Catalogue;
use reseal_lifecycle::services::{Parts, Services, Settings, Trust};
use reseal_lifecycle::store::Store;
use reseal_pki::corroboration::{Layout, Quorum, Site};
use reseal_pki::name::NamePolicy;
use reseal_pki::profile::PolicyArc;
use reseal_store::SqlStore;
use reseal_validation::panel::{Remote, RemoteSettings, Token};
use reseal_validation::webhook::{Courier, CourierSettings};
use reseal_validation::{Mailer, Panel, Perspective};
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::config::{CaKey, Config, RemotePerspective};
use crate::data::DataFolder;

/// Name of the embedded CA among the issuers.
pub(crate) const EMBEDDED: &str = "embedded";

/// Refuses a configuration that asks for what this version cannot do: better than a server that does
/// something else.
pub(crate) fn check_supported(config: &Config) -> anyhow::Result<()> {
    let mut missing = Vec::new();
    let url = &config.database.url;
    if url != "sqlite" && !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
        missing.push("`database.url`: expected `sqlite` or `postgres://…`".to_owned());
    }
    if config.ca.key == CaKey::Pkcs11 {
        missing.push("`ca.key`: this version keeps keys as `software` only".to_owned());
    }
    for issuer in &config.issuers {
        missing.push(format!(
            "`issuer.{}`: this version signs with its embedded CA only, not with {} issuers such as `{}`",
            issuer.name, issuer.kind, issuer.directory
        ));
    }
    if missing.is_empty() {
        return Ok(());
    }
    bail!("{}", missing.join("\n"));
}

/// The URL that links and certificates point to: as configured, else where the server listens.
pub(crate) fn public_url(config: &Config, address: SocketAddr) -> String {
    config.server.public_url.clone().unwrap_or_else(|| {
        let scheme = if config.server.tls.is_some() {
            "https"
        } else {
            "http"
        };
        let mut address = address;
        if address.ip().is_unspecified() {
            address.set_ip(match address {
                SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
                SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
            });
        }
        format!("{scheme}://{address}")
    })
}

/// Which names are certified.
pub(crate) fn name_policy(config: &Config) -> NamePolicy {
    NamePolicy {
        internal_suffixes: config.policy.internal_names.clone(),
        ..NamePolicy::default()
    }
}

/// Whose policy identifiers certificates assert: a private authority must not claim the public ones
/// (rules.md 0.5).
fn policy_arc(config: &Config) -> PolicyArc {
    match config.policy.profile {
        Trust::Private => PolicyArc::Private,
        Trust::Public => PolicyArc::Cabf,
    }
}

/// DATA's catalogue.
pub(crate) fn catalogue(data: &DataFolder) -> anyhow::Result<Catalogue> {
    let path = data.products();
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("{} cannot be read", path.display()))?;
    Catalogue::from_toml(&text).map_err(|error| anyhow!("{}: {error}", path.display()))
}

/// The way mails go.
pub(crate) fn mailer(data: &DataFolder, config: &Config) -> anyhow::Result<Mailer> {
    Ok(Mailer::from_url(
        &config.mail.url,
        &data.mail(),
        &config.mail.from,
    )?)
}

/// What the CA's keys are encrypted under, when the operator has said so.
fn passphrase(config: &Config) -> anyhow::Result<Option<Passphrase>> {
    let file = config.ca.passphrase_file.as_deref();
    Ok(file.map(Passphrase::read).transpose()?)
}

/// Makes the embedded CA: keys, root, intermediate. Its certificates will point to `url`.
pub(crate) fn create_authority(
    data: &DataFolder,
    config: &Config,
    url: &str,
    clock: Clock,
) -> anyhow::Result<()> {
    let passphrase = passphrase(config)?;
    let settings = CaSettings::new(config.ca.algorithm, passphrase.as_ref(), url)?;
    Authority::create(&data.ca(), &settings, clock.now())?;
    Ok(())
}

/// Opens the embedded CA.
pub(crate) fn open_authority(data: &DataFolder, config: &Config) -> anyhow::Result<Authority> {
    Ok(Authority::open(&data.ca(), passphrase(config)?.as_ref())?)
}

/// The embedded CA as an issuer whose certificates point to `url`.
pub(crate) fn embedded_issuer(
    data: &DataFolder,
    config: &Config,
    url: &str,
) -> anyhow::Result<EmbeddedIssuer> {
    let issuer = EmbeddedIssuer::new(open_authority(data, config)?, policy_arc(config), url)?;
    Ok(issuer.with_passphrase_file(config.ca.passphrase_file.clone()))
}

/// This host's view of the customers' DNS and web servers. `own` is where this server listens.
pub(crate) fn perspective(config: &Config, own: Vec<SocketAddr>) -> anyhow::Result<Perspective> {
    Perspective::new(network(config, own)?).map_err(|error| anyhow!("[dcv]: {error}"))
}

/// The same together with the remote perspectives.
pub(crate) fn panel(config: &Config, own: Vec<SocketAddr>) -> anyhow::Result<Panel> {
    let remotes = config.dcv.perspectives.iter().map(remote);
    let remotes = remotes.collect::<anyhow::Result<_>>()?;
    Ok(Panel::new(
        perspective(config, own)?,
        remotes,
        quorum(config),
    ))
}

/// A remote perspective; nothing is asked yet.
pub(crate) fn remote(configured: &RemotePerspective) -> anyhow::Result<Remote> {
    let name = &configured.name;
    let ca_file = configured.ca_file.as_deref();
    let roots = ca_file
        .map(|path| certificates(&format!("dcv.perspectives, ca_file of {name}"), path))
        .transpose()?;
    let token_file = configured.token_file.as_deref();
    let token = token_file
        .map(|path| token(&format!("dcv.perspectives, token_file of {name}"), path))
        .transpose()?;
    Remote::new(RemoteSettings {
        name: name.clone(),
        region: configured.region,
        url: configured.url.clone(),
        roots,
        token,
    })
    .map_err(|error| anyhow!("`dcv.perspectives`, {name}: {error}"))
}

/// The token in the file that the key `key` names.
pub(crate) fn token(key: &str, path: &Path) -> anyhow::Result<Token> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("`{key}`: {} cannot be read", path.display()))?;
    Token::parse(&text).map_err(|error| anyhow!("`{key}`: {}: {error}", path.display()))
}

fn quorum(config: &Config) -> Quorum {
    Quorum {
        public: config.policy.profile == Trust::Public,
        at_least: usize::from(config.dcv.quorum),
    }
}

/// Where the perspectives stand, as the operator says.
pub(crate) fn layout(config: &Config) -> Layout {
    let site = |remote: &RemotePerspective| Site {
        name: remote.name.clone(),
        region: remote.region,
        place: remote.place,
    };
    Layout {
        primary: config.dcv.location,
        remotes: config.dcv.perspectives.iter().map(site).collect(),
    }
}

/// How this host reaches the world.
fn network(config: &Config, own: Vec<SocketAddr>) -> anyhow::Result<reseal_validation::Settings> {
    let trust_anchor = match &config.dcv.trust_anchor_file {
        None => None,
        Some(path) => {
            let text = std::fs::read_to_string(path).with_context(|| {
                format!("`dcv.trust_anchor_file`: {} cannot be read", path.display())
            })?;
            Some(text)
        }
    };
    Ok(reseal_validation::Settings {
        resolvers: config.dcv.resolvers.clone(),
        dnssec: config.dcv.dnssec,
        trust_anchor,
        http_port: config.dcv.http_port,
        allow_networks: config.dcv.allow_networks.clone(),
        own_addresses: own,
        names: name_policy(config),
        ..reseal_validation::Settings::default()
    })
}

/// What `[webhook]` says of where messages may go. `own` is where this server listens.
pub(crate) fn courier_settings(
    config: &Config,
    own: Vec<SocketAddr>,
) -> anyhow::Result<CourierSettings> {
    let webhook = &config.webhook;
    let roots = match &webhook.ca_file {
        None => Vec::new(),
        Some(path) => certificates("webhook.ca_file", path)?,
    };
    Ok(CourierSettings {
        network: reseal_validation::Settings {
            allow_networks: webhook.allow_networks.clone(),
            http_total_timeout: webhook.timeout,
            ..network(config, own)?
        },
        allow_http: webhook.allow_http,
        roots,
    })
}

/// The certificates, DER, in the PEM file that the key `key` names.
fn certificates(key: &str, path: &Path) -> anyhow::Result<Vec<Vec<u8>>> {
    let found = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| unreadable(key, path, &error))?;
    Ok(found
        .iter()
        .map(|certificate| certificate.to_vec())
        .collect())
}

/// The key of webhooks' secrets; made when there is none.
pub(crate) fn webhook_key(data: &DataFolder) -> anyhow::Result<SealKey> {
    Ok(SealKey::new(&data.webhook_key()?)?)
}

fn webhooks(data: &DataFolder, config: &Config, address: SocketAddr) -> anyhow::Result<Webhooks> {
    let settings = courier_settings(config, vec![address])?;
    Ok(Webhooks {
        courier: Courier::new(settings).map_err(|error| anyhow!("[webhook]: {error}"))?,
        key: webhook_key(data)?,
        render: reseal_api::for_webhook,
    })
}

/// What the rules care about; links lead to `url`.
pub(crate) fn settings(config: &Config, url: String) -> Settings {
    Settings {
        trust: config.policy.profile,
        names: name_policy(config),
        revoke_replaced_after: config.policy.revoke_replaced_after,
        revoke_removed_names_after: config.policy.revoke_removed_names_after,
        revoke_compromised_after: config.policy.revoke_compromised_after,
        dcv_domain: config.dcv.domain.clone(),
        caa_identity: config.dcv.caa_identity.clone(),
        caa_reuse: config.dcv.caa_reuse,
        iodef: config.dcv.iodef,
        dnssec: config.dcv.dnssec,
        quorum: quorum(config),
        layout: layout(config),
        public_url: url,
        reissues_per_day: config
            .limits
            .enabled
            .then_some(config.limits.reissues_per_day),
        sync_wait: config.server.sync_wait,
    }
}

/// The rules with everything they need, over an open store. `address` is where the server listens.
pub(crate) fn services(
    data: &DataFolder,
    config: &Config,
    store: Arc<SqlStore>,
    clock: Clock,
    address: SocketAddr,
) -> anyhow::Result<Services> {
    let url = public_url(config, address);
    let issuer = embedded_issuer(data, config, &url)?;
    let issuers: HashMap<String, Arc<dyn Issuer>> =
        HashMap::from([(EMBEDDED.to_owned(), Arc::new(issuer) as Arc<dyn Issuer>)]);
    let settings = settings(config, url);
    Services::new(Parts {
        store: store as Arc<dyn Store>,
        issuers,
        own_keys: tls_spki_sha256(config)?.into_iter().collect(),
        panel: panel(config, vec![address])?,
        mailer: mailer(data, config)?,
        webhooks: webhooks(data, config, address)?,
        clock,
        catalogue: catalogue(data)?,
        settings,
    })
    .map_err(|error| anyhow!("{}: {error}", data.products().display()))
}

/// What HTTP has to know.
pub(crate) fn api_config(config: &Config) -> ApiConfig {
    ApiConfig {
        max_body: config.server.max_body,
        rates: config.limits.enabled.then_some(Rates {
            per_key: config.limits.per_key,
            per_customer: config.limits.per_customer,
            failures: config.limits.failed_authentications,
        }),
        capacity: Capacity {
            open_calls: config.server.open_calls.get() as usize,
            longest_wait: config.server.longest_wait,
        },
        cors_origins: config.server.cors_origins.clone(),
        ..ApiConfig::default()
    }
}

/// HTTPS, when configured.
pub(crate) fn tls(config: &Config) -> anyhow::Result<Option<Arc<rustls::ServerConfig>>> {
    let Some((certificate, key)) = &config.server.tls else {
        return Ok(None);
    };
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| unreadable("server.tls_certificate", certificate, &error))?;
    let key_der = tls_key(key)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key_der)
        .with_context(|| {
            format!(
                "{} and {} cannot serve HTTPS together",
                certificate.display(),
                key.display()
            )
        })?;
    tls.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Some(Arc::new(tls)))
}

fn tls_key(path: &Path) -> anyhow::Result<PrivateKeyDer<'static>> {
    PrivateKeyDer::from_pem_file(path).map_err(|error| unreadable("server.tls_key", path, &error))
}

/// SHA-256 of the SubjectPublicKeyInfo of the key by which the API is served, if it is served by HTTPS: it must not be
/// certified by the CA behind it (C-22).
fn tls_spki_sha256(config: &Config) -> anyhow::Result<Option<[u8; 32]>> {
    let Some((_, path)) = &config.server.tls else {
        return Ok(None);
    };
    let key = any_supported_type(&tls_key(path)?)
        .with_context(|| format!("`server.tls_key`: {} cannot be used", path.display()))?;
    let public = key.public_key();
    let hash = public.map(|spki| digest(&SHA256, spki.as_ref()));
    Ok(hash.and_then(|hash| hash.as_ref().try_into().ok()))
}

fn unreadable(key: &str, path: &Path, error: &rustls::pki_types::pem::Error) -> anyhow::Error {
    anyhow!("`{key}`: {} is not usable PEM: {error}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c_22_the_key_of_the_api_is_one_of_ours() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("reseal.toml");
        let none = Config::from_toml("", &path).unwrap();
        assert_eq!(tls_spki_sha256(&none).unwrap(), None);
        let made = rcgen::generate_simple_self_signed(["ca.example".to_owned()]).unwrap();
        let key = folder.path().join("key.pem");
        std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        let text = "[server]\ntls_certificate = \"chain.pem\"\ntls_key = \"key.pem\"\n";
        let config = Config::from_toml(text, &path).unwrap();
        let spki = rcgen::PublicKeyData::subject_public_key_info(&made.signing_key);
        let hash = digest(&SHA256, &spki);
        let found = tls_spki_sha256(&config).unwrap();
        assert_eq!(found.as_ref().map(|found| &found[..]), Some(hash.as_ref()));
    }
}
