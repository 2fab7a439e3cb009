//! The methods of [`UpstreamStore`], and what steps of processes write of upstreams.

use async_trait::async_trait;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use reseal_lifecycle::audit::{AuditEntry, SERVER};
use reseal_lifecycle::certificate::{CertificateId, RevocationReason};
use reseal_lifecycle::process::ProcessId;
use reseal_lifecycle::store::StoreError;
use reseal_lifecycle::upstream::{
    Advice, Duty, OrderUrl, Question, Reply, StoredAccount, UpstreamStore,
};

use super::audit;
use super::columns::Columns;
use super::find::{many, one};
use super::notification::Draft;
use super::rows::{millis, reason_word};
use crate::SqlStore;
use crate::database::{self, Connection, Error, Row, params};
use crate::sql;

#[async_trait]
impl UpstreamStore for SqlStore {
    async fn upstream_account(
        &self,
        issuer: &str,
        directory: &str,
        customer: &str,
    ) -> Result<Option<StoredAccount>, StoreError> {
        let [issuer, directory, customer] = [issuer, directory, customer].map(str::to_owned);
        self.points
            .read(move |connection| find_account(connection, &issuer, &directory, &customer))
            .await
    }

    async fn keep_upstream_account(
        &self,
        account: StoredAccount,
    ) -> Result<StoredAccount, StoreError> {
        self.writer
            .write(move |connection| {
                let StoredAccount {
                    issuer,
                    directory,
                    customer,
                    sealed,
                    created,
                    ..
                } = &account;
                let values = params![issuer, directory, customer, sealed, millis(*created)];
                connection.execute(sql::upstream::INSERT_ACCOUNT, values)?;
                let kept = find_account(connection, issuer, directory, customer)?;
                kept.ok_or_else(|| {
                    StoreError::from(Error::Missing("an account that was just kept"))
                })
            })
            .await
    }

    async fn name_upstream_account(
        &self,
        account: &StoredAccount,
        url: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (account, url) = (account.clone(), url.to_owned());
        let object = format!("issuer/{}", account.issuer);
        let mut entry = AuditEntry::new(now, SERVER, "issuer.account", object)
            .with("directory", account.directory.as_str())
            .with("customer", account.customer.as_str())
            .with("account", url.as_str());
        if let Some(lost) = &account.url {
            entry = entry.with("lost", lost.as_str());
        }
        self.writer
            .write(move |connection| {
                let values = params![
                    url,
                    account.issuer,
                    account.directory,
                    account.customer,
                    account.sealed,
                    account.url
                ];
                if connection.execute(sql::upstream::NAME_ACCOUNT, values)? > 0 {
                    audit::note(connection, entry.clone())?;
                }
                Ok(())
            })
            .await
    }

    async fn upstream_customers(
        &self,
        issuer: &str,
        directory: &str,
    ) -> Result<Vec<String>, StoreError> {
        let [issuer, directory] = [issuer, directory].map(str::to_owned);
        let select = sql::upstream::SELECT_CUSTOMERS;
        self.points
            .read(move |connection| {
                let values = params![issuer, directory];
                many(connection, select, values, |row| row.get::<String>(0))
            })
            .await
    }

    async fn begin_key_change(
        &self,
        account: &StoredAccount,
        next: Vec<u8>,
    ) -> Result<StoredAccount, StoreError> {
        let account = account.clone();
        self.writer
            .write(move |connection| {
                let StoredAccount {
                    issuer,
                    directory,
                    customer,
                    sealed,
                    ..
                } = &account;
                let values = params![next, issuer, directory, customer, sealed];
                connection.execute(sql::upstream::BEGIN_KEY_CHANGE, values)?;
                let kept = find_account(connection, issuer, directory, customer)?;
                kept.ok_or_else(|| {
                    StoreError::from(Error::Missing("an account whose key is changed"))
                })
            })
            .await
    }

    async fn finish_key_change(
        &self,
        account: &StoredAccount,
        actor: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let account = account.clone();
        let object = format!("issuer/{}", account.issuer);
        let entry = AuditEntry::new(now, actor, "issuer.key", object)
            .with("directory", account.directory.as_str())
            .with("customer", account.customer.as_str());
        self.writer
            .write(move |connection| {
                let StoredAccount {
                    issuer,
                    directory,
                    customer,
                    next,
                    ..
                } = &account;
                let values = params![millis(now), issuer, directory, customer, next];
                if connection.execute(sql::upstream::FINISH_KEY_CHANGE, values)? > 0 {
                    audit::note(connection, entry.clone())?;
                }
                Ok(())
            })
            .await
    }

    async fn upstream_chain(&self, id: CertificateId) -> Result<Option<Vec<Vec<u8>>>, StoreError> {
        self.points
            .read(move |connection| one(connection, sql::upstream::SELECT_CHAIN, [id], chain))
            .await
    }

