//! The list of blocked keys, and what must be revoked because of it.

use std::sync::Arc;

use async_trait::async_trait;
use aws_lc_rs::digest;
use reseal_lifecycle::audit::AuditEntry;
use reseal_lifecycle::authorization::Distrust;
use reseal_lifecycle::certificate::{Certificate, CertificateId, RevocationReason};
use reseal_lifecycle::compromise::{
    Affected, Blocked, BlockedKey, CompromiseStore, DueRevocation, Duty, Ground, KeyBlock,
    RevocationOrder, StandingDuty,
};
use reseal_lifecycle::import;
use reseal_lifecycle::query::{BlockedKeyQuery, Page};
use reseal_lifecycle::store::StoreError;

use super::audit::with_numbers;
use super::change::{Step, Stored};
use super::columns::Columns;
use super::find::{many, number, one};
use super::notification::Draft;
use super::rows::{self, millis, reason_word};
use super::upgrade::{Upgraded, upgrade};
use super::{audit, authorization, campaign, page};
use crate::SqlStore;
use crate::database::{self, Connection, Lock, Row, params};
use crate::{list, sql};

#[async_trait]
impl CompromiseStore for SqlStore {
    async fn block_keys(&self, block: KeyBlock) -> Result<Blocked, StoreError> {
        self.writer
            .write(move |connection| block_keys(connection, &block))
            .await
    }

    async fn order_revocations(&self, order: RevocationOrder) -> Result<Vec<Affected>, StoreError> {
        self.writer
            .write(move |connection| order_revocations(connection, &order))
            .await
    }

    async fn blocked_keys(&self, query: &BlockedKeyQuery) -> Result<Page<BlockedKey>, StoreError> {
        let select = list::blocked_keys(self.dialect, query)?;
        let tally = Arc::clone(&self.tally);
        self.lists
            .read(move |connection| page::read(connection, &select, &tally, blocked_key))
            .await
    }

    async fn scheduled_revocations(&self) -> Result<Vec<DueRevocation>, StoreError> {
        self.duties
            .read(|connection| {
                many(
                    connection,
                    sql::revocation_duty::SELECT_ALL_DUE,
                    params![],
                    due_revocation,
                )
            })
            .await
    }

    async fn revocation_duty(
        &self,
        certificate: CertificateId,
    ) -> Result<Option<StandingDuty>, StoreError> {
        self.points
            .read(move |connection| {
                one(
                    connection,
                    sql::revocation_duty::SELECT,
                    [certificate],
                    standing_duty,
                )
            })
            .await
    }
}

/// Puts keys on the list and everything that follows from it into the database.
pub(crate) fn block_keys(connection: &Connection, block: &KeyBlock) -> Result<Blocked, StoreError> {
    let mut new = Vec::new();
    let mut certificates = Vec::new();
    let mut upgraded = Upgraded::default();
    // Nobody stores a certificate while the list grows: whoever repeats what is known must not have all others wait.
    let mut news = Vec::new();
    for key in &block.keys {
        if is_news(connection, block, key)? {
            news.push(key);
        }
    }
    if !news.is_empty() {
        connection.lock(Lock::BlockedKeysGrow);
    }
    for key in news {
        if put(connection, block, key)? > 0 {
            new.push(key);
        }
        match &block.ground {
            Ground::Proof(duty, moment) => {
                certificates.extend(oblige(connection, key, duty, millis(*moment))?);
                upgrade(connection, key, None, &mut upgraded)?;
            }
            Ground::Claim(customer) => upgrade(connection, key, Some(customer), &mut upgraded)?,
        }
    }
    if !new.is_empty() || !certificates.is_empty() || !upgraded.is_empty() {
        audit::note(connection, entry(block, &new, &certificates, &upgraded))?;
    }
    Ok(Blocked {
        new: new.len(),
        known: block.keys.len() - new.len(),
        certificates,
    })
}

/// Whether `block` can change anything about `key`. No certificate is stored any more for a key that is seen on the list,
/// so that nothing can come to it after this look.
fn is_news(connection: &Connection, block: &KeyBlock, key: &[u8; 32]) -> Result<bool, StoreError> {
    let found = match &block.ground {
        Ground::Proof(duty, moment) => {
            let (received, deadline) = (millis(duty.received), millis(duty.deadline));
            let values = params![key, import::ISSUER, received, millis(*moment), deadline];
            number(connection, sql::blocked_key::IS_NEWS, values)?
        }
        Ground::Claim(customer) => {
            let values = params![key, customer, import::ISSUER];
            number(connection, sql::blocked_key::IS_NEW_CLAIM, values)?
        }
    };
    Ok(found.is_some())
}

