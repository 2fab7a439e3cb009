//! From configuration to running parts: the only place that knows every crate.

mod hooks;
mod issuers;
mod network;
mod tls;
mod transparency;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context as _, anyhow, bail};
use reseal_api::{ApiConfig, Capacity, Rates};
use reseal_lifecycle::clock::Clock;
use reseal_lifecycle::issuer::Issuer;
use reseal_lifecycle::notification::{SealKey, Webhooks};
use reseal_lifecycle::product::Catalogue;
use reseal_lifecycle::services::{Parts, Services, Settings};
use reseal_lifecycle::store::Store;
use reseal_pki::name::NamePolicy;
use reseal_store::SqlStore;
use reseal_validation::Mailer;
use reseal_validation::webhook::Courier;

pub(crate) use hooks::publisher;
pub(crate) use issuers::{
    EMBEDDED, Embedded, Keys, create_authority, token as key_token, upstreams,
};
pub(crate) use network::{courier_settings, layout, panel, perspective, remote, token};
pub(crate) use tls::{tls, tls_not_after};
pub(crate) use transparency::log;

use crate::config::Config;
use crate::data::DataFolder;
use hooks::dns_hooks;
use network::quorum;
use tls::tls_spki_sha256;
use transparency::transparency;

/// Refuses a configuration that asks for what this version cannot do: better than a server that does
/// something else.
pub(crate) fn check_supported(config: &Config) -> anyhow::Result<()> {
    let url = &config.database.url;
    if url != "sqlite" && !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
        bail!("`database.url`: expected `sqlite` or `postgres://…`");
    }
    Ok(())
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

/// The key of webhooks' secrets; made when there is none and nothing in `store` needs one.
pub(crate) async fn webhook_key(data: &DataFolder, store: &SqlStore) -> anyhow::Result<SealKey> {
    let is_sealed = store.has_sealed().await?;
    Ok(SealKey::new(&data.webhook_key(is_sealed)?)?)
}

fn webhooks(config: &Config, key: SealKey, address: SocketAddr) -> anyhow::Result<Webhooks> {
    let settings = courier_settings(config, vec![address])?;
    Ok(Webhooks {
        courier: Courier::new(settings).map_err(|error| anyhow!("[webhook]: {error}"))?,
        key,
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
pub(crate) async fn services(
    data: &DataFolder,
    config: &Config,
    embedded: Embedded,
    store: Arc<SqlStore>,
    clock: Clock,
    address: SocketAddr,
) -> anyhow::Result<Services> {
    let url = public_url(config, address);
    let webhooks = webhooks(config, webhook_key(data, &store).await?, address)?;
    let Embedded { current, retired } = embedded;
    let successors = HashMap::from([(EMBEDDED.to_owned(), current.name().to_owned())]);
    let issuers: HashMap<String, Arc<dyn Issuer>> = retired
        .into_iter()
        .chain([current])
        .map(|issuer| {
            (
                issuer.name().to_owned(),
                Arc::new(issuer) as Arc<dyn Issuer>,
            )
        })
        .collect();
    let settings = settings(config, url);
    Services::new(Parts {
        store: store as Arc<dyn Store>,
        issuers,
        successors,
        upstreams: upstreams(config)?,
        transparency: transparency(config)?,
        own_keys: tls_spki_sha256(config)?.into_iter().collect(),
        panel: panel(config, vec![address])?,
        dns_hooks: dns_hooks(config)?,
        mailer: mailer(data, config)?,
        webhooks,
        clock,
        catalogue: catalogue(data)?,
        settings,
    })
    .map_err(|error| anyhow!("{}: {error}", data.products().display()))
}

/// What HTTP has to know.
pub(crate) fn api_config(config: &Config) -> anyhow::Result<ApiConfig> {
    let token_file = config.metrics.token_file.as_deref();
    Ok(ApiConfig {
        metrics_token: token_file
            .map(|path| token("metrics.token_file", path))
            .transpose()?,
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
    })
}
