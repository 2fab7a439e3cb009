//! Withdrawing a certificate: at once, or when its scheduled moment has come.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

use crate::audit::SERVER;
use crate::certificate::{
    Certificate, CertificateId, CertificateStatus, Revocation, RevocationReason,
};
use crate::compromise::KeyBlock;
use crate::customer::{Caller, Role, Scope};
use crate::error::{Error, Kind};
use crate::event::{Event, EventKind};
use crate::import;
use crate::process::{Action, Opening, Process};
use crate::services::Services;
use crate::store::{Change, StoreError};

/// Scheduled revocations in one round.
const AT_ONCE: u32 = 100;
/// How long a certificate that could not be revoked is left alone.
const RETRY: SignedDuration = SignedDuration::from_mins(1);

/// Who revokes.
#[derive(Clone, Copy)]
struct Revoker<'a> {
    user: &'a str,
    /// Whether a claim of theirs that a key is compromised holds for certificates of others, too.
    is_sure: bool,
}

impl Services {
    /// Revokes certificate `id`; visible at once. A `reason` that names a reason code sets it, other words
    /// are kept beside it (design section 12 point 10). A compromised key takes the customer's other certificates with
    /// it and is blocked for that customer, for ever; others are concerned only when an operator says so, whose word is
    /// proof (C-21, X-4).
    ///
    /// # Errors
    /// [`Kind::NotFound`]; [`Kind::Status`] when it is revoked already or was issued elsewhere.
    pub async fn revoke(
        &self,
        caller: &Caller,
        id: CertificateId,
        reason: Option<String>,
    ) -> Result<Process, Error> {
        loop {
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
            // What the CA knows stands on the list, whatever the customer says, unless that is worse.
            let known = self.store.revocation_duty(id).await?;
            let compromised = code.filter(|code| *code == RevocationReason::KeyCompromise);
            let listed = compromised
                .or(known.and_then(|known| known.reason))
                .or(code);
            let by = Revoker {
                user: &caller.user,
                is_sure: caller.role == Role::Operator,
            };
            match self
                .record_revocation(&certificate, by, (code, listed), reason.clone())
                .await
            {
                // One of the certificates was revoked, or one more issued, at the same moment: look again.
                Err(StoreError::Stale) => {}
                recorded => return Ok(recorded?),
            }
        }
    }

    /// Why no other certificate may take the place of `certificate`, if so: it must be revoked for what another one would
    /// be no better for.
    pub(crate) async fn barred(&self, certificate: &Certificate) -> Result<Option<String>, Error> {
        // Whatever must be revoked is scheduled.
        let Some(at) = certificate.revocation_scheduled else {
            return Ok(None);
        };
        let duty = self.store.revocation_duty(certificate.id).await?;
        let bar = duty.and_then(|duty| duty.bar);
        Ok(bar.map(|cause| {
            format!("it will be revoked at {at:.0} ({cause}), and no other may take its place")
        }))
    }

    /// Revokes certificates whose scheduled moment has come, the longest overdue first. One that cannot be revoked is
    /// noted in `failed`, comes again in a minute, and keeps none of those behind it waiting.
    pub(crate) async fn revoke_due(
        &self,
        failed: &mut HashMap<CertificateId, Timestamp>,
    ) -> Result<(), Error> {
        let now = self.clock.now();
        failed.retain(|_, since| since.duration_until(now).abs() < RETRY);
        let limit = u32::try_from(failed.len()).unwrap_or(u32::MAX);
        let limit = limit.saturating_add(AT_ONCE);
        for id in self.store.due_revocations(now, limit).await? {
            if failed.contains_key(&id) {
                continue;
            }
            if let Err(error) = self.revoke_scheduled(id).await {
                tracing::error!(certificate = id, %error, source = ?error.source, "could not be revoked and must be: tried again in a minute");
                failed.insert(id, now);
            }
        }
        Ok(())
    }

