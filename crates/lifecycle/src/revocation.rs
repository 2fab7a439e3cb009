//! Withdrawing a certificate: at once, or when its scheduled moment has come.

use crate::certificate::{
    Certificate, CertificateId, CertificateStatus, Revocation, RevocationReason,
};
use crate::customer::{Caller, Scope};
use crate::error::{Error, Kind};
use crate::event::{Event, EventKind};
use crate::import;
use crate::process::{Action, Opening, Process};
use crate::services::Services;
use crate::store::Change;

/// Who revokes what was scheduled.
const SCHEDULER: &str = "reseal";

impl Services {
    /// Revokes certificate `id`; visible at once. A `reason` that names a reason code sets it, other words
    /// are kept beside it (design section 12 point 10). A compromised key is blocked for everybody, for ever.
    ///
    /// # Errors
    /// [`Kind::NotFound`]; [`Kind::Status`] when it is revoked already or was issued elsewhere.
    pub async fn revoke(
        &self,
        caller: &Caller,
        id: CertificateId,
        reason: Option<String>,
    ) -> Result<Process, Error> {
        let certificate = self.certificate(caller, id).await?;
        if certificate.stored_status == CertificateStatus::Revoked {
            return Err(Error::new(
                Kind::Status,
                format!("Certificate {id} is REVOKED already"),
            ));
        }
        if certificate.issuer == import::ISSUER {
            return Err(Error::new(
                Kind::Status,
                format!(
                    "Certificate {id} is imported: it was issued elsewhere and can only be revoked there"
                ),
            ));
        }
        let code = reason.as_deref().and_then(RevocationReason::from_text);
        self.record_revocation(&certificate, &caller.user, code, reason)
            .await
    }

    /// Revokes every certificate whose scheduled moment has come; the answer is how many.
    pub(crate) async fn revoke_due(&self) -> Result<usize, Error> {
        let due = self.store.due_revocations(self.clock.now(), 100).await?;
        let mut done = 0;
        for id in due {
            let Some(certificate) = self.store.certificate(&Scope::Everything, id).await? else {
                continue;
            };
            if certificate.stored_status == CertificateStatus::Revoked {
                continue;
            }
            let why = "replaced by a reissue".to_owned();
            self.record_revocation(
                &certificate,
                SCHEDULER,
                Some(RevocationReason::Superseded),
                Some(why),
            )
            .await?;
            done += 1;
        }
        Ok(done)
    }

    async fn record_revocation(
        &self,
        certificate: &Certificate,
        user: &str,
        reason: Option<RevocationReason>,
        note: Option<String>,
    ) -> Result<Process, Error> {
        let now = self.clock.now();
        let opening = Opening {
            customer: certificate.customer.clone(),
            user: user.to_owned(),
            action: Action::Revoke,
            command: serde_json::json!({ "certificateId": certificate.id, "reason": note }),
            source: Some(certificate.id),
            subscription: Some(certificate.subscription),
        };
        let event = EventKind::Revoked {
            certificate: certificate.id,
            user: user.to_owned(),
            reason: reason.map(|reason| format!("{reason:?}")),
            note: note.clone(),
        };
        let (process, events) = Process::done(
            opening,
            certificate.domain_name.clone(),
            vec![Event::new(now, event)],
            now,
        );
        let mut change = Change::new(process, events);
        change.notifications = change
            .notifications
            .into_iter()
            .map(|told| told.about(certificate))
            .collect();
        let revocation = Revocation {
            at: now,
            reason,
            note,
        };
        change.revocation = Some((certificate.id, revocation));
        if reason == Some(RevocationReason::KeyCompromise) {
            let why = format!(
                "certificate {} was revoked for key compromise",
                certificate.id
            );
            change.block_key = Some((certificate.spki_sha256, why));
        }
        Ok(self.store.open(change).await?)
    }
}
