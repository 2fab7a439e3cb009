//! A recorded proof that a customer controls a name, and for how long it may be relied on.

use jiff::Timestamp;
use reseal_pki::calendar;
use reseal_pki::corroboration::Witness;
use reseal_pki::method::Method;
use reseal_pki::name::{DnsName, NamePolicy};
use serde::{Deserialize, Serialize};

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
