//! Transitions between the precertificate of a process and its certificate.

use jiff::Timestamp;

use super::{IllegalTransition, Process, State, Step};
use crate::event::{Event, EventKind};
use crate::transparency::Promise;

impl Process {
    /// Signing → logging: the precertificate of the hash `sha256` (hex) is recorded with this step, and counts as issued
    /// from then on.
    pub fn precertify(mut self, sha256: String, now: Timestamp) -> Result<Step, IllegalTransition> {
        let (work, serial) = match self.state {
            State::Signing { work, serial } => (work, serial),
            other => {
                self.state = other;
                return Err(self.illegal("be precertified"));
            }
        };
        self.state = State::Logging {
            work,
            serial: serial.clone(),
            since: now,
            promises: Vec::new(),
            detail: None,
        };
        self.next_run = Some(now);
        self.updated = now;
        let event = EventKind::Precertified { serial, sha256 };
        Ok((self, vec![Event::new(now, event)]))
    }

    /// Logging: these promises came as well, and are kept whatever follows.
    pub fn logged(
        mut self,
        obtained: Vec<Promise>,
        now: Timestamp,
    ) -> Result<Step, IllegalTransition> {
        let State::Logging {
            promises, detail, ..
        } = &mut self.state
        else {
            return Err(self.illegal("be logged"));
        };
        let events = obtained.iter().map(|promise| {
            let kind = EventKind::Logged {
                log: promise.log.clone(),
                operator: promise.operator.clone(),
                log_id: promise.log_id.clone(),
                logged: promise.at,
            };
            Event::new(now, kind)
        });
        let events = events.collect();
        promises.extend(obtained);
        *detail = None;
        self.next_run = Some(now);
        self.updated = now;
        Ok((self, events))
    }

    /// Logging: there are too few promises, or something else is in the way; to be looked at again at `next`.
    pub fn await_logs(
        mut self,
        reason: String,
        next: Timestamp,
        now: Timestamp,
    ) -> Result<Step, IllegalTransition> {
        let State::Logging { detail, .. } = &mut self.state else {
            return Err(self.illegal("wait for logs"));
        };
        // What is waited for stands in the timeline once.
        let is_news = detail.as_ref() != Some(&reason);
        *detail = Some(reason.clone());
        self.next_run = Some(next);
        self.updated = now;
        let event = is_news.then(|| {
            let kind = EventKind::Waiting {
                reason,
                next: Some(next),
            };
            Event::new(now, kind)
        });
        Ok((self, event.into_iter().collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::{Action, Opening, ProcessStatus, sample};

    fn signing() -> Process {
        let opening = Opening {
            customer: "acme".to_owned(),
            user: "acme/api".to_owned(),
            action: Action::Request,
            command: serde_json::Value::Null,
            source: None,
            subscription: None,
        };
        let (process, _) = Process::open(opening, sample::work(true), sample::now());
        let reserved = process.reserve(
            "0a".to_owned(),
            "embedded".to_owned(),
            b"tbs",
            sample::now(),
        );
        reserved.unwrap().0
    }

    fn promise() -> Promise {
        Promise {
            log: "log.example/2027".to_owned(),
            operator: "Example".to_owned(),
            log_id: "ab".repeat(32),
            at: sample::now(),
            sct: "00".to_owned(),
        }
    }

    #[test]
    fn r_11_promises_are_kept_while_the_process_waits_and_its_serial_stays() {
        let now = sample::now();
        let (process, events) = signing().precertify("cd".to_owned(), now).unwrap();
        assert!(matches!(events[0].kind, EventKind::Precertified { .. }));
        assert_eq!(process.status(), ProcessStatus::Running);
        let (process, events) = process.logged(vec![promise()], now).unwrap();
        assert!(matches!(events[0].kind, EventKind::Logged { .. }));
        let (process, events) = process.await_logs("1 of 3".to_owned(), now, now).unwrap();
        assert_eq!(process.status(), ProcessStatus::Suspended);
        assert_eq!(process.status_detail(), Some("1 of 3"));
        assert_eq!(events.len(), 1);
        let (process, events) = process.await_logs("1 of 3".to_owned(), now, now).unwrap();
        assert!(events.is_empty(), "said once");
        let (process, _) = process.logged(vec![promise()], now).unwrap();
        assert_eq!(process.status(), ProcessStatus::Running);
        match process.state() {
            State::Logging {
                serial, promises, ..
            } => assert_eq!((serial.as_str(), promises.len()), ("0a", 2)),
            other => panic!("{other:?}"),
        }
        let stored = serde_json::to_string(process.state()).unwrap();
        let read: State = serde_json::from_str(&stored).unwrap();
        assert_eq!(&read, process.state());
        let (done, _) = process.complete(now, now).unwrap();
        assert_eq!(done.status(), ProcessStatus::Completed);
    }

    #[test]
    fn r_10_what_has_a_precertificate_cannot_be_cancelled_and_can_be_given_up() {
        let now = sample::now();
        assert!(signing().logged(Vec::new(), now).is_err());
        assert!(signing().await_logs(String::new(), now, now).is_err());
        let (process, _) = signing().precertify("cd".to_owned(), now).unwrap();
        assert!(process.clone().precertify("cd".to_owned(), now).is_err());
        let (process, _) = process.await_logs("waits".to_owned(), now, now).unwrap();
        assert!(process.clone().cancel("acme/api".to_owned(), now).is_err());
        assert_eq!(process.resume_types(), []);
        let (again, events) = process.clone().abandon("blocked".to_owned(), now).unwrap();
        assert!(matches!(again.state(), State::Checking { .. }));
        assert!(
            matches!(&events[0].kind, EventKind::ReservationAbandoned { serial, .. } if serial == "0a")
        );
        let (failed, _) = process.fail("too late".to_owned(), now).unwrap();
        assert_eq!(failed.status(), ProcessStatus::Failed);
    }
}
