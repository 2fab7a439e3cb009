//! Proof by a record that stays (BR 3.2.2.4.22, D-33, D-35): looked for with every look at the DNS, wherever the
//! product takes it.

use reseal_pki::method::Method;
use reseal_pki::name::NamePolicy;
use reseal_validation::PersistentRecord;
use reseal_validation::challenge::Challenge;
use reseal_validation::evidence::Verdict;

use super::prove::{Look, apply, last_look, seen, witnesses};
use crate::authorization::Authorization;
use crate::event::Event;
use crate::process::{NameProof, Work};
use crate::product::{DcvType, Product};
use crate::services::{Services, Settings};

/// Whom records have to name.
#[derive(Clone, Debug)]
pub struct Account {
    issuer: String,
    uri: String,
}

impl Account {
    /// That of `customer`; `None` when `product` takes no such records.
    pub fn of(customer: &str, product: Option<&Product>, settings: &Settings) -> Option<Self> {
        product?.dcv_persistent.then(|| Self {
            issuer: settings.caa_identity.clone(),
            uri: settings.account_uri(customer),
        })
    }

    fn record(&self, adn: &str, wildcard: bool) -> PersistentRecord {
        PersistentRecord {
            adn: adn.to_owned(),
            issuer: self.issuer.clone(),
            account_uri: self.uri.clone(),
            wildcard,
        }
    }
}

impl Services {
    /// Whom persistent records of `customer` have to name; `None` when `product` takes none.
    pub(super) fn persistent_account(&self, customer: &str, product: &str) -> Option<Account> {
        Account::of(customer, self.catalogue.get(product), &self.settings)
    }
}

/// Names the record that would serve to every open proof by DNS: one for all that share a domain name.
pub(super) fn offer(proofs: &mut [NameProof], account: Option<&Account>) {
    let open = |proof: &NameProof| proof.method == DcvType::Dns && !proof.is_proved();
    for index in 0..proofs.len() {
        let proof = &proofs[index];
        if !open(proof) {
            continue;
        }
        let adn = &proof.adn;
        let wide = |other: &NameProof| other.name.as_str() != adn && open(other);
        let wildcard = proofs.iter().any(|other| other.adn == *adn && wide(other));
        let record = account.map(|account| account.record(adn, wildcard));
        proofs[index].persistent = record;
    }
}

/// Every record that would prove one of the open names: at the name itself, and at each domain above it where it
/// speaks for what is below (N-20).
pub(super) fn wanted(
    proofs: &[NameProof],
    account: &Account,
    policy: &NamePolicy,
) -> Vec<PersistentRecord> {
    let mut records: Vec<PersistentRecord> = Vec::new();
    let open = proofs
        .iter()
        .filter(|proof| proof.method == DcvType::Dns && !proof.is_proved());
    for proof in open {
        for adn in proof.name.authorization_domain_names(true, policy) {
            let record = account.record(&adn, proof.name.as_str() != adn);
            if !records.contains(&record) {
                records.push(record);
            }
        }
    }
    records
}

/// Whether `record` would prove the name of `proof`.
fn concerns(record: &PersistentRecord, proof: &NameProof, policy: &NamePolicy) -> bool {
    let domains = proof.name.authorization_domain_names(true, policy);
    proof.method == DcvType::Dns
        && domains.contains(&record.adn)
        && (record.wildcard || proof.name.as_str() == record.adn)
}

/// What was found of persistent records in one round: events to record, proofs obtained.
pub(super) fn take_in(
    work: &mut Work,
    looks: &[Look],
    customer: &str,
    services: &Services,
) -> (Vec<Event>, Vec<Authorization>, usize) {
    let policy = &services.settings.names;
    let (mut events, mut obtained) = (Vec::new(), Vec::new());
    let mut kept = Vec::new();
    let mut same = 0;
    for (record, found) in looks.iter().filter_map(of_record) {
        let (attempt, corroboration) = (&found.attempt, found.corroboration.as_ref());
        let open = work
            .proofs
            .iter()
            .find(|proof| !proof.is_proved() && concerns(record, proof, policy));
        // Nobody has to publish one: its absence is no news.
        let Some(open) = open.filter(|_| !attempt.found_nothing()) else {
            continue;
        };
        let look = last_look(attempt);
        if work.persistent_looks.contains(&look) {
            same += 1;
        } else {
            let name = open.name.as_str();
            events.push(seen(name, DcvType::Dns, attempt, corroboration));
        }
        if attempt.verdict != Verdict::Proved {
            kept.push(look);
            continue;
        }
        let authorization = Authorization {
            id: 0,
            customer: customer.to_owned(),
            adn: record.adn.clone(),
            method: Method::PersistentTxt,
            only_itself: !record.wildcard,
            obtained: attempt.at,
            process: 0,
            witnesses: witnesses(corroboration),
            alias: found.challenge.alias(attempt),
            distrusted: None,
        };
        let by_dns = |proof: &NameProof| proof.method == DcvType::Dns;
        events.extend(apply(work, &authorization, services, by_dns));
        obtained.push(authorization);
    }
    work.persistent_looks = kept;
    (events, obtained, same)
}

