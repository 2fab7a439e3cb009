//! How each name will be proved (design section 3 step 5, decision 6). Pure: no I/O, no clock, no randomness.

use jiff::Timestamp;
use reseal_pki::calendar;
use reseal_pki::method::Method;
use reseal_pki::name::{DnsName, NamePolicy};
use reseal_validation::email::{Contact, ContactList, constructed_addresses};

use super::contacts::Contacts;
use super::{DcvChoice, challenge};
use crate::authorization::{self, Authorization};
use crate::error::Violation;
use crate::process::{MailChallenge, Mailbox, NameProof, ProofState};
use crate::product::{DcvType, Product};

/// How a name was proved the last time.
#[derive(Clone, Debug)]
pub(super) struct Earlier {
    pub(super) name: DnsName,
    pub(super) method: DcvType,
    pub(super) email: Option<String>,
    /// Where that address was published, unless it is a constructed one.
    pub(super) contact: Option<Contact>,
}

/// What the proofs are planned from.
pub(super) struct Planning<'a> {
    pub(super) names: &'a [DnsName],
    pub(super) product: &'a Product,
    pub(super) policy: &'a NamePolicy,
    pub(super) choices: &'a [DcvChoice],
    pub(super) authorizations: &'a [Authorization],
    pub(super) earlier: &'a [Earlier],
    /// What is known of addresses that the DNS names.
    pub(super) contacts: &'a Contacts,
    /// Mailboxes that the process has written to already.
    pub(super) mailboxes: &'a [Mailbox],
    pub(super) now: Timestamp,
}

/// The BR method behind a customer's choice.
pub(crate) fn br_method(dcv: DcvType) -> Method {
    match dcv {
        DcvType::Email => Method::ConstructedEmail,
        DcvType::File => Method::Website,
        DcvType::Dns => Method::DnsChange,
    }
}

/// The BR method by which the name will be proved, as things stand.
pub(crate) fn method_of(proof: &NameProof) -> Method {
    match &proof.contact {
        Some(contact) => contact.source.method(),
        None => br_method(proof.method),
    }
}

/// The domain that a constructed address stands for.
pub(crate) fn domain_of(address: &str) -> &str {
    address.rsplit_once('@').map_or("", |(_, domain)| domain)
}

/// The customer's word for a BR method.
fn dcv_type(method: Method) -> DcvType {
    match method {
        Method::ConstructedEmail | Method::CaaEmail | Method::TxtEmail => DcvType::Email,
        Method::Website | Method::AcmeHttp | Method::AcmeTlsAlpn => DcvType::File,
        Method::DnsChange | Method::AcmeDnsAccount | Method::PersistentTxt => DcvType::Dns,
    }
}

/// One proof a name, without challenges yet; or everything that is wrong with the choices.
pub(super) fn proofs(planning: &Planning<'_>) -> Result<Vec<NameProof>, Vec<Violation>> {
    let violations = check_choices(planning);
    if !violations.is_empty() {
        return Err(violations);
    }
    let mut proofs: Vec<NameProof> = planning
        .names
        .iter()
        .map(|name| proof_of(name, planning))
        .collect();
    challenge::share_domain_names(&mut proofs, planning.policy);
    Ok(proofs)
}

/// Whether every choice names a name of the set, once, by a method that can prove it.
pub(super) fn check_choices(planning: &Planning<'_>) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (index, choice) in planning.choices.iter().enumerate() {
        let text = choice.common_name.as_str();
        let mut refuse = |field: &str, message: String, value: &str| {
            violations.push(Violation::new(
                format!("dcv[{index}].{field}"),
                message,
                Some(value),
            ));
        };
        let Some(name) = planning.names.iter().find(|name| name.as_str() == text) else {
            refuse(
                "commonName",
                format!("`{text}` is not a name of this certificate [D-2]"),
                text,
            );
            continue;
        };
        if planning.choices[..index]
            .iter()
            .any(|earlier| earlier.common_name == choice.common_name)
        {
            refuse(
                "commonName",
                format!("`{text}` has two entries: one method a name [D-2]"),
                text,
            );
            continue;
        }
        if let Some(message) = method_problem(name, choice.method, planning.product, planning.now) {
            refuse("type", message, choice.method.as_str());
            continue;
        }
        if choice.method == DcvType::Email {
            let email = choice.email.as_deref().unwrap_or_default();
            let problem = planning.contacts.problem(name, email, planning.policy);
            if let Some(message) = problem {
                refuse("email", message, email);
            } else if has_rejected(planning.mailboxes, email) {
                let message = format!(
                    "the request was rejected by `{email}`, which is not asked again: choose another address or method [D-19]"
                );
                refuse("email", message, email);
            }
        }
    }
    violations
}

