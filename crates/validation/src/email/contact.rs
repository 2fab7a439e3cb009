//! Contacts that the domain's owner published in the DNS (BR 3.2.2.4.13 and .14, D-14).

use jiff::Timestamp;
use reseal_pki::method::Method;
use serde::{Deserialize, Serialize};

use super::address::address_is_safe;
use crate::{
    dns::{self, DnsAnswer, DnsOutcome, RecordKind, RecordValue, Resolver},
    evidence::{Attempt, Evidence, Verdict},
};

/// Label in front of the Authorization Domain Name (BR A.2.1).
const LABEL: &str = "_validation-contactemail";
/// Tag of the CAA property (BR A.1.1).
const TAG: &str = "contactemail";

/// Where the owner of a domain says whom to write to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ContactSource {
    /// CAA property `contactemail` at the domain (BR 3.2.2.4.13).
    Caa,
    /// TXT record `_validation-contactemail` below it (BR 3.2.2.4.14).
    Txt,
}

impl ContactSource {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Caa, Self::Txt];

    /// The method of a proof by such an address.
    pub fn method(self) -> Method {
        match self {
            Self::Caa => Method::CaaEmail,
            Self::Txt => Method::TxtEmail,
        }
    }

    fn question(self, adn: &str) -> (String, RecordKind) {
        match self {
            Self::Caa => (format!("{adn}."), RecordKind::Caa),
            Self::Txt => (format!("{LABEL}.{adn}."), RecordKind::Txt),
        }
    }

    /// The addresses in an answer. One that is anything else than exactly one address does not count.
    pub(crate) fn addresses(self, answer: &DnsAnswer) -> Vec<String> {
        if answer.outcome != DnsOutcome::Records {
            return Vec::new();
        }
        match self {
            Self::Txt => usable(answer.texts()),
            // At the domain itself: where an alias leads, somebody else speaks (N-21).
            Self::Caa => usable(
                answer
                    .records
                    .iter()
                    .filter(|record| record.name == answer.name)
                    .filter_map(|record| match &record.value {
                        RecordValue::Caa { tag, value, .. } => {
                            tag.eq_ignore_ascii_case(TAG).then_some(value.as_str())
                        }
                        _ => None,
                    }),
            ),
        }
    }
}

/// An address that is published for a domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Contact {
    /// Authorization Domain Name, without `*.` and without the root's dot.
    pub adn: String,
    /// Where it is published.
    pub source: ContactSource,
    /// The address, lower case.
    pub address: String,
}

/// The contacts of a domain, and what kept the DNS from telling of all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContactList {
    /// What is published.
    pub found: Vec<Contact>,
    /// Questions without a usable answer, for people.
    pub failures: Vec<String>,
    /// What was asked, and what came back.
    pub answers: Vec<DnsAnswer>,
}

/// Asks for everybody that may be written to for `adn`.
pub(crate) async fn list(resolver: &Resolver, adn: &str) -> ContactList {
    let ask = async |source: ContactSource| {
        let (name, kind) = source.question(adn);
        resolver.lookup(&name, kind).await
    };
    let (caa, txt) = tokio::join!(ask(ContactSource::Caa), ask(ContactSource::Txt));
    let mut list = ContactList::default();
    for (source, answer) in [(ContactSource::Caa, caa), (ContactSource::Txt, txt)] {
        if !answer.is_usable() {
            let failure = format!("`{}` {}", answer.name, dns::describe(&answer));
            list.failures.push(failure);
        }
        let addresses = source.addresses(&answer).into_iter();
        list.found.extend(addresses.map(|address| Contact {
            adn: adn.to_owned(),
            source,
            address,
        }));
        list.answers.push(answer.trimmed(|_| false));
    }
    list
}

/// Looks whether `contact` is published, once.
pub(crate) async fn attempt(resolver: &Resolver, contact: &Contact) -> Attempt {
    let at = Timestamp::now();
    let (name, kind) = contact.source.question(&contact.adn);
    let answer = resolver.lookup(&name, kind).await;
    let what = match contact.source {
        ContactSource::Caa => format!("CAA `0 {TAG} \"{}\"`", contact.address),
        ContactSource::Txt => format!("TXT `{}`", contact.address),
    };
    let expected = format!("`{name}` {what}");
    let (verdict, advice) = match dns::obstacle(std::slice::from_ref(&answer)) {
        _ if contact.source.addresses(&answer).contains(&contact.address) => {
            (Verdict::Proved, String::new())
        }
        Some(obstacle) => obstacle,
        None => (Verdict::NotYet, format!("Publish {expected}.")),
    };
    let seen = dns::describe(&answer);
    let is_it = |text: &str| text.eq_ignore_ascii_case(&contact.address);
    let answer = answer.trimmed(|record| match &record.value {
        RecordValue::Txt(text) => is_it(text),
        RecordValue::Caa { value, .. } => is_it(value),
        _ => false,
    });
    Attempt {
        verdict,
        expected,
        seen,
        advice,
        evidence: Evidence::of_answer(answer),
        at,
    }
}

