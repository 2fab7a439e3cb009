//! The store: threads with connections to one database, and the rules' traits over them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use reseal_lifecycle::metrics::Ended;
use reseal_lifecycle::store::StoreError;
use tokio::sync::Notify;

use crate::database::{Connection, Dialect, Source};
use crate::lane::{Lane, Points, Writer};
use crate::postgres::Presence;
use crate::talk::Talk;
use crate::work::tally::Tally;
use crate::{migrate, postgres, sqlite};

/// Threads for lists.
pub(crate) const LIST_READERS: usize = 4;
/// Threads for what the server reads for its own duties.
pub(crate) const DUTY_READERS: usize = 2;

/// What keeps the data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Such as `PostgreSQL 15.18`.
    pub version: String,
    /// Number of one of its processes, where it has any, and they are known to be on this machine. The process that
    /// started it started all others, too.
    pub process: Option<u32>,
}

/// A store in one database. Dropping it closes it.
pub struct SqlStore {
    pub(crate) writer: Writer,
    pub(crate) points: Points,
    /// What callers ask for and may take long.
    pub(crate) lists: Lane,
    /// The same for what the server itself has to know, whatever callers ask for: what is due, what is revoked.
    pub(crate) duties: Lane,
    pub(crate) dialect: Dialect,
    /// How many rows lists have.
    pub(crate) tally: Arc<Tally>,
    /// Notified when another node, or this one, has left work to whoever has time.
    pub(crate) woken: Arc<Notify>,
    pub(crate) talk: Talk,
    pub(crate) ended: Ended,
    presence: Mutex<Option<Presence>>,
}

impl SqlStore {
    pub(crate) fn new(
        writer: Writer,
        points: Points,
        lists: Lane,
        duties: Lane,
        dialect: Dialect,
    ) -> Self {
        Self {
            writer,
            points,
            lists,
            duties,
            dialect,
            tally: Arc::default(),
            woken: Arc::default(),
            talk: Talk::default(),
            ended: Ended::default(),
            presence: Mutex::default(),
        }
    }

    /// Whether the database is there and has been a server's: an empty one may be what is left of it. Changes nothing.
    ///
    /// # Errors
    /// As [`SqlStore::open`]; also when there is no such file.
    pub fn is_begun(source: &Source) -> Result<bool, StoreError> {
        with_reader(source, |connection| Ok(migrate::is_begun(connection)?))
    }

    /// Opens the database and brings it to the present schema. A SQLite file is made if there is none; a PostgreSQL
    /// database must be there, empty or ours.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the file cannot be opened or another program holds its lock for more
    /// than ten seconds, or the server cannot be reached; [`StoreError::Fault`] when it is no database, or of a newer
    /// program.
    pub fn open(source: &Source) -> Result<Self, StoreError> {
        match source {
            Source::Sqlite(path) => sqlite::open(path),
            Source::Postgres(url) => postgres::open(&url.target, false),
        }
    }

    /// The same for a server: what it leases is taken over by others as soon as it is gone.
    ///
    /// # Errors
    /// As [`SqlStore::open`].
    pub fn open_as_node(source: &Source) -> Result<Self, StoreError> {
        match source {
            Source::Sqlite(path) => sqlite::open(path),
            Source::Postgres(url) => postgres::open(&url.target, true),
        }
    }

    pub(crate) fn with_presence(self, presence: Presence) -> Self {
        *self.presence() = Some(presence);
        self
    }

    fn presence(&self) -> MutexGuard<'_, Option<Presence>> {
        self.presence.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it is known by now which other nodes are no more.
    pub(crate) fn knows_the_dead(&self) -> bool {
        self.presence().as_ref().is_some_and(Presence::is_settled)
    }

    /// Names of settings by which a server may lose what it has answered for.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it cannot be asked.
    pub async fn careless_settings(&self) -> Result<Vec<String>, StoreError> {
        match self.dialect {
            Dialect::Sqlite => Ok(Vec::new()),
            Dialect::Postgres => self.duties.read(postgres::careless_settings).await,
        }
    }

    /// What is behind this store.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it cannot be asked.
    pub async fn program(&self) -> Result<Program, StoreError> {
        match self.dialect {
            Dialect::Sqlite => Ok(sqlite::program()),
            Dialect::Postgres => self.duties.read(postgres::program).await,
        }
    }

    /// Finishes what was begun and closes all connections; SQLite's log is moved into the database file. Blocks until
    /// that is done. Whoever calls the store afterwards is told that it is unavailable.
    pub fn close(&self) {
        self.points.close();
        self.lists.stop();
        self.duties.stop();
        // Last, so that the last connection to be closed is one that copies the log.
        self.writer.stop();
        drop(self.presence().take());
    }

    /// How many transactions were committed since the store was opened: with group commit fewer than writes.
    pub fn commits(&self) -> u64 {
        self.writer.commits()
    }
}

impl Drop for SqlStore {
    fn drop(&mut self) {
        self.close();
    }
}

/// Hands `work` a connection of its own that only reads.
pub(crate) fn with_reader<T: Send>(
    source: &Source,
    work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send,
) -> Result<T, StoreError> {
    match source {
        Source::Sqlite(path) => work(&sqlite::reader(path)?),
        Source::Postgres(url) => postgres::aside(|| work(&postgres::reader(&url.target)?)),
    }
}

pub(crate) fn no_thread(error: &std::io::Error) -> StoreError {
    StoreError::Fault(format!("a thread cannot be started: {error}"))
}
