//! The only connection of the process to its token.
//!
//! A thread waits for the first question, loads and starts the module, logs in, and opens a few sessions, each of which
//! answers questions on a thread of its own: calls into a module block, and a session stands one at a time. When the token
//! is lost (taken out, restarted, a session thrown out), all sessions end, the module is stopped and started again, which is
//! what brings back a token that was away, and what was being asked is asked once more. While that fails, whoever asks is
//! told why at once, and the token is tried again with the next question, once a second at most.
//!
//! A module that does not return holds its thread for good; whoever waits for the answer stops after a while. Nothing is
//! done about the thread: stopping a module while it is at work is undefined.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use tokio::sync::oneshot;

use super::objects::Failure;
use super::pin::Pin;
use super::question::{Answer, Job, Question};
use super::session::{Opening, Session};
use super::{TokenError, TokenSettings};

/// Sessions, and threads that hold one each.
const SESSIONS: usize = 4;
/// How long a server waits for a signature, which may be asked for again.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// How long a command waits, which asks once: some modules take their time to start.
const COMMAND_WITHIN: Duration = Duration::from_secs(30);
/// How long a key that is being made is waited for: large ones take modules minutes.
const KEY_WITHIN: Duration = Duration::from_mins(5);
/// Between two attempts to reach a token.
const PAUSE: Duration = Duration::from_secs(1);

static KEEPER: OnceLock<Keeper> = OnceLock::new();
static MODULE: OnceLock<Pkcs11> = OnceLock::new();

/// What holds the connection.
#[derive(Debug)]
pub(super) struct Keeper {
    settings: TokenSettings,
    /// The file that keeps a refused PIN from being shown again.
    refusal: PathBuf,
    queue: Mutex<Queue>,
    arrived: Condvar,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Box<dyn Job>>,
    is_started: bool,
    /// The sessions are of no use any more.
    is_lost: bool,
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Queue")
            .field("jobs", &self.jobs.len())
            .finish_non_exhaustive()
    }
}

