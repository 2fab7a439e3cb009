//! A customer says "look now", perhaps after choosing another way to prove a name.

use std::sync::Arc;

use jiff::Timestamp;
use reseal_pki::name::NamePolicy;
use reseal_validation::challenge::random_value;

use super::contacts::Contacts;
use super::plan::{self, Planning};
use super::token;
use super::{DcvChoice, LEASE, Mode, mail};
use crate::customer::Caller;
use crate::error::{Error, Kind};
use crate::event::{Event, EventKind};
use crate::process::{NameProof, Process, ProcessId, ProofState, ResumeType, Work};
use crate::product::DcvType;
use crate::services::Services;
use crate::store::{Change, StoreError};

impl Services {
    /// Checks an open process now, whatever its schedule, and sends its mails again unless that is too soon.
    /// Challenges stay as they are while the method stays; a name whose method changes gets a new one and its old
    /// one is dead (D-12). The answer is what still stands in the way, if anything, as far as it is known after `sync_wait`,
    /// and which choices came too late.
    ///
    /// # Errors
    /// [`Kind::NotFound`], [`Kind::Status`], [`Kind::Constraint`] for unusable choices.
    pub async fn resend(
        self: &Arc<Self>,
        caller: &Caller,
        id: ProcessId,
        dcv: Option<Vec<DcvChoice>>,
    ) -> Result<Option<String>, Error> {
        let choices = dcv.unwrap_or_default();
        let asked = self.clock.now();
        let contacts = self.contacts_for_resend(caller, id, &choices).await?;
        let (process, ignored) = loop {
            let process = self.process(caller, id).await?;
            if !process.resume_types().contains(&ResumeType::Resend) {
                return Err(Error::new(
                    Kind::Status,
                    format!(
                        "Process {id} is {}: there is nothing to resend",
                        process.status().as_str()
                    ),
                ));
            }
            let ignored = process.work().and_then(|work| ignored(work, &choices));
            match self
                .store
                .advance(self.resent(process, caller, &choices, &contacts)?)
                .await
            {
                Ok(process) => break (process, ignored),
                // A check was recorded at the same moment: choose on top of it.
                Err(StoreError::Stale) => {}
                Err(error) => return Err(error.into()),
            }
        };
        let process = self.go_on(process).await?;
        let warnings: Vec<String> = warning(&process, asked)
            .into_iter()
            .chain(ignored)
            .collect();
        Ok((!warnings.is_empty()).then(|| warnings.join("; ")))
    }

    /// What the DNS says about addresses among `choices`, if that matters.
    async fn contacts_for_resend(
        &self,
        caller: &Caller,
        id: ProcessId,
        choices: &[DcvChoice],
    ) -> Result<Contacts, Error> {
        let process = self.process(caller, id).await?;
        // One that cannot be resent is refused later.
        let Some(work) = process.work().filter(|_| process.is_open()) else {
            return Ok(Contacts::Unasked);
        };
        let planning = self.planning(work, choices, &Contacts::Unasked)?;
        self.contacts_for(&process.customer, &planning, Mode::Execute)
            .await
    }

    fn planning<'a>(
        &'a self,
        work: &'a Work,
        choices: &'a [DcvChoice],
        contacts: &'a Contacts,
    ) -> Result<Planning<'a>, Error> {
        Ok(Planning {
            names: &work.order.names,
            product: self.product(&work.order.product)?,
            policy: &self.settings.names,
            choices,
            authorizations: &[],
            earlier: &[],
            contacts,
            mailboxes: &work.mailboxes,
            now: self.clock.now(),
        })
    }

    /// The step that takes the choices in and keeps the process for the check that follows.
    fn resent(
        &self,
        process: Process,
        caller: &Caller,
        choices: &[DcvChoice],
        contacts: &Contacts,
    ) -> Result<Change, Error> {
        let now = self.clock.now();
        let work = process
            .work()
            .ok_or_else(|| Error::internal("a resendable process without work"))?;
        let violations = plan::check_choices(&self.planning(work, choices, contacts)?);
        if !violations.is_empty() {
            return Err(Error::constraint(violations));
        }
        let random = random_value().map_err(Error::internal)?;
        let (user, customer) = (caller.user.clone(), process.customer.clone());
        let (process, events) = process
            .update(now, |work| {
                let changed = choose(work, choices, contacts, &self.settings.names, random);
                self.refill(work, &customer);
                mail::ask_again(work, now);
                vec![Event::new(now, EventKind::Resent { user, changed })]
            })
            .map_err(Error::internal)?;
        let mut change = Change::new(process, events);
        change.request_token = change.process.work().and_then(token::given_out);
        change.lease = now.checked_add(LEASE).ok();
        Ok(change)
    }
}

