//! What a session is asked, and who waits for the answer.

use std::sync::mpsc;

use tokio::sync::oneshot;

use super::TokenError;
use super::objects::Failure;
use super::session::Session;

/// A question, without its types.
pub(super) trait Job: Send {
    /// Whether anybody still waits for the answer.
    fn is_wanted(&self) -> bool;
    fn run(&mut self, session: &mut Session<'_>) -> Progress;
    fn refuse(&mut self, error: TokenError);
}

/// How far a question has come.
pub(super) struct Progress {
    pub(super) is_answered: bool,
    pub(super) is_lost: bool,
}

pub(super) struct Question<T, W> {
    work: W,
    answer: Option<Answer<T>>,
    /// How often it may still be put.
    attempts: u32,
}

/// Who waits.
pub(super) enum Answer<T> {
    Thread(mpsc::Sender<Result<T, TokenError>>),
    Task(oneshot::Sender<Result<T, TokenError>>),
}

impl<T, W> Question<T, W> {
    /// It is put `attempts` times at most, as long as it is the token that is lost.
    pub(super) fn new(work: W, answer: Answer<T>, attempts: u32) -> Self {
        Self {
            work,
            answer: Some(answer),
            attempts,
        }
    }

    fn answer(&mut self, outcome: Result<T, TokenError>) {
        // Whoever does not wait any more does not miss it.
        match self.answer.take() {
            Some(Answer::Thread(sender)) => drop(sender.send(outcome)),
            Some(Answer::Task(sender)) => drop(sender.send(outcome)),
            None => {}
        }
    }
}

impl<T, W> Job for Question<T, W>
where
    T: Send,
    W: FnMut(&mut Session<'_>) -> Result<T, Failure> + Send,
{
    fn is_wanted(&self) -> bool {
        match &self.answer {
            Some(Answer::Task(sender)) => !sender.is_closed(),
            Some(Answer::Thread(_)) => true,
            None => false,
        }
    }

    fn run(&mut self, session: &mut Session<'_>) -> Progress {
        let failure = match (self.work)(session) {
            Ok(value) => {
                self.answer(Ok(value));
                return Progress {
                    is_answered: true,
                    is_lost: false,
                };
            }
            Err(failure) => failure,
        };
        let is_lost = session.is_lost(&failure);
        self.attempts = self.attempts.saturating_sub(1);
        let is_answered = !is_lost || self.attempts == 0;
        if is_answered {
            self.answer(Err(failure.told(session.token)));
        }
        Progress {
            is_answered,
            is_lost,
        }
    }

    fn refuse(&mut self, error: TokenError) {
        self.answer(Err(error));
    }
}
