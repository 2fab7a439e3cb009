//! The methods of [`IdempotencyStore`].

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use reseal_lifecycle::idempotency::{
    ABANDONED, Claim, ClaimId, IdempotencyStore, KeptAnswer, KeyedCall, Promised, REMEMBERED,
};
use reseal_lifecycle::store::StoreError;

use super::change::json;
use super::find::one;
use super::rows::{self, TakenKey, millis};
use crate::SqlStore;
use crate::database::{Connection, params};
use crate::sql::idempotency_key as sql;

/// Old keys that one call clears away: more than it adds, so that the table does not grow.
const FORGOTTEN_AT_ONCE: u32 = 10;

#[async_trait]
impl IdempotencyStore for SqlStore {
    async fn claim_key(&self, call: KeyedCall) -> Result<Claim, StoreError> {
        self.writer
            .write(move |connection| claim(connection, &call))
            .await
    }

    async fn find_key(&self, call: &KeyedCall) -> Result<Option<Claim>, StoreError> {
        let call = call.clone();
        self.points
            .read(move |connection| find(connection, &call))
            .await
    }

    async fn keep_answer(&self, claim: ClaimId, answer: KeptAnswer) -> Result<(), StoreError> {
        self.writer
            .write(move |connection| keep(connection, claim, &answer).map(|_| ()))
            .await
    }

    async fn free_key(&self, claim: ClaimId) -> Result<(), StoreError> {
        self.writer
            .write(move |connection| {
                connection.execute(sql::FREE, [claim])?;
                Ok(())
            })
            .await
    }
}

/// Keeps the answer to the call that makes `made`, in the commit that makes it.
pub(super) fn keep_promise<T>(
    connection: &Connection,
    promised: &Promised<T>,
    made: &T,
) -> Result<(), StoreError> {
    let answer = (promised.answer)(made)
        .map_err(|error| StoreError::Fault(format!("an answer cannot be kept: {error}")))?;
    match keep(connection, promised.claim, &answer)? {
        // Believed dead, its key was given to the same call come again: that one does it.
        0 => Err(StoreError::Stale),
        _ => Ok(()),
    }
}

fn keep(connection: &Connection, claim: ClaimId, answer: &KeptAnswer) -> Result<usize, StoreError> {
    let headers = json(&answer.headers)?;
    let values = params![answer.status, headers, answer.body, claim];
    Ok(connection.execute(sql::KEEP, values)?)
}

fn claim(connection: &Connection, call: &KeyedCall) -> Result<Claim, StoreError> {
    let values = params![millis(before(call, REMEMBERED)), FORGOTTEN_AT_ONCE];
    connection.execute_on_free(sql::FORGET, values)?;
    if let Some(known) = find(connection, call)? {
        return Ok(known);
    }
    let (forgotten, dead) = (before(call, REMEMBERED), before(call, ABANDONED));
    let values = params![call.customer, call.key, millis(forgotten), millis(dead)];
    connection.execute(sql::REPLACE, values)?;
    let values = params![call.customer, call.key, call.fingerprint, millis(call.at)];
    match connection.insert_new(sql::INSERT, values)? {
        Some(id) => Ok(Claim::First(id)),
        // Somebody else took it since the look, or it was not dead after all.
        None => Ok(find(connection, call)?.unwrap_or(Claim::Running)),
    }
}

/// What is known of the key, if that still counts.
fn find(connection: &Connection, call: &KeyedCall) -> Result<Option<Claim>, StoreError> {
    let values = params![call.customer, call.key];
    let taken = one(connection, sql::SELECT, values, rows::taken_key)?;
    let Some(taken) = taken.filter(|taken| taken.at >= before(call, REMEMBERED)) else {
        return Ok(None);
    };
    let is_dead =
        taken.process.is_none() && taken.answer.is_none() && taken.at < before(call, ABANDONED);
    Ok((!is_dead).then(|| outcome(taken, &call.fingerprint)))
}

fn before(call: &KeyedCall, age: SignedDuration) -> Timestamp {
    call.at.saturating_sub(age).unwrap_or(Timestamp::MIN)
}

/// What became of the call that took the key, when `fingerprint` is its own.
fn outcome(taken: TakenKey, fingerprint: &[u8; 32]) -> Claim {
    if taken.fingerprint != *fingerprint {
        return Claim::OtherCall;
    }
    match (taken.answer, taken.process) {
        (Some(answer), _) => Claim::Answered(answer),
        (None, Some(process)) => Claim::Opened(process),
        (None, None) => Claim::Running,
    }
}