/// What is wrong with persistent records that are there and do not prove the name of `proof`.
pub(super) fn problems(looks: &[Look], proof: &NameProof, policy: &NamePolicy) -> Vec<String> {
    let mut problems: Vec<String> = Vec::new();
    for (record, found) in looks.iter().filter_map(of_record) {
        let attempt = &found.attempt;
        if attempt.verdict == Verdict::NotYet
            && !attempt.found_nothing()
            && concerns(record, proof, policy)
        {
            problems.push(format!("`{}` {}", record.name(), attempt.seen));
        }
    }
    problems
}

fn of_record(look: &Look) -> Option<(&PersistentRecord, &Look)> {
    match &look.challenge {
        Challenge::Persistent { record, .. } => Some((record, look)),
        Challenge::Dns { .. }
        | Challenge::Txt { .. }
        | Challenge::DnsRandom { .. }
        | Challenge::File { .. }
        | Challenge::Contact(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::sample;
    use reseal_pki::name::DnsName;

    fn proof(name: &str, adn: &str, method: DcvType) -> NameProof {
        let mut proof = sample::work(false).proofs.remove(0);
        proof.name = DnsName::parse(name, &NamePolicy::default()).unwrap();
        adn.clone_into(&mut proof.adn);
        proof.method = method;
        proof
    }

    fn account() -> Account {
        Account {
            issuer: "ca.example".to_owned(),
            uri: "acct:alice@ca.example".to_owned(),
        }
    }

    #[test]
    fn d_33_one_record_is_offered_for_all_names_that_share_a_domain() {
        let mut proofs = [
            proof("reseal.net", "reseal.net", DcvType::Dns),
            proof("www.reseal.net", "reseal.net", DcvType::Dns),
            proof("reseal.dev", "reseal.dev", DcvType::Dns),
            proof("*.reseal.org", "reseal.org", DcvType::Dns),
            proof("file.dev", "file.dev", DcvType::File),
        ];
        offer(&mut proofs, Some(&account()));
        let offered: Vec<Option<String>> = proofs
            .iter()
            .map(|proof| proof.persistent.as_ref().map(PersistentRecord::contents))
            .collect();
        let narrow = Some("ca.example; accounturi=acct:alice@ca.example".to_owned());
        let wide = narrow
            .as_ref()
            .map(|text| format!("{text}; policy=wildcard"));
        assert_eq!(offered, [wide.clone(), wide.clone(), narrow, wide, None]);
        offer(&mut proofs, None);
        assert!(proofs.iter().all(|proof| proof.persistent.is_none()));
    }

    #[test]
    fn d_33_n_20_records_are_looked_for_up_to_the_base_domain() {
        let proofs = [
            proof("reseal.co.uk", "reseal.co.uk", DcvType::Dns),
            proof("a.b.reseal.co.uk", "reseal.co.uk", DcvType::Dns),
            proof("*.reseal.co.uk", "reseal.co.uk", DcvType::Dns),
            proof("file.dev", "file.dev", DcvType::File),
            proof("mail.dev", "mail.dev", DcvType::Email),
            sample::work(true).proofs.remove(0),
        ];
        let looked: Vec<(String, bool)> = wanted(&proofs, &account(), &NamePolicy::default())
            .into_iter()
            .map(|record| (record.adn, record.wildcard))
            .collect();
        assert_eq!(
            looked,
            [
                ("reseal.co.uk".to_owned(), false),
                ("a.b.reseal.co.uk".to_owned(), false),
                ("b.reseal.co.uk".to_owned(), true),
                ("reseal.co.uk".to_owned(), true),
            ]
        );
    }
}
