//! The mail that asks a domain's owner for approval, and the answer (BR 3.2.2.4.4, rules.md D-14 to D-19).
//!
//! The link's token exists in the mail alone; the store has its hash, the process has it too and loses it
//! when the mail is answered, superseded or too old. Looking at the link changes nothing.

use std::sync::Arc;

use aws_lc_rs::{digest, rand};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use reseal_pki::calendar;
use reseal_pki::method::Method;
use reseal_pki::name::NamePolicy;
use reseal_validation::email::Message;
use subtle::ConstantTimeEq as _;

use crate::authorization::Authorization;
use crate::customer::Scope;
use crate::error::Error;
use crate::event::{Event, EventKind};
use crate::issuance::{LEASE, apply, attention, domain_of, method_of};
use crate::language::Language;
use crate::mail::ApprovalLetter;
use crate::process::{MailChallenge, NameProof, Process, ProcessId, ProofState, State, Work};
use crate::services::{Services, Settings};
use crate::store::{Change, StoreError};

/// A Random Value may be used for 30 days (D-3).
const TOKEN_LIFE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The Random Value of one mail: 128 bits from the system's generator.
pub(crate) struct Token {
    text: String,
}

impl Token {
    pub(crate) fn new() -> Result<Self, Error> {
        let text = random_hex()?;
        Ok(Self { text })
    }

    /// As it stands in the link.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn hash(&self) -> [u8; 32] {
        hash(&self.text)
    }

    pub(crate) fn hash_hex(&self) -> String {
        hex::encode(self.hash())
    }
}

/// What ties the page's form to the page: a value of its own, so that the link alone does not make a form.
pub(crate) fn form_token() -> Result<String, Error> {
    random_hex()
}

fn random_hex() -> Result<String, Error> {
    let mut bytes = [0_u8; 16];
    rand::fill(&mut bytes).map_err(|_| Error::internal("no randomness from the system"))?;
    Ok(hex::encode(bytes))
}

/// The hash under which the token of a link is known; `None` for what cannot be a token.
pub(crate) fn hash_of(token: &str) -> Option<[u8; 32]> {
    (token.len() == 32).then(|| hash(token))
}

fn hash(token: &str) -> [u8; 32] {
    let mut hash = [0_u8; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, token.as_bytes()).as_ref());
    hash
}

/// What the approval page shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// Names that an approval proves.
    pub names: Vec<String>,
    /// Who asked for the certificate.
    pub customer: String,
    /// Product handle.
    pub product: String,
    /// The process.
    pub process: ProcessId,
    /// For whom the link was made.
    pub address: String,
    /// The domain whose owner the address stands for, or several with commas between: the approval serves later
    /// certificates for it and for every name below it (design decision 6).
    pub domain: String,
    /// The last day on which it does so, UTC, if it is given now.
    pub until: Date,
    /// In which the question is put.
    pub language: Language,
    /// Goes into the form.
    pub form_token: String,
}

/// The answer to a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The certificate may be issued for these names.
    Approve,
    /// It may not.
    Reject,
}

