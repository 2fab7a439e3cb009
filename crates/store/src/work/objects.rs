//! The methods of [`Store`]: which statement answers which question.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use reseal_lifecycle::authorization::Authorization;
use reseal_lifecycle::certificate::{Certificate, CertificateId, SubscriptionId};
use reseal_lifecycle::compromise::KeyBlock;
use reseal_lifecycle::customer::Scope;
use reseal_lifecycle::event::Event;
use reseal_lifecycle::import;
use reseal_lifecycle::metrics::{Ended, Figures};
use reseal_lifecycle::process::{Process, ProcessId};
use reseal_lifecycle::query::{CertificateQuery, Page, ProcessQuery};
use reseal_lifecycle::store::{Change, KeyHistory, Reservation, Store, StoreError, Subscription};
use reseal_lifecycle::{Capacity, Taken};

use super::change::Step;
use super::compromise::open_with_key_blocked;
use super::due::{claim, claim_all, due};
use super::find::{key_history, many, newest_authorizations, number, one};
use super::page;
use super::rows::{self, millis};
use crate::SqlStore;
use crate::database::{Dialect, params};
use crate::postgres;
use crate::{list, sql};

#[async_trait]
impl Store for SqlStore {
    fn backlog(&self) -> Duration {
        self.writer.backlog()
    }

    fn waiting_writes(&self) -> usize {
        self.writer.waiting()
    }

    fn ended(&self) -> &Ended {
        &self.ended
    }

    async fn figures(&self) -> Result<Figures, StoreError> {
        self.duties
            .read(|connection| {
                let open = many(connection, sql::process::COUNT_OPEN, params![], |row| {
                    let count: i64 = row.get(1)?;
                    Ok((row.get(0)?, count.cast_unsigned()))
                })?;
                let waiting = number(connection, sql::notification::COUNT_WAITING, params![])?;
                Ok(Figures {
                    open,
                    undelivered: waiting.unwrap_or_default().cast_unsigned(),
                })
            })
            .await
    }

    async fn certificate(
        &self,
        scope: &Scope,
        id: CertificateId,
    ) -> Result<Option<Certificate>, StoreError> {
        let found = self
            .points
            .read(move |connection| {
                one(
                    connection,
                    sql::certificate::SELECT,
                    [id],
                    rows::certificate,
                )
            })
            .await?;
        Ok(found.filter(|certificate| scope.admits(&certificate.customer)))
    }

    async fn certificate_by_serial(
        &self,
        serial: &[u8],
    ) -> Result<Option<Certificate>, StoreError> {
        let serial = serial.to_vec();
        self.points
            .read(move |connection| {
                let values = params![serial, import::ISSUER];
                let select = sql::certificate::SELECT_BY_SERIAL;
                one(connection, select, values, rows::certificate)
            })
            .await
    }

    async fn certificates(
        &self,
        scope: &Scope,
        query: &CertificateQuery,
        now: Timestamp,
    ) -> Result<Page<Certificate>, StoreError> {
        let select = list::certificates(self.dialect, scope, query, now)?;
        let tally = Arc::clone(&self.tally);
        self.lists
            .read_in(scope, move |connection| {
                page::read(connection, &select, &tally, rows::certificate)
            })
            .await
    }

    async fn certificate_by_fingerprint(
        &self,
        customer: &str,
        fingerprint: &[u8; 32],
    ) -> Result<Option<CertificateId>, StoreError> {
        let (customer, fingerprint) = (customer.to_owned(), *fingerprint);
        self.points
            .read(move |connection| {
                number(
                    connection,
                    sql::certificate::SELECT_BY_FINGERPRINT,
                    params![fingerprint, customer],
                )
            })
            .await
    }

    async fn subscription(&self, id: SubscriptionId) -> Result<Option<Subscription>, StoreError> {
        self.points
            .read(move |connection| {
                one(
                    connection,
                    sql::subscription::SELECT,
                    [id],
                    rows::subscription,
                )
            })
            .await
    }

    async fn nth_newest(
        &self,
        subscription: SubscriptionId,
        nth: NonZeroU32,
    ) -> Result<Option<Timestamp>, StoreError> {
        self.points
            .read(move |connection| {
                let values = params![subscription, nth.get() - 1];
                one(
                    connection,
                    sql::certificate::SELECT_NTH_NEWEST,
                    values,
                    rows::moment,
                )
            })
            .await
    }

