//! What a campaign can do about one certificate. Pure.

use jiff::Timestamp;

use super::KeyChoice;
use crate::certificate::{Certificate, CertificateId, CertificateStatus};
use crate::import;
use crate::issuance::SHORTEST_REMAINDER;
use crate::product::{Catalogue, Feature};

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Reissue it at once for its own key, by the request that is kept.
    Reissue,
    /// Tell its customer to reissue it, for this reason.
    Tell(String),
    /// Somebody did what was to be done: the certificate in its place, if there is one, and how.
    Settled(Option<CertificateId>, String),
    /// Nothing can be done, for this reason.
    Skip(Why),
}

/// Why nothing can be done about a certificate.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Why {
    /// In words that fit many certificates.
    pub(super) reason: String,
    /// In words that fit this one, if there are better ones.
    pub(super) detail: Option<String>,
}

impl From<&str> for Why {
    fn from(reason: &str) -> Self {
        Self {
            reason: reason.to_owned(),
            detail: None,
        }
    }
}

impl Why {
    /// As exactly as is known.
    pub(super) fn in_full(self) -> String {
        self.detail.unwrap_or(self.reason)
    }
}

/// Judges `certificate` at `now`; `blocked` says whether its key may not be certified any more.
pub(super) fn judge(
    certificate: &Certificate,
    key: KeyChoice,
    blocked: bool,
    catalogue: &Catalogue,
    now: Timestamp,
) -> Verdict {
    if let Some(successor) = certificate.successor {
        let message = format!("certificate {successor} took its place");
        return Verdict::Settled(Some(successor), message);
    }
    if certificate.status(now) == CertificateStatus::Revoked {
        return Verdict::Settled(None, "it is revoked".to_owned());
    }
    if certificate.issuer == import::ISSUER {
        return Verdict::Skip("it is imported: only its own issuer can reissue it".into());
    }
    let reissuable = catalogue
        .get(&certificate.product)
        .is_some_and(|product| product.has(Feature::Reissue));
    if !reissuable {
        let product = &certificate.product;
        let reason = format!("product `{product}` cannot be reissued (any more)");
        return Verdict::Skip(reason.as_str().into());
    }
    if certificate.subscription_end.duration_since(now) < SHORTEST_REMAINDER {
        let end = certificate.subscription_end;
        return Verdict::Skip(Why {
            reason: "its subscription ends within a day: renew it".to_owned(),
            detail: Some(format!("its subscription ends at {end:.0}: renew it")),
        });
    }
    match key {
        KeyChoice::Notify => Verdict::Tell("it needs a new key".to_owned()),
        KeyChoice::Keep if blocked => Verdict::Tell("its key is blocked".to_owned()),
        KeyChoice::Keep if certificate.csr.is_none() => {
            Verdict::Tell("its request is not kept".to_owned())
        }
        KeyChoice::Keep => Verdict::Reissue,
    }
}
