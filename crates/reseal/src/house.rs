//! What a command works on that needs a server's folder but no running server.

use std::path::Path;

use anyhow::{Context as _, anyhow, bail, ensure};
use reseal_lifecycle::clock::Clock;
use reseal_store::{PostgresUrl, Source, SqlStore};
use zeroize::Zeroizing;

use crate::clock::clock;
use crate::config::{Config, Database, Flags};
use crate::data::DataFolder;

/// An initialized DATA, opened.
pub(crate) struct House {
    pub(crate) data: DataFolder,
    pub(crate) config: Config,
    pub(crate) store: SqlStore,
    pub(crate) clock: Clock,
}

impl House {
    /// Opens `data` with the configuration `config`, or its own.
    pub(crate) fn open(data: &Path, config: Option<&Path>) -> anyhow::Result<Self> {
        let data = DataFolder::new(data);
        data.require_initialized()?;
        let config = Config::load(data.config_file(config).as_deref(), &Flags::default())?;
        Ok(Self {
            store: open_store(&data, &config)?,
            clock: clock(config.policy.profile)?,
            data,
            config,
        })
    }
}

/// The database of `data`, as a command that is soon done works on it.
pub(crate) fn open_store(data: &DataFolder, config: &Config) -> anyhow::Result<SqlStore> {
    let used = source(data, config)?;
    let opened = require_begun(&used).and_then(|()| open_source(&used));
    // It may have been moved between the look and the opening, which then failed or made a new file.
    source(data, config)?;
    opened
}

/// The same for a server, which holds the lock of `data`: nothing is moved meanwhile.
pub(crate) fn open_as_node(data: &DataFolder, config: &Config) -> anyhow::Result<SqlStore> {
    let source = source(data, config)?;
    require_begun(&source)?;
    SqlStore::open_as_node(&source).with_context(|| format!("{source} cannot be opened"))
}

/// A database without tables beside the keys of a CA is a lost one: on a new one in its place, nobody would know any more
/// what was issued and revoked.
fn require_begun(source: &Source) -> anyhow::Result<()> {
    let is_begun = SqlStore::is_begun(source);
    ensure!(
        is_begun.with_context(|| format!("{source} cannot be opened"))?,
        "{source} is empty, and is the database of a CA that has been used: restore it from a backup; nothing was changed"
    );
    Ok(())
}

pub(crate) fn open_source(source: &Source) -> anyhow::Result<SqlStore> {
    SqlStore::open(source).with_context(|| format!("{source} cannot be opened"))
}

/// Where `config` says that the database of `data` is.
pub(crate) fn source(data: &DataFolder, config: &Config) -> anyhow::Result<Source> {
    let source = configured_source(data, config)?;
    match (&source, data.is_on_postgres(), data.database().exists()) {
        (Source::Sqlite(path), true, _) => bail!(
            "{} belongs to a PostgreSQL database ({}), and `database.url` says `sqlite`, which is {}",
            data.root().display(),
            data.postgres_mark().display(),
            path.display()
        ),
        (Source::Postgres(url), false, true) => bail!(
            "what is in {} has not been moved to {url}: `reseal migrate --from sqlite --to` does that",
            data.database().display()
        ),
        _ => Ok(source),
    }
}

/// The same before there is anything in DATA.
pub(crate) fn configured_source(data: &DataFolder, config: &Config) -> anyhow::Result<Source> {
    let Database { url, password_file } = &config.database;
    if url == "sqlite" {
        return Ok(Source::Sqlite(data.database()));
    }
    let password = password(password_file.as_deref())?;
    let url = PostgresUrl::parse(url, password.as_deref().map(String::as_str));
    Ok(Source::Postgres(
        url.map_err(|error| anyhow!("`database.url`: {error}"))?,
    ))
}

/// The password in `file`.
pub(crate) fn password(file: Option<&Path>) -> anyhow::Result<Option<Zeroizing<String>>> {
    let Some(file) = file else {
        return Ok(None);
    };
    let text = std::fs::read_to_string(file).with_context(|| {
        format!(
            "`database.password_file`: {} cannot be read",
            file.display()
        )
    })?;
    Ok(Some(Zeroizing::new(
        text.trim_end_matches(['\r', '\n']).to_owned(),
    )))
}
