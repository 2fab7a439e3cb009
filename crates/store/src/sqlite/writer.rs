//! The one writer: a thread that takes everything that waits, writes it in one transaction, commits once and
//! then answers.
//!
//! The fsync of a commit is the batching window: what arrives meanwhile forms the next batch. A refused
//! step leaves nothing behind and does not disturb its neighbours: the batch is then written once more, each
//! caller inside a savepoint of its own. An answer is given only after the commit: `Ok` means durable.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;

use reseal_lifecycle::store::StoreError;
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::checkpoint::Checkpointer;
use super::fault::{closed, store_error};

/// Most callers in one transaction.
const BATCH: usize = 256;
/// Most callers that wait in the queue; more wait for room in it.
const QUEUE: usize = 1024;

/// A write that waits for its turn.
trait Call: Send {
    /// Does the work; `false` when what it did must be undone. May be asked again after a rollback.
    fn work(&mut self, connection: &Connection) -> bool;
    /// Tells the caller, with `lost` instead of its own outcome if the transaction did not survive.
    fn answer(self: Box<Self>, lost: Option<StoreError>);
}

struct Pending<F, T> {
    work: F,
    outcome: Option<Result<T, StoreError>>,
    caller: oneshot::Sender<Result<T, StoreError>>,
}

impl<F, T> Call for Pending<F, T>
where
    F: Fn(&Connection) -> Result<T, StoreError> + Send,
    T: Send,
{
    fn work(&mut self, connection: &Connection) -> bool {
        // A fault in one caller's statements must not end the thread that all others depend on.
        let outcome = catch_unwind(AssertUnwindSafe(|| (self.work)(connection)))
            .unwrap_or_else(|_| Err(StoreError::Fault("a write panicked".to_owned())));
        let done = outcome.is_ok();
        self.outcome = Some(outcome);
        done
    }

    fn answer(self: Box<Self>, lost: Option<StoreError>) {
        let Self {
            work,
            outcome,
            caller,
        } = *self;
        // First, so that the caller is the last to hold what it shared with its work.
        drop(work);
        let outcome = match lost {
            Some(error) => Err(error),
            None => outcome.unwrap_or_else(|| Err(closed())),
        };
        // A caller that went away does not need its answer.
        let _ = caller.send(outcome);
    }
}

enum Message {
    Write(Box<dyn Call>),
    Stop,
}

/// Handle of the writing thread.
pub(crate) struct Writer {
    queue: mpsc::Sender<Message>,
    commits: Arc<AtomicU64>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    /// Starts the thread. It owns `connection` until it is stopped.
    pub(crate) fn start(
        connection: Connection,
        checkpointer: Checkpointer,
    ) -> std::io::Result<Self> {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let commits = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&commits);
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || write_until_stopped(&connection, waiting, checkpointer, &counter))?;
        Ok(Self {
            queue,
            commits,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Has `work` done in a transaction; the answer comes when that is durable. `work` may run twice, the
    /// first time in vain.
    pub(crate) async fn write<F, T>(&self, work: F) -> Result<T, StoreError>
    where
        F: Fn(&Connection) -> Result<T, StoreError> + Send + 'static,
        T: Send + 'static,
    {
        let (caller, answer) = oneshot::channel();
        let call = Pending {
            work,
            outcome: None,
            caller,
        };
        self.queue
            .send(Message::Write(Box::new(call)))
            .await
            .map_err(|_| closed())?;
        answer.await.unwrap_or_else(|_| Err(closed()))
    }

    /// How many transactions were committed.
    pub(crate) fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    /// Lets the thread finish what it has begun, and waits for it.
    pub(crate) fn stop(&self) {
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .take();
        let Some(thread) = thread else { return };
        // A full queue is being emptied: there will be room for one more.
        let mut message = Message::Stop;
        while let Err(mpsc::error::TrySendError::Full(back)) = self.queue.try_send(message) {
            message = back;
            std::thread::yield_now();
        }
        if thread.join().is_err() {
            tracing::error!("the writing thread panicked");
        }
    }
}

fn write_until_stopped(
    connection: &Connection,
    mut waiting: mpsc::Receiver<Message>,
    mut checkpointer: Checkpointer,
    commits: &AtomicU64,
) {
    let mut batch = Vec::with_capacity(BATCH);
    let mut messages = Vec::with_capacity(BATCH);
    loop {
        if waiting.blocking_recv_many(&mut messages, BATCH) == 0 {
            break;
        }
        let mut stopped = false;
        for message in messages.drain(..) {
            match message {
                Message::Write(call) if !stopped => batch.push(call),
                // Dropping the call tells its caller that the store is closed.
                Message::Write(_) => {}
                Message::Stop => stopped = true,
            }
        }
        let written = batch.len();
        if written > 0 {
            write_batch(connection, &mut batch, commits);
            checkpointer.written(connection, written);
        }
        if stopped {
            break;
        }
    }
    checkpointer.stop();
}

/// Writes and answers all of `batch`. A commit is counted before those whose writes it holds hear of it.
fn write_batch(connection: &Connection, batch: &mut Vec<Box<dyn Call>>, commits: &AtomicU64) {
    // Savepoints copy each page that a caller touches. Nearly always nothing has to be undone, so they are
    // made only when it turned out that something has.
    let mut result = write_together(connection, batch, Undo::All);
    if let Err(Lost::Refused) = result {
        if let [_] = batch.as_slice() {
            return answer_all(batch, None);
        }
        result = write_together(connection, batch, Undo::EachCaller);
    }
    match result {
        Ok(()) => {
            commits.fetch_add(1, Ordering::Relaxed);
            answer_all(batch, None);
        }
        // What did not fit took the others with it: now each for itself.
        Err(Lost::RolledBack(_)) if batch.len() > 1 => {
            for call in std::mem::take(batch) {
                write_batch(connection, &mut vec![call], commits);
            }
        }
        Err(lost) => {
            let error = lost.into_error();
            tracing::error!(%error, callers = batch.len(), "nothing could be written");
            answer_all(batch, Some(&error));
        }
    }
}

fn answer_all(batch: &mut Vec<Box<dyn Call>>, lost: Option<&StoreError>) {
    for call in batch.drain(..) {
        call.answer(lost.map(same));
    }
}

/// What is undone when a caller's work is refused.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Undo {
    /// The whole transaction.
    All,
    /// The caller's own work.
    EachCaller,
}

