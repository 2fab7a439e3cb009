//! Domain names that may stand in a certificate.
//!
//! A [`DnsName`] has passed every rule of section 1 of the rule book (N-1 to
//! N-16, N-22, N-23) and is stored as it will be issued: lower-case A-labels,
//! possibly with a leading `*.`. Nothing is repaired on the way in, because what
//! was approved must be byte-equal to what is issued (N-9).
//!
//! - `syntax`: characters, lengths, labels, the wildcard
//! - `alabel`: internationalized labels (IDNA2008)
//! - `registry`: public suffixes, top-level domains, names nobody can own
//! - `error`: what is said about a name that fails

mod alabel;
mod error;
mod registry;
mod syntax;

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

pub use error::NameError;

/// A domain name that may be certified, as a lower-case A-label string.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct DnsName(Box<str>);

/// What an operator may decide about names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamePolicy {
    /// Suffixes that are validated inside the house, lower-case and without a
    /// leading dot, such as `corp.example`. Names at or below them need no public
    /// top-level domain and may lie in a reserved zone (N-11, N-12); only an
    /// authority with private trust may have any.
    pub internal_suffixes: Vec<String>,
    /// Most labels a name may have, the wildcard not counted (N-4).
    pub max_labels: usize,
}

impl Default for NamePolicy {
    fn default() -> Self {
        Self {
            internal_suffixes: Vec::new(),
            max_labels: syntax::DEFAULT_MAX_LABELS,
        }
    }
}

impl NamePolicy {
    /// Whether the name is validated inside the house: it lies at or below an
    /// internal suffix.
    pub fn is_internal(&self, name: &DnsName) -> bool {
        self.internal_suffix(name.fqdn()).is_some()
    }

    /// The longest internal suffix that `fqdn` is equal to or lies below.
    fn internal_suffix<'a>(&self, fqdn: &'a str) -> Option<&'a str> {
        self.internal_suffixes
            .iter()
            .filter(|suffix| registry::is_at_or_below(fqdn, suffix))
            .map(|suffix| &fqdn[fqdn.len() - suffix.len()..])
            .max_by_key(|suffix| suffix.len())
    }
}

impl DnsName {
    /// Takes `text` exactly as it stands, applying every rule; upper case is an
    /// error, as it is in the fields of a request (N-3).
    pub fn parse(text: &str, policy: &NamePolicy) -> Result<Self, NameError> {
        syntax::check(text, policy.max_labels)?;
        let fqdn = text.strip_prefix("*.").unwrap_or(text);
        if policy.internal_suffix(fqdn).is_none() {
            registry::check(text, fqdn)?;
        } else {
            registry::check_reverse_zone(text, fqdn)?;
        }
        Ok(Self(text.into()))
    }

    /// As [`parse`](Self::parse), after folding ASCII letters to lower case: for
    /// names in a certificate signing request (N-3).
    pub fn parse_folded(text: &str, policy: &NamePolicy) -> Result<Self, NameError> {
        Self::parse(&text.to_ascii_lowercase(), policy)
    }

    /// The name as it is issued.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it begins with `*.`.
    pub fn is_wildcard(&self) -> bool {
        self.0.starts_with("*.")
    }

    /// The name without `*.`: what is asked for in the DNS.
    pub fn fqdn(&self) -> &str {
        self.0.strip_prefix("*.").unwrap_or(&self.0)
    }

    /// The domain somebody registered: the public suffix (ICANN section of the
    /// list only, N-22) and one label; inside the house, the internal suffix and
    /// one label.
    pub fn base_domain(&self, policy: &NamePolicy) -> &str {
        let fqdn = self.fqdn();
        let suffix = policy
            .internal_suffix(fqdn)
            .unwrap_or_else(|| registry::icann_suffix(fqdn));
        let above = fqdn[..fqdn.len() - suffix.len()].trim_end_matches('.');
        let label = above.rfind('.').map_or(0, |dot| dot + 1);
        &fqdn[label..]
    }

    /// The Authorization Domain Names whose proof covers this name (N-20): its
    /// own FQDN first, then, when the method may `prune`, one label less at a
    /// time down to the base domain. Aliases are never followed (N-21).
    pub fn authorization_domain_names(&self, prune: bool, policy: &NamePolicy) -> Vec<String> {
        let fqdn = self.fqdn();
        if !prune {
            return vec![fqdn.to_owned()];
        }
        let base = self.base_domain(policy);
        std::iter::successors(Some(fqdn), |name| {
            let (_, parent) = name.split_once('.')?;
            (name.len() > base.len()).then_some(parent)
        })
        .map(str::to_owned)
        .collect()
    }

    /// The name a single-domain product adds for free (N-25): `www.x` for `x`,
    /// `x` for `www.x` where that may be issued. Wildcards have none, and
    /// `www.www.x` is never made.
    pub fn www_counterpart(&self) -> Option<Self> {
        if self.is_wildcard() {
            return None;
        }
        let counterpart = match self.0.strip_prefix("www.") {
            Some(rest) if rest.starts_with("www.") || registry::icann_suffix(rest) == rest => {
                return None;
            }
            Some(rest) => rest.to_owned(),
            None => format!("www.{}", self.0),
        };
        syntax::check(&counterpart, syntax::DEFAULT_MAX_LABELS).ok()?;
        Some(Self(counterpart.into()))
    }
}

/// Syntax only: for names that were accepted before and are read back, which a
/// later change of policy must not make unreadable.
impl FromStr for DnsName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        syntax::check(text, syntax::MOST_LABELS)?;
        Ok(Self(text.into()))
    }
}

impl TryFrom<String> for DnsName {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl From<DnsName> for String {
    fn from(name: DnsName) -> Self {
        name.0.into()
    }
}

impl AsRef<str> for DnsName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DnsName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Debug for DnsName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "DnsName({})", self.0)
    }
}

#[cfg(test)]
mod tests;