/// Puts `key` on the list that `block` is about; 0 when it is there.
fn put(connection: &Connection, block: &KeyBlock, key: &[u8; 32]) -> database::Result<usize> {
    let (reason, actor, at) = (&block.reason, &block.actor, millis(block.at));
    match &block.ground {
        Ground::Proof(..) => {
            let values = params![key, reason, actor, at];
            connection.execute(sql::blocked_key::INSERT, values)
        }
        Ground::Claim(customer) => {
            let values = params![key, customer, reason, actor, at];
            connection.execute(sql::blocked_key::CLAIM, values)
        }
    }
}

/// Opens `steps` together and blocks the key whose certificates they revoke; the first as stored. Another certificate
/// for that key may have been stored since they were collected: then nothing is written.
pub(crate) fn open_with_key_blocked(
    connection: &Connection,
    steps: &[Step],
    block: &KeyBlock,
) -> Result<Stored, StoreError> {
    connection.lock(Lock::BlockedKeysGrow);
    let mut first = None;
    for step in steps {
        let stored = step.open(connection)?;
        first = first.or(Some((stored, step.process())));
    }
    let Some((stored, process)) = first else {
        return Err(StoreError::Fault("a key without a process".to_owned()));
    };
    block_keys(connection, block)?;
    for key in &block.keys {
        let values = params![key, process.customer, import::ISSUER];
        if number(connection, sql::certificate::SELECT_UNREVOKED_ID, values)?.is_some() {
            return Err(StoreError::Stale);
        }
    }
    Ok(stored)
}

/// Schedules the revocation of each certificate with `key`, and tells its customer.
fn oblige(
    connection: &Connection,
    key: &[u8; 32],
    duty: &Duty,
    moment: i64,
) -> Result<Vec<Affected>, StoreError> {
    let values = params![key, import::ISSUER, millis(duty.received)];
    let found = many(
        connection,
        sql::certificate::SELECT_UNREVOKED_OF_ALL,
        values,
        rows::certificate,
    )?;
    let obliged = found
        .into_iter()
        .map(|certificate| oblige_one(connection, certificate, duty, moment));
    obliged.filter_map(Result::transpose).collect()
}

/// Schedules the revocation of each certificate of `order` that can still be revoked, and distrusts what they rest on when
/// that is why.
fn order_revocations(
    connection: &Connection,
    order: &RevocationOrder,
) -> Result<Vec<Affected>, StoreError> {
    let mut affected = Vec::new();
    let mut proofs = Vec::new();
    // Whoever blocks keys comes to the same certificates, by way of their keys and in another order.
    connection.lock(Lock::BlockedKeysStay);
    for id in &order.certificates {
        // Nobody revokes it, or reserves a serial for its successor, between this look and the commit.
        connection.hold_soon(sql::certificate::EXISTS, [id])?;
        let found = one(
            connection,
            sql::certificate::SELECT,
            [id],
            rows::certificate,
        )?;
        let found = found.filter(|certificate| {
            certificate.revocation.is_none()
                && certificate.issuer != import::ISSUER
                && certificate.not_after >= order.at
        });
        if let Some(certificate) = found {
            let moment = millis(order.moment);
            if order.duty.ground.condemns_proofs() {
                proofs.extend(authorization::grounds(connection, certificate.id)?);
            }
            affected.extend(oblige_one(connection, certificate, &order.duty, moment)?);
        }
    }
    let distrust = Distrust {
        proofs,
        reason: order.duty.cause.clone(),
        actor: order.actor.clone(),
        at: order.at,
    };
    authorization::distrust(connection, &distrust)?;
    if !affected.is_empty() {
        let certificates: Vec<CertificateId> = affected.iter().map(|one| one.certificate).collect();
        let object = match certificates.as_slice() {
            [one] => format!("certificate/{one}"),
            _ => "certificate".to_owned(),
        };
        let mut entry = AuditEntry::new(order.at, &order.actor, "revocation.order", object);
        entry.reason = Some(order.duty.cause.clone());
        let entry = entry
            .with("ground", order.duty.ground.as_str())
            .with("received", format!("{:.0}", order.duty.received))
            .with("deadline", format!("{:.0}", order.duty.deadline))
            .with("moment", format!("{:.0}", order.moment));
        audit::note(
            connection,
            with_numbers(entry, "certificates", &certificates),
        )?;
    }
    Ok(affected)
}