fn method_problem(
    name: &DnsName,
    method: DcvType,
    product: &Product,
    now: Timestamp,
) -> Option<String> {
    if name.is_wildcard() && method == DcvType::File {
        return Some(format!(
            "a file can only prove the name it lies under, never the wildcard `{name}`: use DNS or EMAIL [D-21]"
        ));
    }
    if !product.dcv.contains(&method) {
        let offered: Vec<_> = product.dcv.iter().map(|dcv| dcv.as_str()).collect();
        return Some(format!(
            "product `{}` takes {}, not {}",
            product.product,
            offered.join(", "),
            method.as_str()
        ));
    }
    if !calendar::method_allowed(br_method(method), now) {
        return Some(format!(
            "{} proofs are no longer allowed (BR {}): use DNS or FILE [D-15]",
            method.as_str(),
            br_method(method).br_section()
        ));
    }
    None
}

/// The proof of one name: a live authorization if there is one, else the chosen or default method.
fn proof_of(name: &DnsName, planning: &Planning<'_>) -> NameProof {
    let live = authorization::find(planning.authorizations, name, planning.now, planning.policy);
    let (method, email, contact) = way_of(name, live, planning);
    let (adn, state) = match live {
        Some(live) => {
            let state = ProofState::Proved {
                method: live.method,
                adn: live.adn.clone(),
                obtained: live.obtained,
                reused: true,
                witnesses: live.witnesses.clone(),
            };
            (live.adn.clone(), state)
        }
        None => (name.fqdn().to_owned(), ProofState::Waiting),
    };
    NameProof {
        name: name.clone(),
        method,
        email,
        contact,
        contact_witnesses: Vec::new(),
        adn,
        challenge: None,
        state,
        persistent: None,
        last_look: None,
    }
}

/// The method of a name, who approves with EMAIL, and where that address is published. With `live`, it is what
/// follows once the evidence at hand is too old.
fn way_of(
    name: &DnsName,
    live: Option<&Authorization>,
    planning: &Planning<'_>,
) -> (DcvType, Option<String>, Option<Contact>) {
    let chosen = planning
        .choices
        .iter()
        .find(|choice| choice.common_name == name.as_str());
    if let (None, Some(live)) = (chosen, live) {
        let method = dcv_type(live.method);
        let approver = approver_before(name, planning).filter(|_| method == DcvType::Email);
        let (email, contact) = approver.unzip();
        return (method, email, contact.flatten());
    }
    let (method, email) = chosen.map_or_else(
        || default_method(name, planning),
        |choice| (choice.method, choice.email.clone()),
    );
    let email = email.filter(|_| method == DcvType::Email);
    let contact = contact_of(name, email.as_deref(), planning.contacts, planning.policy);
    (method, email, contact)
}

/// Who approved `name` the last time, if they might again. The DNS is not asked for that: it is before a mail is sent.
fn approver_before(name: &DnsName, planning: &Planning<'_>) -> Option<(String, Option<Contact>)> {
    let by_mail = |earlier: &&Earlier| earlier.name == *name && earlier.method == DcvType::Email;
    let earlier = planning.earlier.iter().find(by_mail)?;
    let email = earlier.email.as_ref()?;
    let published = Contacts::Known(ContactList {
        found: earlier.contact.iter().cloned().collect(),
        ..ContactList::default()
    });
    let problem = published.problem(name, email, planning.policy);
    let contact = contact_of(name, Some(email), &published, planning.policy);
    problem.is_none().then(|| (email.clone(), contact))
}

/// The published contact that `email` is for `name`; none for a constructed address.
pub(super) fn contact_of(
    name: &DnsName,
    email: Option<&str>,
    contacts: &Contacts,
    policy: &NamePolicy,
) -> Option<Contact> {
    let email = email?;
    let constructed = constructed_addresses(&name.authorization_domain_names(true, policy));
    if constructed.iter().any(|address| address == email) {
        return None;
    }
    contacts.find(name, email, policy).cloned()
}

