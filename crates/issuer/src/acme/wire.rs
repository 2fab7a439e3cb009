//! What an ACME server says (RFC 8555 section 7.1), as far as it matters here.

use std::time::Duration;

use jiff::Timestamp;
use reseal_lifecycle::product::DcvType;
use reseal_lifecycle::upstream::{
    Advice, AuthorizationState, AuthorizationStatus, Offer, OrderState, OrderStatus, Validated,
};
use serde::{Deserialize, Deserializer};

use crate::https::{Place, shown};

/// Most characters of a link that is passed on.
const LONGEST_LINK: usize = 400;
/// Most characters of a token; 128 bits take 22.
const LONGEST_TOKEN: usize = 128;

/// The directory.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Directory {
    pub(super) new_nonce: String,
    pub(super) new_account: String,
    pub(super) new_order: String,
    pub(super) revoke_cert: String,
    pub(super) key_change: Option<String>,
    /// RFC 9773.
    pub(super) renewal_info: Option<String>,
    #[serde(default)]
    pub(super) meta: Meta,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Meta {
    #[serde(default)]
    pub(super) caa_identities: Vec<String>,
}

/// An order.
#[derive(Debug, Deserialize)]
pub(super) struct Order {
    status: OrderStatus,
    #[serde(default)]
    authorizations: Vec<String>,
    finalize: String,
    certificate: Option<String>,
    expires: Option<Timestamp>,
    error: Option<Problem>,
}

impl Order {
    pub(super) fn state(self, retry_after: Option<Duration>) -> OrderState {
        OrderState {
            status: self.status,
            authorizations: self.authorizations,
            finalize: self.finalize,
            certificate: self.certificate,
            expires: self.expires,
            error: self.error.map(|problem| problem.in_words()),
            retry_after,
        }
    }
}

/// An authorization.
#[derive(Debug, Deserialize)]
pub(super) struct Authorization {
    identifier: Identifier,
    status: String,
    #[serde(default)]
    wildcard: bool,
    #[serde(default)]
    challenges: Vec<Challenge>,
}

#[derive(Debug, Deserialize)]
struct Identifier {
    value: String,
}

#[derive(Debug, Deserialize)]
struct Challenge {
    r#type: String,
    url: String,
    #[serde(default)]
    token: String,
    #[serde(default)]
    status: String,
    validated: Option<Timestamp>,
    error: Option<Problem>,
}

impl Challenge {
    fn method(&self) -> Option<DcvType> {
        match self.r#type.as_str() {
            "dns-01" => Some(DcvType::Dns),
            "http-01" => Some(DcvType::File),
            _ => None,
        }
    }

    fn validated(&self) -> Option<Validated> {
        let method = self.method().filter(|_| self.status == "valid")?;
        let at = self.validated;
        Some(Validated { method, at })
    }

    fn offer(&self) -> Option<Offer> {
        let method = self.method()?;
        // It becomes part of a path (RFC 8555 section 8.1).
        let good = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        let is_token =
            (1..=LONGEST_TOKEN).contains(&self.token.len()) && self.token.bytes().all(good);
        (is_token && Place::parse(&self.url).is_ok()).then(|| Offer {
            method,
            url: self.url.clone(),
            token: self.token.clone(),
        })
    }
}

impl Authorization {
    /// The first of each method: they are kept, and nobody needs two.
    fn offers(&self) -> Vec<Offer> {
        let mut offers: Vec<Offer> = Vec::new();
        for offer in self.challenges.iter().filter_map(Challenge::offer) {
            if !offers.iter().any(|known| known.method == offer.method) {
                offers.push(offer);
            }
        }
        offers
    }

    pub(super) fn state(self, retry_after: Option<Duration>) -> AuthorizationState {
        let error = self
            .challenges
            .iter()
            .find_map(|challenge| challenge.error.as_ref());
        AuthorizationState {
            name: self.identifier.value.to_ascii_lowercase(),
            wildcard: self.wildcard,
            status: match self.status.as_str() {
                "pending" => AuthorizationStatus::Pending,
                "valid" => AuthorizationStatus::Valid,
                _ => AuthorizationStatus::Dead,
            },
            offers: self.offers(),
            validated: self.challenges.iter().find_map(Challenge::validated),
            error: error.map(Problem::in_words),
            retry_after,
        }
    }
}