/// The mail of a process's challenge `index`; `None` when there is no such challenge.
pub(crate) fn message(
    process: &Process,
    index: usize,
    token: &Token,
    settings: &Settings,
) -> Option<Message> {
    let work = process.work()?;
    let mail = work.mails.get(index)?;
    let names: Vec<&str> = mail
        .names
        .iter()
        .map(reseal_pki::name::DnsName::as_str)
        .collect();
    let created = mail.created?;
    // The last moment at which the link can be used makes the last day at which its approval can.
    let until = reusable_until(created.saturating_add(TOKEN_LIFE).unwrap_or(created));
    let letter = ApprovalLetter {
        names: &names,
        customer: &process.customer,
        product: &work.order.product,
        process: process.id,
        domain: &domains_of(work, mail),
        until,
        link: &format!("{}/dcv/approve/{}", settings.public_url, token.text),
        days: TOKEN_LIFE.as_hours() / 24,
    };
    let letter = letter.letter(work.order.language);
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
    /// What the page of the link `token` shows; `None` for every link that decides nothing (unknown, used,
    /// superseded, expired): callers show the same page for all of them (D-19).
    pub async fn approval(&self, token: &str) -> Result<Option<Approval>, Error> {
        let Some((process, index)) = self.mail_of(token).await? else {
            return Ok(None);
        };
        let now = self.clock.now();
        Ok(process.work().and_then(|work| {
            let mail = &work.mails[index];
            let asked = work.proofs.iter().filter(|proof| mail.asks_about(proof));
            let obtained = asked.map(|proof| obtained_at(proof, mail, now)).min();
            Some(Approval {
                names: mail
                    .names
                    .iter()
                    .map(|name| name.as_str().to_owned())
                    .collect(),
                customer: process.customer.clone(),
                product: work.order.product.clone(),
                process: process.id,
                address: mail.address.clone(),
                domain: domains_of(work, mail),
                until: reusable_until(obtained.unwrap_or(now)),
                language: work.order.language,
                form_token: mail.form_token.clone()?,
            })
        }))
    }

    /// Takes the answer of whoever holds the link; the answer is the language in which to thank for it, `None`
    /// when the link decides nothing.
    pub async fn decide(
        self: &Arc<Self>,
        token: &str,
        form: &str,
        decision: Decision,
    ) -> Result<Option<Language>, Error> {
        let (process, language) = loop {
            let Some((process, index)) = self.mail_of(token).await? else {
                return Ok(None);
            };
            let asked = process.work().and_then(|work| {
                Some((
                    work.order.language,
                    work.mails[index].form_token.as_deref()?,
                ))
            });
            let Some((language, expected)) = asked else {
                return Ok(None);
            };
            if !bool::from(expected.as_bytes().ct_eq(form.as_bytes())) {
                return Ok(None);
            }
            match self
                .store
                .advance(self.answered(process, index, decision)?)
                .await
            {
                Ok(process) => break (process, language),
                // A check was recorded at the same moment: answer on top of it.
                Err(StoreError::Stale) => {}
                Err(error) => return Err(error.into()),
            }
        };
        if decision == Decision::Approve {
            // The answer is recorded: the worker finishes what fails here.
            let _ = self.go_on(process).await;
        }
        Ok(Some(language))
    }

    fn answered(
        &self,
        process: Process,
        index: usize,
        decision: Decision,
    ) -> Result<Change, Error> {
        let now = self.clock.now();
        let customer = process.customer.clone();
        let mut obtained = Vec::new();
        let (process, events) = process
            .update(now, |work| {
                let mail = work.mails.remove(index);
                let mut events = vec![Event::new(
                    now,
                    EventKind::MailAnswered {
                        address: mail.address.clone(),
                        approved: decision == Decision::Approve,
                        names: mail
                            .names
                            .iter()
                            .map(|name| name.as_str().to_owned())
                            .collect(),
                    },
                )];
                match decision {
                    Decision::Approve => {
                        obtained =
                            authorizations_of(work, &mail, &customer, now, &self.settings.names);
                        for authorization in &obtained {
                            // Whoever answered read these names and no others (D-18).
                            let listed = |proof: &NameProof| mail.asks_about(proof);
                            events.extend(apply(work, authorization, self, listed));
                        }
                    }
                    Decision::Reject => {
                        work.mailbox_mut(&mail.address).rejected = true;
                        for proof in work
                            .proofs
                            .iter_mut()
                            .filter(|proof| mail.asks_about(proof))
                        {
                            proof.state = rejected(&mail.address);
                            events.extend(attention(proof, now));
                        }
                    }
                }
                events
            })
            .map_err(Error::internal)?;
        let mut change = Change::new(process, events);
        change.authorizations = obtained;
        change.lease = (decision == Decision::Approve)
            .then(|| now.checked_add(LEASE).ok())
            .flatten();
        Ok(change)
    }

    /// The open process and mail that `token` decides about now.
    async fn mail_of(&self, token: &str) -> Result<Option<(Process, usize)>, Error> {
        let Some(token_hash) = hash_of(token) else {
            return Ok(None);
        };
        let Some(id) = self.store.process_of_mail_token(&token_hash).await? else {
            return Ok(None);
        };
        let Some(process) = self.store.process(&Scope::Everything, id).await? else {
            return Ok(None);
        };
        if !matches!(
            process.state(),
            State::Checking { .. } | State::Suspended { .. }
        ) {
            return Ok(None);
        }
        let (now, wanted) = (self.clock.now(), hex::encode(token_hash));
        let alive = |mail: &MailChallenge| {
            mail.token_sha256
                .as_ref()
                .is_some_and(|known| bool::from(known.as_bytes().ct_eq(wanted.as_bytes())))
                && mail
                    .created
                    .is_some_and(|created| now.duration_since(created) <= TOKEN_LIFE)
        };
        let index = process
            .work()
            .and_then(|work| work.mails.iter().position(alive));
        Ok(index.map(|index| (process, index)))
    }
}

