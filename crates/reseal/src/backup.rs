//! `reseal backup` and `reseal restore`: all that a server cannot do without, in one tar file.
//!
//! The file holds the database as it was at one moment, the CA's key files (encrypted as they lie in DATA), the
//! configuration and the catalogue, and at its end `SHA256SUMS` over all of them. Mail in the folder `mail` is not
//! in it: what was not sent yet is sent again by its process. `restore` puts everything beside its place first and
//! moves it there in one step, so that an interrupted restore leaves no folder that looks complete.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs::{self, DirBuilder, File};
use std::io::{self, Read, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use aws_lc_rs::digest::{Context, SHA256};
use jiff::Timestamp;
use reseal_lifecycle::audit::{AuditEntry, AuditStore as _};
use reseal_store::{Source, SqlStore};
use tar::{Archive, Builder, EntryType, Header};

use crate::console;
use crate::data::{DataFolder, State};
use crate::file;
use crate::house::{self, House, open_source};

/// The list of checksums, in the form that `sha256sum -c` reads.
const SUMS: &str = "SHA256SUMS";
/// Numbers that are left out after a restore: more than have been given out since the backup, presumably, and few enough for
/// programs that keep numbers in 32 bits.
const NUMBERS_SKIPPED: u32 = 1_000_000;
/// No list of checksums is longer.
const LONGEST_SUMS: u64 = 1 << 20;

/// Writes a backup of `data` to the new file `file`.
pub(crate) async fn write(file: &Path, data: &Path, config: Option<&Path>) -> anyhow::Result<()> {
    let House {
        data,
        store,
        config,
        ..
    } = House::open(data, config)?;
    let source = house::source(&data, &config)?;
    ensure!(
        !file.exists(),
        "{} exists already: name a file that does not",
        file.display()
    );
    let file = std::path::absolute(file)?;
    let folder = file.parent().context("a backup needs a file name")?;
    // On the same disk as the backup, so that its place decides what is filled, and 0700 by itself.
    let staging = tempfile::Builder::new()
        .prefix(".reseal-backup-")
        .tempdir_in(folder)
        .with_context(|| format!("{} cannot be written to", folder.display()))?;
    let database = staging.path().join("reseal.db");
    // Before the database: no head may be of an entry that is not in the backup.
    let heads = staging.path().join("audit-heads.log");
    if data.audit_heads().exists() {
        fs::copy(data.audit_heads(), &heads).context("the noted heads cannot be copied")?;
    }
    // Before the keys: no row may need a key that is not in the backup.
    if let Source::Sqlite(path) = &source {
        SqlStore::snapshot(path, &database).context("the database cannot be copied")?;
    }
    let unfinished = staging.path().join("backup.tar");
    let names =
        pack(&data, &database, &heads, &unfinished).context("the backup cannot be written")?;
    // Unlike a rename, a link never takes the place of a file that appeared meanwhile.
    fs::hard_link(&unfinished, &file)
        .and_then(|()| File::open(folder)?.sync_all())
        .with_context(|| format!("{} cannot be written", file.display()))?;
    record(store, "backup.create").await?;
    console::line(format!("{}: {}", file.display(), names.join(", ")));
    if let Source::Postgres(url) = source {
        console::notice(format!(
            "The database is not in it: save {url} by its own means (`pg_dump`, or a base backup with archived logs), \
             and after this file: see docs/backup.md."
        ));
    }
    if data.ca().join("unlock.key").exists() {
        console::notice(
            "The backup holds the CA's keys and what unlocks them: keep it as safe as the CA itself.",
        );
    }
    Ok(())
}

/// Writes the tar file; what is in it.
fn pack(
    data: &DataFolder,
    database: &Path,
    heads: &Path,
    to: &Path,
) -> anyhow::Result<Vec<String>> {
    let output = file::create(to, 0o600)?;
    let mut archive = Builder::new(output);
    let mut sums = String::new();
    let mut names = Vec::new();
    let mut add = |name: String, path: &Path| -> anyhow::Result<()> {
        let mut file = File::open(path).with_context(|| path.display().to_string())?;
        let metadata = file.metadata()?;
        let mut header = header(metadata.len());
        header.set_mtime(modified(&metadata));
        let mut reader = Summing::new(&mut file);
        archive.append_data(&mut header, &name, &mut reader)?;
        writeln!(sums, "{}  {name}", reader.finish())?;
        names.push(name);
        Ok(())
    };
    if database.exists() {
        add("reseal.db".to_owned(), database)?;
    }
    if heads.exists() {
        add(file_name(heads)?.to_owned(), heads)?;
    }
    for path in [
        data.postgres_mark(),
        data.config(),
        data.products(),
        data.webhook_key_file(),
    ] {
        if path.exists() {
            add(file_name(&path)?.to_owned(), &path)?;
        }
    }
    let mut keys: Vec<PathBuf> = fs::read_dir(data.ca())?
        .map(|entry| Ok(entry?.path()))
        .collect::<io::Result<_>>()?;
    keys.sort();
    for path in keys {
        add(format!("ca/{}", file_name(&path)?), &path)?;
    }
    archive.append_data(&mut header(sums.len() as u64), SUMS, sums.as_bytes())?;
    archive.into_inner()?.sync_all()?;
    Ok(names)
}

fn header(length: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::Regular);
    header.set_mode(0o600);
    header.set_size(length);
    header
}

fn modified(metadata: &fs::Metadata) -> u64 {
    let since = metadata
        .modified()
        .ok()
        .and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
    since.map_or(0, |since| since.as_secs())
}

