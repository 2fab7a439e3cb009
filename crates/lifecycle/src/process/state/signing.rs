//! Transitions around the one signature of a process.

use aws_lc_rs::digest;
use jiff::Timestamp;

use super::{IllegalTransition, Outcome, Process, State, Step};
use crate::event::{Event, EventKind};
use crate::process::ticket::Ticket;

impl Process {
    /// Checking → signing: everything is proved and `serial` (hex) is about to be recorded with this step, for signing
    /// the bytes `tbs`. The event has the grounds; while one is missing, nothing can be signed.
    pub fn reserve(
        mut self,
        serial: String,
        issuer: String,
        tbs: &[u8],
        now: Timestamp,
    ) -> Result<Step, IllegalTransition> {
        let digest = hex::encode(digest::digest(&digest::SHA256, tbs));
        let ticket = match &self.state {
            State::Checking { work } => Ticket::of(work, digest, now),
            _ => None,
        };
        self.state = match (self.state, &ticket) {
            (State::Checking { work }, Some(_)) => State::Signing {
                work,
                serial: serial.clone(),
            },
            (other, _) => {
                self.state = other;
                return Err(self.illegal("be signed for"));
            }
        };
        self.next_run = Some(now);
        self.updated = now;
        let event = EventKind::Reserved {
            serial,
            issuer,
            ticket: ticket.map(Box::new),
        };
        Ok((self, vec![Event::new(now, event)]))
    }

    /// Signing, logging → checking: the reservation cannot be used any more (too old, refused by lint).
    pub fn abandon(mut self, reason: String, now: Timestamp) -> Result<Step, IllegalTransition> {
        let (work, serial) = match self.state {
            State::Signing { work, serial } | State::Logging { work, serial, .. } => (work, serial),
            other => {
                self.state = other;
                return Err(self.illegal("abandon a reservation"));
            }
        };
        self.state = State::Checking { work };
        self.next_run = Some(now);
        self.updated = now;
        let event = EventKind::ReservationAbandoned { serial, reason };
        Ok((self, vec![Event::new(now, event)]))
    }

    /// Signing, logging → completed: the certificate valid until `not_after` is stored with this step.
    pub fn complete(
        mut self,
        not_after: Timestamp,
        now: Timestamp,
    ) -> Result<Step, IllegalTransition> {
        let (work, serial) = match self.state {
            State::Signing { work, serial } | State::Logging { work, serial, .. } => (work, serial),
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
