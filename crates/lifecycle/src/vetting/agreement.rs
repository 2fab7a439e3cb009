//! The mail with the subscriber agreement, and the answer of whoever got it. As with the mails that ask for
//! approval ([`crate::approval`]), the link's token exists in the mail alone, and looking at the link changes nothing.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use reseal_validation::email::{MailError, Message, Receipt};
use subtle::ConstantTimeEq as _;

use super::call::require_open;
use super::{VettedCheck, require_undecided};
use crate::approval::{self, Decision, Token};
use crate::audit::AuditEntry;
use crate::customer::{Caller, Scope};
use crate::error::{Error, Kind, Violation};
use crate::event::{Event, EventKind};
use crate::hands::Thing;
use crate::issuance::LEASE;
use crate::language::Language;
use crate::mail::AgreementLetter;
use crate::process::{AgreementMail, Approver, Check, Mailbox, Process, ProcessId, Step, Work};
use crate::services::{Services, Settings};
use crate::store::{Change, StoreError};

/// How long a link works.
const TOKEN_LIFE: SignedDuration = SignedDuration::from_hours(30 * 24);
/// Mails of one process to one mailbox, and in all.
const MOST: u32 = 5;
const MOST_IN_ALL: u32 = 10;

/// What the page behind the link shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreement {
    /// Who would be bound.
    pub organization: String,
    /// Where it is, as certificates say it.
    pub place: String,
    /// Who answers for the request.
    pub approver: Option<Approver>,
    /// Names of the certificate.
    pub names: Vec<String>,
    /// Who asked for the certificate.
    pub customer: String,
    /// Product handle.
    pub product: String,
    /// The process.
    pub process: ProcessId,
    /// For whom the link was made.
    pub address: String,
    /// Goes into the form.
    pub form_token: String,
}

impl Agreement {
    fn of(process: &Process) -> Option<Self> {
        let work = process.work()?;
        let mail = process.agreement_mail()?;
        let subject = work.order.subject.as_ref()?;
        let parts = [
            subject.street.as_deref(),
            subject.postal_code.as_deref(),
            subject.locality.as_deref(),
            subject.state.as_deref(),
            Some(subject.country.as_str()),
        ];
        let names = work.order.names.iter().map(|name| name.as_str().to_owned());
        Some(Self {
            organization: subject.organization.clone(),
            place: parts.into_iter().flatten().collect::<Vec<_>>().join(", "),
            approver: work.order.approver.clone(),
            names: names.collect(),
            customer: process.customer.clone(),
            product: work.order.product.clone(),
            process: process.id,
            address: mail.address.clone(),
            form_token: mail.form_token.clone()?,
        })
    }
}

/// The mail with the agreement of `process`, whose link carries `token`.
fn message(process: &Process, token: &Token, settings: &Settings) -> Option<Message> {
    let agreement = Agreement::of(process)?;
    let order = &process.work()?.order;
    let mail = process.agreement_mail()?;
    let created = mail.created?;
    // Somebody else may be asked to sign than who answers for the request.
    let recipient = (agreement.approver.as_ref())
        .filter(|approver| approver.email == mail.address)
        .map(|approver| format!("{} {}", approver.first_name, approver.last_name));
    let names: Vec<&str> = agreement.names.iter().map(String::as_str).collect();
    let letter = AgreementLetter {
        name: recipient.as_deref(),
        organization: &agreement.organization,
        names: &names,
        customer: &agreement.customer,
        product: &agreement.product,
        process: process.id,
        link: &format!("{}/agreement/{}", settings.public_url, token.as_str()),
        expires: created.saturating_add(TOKEN_LIFE).unwrap_or(created),
    };
    let letter = letter.letter(mail.language.unwrap_or(order.language));
    // The hash tells copies of a mail apart without giving the token away.
    let message_id = format!(
        "{}.{}@{}",
        process.id,
        &token.hash_hex()[..24],
        settings.caa_identity
    );
    Some(letter.addressed(&mail.address, message_id, created))
}

