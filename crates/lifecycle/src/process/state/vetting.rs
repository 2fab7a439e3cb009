//! Transitions by decisions about the organization. Each wakes the process, so that a worker goes on from there,
//! also after a crash, and when the decision came from a command line beside the server.

use jiff::Timestamp;

use super::{IllegalTransition, Process, Step};
use crate::event::{Event, EventKind};
use crate::process::vetting::{AgreementMail, Check, CheckState};
use crate::process::work::Work;

impl Process {
    /// Open checks → validated. Checking or suspended, and only checks that its level needs.
    pub fn approve(
        self,
        checks: &[Check],
        user: &str,
        reason: Option<&str>,
        obtained: Timestamp,
        now: Timestamp,
    ) -> Result<Step, IllegalTransition> {
        self.require(checks)?.decided(now, |work| {
            let approved = |check: &Check| {
                validate(work, *check, obtained);
                work.vetting.believe(*check);
                let kind = EventKind::CheckApproved {
                    check: *check,
                    user: user.to_owned(),
                    obtained,
                    reason: reason.map(str::to_owned),
                };
                Event::new(now, kind)
            };
            checks.iter().map(approved).collect()
        })
    }

    /// Checks, decided or not → the customer must act. Checking or suspended, and only checks that its level
    /// needs.
    pub fn object(
        self,
        checks: &[Check],
        user: &str,
        reason: &str,
        now: Timestamp,
    ) -> Result<Step, IllegalTransition> {
        self.require(checks)?.decided(now, |work| {
            let objected = |check: &Check| {
                work.vetting.doubt(*check);
                object(work, *check, Some(user), reason, now)
            };
            checks.iter().map(objected).collect()
        })
    }

    /// Checking or suspended → failed, by an operator.
    pub fn reject(
        self,
        user: &str,
        reason: &str,
        now: Timestamp,
    ) -> Result<Step, IllegalTransition> {
        let user = user.to_owned();
        let (process, mut events) = self.update(now, |_| {
            vec![Event::new(now, EventKind::ValidationRejected { user })]
        })?;
        let (process, ended) = process.fail(reason.to_owned(), now)?;
        events.extend(ended);
        Ok((process, events))
    }

    /// The customer wants to be called at `date`. Only while the call is open.
    pub fn schedule_call(
        self,
        date: Timestamp,
        user: &str,
        now: Timestamp,
    ) -> Result<Step, IllegalTransition> {
        let user = user.to_owned();
        self.require_open(Check::Voice)?.decided(now, |work| {
            work.vetting.call = Some(date);
            vec![Event::new(now, EventKind::CallScheduled { user, date })]
        })
    }

    /// The agreement is to be sent by `mail`, in place of one that is under way. Only while it is open.
    pub fn request_agreement(
        self,
        mail: AgreementMail,
        user: &str,
        now: Timestamp,
    ) -> Result<Step, IllegalTransition> {
        let kind = EventKind::AgreementRequested {
            user: user.to_owned(),
            address: mail.address.clone(),
        };
        self.require_open(Check::Agreement)?.decided(now, |work| {
            // What stood in the way is dealt with; whether it is, the mail's answer shows.
            work.vetting.set(Check::Agreement, CheckState::Waiting);
            work.vetting.agreement = Some(mail);
            vec![Event::new(now, kind)]
        })
    }

    /// Whoever got the mail has answered. An acceptance approves the check, unless an operator doubts it: then it
    /// is for the operator to see whether this signature is better than what was there before.
    pub fn answer_agreement(
        self,
        accepted: bool,
        now: Timestamp,
    ) -> Result<Step, IllegalTransition> {
        let process = self.require_open(Check::Agreement)?;
        let Some(mail) = process.agreement_mail().cloned() else {
            return Err(process.illegal("be agreed to without a mail"));
        };
        process.decided(now, |work| {
            let address = mail.address.clone();
            let kind = EventKind::AgreementAnswered { address, accepted };
            let mut events = vec![Event::new(now, kind)];
            if accepted {
                work.vetting.signer = Some(mail.address.clone());
                if work.vetting.is_doubted(Check::Agreement) {
                    // Answered: the link is dead.
                    work.vetting.agreement = None;
                } else {
                    validate(work, Check::Agreement, now);
                }
            } else {
                let mailboxes = &mut work.vetting.mailboxes;
                for mailbox in mailboxes
                    .iter_mut()
                    .filter(|one| one.address == mail.address)
                {
                    mailbox.rejected = true;
                }
                let reason = format!("it was declined by {}", mail.address);
                events.push(object(work, Check::Agreement, None, &reason, now));
            }
            events
        })
    }