    async fn take_questions(
        &self,
        issuer: &str,
        now: Timestamp,
        lease: Timestamp,
        limit: u32,
    ) -> Result<Vec<Question>, StoreError> {
        let (now, lease) = (millis(now), millis(lease));
        let (issuer, select) = (issuer.to_owned(), sql::upstream::SELECT_QUESTIONS);
        let mut due = self
            .points
            .read(move |connection| many(connection, select, params![issuer, now, limit], question))
            .await?;
        if due.is_empty() {
            return Ok(due);
        }
        // Nodes that take at the same moment come to them in the same order, and do not wait for each other in a circle.
        due.sort_unstable_by_key(|question| question.certificate);
        self.writer
            .write(move |connection| {
                let mut taken = Vec::new();
                for question in &due {
                    let values = params![lease, question.certificate, now];
                    if connection.execute(sql::upstream::TAKE_QUESTION, values)? > 0 {
                        taken.push(question.clone());
                    }
                }
                Ok(taken)
            })
            .await
    }

    async fn upstream_to_ask_behind(&self, issuer: &str) -> Result<Option<String>, StoreError> {
        self.issuer_behind(issuer, sql::upstream::SELECT_ASKED_ISSUER)
            .await
    }

    async fn answered(&self, reply: Reply, lease: Timestamp) -> Result<(), StoreError> {
        let told = Draft::all_of(reply.told.clone().into_iter().collect())?;
        self.writer
            .write(move |connection| {
                let advice = reply.advice.as_ref();
                let values = params![
                    reply.next.map(millis),
                    reply.attempts,
                    advice.map(|advice| millis(advice.start)),
                    advice.map(|advice| millis(advice.end)),
                    advice.and_then(|advice| advice.explanation.as_deref()),
                    reply.certificate,
                    millis(lease)
                ];
                if connection.execute(sql::upstream::ANSWER, values)? > 0 {
                    for draft in &told {
                        draft.write(connection, None, None)?;
                    }
                }
                Ok(())
            })
            .await
    }

    async fn upstream_advice(&self, id: CertificateId) -> Result<Option<Advice>, StoreError> {
        let select = sql::upstream::SELECT_ADVICE;
        self.points
            .read(move |connection| {
                one(connection, select, [id], |row| {
                    advice(&mut Columns::of(row))
                })
            })
            .await
            .map(Option::flatten)
    }

    async fn upstream_to_tell_behind(&self, issuer: &str) -> Result<Option<String>, StoreError> {
        self.issuer_behind(issuer, sql::upstream::SELECT_ISSUER)
            .await
    }

    async fn take_upstream_revocation(
        &self,
        issuer: &str,
        now: Timestamp,
        lease: Timestamp,
        only_compromised: bool,
    ) -> Result<Option<Duty>, StoreError> {
        let (now, lease) = (millis(now), millis(lease));
        let select = if only_compromised {
            sql::upstream::SELECT_DUE_COMPROMISED
        } else {
            sql::upstream::SELECT_DUE
        };
        let issuer = issuer.to_owned();
        let due = self
            .points
            .read(move |connection| one(connection, select, params![issuer, now], duty))
            .await?;
        let Some(duty) = due else {
            return Ok(None);
        };
        self.writer
            .write(move |connection| {
                let reason = duty.reason.map(reason_word);
                let values = params![lease, duty.fingerprint, now, reason];
                let taken = connection.execute(sql::upstream::TAKE, values)? > 0;
                Ok(taken.then(|| duty.clone()))
            })
            .await
    }

    async fn upstream_revoked(
        &self,
        duty: &Duty,
        reason: Option<RevocationReason>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (fingerprint, taken_for) = (duty.fingerprint, duty.reason.map(reason_word));
        let object = format!("issuer/{}", duty.issuer);
        let mut entry = AuditEntry::new(now, SERVER, "issuer.revoked", object)
            .with("sha256", hex::encode(fingerprint));
        if let Some(reason) = reason {
            entry = entry.with("reason", reason_word(reason));
        }
        self.writer
            .write(move |connection| {
                let values = params![millis(now), fingerprint, taken_for];
                if connection.execute(sql::upstream::DONE, values)? > 0 {
                    audit::note(connection, entry.clone())?;
                }
                Ok(())
            })
            .await
    }

    async fn upstream_not_revoked(
        &self,
        duty: &Duty,
        why: &str,
        next: Timestamp,
    ) -> Result<(), StoreError> {
        let (fingerprint, why) = (duty.fingerprint, why.to_owned());
        let taken_for = duty.reason.map(reason_word);
        self.writer
            .write(move |connection| {
                let values = params![millis(next), why, fingerprint, taken_for];
                connection.execute(sql::upstream::NOT_DONE, values)?;
                Ok(())
            })
            .await
    }
}