/// The method of a name without an entry: its own last one, else that of the name it is the counterpart of,
/// else the first that the product takes, DNS before all.
fn default_method(name: &DnsName, planning: &Planning<'_>) -> (DcvType, Option<String>) {
    let usable = |method: DcvType, email: Option<&String>| {
        method_problem(name, method, planning.product, planning.now).is_none()
            && (method != DcvType::Email
                || email.is_some_and(|email| {
                    let problem = planning.contacts.problem(name, email, planning.policy);
                    problem.is_none()
                }))
    };
    let earlier = planning
        .earlier
        .iter()
        .find(|earlier| earlier.name == *name)
        .map(|earlier| (earlier.method, earlier.email.clone()));
    let counterpart = name.www_counterpart().and_then(|other| {
        planning
            .choices
            .iter()
            .find(|choice| choice.common_name == other.as_str())
            .map(|choice| (choice.method, choice.email.clone()))
    });
    let from_wildcard = planning
        .choices
        .iter()
        .find(|choice| choice.common_name.strip_prefix("*.") == Some(name.as_str()))
        .map(|choice| (choice.method, choice.email.clone()));
    [earlier, counterpart, from_wildcard]
        .into_iter()
        .flatten()
        .find(|(method, email)| usable(*method, email.as_ref()))
        .unwrap_or_else(|| (products_method(name, planning.product, planning.now), None))
}

/// The first method that the product takes for `name` and that nobody has to be named for, DNS before all.
fn products_method(name: &DnsName, product: &Product, now: Timestamp) -> DcvType {
    let is_usable = |method: &DcvType| method_problem(name, *method, product, now).is_none();
    [DcvType::Dns, DcvType::File]
        .into_iter()
        .find(is_usable)
        .unwrap_or(DcvType::Dns)
}

/// Gives every open EMAIL proof without an address another method: nobody could ever approve it. What was approved for
/// another order comes without one.
pub(super) fn replace_nameless(proofs: &mut [NameProof], product: &Product, now: Timestamp) {
    let is_nameless = |proof: &&mut NameProof| {
        !proof.is_proved() && proof.method == DcvType::Email && proof.email.is_none()
    };
    for proof in proofs.iter_mut().filter(is_nameless) {
        proof.method = products_method(&proof.name, product, now);
    }
}

fn has_rejected(mailboxes: &[Mailbox], address: &str) -> bool {
    let rejected = |mailbox: &Mailbox| mailbox.rejected && mailbox.address == address;
    mailboxes.iter().any(rejected)
}

/// The mails that the open EMAIL proofs need: one an address, none where the request was rejected. One that is
/// under way for the same names stays as it is; names proved meanwhile make no difference.
pub(super) fn mails_for(
    proofs: &[NameProof],
    present: &[MailChallenge],
    mailboxes: &[Mailbox],
) -> Vec<MailChallenge> {
    let mut wanted: Vec<MailChallenge> = Vec::new();
    for proof in proofs.iter().filter(|proof| !proof.is_proved()) {
        let (DcvType::Email, Some(address)) = (proof.method, &proof.email) else {
            continue;
        };
        if has_rejected(mailboxes, address) {
            continue;
        }
        match wanted.iter_mut().find(|mail| mail.address == *address) {
            Some(mail) => mail.names.push(proof.name.clone()),
            None => wanted.push(MailChallenge {
                address: address.clone(),
                names: vec![proof.name.clone()],
                token_sha256: None,
                form_token: None,
                created: None,
                sent: None,
                undeliverable: false,
            }),
        }
    }
    let open = |name: &&DnsName| {
        proofs
            .iter()
            .any(|proof| proof.name == **name && !proof.is_proved())
    };
    for mail in &mut wanted {
        if let Some(same) = present.iter().find(|old| {
            old.address == mail.address && old.names.iter().filter(open).eq(&mail.names)
        }) {
            *mail = same.clone();
        }
    }
    wanted
}

/// Every Authorization Domain Name under which a proof for one of `names` might be recorded.
pub(super) fn candidate_domain_names(names: &[DnsName], policy: &NamePolicy) -> Vec<String> {
    let mut adns: Vec<String> = names
        .iter()
        .flat_map(|name| name.authorization_domain_names(true, policy))
        .collect();
    adns.sort_unstable();
    adns.dedup();
    adns
}