    async fn revoke_scheduled(&self, id: CertificateId) -> Result<(), Error> {
        let Some(certificate) = self.store.certificate(&Scope::Everything, id).await? else {
            return Ok(());
        };
        if certificate.stored_status == CertificateStatus::Revoked {
            return Ok(());
        }
        // A duty for a compromised key rests on proof.
        let by = Revoker {
            user: SERVER,
            is_sure: true,
        };
        let (code, why) = match self.store.revocation_duty(id).await? {
            Some(duty) => (duty.reason, duty.cause),
            None => (
                Some(RevocationReason::Superseded),
                "replaced by a reissue".to_owned(),
            ),
        };
        let recorded = self
            .record_revocation(&certificate, by, (code, code), Some(why))
            .await;
        match recorded {
            // Every node tries what is due, and a customer may have been first.
            Err(StoreError::Stale) if self.is_revoked(id).await? => Ok(()),
            recorded => Ok(recorded.map(drop)?),
        }
    }

    async fn is_revoked(&self, id: CertificateId) -> Result<bool, Error> {
        let found = self.store.certificate(&Scope::Everything, id).await?;
        Ok(found.is_none_or(|found| found.stored_status == CertificateStatus::Revoked))
    }

    /// Revokes `certificate` and, when its key is compromised, every other one of its customer's with that key, in
    /// one transaction; each has a process of its own. `claim` is the reason that was given, `listed` the one that
    /// the certificate's list will show.
    async fn record_revocation(
        &self,
        certificate: &Certificate,
        by: Revoker<'_>,
        (claim, listed): (Option<RevocationReason>, Option<RevocationReason>),
        note: Option<String>,
    ) -> Result<Process, StoreError> {
        let user = by.user;
        let revocation = Revocation {
            at: self.clock.now(),
            reason: listed,
            note,
        };
        let change = revoking(certificate, user, &revocation);
        if claim != Some(RevocationReason::KeyCompromise) {
            return self.store.open(change).await;
        }
        let key = certificate.spki_sha256;
        let same_key = self.store.unrevoked_with_key(&certificate.customer, &key);
        let mut changes = vec![change];
        changes.extend(
            same_key
                .await?
                .iter()
                .filter(|other| other.id != certificate.id)
                .map(|other| revoking(other, user, &revocation)),
        );
        let why = format!(
            "certificate {} was revoked for key compromise",
            certificate.id
        );
        let now = revocation.at;
        let block = if by.is_sure {
            let delay = self.settings.revoke_compromised_after;
            KeyBlock::certain(vec![key], &why, user, now, delay)
        } else {
            KeyBlock::claimed(&certificate.customer, vec![key], &why, user, now)
        };
        self.store.open_with_key_blocked(changes, block).await
    }
}

/// The only step of the process that revokes `certificate`.
fn revoking(certificate: &Certificate, user: &str, revocation: &Revocation) -> Change {
    let Revocation { at, reason, note } = revocation.clone();
    // What was not said is absent: clients of typed languages stumble over null.
    let mut command = serde_json::json!({ "certificateId": certificate.id });
    if let Some(note) = &note {
        command["reason"] = note.as_str().into();
    }
    let opening = Opening {
        customer: certificate.customer.clone(),
        user: user.to_owned(),
        action: Action::Revoke,
        command,
        source: Some(certificate.id),
        subscription: Some(certificate.subscription),
    };
    let event = EventKind::Revoked {
        certificate: certificate.id,
        user: user.to_owned(),
        reason: reason.map(|reason| format!("{reason:?}")),
        note,
    };
    let (process, events) = Process::done(
        opening,
        certificate.domain_name.clone(),
        vec![Event::new(at, event)],
        at,
    );
    let mut change = Change::new(process, events);
    change.notifications = change
        .notifications
        .into_iter()
        .map(|told| told.about(certificate))
        .collect();
    change.revocation = Some((certificate.id, revocation.clone()));
    change
}
