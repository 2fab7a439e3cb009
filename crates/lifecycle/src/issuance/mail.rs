//! Handing over the mails that ask for approval: at most one at a time, seldom to the same mailbox, and never
//! again to one that said no. A mailbox is a third party's: whoever asks for a certificate need not own it.

use jiff::{SignedDuration, Timestamp};
use reseal_validation::email::{MailError, Receipt};

use super::prove::attention;
use crate::approval;
use crate::error::Error;
use crate::event::{Event, EventKind};
use crate::process::{MailChallenge, Process, ProofState, Work};
use crate::services::Services;
use crate::store::Change;

/// Between two mails of one process to one mailbox.
const PAUSE: SignedDuration = SignedDuration::from_mins(10);
/// Mails of one process to one mailbox, and in all for each name of the order.
const MOST: u32 = 5;

/// Why a mailbox gets no mail now.
enum Hold {
    Until(Timestamp),
    Exhausted,
}

fn hold(work: &Work, address: &str, now: Timestamp) -> Option<Hold> {
    let sent: usize = work
        .mailboxes
        .iter()
        .map(|known| known.mails as usize)
        .sum();
    if sent >= MOST as usize * work.proofs.len() {
        return Some(Hold::Exhausted);
    }
    let mailbox = work
        .mailboxes
        .iter()
        .find(|known| known.address == address)?;
    if mailbox.mails >= MOST {
        return Some(Hold::Exhausted);
    }
    let next = mailbox.last?.checked_add(PAUSE).ok()?;
    (now < next).then_some(Hold::Until(next))
}

/// Marks mails to be handed over again, where that is not too soon.
pub(super) fn ask_again(work: &mut Work, now: Timestamp) {
    for index in 0..work.mails.len() {
        if hold(work, &work.mails[index].address, now).is_none() {
            let mail = &mut work.mails[index];
            (mail.sent, mail.undeliverable) = (None, false);
        }
    }
}

/// Which mail was not sent again although the customer asked for it at `asked`, and why.
pub(super) fn held_back(work: &Work, asked: Timestamp) -> Option<String> {
    work.mails.iter().find_map(|mail| {
        let mailbox = work.mailbox(&mail.address)?;
        if mailbox.last.is_some_and(|last| last >= asked) {
            return None;
        }
        Some(match hold(work, &mail.address, asked)? {
            Hold::Until(next) => format!(
                "no new mail went to {}: the last one is less than {} minutes old, another one can go from {next} on",
                mail.address,
                PAUSE.as_mins()
            ),
            Hold::Exhausted => format!(
                "no new mail went to {}: this process has sent {} mails there. Choose another address or method",
                mail.address, mailbox.mails
            ),
        })
    })
}

impl Services {
    /// Hands over every mail that was not handed over yet. A token lives only in its mail: its hash is
    /// recorded before the mail leaves, and a mail whose handing over was not recorded gets a new one.
    pub(super) async fn send_mails(&self, mut process: Process) -> Result<Process, Error> {
        let mails = process.work().map_or(0, |work| work.mails.len());
        for index in 0..mails {
            let now = self.clock.now();
            let due = process.work().filter(|work| work.mails[index].is_due());
            let Some(held) = due.map(|work| hold(work, &work.mails[index].address, now)) else {
                continue;
            };
            process = match held {
                Some(Hold::Until(_)) => process,
                Some(Hold::Exhausted) => {
                    let seen = format!("no answer to {MOST} mails, and no more are sent");
                    let (next, events) = process
                        .update(now, |work| give_up(work, index, &seen, now))
                        .map_err(Error::internal)?;
                    self.advance_leased(Change::new(next, events)).await?
                }
                None => match self.confirm_contacts(process, index).await? {
                    (process, true) => self.send_mail(process, index, now).await?,
                    (process, false) => process,
                },
            };
        }
        Ok(process)
    }

    async fn send_mail(
        &self,
        process: Process,
        index: usize,
        now: Timestamp,
    ) -> Result<Process, Error> {
        let (token, form_token) = (approval::Token::new()?, approval::form_token()?);
        let mut last = None;
        let (process, events) = process
            .update(now, |work| {
                let mail = &mut work.mails[index];
                mail.token_sha256 = Some(token.hash_hex());
                mail.form_token = Some(form_token);
                mail.created = Some(now);
                // Counted before it leaves: whoever asks for it again meanwhile starts no second one.
                let address = mail.address.clone();
                let mailbox = work.mailbox_mut(&address);
                last = mailbox.last;
                mailbox.mails += 1;
                mailbox.last = Some(now);
                Vec::new()
            })
            .map_err(Error::internal)?;
        let mut change = Change::new(process, events);
        change.mail_tokens.push(token.hash());
        let process = self.advance_leased(change).await?;
        let Some(message) = approval::message(&process, index, &token, &self.settings) else {
            return Ok(process);
        };
        let result = self.mailer.send(&message).await;
        let (now, token) = (self.clock.now(), token.hash_hex());
        self.record_late(process, |process| {
            let mails = &process.work()?.mails;
            let is_it = |mail: &MailChallenge| mail.token_sha256.as_ref() == Some(&token);
            let index = mails.iter().position(is_it)?;
            let what = |work: &mut Work| handed_over(work, index, &result, last, now);
            process.update(now, what).ok()
        })
        .await
    }
}

/// Takes in what became of a mail. `last` is when the mailbox got one before it.
fn handed_over(
    work: &mut Work,
    index: usize,
    result: &Result<Receipt, MailError>,
    last: Option<Timestamp>,
    now: Timestamp,
) -> Vec<Event> {
    let mail = &mut work.mails[index];
    let address = mail.address.clone();
    match result {
        Ok(receipt) => {
            mail.sent = Some(now);
            let names = mail.names.iter().map(|name| name.as_str().to_owned());
            let kind = EventKind::MailSent {
                address,
                names: names.collect(),
                receipt: receipt.taken_by.clone(),
            };
            vec![Event::new(now, kind)]
        }
        Err(error) => {
            let temporary = error.is_temporary();
            let reason = error.to_string();
            let mut events = Vec::new();
            if temporary {
                // It did not leave.
                let mailbox = work.mailbox_mut(&address);
                mailbox.mails = mailbox.mails.saturating_sub(1);
                mailbox.last = last;
            } else {
                events = give_up(work, index, &reason, now);
            }
            events.insert(
                0,
                Event::new(now, EventKind::MailFailed { address, reason }),
            );
            events
        }
    }
}

/// Nothing comes of this mail unless the customer does something.
pub(super) fn give_up(work: &mut Work, index: usize, seen: &str, now: Timestamp) -> Vec<Event> {
    work.mails[index].undeliverable = true;
    let mail = &work.mails[index];
    let state = ProofState::Attention {
        expected: format!("approval by {}", mail.address),
        seen: seen.to_owned(),
        advice: "Choose another address or method, or resend once the mailbox takes mail."
            .to_owned(),
    };
    let open = work.proofs.iter_mut();
    open.filter(|proof| !proof.is_proved() && mail.asks_about(proof))
        .filter_map(|proof| {
            proof.state = state.clone();
            attention(proof, now)
        })
        .collect()
}
