//! Everything the rules work with, put together once at start.

use std::collections::{HashMap, HashSet};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use reseal_pki::corroboration::{Layout, Quorum, Witness};
use reseal_pki::method::Method;
use reseal_pki::name::NamePolicy;
use reseal_pki::profile::ValidationType;
use reseal_validation::email::Mailer;
use reseal_validation::panel::Panel;
use reseal_validation::settings::Dnssec;

use crate::audit::Refusals;
use crate::certificate::Certificate;
use crate::clock::Clock;
use crate::dns_hook::DnsHooks;
use crate::error::{Error, Kind};
use crate::hands::Hands;
use crate::issuance::{CaaCache, Reported};
use crate::issuer::Issuer;
use crate::metrics::Metrics;
use crate::notification::Webhooks;
use crate::ocsp::{Desk, Tally};
use crate::product::{Catalogue, DcvType, Product};
use crate::pulse::Pulse;
use crate::slots::Slots;
use crate::store::Store;
use crate::transparency::Transparency;
use crate::upstream::Upstream;

/// Under which rules certificates are issued (rules.md 0.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// Own trust anchor.
    Private,
    /// Every rule of a publicly trusted CA.
    Public,
}

/// What the operator configured, as far as the rules care.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `policy.profile`.
    pub trust: Trust,
    /// Name rules, `policy.internal_names` among them.
    pub names: NamePolicy,
    /// `policy.revoke_replaced_after`.
    pub revoke_replaced_after: Option<SignedDuration>,
    /// `policy.revoke_removed_names_after`.
    pub revoke_removed_names_after: Option<SignedDuration>,
    /// `policy.revoke_compromised_after`: no more than 24 hours count.
    pub revoke_compromised_after: SignedDuration,
    /// `dcv.domain`, the suffix in challenge contents.
    pub dcv_domain: String,
    /// `dcv.caa_identity`.
    pub caa_identity: String,
    /// `dcv.caa_reuse`: how old a CAA observation may be and still serve; zero asks the DNS at every
    /// issuance. What would be older than 8 hours at signing does not (BR 4.2.2.1).
    pub caa_reuse: Duration,
    /// `dcv.iodef`: whether refusals by CAA are reported to whom the records name.
    pub iodef: bool,
    /// `dcv.dnssec`.
    pub dnssec: Dnssec,
    /// How many remote perspectives must agree.
    pub quorum: Quorum,
    /// Where the perspectives stand.
    pub layout: Layout,
    /// `server.public_url`, without a trailing slash.
    pub public_url: String,
    /// `limits.reissues_per_day`: certificates of one subscription within 24 hours; `None` without limit.
    pub reissues_per_day: Option<NonZeroU32>,
    /// `server.sync_wait`.
    pub sync_wait: Duration,
}

impl Settings {
    /// The URI of a customer's account, which CAA records and persistent records name (RFC 7565, S-13).
    pub fn account_uri(&self, customer: &str) -> String {
        format!("acct:{customer}@{}", self.caa_identity)
    }

    /// Why nothing may be signed at `now`, if so: what public trust needs is not there, or not any more (M-3, M-10,
    /// S-1).
    pub fn signing_refused(&self, now: Timestamp) -> Option<String> {
        if self.trust == Trust::Private {
            return None;
        }
        let problems = self.layout.problems(now);
        let mut reasons: Vec<_> = problems.iter().map(ToString::to_string).collect();
        if self.dnssec == Dnssec::Off {
            reasons.push("`dcv.dnssec` is `off`: answers of the DNS must be validated".to_owned());
        }
        if reasons.is_empty() {
            return None;
        }
        let reasons = reasons.join("; and while ");
        Some(format!(
            "the profile `public` does not sign while {reasons}"
        ))
    }

    /// Whether what was seen by `method` at `obtained` may be relied on, as far as `witnesses` matter (M-1, M-3).
    pub(crate) fn is_corroborated(
        &self,
        method: Method,
        witnesses: &[Witness],
        obtained: Timestamp,
    ) -> bool {
        self.trust == Trust::Private
            || !method.needs_corroboration()
            || self.quorum.judge(witnesses, obtained).is_ok()
    }
}

