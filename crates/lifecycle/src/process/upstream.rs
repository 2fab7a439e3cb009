//! The order that a process has at an upstream: what is on record before anything can be issued there.

use jiff::{SignedDuration, Timestamp};
use reseal_pki::name::DnsName;
use serde::{Deserialize, Serialize};

use crate::product::DcvType;
use crate::upstream::Offer;

/// For how long behind its end an upstream may know nothing of an order by mistake.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(24 * 7);
/// What an order asks for proves nothing any longer (D-3), whatever end the upstream names.
const LONGEST_LIFE: SignedDuration = SignedDuration::from_hours(24 * 30);

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
    /// When it was asked for the first time: since then there may be a certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_asked: Option<Timestamp>,
    /// How many orders the upstream has lost before it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub lost: u32,
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
    /// How often it was.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub times: u32,
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

/// For `skip_serializing_if`.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "what serde calls")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl UpstreamOrder {
    /// The upstream has lost it: nothing comes of it any more.
    pub fn lose(&mut self, now: Timestamp) {
        self.expires = Some(now);
        self.lost += 1;
    }

    /// What is asked for `name`.
    pub fn authorization(&self, name: &DnsName) -> Option<&UpstreamAuthorization> {
        self.authorizations.iter().find(|one| one.name == *name)
    }

    /// Whether the upstream keeps it no more at `now`.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }

    /// Whether what the upstream has not said of it by `now` is not waited for any more: a week behind its end, and behind
    /// the moment at which the certificate was first asked for.
    pub fn is_long_over(&self, now: Timestamp) -> bool {
        let latest = self.placed.saturating_add(LONGEST_LIFE);
        let end = self.expires.unwrap_or(self.placed);
        let end = latest.map_or(end, |latest| end.min(latest));
        let asked = self.asked_since();
        now.duration_since(asked.map_or(end, |asked| end.max(asked))) > REMEMBERED
    }

    /// Since when there may be a certificate.
    pub fn asked_since(&self) -> Option<Timestamp> {
        self.first_asked.or(self.asked)
    }
}

impl UpstreamAuthorization {
    /// The way of `method`, if the upstream offers it.
    pub fn way(&self, method: DcvType) -> Option<&Way> {
        self.ways.iter().find(|way| way.offer.method == method)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::sample;

    #[test]
    fn an_order_is_waited_for_until_a_week_behind_its_end_and_the_first_question() {
        let days = |days: i64| SignedDuration::from_hours(24 * days);
        let now = sample::now();
        let order = |expires, first_asked| UpstreamOrder {
            expires,
            first_asked,
            ..sample::order()
        };
        let is_over = |order: &UpstreamOrder, day| order.is_long_over(now + days(day));
        let endless = order(None, None);
        assert!(!is_over(&endless, 7) && is_over(&endless, 8));
        let short = order(Some(now + days(2)), Some(now + days(1)));
        assert!(!is_over(&short, 9) && is_over(&short, 10));
        // One that is asked for the certificate late is given the time to make it.
        let late = order(Some(now + days(2)), Some(now + days(29)));
        assert!(!is_over(&late, 36) && is_over(&late, 37));
        // Whatever it says of its end, there is one.
        let eternal = order(Some(Timestamp::MAX), Some(now));
        assert!(!is_over(&eternal, 37) && is_over(&eternal, 38));
    }
}
