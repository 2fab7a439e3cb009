//! From a request to what is sent back.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest;
use jiff::{SignedDuration, Timestamp};
use reseal_pki::certificate::Certificate;
use reseal_pki::ocsp::{
    CertId, CertStatus, OcspRequest, Refusal, ResponseContent, SingleResponse, respond,
    response_data,
};

use super::{Responder, desk::refused, schedule};
use crate::certificate::RevocationReason;
use crate::error::Error;
use crate::services::Services;

/// A store that has not answered by then is not there.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long an answer may be kept, and how a copy of it is known again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Freshness {
    /// The same on every node as long as nothing changes.
    pub tag: String,
    /// When what it says was known to be so.
    pub modified: Timestamp,
    /// For how long nobody needs to ask again.
    pub lasts: SignedDuration,
}

/// What is sent back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// An OCSPResponse, DER. Without freshness nobody may keep it.
    Response(Vec<u8>, Option<Freshness>),
    /// What the caller has is what it would get.
    Unchanged(Freshness),
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        Self::Response(refusal.to_der(), None)
    }
}

/// Whose answer it will be.
struct Clerk<'a> {
    issuer: &'a str,
    responder: Arc<dyn Responder>,
    certificate: Arc<Certificate>,
}

impl Services {
    /// Whether there is anybody to answer.
    pub fn answers_ocsp(&self) -> bool {
        self.issuers
            .values()
            .any(|issuer| !issuer.responders().is_empty())
    }

    /// Answers the OCSP request `der`. `has` says whether the caller has an answer already that is as fresh.
    ///
    /// Never fails: whatever is in the way becomes an answer that says nothing about any certificate.
    pub async fn ocsp(&self, der: &[u8], has: impl Fn(&Freshness) -> bool + Send) -> Answer {
        let request = match OcspRequest::from_der(der) {
            Ok(request) => request,
            Err(error) => {
                tracing::debug!(%error, "an OCSP request that cannot be read");
                return Refusal::Malformed.into();
            }
        };
        match tokio::time::timeout(PATIENCE, self.answer(&request, has)).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => {
                tracing::warn!(%error, source = ?error.source, "an OCSP request has to come again");
                Refusal::TryLater.into()
            }
            Err(_) => {
                tracing::warn!("an OCSP request has to come again: the store does not answer");
                Refusal::TryLater.into()
            }
        }
    }

    async fn answer(
        &self,
        request: &OcspRequest,
        has: impl Fn(&Freshness) -> bool,
    ) -> Result<Answer, Error> {
        let now = self.clock.now();
        let Some((issuer, responder)) = self.responder_for(request) else {
            return Ok(Refusal::Unauthorized.into());
        };
        let certificate = self
            .desk
            .certificate(self.store.as_ref(), issuer, responder.as_ref(), now)
            .await?;
        let clerk = Clerk {
            issuer,
            responder,
            certificate,
        };
        let mut responses = Vec::with_capacity(request.certificates().len());
        for certificate in request.certificates() {
            responses.push(self.single(&clerk, certificate, now).await?);
        }
        let written = SingleResponse::write_all(&responses);
        let freshness = freshness(request, &responses, &written, now);
        if let Some(freshness) = freshness.as_ref().filter(|freshness| has(freshness)) {
            return Ok(Answer::Unchanged(freshness.clone()));
        }
        let data = response_data(&ResponseContent {
            responder: clerk.certificate.subject_der(),
            produced_at: now,
            responses: &written,
            nonce: request.nonce(),
        });
        let signature = clerk.responder.sign(&data).await;
        let signature = signature.map_err(|error| refused(&error))?;
        let statuses = responses.iter().map(|one| one.status);
        self.answered.count(issuer, statuses, now);
        let algorithm = clerk.responder.algorithm();
        let der = respond(&data, algorithm, &signature, clerk.certificate.der());
        Ok(Answer::Response(der, freshness))
    }

    /// Who answers for all certificates of a request: a responder speaks for one authority only, and clients that ask
    /// about two in one request believe nobody.
    fn responder_for(&self, request: &OcspRequest) -> Option<(&str, Arc<dyn Responder>)> {
        let mut all = self.issuers.iter().flat_map(|(name, issuer)| {
            let responders = issuer.responders();
            responders.into_iter().map(move |one| (name.as_str(), one))
        });
        let answers = |responder: &dyn Responder| {
            let mut certificates = request.certificates().iter();
            certificates.all(|certificate| responder.authority().is_meant_by(certificate))
        };
        all.find(|(_, responder)| answers(responder.as_ref()))
    }

    async fn single<'a>(
        &self,
        clerk: &Clerk<'_>,
        certificate: &'a CertId,
        now: Timestamp,
    ) -> Result<SingleResponse<'a>, Error> {
        let status = self.status(clerk, certificate).await?;
        let this_update = schedule::this_update(now);
        // What is said was not so before.
        let this_update = match status {
            CertStatus::Revoked { at, .. } => this_update.max(at.min(now)),
            CertStatus::Good | CertStatus::Unknown => this_update,
        };
        Ok(SingleResponse {
            certificate,
            status,
            this_update,
            next_update: schedule::next_update(this_update, clerk.certificate.not_after()),
        })
    }

    /// good is only what is in the store as issued by that very authority.
    async fn status(&self, clerk: &Clerk<'_>, certificate: &CertId) -> Result<CertStatus, Error> {
        let authority = clerk.responder.authority();
        let known = self.store.known(clerk.issuer, certificate.serial()).await?;
        let Some(known) = known.filter(|known| known.signed.is_by(authority)) else {
            return Ok(CertStatus::Unknown);
        };
        Ok(match known.revocation {
            Some((at, reason)) => CertStatus::Revoked {
                at,
                reason: reason.map(RevocationReason::code),
            },
            None => CertStatus::Good,
        })
    }
}

/// `None` for an answer that is for nobody else, and for one that may be another in a moment: a certificate that is
/// not known may be issued at any time.
fn freshness(
    request: &OcspRequest,
    responses: &[SingleResponse<'_>],
    written: &[u8],
    now: Timestamp,
) -> Option<Freshness> {
    let unknown = |one: &SingleResponse<'_>| one.status == CertStatus::Unknown;
    if request.nonce().is_some() || responses.iter().any(unknown) {
        return None;
    }
    let modified = responses.iter().map(|one| one.this_update).max()?;
    let next_update = responses.iter().map(|one| one.next_update).min()?;
    let hash = digest::digest(&digest::SHA256, written);
    Some(Freshness {
        tag: hex::encode(hash.as_ref().get(..16)?),
        modified,
        lasts: schedule::freshness(now, next_update),
    })
}