/// When to replace a certificate (RFC 9773 section 4.2).
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RenewalInfo {
    suggested_window: Window,
    #[serde(rename = "explanationURL")]
    explanation: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Window {
    start: Timestamp,
    end: Timestamp,
}

impl RenewalInfo {
    /// `None` when the window ends before it begins: then it says nothing.
    pub(super) fn advice(self) -> Option<Advice> {
        let Window { start, end } = self.suggested_window;
        let is_link = |url: &String| {
            url.starts_with("https://")
                && url.len() <= LONGEST_LINK
                && url.bytes().all(|byte| byte.is_ascii_graphic())
        };
        (start < end).then(|| Advice {
            start,
            end,
            explanation: self.explanation.filter(is_link),
        })
    }
}

/// A problem document (RFC 7807, RFC 8555 section 6.7).
#[derive(Debug, Default, Deserialize)]
pub(super) struct Problem {
    #[serde(default, deserialize_with = "or_nothing")]
    r#type: String,
    #[serde(default, deserialize_with = "or_nothing")]
    detail: String,
    #[serde(default, deserialize_with = "or_nothing")]
    subproblems: Vec<Problem>,
}

/// `null` is as good as nothing: what is said about a failure must not make the rest unreadable.
fn or_nothing<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

impl Problem {
    /// The name of the problem without the prefix that all of ACME have.
    pub(super) fn kind(&self) -> String {
        let kind = self.r#type.rsplit(':').next().unwrap_or_default();
        shown(kind)
    }

    /// Its text, with those of its parts.
    pub(super) fn detail(&self) -> String {
        let parts = self.subproblems.iter().map(|part| part.detail.as_str());
        let all: Vec<&str> = std::iter::once(self.detail.as_str()).chain(parts).collect();
        shown(&all.join("; "))
    }

    fn in_words(&self) -> String {
        format!("{} ({})", self.detail(), self.kind())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r_12_nasty_140_a_problem_is_shown_with_its_parts() {
        let problem: Problem = serde_json::from_str(
            r#"{"type":"urn:ietf:params:acme:error:caa","detail":"CAA","subproblems":[{"type":"x","detail":"of a.dev"}]}"#,
        )
        .unwrap();
        assert_eq!(problem.in_words(), "CAA; of a.dev (caa)");
    }

    #[test]
    fn nasty_140_a_problem_without_words_leaves_the_order_readable() {
        let order: Order = serde_json::from_str(
            r#"{"status":"invalid","finalize":"","error":{"type":null,"detail":null,"subproblems":null}}"#,
        )
        .unwrap();
        assert_eq!(order.state(None).status, OrderStatus::Invalid);
    }

    #[test]
    fn x_11_a_window_that_is_none_says_nothing_and_only_links_are_passed_on() {
        let advice = |start: &str, end: &str, link: &str| {
            let text = format!(
                r#"{{"suggestedWindow":{{"start":"{start}","end":"{end}"}},"explanationURL":"{link}"}}"#
            );
            serde_json::from_str::<RenewalInfo>(&text).unwrap().advice()
        };
        let (start, end) = ("2027-01-02T04:00:00Z", "2027-01-03T04:00:00+01:00");
        let good = advice(start, end, "https://ca.example/why").unwrap();
        assert_eq!(good.end.to_string(), "2027-01-03T03:00:00Z");
        assert_eq!(good.explanation.as_deref(), Some("https://ca.example/why"));
        for link in [
            "javascript:alert(1)",
            "https://ca.example/a b",
            "http://ca.example/",
            "",
        ] {
            assert_eq!(
                advice(start, end, link).unwrap().explanation,
                None,
                "{link}"
            );
        }
        assert!(advice(end, start, "").is_none());
        assert!(advice(start, start, "").is_none());
    }

    #[test]
    fn d_36_only_ways_we_can_take_are_offers_and_tokens_are_no_paths() {
        let authorization: Authorization = serde_json::from_str(
            r#"{"identifier":{"type":"dns","value":"A.dev"},"status":"pending","challenges":[
                {"type":"tls-alpn-01","url":"https://ca.dev/1","token":"abc"},{"type":"http-01","url":"https://ca.dev/2","token":"../../x"},
                {"type":"dns-01","url":"https://ca.dev/3","token":"a-b_C"},
                {"type":"dns-01","url":"http://ca.dev/4","token":"a"},{"type":"dns-account-01","url":"https://ca.dev/5"}]}"#,
        )
        .unwrap();
        let state = authorization.state(None);
        assert_eq!(state.name, "a.dev");
        let urls: Vec<&str> = state
            .offers
            .iter()
            .map(|offer| offer.url.as_str())
            .collect();
        assert_eq!(urls, ["https://ca.dev/3"]);
    }

    #[test]
    fn d_36_one_offer_of_a_method_is_kept_however_many_there_are() {
        let challenge = |number: usize| {
            let kind = ["dns-01", "http-01"][number % 2];
            format!(r#"{{"type":"{kind}","url":"https://ca.dev/{number}","token":"a"}}"#)
        };
        let challenges: Vec<String> = (0..1000).map(challenge).collect();
        let text = format!(
            r#"{{"identifier":{{"type":"dns","value":"a.dev"}},"status":"pending","challenges":[{}]}}"#,
            challenges.join(",")
        );
        let authorization: Authorization = serde_json::from_str(&text).unwrap();
        let offers = authorization.state(None).offers;
        let urls: Vec<&str> = offers.iter().map(|offer| offer.url.as_str()).collect();
        assert_eq!(urls, ["https://ca.dev/0", "https://ca.dev/1"]);
    }
}
