//! The logs that certificates are shown to.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, anyhow, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reseal_issuer::ct::LogServer;
use reseal_lifecycle::transparency::{Log, Transparency};
use reseal_pki::transparency::LogKey;

use super::tls::certificates;
use crate::config::{Config, CtKey, CtLog};

/// The logs that are configured, if any are.
///
/// # Errors
/// Everything that is wrong with files of theirs.
pub(crate) fn transparency(config: &Config) -> anyhow::Result<Option<Transparency>> {
    if config.ct.logs.is_empty() {
        return Ok(None);
    }
    let mut logs: Vec<Log> = Vec::new();
    let mut problems = Vec::new();
    for configured in &config.ct.logs {
        match log(configured) {
            Ok(log) => {
                if let Some(known) = logs.iter().find(|known| known.key == log.key) {
                    problems.push(format!(
                        "`ct.logs`: {} and {} have the same key",
                        known.name, log.name
                    ));
                }
                logs.push(log);
            }
            Err(error) => problems.push(format!("{error:#}")),
        }
    }
    if !problems.is_empty() {
        bail!("{}", problems.join("\n"));
    }
    Ok(Some(Transparency::new(logs, config.ct.timeout)))
}

/// One log; nothing is asked yet.
pub(crate) fn log(configured: &CtLog) -> anyhow::Result<Log> {
    let name = configured.name();
    let roots = match &configured.ca_file {
        None => Vec::new(),
        Some(path) => certificates(&format!("ct.logs, ca_file of {name}"), path)?,
    };
    let client = LogServer::new(&configured.url, roots)
        .map_err(|error| anyhow!("`ct.logs`, {name}: {error}"))?;
    let key = match &configured.key {
        CtKey::Inline(key) => key.clone(),
        CtKey::File(path) => key_in(&format!("ct.logs, key_file of {name}"), path)?,
    };
    Ok(Log {
        name: name.to_owned(),
        operator: configured.operator.clone(),
        key,
        shard: configured.shard,
        client: Arc::new(client),
    })
}

/// The public key in the PEM file that the key `key` names.
fn key_in(key: &str, path: &Path) -> anyhow::Result<LogKey> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("`{key}`: {} cannot be read", path.display()))?;
    let wrong = |why: String| anyhow!("`{key}`: {}: {why}", path.display());
    let body: String = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.starts_with("-----"))
        .collect();
    let der = STANDARD
        .decode(body)
        .map_err(|_| wrong("expected a public key in PEM".to_owned()))?;
    LogKey::from_spki_der(&der).map_err(|error| wrong(error.to_string()))
}