/// Why a transaction came to nothing.
enum Lost {
    /// A caller's work was refused, and there was no savepoint to go back to.
    Refused,
    /// The database undid everything because of one caller's statement.
    RolledBack(StoreError),
    /// It could not be begun or committed.
    Database(StoreError),
}

impl Lost {
    fn into_error(self) -> StoreError {
        match self {
            Self::RolledBack(error) | Self::Database(error) => error,
            Self::Refused => StoreError::Fault("a refused write was not undone".to_owned()),
        }
    }
}

/// One transaction for all of `batch`. After an error nothing of it is left.
fn write_together(
    connection: &Connection,
    batch: &mut [Box<dyn Call>],
    undo: Undo,
) -> Result<(), Lost> {
    let database = |error: rusqlite::Error| Lost::Database(store_error(&error));
    run(connection, "BEGIN IMMEDIATE").map_err(database)?;
    let written = batch
        .iter_mut()
        .try_for_each(|call| write_one(connection, &mut **call, undo));
    let result = written.and_then(|()| run(connection, "COMMIT").map_err(database));
    if result.is_err()
        && !connection.is_autocommit()
        && let Err(error) = run(connection, "ROLLBACK")
    {
        tracing::error!(%error, "a transaction could not be rolled back");
    }
    result
}

fn write_one(connection: &Connection, call: &mut dyn Call, undo: Undo) -> Result<(), Lost> {
    let database = |error: rusqlite::Error| Lost::Database(store_error(&error));
    if undo == Undo::EachCaller {
        run(connection, "SAVEPOINT caller").map_err(database)?;
    }
    let keep = call.work(connection);
    if connection.is_autocommit() {
        // A full disk or an I/O error: SQLite has rolled back the whole transaction.
        return Err(Lost::RolledBack(StoreError::Unavailable {
            reason: "the database rolled back a transaction it could not write".to_owned(),
            retry_after: super::fault::RETRY_DISK,
        }));
    }
    match undo {
        Undo::All if keep => Ok(()),
        Undo::All => Err(Lost::Refused),
        Undo::EachCaller => {
            if !keep {
                run(connection, "ROLLBACK TO caller").map_err(database)?;
            }
            run(connection, "RELEASE caller").map_err(database)
        }
    }
}

fn run(connection: &Connection, sql: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute([]).map(|_| ())
}

/// The same error once more, for the next caller of a lost batch.
fn same(error: &StoreError) -> StoreError {
    match error {
        StoreError::Unavailable {
            reason,
            retry_after,
        } => StoreError::Unavailable {
            reason: reason.clone(),
            retry_after: *retry_after,
        },
        other => StoreError::Fault(other.to_string()),
    }
}
