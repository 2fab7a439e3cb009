//! The folder DATA: what lies where, in which state it is, and that only one server works on it.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail};
use aws_lc_rs::rand;

use crate::file::{self, accept_missing};

/// DATA.
#[derive(Clone, Debug)]
pub(crate) struct DataFolder {
    root: PathBuf,
}

/// How far DATA has come.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Nothing of a server is there yet; a `reseal.toml` or `products.toml` may have been put there.
    Fresh,
    /// `init` was interrupted: what it made so far was never used by anybody.
    Interrupted,
    /// Complete.
    Initialized,
    /// Something is missing that nobody can make again; the text says what.
    Damaged(String),
}

/// Held while a server or `init` works on DATA; released when the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct Lock {
    file: File,
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing it is not enough: a program that is being started at this moment has it open too, until it runs. What
        // cannot be given back ends with the process.
        let _ = self.file.unlock();
    }
}

impl DataFolder {
    pub(crate) fn new(root: &Path) -> Self {
        // Absolute, so that it can be shown, and stays the same folder whatever happens.
        let root = std::path::absolute(root).unwrap_or_else(|_| root.to_owned());
        Self { root }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.root.join("reseal.toml")
    }

    pub(crate) fn products(&self) -> PathBuf {
        self.root.join("products.toml")
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.root.join("reseal.db")
    }

    /// Octets of the database file.
    pub(crate) fn database_size(&self) -> anyhow::Result<u64> {
        let path = self.database();
        let found = path.metadata();
        let found = found.with_context(|| format!("{} cannot be read", path.display()))?;
        Ok(found.len())
    }

    /// Stands in the place of `reseal.db` where everything is kept in PostgreSQL, and says where.
    pub(crate) fn postgres_mark(&self) -> PathBuf {
        self.root.join("reseal.postgres")
    }

    pub(crate) fn is_on_postgres(&self) -> bool {
        self.postgres_mark().exists()
    }

    /// Keeps a PIN that a token has refused from being shown to it again.
    pub(crate) fn refused_pin(&self) -> PathBuf {
        self.root.join("pin.refused")
    }

    pub(crate) fn ca(&self) -> PathBuf {
        self.root.join("ca")
    }

    pub(crate) fn mail(&self) -> PathBuf {
        self.root.join("mail")
    }

    pub(crate) fn audit_heads(&self) -> PathBuf {
        self.root.join("audit-heads.log")
    }

    pub(crate) fn node_file(&self) -> PathBuf {
        self.root.join("node")
    }