/// What the rules are put together from.
pub struct Parts {
    /// Where everything is kept.
    pub store: Arc<dyn Store>,
    /// Issuers by the names that products use.
    pub issuers: HashMap<String, Arc<dyn Issuer>>,
    /// Who signs in the place of an issuer that products name, where that is another one.
    pub successors: HashMap<String, String>,
    /// CAs elsewhere, by the names that products use.
    pub upstreams: HashMap<String, Arc<dyn Upstream>>,
    /// The logs that are asked before the issuers here issue; `None`: none are.
    pub transparency: Option<Transparency>,
    /// SHA-256 of the SubjectPublicKeyInfos of keys of ours beside those of the issuers (C-22).
    pub own_keys: Vec<[u8; 32]>,
    /// The views of the customers' DNS and web servers.
    pub panel: Panel,
    /// Who publishes challenges in the DNS.
    pub dns_hooks: DnsHooks,
    /// The way mails go.
    pub mailer: Mailer,
    /// The way notifications go.
    pub webhooks: Webhooks,
    /// The present moment.
    pub clock: Clock,
    /// The products.
    pub catalogue: Catalogue,
    /// What the operator configured.
    pub settings: Settings,
}

/// The rules with everything they need. Cheap to share: behind one `Arc`.
pub struct Services {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) issuers: HashMap<String, Arc<dyn Issuer>>,
    successors: HashMap<String, String>,
    pub(crate) upstreams: HashMap<String, Arc<dyn Upstream>>,
    pub(crate) transparency: Option<Transparency>,
    /// Never certified for anybody (C-22).
    pub(crate) own_keys: HashSet<[u8; 32]>,
    pub(crate) panel: Panel,
    pub(crate) dns_hooks: DnsHooks,
    pub(crate) mailer: Mailer,
    pub(crate) webhooks: Webhooks,
    pub(crate) clock: Clock,
    pub(crate) catalogue: Catalogue,
    pub(crate) settings: Settings,
    pub(crate) caa_cache: CaaCache,
    pub(crate) reported: Reported,
    pub(crate) slots: Slots,
    pub(crate) hands: Hands,
    pub(crate) refusals: Refusals,
    pub(crate) pulse: Pulse,
    pub(crate) desk: Desk,
    pub(crate) answered: Tally,
    pub(crate) metrics: Metrics,
}

impl Services {
    /// Puts the parts together.
    ///
    /// # Errors
    /// A product names an issuer that does not exist.
    pub fn new(parts: Parts) -> Result<Self, String> {
        let mut catalogue = parts.catalogue;
        for product in catalogue.products() {
            if parts.upstreams.contains_key(&product.issuer) {
                fits_upstream(product)?;
            } else if !parts.issuers.contains_key(&product.issuer) {
                return Err(format!(
                    "product `{}` names the issuer `{}`, which is not configured",
                    product.product, product.issuer
                ));
            }
        }
        catalogue.restrict_upstream(|issuer| parts.upstreams.contains_key(issuer));
        if parts.settings.trust == Trust::Public {
            catalogue.withhold_extended();
        }
        let of_issuers = parts.issuers.values().flat_map(|issuer| issuer.own_keys());
        Ok(Self {
            own_keys: of_issuers.chain(parts.own_keys).collect(),
            metrics: Metrics::new(parts.issuers.keys().chain(parts.upstreams.keys()))
                .map_err(|error| error.to_string())?,
            store: parts.store,
            issuers: parts.issuers,
            successors: parts.successors,
            upstreams: parts.upstreams,
            transparency: parts.transparency,
            panel: parts.panel,
            dns_hooks: parts.dns_hooks,
            mailer: parts.mailer,
            webhooks: parts.webhooks,
            clock: parts.clock,
            catalogue,
            settings: parts.settings,
            caa_cache: CaaCache::default(),
            reported: Reported::default(),
            slots: Slots::default(),
            hands: Hands::default(),
            refusals: Refusals::default(),
            pulse: Pulse::default(),
            desk: Desk::default(),
            answered: Tally::default(),
        })
    }

    /// The catalogue.
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// What the operator configured.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Calls that were refused for who makes them, for the audit log.
    pub fn refusals(&self) -> &Refusals {
        &self.refusals
    }

    /// Why nothing may be signed now, if so.
    pub fn signing_refused(&self) -> Option<String> {
        self.settings.signing_refused(self.clock.now())
    }

    /// How long a call that changes something would wait for the store now.
    pub fn backlog(&self) -> Duration {
        self.store.backlog()
    }

