//! What tests of processes start from: an order of one name, to be proved by DNS.

use jiff::Timestamp;
use reseal_pki::method::Method;
use reseal_pki::name::{DnsName, NamePolicy};
use reseal_pki::profile::ValidationType;
use reseal_validation::ChallengeScheme;
use reseal_validation::caa::CaaStatus;

use super::{CaaState, NameProof, Order, ProofState, UpstreamOrder, Vetting, Work};
use crate::language::Language;
use crate::product::{CertificateType, DcvType};

pub(crate) fn now() -> Timestamp {
    Timestamp::from_second(1_795_000_000).unwrap()
}

/// Whether its name is `proved`, by an authorization from before.
pub(crate) fn work(proved: bool) -> Work {
    let name = DnsName::parse("reseal.net", &NamePolicy::default()).unwrap();
    let state = if proved {
        ProofState::Proved {
            method: Method::DnsChange,
            adn: "reseal.net".to_owned(),
            obtained: now(),
            reused: true,
            witnesses: Vec::new(),
        }
    } else {
        ProofState::Waiting
    };
    Work {
        order: Order {
            product: "ssl_dv".to_owned(),
            validation: ValidationType::Domain,
            certificate_type: CertificateType::SingleDomain,
            issuer: "embedded".to_owned(),
            common_name: name.clone(),
            common_name_in_subject: true,
            names: vec![name.clone()],
            removed: Vec::new(),
            added: Vec::new(),
            common_name_moved: false,
            csr: vec![0x30, 0x00],
            warnings: Vec::new(),
            spki_sha256: "00".repeat(32),
            subject: None,
            coc: None,
            approver: None,
            language: Language::En,
            months: Some(12),
            follows: None,
            subscription_end: None,
            billables: Vec::new(),
            allowance: None,
        },
        proofs: vec![NameProof {
            name: name.clone(),
            method: DcvType::Dns,
            email: None,
            adn: "reseal.net".to_owned(),
            challenge: None,
            state,
            contact: None,
            contact_witnesses: Vec::new(),
            persistent: None,
            last_look: None,
        }],
        mails: Vec::new(),
        mailboxes: Vec::new(),
        caa: vec![CaaState {
            name,
            status: CaaStatus::Empty,
            permitted: true,
            reason: "no records".to_owned(),
            checked: now(),
            witnesses: Vec::new(),
        }],
        vetting: Vetting::default(),
        scheme: ChallengeScheme::Default,
        random: "x".repeat(20),
        unique_value: None,
        challenges_created: now(),
        upstream: None,
        persistent_looks: Vec::new(),
        publications: Vec::new(),
        rounds: 0,
    }
}

/// An order at an upstream that asks for nothing.
pub(crate) fn order() -> UpstreamOrder {
    UpstreamOrder {
        url: "https://ca.example/order/1".to_owned(),
        account: "https://ca.example/account/1".to_owned(),
        placed: now(),
        expires: None,
        caa_identities: Vec::new(),
        asked: None,
        first_asked: None,
        lost: 0,
        authorizations: Vec::new(),
    }
}