impl Services {
    /// Sends the subscriber agreement to `email`, in place of one that was sent before. Whether the mail could be
    /// handed over shows in the timeline.
    ///
    /// # Errors
    /// [`Kind::NotFound`]; [`Kind::Status`] when no agreement is to be signed (any more), or enough mails were sent;
    /// [`Kind::Constraint`] for an address where it was declined.
    pub async fn send_subscriber_agreement(
        self: &Arc<Self>,
        caller: &Caller,
        id: ProcessId,
        email: &str,
        language: Option<Language>,
    ) -> Result<(), Error> {
        let process = loop {
            let process = self.process(caller, id).await?;
            require_undecided(&process)?;
            require_open(&process, Check::Agreement)?;
            check_mailbox(&process, email)?;
            let now = self.clock.now();
            let mail = AgreementMail::new(email.to_owned(), language);
            let (process, events) = process
                .request_agreement(mail, &caller.user, now)
                .map_err(Error::internal)?;
            let mut change = Change::new(process, events);
            change.lease = now.checked_add(LEASE).ok();
            match self.store.advance(change).await {
                Ok(process) => break process,
                // A check was recorded at the same moment: ask on top of it.
                Err(StoreError::Stale) => {}
                Err(error) => return Err(error.into()),
            }
        };
        self.go_on(process).await.map(|_| ())
    }

    /// Hands over the agreement's mail if that is to be done. Its token is recorded before the mail leaves, and a
    /// mail whose handing over was not recorded gets a new one.
    pub(crate) async fn send_agreement(&self, process: Process) -> Result<Process, Error> {
        let on_its_way = Thing::Agreement(process.id);
        // Another run of this process may be handing it over, and records that on top of what this one does.
        let is_leaving = |mail: &AgreementMail| {
            mail.sent.is_some() || mail.token_sha256.is_some() && self.hands.has(on_its_way)
        };
        if process.agreement_mail().is_none_or(is_leaving) {
            return Ok(process);
        }
        let _held = self.hands.hold(on_its_way);
        let now = self.clock.now();
        let (token, form_token) = (Token::new()?, approval::form_token()?);
        let (process, events) = process
            .update(now, |work| {
                if let Some(mail) = &mut work.vetting.agreement {
                    mail.token_sha256 = Some(token.hash_hex());
                    mail.form_token = Some(form_token);
                    mail.created = Some(now);
                    let mailbox = Mailbox::of(&mut work.vetting.mailboxes, &mail.address);
                    mailbox.mails += 1;
                    mailbox.last = Some(now);
                }
                Vec::new()
            })
            .map_err(Error::internal)?;
        let mut change = Change::new(process, events);
        change.mail_tokens.push(token.hash());
        let process = self.advance_leased(change).await?;
        let Some(message) = message(&process, &token, &self.settings) else {
            return Ok(process);
        };
        let result = self.mailer.send(&message).await;
        let (now, token) = (self.clock.now(), token.hash_hex());
        self.record_late(process, |process| {
            let mail = process.agreement_mail()?;
            let is_it = mail.token_sha256.as_ref() == Some(&token);
            is_it.then(|| handed_over(process, &message.to, &result, now))?
        })
        .await
    }

    /// What the page of the link `token` shows; `None` for every link that decides nothing.
    pub async fn agreement(&self, token: &str) -> Result<Option<Agreement>, Error> {
        let process = self.process_of_agreement(token).await?;
        Ok(process.as_ref().and_then(Agreement::of))
    }

    /// Takes the answer of whoever holds the link; `false` when the link decides nothing.
    pub async fn answer_agreement(
        self: &Arc<Self>,
        token: &str,
        form: &str,
        decision: Decision,
    ) -> Result<bool, Error> {
        let process = loop {
            let Some(process) = self.process_of_agreement(token).await? else {
                return Ok(false);
            };
            let expected = process
                .agreement_mail()
                .and_then(|mail| mail.form_token.as_deref());
            if !expected.is_some_and(|token| token.as_bytes().ct_eq(form.as_bytes()).into()) {
                return Ok(false);
            }
            match self
                .store
                .advance(self.agreement_answered(process, decision)?)
                .await
            {
                Ok(process) => break process,
                // A check was recorded at the same moment: answer on top of it.
                Err(StoreError::Stale) => {}
                Err(error) => return Err(error.into()),
            }
        };
        self.go_on(process).await.map(|_| true)
    }

