//! Moves the write-ahead log into the database file, off the writer's path.
//!
//! A thread of its own copies what is committed while the writer goes on (`PASSIVE` waits for nobody). Under
//! unbroken load that never reaches the log's end, and only a log that was copied whole starts over. So when
//! the log has grown past [`OVERGROWN`], the writer itself copies the rest between two batches: little is
//! left by then, and the log cannot grow without bound.
//!
//! SQLite syncs the database file only with a copy of the whole log, which is the writer's: it would wait for everything
//! that was copied since the last one. So the file is synced here before ([`catch_up`]).

use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use reseal_lifecycle::store::StoreError;

use super::connection::open_checkpointer;
use crate::database::{Connection, Engine, Error};

/// After how many writes the log is copied under full load. A write leaves about six pages in it; less at a time means
/// shorter waits for the disk, more at a time means that pages written often are copied less often.
const EVERY: usize = 256;
/// The same while there is time to spare: then short waits count for more than the copying.
const EVERY_WHILE_CALM: usize = 64;
/// The most writes of one commit that speak of a calm time: under load more of them wait for each other.
const CALM: usize = 2;
/// Pages in the log (of 4 KiB: 64 MiB) from which the writer has to finish the copying itself.
const OVERGROWN: i64 = 16_384;

/// The writer's handle of the checkpointing thread.
pub(crate) struct Checkpointer {
    wake: Option<SyncSender<()>>,
    overgrown: Arc<AtomicBool>,
    since: usize,
    thread: Option<JoinHandle<()>>,
}

impl Checkpointer {
    /// Starts the thread for the database at `path`.
    pub(crate) fn start(path: &Path) -> std::io::Result<Self> {
        let (wake, woken) = sync_channel(1);
        let overgrown = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&overgrown);
        let path = path.to_owned();
        let thread = std::thread::Builder::new()
            .name("store-checkpoint".to_owned())
            .spawn(move || copy_when_woken(&path, &woken, &flag))?;
        Ok(Self {
            wake: Some(wake),
            overgrown,
            since: 0,
            thread: Some(thread),
        })
    }

    /// The writer has committed `count` more writes on `connection`.
    pub(crate) fn written(&mut self, connection: &Connection, count: usize) {
        self.since += count;
        if self.overgrown.swap(false, Ordering::Relaxed) {
            self.since = 0;
            let Engine::Sqlite(connection) = connection.engine() else {
                return;
            };
            if let Err(error) = copy(connection) {
                tracing::warn!(%error, "the write-ahead log could not be copied by the writer");
            }
        } else if self.is_due(count)
            && let Some(wake) = &self.wake
        {
            self.since = 0;
            // Full: it is still busy with the last one and will see these pages too.
            if let Err(TrySendError::Disconnected(())) = wake.try_send(()) {
                tracing::warn!("the checkpointing thread is gone");
            }
        }
    }

    fn is_due(&self, count: usize) -> bool {
        let every = if count <= CALM {
            EVERY_WHILE_CALM
        } else {
            EVERY
        };
        self.since >= every
    }

    /// Ends the thread.
    pub(crate) fn stop(mut self) {
        drop(self.wake.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the checkpointing thread panicked");
        }
    }
}

fn copy_when_woken(path: &Path, woken: &Receiver<()>, overgrown: &AtomicBool) {
    // Opened late and kept: most programs that open the database never get here.
    let mut connection = None;
    let mut file = None;
    while woken.recv().is_ok() {
        let result = match &connection {
            Some(connection) => copy(connection),
            None => open_checkpointer(path).and_then(|opened| copy(connection.insert(opened))),
        };
        match (result, &connection) {
            (Ok(pages), Some(connection)) if pages > OVERGROWN => {
                if let Err(error) = catch_up(path, connection, &mut file) {
                    tracing::warn!(%error, "the database file could not be synced beside the writer, who does it now");
                }
                overgrown.store(true, Ordering::Relaxed);
            }
            (Ok(_), _) => {}
            (Err(error), _) => {
                tracing::warn!(%error, "the write-ahead log could not be copied; it grows meanwhile");
            }
        }
    }
}

/// Leaves as little as possible to a writer that is to copy the rest of the log: what was copied is on the disk, and so is
/// most of what came meanwhile.
///
/// `file` is the database file, opened once and not closed as long as this process lives: with any descriptor of a file its
/// locks are closed too (POSIX, `fcntl`), and then another program could take the log for nobody's and remove it.
fn catch_up(
    path: &Path,
    connection: &rusqlite::Connection,
    file: &mut Option<&'static File>,
) -> Result<(), StoreError> {
    let fault = |error: std::io::Error| StoreError::Fault(error.to_string());
    let file = if let Some(file) = file {
        *file
    } else {
        let opened = File::open(path).map_err(fault)?;
        *file.insert(Box::leak(Box::new(opened)))
    };
    file.sync_data().map_err(fault)?;
    copy(connection).map_err(Error::from)?;
    file.sync_data().map_err(fault)
}

/// Copies as much as possible without waiting; how many pages the log has.
fn copy(connection: &rusqlite::Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| row.get(1))
}