    /// Whether other nodes may work on the same store.
    pub fn has_others(&self) -> bool {
        self.store.is_shared()
    }

    /// Tells the other nodes something that nobody keeps: it may be lost.
    pub fn tell_others(&self, word: String) {
        self.store.tell_others(word);
    }

    /// The next thing that another node tells; without others it never comes.
    pub async fn hear_others(&self) -> String {
        self.store.hear_others().await
    }

    /// The clock.
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// The store, for parts that only read.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// Names of all issuers, in order.
    pub fn issuers(&self) -> Vec<&str> {
        let mut names: Vec<_> = self.issuers.keys().map(String::as_str).collect();
        names.sort_unstable();
        names
    }

    /// The name of the issuer that signs what products order from `name`.
    pub fn signs_for<'a>(&'a self, name: &'a str) -> &'a str {
        self.successors.get(name).map_or(name, String::as_str)
    }

    /// Whether the key of the issuer called `name` is at hand.
    pub fn holds_key(&self, name: &str) -> bool {
        self.issuers
            .get(name)
            .is_some_and(|issuer| issuer.holds_key())
    }

    /// The chain of the issuer here called `name`: issuing certificate first, root last, DER.
    pub fn chain(&self, name: &str) -> Option<Vec<Vec<u8>>> {
        self.issuers.get(name).map(|issuer| issuer.chain())
    }

    /// The chain of a certificate: issuing certificate first, DER; `None` when it is not known. One that came from
    /// elsewhere keeps the chain that it came with.
    ///
    /// # Errors
    /// [`Kind::Unavailable`] when the store cannot be read.
    pub async fn chain_of(&self, certificate: &Certificate) -> Result<Option<Vec<Vec<u8>>>, Error> {
        match self.chain(&certificate.issuer) {
            Some(chain) => Ok(Some(chain)),
            None => Ok(self.store.upstream_chain(certificate.id).await?),
        }
    }

    /// Name rules.
    pub fn name_policy(&self) -> &NamePolicy {
        &self.settings.names
    }

    /// Whether requests can be served, and what they lead to will be done.
    ///
    /// # Errors
    /// [`Kind::Unavailable`] when the store cannot be written, or a part of the worker stands still.
    pub async fn ready(&self) -> Result<(), Error> {
        self.store.ping().await?;
        match self.pulse.standing_still(Instant::now()) {
            None => Ok(()),
            Some(what) => Err(Error::unavailable(
                "A part of the server stands still: its log may say why",
                Duration::from_mins(1),
                format!("the worker does not look after {what}"),
            )),
        }
    }

    pub(crate) fn issuer(&self, name: &str) -> Result<&Arc<dyn Issuer>, Error> {
        self.issuers
            .get(name)
            .ok_or_else(|| Error::internal(format!("issuer `{name}` is not configured")))
    }

    /// The product that something was once ordered with; the operator may have taken it out of the catalogue.
    pub(crate) fn product(&self, handle: &str) -> Result<&Product, Error> {
        self.product_or(handle, || {
            let message = format!(
                "Product `{handle}` is no longer offered: order a certificate of another product"
            );
            Error::new(Kind::Status, message)
        })
    }

    /// The product that somebody asks for.
    pub(crate) fn product_asked_for(&self, handle: &str) -> Result<&Product, Error> {
        self.product_or(handle, || Error::not_found(&format!("Product {handle}")))
    }

    fn product_or(&self, handle: &str, unknown: impl FnOnce() -> Error) -> Result<&Product, Error> {
        let product = self.catalogue.get(handle);
        product.ok_or_else(|| self.catalogue.withheld(handle).unwrap_or_else(unknown))
    }
}

/// What an upstream certifies is names, and only what can be published proves them to it.
fn fits_upstream(product: &Product) -> Result<(), String> {
    let says = |problem: String| {
        let Product {
            product, issuer, ..
        } = product;
        Err(format!(
            "product `{product}`: the upstream issuer `{issuer}` {problem}"
        ))
    };
    if product.validation_type != ValidationType::Domain {
        return says(
            "certifies domain names only: `validation_type` must be DOMAIN_VALIDATION".to_owned(),
        );
    }
    if !product.dcv.iter().any(|dcv| *dcv != DcvType::Email) {
        return says("is shown proofs by DNS or FILE only: `dcv` must name one of them".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests;