    /// The mail cannot be delivered, for `reason`: the customer has to choose another address.
    pub fn give_up_agreement(
        self,
        reason: &str,
        now: Timestamp,
    ) -> Result<Step, IllegalTransition> {
        self.require_open(Check::Agreement)?.update(now, |work| {
            vec![object(work, Check::Agreement, None, reason, now)]
        })
    }

    /// Validated checks for which `usable` says no → waiting.
    pub fn outdate_checks(
        self,
        usable: impl Fn(Timestamp) -> bool,
        now: Timestamp,
    ) -> Result<Step, IllegalTransition> {
        self.update(now, |work| {
            let stale: Vec<(Check, Timestamp)> = work
                .checks()
                .filter_map(|(check, state)| match state {
                    CheckState::Validated { obtained, .. } => Some((check, *obtained)),
                    _ => None,
                })
                .filter(|(_, obtained)| !usable(*obtained))
                .collect();
            let outdated = |(check, obtained)| {
                work.vetting.set(check, CheckState::Waiting);
                Event::new(now, EventKind::CheckOutdated { check, obtained })
            };
            stale.into_iter().map(outdated).collect()
        })
    }

    /// Approvals that `lost` were relied on → waiting, for an operator. Checking or suspended.
    pub fn withdraw_checks(
        self,
        lost: &[Check],
        now: Timestamp,
    ) -> Result<Step, IllegalTransition> {
        self.require(lost)?.update(now, |work| {
            let withdrawn = |check: &Check| {
                work.vetting.set(*check, CheckState::Waiting);
                work.vetting.doubt(*check);
                Event::new(now, EventKind::CheckWithdrawn { check: *check })
            };
            lost.iter().map(withdrawn).collect()
        })
    }

    /// The mail that asks for the agreement and has not been answered.
    pub fn agreement_mail(&self) -> Option<&AgreementMail> {
        self.work()?.vetting.agreement.as_ref()
    }

    /// As [`Process::update`], and a worker looks at it now.
    fn decided(
        self,
        now: Timestamp,
        change: impl FnOnce(&mut Work) -> Vec<Event>,
    ) -> Result<Step, IllegalTransition> {
        let (mut process, events) = self.update(now, change)?;
        process.next_run = Some(now);
        Ok((process, events))
    }

    fn require(self, checks: &[Check]) -> Result<Self, IllegalTransition> {
        let needs = |check: &Check| {
            self.work()
                .is_some_and(|work| Check::needed_for(work.order.validation).contains(check))
        };
        if checks.iter().all(needs) {
            Ok(self)
        } else {
            Err(self.illegal("have a check that its level does not need"))
        }
    }

    fn require_open(self, check: Check) -> Result<Self, IllegalTransition> {
        if self.work().is_some_and(|work| work.is_open(check)) {
            Ok(self)
        } else {
            Err(self.illegal("have a check decided that is not open"))
        }
    }
}

fn validate(work: &mut Work, check: Check, obtained: Timestamp) {
    let state = CheckState::Validated {
        obtained,
        relied_on: None,
    };
    work.vetting.set(check, state);
}

fn object(
    work: &mut Work,
    check: Check,
    user: Option<&str>,
    reason: &str,
    now: Timestamp,
) -> Event {
    let reason = reason.to_owned();
    let state = CheckState::Attention {
        reason: reason.clone(),
    };
    work.vetting.set(check, state);
    let user = user.map(str::to_owned);
    let kind = EventKind::CheckNeedsAttention {
        check,
        user,
        reason,
    };
    Event::new(now, kind)
}

#[cfg(test)]
mod tests;
