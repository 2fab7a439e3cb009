//! When a certificate should be replaced (RFC 9773, rules.md X-11): asked by whoever holds it, answered from its dates, by
//! what the upstream that issued it says, or sooner when it must go.

use jiff::{SignedDuration, Timestamp};

use crate::campaign;
use crate::certificate::Certificate;
use crate::error::{Error, Kind};
use crate::services::Services;
use reseal_pki::certificate::Certificate as Document;

/// What lives less than this is replaced after half of its life, everything else after two thirds.
const SHORT: SignedDuration = SignedDuration::from_hours(24 * 10);

/// When to replace a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenewalInfo {
    /// From when on.
    pub start: Timestamp,
    /// Until when.
    pub end: Timestamp,
    /// Why it is not the usual time.
    pub reason: Option<String>,
}

impl RenewalInfo {
    /// By its dates alone: about a hundredth of its life around the last third, or the last half of a short life.
    pub fn usual(certificate: &Certificate) -> Self {
        let (from, until) = (certificate.not_before, certificate.not_after);
        let life = until.duration_since(from);
        let left = if life < SHORT { life / 2 } else { life / 3 };
        let margin = life / 100;
        Self {
            start: until - left - margin,
            end: until - left + margin,
            reason: None,
        }
    }

    /// At once: a window that is over, so that nobody waits for a moment within it.
    fn overdue(now: Timestamp, reason: String) -> Self {
        Self {
            start: now - SignedDuration::from_hours(1),
            end: now - SignedDuration::from_mins(30),
            reason: Some(reason),
        }
    }
}

impl Services {
    /// When the certificate of that serial number, signed with the key of that identifier, should be replaced.
    ///
    /// # Errors
    /// [`Kind::NotFound`] when no such certificate was issued here.
    pub async fn renewal_info(
        &self,
        key_identifier: &[u8],
        serial: &[u8],
    ) -> Result<RenewalInfo, Error> {
        let found = self.store.certificate_by_serial(serial).await?;
        let certificate = found.filter(|certificate| is_signed_with(certificate, key_identifier));
        let Some(certificate) = certificate else {
            let message = "No such certificate was issued by this server";
            return Err(Error::new(Kind::NotFound, message));
        };
        let now = self.clock.now();
        if let Some(revocation) = &certificate.revocation {
            let reason = format!("It was revoked at {:.0}.", revocation.at);
            return Ok(RenewalInfo::overdue(now, reason));
        }
        if let Some(at) = certificate.revocation_scheduled {
            let reason = format!("It will be revoked at {at:.0}.");
            return Ok(RenewalInfo::overdue(now, reason));
        }
        let campaign = self.store.campaign_window(certificate.id).await?;
        // A successor of its own making is as good as a campaign's.
        let wanted = campaign.filter(|_| certificate.successor.is_none());
        let Some((created, deadline)) = wanted else {
            return self.renewal_window(&certificate).await;
        };
        let (start, end) = campaign::window(created, deadline, &certificate);
        Ok(RenewalInfo {
            start,
            end,
            reason: Some(format!(
                "Many certificates have to be replaced by {deadline:.0}, this one among them."
            )),
        })
    }
}

fn is_signed_with(certificate: &Certificate, key_identifier: &[u8]) -> bool {
    Document::from_der(&certificate.der).is_ok_and(|document| {
        document.authority_key_identifier().as_deref() == Some(key_identifier)
    })
}
