//! The writers: threads that take everything that waits, write it in one transaction, commit once and then answer.
//! SQLite has one; PostgreSQL some, which share the queue.
//!
//! The fsync of a commit is the batching window: what arrives meanwhile forms the next batch. A refused
//! step leaves nothing behind and does not disturb its neighbours: the batch is then written once more, each
//! caller inside a savepoint of its own. An answer is given only after the commit: `Ok` means durable.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use reseal_lifecycle::store::StoreError;
use tokio::sync::{mpsc, oneshot};

use super::backlog::Backlog;
use crate::database::{Connection, Error, Undone, closed};
use crate::sqlite::Checkpointer;
use crate::work::audit;

/// Most callers in one transaction.
const BATCH: usize = 256;
/// Most callers that wait in the queue; more wait for room in it.
const QUEUE: usize = 1024;
/// Together callers have waited for locks as long as one of them may.
const LONG_ENOUGH: Duration = Duration::from_secs(5);
/// How often a batch is written again that came to nothing through no fault of its own.
const AGAIN: u32 = 8;

/// A write that waits for its turn.
trait Call: Send {
    /// Since when it waits.
    fn since(&self) -> Instant;
    /// Does the work; `false` when what it did must be undone. May be asked again after a rollback.
    fn work(&mut self, connection: &Connection) -> bool;
    /// The work was refused later, for `error`.
    fn refuse(&mut self, error: StoreError);
    /// Tells the caller, with `lost` instead of its own outcome if the transaction did not survive.
    fn answer(self: Box<Self>, lost: Option<StoreError>);
}

struct Pending<F, T> {
    since: Instant,
    work: F,
    outcome: Option<Result<T, StoreError>>,
    caller: oneshot::Sender<Result<T, StoreError>>,
}

