//! Addresses that the DNS names for a domain: who may approve beside the constructed ones (BR 3.2.2.4.13 and .14, D-14).

use std::time::Duration;

use reseal_pki::name::{DnsName, NamePolicy};
use reseal_validation::challenge::Challenge;
use reseal_validation::email::{Contact, ContactList, constructed_addresses};
use reseal_validation::evidence::Verdict;
use reseal_validation::panel::Seen;
use tokio::task::JoinSet;

use super::by_auth_key::PATIENCE;
use super::launch::no_slot;
use super::mail::give_up;
use super::plan::{Earlier, Planning, check_choices};
use super::prove::{last_look, seen, witnesses};
use super::{AT_ONCE, DcvChoice, Mode};
use crate::authorization;
use crate::error::{Error, Kind};
use crate::event::Event;
use crate::process::{Process, Work};
use crate::product::DcvType;
use crate::services::Services;
use crate::store::Change;

/// How long a list of addresses may take: somebody waits for it, and the constructed ones are known anyway.
const LIST_PATIENCE: Duration = Duration::from_secs(4);

/// What is known of published contacts.
#[derive(Clone, Debug)]
pub(super) enum Contacts {
    /// The DNS was not asked yet: any address may turn out to be one.
    Unasked,
    /// The DNS said so.
    Known(ContactList),
}

impl Contacts {
    /// The contact by which `address` may approve `name` (N-20).
    pub(super) fn find(
        &self,
        name: &DnsName,
        address: &str,
        policy: &NamePolicy,
    ) -> Option<&Contact> {
        let Self::Known(list) = self else {
            return None;
        };
        let domains = name.authorization_domain_names(true, policy);
        let fits =
            |contact: &&Contact| contact.address == address && domains.contains(&contact.adn);
        list.found.iter().find(fits)
    }

    /// Why `address` may not approve `name`.
    pub(super) fn problem(
        &self,
        name: &DnsName,
        address: &str,
        policy: &NamePolicy,
    ) -> Option<String> {
        let mut shown = constructed_addresses(&name.authorization_domain_names(true, policy));
        if shown.iter().any(|known| known == address) || self.find(name, address, policy).is_some()
        {
            return None;
        }
        let Self::Known(list) = self else {
            return None;
        };
        shown.truncate(10);
        let failures = if list.failures.is_empty() {
            String::new()
        } else {
            format!(
                "; the DNS was not asked of all: {}",
                list.failures.join("; ")
            )
        };
        Some(format!(
            "`{address}` cannot approve `{name}`; possible are {}, and addresses published for it by CAA \
             `contactemail` or TXT `_validation-contactemail`{failures} [D-14]",
            shown.join(", ")
        ))
    }
}

impl Services {
    /// Asks the DNS for contacts where a choice, or what was chosen for the certificate before, needs one. Choices that
    /// are wrong anyway are refused first.
    ///
    /// # Errors
    /// [`Kind::Constraint`]; [`Kind::RateLimited`] and [`Kind::Rule`] when the DNS cannot be asked now.
    pub(super) async fn contacts_for(
        &self,
        customer: &str,
        planning: &Planning<'_>,
        mode: Mode,
    ) -> Result<Contacts, Error> {
        let domains = domains_to_ask(planning);
        if domains.is_empty() {
            return Ok(Contacts::Known(ContactList::default()));
        }
        let violations = check_choices(planning);
        if !violations.is_empty() {
            return Err(Error::constraint(violations));
        }
        if mode == Mode::Quote {
            // Nobody can be told apart from who is not named: the answer is that to who is not.
            return Ok(Contacts::Known(ContactList {
                found: Vec::new(),
                failures: vec!["a quote asks nobody".to_owned()],
                answers: Vec::new(),
            }));
        }
        let _slot = self.slots.take(customer).ok_or_else(no_slot)?;
        let list = tokio::time::timeout(PATIENCE, self.published(&domains)).await;
        list.map(Contacts::Known).map_err(|_| {
            let message = format!(
                "The DNS did not say within {} seconds who may approve: repeat the call later, or choose another \
                 address or method",
                PATIENCE.as_secs()
            );
            Error::new(Kind::Rule, message)
        })
    }

    /// What is published for any of `domains`.
    async fn published(&self, domains: &[String]) -> ContactList {
        let mut all = ContactList::default();
        for chunk in domains.chunks(AT_ONCE) {
            let mut tasks = JoinSet::new();
            for domain in chunk {
                let (panel, domain) = (self.panel.clone(), domain.clone());
                tasks.spawn(async move { panel.local().contacts(&domain).await });
            }
            while let Some(list) = tasks.join_next().await {
                // A look that died found nothing.
                let list = list.unwrap_or_default();
                all.found.extend(list.found);
                all.failures.extend(list.failures);
            }
        }
        // The nearest domain first, in the order in which they were asked for.
        let place = |contact: &Contact| domains.iter().position(|domain| *domain == contact.adn);
        all.found.sort_by_key(place);
        all
    }

