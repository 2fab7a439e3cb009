//! Reads with connections that cannot write. They see the last commit and never wait for the writer.
//!
//! - [`Points`]: single rows. From a file they are read at once by whoever asks: a look at an index takes some
//!   microseconds, a fraction of what handing it to another thread and being woken again costs. A server's answer is
//!   waited for by threads of their own.
//! - [`Lane`]: lists and whatever may take long, on threads of their own, so that a list over a million rows
//!   holds nobody up.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use reseal_lifecycle::customer::Scope;
use reseal_lifecycle::store::StoreError;
use tokio::sync::oneshot;

use crate::database::{Connection, LONGEST_LIST, closed};
use crate::store::LIST_READERS;

type Job = Box<dyn FnOnce(Result<&Connection, StoreError>) + Send>;

/// When nobody came to a read that waits this long, no other is taken: it would wait at least as long.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// Reads of one customer that go on at a time: there is always a thread for somebody else.
const MOST_OF_ONE: usize = LIST_READERS / 2;

/// A read that nobody has come to.
struct Waiting {
    since: Instant,
    /// Whose it is; the server's own and operators' are nobody's.
    owner: Option<String>,
    job: Job,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Waiting>,
    /// Whose reads are going on.
    served: Vec<String>,
    closed: bool,
}

impl Queue {
    /// The next job.
    fn take(&mut self) -> Option<Waiting> {
        let next = self.jobs.iter().position(|waiting| self.may_go(waiting))?;
        let waiting = self.jobs.remove(next)?;
        self.served.extend(waiting.owner.clone());
        Some(waiting)
    }

    /// Since when somebody waits whom a job of `owner` would have to wait for.
    fn longest(&self, owner: Option<&String>) -> Option<Instant> {
        let mut before = self.jobs.iter();
        let first = before.find(|waiting| {
            let is_same = owner.is_some() && waiting.owner.as_ref() == owner;
            is_same || self.may_go(waiting)
        });
        first.map(|waiting| waiting.since)
    }