impl SqlStore {
    /// What `select` finds behind `issuer`.
    async fn issuer_behind(
        &self,
        issuer: &str,
        select: &'static str,
    ) -> Result<Option<String>, StoreError> {
        let issuer = issuer.to_owned();
        self.points
            .read(move |connection| one(connection, select, [issuer], |row| row.get::<String>(0)))
            .await
    }
}

/// Puts down that a process has the order.
pub(super) fn write_order(
    connection: &Connection,
    order: &OrderUrl,
    process: ProcessId,
) -> Result<(), StoreError> {
    let values = params![order.url, order.issuer, process, millis(order.placed)];
    match connection.execute(sql::upstream::INSERT_ORDER, values)? {
        0 => Err(StoreError::Exists("order")),
        _ => Ok(()),
    }
}

/// Keeps the chain that a certificate came with; one that is known is not kept again.
pub(super) fn write_chain(
    connection: &Connection,
    certificate: CertificateId,
    issuer: &str,
    chain: &[Vec<u8>],
) -> Result<(), StoreError> {
    let rendered: Vec<String> = chain.iter().map(|der| STANDARD.encode(der)).collect();
    let rendered = super::change::json(&rendered)?;
    let digest = digest(&SHA256, rendered.as_bytes());
    let values = params![digest.as_ref(), rendered];
    connection.execute(sql::upstream::INSERT_CHAIN, values)?;
    let values = params![certificate, digest.as_ref(), issuer];
    connection.send(sql::upstream::INSERT_CERTIFICATE, values)?;
    Ok(())
}

/// Has an upstream revoke what is not stored here.
pub(super) fn write_unwanted(connection: &Connection, duty: &Duty) -> database::Result<()> {
    let values = params![
        duty.fingerprint,
        duty.issuer,
        duty.customer,
        duty.der,
        duty.reason.map(reason_word),
        millis(duty.created)
    ];
    connection.send(sql::upstream::REVOKE_UNSTORED, values)
}

fn find_account(
    connection: &Connection,
    issuer: &str,
    directory: &str,
    customer: &str,
) -> Result<Option<StoredAccount>, StoreError> {
    let found = one(
        connection,
        sql::upstream::SELECT_ACCOUNT,
        params![issuer, directory, customer],
        |row| {
            let mut columns = Columns::of(row);
            let sealed: Vec<u8> = columns.value()?;
            let url = columns.optional_text()?.map(str::to_owned);
            let created = columns.moment()?;
            let next: Option<Vec<u8>> = columns.value()?;
            Ok((sealed, url, created, next))
        },
    )?;
    Ok(found.map(|(sealed, url, created, next)| StoredAccount {
        issuer: issuer.to_owned(),
        directory: directory.to_owned(),
        customer: customer.to_owned(),
        sealed,
        url,
        created,
        next,
    }))
}

/// A row of [`crate::sql::upstream::SELECT_CHAIN`].
fn chain(row: &Row<'_>) -> database::Result<Vec<Vec<u8>>> {
    let mut columns = Columns::of(row);
    let rendered = columns.text()?;
    read_chain(rendered).ok_or_else(|| columns.fault("not a list of certificates"))
}

/// The certificates of a chain as it is stored.
pub(super) fn read_chain(rendered: &str) -> Option<Vec<Vec<u8>>> {
    let rendered: Vec<String> = serde_json::from_str(rendered).ok()?;
    let decoded = rendered.iter().map(|text| STANDARD.decode(text).ok());
    decoded.collect()
}

/// A row of [`crate::sql::upstream::SELECT_QUESTIONS`].
fn question(row: &Row<'_>) -> database::Result<Question> {
    let mut columns = Columns::of(row);
    Ok(Question {
        certificate: columns.value()?,
        attempts: columns.value()?,
        known: advice(&mut columns)?,
    })
}

/// The next three columns: start and end of a window, and where it is explained.
fn advice(columns: &mut Columns<'_>) -> database::Result<Option<Advice>> {
    let (start, end) = (columns.optional_moment()?, columns.optional_moment()?);
    let explanation = columns.optional_text()?.map(str::to_owned);
    Ok(start.zip(end).map(|(start, end)| Advice {
        start,
        end,
        explanation,
    }))
}

/// A row of [`crate::sql::upstream::SELECT_DUE`].
fn duty(row: &Row<'_>) -> database::Result<Duty> {
    let mut columns = Columns::of(row);
    Ok(Duty {
        fingerprint: columns.value()?,
        issuer: columns.value()?,
        customer: columns.value()?,
        der: columns.value()?,
        reason: columns.optional_word()?,
        created: columns.moment()?,
        attempts: columns.value()?,
    })
}
