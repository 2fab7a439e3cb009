//! What tests of processes start from: an order of one name, to be proved by DNS.

use jiff::Timestamp;
use reseal_pki::method::Method;
use reseal_pki::name::{DnsName, NamePolicy};
use reseal_pki::profile::ValidationType;

use super::{NameProof, Order, ProofState, Vetting, Work};
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
            name,
            method: DcvType::Dns,
            email: None,
            adn: "reseal.net".to_owned(),
            challenge: None,
            state,
            persistent: None,
            last_look: None,
        }],
        mails: Vec::new(),
        mailboxes: Vec::new(),
        caa: Vec::new(),
        vetting: Vetting::default(),
        random: "x".repeat(20),
        unique_value: None,
        challenges_created: now(),
        persistent_looks: Vec::new(),
        rounds: 0,
    }
}
