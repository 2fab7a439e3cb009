//! Transitions around the one certificate that a process gets from an upstream.

use jiff::Timestamp;

use super::{IllegalTransition, Outcome, Process, State, Step};
use crate::event::{Event, EventKind};

impl Process {
    /// Checking → finalizing: everything is proved, and the upstream is about to be asked for the certificate of its
    /// order. From here on nothing is ordered for this process any more.
    pub fn finalize(self, now: Timestamp) -> Result<Step, IllegalTransition> {
        match &self.state {
            State::Checking { work } if work.all_proved() => self.asking(now),
            _ => Err(self.illegal("be finalized")),
        }
    }

    /// Finalizing or in doubt → finalizing: the upstream is about to be asked once more for the certificate of the same
    /// order.
    pub fn ask_again(self, now: Timestamp) -> Result<Step, IllegalTransition> {
        match &self.state {
            State::Finalizing { .. } | State::InDoubt { .. } => self.asking(now),
            _ => Err(self.illegal("ask an upstream again")),
        }
    }

    /// → finalizing, if there is an order.
    fn asking(mut self, now: Timestamp) -> Result<Step, IllegalTransition> {
        let mut work = match self.state {
            State::Checking { work } | State::Finalizing { work } | State::InDoubt { work, .. }
                if work.upstream.is_some() =>
            {
                work
            }
            other => {
                self.state = other;
                return Err(self.illegal("be finalized"));
            }
        };
        let mut order = String::new();
        if let Some(upstream) = &mut work.upstream {
            upstream.asked = Some(now);
            upstream.first_asked.get_or_insert(now);
            order.clone_from(&upstream.url);
        }
        let issuer = work.order.issuer.clone();
        self.state = State::Finalizing { work };
        self.next_run = Some(now);
        self.updated = now;
        let event = EventKind::UpstreamAsked { issuer, order };
        Ok((self, vec![Event::new(now, event)]))
    }

    /// Finalizing → checking: the upstream was going to be asked, and certainly was not.
    pub fn step_back(mut self, now: Timestamp) -> Result<Self, IllegalTransition> {
        let mut work = match self.state {
            State::Finalizing { work } => work,
            other => {
                self.state = other;
                return Err(self.illegal("step back"));
            }
        };
        if let Some(upstream) = &mut work.upstream {
            (upstream.asked, upstream.first_asked) = (None, None);
        }
        self.state = State::Checking { work };
        self.updated = now;
        Ok(self)
    }

    /// Finalizing or in doubt, to be looked at again at `next`; in doubt while it is not known what became of the order,
    /// for the reason in `doubt`.
    pub fn await_upstream(
        mut self,
        doubt: Option<String>,
        next: Timestamp,
        now: Timestamp,
    ) -> Result<Step, IllegalTransition> {
        let (work, before) = match self.state {
            State::Finalizing { work } => (work, None),
            State::InDoubt { work, detail } => (work, Some(detail)),
            other => {
                self.state = other;
                return Err(self.illegal("wait for an upstream"));
            }
        };
        // The same doubt again is no news.
        let news = doubt.clone().filter(|_| doubt != before);
        let event = news.map(|reason| EventKind::Waiting {
            reason,
            next: Some(next),
        });
        self.state = match doubt {
            Some(detail) => State::InDoubt { work, detail },
            None => State::Finalizing { work },
        };
        self.next_run = Some(next);
        self.updated = now;
        Ok((
            self,
            event
                .map(|kind| Event::new(now, kind))
                .into_iter()
                .collect(),
        ))
    }

    /// Finalizing or in doubt → completed: the upstream's certificate with the serial number `serial` (hex), valid until
    /// `not_after`, is stored with this step.
    pub fn complete_upstream(
        mut self,
        serial: String,
        not_after: Timestamp,
        now: Timestamp,
    ) -> Result<Step, IllegalTransition> {
        let work = match self.state {
            State::Finalizing { work } | State::InDoubt { work, .. } => work,
            other => {
                self.state = other;
                return Err(self.illegal("be completed"));
            }
        };
        let mpic = work.mpic();
        self.state = State::Ended {
            work: Some(work),
            result: Outcome::Completed,
        };
        self.next_run = None;
        self.updated = now;
        let event = EventKind::Issued {
            serial,
            not_after,
            mpic,
        };
        Ok((self, vec![Event::new(now, event)]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::{Action, Opening, ProcessStatus, Work, sample};

    fn open(work: Work) -> Process {
        let opening = Opening {
            customer: "acme".to_owned(),
            user: "acme/api".to_owned(),
            action: Action::Request,
            command: serde_json::Value::Null,
            source: None,
            subscription: None,
        };
        Process::open(opening, work, sample::now()).0
    }

    fn ordered(proved: bool) -> Work {
        let mut work = sample::work(proved);
        work.upstream = Some(sample::order());
        work
    }

    #[test]
    fn nothing_is_asked_for_without_an_order_or_a_proof() {
        let now = sample::now();
        assert!(open(sample::work(true)).finalize(now).is_err());
        assert!(open(ordered(false)).finalize(now).is_err());
        assert!(open(ordered(true)).finalize(now).is_ok());
    }

    #[test]
    fn what_is_asked_for_can_not_be_cancelled_and_a_lost_answer_is_a_doubt_that_ends() {
        let now = sample::now();
        let (process, _) = open(ordered(true)).finalize(now).unwrap();
        assert_eq!(process.status(), ProcessStatus::Running);
        assert!(process.clone().cancel("acme/api".to_owned(), now).is_err());
        let (process, _) = process
            .await_upstream(Some("lost".to_owned()), now, now)
            .unwrap();
        assert_eq!(process.status(), ProcessStatus::InDoubt);
        let (process, events) = process
            .await_upstream(Some("lost".to_owned()), now, now)
            .unwrap();
        assert_eq!(events, []);
        let later = now + jiff::SignedDuration::from_mins(5);
        let (again, _) = process.clone().ask_again(later).unwrap();
        let asked = again.work().unwrap().upstream.as_ref().unwrap().asked;
        assert_eq!(
            (again.status(), asked),
            (ProcessStatus::Running, Some(later))
        );
        assert!(process.clone().cancel("acme/api".to_owned(), now).is_err());
        let (known, _) = process.clone().await_upstream(None, now, now).unwrap();
        assert_eq!(known.status(), ProcessStatus::Running);
        let (ended, _) = process
            .complete_upstream("01".to_owned(), now, now)
            .unwrap();
        assert_eq!(ended.status(), ProcessStatus::Completed);
        assert!(ended.await_upstream(None, now, now).is_err());
    }
    #[test]
    fn what_was_certainly_not_asked_for_is_checked_as_before_and_can_be_cancelled() {
        let now = sample::now();
        let (process, _) = open(ordered(true)).finalize(now).unwrap();
        let process = process.step_back(now).unwrap();
        let order = process.work().unwrap().upstream.as_ref();
        assert_eq!(order, Some(&sample::order()));
        assert!(process.clone().cancel("acme/api".to_owned(), now).is_ok());
        let (process, _) = process.finalize(now).unwrap();
        let doubt = process.await_upstream(Some("lost".to_owned()), now, now);
        let (in_doubt, _) = doubt.unwrap();
        assert!(in_doubt.step_back(now).is_err());
    }
}