    async fn newest_certificate(
        &self,
        subscription: SubscriptionId,
    ) -> Result<Option<CertificateId>, StoreError> {
        self.points
            .read(move |connection| {
                number(connection, sql::certificate::SELECT_NEWEST, [subscription])
            })
            .await
    }

    async fn process(&self, scope: &Scope, id: ProcessId) -> Result<Option<Process>, StoreError> {
        let found = self
            .points
            .read(move |connection| one(connection, sql::process::SELECT, [id], rows::process))
            .await?;
        Ok(found.filter(|process| scope.admits(&process.customer)))
    }

    async fn processes(
        &self,
        scope: &Scope,
        query: &ProcessQuery,
    ) -> Result<Page<Process>, StoreError> {
        let select = list::processes(self.dialect, scope, query)?;
        let tally = Arc::clone(&self.tally);
        self.lists
            .read_in(scope, move |connection| {
                page::read(connection, &select, &tally, rows::process)
            })
            .await
    }

    async fn timeline(&self, process: ProcessId) -> Result<Vec<Event>, StoreError> {
        self.lists
            .read(move |connection| {
                many(
                    connection,
                    sql::event::SELECT_TIMELINE,
                    [process],
                    rows::event,
                )
            })
            .await
    }

    async fn open_process(
        &self,
        subscription: SubscriptionId,
    ) -> Result<Option<ProcessId>, StoreError> {
        self.points
            .read(move |connection| number(connection, sql::process::SELECT_OPEN, [subscription]))
            .await
    }

    async fn process_of_mail_token(
        &self,
        token_hash: &[u8; 32],
    ) -> Result<Option<ProcessId>, StoreError> {
        let hash = *token_hash;
        self.points
            .read(move |connection| number(connection, sql::mail_token::SELECT_PROCESS, [hash]))
            .await
    }

    async fn request_token_exists(&self, fingerprint: &[u8; 32]) -> Result<bool, StoreError> {
        let fingerprint = *fingerprint;
        let process = self
            .points
            .read(move |connection| {
                number(
                    connection,
                    sql::request_token::SELECT_PROCESS,
                    [fingerprint],
                )
            })
            .await?;
        Ok(process.is_some())
    }

    async fn unrevoked_with_key(
        &self,
        customer: &str,
        spki_sha256: &[u8; 32],
    ) -> Result<Vec<Certificate>, StoreError> {
        let (customer, key) = (customer.to_owned(), *spki_sha256);
        self.duties
            .read(move |connection| {
                let values = params![key, customer, import::ISSUER];
                many(
                    connection,
                    sql::certificate::SELECT_UNREVOKED,
                    values,
                    rows::certificate,
                )
            })
            .await
    }

    async fn authorizations(
        &self,
        customer: &str,
        adns: &[String],
    ) -> Result<Vec<Authorization>, StoreError> {
        let (customer, adns) = (customer.to_owned(), adns.to_vec());
        self.points
            .read(move |connection| newest_authorizations(connection, &customer, &adns))
            .await
    }

    async fn key_history(
        &self,
        customer: &str,
        spki_sha256: &[u8; 32],
    ) -> Result<KeyHistory, StoreError> {
        let (customer, key) = (customer.to_owned(), *spki_sha256);
        self.points
            .read(move |connection| key_history(connection, &customer, &key))
            .await
    }

    async fn reservation(&self, process: ProcessId) -> Result<Option<Reservation>, StoreError> {
        self.points
            .read(move |connection| {
                one(
                    connection,
                    sql::reservation::SELECT_BY_PROCESS,
                    [process],
                    rows::reservation,
                )
            })
            .await
    }

    async fn open(&self, change: Change) -> Result<Process, StoreError> {
        let step = Step::new(change, true)?;
        let process = step.process();
        let stored = self
            .writer
            .write(move |connection| step.open(connection))
            .await?;
        let process = stored.complete(Arc::unwrap_or_clone(process));
        self.ended.count(&process);
        Ok(process)
    }

    async fn open_with_key_blocked(
        &self,
        changes: Vec<Change>,
        block: KeyBlock,
    ) -> Result<Process, StoreError> {
        let steps = changes
            .into_iter()
            .map(|change| Step::new(change, true))
            .collect::<Result<Vec<_>, _>>()?;
        let first = steps.first().map(Step::process);
        let process = first.ok_or_else(|| StoreError::Fault("nothing to open".to_owned()))?;
        let all: Vec<_> = steps.iter().map(Step::process).collect();
        let stored = self
            .writer
            .write(move |connection| open_with_key_blocked(connection, &steps, &block))
            .await?;
        for process in all {
            self.ended.count(&process);
        }
        Ok(stored.complete(Arc::unwrap_or_clone(process)))
    }

