//! Which names the certificate will carry (design decision 6, rules.md C-9, N-16 to N-18, N-25). Pure.

use std::collections::HashSet;

use reseal_pki::csr::Csr;
use reseal_pki::name::{DnsName, NamePolicy};
use reseal_pki::profile::ValidationType;

use super::CertificateRequest;
use crate::error::Violation;
use crate::product::{CertificateType, Feature, Product, ProductField};

/// Sum of all names' octets at most (N-17).
const MAX_OCTETS: usize = 25_000;

/// What the names are decided from.
pub(super) struct Sources<'a> {
    pub(super) request: &'a CertificateRequest,
    pub(super) csr: &'a Csr,
    pub(super) product: &'a Product,
    pub(super) policy: &'a NamePolicy,
    /// Common name and names of the certificate being replaced.
    pub(super) previous: Option<(&'a str, &'a [String])>,
}

/// The decided names.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NameSet {
    pub(super) common_name: DnsName,
    /// The common name first; no duplicates.
    pub(super) names: Vec<DnsName>,
}

impl NameSet {
    /// Adds those of `names` that are not there yet. A request may list tens of thousands.
    fn extend(&mut self, names: impl IntoIterator<Item = DnsName>) {
        let mut known: HashSet<DnsName> = self.names.iter().cloned().collect();
        let new = names.into_iter().filter(|name| known.insert(name.clone()));
        self.names.extend(new);
    }
}

/// Decides the names, or says everything that stands in the way.
pub(super) fn resolve(sources: &Sources<'_>) -> Result<NameSet, Vec<Violation>> {
    let mut violations = Vec::new();
    let listed = listed_names(sources, &mut violations);
    let Some(common_name) = common_name(sources, &mut violations) else {
        return Err(violations);
    };
    let mut set = NameSet {
        names: vec![common_name.clone()],
        common_name,
    };
    match sources.product.certificate_type {
        CertificateType::MultiDomain => several(sources, listed, &mut set, &mut violations),
        CertificateType::SingleDomain | CertificateType::Wildcard => {
            single(sources, listed, &mut set, &mut violations);
        }
    }
    let octets: usize = set.names.iter().map(|name| name.as_str().len()).sum();
    if octets > MAX_OCTETS {
        violations.push(Violation::new(
            "san",
            format!("all names together have {octets} octets; {MAX_OCTETS} are possible [N-17]"),
            None,
        ));
    }
    if violations.is_empty() {
        Ok(set)
    } else {
        Err(violations)
    }
}

/// The common name: `domainName`, else the CSR's, else its first DNS name, else the old certificate's.
fn common_name(sources: &Sources<'_>, violations: &mut Vec<Violation>) -> Option<DnsName> {
    let csr = sources.csr;
    let (field, text) = if let Some(name) = &sources.request.domain_name {
        check_override(sources, name, violations);
        ("domainName", name.as_str())
    } else if let Some(name) = csr.common_name().filter(|name| !name.is_empty()) {
        ("csr", name)
    } else if let Some(name) = csr.dns_names().first() {
        ("csr", name.as_str())
    } else if let Some((name, _)) = sources.previous {
        ("domainName", name)
    } else {
        violations.push(Violation::new(
            "csr",
            "the CSR names nothing: put a common name or DNS names into it, or send `domainName` [C-8]",
            None,
        ));
        return None;
    };
    let parsed = if field == "csr" {
        DnsName::parse_folded(text, sources.policy)
    } else {
        DnsName::parse(text, sources.policy)
    };
    match parsed {
        Ok(name) => Some(name),
        Err(error) => {
            violations.push(name_violation(field, text, &error));
            None
        }
    }
}

/// `domainName` may differ from the CSR's common name only where the product offers that.
fn check_override(sources: &Sources<'_>, name: &str, violations: &mut Vec<Violation>) {
    let product = sources.product;
    let offered = product.optional_fields.contains(&ProductField::DomainName)
        || product.requires(ProductField::DomainName);
    let same = sources
        .csr
        .common_name()
        .is_some_and(|csr| csr.eq_ignore_ascii_case(name));
    if !offered && !same {
        violations.push(Violation::new(
            "domainName",
            format!(
                "product `{}` takes the common name from the CSR: leave `domainName` out or make it equal to the CSR's",
                product.product
            ),
            Some(name),
        ));
    }
}

/// The entries of `san`, parsed; bad ones become violations.
fn listed_names(
    sources: &Sources<'_>,
    violations: &mut Vec<Violation>,
) -> Option<Vec<(usize, DnsName)>> {
    let san = sources.request.san.as_ref()?;
    let mut names = Vec::with_capacity(san.len());
    for (index, text) in san.iter().enumerate() {
        match DnsName::parse(text, sources.policy) {
            Ok(name) => names.push((index, name)),
            Err(error) => violations.push(name_violation(&format!("san[{index}]"), text, &error)),
        }
    }
    Some(names)
}

fn name_violation(field: &str, text: &str, error: &reseal_pki::name::NameError) -> Violation {
    Violation::new(field, format!("{error} [{}]", error.rule()), Some(text))
}

