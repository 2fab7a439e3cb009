//! The folder of one reissue on the customer's machine. Whatever the server may have taken is in it before it is sent:
//! nothing is lost with a lost answer, and a second call goes on where the first one stopped.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use aws_lc_rs::rand;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::file;

/// The private key, for its owner only.
const KEY: &str = "key.pem";
/// The request.
const REQUEST: &str = "request.pem";
/// What comes of it.
pub(super) const CERTIFICATE: &str = "certificate.pem";
pub(super) const CHAIN: &str = "chain.pem";
pub(super) const BOTH: &str = "fullchain.pem";
/// How far it is.
const JOB: &str = "reissue.json";

/// The folder.
pub(super) struct Folder {
    root: PathBuf,
}

/// What was asked for, and how far it is. Holds no secret.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Job {
    pub(super) server: String,
    /// The certificate that is replaced.
    pub(super) certificate: i64,
    /// Kind of the key that was made; `None` with a request of the caller's own.
    pub(super) new_key: Option<String>,
    /// `--dcv` and `--email`.
    pub(super) dcv: Option<String>,
    pub(super) email: Option<String>,
    /// Makes it safe to send `body` again.
    pub(super) idempotency_key: String,
    pub(super) body: Value,
    /// The process that the server opened, once that is known.
    pub(super) process: Option<i64>,
}

impl Folder {
    pub(super) fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
        }
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// What was begun here, if anything.
    pub(super) fn job(&self) -> anyhow::Result<Option<Job>> {
        let path = self.root.join(JOB);
        match fs::read_to_string(&path) {
            Ok(text) => serde_json::from_str(&text)
                .with_context(|| format!("{} cannot be understood", path.display())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("{} cannot be read", path.display())),
        }
    }

    /// Makes the folder; nothing that is there is ever overwritten.
    pub(super) fn prepare(&self) -> anyhow::Result<()> {
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder
            .create(&self.root)
            .with_context(|| format!("{} cannot be made", self.root.display()))?;
        for name in [KEY, REQUEST, CERTIFICATE, CHAIN, BOTH] {
            let path = self.root.join(name);
            if path.exists() {
                bail!(
                    "{} is there already and is not overwritten: choose another `--out`",
                    path.display()
                );
            }
        }
        Ok(())
    }

    /// Keeps the private key.
    pub(super) fn keep_key(&self, pem: &str) -> anyhow::Result<()> {
        self.create(KEY, pem, 0o600)
    }

    /// Keeps the request.
    pub(super) fn keep_request(&self, pem: &str) -> anyhow::Result<()> {
        self.create(REQUEST, pem, 0o644)
    }

    /// The request.
    pub(super) fn request(&self) -> anyhow::Result<String> {
        let path = self.root.join(REQUEST);
        fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))
    }

    /// Where the private key is, if it is here.
    pub(super) fn key(&self) -> Option<PathBuf> {
        Some(self.root.join(KEY)).filter(|path| path.exists())
    }

    /// Keeps how far it is.
    pub(super) fn record(&self, job: &Job) -> anyhow::Result<()> {
        self.put(JOB, &serde_json::to_string_pretty(job)?)?;
        Ok(())
    }

    /// Writes a file that may be there from an earlier call.
    pub(super) fn put(&self, name: &str, text: &str) -> anyhow::Result<PathBuf> {
        let path = self.root.join(name);
        file::replace(&path, text.as_bytes(), 0o644)
            .with_context(|| format!("{} cannot be written", path.display()))?;
        Ok(path)
    }

    /// Writes a file that must not be there yet, and sees it on the disk.
    fn create(&self, name: &str, text: &str, mode: u32) -> anyhow::Result<()> {
        let path = self.root.join(name);
        let attempt = || -> io::Result<()> {
            let mut file = file::create(&path, mode)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            File::open(&self.root)?.sync_all()
        };
        attempt().with_context(|| format!("{} cannot be written", path.display()))
    }
}

/// A new key for a call.
pub(super) fn idempotency_key() -> anyhow::Result<String> {
    let mut bytes = [0_u8; 16];
    rand::fill(&mut bytes).context("the system's random generator failed")?;
    Ok(hex::encode(bytes))
}
