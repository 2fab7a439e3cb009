//! The methods of [`AuthorizationStore`].

use std::sync::Arc;

use async_trait::async_trait;
use reseal_lifecycle::audit::AuditEntry;
use reseal_lifecycle::authorization::{AuthorizationStore, Distrust, Relied};
use reseal_lifecycle::certificate::CertificateId;
use reseal_lifecycle::process::{Process, ProofState};
use reseal_lifecycle::query::{AuthorizationQuery, Page};
use reseal_lifecycle::store::StoreError;

use super::audit::{self, with_numbers};
use super::find::{many, number};
use super::page;
use super::rows::{self, millis};
use crate::database::{Connection, Lock, params};
use crate::{SqlStore, list, sql};

#[async_trait]
impl AuthorizationStore for SqlStore {
    async fn find_authorizations(
        &self,
        query: &AuthorizationQuery,
    ) -> Result<Page<Relied>, StoreError> {
        let select = list::authorizations(self.dialect, query)?;
        let tally = Arc::clone(&self.tally);
        self.lists
            .read(move |connection| {
                let Page { entities, total } =
                    page::read(connection, &select, &tally, rows::authorization)?;
                let entities = entities.into_iter().map(|proof| {
                    let certificates = many(
                        connection,
                        sql::authorization::SELECT_RELIANCE,
                        [proof.id],
                        |row| Ok((row.get(0)?, row.get(1)?)),
                    )?;
                    Ok(Relied {
                        proof,
                        certificates,
                    })
                });
                let entities = entities.collect::<Result<_, StoreError>>()?;
                Ok(Page { entities, total })
            })
            .await
    }

    async fn distrust(&self, distrust: Distrust) -> Result<usize, StoreError> {
        self.writer
            .write(move |connection| {
                let Distrust {
                    proofs,
                    reason,
                    actor,
                    at,
                } = &distrust;
                let new = fall(connection, proofs, millis(*at))?;
                if !new.is_empty() {
                    let action = "authorization.distrust";
                    let mut entry = AuditEntry::new(*at, actor, action, "authorization");
                    entry.reason = Some(reason.clone());
                    audit::note(connection, with_numbers(entry, "proofs", &new))?;
                }
                Ok(new.len())
            })
            .await
    }

    async fn distrusted_names(&self, process: &Process) -> Result<Vec<String>, StoreError> {
        let process = process.clone();
        self.points
            .read(move |connection| distrusted_names(connection, &process))
            .await
    }
}

/// Nothing is signed on `proofs` from `now` on; those of them that were trusted until then.
pub(crate) fn fall(
    connection: &Connection,
    proofs: &[i64],
    now: i64,
) -> Result<Vec<i64>, StoreError> {
    connection.lock(Lock::ProofsFall);
    let mut new = Vec::new();
    for proof in proofs {
        if connection.execute(sql::authorization::DISTRUST, params![now, proof])? > 0 {
            new.push(*proof);
        }
    }
    Ok(new)
}

/// The proofs that `certificate` rests on.
pub(crate) fn grounds(
    connection: &Connection,
    certificate: CertificateId,
) -> Result<Vec<i64>, StoreError> {
    let select = sql::authorization::SELECT_GROUNDS;
    many(connection, select, [certificate], |row| row.get(0))
}

/// Names of `process` whose proof may not be relied on.
pub(crate) fn distrusted_names(
    connection: &Connection,
    process: &Process,
) -> Result<Vec<String>, StoreError> {
    let customer = &process.customer;
    // Nearly nobody ever has one.
    let select = sql::authorization::SELECT_DISTRUSTED_OF;
    if number(connection, select, [customer])?.is_none() {
        return Ok(Vec::new());
    }
    let mut names = Vec::new();
    for proof in process.work().into_iter().flat_map(|work| &work.proofs) {
        let ProofState::Proved {
            method,
            adn,
            obtained,
            ..
        } = &proof.state
        else {
            continue;
        };
        let values = params![customer, adn, method.br_section(), millis(*obtained)];
        if number(connection, sql::authorization::IS_DISTRUSTED, values)?.is_some() {
            names.push(proof.name.as_str().to_owned());
        }
    }
    Ok(names)
}
