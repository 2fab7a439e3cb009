//! The methods of [`AuthorizationStore`].

use std::sync::Arc;

use async_trait::async_trait;
use reseal_lifecycle::audit::AuditEntry;
use reseal_lifecycle::authorization::{AuthorizationStore, Distrust, Relied};
use reseal_lifecycle::certificate::CertificateId;
use reseal_lifecycle::process::Process;
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
        self.duties
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
            .write(move |connection| self::distrust(connection, &distrust))
            .await
    }

    async fn distrusted_names(&self, process: &Process) -> Result<Vec<String>, StoreError> {
        let process = process.clone();
        self.points
            .read(move |connection| distrusted_names(connection, &process))
            .await
    }
}

/// Nothing is signed on these proofs from now on; how many were trusted until then, of which the audit log tells.
pub(crate) fn distrust(connection: &Connection, distrust: &Distrust) -> Result<usize, StoreError> {
    if distrust.proofs.is_empty() {
        return Ok(0);
    }
    connection.lock(Lock::ProofsFall);
    let mut new = Vec::new();
    for proof in &distrust.proofs {
        let values = params![millis(distrust.at), proof];
        if connection.execute(sql::authorization::DISTRUST, values)? > 0 {
            new.push(*proof);
        }
    }
    if !new.is_empty() {
        let (actor, action) = (distrust.actor.as_str(), "authorization.distrust");
        let mut entry = AuditEntry::new(distrust.at, actor, action, "authorization");
        entry.reason = Some(distrust.reason.clone());
        audit::note(connection, with_numbers(entry, "proofs", &new))?;
    }
    Ok(new.len())
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
        let Some(evidence) = proof.evidence() else {
            continue;
        };
        let values = params![
            customer,
            evidence.adn,
            evidence.method.br_section(),
            millis(evidence.obtained)
        ];
        if number(connection, sql::authorization::IS_DISTRUSTED, values)?.is_some() {
            names.push(proof.name.as_str().to_owned());
        }
    }
    Ok(names)
}