/// Applies the choices to names that are still open; the answer is which of them changed.
fn choose(
    work: &mut Work,
    choices: &[DcvChoice],
    contacts: &Contacts,
    policy: &NamePolicy,
    random: String,
) -> Vec<String> {
    let mut changed = Vec::new();
    for choice in choices {
        let open = work
            .proofs
            .iter_mut()
            .find(|proof| !proof.is_proved() && is_another_way(choice, proof));
        let Some(proof) = open else {
            continue;
        };
        let email = address(choice).cloned();
        proof.method = choice.method;
        proof.contact = plan::contact_of(&proof.name, email.as_deref(), contacts, policy);
        proof.email = email;
        proof.challenge = None;
        proof.persistent = None;
        proof.state = ProofState::Waiting;
        changed.push(choice.common_name.clone());
    }
    if !changed.is_empty() {
        work.random = random;
    }
    changed
}

/// Which choices change nothing, since their names are validated already by another way.
fn ignored(work: &Work, choices: &[DcvChoice]) -> Option<String> {
    let is_late = |choice: &&DcvChoice| {
        let mut proved = work.proofs.iter().filter(|proof| proof.is_proved());
        proved.any(|proof| is_another_way(choice, proof))
    };
    let late = choices.iter().filter(is_late);
    let names: Vec<&str> = late.map(|choice| choice.common_name.as_str()).collect();
    (!names.is_empty()).then(|| {
        let names = names.join(", ");
        format!("{names}: validated already, so that `dcv` changes nothing there")
    })
}

/// Whether `choice` is for the name of `proof`, and is not the way that it has.
fn is_another_way(choice: &DcvChoice, proof: &NameProof) -> bool {
    proof.name.as_str() == choice.common_name
        && (proof.method != choice.method || proof.email.as_ref() != address(choice))
}

/// The address that a choice means; beside other methods it means nothing.
fn address(choice: &DcvChoice) -> Option<&String> {
    let email = choice.email.as_ref();
    email.filter(|_| choice.method == DcvType::Email)
}

/// What the first open name still lacks, seen by who asked at `asked`.
fn warning(process: &Process, asked: Timestamp) -> Option<String> {
    let work = process.work()?;
    if !process.is_open() {
        return None;
    }
    let open = work.proofs.iter().find_map(|proof| match &proof.state {
        ProofState::Attention {
            expected,
            seen,
            advice,
        } => Some(format!(
            "{}: expected {expected}; saw {seen}. {advice}",
            proof.name
        )),
        ProofState::Waiting | ProofState::Proved { .. } => None,
    });
    let caa = || {
        let refused = work.caa.iter().find(|caa| !caa.permitted)?;
        Some(format!(
            "CAA does not permit {}: {}",
            refused.name, refused.reason
        ))
    };
    open.or_else(caa)
        .or_else(|| mail::held_back(work, asked))
        .or_else(|| {
            let waiting: Vec<&NameProof> = work
                .proofs
                .iter()
                .filter(|proof| !proof.is_proved())
                .collect();
            waiting
                .first()
                .map(|proof| format!("{}: not proved yet", proof.name))
        })
        .or_else(|| process.status_detail().map(str::to_owned))
}