    /// What tells this node from others on the same database, for the audit log: 16 hexadecimal digits in `node`, made
    /// when there are none. No secret.
    pub(crate) fn node(&self) -> anyhow::Result<String> {
        let path = self.node_file();
        let mut node = [0_u8; 8];
        match fs::read_to_string(&path) {
            Ok(text) => hex::decode_to_slice(text.trim_end(), &mut node).with_context(|| {
                format!(
                    "{} must have 16 hexadecimal digits: remove it, and a new one is made",
                    path.display()
                )
            })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                rand::fill(&mut node).map_err(|_| anyhow!("no randomness from the system"))?;
                let text = format!("{}\n", hex::encode(node));
                file::write("the name of the node", &path, text.as_bytes(), 0o644)?;
            }
            Err(error) => {
                return Err(error).with_context(|| format!("{} cannot be read", path.display()));
            }
        }
        Ok(hex::encode(node))
    }

    pub(crate) fn webhook_key_file(&self) -> PathBuf {
        self.root.join("webhook.key")
    }

    /// The key that webhooks' secrets and keys of accounts at upstreams are encrypted under: 64 hexadecimal digits in
    /// `webhook.key`, made when there is none and nothing `is_sealed` under one. Whoever copies the database alone has not
    /// got it.
    pub(crate) fn webhook_key(&self, is_sealed: bool) -> anyhow::Result<[u8; 32]> {
        let path = self.webhook_key_file();
        let mut key = [0_u8; 32];
        match fs::read_to_string(&path) {
            Ok(text) => {
                hex::decode_to_slice(text.trim_end(), &mut key).with_context(|| {
                    format!("{} must have 64 hexadecimal digits: restore it from a backup, or copy it from another node", path.display())
                })?;
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound && is_sealed => bail!(
                "{0} is missing, and the database has secrets that are encrypted under it: restore it from a backup, or \
                 copy it from another node. If it is lost for good, so are the accounts at upstreams, and all webhooks \
                 have to be set again: make another key by `umask 077; openssl rand -hex 32 > {0}`",
                path.display()
            ),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                rand::fill(&mut key).map_err(|_| anyhow!("no randomness from the system"))?;
                let text = format!("{}\n", hex::encode(key));
                file::write("the key of webhooks", &path, text.as_bytes(), 0o600)?;
            }
            Err(error) => {
                return Err(error).with_context(|| format!("{} cannot be read", path.display()));
            }
        }
        Ok(key)
    }

    fn marker(&self) -> PathBuf {
        self.root.join(".init-unfinished")
    }

    /// The configuration file to read: `given`, else DATA's own.
    pub(crate) fn config_file(&self, given: Option<&Path>) -> Option<PathBuf> {
        match given {
            Some(path) => Some(path.to_owned()),
            None => Some(self.config()).filter(|path| path.exists()),
        }
    }

    /// Whether there is a database that can be anything. Whether it is a server's is seen when it is opened.
    fn has_database(&self) -> bool {
        let file = self.database().metadata();
        self.is_on_postgres() || file.is_ok_and(|file| file.len() > 0)
    }

    /// Looks at what is there.
    pub(crate) fn state(&self) -> State {
        if self.marker().exists() {
            return State::Interrupted;
        }
        match (self.ca().exists(), self.has_database()) {
            (true, true) => State::Initialized,
            (false, false) => State::Fresh,
            (true, false) => State::Damaged(format!(
                "{} holds the keys of a CA, but its database `reseal.db` is missing or empty",
                self.root.display()
            )),
            (false, true) => State::Damaged(format!(
                "{} holds the database of a CA, but its keys in `ca` are missing",
                self.root.display()
            )),
        }
    }

    /// Refuses to go on unless `init` has done its work here.
    pub(crate) fn require_initialized(&self) -> anyhow::Result<()> {
        match self.state() {
            State::Initialized => Ok(()),
            State::Fresh => bail!(
                "{} is not the folder of a server yet: run `reseal init --data {0}` first",
                self.root.display()
            ),
            State::Interrupted => bail!(
                "`init` was interrupted in {}: run `reseal init --data {0}` again",
                self.root.display()
            ),
            State::Damaged(what) => bail!("{what}: restore the folder from a backup"),
        }
    }

    /// Makes the folder itself, for its owner only.
    pub(crate) fn make(&self) -> anyhow::Result<()> {
        if self.root.is_dir() {
            return Ok(());
        }
        fs::create_dir_all(self.root.parent().unwrap_or(&self.root))
            .and_then(|()| fs::DirBuilder::new().mode(0o700).create(&self.root))
            .with_context(|| format!("the folder {} cannot be made", self.root.display()))
    }

    /// Takes DATA for this process alone.
    pub(crate) fn lock(&self) -> anyhow::Result<Lock> {
        let path = self.root.join(".lock");
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .with_context(|| format!("{} cannot be opened", path.display()))?;
        match file.try_lock() {
            Ok(()) => Ok(Lock { file }),
            Err(fs::TryLockError::WouldBlock) => bail!(
                "another reseal works on {}: one server a folder",
                self.root.display()
            ),
            Err(fs::TryLockError::Error(error)) => {
                Err(error).with_context(|| format!("{} cannot be locked", path.display()))
            }
        }
    }

    /// Notes durably that `init` has begun: what it makes from here on may be thrown away after a crash.
    pub(crate) fn begin_init(&self) -> anyhow::Result<()> {
        file::write("the mark of an unfinished init", &self.marker(), b"", 0o600)
    }

    /// Notes durably that everything is there.
    pub(crate) fn finish_init(&self) -> anyhow::Result<()> {
        fs::remove_file(self.marker())
            .and_then(|()| File::open(&self.root)?.sync_all())
            .context("the mark of an unfinished init cannot be removed")
    }

    /// Throws away what an interrupted `init` made: keys and a database that nobody has seen.
    pub(crate) fn discard_unfinished(&self) -> anyhow::Result<()> {
        let database = self.database();
        let beside = |suffix: &str| {
            let mut path = database.clone().into_os_string();
            path.push(suffix);
            PathBuf::from(path)
        };
        for file in [
            database.clone(),
            beside("-wal"),
            beside("-shm"),
            self.postgres_mark(),
        ] {
            accept_missing(fs::remove_file(&file))
                .with_context(|| format!("{} cannot be removed", file.display()))?;
        }
        accept_missing(fs::remove_dir_all(self.ca()))
            .with_context(|| format!("{} cannot be removed", self.ca().display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> (tempfile::TempDir, DataFolder) {
        let root = tempfile::tempdir().unwrap();
        let data = DataFolder::new(root.path());
        (root, data)
    }

    #[test]
    fn the_state_is_told_from_what_lies_there() {
        let (_root, data) = folder();
        assert_eq!(data.state(), State::Fresh);
        fs::write(data.config(), "").unwrap();
        assert_eq!(data.state(), State::Fresh);
        data.begin_init().unwrap();
        fs::create_dir(data.ca()).unwrap();
        assert_eq!(data.state(), State::Interrupted);
        fs::write(data.database(), "d").unwrap();
        data.finish_init().unwrap();
        assert_eq!(data.state(), State::Initialized);
        fs::write(data.database(), "").unwrap();
        assert!(matches!(data.state(), State::Damaged(_)));
        fs::remove_file(data.database()).unwrap();
        assert!(matches!(data.state(), State::Damaged(_)));
    }

    #[test]
    fn a_lock_ends_although_somebody_has_its_file_open() {
        let (_root, data) = folder();
        let held = data.lock().unwrap();
        assert!(data.lock().is_err());
        // As a child has it between its start and its program's.
        let open = held.file.try_clone().unwrap();
        drop(held);
        assert!(data.lock().is_ok());
        drop(open);
    }

    #[test]
    fn an_interrupted_init_leaves_nothing() {
        let (_root, data) = folder();
        data.begin_init().unwrap();
        fs::create_dir(data.ca()).unwrap();
        fs::write(data.ca().join("root.key"), "k").unwrap();
        fs::write(data.database(), "d").unwrap();
        data.discard_unfinished().unwrap();
        data.discard_unfinished().unwrap();
        data.finish_init().unwrap();
        assert_eq!(data.state(), State::Fresh);
    }

    #[test]
    fn the_key_of_webhooks_is_made_once_and_for_the_owner_only() {
        use std::os::unix::fs::PermissionsExt as _;
        let (root, data) = folder();
        let lost = data.webhook_key(true).unwrap_err().to_string();
        assert!(lost.contains("is missing") && data.webhook_key(true).is_err());
        let key = data.webhook_key(false).unwrap();
        assert_ne!(key, [0; 32]);
        assert_eq!(data.webhook_key(true).unwrap(), key);
        let path = root.path().join("webhook.key");
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        fs::write(&path, "short").unwrap();
        assert!(data.webhook_key(false).is_err());
    }

    #[test]
    fn one_server_a_folder() {
        let (_root, data) = folder();
        let held = data.lock().unwrap();
        let error = data.lock().unwrap_err().to_string();
        assert!(error.contains("another reseal works on"), "{error}");
        drop(held);
        data.lock().unwrap();
    }
}
