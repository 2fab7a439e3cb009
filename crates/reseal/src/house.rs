//! What a command works on that needs a server's folder but no running server.

use std::path::Path;

use anyhow::Context as _;
use reseal_lifecycle::clock::Clock;
use reseal_store::SqliteStore;

use crate::clock::clock;
use crate::config::{Config, Flags};
use crate::data::DataFolder;

/// An initialized DATA, opened.
pub(crate) struct House {
    pub(crate) data: DataFolder,
    pub(crate) config: Config,
    pub(crate) store: SqliteStore,
    pub(crate) clock: Clock,
}

impl House {
    /// Opens `data` with the configuration `config`, or its own.
    pub(crate) fn open(data: &Path, config: Option<&Path>) -> anyhow::Result<Self> {
        let data = DataFolder::new(data);
        data.require_initialized()?;
        let config = Config::load(data.config_file(config).as_deref(), &Flags::default())?;
        Ok(Self {
            store: open_store(&data)?,
            clock: clock(config.policy.profile)?,
            data,
            config,
        })
    }
}

/// The database of `data`.
pub(crate) fn open_store(data: &DataFolder) -> anyhow::Result<SqliteStore> {
    let path = data.database();
    SqliteStore::open(&path).with_context(|| format!("{} cannot be opened", path.display()))
}
