//! Doors for the fuzz targets: what strangers publish in the DNS. Compiled for nothing else.

use jiff::Timestamp;
use reseal_pki::method::Method;

use crate::{
    CaaObservation, CaaOutcome, CaaRecord, CaaRequest, DnsAnswer, DnsOutcome, DnsRecord,
    PersistentRecord, RecordKind, RecordValue, Security, caa, email::ContactSource, persistent,
};

const ISSUER: &str = "ca.example";
const ACCOUNT: &str = "acct:alice@ca.example";

/// A set of CAA records, one a line: flags, tag and value with a blank between them.
pub fn caa(text: &str) {
    let values: Vec<RecordValue> = text
        .lines()
        .filter_map(|line| {
            let mut parts = line.splitn(3, ' ');
            Some(RecordValue::Caa {
                flags: parts.next()?.parse().ok()?,
                tag: parts.next()?.to_owned(),
                value: parts.next().unwrap_or_default().to_owned(),
            })
        })
        .collect();
    let answer = answer(RecordKind::Caa, values);
    assert_addresses(ContactSource::Caa, &answer);
    let records = CaaRecord::all(&answer);
    let issue = |record: &CaaRecord| record.tag == "issue";
    let restricted = records.iter().any(issue);
    let named = text.to_ascii_lowercase().contains(ISSUER);
    let observation = CaaObservation {
        name: "www.example.com".to_owned(),
        levels: Vec::new(),
        outcome: if records.is_empty() {
            CaaOutcome::None
        } else {
            CaaOutcome::Found
        },
        relevant: (!records.is_empty()).then(|| caa::CaaSet {
            found_at: "example.com".to_owned(),
            records,
        }),
        ttl: None,
        at: Timestamp::UNIX_EPOCH,
    };
    for (wildcard, method) in [(false, Method::DnsChange), (true, Method::PersistentTxt)] {
        let request = CaaRequest {
            identities: &[ISSUER.to_owned()],
            wildcard,
            account_uri: ACCOUNT,
            method,
        };
        let decision = caa::decide(&observation, &request);
        // Whatever is published, others' names never permit us.
        assert!(
            !(decision.permitted && restricted && !named),
            "{decision:?}"
        );
    }
}

/// One TXT record, as a persistent record and as a contact.
pub fn txt(text: &str) {
    let record = PersistentRecord {
        adn: "example.com".to_owned(),
        issuer: ISSUER.to_owned(),
        account_uri: ACCOUNT.to_owned(),
        wildcard: true,
    };
    if persistent::proves(&record, text, Timestamp::UNIX_EPOCH) {
        let policy = text.to_ascii_lowercase().contains("wildcard");
        assert!(text.contains(ACCOUNT) && policy);
    }
    let answer = answer(RecordKind::Txt, vec![RecordValue::Txt(text.to_owned())]);
    assert_addresses(ContactSource::Txt, &answer);
}

/// Whoever is written to is one plain address.
fn assert_addresses(source: ContactSource, answer: &DnsAnswer) {
    for address in source.addresses(answer) {
        assert!(address.is_ascii() && !address.contains(['\r', '\n', ',', ';', ' ']));
    }
}

fn answer(kind: RecordKind, values: Vec<RecordValue>) -> DnsAnswer {
    let name = "example.com.".to_owned();
    let record = |value| DnsRecord {
        name: name.clone(),
        ttl: 60,
        value,
    };
    DnsAnswer {
        outcome: if values.is_empty() {
            DnsOutcome::NoRecords
        } else {
            DnsOutcome::Records
        },
        records: values.into_iter().map(record).collect(),
        name,
        kind,
        omitted: 0,
        security: Security::Secure,
        servers: Vec::new(),
        at: Timestamp::UNIX_EPOCH,
        elapsed_ms: 0,
    }
}
