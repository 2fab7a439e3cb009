//! Objects to store. Each is complete, and different for every number.

use jiff::{SignedDuration, Timestamp};
use reseal_lifecycle::certificate::{Certificate, CertificateStatus};
use reseal_lifecycle::event::{Event, EventKind};
use reseal_lifecycle::price::Allowance;
use reseal_lifecycle::process::{
    Action, Mpic, NameProof, Opening, Order, Process, ProofState, Vetting, Work,
};
use reseal_lifecycle::product::{CertificateType, ChallengeScheme, DcvType};
use reseal_lifecycle::store::{Change, Issuance, Replacement, Reservation, Subscription};
use reseal_pki::dn::OrganizationSubject;
use reseal_pki::method::Method;
use reseal_pki::name::{DnsName, NamePolicy};
use reseal_pki::profile::ValidationType;
use serde_json::json;

/// The moment at which all samples happen: 2026-11-24T12:00:00.250Z.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_millisecond(1_795_521_600_250).unwrap()
}

/// `days` after [`now`], on a whole second.
pub(crate) fn in_days(days: i64) -> Timestamp {
    let second = Timestamp::from_second(now().as_second()).unwrap();
    second + SignedDuration::from_hours(24 * days)
}

/// 32 bytes that start with `number`.
pub(crate) fn hash(number: u64) -> [u8; 32] {
    let mut hash = [0xa5; 32];
    // Spread like a hash, so that indexes are hit as they will be.
    hash[..8].copy_from_slice(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    hash[8..16].copy_from_slice(&number.to_be_bytes());
    hash
}

fn proof(name: &str) -> NameProof {
    NameProof {
        name: DnsName::parse(name, &NamePolicy::default()).unwrap(),
        method: DcvType::Dns,
        email: None,
        adn: name.to_owned(),
        challenge: None,
        contact: None,
        contact_witnesses: Vec::new(),
        persistent: None,
        last_look: None,
        state: ProofState::Proved {
            method: Method::DnsChange,
            adn: name.to_owned(),
            obtained: in_days(-10),
            reused: true,
            witnesses: Vec::new(),
        },
    }
}

/// What a process for `names` works with, everything proved.
pub(crate) fn work(names: &[&str]) -> Work {
    let proofs: Vec<NameProof> = names.iter().map(|name| proof(name)).collect();
    let permitted = names.iter().map(|name| {
        let checked = in_days(0);
        json!({"name": name, "status": "EMPTY", "permitted": true, "reason": "no records", "checked": checked})
    });
    let permitted = serde_json::from_value(permitted.collect()).unwrap();
    let names: Vec<DnsName> = proofs.iter().map(|proof| proof.name.clone()).collect();
    Work {
        order: Order {
            product: "ssl_dv".to_owned(),
            validation: ValidationType::Domain,
            certificate_type: CertificateType::SingleDomain,
            issuer: "embedded".to_owned(),
            common_name: names[0].clone(),
            common_name_in_subject: false,
            names,
            removed: Vec::new(),
            added: Vec::new(),
            common_name_moved: false,
            csr: vec![0x30; 320],
            warnings: Vec::new(),
            spki_sha256: "ab".repeat(32),
            subject: None,
            coc: None,
            approver: None,
            language: reseal_lifecycle::Language::En,
            months: None,
            follows: None,
            subscription_end: Some(in_days(365)),
            billables: Vec::new(),
            allowance: None,
        },
        proofs,
        mails: Vec::new(),
        mailboxes: Vec::new(),
        caa: permitted,
        vetting: Vetting::default(),
        scheme: ChallengeScheme::Default,
        random: "abcdefghij0123456789abcde".to_owned(),
        unique_value: None,
        upstream: None,
        persistent_looks: Vec::new(),
        publications: Vec::new(),
        challenges_created: now(),
        rounds: 1,
    }
}

/// A process of `customer` that has been asked for and not begun.
pub(crate) fn process(
    customer: &str,
    action: Action,
    subscription: Option<i64>,
) -> (Process, Vec<Event>) {
    let opening = Opening {
        customer: customer.to_owned(),
        user: format!("{customer}/admin"),
        action,
        command: json!({ "csr": "-----BEGIN CERTIFICATE REQUEST-----\n", "certificateId": 7, "san": null }),
        source: None,
        subscription,
    };
    Process::open(
        opening,
        work(&["reseal-sample.com", "www.reseal-sample.com"]),
        now(),
    )
}

/// The first step of a reissue of `subscription`.
pub(crate) fn opening(customer: &str, subscription: Option<i64>) -> Change {
    let (process, events) = process(customer, Action::Reissue, subscription);
    Change {
        lease: Some(in_days(1)),
        ..Change::new(process, events)
    }
}

/// The first step of a reissue that reserves serial `number` at once.
pub(crate) fn opening_with_reservation(
    customer: &str,
    subscription: Option<i64>,
    number: u64,
) -> Change {
    let opening = opening(customer, subscription);
    let (process, events) = opening
        .process
        .reserve(
            hex::encode(serial(number)),
            "embedded".to_owned(),
            b"tbs",
            now(),
        )
        .unwrap();
    let events = [opening.events, events].concat();
    Change {
        lease: opening.lease,
        reservation: Some(reservation(number)),
        ..Change::new(process, events)
    }
}

fn serial(number: u64) -> Vec<u8> {
    hash(number)[..16].to_vec()
}

/// Reservation of serial `number`.
pub(crate) fn reservation(number: u64) -> Reservation {
    Reservation {
        serial: serial(number),
        issuer: "embedded".to_owned(),
        tbs: vec![0x30; 700],
        created: now(),
    }
}

/// Certificate `number` of `customer`, valid for 90 days.
pub(crate) fn certificate(customer: &str, number: u64) -> Certificate {
    Certificate {
        id: 0,
        customer: customer.to_owned(),
        process: 0,
        subscription: 0,
        product: "ssl_dv".to_owned(),
        validation: ValidationType::Domain,
        certificate_type: CertificateType::SingleDomain,
        stored_status: CertificateStatus::Active,
        domain_name: "reseal-sample.com".to_owned(),
        names: vec![
            "reseal-sample.com".to_owned(),
            "www.reseal-sample.com".to_owned(),
        ],
        organization: None,
        coc: None,
        issuer: "embedded".to_owned(),
        serial: serial(number),
        not_before: in_days(0),
        not_after: in_days(90),
        subscription_end: in_days(365),
        key_algorithm: "ECDSA".to_owned(),
        key_size: 256,
        spki_sha256: hash(number ^ 0xffff_0000_0000),
        fingerprint: hash(number),
        der: vec![0x30; 900],
        csr: Some(vec![0x30; 320]),
        predecessor: None,
        successor: None,
        revocation: None,
        revocation_scheduled: None,
        mpic: Some(Mpic::Performed),
    }
}

/// An organization with every field.
pub(crate) fn organization() -> OrganizationSubject {
    OrganizationSubject {
        organization: "Käse & Söhne B.V.".to_owned(),
        country: "NL".to_owned(),
        state: Some("Utrecht".to_owned()),
        locality: Some("Zeist".to_owned()),
        postal_code: Some("3701 AB".to_owned()),
        street: Some("Slotlaan 1".to_owned()),
    }
}

/// A subscription of `customer` for a year.
pub(crate) fn subscription(customer: &str) -> Subscription {
    Subscription {
        id: 0,
        customer: customer.to_owned(),
        product: "ssl_dv".to_owned(),
        start: in_days(0),
        end: in_days(365),
        months: 12,
        allowance: Allowance {
            included: 1,
            ..Allowance::default()
        },
    }
}

/// The only step of an import: stores `certificate` with a subscription of its own.
pub(crate) fn import(certificate: Certificate) -> Change {
    let opening = Opening {
        customer: certificate.customer.clone(),
        user: format!("{}/admin", certificate.customer),
        action: Action::Import,
        command: json!({}),
        source: None,
        subscription: None,
    };
    let event = Event::new(
        now(),
        EventKind::Imported {
            fingerprint: hex::encode(certificate.fingerprint),
        },
    );
    let (process, events) =
        Process::done(opening, certificate.domain_name.clone(), vec![event], now());
    let issuance = Issuance {
        subscription: Some(subscription(&certificate.customer)),
        certificate,
        allowance: None,
        replaces: None,
        chain: None,
        is_late: false,
    };
    Change {
        issuance: Some(Box::new(issuance)),
        ..Change::new(process, events)
    }
}

/// The last step of `process`: stores certificate `number`, which replaces `predecessor`.
pub(crate) fn completion(process: Process, number: u64, predecessor: Option<i64>) -> Change {
    let certificate = Certificate {
        subscription: process.subscription.unwrap_or_default(),
        predecessor,
        ..certificate(&process.customer, number)
    };
    let (process, mut events) = process.complete(certificate.not_after, now()).unwrap();
    events.extend(predecessor.map(|certificate| {
        let replaced = EventKind::Replaced {
            certificate,
            status: "REISSUED".to_owned(),
            revocation_scheduled_at: None,
        };
        Event::new(now(), replaced)
    }));
    let replaces = predecessor.map(|certificate| Replacement {
        certificate,
        status: CertificateStatus::Reissued,
        revoke_at: None,
        siblings_with: Vec::new(),
    });
    let issuance = Issuance {
        certificate,
        subscription: None,
        allowance: None,
        replaces,
        chain: None,
        is_late: false,
    };
    Change {
        issuance: Some(Box::new(issuance)),
        ..Change::new(process, events)
    }
}
