//! The certificates of this process as a responder, one for each authority, made when they are first needed.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use aws_lc_rs::digest;
use jiff::{SignedDuration, Timestamp};
use reseal_pki::certificate::Certificate;
use tokio::sync::Mutex;

use super::Responder;
use crate::audit::{AuditEntry, AuditStore, SERVER};
use crate::error::Error;
use crate::issuer::IssuerError;

/// A certificate with less than this left is replaced; it still outlives every answer by then.
const RENEWAL: SignedDuration = SignedDuration::from_hours(7 * 24);
/// After a failure nobody tries again for this long, while the present certificate serves.
const RETRY: SignedDuration = SignedDuration::from_mins(1);
/// The same while there is none: strangers who ask make no more than this of work and of lines in the log.
const RETRY_AT_ONCE: SignedDuration = SignedDuration::from_secs(1);

/// What this process answers with.
#[derive(Default)]
pub(crate) struct Desk {
    /// By the name of the authority.
    certificates: RwLock<HashMap<[u8; 32], Arc<Certificate>>>,
    /// Held while a certificate is made, with when that last failed, by the name of the authority.
    making: Mutex<HashMap<[u8; 32], Timestamp>>,
}

impl Desk {
    /// The certificate with which `responder` answers at `now` for certificates of `issuer`. A new one is in the
    /// audit log before anybody sees it.
    ///
    /// # Errors
    /// There is none that outlives an answer, and none can be made or recorded.
    pub(super) async fn certificate(
        &self,
        audit: &dyn AuditStore,
        issuer: &str,
        responder: &dyn Responder,
        now: Timestamp,
    ) -> Result<Arc<Certificate>, Error> {
        let id = responder.authority().fingerprint();
        let present = self.present(id, now);
        if let Some(present) = present.as_ref().filter(|one| !is_ending(one, now)) {
            return Ok(Arc::clone(present));
        }
        let mut failed = match present {
            // One makes the next one, the others go on with what there is.
            Some(present) => match self.making.try_lock() {
                Ok(failed) if !failed_within(RETRY, &failed, id, now) => failed,
                _ => return Ok(present),
            },
            None => self.making.lock().await,
        };
        if let Some(made) = self.present(id, now).filter(|one| !is_ending(one, now)) {
            return Ok(made);
        }
        if failed_within(RETRY_AT_ONCE, &failed, id, now) {
            let reason = "no certificate could be made a moment ago".to_owned();
            return Err(refused(&IssuerError::Unavailable(reason)));
        }
        match make(audit, issuer, responder, now).await {
            Ok(made) => {
                failed.remove(&id);
                let made = Arc::new(made);
                let mut certificates = self
                    .certificates
                    .write()
                    .unwrap_or_else(PoisonError::into_inner);
                certificates.insert(id, Arc::clone(&made));
                Ok(made)
            }
            Err(error) => {
                failed.insert(id, now);
                tracing::warn!(issuer, %error, source = ?error.source, "the OCSP responder has no new certificate");
                self.present(id, now).ok_or(error)
            }
        }
    }

    /// The certificate that is there, if answers may be signed with it at `now`.
    fn present(&self, id: [u8; 32], now: Timestamp) -> Option<Arc<Certificate>> {
        let certificates = self
            .certificates
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        certificates
            .get(&id)
            .filter(|one| one.not_before() <= now && now < one.not_after())
            .cloned()
    }
}

fn failed_within(
    span: SignedDuration,
    failed: &HashMap<[u8; 32], Timestamp>,
    id: [u8; 32],
    now: Timestamp,
) -> bool {
    failed
        .get(&id)
        .is_some_and(|at| at.duration_until(now).abs() < span)
}

/// Whether `certificate` is to be replaced. One that its authority's own end has cut short is not, until it would cut
/// answers short: another would end no later.
fn is_ending(certificate: &Certificate, now: Timestamp) -> bool {
    let length = certificate
        .not_before()
        .duration_until(certificate.not_after());
    let left = now.duration_until(certificate.not_after());
    left < RENEWAL.min(length / 2) && left >= SignedDuration::ZERO
}

async fn make(
    audit: &dyn AuditStore,
    issuer: &str,
    responder: &dyn Responder,
    now: Timestamp,
) -> Result<Certificate, Error> {
    let certificate = responder
        .certify(now)
        .await
        .map_err(|error| refused(&error))?;
    let sha256 = digest::digest(&digest::SHA256, certificate.der());
    let object = format!("ocsp/{issuer}");
    let entry = AuditEntry::new(now, SERVER, "ocsp.certify", object)
        .with("issuer", issuer)
        .with("serial", certificate.serial_hex())
        .with("until", certificate.not_after().to_string())
        .with("sha256", hex::encode(sha256));
    audit.append_audit(vec![entry]).await?;
    tracing::info!(issuer, serial = certificate.serial_hex(), until = %certificate.not_after(), "the OCSP responder has a certificate");
    Ok(certificate)
}

pub(super) fn refused(error: &IssuerError) -> Error {
    Error::unavailable(
        "The responder cannot sign now",
        std::time::Duration::from_secs(5),
        error.to_string(),
    )
}

#[cfg(test)]
mod tests;