/// The proofs are for the domains that the address was computed from, or is published for: never for whatever domain
/// happens to run the mailbox (D-17). What does not prove the very name that the mail asked about proves nothing.
fn authorizations_of(
    work: &Work,
    mail: &MailChallenge,
    customer: &str,
    now: Timestamp,
    policy: &NamePolicy,
) -> Vec<Authorization> {
    let mut obtained: Vec<Authorization> = Vec::new();
    for proof in work.proofs.iter().filter(|proof| mail.asks_about(proof)) {
        let (adn, method) = (domain_by_mail(proof), method_of(proof));
        let authorization = Authorization {
            id: 0,
            customer: customer.to_owned(),
            adn: adn.to_owned(),
            method,
            only_itself: false,
            obtained: obtained_at(proof, mail, now),
            process: 0,
            witnesses: proof.contact_witnesses.clone(),
            alias: None,
            distrusted: None,
        };
        let known = |other: &Authorization| other.adn == adn && other.method == method;
        if !obtained.iter().any(known) && authorization.covers(&proof.name, now, policy) {
            obtained.push(authorization);
        }
    }
    obtained
}

/// Since when what an answer at `now` proves is known. That the DNS names the address was seen when the mail left, up to
/// thirty days ago: the older of the two counts (V-4).
fn obtained_at(proof: &NameProof, mail: &MailChallenge, now: Timestamp) -> Timestamp {
    let seen = mail.created.filter(|_| proof.contact.is_some());
    seen.map_or(now, |seen| seen.min(now))
}

/// The domain whose owner answers for a name that is proved by mail.
fn domain_by_mail(proof: &NameProof) -> &str {
    match (&proof.contact, &proof.email) {
        (Some(contact), _) => &contact.adn,
        (None, Some(email)) => domain_of(email),
        (None, None) => proof.name.fqdn(),
    }
}

/// The domains whose owner answers a mail, for people.
fn domains_of(work: &Work, mail: &MailChallenge) -> String {
    let asked = work.proofs.iter().filter(|proof| mail.asks_about(proof));
    let mut domains: Vec<&str> = asked.map(domain_by_mail).collect();
    domains.dedup();
    domains.join(", ")
}

/// The last day, UTC, on which an approval given at `obtained` can be relied on.
fn reusable_until(obtained: Timestamp) -> Date {
    let last = calendar::usable_until(Method::ConstructedEmail, obtained);
    TimeZone::UTC.to_datetime(last).date()
}

fn rejected(address: &str) -> ProofState {
    ProofState::Attention {
        expected: format!("approval by {address}"),
        seen: "the request was rejected there".to_owned(),
        advice: "Ask the domain's owner, then resend with another address or method.".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use reseal_validation::email::{Contact, ContactSource};

    use super::*;
    use crate::process::sample;
    use crate::product::DcvType;

    #[test]
    fn d_17_a_mailbox_never_approves_for_the_domain_it_lies_in() {
        let mut work = sample::work(false);
        let proved_by = |work: &mut Work, address: &str| {
            work.proofs[0].method = DcvType::Email;
            work.proofs[0].email = Some(address.to_owned());
            let mail = MailChallenge {
                address: address.to_owned(),
                names: vec![work.proofs[0].name.clone()],
                token_sha256: None,
                form_token: None,
                created: None,
                sent: None,
                undeliverable: false,
            };
            let now = Timestamp::from_second(1_795_000_000).unwrap();
            authorizations_of(work, &mail, "alice", now, &NamePolicy::default())
                .into_iter()
                .map(|authorization| authorization.adn)
                .collect::<Vec<_>>()
        };
        assert_eq!(proved_by(&mut work, "admin@reseal.net"), ["reseal.net"]);
        // Neither constructed nor published: whatever led here, it proves nothing at all.
        assert!(proved_by(&mut work, "mallory@mailer.dev").is_empty());
    }
    #[test]
    fn v_4_an_approval_by_a_contact_is_as_old_as_the_look_at_its_record() {
        let mut work = sample::work(false);
        let asked = Timestamp::from_second(1_795_000_000).unwrap();
        let answered = asked + SignedDuration::from_hours(29 * 24);
        let proof = &mut work.proofs[0];
        proof.method = DcvType::Email;
        proof.email = Some("admin@reseal.net".to_owned());
        let mail = MailChallenge {
            address: "admin@reseal.net".to_owned(),
            names: vec![proof.name.clone()],
            token_sha256: None,
            form_token: None,
            created: Some(asked),
            sent: None,
            undeliverable: false,
        };
        let obtained = |work: &Work| {
            let policy = NamePolicy::default();
            authorizations_of(work, &mail, "alice", answered, &policy)[0].obtained
        };
        // Follows from the name alone.
        assert_eq!(obtained(&work), answered);
        work.proofs[0].contact = Some(Contact {
            adn: work.proofs[0].name.fqdn().to_owned(),
            source: ContactSource::Txt,
            address: "admin@reseal.net".to_owned(),
        });
        assert_eq!(obtained(&work), asked);
    }
}