fn usable<'a>(values: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut addresses: Vec<String> = Vec::new();
    for value in values {
        let address = value.to_ascii_lowercase();
        if address_is_safe(&address).is_ok() && !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    addresses
}

#[cfg(test)]
mod tests {
    use hickory_proto::{op::ResponseCode, rr::RecordType};

    use super::*;
    use crate::{
        challenge::Challenge,
        test_world::{Reply, StubDns, caa, cname, perspective, txt},
    };

    const TXT_NAME: &str = "_validation-contactemail.example.com";

    fn contact(source: ContactSource, address: &str) -> Contact {
        Contact {
            adn: "example.com".to_owned(),
            source,
            address: address.to_owned(),
        }
    }

    #[test]
    fn nasty_093_a_contact_that_is_not_exactly_one_address_is_unusable() {
        let texts = [
            "mailto:a@example.com",
            "a@example.com b@example.com",
            "a@example.com,b@example.com",
            "Owner@Example.com",
            "owner@example.com",
            " owner@example.com",
            "",
        ];
        assert_eq!(usable(texts.into_iter()), ["owner@example.com"]);
    }

    #[tokio::test]
    async fn d_14_contacts_are_found_at_their_two_places() {
        let dns = StubDns::start().await;
        dns.put(
            "example.com",
            vec![
                caa(0, "issue", "ca.example"),
                caa(0, "ContactEmail", "Hostmaster@corp.example"),
                caa(0, "contactemail", "mailto:x@corp.example"),
                caa(0, "contactphone", "+3112345678"),
            ],
        )
        .put(
            TXT_NAME,
            vec![
                txt(&["own", "er@corp.example"]),
                txt(&["two@a.example three@a.example"]),
            ],
        );
        let list = perspective(&dns, None).contacts("example.com").await;
        let found = [
            contact(ContactSource::Caa, "hostmaster@corp.example"),
            contact(ContactSource::Txt, "owner@corp.example"),
        ];
        assert_eq!((list.found, list.failures), (found.to_vec(), Vec::new()));
        let asked = list.answers.iter().map(|answer| answer.name.as_str());
        assert!(asked.eq(["example.com.", &format!("{TXT_NAME}.")]));
    }

    #[tokio::test]
    async fn n_21_nasty_130_a_contact_where_an_alias_leads_speaks_for_nobody_else() {
        let dns = StubDns::start().await;
        dns.put("example.com", vec![cname("edge.attacker.example.")])
            .put(
                "edge.attacker.example",
                vec![caa(0, "contactemail", "mallory@attacker.example")],
            );
        let perspective = perspective(&dns, None);
        assert!(perspective.contacts("example.com").await.found.is_empty());
        let mallory = contact(ContactSource::Caa, "mallory@attacker.example");
        let attempt = perspective.attempt(&Challenge::Contact(mallory)).await;
        assert_eq!(attempt.verdict, Verdict::NotYet);
    }

    #[tokio::test]
    async fn s_3_what_the_dns_does_not_say_properly_is_no_contact() {
        let dns = StubDns::start().await;
        dns.set(
            TXT_NAME,
            RecordType::TXT,
            Reply::Code(ResponseCode::ServFail),
        );
        let list = perspective(&dns, None).contacts("example.com").await;
        assert!(list.found.is_empty());
        assert_eq!(list.failures.len(), 1);
        assert!(list.failures[0].contains("SERVFAIL"), "{list:?}");
    }

    #[tokio::test]
    async fn d_14_a_contact_is_looked_for_again_before_it_is_written_to() {
        let dns = StubDns::start().await;
        let owner = contact(ContactSource::Txt, "owner@corp.example");
        let challenge = Challenge::Contact(owner);
        let perspective = perspective(&dns, None);
        let absent = perspective.attempt(&challenge).await;
        assert_eq!(absent.verdict, Verdict::NotYet);
        assert!(absent.advice.contains(TXT_NAME), "{absent:?}");
        dns.put(TXT_NAME, vec![txt(&["Owner@corp.example"])]);
        assert_eq!(
            perspective.attempt(&challenge).await.verdict,
            Verdict::Proved
        );
        // The other place does not count for this one.
        let elsewhere = Challenge::Contact(contact(ContactSource::Caa, "owner@corp.example"));
        assert_eq!(
            perspective.attempt(&elsewhere).await.verdict,
            Verdict::NotYet
        );
    }
}