/// Schedules the revocation of `certificate` and tells its customer; `None` when nothing is new about it.
fn oblige_one(
    connection: &Connection,
    certificate: Certificate,
    duty: &Duty,
    moment: i64,
) -> Result<Option<Affected>, StoreError> {
    let wished = jiff::Timestamp::from_millisecond(moment).unwrap_or(duty.deadline);
    let before = certificate.revocation_scheduled;
    let values = params![
        certificate.id,
        millis(duty.received),
        millis(duty.deadline_24h),
        millis(duty.deadline_5d),
        millis(duty.deadline),
        duty.reason.map(reason_word),
        duty.cause,
        duty.ground.as_str()
    ];
    let mut is_new = connection.execute(sql::revocation_duty::INSERT, values)? > 0;
    if duty.reason.is_some_and(RevocationReason::bars_successors) {
        let values = params![duty.cause, certificate.id];
        is_new |= connection.execute(sql::revocation_duty::BAR, values)? > 0;
    }
    if !is_new && before.is_some_and(|before| before <= wished) {
        return Ok(None);
    }
    let values = params![moment, certificate.id];
    connection.execute(sql::certificate::SCHEDULE, values)?;
    campaign::hasten(connection, certificate.id, moment)?;
    let scheduled = before.map_or(wished, |before| before.min(wished));
    // The new one, or the one before it with another moment.
    let select = sql::revocation_duty::SELECT_STANDING;
    let standing = one(connection, select, [certificate.id], |row| {
        let mut columns = Columns::of(row);
        let received = columns.moment()?;
        duty_since(received, &mut columns)
    })?;
    let duty = standing.as_ref().unwrap_or(duty);
    for told in Draft::all_of(vec![duty.notice(&certificate, scheduled)])? {
        told.write(connection, None, None)?;
    }
    Ok(Some(Affected {
        certificate: certificate.id,
        customer: certificate.customer,
        domain_name: certificate.domain_name,
        scheduled,
        deadline: duty.deadline,
    }))
}

/// One entry, however many keys: a list of millions may be imported.
fn entry(
    block: &KeyBlock,
    new: &[&[u8; 32]],
    affected: &[Affected],
    upgraded: &Upgraded,
) -> AuditEntry {
    let object = match block.keys.as_slice() {
        [key] => format!("key/{}", hex::encode(key)),
        _ => "key".to_owned(),
    };
    let action = match &block.ground {
        Ground::Proof(..) => "key.block",
        Ground::Claim(_) => "key.claim",
    };
    let mut entry = AuditEntry::new(block.at, block.actor.as_str(), action, object);
    entry.reason = Some(block.reason.clone());
    if let Ground::Claim(customer) = &block.ground {
        entry = entry.with("customer", customer.as_str());
    }
    if block.keys.len() > 1 {
        let mut all = digest::Context::new(&digest::SHA256);
        for key in new {
            all.update(*key);
        }
        entry = entry
            .with("keys", block.keys.len())
            .with("new", new.len())
            .with("sha256", hex::encode(all.finish()));
    }
    let scheduled: Vec<CertificateId> = affected.iter().map(|one| one.certificate).collect();
    entry = with_numbers(entry, "certificates", &scheduled);
    entry = with_numbers(entry, "upgraded", &upgraded.certificates);
    with_numbers(entry, "upgradedProcesses", &upgraded.processes)
}

/// A row of [`crate::sql::blocked_key::COLUMNS`].
fn blocked_key(row: &Row<'_>) -> database::Result<BlockedKey> {
    let mut columns = Columns::of(row);
    Ok(BlockedKey {
        id: columns.value()?,
        spki_sha256: columns.value()?,
        reason: columns.value()?,
        actor: columns.value()?,
        created: columns.moment()?,
    })
}

/// A row of [`crate::sql::revocation_duty::SELECT`].
fn standing_duty(row: &Row<'_>) -> database::Result<StandingDuty> {
    let mut columns = Columns::of(row);
    Ok(StandingDuty {
        reason: columns.optional_word()?,
        cause: columns.value()?,
        bar: columns.value()?,
    })
}

/// A row of [`crate::sql::revocation_duty::SELECT_ALL_DUE`].
fn due_revocation(row: &Row<'_>) -> database::Result<DueRevocation> {
    let mut columns = Columns::of(row);
    Ok(DueRevocation {
        certificate: columns.value()?,
        customer: columns.value()?,
        domain_name: columns.value()?,
        serial: columns.value()?,
        not_after: columns.moment()?,
        scheduled: columns.moment()?,
        duty: match columns.optional_moment()? {
            None => None,
            Some(received) => Some(duty_since(received, &mut columns)?),
        },
    })
}

/// The columns of a duty behind the moment at which it became known.
fn duty_since(received: jiff::Timestamp, columns: &mut Columns<'_>) -> database::Result<Duty> {
    Ok(Duty {
        received,
        deadline_24h: columns.moment()?,
        deadline_5d: columns.moment()?,
        deadline: columns.moment()?,
        reason: columns.optional_word()?,
        ground: columns.word()?,
        cause: columns.value()?,
    })
}
