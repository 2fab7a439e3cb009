//! `reseal csr check`, `reseal caa check`, `reseal dcv check`: the server's own checks, beforehand and explained. They
//! ask and decide by the code that the server works with; here are only the words.

mod caa;
mod csr;
mod dcv;
mod open;
mod report;

use std::path::Path;

use jiff::Timestamp;
use reseal_lifecycle::services::Settings;
use reseal_pki::name::DnsName;
use reseal_validation::{Dnssec, Panel};

use crate::clock;
use crate::config::{Config, Flags};
use crate::data::DataFolder;
use crate::wire_up;

pub(crate) use caa::run as caa;
pub(crate) use csr::run as csr;
pub(crate) use dcv::run as dcv;
use report::Report;

/// The configuration that counts: that of `data`, or `config` instead of it.
fn configuration(data: Option<&Path>, config: Option<&Path>) -> anyhow::Result<Config> {
    let file = match data {
        Some(data) => DataFolder::new(data).config_file(config),
        None => config.map(Path::to_owned),
    };
    let config = Config::load(file.as_deref(), &Flags::default())?;
    Ok(config)
}

/// What a server with some configuration looks with.
struct Lookout {
    panel: Panel,
    settings: Settings,
    now: Timestamp,
}

impl Lookout {
    fn new(config: &Config) -> anyhow::Result<Self> {
        let listen = config.server.listen;
        Ok(Self {
            panel: wire_up::panel(config, vec![listen])?,
            settings: wire_up::settings(config, wire_up::public_url(config, listen)),
            now: clock::clock(config.policy.profile)?.now(),
        })
    }

    /// The name as the server takes it; `None` when it would not, which `report` then says.
    fn name(&self, text: &str, report: &mut Report) -> Option<DnsName> {
        match DnsName::parse(text, &self.settings.names) {
            Ok(name) => Some(name),
            Err(error) => {
                let reason = format!("`{text}` cannot be certified: {error} [{}]", error.rule());
                report.end(false, &reason);
                None
            }
        }
    }

    /// Who is asked.
    fn introduce(&self, report: &mut Report) {
        let dnssec = match self.settings.dnssec {
            Dnssec::Validate => "DNSSEC is validated [S-1]",
            Dnssec::Off => "DNSSEC is not validated: forged answers would be believed",
        };
        let servers = self.panel.local().servers().join(", ");
        report.fact("resolvers", &format!("{servers}; {dnssec}"));
        let remotes = self.panel.remotes().iter();
        let remotes: Vec<&str> = remotes.map(|remote| remote.name()).collect();
        if !remotes.is_empty() {
            report.fact("perspectives", &remotes.join(", "));
        }
    }
}
