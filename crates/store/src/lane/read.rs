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

use reseal_lifecycle::store::StoreError;
use tokio::sync::oneshot;

use crate::database::{Connection, closed};

type Job = Box<dyn FnOnce(Result<&Connection, StoreError>) + Send>;

/// When nobody came to a read that waits this long, no other is taken: it would wait at least as long.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

#[derive(Default)]
struct Queue {
    /// Each with the moment since when it waits.
    jobs: VecDeque<(Instant, Job)>,
    closed: bool,
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

    /// The next job, or nothing once the lane is closed.
    fn next(&self) -> Option<Job> {
        let mut queue = self.queue();
        loop {
            if let Some((_, job)) = queue.jobs.pop_front() {
                return Some(job);
            }
            if queue.closed {
                return None;
            }
            queue = self
                .ready
                .wait(queue)
                .unwrap_or_else(PoisonError::into_inner);
        }
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
                    while let Some(job) = shared.next() {
                        let alive = connection.revive().map_err(StoreError::from);
                        job(alive.map(|()| &connection));
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
            if let Some((since, _)) = queue.jobs.front()
                && now - *since > LONGEST_WAIT
            {
                return Err(overloaded(queue.jobs.len()));
            }
            queue.jobs.push_back((now, job));
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