fn file_name(path: &Path) -> anyhow::Result<&str> {
    path.file_name()
        .and_then(|name| name.to_str())
        .with_context(|| format!("{} has a name that is not UTF-8", path.display()))
}

/// Makes the folder `data` out of the backup `file`.
pub(crate) async fn restore(file: &Path, data: &Path) -> anyhow::Result<()> {
    let target = DataFolder::new(data);
    let taken = fs::read_dir(target.root()).is_ok_and(|mut entries| entries.next().is_some());
    ensure!(
        !taken,
        "{} is not empty: a backup is restored into a folder of its own; move the old one away first",
        target.root().display()
    );
    let parent = target.root().parent().context("DATA cannot be /")?;
    fs::create_dir_all(parent).with_context(|| format!("{} cannot be made", parent.display()))?;
    let staging = tempfile::Builder::new()
        .prefix(".reseal-restore-")
        .tempdir_in(parent)
        .with_context(|| format!("{} cannot be written to", parent.display()))?;
    let made = DataFolder::new(&staging.path().join("data"));
    made.make()?;
    let archive =
        File::open(file).with_context(|| format!("{} cannot be opened", file.display()))?;
    let names = unpack(archive, made.root())
        .with_context(|| format!("{} cannot be restored", file.display()))?;
    if made.state() != State::Initialized {
        bail!(
            "{} is no backup of a server: it lacks `reseal.db` (or `reseal.postgres`) or `ca`",
            file.display()
        );
    }
    if made.is_on_postgres() {
        console::notice(format!(
            "The database is not in this backup: restore it by its own means before serving, to a moment after the \
             backup was made. It was {}.",
            fs::read_to_string(made.postgres_mark())?.trim_end()
        ));
    } else {
        let path = made.database();
        SqlStore::examine(&path)?;
        // Refuses a database of a newer program, and brings an older one up to date.
        record(
            open_source(&Source::Sqlite(path.clone()))?,
            "backup.restore",
        )
        .await?;
        SqlStore::skip_numbers(&path, NUMBERS_SKIPPED)?;
    }
    fs::rename(made.root(), target.root())
        .and_then(|()| File::open(parent)?.sync_all())
        .with_context(|| format!("{} cannot be made", target.root().display()))?;
    console::line(format!("{}: {names} files", target.root().display()));
    console::notice(
        "What was issued or revoked after this backup is not in it. Certificates issued since stay valid until \
         they expire: see docs/backup.md before serving.",
    );
    Ok(())
}

/// Records in the audit log that the CA's keys were copied.
async fn record(store: SqlStore, action: &str) -> anyhow::Result<()> {
    let entry = AuditEntry::new(Timestamp::now(), console::actor(), action, "backup");
    store.append_audit(vec![entry]).await?;
    store.close();
    Ok(())
}

/// Writes each file of `archive` below `root` and compares it with the list at the end; how many there were.
fn unpack(archive: File, root: &Path) -> anyhow::Result<usize> {
    let mut found = Vec::new();
    let mut sums = None;
    for entry in Archive::new(archive).entries()? {
        let mut entry = entry.context("it is no tar file, or was cut short")?;
        let name = entry.path()?.into_owned();
        ensure!(
            entry.header().entry_type() == EntryType::Regular && is_plain(&name),
            "`{}` does not belong into a backup",
            name.display()
        );
        if name == Path::new(SUMS) {
            let mut text = String::new();
            entry.take(LONGEST_SUMS).read_to_string(&mut text)?;
            sums = Some(text);
            continue;
        }
        let path = root.join(&name);
        if let Some(folder) = path.parent().filter(|folder| !folder.exists()) {
            DirBuilder::new().mode(0o700).create(folder)?;
        }
        let mut file = file::create(&path, 0o600)?;
        let mut reader = Summing::new(&mut entry);
        io::copy(&mut reader, &mut file)?;
        file.flush()?;
        file.sync_all()?;
        found.push(format!("{}  {}", reader.finish(), name.display()));
    }
    let sums = sums.context("its end is missing: no checksums were found")?;
    let expected: BTreeSet<&str> = sums.lines().collect();
    let differing: BTreeSet<&str> = found
        .iter()
        .map(String::as_str)
        .collect::<BTreeSet<_>>()
        .symmetric_difference(&expected)
        .filter_map(|line| line.split_once("  "))
        .map(|(_, name)| name)
        .collect();
    ensure!(
        differing.is_empty(),
        "what it holds is not what its checksums were made over: {}; use another backup",
        differing.into_iter().collect::<Vec<_>>().join(", ")
    );
    Ok(found.len())
}

/// A file of DATA, or one in a folder of it; nothing that leads elsewhere.
fn is_plain(name: &Path) -> bool {
    let parts: Vec<Component<'_>> = name.components().collect();
    (1..=2).contains(&parts.len())
        && parts
            .iter()
            .all(|part| matches!(part, Component::Normal(_)))
}

/// Computes SHA-256 over what is read through it.
struct Summing<R> {
    reader: R,
    context: Context,
}

impl<R: Read> Summing<R> {
    fn new(reader: R) -> Self {
        Self {
            reader,
            context: Context::new(&SHA256),
        }
    }

    /// In hexadecimal.
    fn finish(self) -> String {
        hex::encode(self.context.finish())
    }
}

impl<R: Read> Read for Summing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.reader.read(buffer)?;
        self.context.update(&buffer[..length]);
        Ok(length)
    }
}
