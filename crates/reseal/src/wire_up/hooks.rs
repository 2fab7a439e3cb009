//! Who publishes challenges in the DNS.

use std::path::Path;

use anyhow::{Context as _, anyhow};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::SignedDuration;
use reseal_lifecycle::dns_hook::{DnsHook, DnsHooks, Serves};
use reseal_validation::publish::{ProgramSettings, Publisher, UpdateSettings, Way};

use crate::config::{self, Config, HookKind};

/// All hooks; nothing is sent yet.
pub(super) fn dns_hooks(config: &Config) -> anyhow::Result<DnsHooks> {
    let hooks = config.dns_hooks.iter().map(|hook| {
        let everybody = hook.customers.iter().any(|handle| handle == "*");
        Ok(DnsHook {
            name: hook.name.clone(),
            serves: if everybody {
                Serves::Everybody
            } else {
                Serves::Only(hook.customers.clone())
            },
            settle: SignedDuration::try_from(hook.settle)?,
            publisher: publisher(hook)?,
        })
    });
    Ok(DnsHooks::new(hooks.collect::<anyhow::Result<_>>()?))
}

/// What writes the records of a hook.
pub(crate) fn publisher(hook: &config::DnsHook) -> anyhow::Result<Publisher> {
    let name = &hook.name;
    let way = match &hook.kind {
        HookKind::Update {
            server,
            key_name,
            key_algorithm,
            key_file,
            ttl,
        } => Way::Update(UpdateSettings {
            server: *server,
            key_name: key_name.clone(),
            algorithm: *key_algorithm,
            secret: secret(&format!("dns_hook.{name}.key_file"), key_file)?,
            ttl: *ttl,
            timeout: hook.timeout,
        }),
        HookKind::Program(program) => Way::Program(ProgramSettings {
            program: program.clone(),
            timeout: hook.timeout,
        }),
    };
    Publisher::new(hook.zones.clone(), way).map_err(|error| anyhow!("`dns_hook.{name}`: {error}"))
}

/// The TSIG key in the file that the key `key` names, in base64 as `tsig-keygen` and `keymgr` show it.
fn secret(key: &str, path: &Path) -> anyhow::Result<Vec<u8>> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("`{key}`: {} cannot be read", path.display()))?;
    // Not the error: it names a byte of the secret.
    let bytes = STANDARD.decode(text.trim()).ok();
    let bytes = bytes.filter(|bytes| bytes.len() >= 16);
    bytes.ok_or_else(|| {
        anyhow!(
            "`{key}`: {}: expected the key alone, in base64, at least 16 bytes",
            path.display()
        )
    })
}