impl<F, T> Call for Pending<F, T>
where
    F: Fn(&Connection) -> Result<T, StoreError> + Send,
    T: Send,
{
    fn since(&self) -> Instant {
        self.since
    }

    fn work(&mut self, connection: &Connection) -> bool {
        // A fault in one caller's statements must not end the thread that all others depend on.
        let outcome = catch_unwind(AssertUnwindSafe(|| (self.work)(connection)))
            .unwrap_or_else(|_| Err(StoreError::Fault("a write panicked".to_owned())));
        let done = outcome.is_ok();
        self.outcome = Some(outcome);
        done
    }

    fn refuse(&mut self, error: StoreError) {
        self.outcome = Some(Err(error));
    }

    fn answer(self: Box<Self>, lost: Option<StoreError>) {
        let Self {
            work,
            outcome,
            caller,
            ..
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

/// Handle of the writing threads.
pub(crate) struct Writer {
    queue: mpsc::Sender<Message>,
    commits: Arc<AtomicU64>,
    backlog: Arc<Backlog>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

type Waiting = Arc<Mutex<mpsc::Receiver<Message>>>;

impl Writer {
    /// Starts a thread for each connection, which it owns until it is stopped. SQLite's log is copied by `checkpointer`.
    pub(crate) fn start(
        connections: Vec<Connection>,
        mut checkpointer: Option<Checkpointer>,
    ) -> std::io::Result<Self> {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let waiting: Waiting = Arc::new(Mutex::new(waiting));
        let writer = Self {
            queue,
            commits: Arc::default(),
            backlog: Arc::new(Backlog::of(connections.len())),
            threads: Mutex::default(),
        };
        for (number, connection) in connections.into_iter().enumerate() {
            let thread = WriterThread {
                connection,
                waiting: Arc::clone(&waiting),
                commits: Arc::clone(&writer.commits),
                backlog: Arc::clone(&writer.backlog),
                number,
            };
            let checkpointer = checkpointer.take();
            let thread = std::thread::Builder::new()
                .name("store-writer".to_owned())
                .spawn(move || thread.write_until_stopped(checkpointer))?;
            writer.threads().push(thread);
        }
        Ok(writer)
    }

    fn threads(&self) -> std::sync::MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner)
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
            since: Instant::now(),
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

    /// How long a write waits now.
    pub(crate) fn backlog(&self) -> Duration {
        self.backlog.now()
    }

    /// How many messages wait for a thread.
    pub(crate) fn waiting(&self) -> usize {
        self.queue.max_capacity() - self.queue.capacity()
    }

    /// Lets the threads finish what waits, and waits for them.
    pub(crate) fn stop(&self) {
        let threads = std::mem::take(&mut *self.threads());
        if threads.is_empty() {
            return;
        }
        // A full queue is being emptied: there will be room for one more.
        let mut message = Message::Stop;
        while let Err(mpsc::error::TrySendError::Full(back)) = self.queue.try_send(message) {
            message = back;
            std::thread::yield_now();
        }
        for thread in threads {
            if thread.join().is_err() {
                tracing::error!("a writing thread panicked");
            }
        }
    }
}

/// What one of the threads works with.
struct WriterThread {
    connection: Connection,
    waiting: Waiting,
    commits: Arc<AtomicU64>,
    backlog: Arc<Backlog>,
    number: usize,
}

impl WriterThread {
    fn write_until_stopped(self, mut checkpointer: Option<Checkpointer>) {
        let mut batch = Vec::with_capacity(BATCH);
        while take(&self.waiting, &mut batch) {
            let written = batch.len();
            if let Some(oldest) = batch.first() {
                self.backlog.begin(self.number, oldest.since());
                write_batch(&self.connection, &mut batch, &self.commits);
                if let Some(checkpointer) = &mut checkpointer {
                    checkpointer.written(&self.connection, written);
                }
                self.backlog.end(self.number);
            }
        }
        if let Some(checkpointer) = checkpointer {
            checkpointer.stop();
        }
    }
}

/// Waits for calls, and moves them to `batch`; `false` when there will be no more.
fn take(waiting: &Waiting, batch: &mut Vec<Box<dyn Call>>) -> bool {
    // Whoever has the queue waits for calls; the others wait for the queue.
    let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
    let mut messages = Vec::with_capacity(BATCH);
    if waiting.blocking_recv_many(&mut messages, BATCH) == 0 {
        return false;
    }
    for message in messages {
        match message {
            Message::Write(call) => batch.push(call),
            // What is in the queue by now is still written, and nothing is put into it any more.
            Message::Stop => waiting.close(),
        }
    }
    true
}

/// Writes and answers all of `batch`. A commit is counted before those whose writes it holds hear of it.
fn write_batch(connection: &Connection, batch: &mut Vec<Box<dyn Call>>, commits: &AtomicU64) {
    for attempt in 0_u32.. {
        // Savepoints copy each page that a caller touches. Nearly always nothing has to be undone, so they are
        // made only when it turned out that something has.
        let began = Instant::now();
        let mut result = write_together(connection, batch, Undo::All);
        if let Err(Lost::Refused) = result {
            if let [_] = batch.as_slice() {
                return answer_all(batch, None);
            }
            let undo = if began.elapsed() < LONG_ENOUGH {
                Undo::EachCaller
            } else {
                Undo::EachInAHurry
            };
            result = write_together(connection, batch, undo);
        }
        match result {
            Ok(()) => {
                commits.fetch_add(1, Ordering::Relaxed);
                return answer_all(batch, None);
            }
            // What did not fit took the others with it: now each for itself.
            Err(Lost::RolledBack(_)) if batch.len() > 1 => {
                for call in std::mem::take(batch) {
                    write_batch(connection, &mut vec![call], commits);
                }
                return;
            }
            Err(Lost::InVain(error)) if attempt < AGAIN => {
                tracing::debug!(%error, callers = batch.len(), "written once more");
                // Those it met with go on first, each for another while.
                let while_others_go_on = Duration::from_millis(u64::from(attempt * attempt));
                std::thread::sleep(while_others_go_on);
            }
            Err(lost) => {
                let error = lost.into_error();
                tracing::error!(%error, callers = batch.len(), "nothing could be written");
                return answer_all(batch, Some(&error));
            }
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
    /// The same, and nobody waits for a lock any more: together they have waited long enough for somebody's.
    EachInAHurry,
}

/// Why a transaction came to nothing.
enum Lost {
    /// A caller's work was refused, and there was no savepoint to go back to.
    Refused,
    /// The database undid everything because of one caller's statement.
    RolledBack(StoreError),
    /// It was undone because of what others did at the same moment, or with the connection: worth another attempt.
    InVain(StoreError),
    /// It could not be begun or committed.
    Database(StoreError),
    /// Nobody knows whether it was committed.
    Unknown(StoreError),
}

impl Lost {
    fn into_error(self) -> StoreError {
        match self {
            Self::RolledBack(error)
            | Self::InVain(error)
            | Self::Database(error)
            | Self::Unknown(error) => error,
            Self::Refused => StoreError::Fault("a refused write was not undone".to_owned()),
        }
    }
}

impl From<Error> for Lost {
    fn from(error: Error) -> Self {
        if error.is_in_vain() {
            Self::InVain(error.into())
        } else {
            Self::Database(error.into())
        }
    }
}

/// One transaction for all of `batch`. After an error nothing of it is left.
fn write_together(
    connection: &Connection,
    batch: &mut [Box<dyn Call>],
    undo: Undo,
) -> Result<(), Lost> {
    connection.revive()?;
    connection.begin()?;
    if undo == Undo::EachInAHurry {
        connection.hurry();
    }
    let written = batch
        .iter_mut()
        .try_for_each(|call| write_one(connection, &mut **call, undo));
    let result = written.and_then(|()| finish(connection, batch, undo));
    if result.is_err()
        && connection.in_transaction()
        && let Err(error) = connection.rollback()
    {
        tracing::error!(%error, "a transaction could not be rolled back");
    }
    result
}

/// Writes what was put off, and commits. Here it is heard at the latest what was refused of what callers sent.
fn finish(connection: &Connection, batch: &mut [Box<dyn Call>], undo: Undo) -> Result<(), Lost> {
    let written = audit::write_put_off(connection).map_err(Lost::from);
    match written.and_then(|()| commit(connection)) {
        // Of one of them: each for itself.
        Err(Lost::Database(_)) if undo == Undo::All && batch.len() > 1 => Err(Lost::Refused),
        other => other,
    }
}

fn commit(connection: &Connection) -> Result<(), Lost> {
    connection.commit().map_err(|error| {
        // The answer to this one statement may be lost after it was carried out.
        if error.lost_connection() {
            return Lost::Unknown(StoreError::Unknown(error.to_string()));
        }
        error.into()
    })
}

fn write_one(connection: &Connection, call: &mut dyn Call, undo: Undo) -> Result<(), Lost> {
    let part = match undo {
        Undo::All => None,
        Undo::EachCaller | Undo::EachInAHurry => Some(connection.begin_part()?),
    };
    let mut keep = call.work(connection);
    // Together all would be written anew whoever was refused. Alone each hears of its own.
    if keep
        && part.is_some()
        && let Err(error) = connection.settle()
    {
        call.refuse(error.into());
        keep = false;
    }
    match connection.undone() {
        None => {}
        Some(Undone::NoRoom(error)) => return Err(Lost::RolledBack(error)),
        Some(Undone::InVain(error)) => return Err(Lost::InVain(error)),
    }
    match part {
        Some(part) => Ok(connection.end_part(&part, keep)?),
        None if keep => Ok(()),
        None => Err(Lost::Refused),
    }
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
        StoreError::Unknown(reason) => StoreError::Unknown(reason.clone()),
        other => StoreError::Fault(other.to_string()),
    }
}
