//! The order that a process has at an upstream: what is on record before anything can be issued there.

use jiff::{SignedDuration, Timestamp};
use reseal_pki::name::DnsName;
use serde::{Deserialize, Serialize};

use crate::product::DcvType;
use crate::upstream::Offer;

/// For how long behind its end an upstream may know nothing of an order by mistake.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(24 * 7);

/// An order at an upstream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UpstreamOrder {
    /// What the upstream calls it.
    pub url: String,
    /// The account it was placed with.
    pub account: String,
    /// When it was placed.
    pub placed: Timestamp,
    /// Until when the upstream keeps it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
    /// The names by which CAA records may permit the upstream, as far as it publishes them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub caa_identities: Vec<String>,
    /// When it was last asked for the certificate, or was about to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Timestamp>,
    /// What it asks for, one a name.
    pub authorizations: Vec<UpstreamAuthorization>,
}

/// What the upstream asks for as proof of one name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UpstreamAuthorization {
    /// The name.
    pub name: DnsName,
    /// Where it can be read how far it is.
    pub url: String,
    /// The ways to prove it, with what is published.
    pub ways: Vec<Way>,
    /// When the upstream was told that it is published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told: Option<Timestamp>,
}

/// A way to prove a name to the upstream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Way {
    /// What the upstream offers.
    #[serde(flatten)]
    pub offer: Offer,
    /// Its token together with the account's key (RFC 8555 section 8.1).
    pub key_authorization: String,
}

impl UpstreamOrder {
    /// What is asked for `name`.
    pub fn authorization(&self, name: &DnsName) -> Option<&UpstreamAuthorization> {
        self.authorizations.iter().find(|one| one.name == *name)
    }

    /// Whether the upstream keeps it no more at `now`.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }

    /// Whether an upstream that knows nothing of it at `now` will know nothing later either: a week behind its end.
    pub fn is_long_over(&self, now: Timestamp) -> bool {
        let end = self.expires.unwrap_or(self.placed);
        now.duration_since(end) > REMEMBERED
    }
}

impl UpstreamAuthorization {
    /// The way of `method`, if the upstream offers it.
    pub fn way(&self, method: DcvType) -> Option<&Way> {
        self.ways.iter().find(|way| way.offer.method == method)
    }
}