    async fn advance(&self, change: Change) -> Result<Process, StoreError> {
        let step = Step::new(change, false)?;
        let process = step.process();
        let stored = self
            .writer
            .write(move |connection| step.advance(connection))
            .await?;
        let process = stored.complete(Arc::unwrap_or_clone(process));
        self.ended.count(&process);
        Ok(process)
    }

    async fn claim_due(
        &self,
        now: Timestamp,
        lease: Timestamp,
        room: Capacity,
    ) -> Result<Vec<Process>, StoreError> {
        let (now, lease) = (millis(now), millis(lease));
        let due = self
            .duties
            .read(move |connection| due(connection, now, room));
        let due = due.await?;
        if due.is_empty() {
            return Ok(Vec::new());
        }
        self.writer
            .write(move |connection| claim_all(connection, &due, now, lease))
            .await
    }

    async fn claim(
        &self,
        id: ProcessId,
        now: Timestamp,
        lease: Timestamp,
    ) -> Result<Option<Process>, StoreError> {
        self.writer
            .write(move |connection| claim(connection, id, millis(now), millis(lease)))
            .await
    }

    async fn extend_lease(&self, id: ProcessId, lease: Timestamp) -> Result<(), StoreError> {
        self.writer
            .write(move |connection| {
                if connection.dialect() == Dialect::Postgres {
                    return Ok(postgres::extend_lease(connection, id, millis(lease))?);
                }
                let values = params![millis(lease), id];
                connection.execute(sql::process::EXTEND_LEASE, values)?;
                Ok(())
            })
            .await
    }

    async fn taken(
        &self,
        leased_before: Timestamp,
        called_before: Timestamp,
    ) -> Result<Taken, StoreError> {
        if self.dialect == Dialect::Sqlite {
            return Ok(Taken::default());
        }
        let (leased, called) = (millis(leased_before), millis(called_before));
        self.points
            .read(move |connection| {
                let (processes, calls) = postgres::taken(connection, leased, called)?;
                Ok(Taken { processes, calls })
            })
            .await
    }

    async fn release_lease(&self, id: ProcessId, before: Timestamp) -> Result<(), StoreError> {
        if self.dialect == Dialect::Sqlite {
            return Ok(());
        }
        self.writer
            .write(move |connection| Ok(postgres::release_process(connection, id, millis(before))?))
            .await
    }

    async fn release_leases(&self) -> Result<u64, StoreError> {
        if self.dialect == Dialect::Postgres && !self.knows_the_dead() {
            return Ok(0);
        }
        self.writer
            .write(|connection| {
                if connection.dialect() == Dialect::Postgres {
                    return Ok(postgres::release_of_the_dead(connection)? as u64);
                }
                connection.execute(sql::campaign::RELEASE_ALL, params![])?;
                connection.execute(sql::webhook::RELEASE_ALL, params![])?;
                connection.execute(sql::idempotency_key::RELEASE_ALL, params![])?;
                let released = connection.execute(sql::process::RELEASE_ALL, params![]);
                Ok(released? as u64)
            })
            .await
    }

    fn is_shared(&self) -> bool {
        self.dialect == Dialect::Postgres
    }

    fn tell_others(&self, word: String) {
        self.talk.tell(word);
    }

    async fn hear_others(&self) -> String {
        self.talk.hear().await
    }

    async fn work_arrives(&self) {
        self.woken.notified().await;
    }

    async fn due_revocations(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<CertificateId>, StoreError> {
        self.points
            .read(move |connection| {
                let values = params![millis(now), limit];
                many(
                    connection,
                    sql::certificate::SELECT_DUE_REVOCATIONS,
                    values,
                    |row| row.get(0),
                )
            })
            .await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        let beats = self
            .points
            .read(|connection| number(connection, sql::heartbeat::SELECT, params![]))
            .await?;
        if beats.is_none() {
            return Err(StoreError::Fault(
                "the table `heartbeat` has lost its row".to_owned(),
            ));
        }
        self.writer
            .write(|connection| {
                connection.execute(sql::heartbeat::BEAT, params![])?;
                Ok(())
            })
            .await
    }
}