impl Keeper {
    pub(super) fn of(
        settings: &TokenSettings,
        refusal: &Path,
    ) -> Result<&'static Self, TokenError> {
        let keeper = KEEPER.get_or_init(|| Self {
            settings: settings.clone(),
            refusal: refusal.to_owned(),
            queue: Mutex::default(),
            arrived: Condvar::new(),
        });
        let held = &keeper.settings;
        let is_same = (&held.module, &held.token, &held.pin_file)
            == (&settings.module, &settings.token, &settings.pin_file);
        if is_same {
            Ok(keeper)
        } else {
            Err(TokenError::Another(held.token.clone()))
        }
    }

    pub(super) fn settings(&self) -> &TokenSettings {
        &self.settings
    }

    /// Asks, and holds up the calling thread until there is an answer. `again`: when the token was lost meanwhile, it may
    /// be asked once more.
    pub(super) fn ask<T: Send + 'static>(
        &'static self,
        again: bool,
        work: impl FnMut(&mut Session<'_>) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, TokenError> {
        self.ask_within(COMMAND_WITHIN, again, work)
    }

    /// The same for what takes long and must not be done twice.
    pub(super) fn ask_to_make<T: Send + 'static>(
        &'static self,
        work: impl FnMut(&mut Session<'_>) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, TokenError> {
        self.ask_within(KEY_WITHIN, false, work)
    }

    fn ask_within<T: Send + 'static>(
        &'static self,
        longest: Duration,
        again: bool,
        work: impl FnMut(&mut Session<'_>) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, TokenError> {
        let (sender, answer) = mpsc::channel();
        let attempts = 1 + u32::from(again);
        self.put(Question::new(work, Answer::Thread(sender), attempts))?;
        answer
            .recv_timeout(longest)
            .unwrap_or_else(|_| Err(self.silent(longest)))
    }

    /// The same for a task; what it asks may be asked once more.
    pub(super) async fn ask_async<T: Send + 'static>(
        &'static self,
        work: impl FnMut(&mut Session<'_>) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, TokenError> {
        let (sender, answer) = oneshot::channel();
        self.put(Question::new(work, Answer::Task(sender), 2))?;
        match tokio::time::timeout(ANSWER_WITHIN, answer).await {
            Ok(Ok(answered)) => answered,
            Ok(Err(_)) | Err(_) => Err(self.silent(ANSWER_WITHIN)),
        }
    }

    fn silent(&self, waited: Duration) -> TokenError {
        TokenError::Silent {
            token: self.settings.token.clone(),
            seconds: waited.as_secs(),
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&'static self, job: impl Job + 'static) -> Result<(), TokenError> {
        let mut queue = self.queue();
        if !queue.is_started {
            let started = thread::Builder::new()
                .name("token".to_owned())
                .spawn(|| self.keep());
            started.map_err(|error| TokenError::Call {
                token: self.settings.token.clone(),
                reason: format!("there is no thread for it: {error}"),
            })?;
            queue.is_started = true;
        }
        // While a module does not return, questions pile up that nobody waits for any more.
        while queue.jobs.front().is_some_and(|oldest| !oldest.is_wanted()) {
            queue.jobs.pop_front();
        }
        queue.jobs.push_back(Box::new(job));
        self.arrived.notify_one();
        Ok(())
    }

    /// Connects whenever somebody asks and there is no connection. Never ends.
    fn keep(&self) {
        let mut pin = Pin::new(self.settings.pin_file.clone(), self.refusal.clone());
        loop {
            let mut queue = self.queue();
            while queue.jobs.is_empty() {
                queue = self
                    .arrived
                    .wait(queue)
                    .unwrap_or_else(PoisonError::into_inner);
            }
            queue.is_lost = false;
            drop(queue);
            if let Err(error) = self.connect(&mut pin) {
                let jobs = std::mem::take(&mut self.queue().jobs);
                for mut job in jobs {
                    job.refuse(error.clone());
                }
                thread::sleep(PAUSE);
            }
        }
    }

    /// Starts the module, and answers questions until the token is lost.
    fn connect(&self, pin: &mut Pin) -> Result<(), TokenError> {
        let module = self.module()?;
        let locking = CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK);
        module
            .initialize(locking)
            .map_err(|error| TokenError::Start {
                module: self.settings.module.clone(),
                reason: error.to_string(),
            })?;
        let served = self.serve_all(module, pin);
        // A module that does not stop will say so when it is to start.
        let _ = module.clone().finalize();
        served
    }

    /// The library, loaded once: not every one can be unloaded.
    fn module(&self) -> Result<&'static Pkcs11, TokenError> {
        if let Some(module) = MODULE.get() {
            return Ok(module);
        }
        let path = &self.settings.module;
        let module = Pkcs11::new(path).map_err(|error| TokenError::Module {
            module: path.clone(),
            reason: error.to_string(),
        })?;
        Ok(MODULE.get_or_init(|| module))
    }

    /// Logs in, and answers until the token is lost. No session is left afterwards.
    fn serve_all(&self, module: &Pkcs11, pin: &mut Pin) -> Result<(), TokenError> {
        let sessions = Opening::new(module, &self.settings.token).sessions(SESSIONS, pin)?;
        thread::scope(|scope| {
            for session in sessions {
                scope.spawn(move || self.serve(session));
            }
        });
        Ok(())
    }

    /// Answers over `session` until the token is lost.
    fn serve(&self, mut session: Session<'_>) {
        while let Some(mut job) = self.next() {
            let progress = job.run(&mut session);
            if progress.is_lost {
                let mut queue = self.queue();
                queue.is_lost = true;
                if !progress.is_answered {
                    queue.jobs.push_front(job);
                }
                self.arrived.notify_all();
            }
        }
    }

    /// Waits for a question; `None` when the token is lost.
    fn next(&self) -> Option<Box<dyn Job>> {
        let mut queue = self.queue();
        loop {
            if queue.is_lost {
                return None;
            }
            while let Some(job) = queue.jobs.pop_front() {
                if job.is_wanted() {
                    return Some(job);
                }
            }
            queue = self
                .arrived
                .wait(queue)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}
