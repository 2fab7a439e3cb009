use std::sync::Mutex as Guarded;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, KeyPair};
use reseal_pki::ocsp::AuthorityId;
use reseal_pki::profile::{IssuingAuthority, SignatureAlgorithm};

use super::*;
use crate::audit::chain::Hash;
use crate::store::StoreError;

const LIFETIME: SignedDuration = SignedDuration::from_hours(14 * 24);

/// Certifies itself, unless it is told not to.
struct Fake {
    id: AuthorityId,
    fails: AtomicBool,
}

/// Year, month and day; only midnights are asked for.
fn day(at: Timestamp) -> (i32, u8, u8) {
    let day = jiff::tz::TimeZone::UTC.to_datetime(at).date();
    let part = |number: i8| u8::try_from(number).unwrap();
    (day.year().into(), part(day.month()), part(day.day()))
}

fn fake() -> Fake {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params
        .distinguished_name
        .push(DnType::CommonName, "Test CA");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let der = params.self_signed(&key).unwrap();
    Fake {
        id: AuthorityId::new(&IssuingAuthority::from_der(der.der()).unwrap()),
        fails: AtomicBool::new(false),
    }
}

#[async_trait]
impl Responder for Fake {
    fn authority(&self) -> &AuthorityId {
        &self.id
    }

    async fn certify(&self, now: Timestamp) -> Result<Certificate, IssuerError> {
        if self.fails.load(Ordering::Relaxed) {
            return Err(IssuerError::Unavailable("the token is away".to_owned()));
        }
        tokio::task::yield_now().await;
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        let (year, month, first) = day(now);
        params.not_before = rcgen::date_time_ymd(year, month, first);
        let (year, month, last) = day(now + LIFETIME);
        params.not_after = rcgen::date_time_ymd(year, month, last);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Ok(Certificate::from_der(certificate.der()).unwrap())
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::EcdsaP256Sha256
    }

    async fn sign(&self, _: &[u8]) -> Result<Vec<u8>, IssuerError> {
        Err(IssuerError::Unavailable("not here".to_owned()))
    }
}

/// Remembers what is recorded, unless it is away.
#[derive(Default)]
struct Log {
    entries: Guarded<Vec<AuditEntry>>,
    is_away: AtomicBool,
}

fn away<T>() -> Result<T, StoreError> {
    Err(StoreError::Fault("away".to_owned()))
}

#[async_trait]
impl AuditStore for Log {
    async fn append_audit(&self, entries: Vec<AuditEntry>) -> Result<(), StoreError> {
        if self.is_away.load(Ordering::Relaxed) {
            return away();
        }
        self.entries.lock().unwrap().extend(entries);
        Ok(())
    }

    async fn audit_of(&self, _: &str) -> Result<Vec<AuditEntry>, StoreError> {
        away()
    }

    async fn last_audit_of(&self, _: &str) -> Result<Option<AuditEntry>, StoreError> {
        away()
    }

    async fn prune_audit(&self, _: Timestamp, _: Timestamp) -> Result<usize, StoreError> {
        away()
    }

    async fn audit_around(
        &self,
        _: Timestamp,
    ) -> Result<(Option<Timestamp>, Option<Timestamp>), StoreError> {
        away()
    }

    async fn audit_head(&self) -> Result<Option<(i64, Hash)>, StoreError> {
        away()
    }
}

fn begin() -> Timestamp {
    "2026-11-24T00:00:00Z".parse().unwrap()
}

fn days(days: i64) -> Timestamp {
    begin() + SignedDuration::from_hours(24 * days)
}

#[tokio::test]
async fn x_9_the_responder_is_certified_once_recorded_and_again_when_half_its_time_is_over() {
    let (desk, log, fake) = (Desk::default(), Log::default(), fake());
    let at = |now| desk.certificate(&log, "embedded", &fake, now);
    let (first, same) = tokio::join!(at(begin()), at(begin()));
    let first = first.unwrap();
    assert_eq!(first, same.unwrap());
    assert_eq!(first, at(days(6)).await.unwrap());
    let entries = || log.entries.lock().unwrap().clone();
    assert_eq!(entries().len(), 1);
    assert_eq!(entries()[0].action, "ocsp.certify");
    assert_eq!(entries()[0].detail["serial"], first.serial_hex());

    let second = at(days(8)).await.unwrap();
    assert_ne!(second, first);
    assert_eq!(entries()[1].detail["serial"], second.serial_hex());
    // One that is over, after a long silence.
    let third = at(days(60)).await.unwrap();
    assert_eq!(third.not_before(), days(60));
}

#[tokio::test]
async fn x_9_a_certificate_serves_to_its_end_when_there_is_no_new_one() {
    let (desk, log, fake) = (Desk::default(), Log::default(), fake());
    let at = |now| desk.certificate(&log, "embedded", &fake, now);
    let first = at(begin()).await.unwrap();
    fake.fails.store(true, Ordering::Relaxed);
    assert_eq!(at(days(8)).await.unwrap(), first);
    assert_eq!(at(days(13)).await.unwrap(), first);
    assert!(at(days(14)).await.is_err());
    fake.fails.store(false, Ordering::Relaxed);
    let next = at(days(14) + SignedDuration::from_secs(1)).await.unwrap();
    assert_eq!(next.not_before(), days(14));
}

#[tokio::test]
async fn x_9_nobody_answers_with_a_certificate_that_is_not_recorded() {
    let (desk, log, fake) = (Desk::default(), Log::default(), fake());
    log.is_away.store(true, Ordering::Relaxed);
    assert!(
        desk.certificate(&log, "embedded", &fake, begin())
            .await
            .is_err()
    );
    log.is_away.store(false, Ordering::Relaxed);
    let soon = begin() + SignedDuration::from_secs(1);
    let made = desk.certificate(&log, "embedded", &fake, soon).await;
    assert_eq!(log.entries.lock().unwrap().len(), 1);
    assert!(made.is_ok());
}

#[tokio::test]
async fn x_9_an_authority_that_certifies_nobody_keeps_no_other_from_it() {
    let (desk, log) = (Desk::default(), Log::default());
    let (retired, current) = (fake(), fake());
    retired.fails.store(true, Ordering::Relaxed);
    let first = desk.certificate(&log, "current", &current, begin()).await;
    let first = first.unwrap();
    // Somebody asks for the retired one all the time.
    let late = begin() + SignedDuration::from_hours(8 * 24);
    for _ in 0..2 {
        let refused = desk.certificate(&log, "retired", &retired, late).await;
        refused.unwrap_err();
    }
    let second = desk.certificate(&log, "current", &current, late).await;
    assert!(second.unwrap().not_after() > first.not_after());
    // It is tried again, but not at each call.
    retired.fails.store(false, Ordering::Relaxed);
    let refused = desk.certificate(&log, "retired", &retired, late).await;
    refused.unwrap_err();
    let later = late + SignedDuration::from_secs(1);
    let made = desk.certificate(&log, "retired", &retired, later).await;
    made.unwrap();
}