    /// Every address that may approve a certificate for `name`: the published ones as far as the DNS tells of them in time.
    ///
    /// # Errors
    /// [`Kind::RateLimited`] when too much is being looked at for `customer`.
    pub(crate) async fn approvers(
        &self,
        customer: &str,
        name: &DnsName,
    ) -> Result<Vec<String>, Error> {
        let domains = name.authorization_domain_names(true, &self.settings.names);
        let mut addresses = constructed_addresses(&domains);
        let _slot = self.slots.take(customer).ok_or_else(no_slot)?;
        if let Ok(list) = tokio::time::timeout(LIST_PATIENCE, self.published(&domains)).await {
            for contact in list.found {
                if !addresses.contains(&contact.address) {
                    addresses.push(contact.address);
                }
            }
        }
        Ok(addresses)
    }

    /// Looks once more, before mail `index` is sent, whether its address is still published where the names rely on
    /// that. The answer is the process and whether the mail may go.
    pub(super) async fn confirm_contacts(
        &self,
        mut process: Process,
        index: usize,
    ) -> Result<(Process, bool), Error> {
        for contact in process
            .work()
            .map(|work| contacts_of(work, index))
            .unwrap_or_default()
        {
            let begun = self.clock.now();
            // In a task of its own, as every look: one that dies sends no mail and stops nothing.
            let (panel, challenge) = (self.panel.clone(), Challenge::Contact(contact.clone()));
            // The others must see the same address (D-16).
            let look = tokio::spawn(async move { panel.attempt(&challenge, begun).await });
            let Ok(Seen {
                attempt,
                corroboration,
            }) = look.await
            else {
                return Ok((process, false));
            };
            let corroboration = corroboration.as_ref();
            let verdict = attempt.verdict;
            let (next, events) = process
                .update(begun, |work| {
                    let mut events = Vec::<Event>::new();
                    let look = Some(last_look(&attempt));
                    let concerned = work
                        .proofs
                        .iter_mut()
                        .filter(|proof| proof.contact.as_ref() == Some(&contact));
                    for proof in concerned {
                        proof.contact_witnesses = witnesses(corroboration);
                        if proof.last_look == look {
                            continue;
                        }
                        if events.is_empty() {
                            let name = proof.name.as_str();
                            events.push(seen(name, DcvType::Email, &attempt, corroboration));
                        }
                        proof.last_look.clone_from(&look);
                    }
                    if matches!(verdict, Verdict::NotYet | Verdict::Refused) {
                        events.extend(give_up(work, index, &attempt.seen, begun));
                    }
                    events
                })
                .map_err(Error::internal)?;
            process = self.advance_leased(Change::new(next, events)).await?;
            if verdict != Verdict::Proved {
                return Ok((process, false));
            }
        }
        Ok((process, true))
    }
}

/// The published contacts that mail `index` relies on.
fn contacts_of(work: &Work, index: usize) -> Vec<Contact> {
    let mut contacts: Vec<Contact> = Vec::new();
    let mail = &work.mails[index];
    let open = work
        .proofs
        .iter()
        .filter(|proof| !proof.is_proved() && mail.asks_about(proof));
    for contact in open.filter_map(|proof| proof.contact.as_ref()) {
        if !contacts.contains(contact) {
            contacts.push(contact.clone());
        }
    }
    contacts
}

/// The domains under which an address that is not constructed could be published.
fn domains_to_ask(planning: &Planning<'_>) -> Vec<String> {
    let Planning {
        names,
        choices,
        authorizations,
        earlier,
        policy,
        now,
        ..
    } = planning;
    let chosen = choices.iter().filter_map(|choice| {
        let name = names
            .iter()
            .find(|name| name.as_str() == choice.common_name)?;
        (choice.method == DcvType::Email).then_some((name, choice.email.as_ref()?))
    });
    let before = earlier.iter().filter_map(|earlier: &Earlier| {
        let chosen = |choice: &DcvChoice| choice.common_name == earlier.name.as_str();
        let name = names.iter().find(|name| **name == earlier.name)?;
        let by_mail = earlier.method == DcvType::Email && !choices.iter().any(chosen);
        // Whose approval is good to this day is not written to.
        let is_live = || authorization::find(authorizations, name, *now, policy).is_some();
        (by_mail && !is_live()).then_some((name, earlier.email.as_ref()?))
    });
    let mut domains: Vec<String> = Vec::new();
    for (name, address) in chosen.chain(before) {
        let above = name.authorization_domain_names(true, policy);
        if !constructed_addresses(&above).contains(address) {
            domains.extend(
                above
                    .into_iter()
                    .filter(|domain| !domains.contains(domain))
                    .collect::<Vec<_>>(),
            );
        }
    }
    domains
}
