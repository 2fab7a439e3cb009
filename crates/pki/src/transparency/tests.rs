mod forms;
mod promises;

use jiff::{SignedDuration, Timestamp};

use super::{LogKey, Sct, scts_required};
use crate::{
    fixture::{Hierarchy, KeyType, SIGNING_TIME, Signer},
    key::PublicKey,
    lint::{LintContext, Linted, lint_leaf, lint_logged, lint_precertificate},
    name::DnsName,
    profile::{Validity, leaf_tbs},
    transparency::{logged_tbs, precertificate_tbs},
};

fn now() -> Timestamp {
    SIGNING_TIME.parse().unwrap()
}

/// An issuer and what it is about to certify.
struct Bench {
    hierarchy: Hierarchy,
    key: PublicKey,
    names: [DnsName; 1],
}

impl Bench {
    fn new() -> Self {
        Self {
            hierarchy: Hierarchy::new(KeyType::P256),
            key: Signer::generate(KeyType::P256).public_key(),
            names: ["www.reseal.dev".parse().unwrap()],
        }
    }

    fn context(&self) -> LintContext<'_> {
        let leaf = self.hierarchy.leaf(&self.key, &self.names);
        self.hierarchy.context(&leaf)
    }

    /// What is recorded before anything is signed.
    fn recorded(&self) -> Vec<u8> {
        let tbs = leaf_tbs(&self.hierarchy.leaf(&self.key, &self.names)).unwrap();
        lint_leaf(tbs, &self.context()).unwrap().tbs().to_vec()
    }

    fn signed(&self, linted: Linted) -> Vec<u8> {
        let signature = self.hierarchy.sign(linted.tbs());
        linted.finish(&signature)
    }

    fn precertificate(&self) -> Vec<u8> {
        let tbs = precertificate_tbs(&self.recorded()).unwrap();
        self.signed(lint_precertificate(tbs, &self.context()).unwrap())
    }

    fn logged(&self, scts: &[Sct]) -> Vec<u8> {
        let tbs = logged_tbs(&self.recorded(), scts).unwrap();
        self.signed(lint_logged(tbs, &self.context()).unwrap())
    }

    fn issuer_key(&self) -> [u8; 32] {
        self.hierarchy.issuer.public_key().spki_sha256()
    }
}

/// A log as RFC 6962 section 3.2 has it, written down a second time.
struct Log {
    signer: Signer,
    algorithm: u8,
}

impl Log {
    fn new(key_type: KeyType) -> Self {
        Self {
            signer: Signer::generate(key_type),
            algorithm: if key_type == KeyType::Rsa2048 { 1 } else { 3 },
        }
    }

    fn key(&self) -> LogKey {
        LogKey::from_spki_der(&self.signer.spki()).unwrap()
    }

    fn promise(&self, tbs: &[u8], issuer_key: &[u8; 32], at: Timestamp) -> Sct {
        let timestamp = at.as_millisecond().cast_unsigned();
        let length = u32::try_from(tbs.len()).unwrap().to_be_bytes();
        let message = [
            &[0, 0][..],
            &timestamp.to_be_bytes(),
            &[0, 1],
            issuer_key,
            &length[1..],
            tbs,
            &[0, 2, 0xab, 0xcd],
        ]
        .concat();
        Sct {
            log_id: self.signer.public_key().spki_sha256(),
            timestamp,
            extensions: vec![0xab, 0xcd],
            hash: 4,
            algorithm: self.algorithm,
            signature: self.signer.sign(&message),
        }
    }
}

/// Promises of `count` logs about what `bench` certifies.
fn promises(bench: &Bench, count: usize) -> Vec<Sct> {
    let tbs = bench.recorded();
    let logs = (0..count).map(|_| Log::new(KeyType::P256));
    logs.map(|log| log.promise(&tbs, &bench.issuer_key(), now()))
        .collect()
}

#[test]
fn p_9_more_than_180_days_need_a_third_promise() {
    let days = |days: i64| Validity::new(now(), SignedDuration::from_hours(24 * days));
    assert_eq!(scts_required(days(47)), 2);
    assert_eq!(scts_required(days(180)), 2);
    let longer = Validity {
        not_after: days(180).not_after + SignedDuration::from_secs(1),
        ..days(180)
    };
    assert_eq!(scts_required(longer), 3);
    assert_eq!(scts_required(days(199)), 3);
}
