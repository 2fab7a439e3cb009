//! A recorded proof that a customer controls a name, and for how long it may be relied on.

use jiff::Timestamp;
use reseal_pki::calendar;
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
    /// When the evidence was obtained; using it never refreshes this (V-4).
    pub obtained: Timestamp,
    /// The process in whose timeline the evidence lies.
    pub process: i64,
}

impl Authorization {
    /// Whether it proves `name` for a certificate signed at `signing` (N-24, V-3, V-6).
    pub fn covers(&self, name: &DnsName, signing: Timestamp, policy: &NamePolicy) -> bool {
        if name.is_wildcard() && !self.method.covers_wildcards() {
            return false;
        }
        calendar::method_allowed(self.method, signing)
            && calendar::evidence_usable(self.method, self.obtained, signing)
            && name
                .authorization_domain_names(self.method.may_prune(), policy)
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