/// Single-domain and wildcard products: one name and its free counterpart.
fn single(
    sources: &Sources<'_>,
    listed: Option<Vec<(usize, DnsName)>>,
    set: &mut NameSet,
    violations: &mut Vec<Violation>,
) {
    let product = sources.product;
    let common_name = set.common_name.clone();
    let wants_wildcard = product.certificate_type == CertificateType::Wildcard;
    if common_name.is_wildcard() != wants_wildcard {
        let message = if wants_wildcard {
            format!(
                "product `{}` is for one wildcard: expected `*.{common_name}`, saw `{common_name}`",
                product.product
            )
        } else {
            format!(
                "product `{}` does not take wildcards: saw `{common_name}`",
                product.product
            )
        };
        violations.push(Violation::new(
            cn_field(sources),
            message,
            Some(common_name.as_str()),
        ));
        return;
    }
    if let Some((previous, _)) = sources.previous {
        check_move(&common_name, previous, sources, violations);
    }
    let free = free_counterpart(&common_name, sources);
    for (index, name) in listed.iter().flatten() {
        if *name != common_name && Some(name) != free.as_ref() {
            violations.push(Violation::new(
                format!("san[{index}]"),
                format!(
                    "product `{}` is for one name: only `{common_name}`{} may be listed",
                    product.product,
                    free.as_ref()
                        .map(|free| format!(" and `{free}`"))
                        .unwrap_or_default()
                ),
                Some(name.as_str()),
            ));
        }
    }
    let declined = listed.is_some_and(|names| names.is_empty());
    set.extend(free.filter(|_| !declined));
}

/// The name that the product adds free of charge (N-25).
fn free_counterpart(common_name: &DnsName, sources: &Sources<'_>) -> Option<DnsName> {
    let product = sources.product;
    if common_name.is_wildcard() {
        return product
            .has(Feature::NonWwwIncluded)
            .then(|| DnsName::parse(common_name.fqdn(), sources.policy).ok())
            .flatten();
    }
    let feature = if common_name.as_str().starts_with("www.") {
        Feature::NonWwwIncluded
    } else {
        Feature::WwwIncluded
    };
    product
        .has(feature)
        .then(|| common_name.www_counterpart())
        .flatten()
        .and_then(|name| DnsName::parse(name.as_str(), sources.policy).ok())
}

/// When one name is replaced, it may only move between www, non-www and, where the product changes with it, the
/// wildcard of the same name.
fn check_move(
    common_name: &DnsName,
    previous: &str,
    sources: &Sources<'_>,
    violations: &mut Vec<Violation>,
) {
    let bare = |name: &str| {
        let wildcard = name.strip_prefix("*.");
        let bare = wildcard.or_else(|| name.strip_prefix("www."));
        bare.unwrap_or(name).to_owned()
    };
    if bare(common_name.as_str()) != bare(previous) {
        violations.push(Violation::new(
            cn_field(sources),
            format!(
                "the certificate is for `{previous}`: with product `{}` it cannot move to `{common_name}`; order a new certificate instead",
                sources.product.product
            ),
            Some(common_name.as_str()),
        ));
    }
}

/// Multi-domain products: `san`, else the CSR's DNS names, else the old certificate's names.
fn several(
    sources: &Sources<'_>,
    listed: Option<Vec<(usize, DnsName)>>,
    set: &mut NameSet,
    violations: &mut Vec<Violation>,
) {
    let csr_names = sources.csr.dns_names();
    if let Some(listed) = listed {
        set.extend(listed.into_iter().map(|(_, name)| name));
    } else if !csr_names.is_empty() {
        add_all(csr_names, sources, set, violations);
    } else if let Some((_, previous)) = sources.previous {
        add_all(previous, sources, set, violations);
    }
    let product = sources.product;
    let most = product.max_domains as usize;
    if set.names.len() > most {
        violations.push(Violation::new(
            "san",
            format!(
                "product `{}` takes {most} names, saw {} [N-17]",
                product.product,
                set.names.len()
            ),
            None,
        ));
        // Looking for each name's place is for lists that could be right.
        return;
    }
    let wildcards_fit =
        product.has(Feature::Wildcard) && product.validation_type != ValidationType::Extended;
    for name in set
        .names
        .iter()
        .filter(|name| name.is_wildcard() && !wildcards_fit)
    {
        violations.push(Violation::new(
            field_of(sources, name),
            format!(
                "product `{}` does not take wildcards: saw `{name}` [N-16]",
                product.product
            ),
            Some(name.as_str()),
        ));
    }
}

fn add_all(
    texts: &[String],
    sources: &Sources<'_>,
    set: &mut NameSet,
    violations: &mut Vec<Violation>,
) {
    set.extend(
        texts
            .iter()
            .filter_map(|text| match DnsName::parse_folded(text, sources.policy) {
                Ok(name) => Some(name),
                Err(error) => {
                    violations.push(name_violation("csr", text, &error));
                    None
                }
            }),
    );
}

fn cn_field(sources: &Sources<'_>) -> &'static str {
    if sources.request.domain_name.is_some() {
        "domainName"
    } else {
        "csr"
    }
}

fn field_of(sources: &Sources<'_>, name: &DnsName) -> String {
    let listed = sources
        .request
        .san
        .iter()
        .flatten()
        .position(|text| text == name.as_str());
    match listed {
        Some(index) => format!("san[{index}]"),
        None if sources.request.domain_name.as_deref() == Some(name.as_str()) => {
            "domainName".to_owned()
        }
        None => "csr".to_owned(),
    }
}

#[cfg(test)]
mod tests;
