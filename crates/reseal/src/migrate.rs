//! `reseal migrate`: moves all that a server has stored from SQLite into a PostgreSQL database.
//!
//! The old file stays as `reseal.db.moved`. DATA points to the new database once everything has been compared and the audit
//! log has been checked there; until then it is as before. Nobody writes to the old file from the first row that is copied
//! on: command lines wait, and are then told that it was moved, or go on when it was not.

use std::fs;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail, ensure};
use reseal_lifecycle::audit::{AuditEntry, AuditStore as _};
use reseal_store::{PostgresUrl, Progress, Source, SqlStore};

use crate::audit::{check_log, house};
use crate::clock::clock;
use crate::config::{Config, Flags};
use crate::console;
use crate::data::DataFolder;
use crate::file;
use crate::house::{open_source, password};

/// Moves what `data` has in SQLite to the database at `to`, whose password may be in `password_file`.
pub(crate) async fn run(
    data: &Path,
    config: Option<&Path>,
    to: &str,
    password_file: Option<&Path>,
) -> anyhow::Result<()> {
    let data = DataFolder::new(data);
    data.require_initialized()?;
    // No server may write meanwhile.
    let _lock = data.lock()?;
    ensure!(
        !data.is_on_postgres(),
        "{} is on PostgreSQL already: {}",
        data.root().display(),
        fs::read_to_string(data.postgres_mark())?.trim_end()
    );
    let config = Config::load(data.config_file(config).as_deref(), &Flags::default())?;
    let clock = clock(config.policy.profile)?;
    let file = password_file.or(config.database.password_file.as_deref());
    let password = password(file)?;
    let url = PostgresUrl::parse(to, password.as_deref().map(String::as_str));
    let url = url.map_err(|error| anyhow!("--to: {error}"))?;
    let from = data.database();

    let transfer = SqlStore::transfer(&from, &url, &mut show)
        .with_context(|| format!("{} was not moved to {url}", from.display()))?;
    let moved = transfer.moved;
    let target = Source::Postgres(url.clone());
    let verified = check_log(&data, &target, clock.now())?;
    if verified.findings > 0 {
        bail!(
            "the audit log is not as it was written: see above. Everything arrived in {url} as it was, so it was so before: \
             `reseal audit verify --data {}` tells the same. Nothing was switched over",
            data.root().display()
        );
    }
    let store = open_source(&target)?;
    let crashed = house::crashed_before_move(&store, clock.now()).await?;
    let entry = AuditEntry::new(clock.now(), console::actor(), "database.move", "database");
    let entry = entry.with("rows", moved.rows);
    let entries = crashed.into_iter().chain([entry]).collect();
    store.append_audit(entries).await?;
    store.close();
    // First, so that nothing can be answered for that is not in the new database, whatever becomes of the rest.
    transfer
        .retire_source()
        .with_context(|| format!("{} was not switched over", from.display()))?;
    switch(&data, &from, &url)?;
    console::line(format!(
        "{} rows of {} tables are in {url}, each as it was; {} entries of the audit log were checked",
        moved.rows, moved.tables, verified.entries
    ));
    console::notice(format!(
        "Set `database.url` in {} before the next start. What was moved stays in {} until you remove it.",
        data.config().display(),
        moved_file(&from).display()
    ));
    Ok(())
}

/// From here on DATA belongs to `url`.
fn switch(data: &DataFolder, from: &Path, url: &PostgresUrl) -> anyhow::Result<()> {
    let mark = format!("{url}\n");
    file::write(
        "the mark of the database",
        &data.postgres_mark(),
        mark.as_bytes(),
        0o600,
    )?;
    let rename = |from: PathBuf, to: PathBuf| {
        fs::rename(&from, &to)
            .with_context(|| format!("{} cannot be renamed: do that yourself", from.display()))
    };
    // As long as somebody else has the file open, its last commits are in the log beside it.
    let log = from.with_extension("db-wal");
    if log.exists() {
        rename(log, from.with_extension("db.moved-wal"))?;
    }
    rename(from.to_owned(), moved_file(from))
}

fn moved_file(from: &Path) -> PathBuf {
    from.with_extension("db.moved")
}

/// A line for each stride; on a terminal they replace each other until the table is done.
fn show(progress: Progress) {
    let Progress {
        table,
        done,
        of,
        comparing,
    } = progress;
    let what = if comparing { "compared" } else { "copied" };
    let text = format!("{table}: {done} of {of} rows {what}");
    if done < of && std::io::stderr().is_terminal() {
        console::replaceable(text);
    } else {
        console::notice(text);
    }
}
