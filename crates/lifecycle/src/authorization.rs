//! A recorded proof that a customer controls a name, and for how long it may be relied on.

use async_trait::async_trait;
use jiff::Timestamp;
use reseal_pki::calendar;
use reseal_pki::corroboration::Witness;
use reseal_pki::method::Method;
use reseal_pki::name::{DnsName, NamePolicy};
use serde::{Deserialize, Serialize};

use crate::certificate::CertificateId;
use crate::process::Process;
use crate::query::{AuthorizationQuery, Page};
use crate::store::StoreError;

/// A recorded proof (rules.md N-24). `id` is 0 until it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authorization {
    /// Its number.
    pub id: i64,
    /// Whose proof it is: never anybody else's (V-7).
    pub customer: String,
    /// Authorization Domain Name that was proved.
    pub adn: String,
    /// How.
    pub method: Method,
    /// Whether it proves that one name alone, whatever the method could do: a persistent record without
    /// `policy=wildcard` (D-33).
    pub only_itself: bool,
    /// When the evidence was obtained; using it never refreshes this (V-4).
    pub obtained: Timestamp,
    /// The process in whose timeline the evidence lies.
    pub process: i64,
    /// What the remote perspectives said that were asked for the same look; empty when none was.
    #[serde(default)]
    pub witnesses: Vec<Witness>,
    /// Where the contents of a TXT record stood, with the root's dot, when an alias led there from the record's own name.
    #[serde(default)]
    pub alias: Option<String>,
    /// Since when nothing may be signed on it any more.
    #[serde(default)]
    pub distrusted: Option<Timestamp>,
}

/// Proofs that turned out to be worth nothing (X-1, V-3).
#[derive(Clone, Debug)]
pub struct Distrust {
    /// Their numbers.
    pub proofs: Vec<i64>,
    /// Why, for the audit log.
    pub reason: String,
    /// Who says so.
    pub actor: String,
    /// When.
    pub at: Timestamp,
}

/// A recorded proof, and what rests on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relied {
    /// The proof.
    pub proof: Authorization,
    /// Certificates that were signed on it, each with the name that it proved for them.
    pub certificates: Vec<(CertificateId, String)>,
}

/// The part of [`crate::store::Store`] that is about finding proofs again.
#[async_trait]
pub trait AuthorizationStore: Send + Sync + 'static {
    /// Every customer's proofs that match.
    async fn find_authorizations(
        &self,
        query: &AuthorizationQuery,
    ) -> Result<Page<Relied>, StoreError>;
    /// Nothing is signed on these proofs from now on; how many of them it was new about.
    async fn distrust(&self, distrust: Distrust) -> Result<usize, StoreError>;
    /// Names of an open process whose proof is among those.
    async fn distrusted_names(&self, process: &Process) -> Result<Vec<String>, StoreError>;
}

impl Authorization {
    /// Whether it proves `name` for a certificate signed at `signing` (N-24, V-3, V-6).
    pub fn covers(&self, name: &DnsName, signing: Timestamp, policy: &NamePolicy) -> bool {
        if name.is_wildcard() && (self.only_itself || !self.method.covers_wildcards()) {
            return false;
        }
        let prune = self.method.may_prune() && !self.only_itself;
        calendar::method_allowed(self.method, signing)
            && calendar::evidence_usable(self.method, self.obtained, signing)
            && name
                .authorization_domain_names(prune, policy)
                .contains(&self.adn)
    }
}

/// The newest of `known` that proves `name` at `signing`.
pub fn find<'a>(
    known: &'a [Authorization],
    name: &DnsName,
    signing: Timestamp,
    policy: &NamePolicy,
) -> Option<&'a Authorization> {
    known
        .iter()
        .filter(|authorization| authorization.covers(name, signing, policy))
        .max_by_key(|authorization| authorization.obtained)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d_33_n_24_a_record_without_the_policy_proves_its_own_name_alone() {
        let policy = NamePolicy::default();
        let now = Timestamp::from_second(1_795_000_000).unwrap();
        let covers = |only_itself, name: &str| {
            let proof = Authorization {
                id: 1,
                customer: "alice".to_owned(),
                adn: "example.dev".to_owned(),
                method: Method::PersistentTxt,
                only_itself,
                obtained: now,
                process: 1,
                witnesses: Vec::new(),
                alias: None,
                distrusted: None,
            };
            proof.covers(&DnsName::parse(name, &policy).unwrap(), now, &policy)
        };
        for (name, narrow, wide) in [
            ("example.dev", true, true),
            ("*.example.dev", false, true),
            ("www.example.dev", false, true),
            ("*.www.example.dev", false, true),
            ("other.dev", false, false),
            ("myexample.dev", false, false),
        ] {
            assert_eq!(
                (covers(true, name), covers(false, name)),
                (narrow, wide),
                "{name}"
            );
        }
    }
}