    fn agreement_answered(&self, process: Process, decision: Decision) -> Result<Change, Error> {
        let now = self.clock.now();
        let accepted = decision == Decision::Approve;
        let address = process
            .agreement_mail()
            .map(|mail| mail.address.clone())
            .unwrap_or_default();
        let (process, events) = process
            .answer_agreement(accepted, now)
            .map_err(Error::internal)?;
        let action = if accepted {
            "agreement.accept"
        } else {
            "agreement.decline"
        };
        let actor = format!("mail/{address}");
        let object = AuditEntry::process(process.id);
        let mut change = Change::new(process, events);
        change
            .audit
            .push(AuditEntry::new(now, &actor, action, object));
        let validated = |work: &Work| work.vetting.is_validated(Check::Agreement);
        if change.process.work().is_some_and(validated) {
            let vetted = VettedCheck::of(&change.process, Check::Agreement, now);
            change
                .vetted
                .extend(vetted.map(|vetted| vetted.signed_by(address)));
        }
        change.lease = now.checked_add(LEASE).ok();
        Ok(change)
    }

    /// The open process whose agreement `token` decides about now.
    async fn process_of_agreement(&self, token: &str) -> Result<Option<Process>, Error> {
        let Some(hash) = approval::hash_of(token) else {
            return Ok(None);
        };
        let Some(id) = self.store.process_of_mail_token(&hash).await? else {
            return Ok(None);
        };
        let Some(process) = self.store.process(&Scope::Everything, id).await? else {
            return Ok(None);
        };
        let (now, wanted) = (self.clock.now(), hex::encode(hash));
        let alive = process.agreement_mail().is_some_and(|mail| {
            mail.token_sha256
                .as_ref()
                .is_some_and(|known| known.as_bytes().ct_eq(wanted.as_bytes()).into())
                && mail
                    .created
                    .is_some_and(|created| now.duration_since(created) <= TOKEN_LIFE)
        });
        let alive = alive && require_undecided(&process).is_ok();
        Ok(Some(process).filter(|_| alive))
    }
}

/// Whether one more mail may go to `email`.
fn check_mailbox(process: &Process, email: &str) -> Result<(), Error> {
    let Some(work) = process.work() else {
        return Ok(());
    };
    let known = &work.vetting.mailboxes;
    let here = known.iter().find(|mailbox| mailbox.address == email);
    if here.is_some_and(|mailbox| mailbox.rejected) {
        let message = format!(
            "the agreement was declined by `{email}`, which is not asked again: choose another address"
        );
        let violation = Violation::new("email", message, Some(email));
        return Err(Error::constraint(vec![violation]));
    }
    let in_all: u32 = known.iter().map(|mailbox| mailbox.mails).sum();
    if here.is_some_and(|mailbox| mailbox.mails >= MOST) || in_all >= MOST_IN_ALL {
        let message = format!(
            "Process {} has sent the agreement {MOST} times to one address or {MOST_IN_ALL} times in all, and sends no more: ask the operator to record it",
            process.id
        );
        return Err(Error::new(Kind::Status, message));
    }
    Ok(())
}

/// Takes in what became of the mail.
fn handed_over(
    process: Process,
    address: &str,
    result: &Result<Receipt, MailError>,
    now: Timestamp,
) -> Option<Step> {
    let step = match result {
        Ok(receipt) => process.update(now, |work| {
            if let Some(mail) = &mut work.vetting.agreement {
                mail.sent = Some(now);
            }
            let kind = EventKind::AgreementSent {
                address: address.to_owned(),
                receipt: receipt.taken_by.clone(),
            };
            vec![Event::new(now, kind)]
        }),
        Err(error) => {
            let reason = error.to_string();
            let failed = Event::new(
                now,
                EventKind::MailFailed {
                    address: address.to_owned(),
                    reason: reason.clone(),
                },
            );
            let step = if error.is_temporary() {
                process.update(now, |work| {
                    // It did not leave.
                    let mailbox = Mailbox::of(&mut work.vetting.mailboxes, address);
                    mailbox.mails = mailbox.mails.saturating_sub(1);
                    Vec::new()
                })
            } else {
                let reason = format!("the mail to {address} cannot be delivered: {reason}");
                process.give_up_agreement(&reason, now)
            };
            step.map(|(process, mut events)| {
                events.insert(0, failed);
                (process, events)
            })
        }
    };
    // It may have been signed or ended since.
    step.ok()
}
