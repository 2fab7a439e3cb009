//! How the world is looked at, from here and from elsewhere, and how messages leave.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context as _, anyhow};
use reseal_lifecycle::services::Trust;
use reseal_pki::corroboration::{Layout, Quorum, Site};
use reseal_validation::panel::{Remote, RemoteSettings, Token};
use reseal_validation::webhook::CourierSettings;
use reseal_validation::{Panel, Perspective};

use super::name_policy;
use super::tls::certificates;
use crate::config::{Config, RemotePerspective};

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

pub(super) fn quorum(config: &Config) -> Quorum {
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