    /// Whether the owner has fewer than it may have going on.
    fn may_go(&self, waiting: &Waiting) -> bool {
        waiting.owner.as_ref().is_none_or(|owner| {
            let going_on = self.served.iter().filter(|served| *served == owner);
            going_on.count() < MOST_OF_ONE
        })
    }
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    ready: Condvar,
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next job, or nothing once the lane is closed and all is done.
    fn next(&self) -> Option<Waiting> {
        let mut queue = self.queue();
        loop {
            if let Some(waiting) = queue.take() {
                return Some(waiting);
            }
            if queue.closed && queue.jobs.is_empty() {
                return None;
            }
            queue = self
                .ready
                .wait(queue)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// A job of `owner` has been done: another one may wait for that.
    fn done(&self, owner: Option<String>) {
        let Some(owner) = owner else {
            return;
        };
        let mut queue = self.queue();
        if let Some(one) = queue.served.iter().position(|served| *served == owner) {
            queue.served.swap_remove(one);
        }
        drop(queue);
        self.ready.notify_all();
    }
}

/// Connections for single rows.
pub(crate) enum Points {
    /// Used by whoever asks.
    Shared(SharedConnections),
    /// With threads that wait.
    Lane(Lane),
}

impl Points {
    /// For connections that answer at once.
    pub(crate) fn shared(connections: Vec<Connection>) -> Self {
        let connections = connections.into_iter().map(Some).map(Mutex::new);
        Self::Shared(SharedConnections(connections.collect()))
    }

    /// Runs `read`.
    pub(crate) async fn read<F, T>(&self, read: F) -> Result<T, StoreError>
    where
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
        T: Send + 'static,
    {
        match self {
            Self::Shared(connections) => connections.read(read),
            Self::Lane(lane) => lane.read(read).await,
        }
    }

    /// Waits for the reads that go on, then closes the connections.
    pub(crate) fn close(&self) {
        match self {
            Self::Shared(connections) => connections.close(),
            Self::Lane(lane) => lane.stop(),
        }
    }
}

/// As many as there can be callers at once: none of them waits for another. Empty once closed.
pub(crate) struct SharedConnections(Vec<Mutex<Option<Connection>>>);

impl SharedConnections {
    fn read<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let connection = self.free();
        connection.as_ref().map_or_else(|| Err(closed()), read)
    }

    /// The first that is idle: what was read last is still in its memory, until somebody commits.
    fn free(&self) -> MutexGuard<'_, Option<Connection>> {
        let idle = self.0.iter().find_map(|one| one.try_lock().ok());
        idle.unwrap_or_else(|| self.0[0].lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn close(&self) {
        for connection in &self.0 {
            connection
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take();
        }
    }
}

/// Some reading threads behind one queue.
pub(crate) struct Lane {
    shared: Arc<Shared>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Lane {
    /// Starts a thread for each connection.
    pub(crate) fn start(name: &str, connections: Vec<Connection>) -> Result<Self, StoreError> {
        let shared = Arc::new(Shared::default());
        let lane = Self {
            shared: Arc::clone(&shared),
            threads: Mutex::default(),
        };
        for (number, connection) in connections.into_iter().enumerate() {
            let shared = Arc::clone(&shared);
            let thread = std::thread::Builder::new()
                .name(format!("store-{name}-{number}"))
                .spawn(move || {
                    while let Some(Waiting { since, owner, job }) = shared.next() {
                        // Whoever asked has given up by now, or will before there is an answer.
                        let alive = if since.elapsed() > LONGEST_LIST {
                            Err(overloaded(shared.queue().jobs.len()))
                        } else {
                            connection.revive().map_err(StoreError::from)
                        };
                        job(alive.map(|()| &connection));
                        shared.done(owner);
                    }
                })
                .map_err(|error| {
                    StoreError::Fault(format!("a reading thread cannot be started: {error}"))
                })?;
            lane.threads
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(thread);
        }
        Ok(lane)
    }

    /// Runs `read` on one of the lane's threads.
    pub(crate) async fn read<F, T>(&self, read: F) -> Result<T, StoreError>
    where
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
        T: Send + 'static,
    {
        self.run(None, read).await
    }

    /// The same for whoever asks in `scope`: a customer has no more than half of the threads.
    pub(crate) async fn read_in<F, T>(&self, scope: &Scope, read: F) -> Result<T, StoreError>
    where
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
        T: Send + 'static,
    {
        let owner = match scope {
            Scope::Customer(handle) => Some(handle.clone()),
            Scope::Everything => None,
        };
        self.run(owner, read).await
    }

    async fn run<F, T>(&self, owner: Option<String>, read: F) -> Result<T, StoreError>
    where
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
        T: Send + 'static,
    {
        let (caller, answer) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            if caller.is_closed() {
                return;
            }
            let outcome = catch_unwind(AssertUnwindSafe(|| read(connection?)))
                .unwrap_or_else(|_| Err(StoreError::Fault("a read panicked".to_owned())));
            let _ = caller.send(outcome);
        });
        {
            let mut queue = self.shared.queue();
            if queue.closed {
                return Err(closed());
            }
            let now = Instant::now();
            let longest = queue.longest(owner.as_ref());
            if longest.is_some_and(|since| now - since > LONGEST_WAIT) {
                return Err(overloaded(queue.jobs.len()));
            }
            queue.jobs.push_back(Waiting {
                since: now,
                owner,
                job,
            });
        }
        self.shared.ready.notify_one();
        answer.await.unwrap_or_else(|_| Err(closed()))
    }

    /// Answers what is queued, then ends the threads and closes their connections.
    pub(crate) fn stop(&self) {
        self.shared.queue().closed = true;
        self.shared.ready.notify_all();
        let threads =
            std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            if thread.join().is_err() {
                tracing::error!("a reading thread panicked");
            }
        }
    }
}

fn overloaded(waiting: usize) -> StoreError {
    StoreError::Unavailable {
        reason: format!(
            "{waiting} reads wait, the first for more than {} s",
            LONGEST_WAIT.as_secs()
        ),
        retry_after: LONGEST_WAIT,
    }
}
